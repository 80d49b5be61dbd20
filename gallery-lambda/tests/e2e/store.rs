//! The store that the programs use: the file in their data folder, unless `GALLERY_TEST_STORE` says `postgres`; then each data folder has a
//! database of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::postgres_server::{self, Database};

/// What is known of a folder.
enum Store {
    /// Galleries in it are in files.
    File,
    /// Its gallery has this database.
    #[cfg(feature = "postgres")]
    Postgres(Database),
}

impl Store {
    fn chosen() -> Self {
        let chosen = std::env::var("GALLERY_TEST_STORE").unwrap_or_else(|_| "sqlite".to_owned());
        match &*chosen {
            "sqlite" => Self::File,
            // It goes with the server that all these tests share.
            #[cfg(feature = "postgres")]
            "postgres" => Self::Postgres(in_the_meantime(Database::migrated())),
            other => panic!("GALLERY_TEST_STORE is {other:?}, which these tests have no store for"),
        }
    }
}

static STORES: LazyLock<Mutex<BTreeMap<PathBuf, Store>>> = LazyLock::new(Mutex::default);

/// A folder whose galleries are in files whatever the tests run on: for what is done with files alone.
pub(crate) fn folder_of_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    STORES.lock().unwrap().insert(folder.path().to_owned(), Store::File);
    folder
}

/// What `GALLERY_STORE` has to say for a data folder; nothing where its own file is meant.
pub(crate) fn url_for(data: &Path) -> Option<String> {
    let mut stores = STORES.lock().unwrap();
    if !data.ancestors().any(|folder| stores.contains_key(folder)) {
        stores.insert(data.to_owned(), Store::chosen());
    }
    match data.ancestors().find_map(|folder| stores.get(folder))? {
        Store::File => None,
        #[cfg(feature = "postgres")]
        Store::Postgres(database) => {
            let mut url = reqwest::Url::parse(&std::env::var(postgres_server::SERVER).unwrap()).unwrap();
            url.set_path(database.name());
            Some(url.into())
        }
    }
}

/// Waits for something asynchronous where a test is not.
#[cfg(feature = "postgres")]
fn in_the_meantime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(work)).join().unwrap()
}

/// How many rows there are in each table that holds any: but for the attempts that are counted, which nobody's name stands in and which expire.
pub(crate) async fn rows_left(data: &Path) -> BTreeMap<String, i64> {
    let mut past = Past::the_program(data).await;
    let mut left = BTreeMap::new();
    for table in past.tables().await {
        let rows = past.rows(&table).await;
        left.insert(table, rows);
    }
    assert!(["photo", "album", "account", "session", "work"].iter().all(|name| left.contains_key(*name)));
    left.retain(|name, rows| !["_sqlx_migrations", "schema_migration", "throttle"].contains(&&**name) && *rows > 0);
    left
}

/// Skips the time after which work is taken up: five minutes for what a killed server was at.
pub(crate) async fn let_work_come_due(data: &Path) {
    match Past::the_program(data).await {
        Past::File(mut file) => {
            sqlx::query("UPDATE work SET due_at = 0").execute(&mut file).await.unwrap();
        }
        #[cfg(feature = "postgres")]
        Past::Postgres(mut database) => {
            sqlx::query("UPDATE gallery.work SET due_at = 0").execute(&mut database).await.unwrap();
        }
    }
}

/// A connection to a data folder's store, past the program.
enum Past {
    File(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
}

impl Past {
    async fn the_program(data: &Path) -> Self {
        #[cfg(feature = "postgres")]
        if let Some(url) = url_for(data) {
            return Self::Postgres(sqlx::PgConnection::connect(&url).await.unwrap());
        }
        let file = SqliteConnectOptions::new().filename(data.join("gallery.db")).busy_timeout(Duration::from_secs(30));
        Self::File(SqliteConnection::connect_with(&file).await.unwrap())
    }

    async fn tables(&mut self) -> Vec<String> {
        match self {
            Self::File(file) => {
                let tables = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') \
                              AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
                sqlx::query_scalar(tables).fetch_all(file).await.unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'gallery'";
                sqlx::query_scalar(tables).fetch_all(database).await.unwrap()
            }
        }
    }

    async fn rows(&mut self, table: &str) -> i64 {
        match self {
            Self::File(file) => {
                let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
                sqlx::query_scalar(count).fetch_one(file).await.unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let count = AssertSqlSafe(format!("SELECT count(*) FROM gallery.{table}"));
                sqlx::query_scalar(count).fetch_one(database).await.unwrap()
            }
        }
    }
}
