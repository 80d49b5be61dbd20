//! The two roles of `migrations/postgres/roles.sql`: one makes the schema, the other runs the gallery and can change no schema. Every suite of a
//! store's promises is held as that other role, on a server of its own.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::conformance::Fixture;
use gallery_domain::ports::Repositories;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use test_postgres::{Cluster, Programs};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

const ROLES: &str = include_str!("../../migrations/postgres/roles.sql");

/// The server, which ends with the process that runs these tests.
struct Server {
    cluster: Cluster,
    databases: AtomicUsize,
}

impl Server {
    /// A server with the roles, and a database `template` that the owner has given its schema.
    async fn get() -> &'static Self {
        static SERVER: OnceCell<Server> = OnceCell::const_new();
        SERVER
            .get_or_init(async || {
                let cluster = Cluster::start(&Programs::of_environment().unwrap(), &[]).unwrap();
                let server = Self { cluster, databases: AtomicUsize::new(0) };
                server.run("postgres", "CREATE DATABASE template").await.unwrap();
                server.run("template", ROLES).await.unwrap();
                for role in ["gallery_owner", "gallery_app"] {
                    let password = server.cluster.password();
                    server.run("postgres", &format!("ALTER ROLE {role} PASSWORD '{password}'")).await.unwrap();
                }
                let owner = PostgresStore::new(server.as_role("gallery_owner", "template"), PostgresOptions::default());
                owner.migrate().await.unwrap();
                owner.close().await;
                server
            })
            .await
    }

    fn as_role(&self, role: &str, database: &str) -> PgConnectOptions {
        let options: PgConnectOptions = self.cluster.url().parse().unwrap();
        options.username(role).database(database)
    }

    /// Runs statements as the superuser.
    async fn run(&self, database: &str, statements: &str) -> Result<(), sqlx::Error> {
        run(self.as_role("postgres", database), statements).await
    }
}

async fn run(options: PgConnectOptions, statements: &str) -> Result<(), sqlx::Error> {
    let mut connection: PgConnection = options.connect().await?;
    let outcome = connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await;
    connection.close().await?;
    outcome.map(drop)
}

/// A copy of the template, dropped at the end of its test.
struct Database {
    server: &'static Server,
    name: String,
}

