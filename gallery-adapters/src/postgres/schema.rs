//! The schema's versions: which the database has, and how it gets the others.

use std::sync::LazyLock;

use gallery_domain::ports::BackendFailure;
use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::PostgresStore;
use super::error::{PostgresFailure, backend_failure, permanent};
use crate::schema::SchemaStatus;

/// The schema that holds everything of the gallery, so that a database can be shared, and the search path does not matter.
const SCHEMA: &str = "gallery";

/// Where it is noted which migrations were applied.
const APPLIED: &str = "gallery.schema_migration";

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = Migrator::with_migrations(sqlx::migrate!("../migrations/postgres").migrations.into_owned());
    migrator.dangerous_set_table_name(APPLIED);
    migrator.create_schema(SCHEMA);
    // The lock is taken before what is applied is read, and so not by the migrator.
    migrator.set_locking(false);
    migrator
});

/// The lock of whoever migrates: the letters `gallery`.
const MIGRATING: i64 = 0x67_61_6c_6c_65_72_79;

/// Leaves to others than the owner of the note of what was applied no more than to read it, whatever they were granted on all tables.
const OWNED_BY_WHO_MIGRATES: &str = "\
    DO $$ \
    DECLARE other text; \
    BEGIN \
        FOR other IN SELECT DISTINCT CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(granted.grantee)) END \
            FROM pg_class, aclexplode(relacl) AS granted \
            WHERE pg_class.oid = 'gallery.schema_migration'::regclass AND granted.grantee <> relowner AND granted.privilege_type <> 'SELECT' \
        LOOP \
            EXECUTE 'REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON gallery.schema_migration FROM ' || other; \
        END LOOP; \
    END $$";

impl PostgresStore {
    /// Brings the schema up to date, and answers which versions that took. Of several programs that do it at once, one does and the others wait.
    ///
    /// The role needs the right to create a schema in the database, or to own the schema `gallery`. The connection is one of its own,
    /// without limits of time; behind a proxy that shares connections, connect to the server itself.
    pub async fn migrate(&self) -> Result<Vec<i64>, BackendFailure> {
        const OPERATION: &str = "migrating the schema";
        let failed = |error| backend_failure(OPERATION, error);
        let adapt =
            |connect: PgConnectOptions| connect.options([("statement_timeout", "0")]).statement_cache_capacity(0);
        let mut connection = self.connect(adapt).await.map_err(failed)?;
        // Held until the connection is closed, however that comes about.
        sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATING).execute(&mut connection).await.map_err(failed)?;
        let before = status(&mut connection).await.map_err(failed)?;
        MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
            MigrateError::VersionMissing(version) => permanent(OPERATION, PostgresFailure::NewerSchema(version)),
            other => permanent(OPERATION, PostgresFailure::Migration(other)),
        })?;
        sqlx::raw_sql(OWNED_BY_WHO_MIGRATES).execute(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)?;
        Ok(before.pending)
    }

    /// Which versions of the schema the database has, and which this program knows. Changes nothing.
    pub async fn schema_status(&self) -> Result<SchemaStatus, BackendFailure> {
        const OPERATION: &str = "reading the schema's version";
        let failed = |error| backend_failure(OPERATION, error);
        let mut connection = match self.acquire().await {
            Ok(connection) => connection,
            // The pool keeps to itself why it could not connect; whoever sets a gallery up has to know.
            Err(sqlx::Error::PoolTimedOut) => {
                let mut connection = self.connect(|connect| connect).await.map_err(failed)?;
                return status(&mut connection).await.map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        };
        status(&mut connection).await.map_err(failed)
    }

    /// Fails unless the database has exactly the schema that this program knows, with what to do about it.
    pub async fn check_schema(&self) -> Result<(), BackendFailure> {
        const OPERATION: &str = "checking the schema";
        let status = self.schema_status().await?;
        match (status.unknown.last(), status.pending.is_empty()) {
            (Some(newest), _) => Err(permanent(OPERATION, PostgresFailure::NewerSchema(*newest))),
            (None, false) => Err(permanent(OPERATION, PostgresFailure::OldSchema)),
            (None, true) => Ok(()),
        }
    }
}

async fn status(connection: &mut PgConnection) -> Result<SchemaStatus, sqlx::Error> {
    let known: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    let migrated: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(APPLIED)
        .persistent(false)
        .fetch_one(&mut *connection)
        .await?;
    let found: Vec<i64> = if migrated {
        sqlx::query_scalar("SELECT version FROM gallery.schema_migration WHERE success ORDER BY version")
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?
    } else {
        Vec::new()
    };
    Ok(SchemaStatus::compare(&known, &found))
}
