//! Databases of a test's own, on the server that `GALLERY_TEST_POSTGRES` names.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::str::FromStr;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::sync::OnceCell;

/// Where the server is: a URL whose role may do everything.
pub(crate) const SERVER: &str = "GALLERY_TEST_POSTGRES";

/// The lock of whoever makes the template: the letters `template`.
const MAKING_TEMPLATE: i64 = 0x74_65_6d_70_6c_61_74_65;

/// A database that is dropped at the end of its test, also if that fails.
pub(crate) struct Database {
    name: String,
}

impl Database {
    /// A database with the schema.
    pub(crate) async fn migrated() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(template).await;
        Self::make(Some(template)).await
    }

    /// A database without anything in it.
    pub(crate) async fn empty() -> Self {
        Self::make(None).await
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        server().database(&self.name)
    }

    /// A connection past the store, for what the ports cannot do.
    pub(crate) async fn connection(&self) -> PgConnection {
        self.options().connect().await.expect("the server can be reached")
    }

    /// Its name on the server.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    async fn make(template: Option<&str>) -> Self {
        let name = format!("gallery_test_{:016x}", RandomState::new().build_hasher().finish());
        let from = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
        run(&format!("CREATE DATABASE {name}{from}")).await;
        Self { name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // The test's own runtime may be the one that is going down.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(run(&statement));
        });
        let dropped = dropping.join();
        assert!(dropped.is_ok() || std::thread::panicking(), "the database {} could not be dropped", self.name);
    }
}

/// How to connect to the server.
pub(crate) fn server() -> PgConnectOptions {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("{SERVER} does not name a PostgreSQL server: run `cargo xtask test`, which starts one, or set it to the URL of one")
    });
    PgConnectOptions::from_str(&url).expect("the variable holds a URL such as postgres://postgres@127.0.0.1:5432")
}

/// Runs a statement on the server, past any database of a test.
pub(crate) async fn run(statement: &str) {
    let mut connection = server().connect().await.expect("the server can be reached");
    connection.execute(AssertSqlSafe(statement)).await.expect("the server does as it is told");
    connection.close().await.expect("the connection can be closed");
}

/// A database that has the schema, and is copied for each test. It is named for the schema, and made by whoever needs it first.
async fn template() -> String {
    let mut lock = server().connect().await.expect("the server can be reached");
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(MAKING_TEMPLATE)
        .execute(&mut lock)
        .await
        .expect("the lock is free");
    let fresh = Database::empty().await;
    let store = PostgresStore::new(fresh.options(), PostgresOptions::default());
    let versions = store.migrate().await.expect("the schema can be made");
    store.close().await;
    let mut hasher = std::hash::DefaultHasher::new();
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/postgres")).expect("migrations") {
        let path = file.expect("a migration").path();
        if path.extension().is_some_and(|end| end == "sql") {
            hasher.write(&std::fs::read(&path).expect("a migration"));
        }
    }
    let name = format!("gallery_template_{}_{:016x}", versions.len(), hasher.finish());
    let made: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut lock)
        .await
        .expect("databases can be listed");
    if !made {
        run(&format!("CREATE DATABASE {name} TEMPLATE {}", fresh.name)).await;
    }
    lock.close().await.expect("the connection can be closed");
    name
}