impl Database {
    async fn new() -> Self {
        let server = Server::get().await;
        let name = format!("copy_{}", server.databases.fetch_add(1, Ordering::Relaxed));
        server.run("postgres", &format!("CREATE DATABASE {name} TEMPLATE template")).await.unwrap();
        Self { server, name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, statement) = (self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // The test's own runtime may be the one that is going down.
        let dropped =
            thread::spawn(move || Runtime::new().unwrap().block_on(server.run("postgres", &statement))).join();
        assert!(dropped.is_ok_and(|dropped| dropped.is_ok()) || thread::panicking());
    }
}

/// An empty store, used by the role that runs the gallery.
async fn fresh() -> Fixture<Repositories> {
    let database = Database::new().await;
    let connect = database.server.as_role("gallery_app", &database.name);
    let store = PostgresStore::new(connect, PostgresOptions::default());
    store.check_schema().await.unwrap();
    Fixture::new(store.repositories()).keeping(database)
}

gallery_domain::conformance::photo_repository_suite!(fresh().await);
gallery_domain::conformance::photo_search_suite!(fresh().await);
gallery_domain::conformance::album_repository_suite!(fresh().await);
gallery_domain::conformance::user_repository_suite!(fresh().await);
gallery_domain::conformance::credential_repository_suite!(fresh().await);
gallery_domain::conformance::session_repository_suite!(fresh().await);
gallery_domain::conformance::idempotency_repository_suite!(fresh().await);
gallery_domain::conformance::rate_limiter_suite!(fresh().await);
gallery_domain::conformance::work_queue_suite!(fresh().await);

#[tokio::test]
async fn the_role_that_runs_the_gallery_can_change_no_schema() {
    let database = Database::new().await;
    let role = || database.server.as_role("gallery_app", &database.name);
    for statement in [
        "CREATE TABLE gallery.more (id bigint)",
        "CREATE TABLE public.more (id bigint)",
        "CREATE SCHEMA more",
        "CREATE FUNCTION gallery.more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX more ON gallery.photo (title)",
        "CREATE ROLE more",
        "ALTER TABLE gallery.photo ADD COLUMN more bigint",
        "ALTER TABLE gallery.photo DISABLE TRIGGER ALL",
        "DROP TABLE gallery.photo CASCADE",
        "DROP SCHEMA gallery CASCADE",
        "TRUNCATE gallery.photo CASCADE",
        "SET session_replication_role = replica",
        // What was applied is noted by whoever applies it.
        "INSERT INTO gallery.schema_migration SELECT 9999, description, installed_on, success, checksum, execution_time FROM gallery.schema_migration",
        "UPDATE gallery.schema_migration SET success = false",
        "DELETE FROM gallery.schema_migration",
    ] {
        let refused = run(role(), statement).await.unwrap_err();
        let code = refused.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
        assert_eq!(code, "42501", "{statement}: {refused}");
    }
    let store = PostgresStore::new(role(), PostgresOptions::default());
    assert_eq!(store.schema_status().await.unwrap().pending, [0; 0]);
    store.close().await;
}

#[tokio::test]
async fn a_right_to_write_the_note_of_what_was_applied_is_gone_after_the_next_migration() {
    let database = Database::new().await;
    let (server, name) = (database.server, &*database.name);
    // The rights to a database are not copied with it.
    server.run("postgres", &format!("GRANT CREATE ON DATABASE {name} TO gallery_owner")).await.unwrap();
    server.run(name, "GRANT ALL ON gallery.schema_migration TO gallery_app, PUBLIC").await.unwrap();
    let forget = "DELETE FROM gallery.schema_migration WHERE version = 9999";
    run(server.as_role("gallery_app", name), forget).await.unwrap();
    let owner = PostgresStore::new(server.as_role("gallery_owner", name), PostgresOptions::default());
    assert_eq!(owner.migrate().await.unwrap(), [0; 0]);
    owner.close().await;
    let refused = run(server.as_role("gallery_app", name), forget).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied for table schema_migration"), "{refused}");
    run(server.as_role("gallery_app", name), "SELECT version FROM gallery.schema_migration").await.unwrap();
}

#[tokio::test]
async fn nobody_else_may_enter_the_database_and_the_owner_rules_nothing_else() {
    let server = Server::get().await;
    // The right to enter a database is not copied with it.
    server.run("postgres", "CREATE DATABASE alone").await.unwrap();
    server.run("postgres", "CREATE ROLE stranger LOGIN").await.unwrap();
    let database_part = &ROLES[ROLES.find("DO $$").unwrap()..ROLES.find("CREATE SCHEMA").unwrap()];
    server.run("alone", database_part).await.unwrap();
    server.run("postgres", &format!("ALTER ROLE stranger PASSWORD '{}'", server.cluster.password())).await.unwrap();
    let refused = run(server.as_role("stranger", "alone"), "SELECT 1").await.unwrap_err();
    assert!(refused.to_string().contains("permission denied for database"), "{refused}");
    run(server.as_role("gallery_app", "alone"), "SELECT 1").await.unwrap();
    for statement in ["CREATE DATABASE more", "CREATE ROLE more", "ALTER SYSTEM SET work_mem = '1GB'"] {
        assert!(run(server.as_role("gallery_owner", "alone"), statement).await.is_err(), "{statement}");
    }
    let said =
        run(server.as_role("gallery_app", "alone"), "CREATE TEMPORARY TABLE more (id bigint)").await.unwrap_err();
    assert!(said.to_string().contains("permission denied"), "{said}");
}
