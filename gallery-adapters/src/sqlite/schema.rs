//! The schema's versions: which the file has, and how it gets the others.

use gallery_domain::ports::BackendFailure;
use sqlx::migrate::{MigrateError, Migrator};

use super::SqliteStore;
use super::error::{SqliteFailure, backend_failure, permanent};
use crate::schema::SchemaStatus;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

impl SqliteStore {
    /// Brings the schema up to date, and answers which versions that took. Of several processes that do it at once, one does and the others
    /// wait.
    pub async fn migrate(&self) -> Result<Vec<i64>, BackendFailure> {
        const OPERATION: &str = "migrating the schema";
        let failed = |error| backend_failure(OPERATION, error);
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        let before = status(&mut transaction).await.map_err(failed)?;
        MIGRATIONS.run_direct(None, &mut *transaction, false).await.map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
            MigrateError::VersionMissing(version) => permanent(OPERATION, SqliteFailure::NewerSchema(version)),
            other => permanent(OPERATION, SqliteFailure::Migration(other)),
        })?;
        transaction.commit().await.map_err(failed)?;
        Ok(before.pending)
    }

    /// Which versions of the schema the file has, and which this program knows. Changes nothing.
    pub async fn schema_status(&self) -> Result<SchemaStatus, BackendFailure> {
        let failed = |error| backend_failure("reading the schema's version", error);
        let mut connection = self.readers.acquire().await.map_err(failed)?;
        status(&mut connection).await.map_err(failed)
    }
}

async fn status(connection: &mut sqlx::SqliteConnection) -> Result<SchemaStatus, sqlx::Error> {
    let migrated: bool =
        sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await?;
    let found: Vec<i64> = if migrated {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success ORDER BY version")
            .fetch_all(connection)
            .await?
    } else {
        Vec::new()
    };
    let known: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
    Ok(SchemaStatus::compare(&known, &found))
}
