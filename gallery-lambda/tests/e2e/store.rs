//! The store that the programs use: the file in their data folder, unless `GALLERY_TEST_STORE` says `postgres` or `dynamodb`; then each data
//! folder has a database, or tables, of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

#[cfg(feature = "dynamodb")]
use crate::dynamodb_server::{self, Tables};
#[cfg(feature = "postgres")]
use crate::postgres_server::{self, Database};

/// What is known of a folder.
enum Store {
    /// Galleries in it are in files.
    File,
    /// Its gallery has this database.
    #[cfg(feature = "postgres")]
    Postgres(Database),
    /// Its gallery has these tables.
    #[cfg(feature = "dynamodb")]
    DynamoDb(Tables),
}

impl Store {
    fn chosen() -> Self {
        let chosen = std::env::var("GALLERY_TEST_STORE").unwrap_or_else(|_| "sqlite".to_owned());
        match &*chosen {
            "sqlite" => Self::File,
            // It goes with the server that all these tests share.
            #[cfg(feature = "postgres")]
            "postgres" => Self::Postgres(in_the_meantime(Database::migrated())),
            #[cfg(feature = "dynamodb")]
            "dynamodb" => Self::DynamoDb(in_the_meantime(Tables::provisioned())),
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
        #[cfg(feature = "dynamodb")]
        Store::DynamoDb(tables) => Some(tables.url()),
    }
}

/// What else a command has to be told to use its store.
pub(crate) fn variables_for(_data: &Path) -> Vec<(&'static str, String)> {
    #[cfg(feature = "dynamodb")]
    if STORES
        .lock()
        .unwrap()
        .iter()
        .any(|(folder, store)| matches!(store, Store::DynamoDb(_)) && _data.ancestors().any(|above| above == folder))
    {
        // Whoever runs these tests may have an account of AWS, which is none of their business.
        let [key, secret] = dynamodb_server::KEY.map(str::to_owned);
        return vec![("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", secret)];
    }
    Vec::new()
}

/// Waits for something asynchronous where a test is not.
#[cfg(any(feature = "dynamodb", feature = "postgres"))]
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
        #[cfg(feature = "dynamodb")]
        Past::DynamoDb(tables) => tables.let_work_come_due().await,
    }
}

/// A connection to a data folder's store, past the program.
enum Past {
    File(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgConnection),
    #[cfg(feature = "dynamodb")]
    DynamoDb(PastTables),
}

impl Past {
    async fn the_program(data: &Path) -> Self {
        #[cfg(feature = "dynamodb")]
        if let Some(names) = tables_of(data) {
            return Self::DynamoDb(PastTables { client: dynamodb_server::client(), names });
        }
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
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(tables) => {
                let kinds = tables.items().await.into_iter().map(|item| item.kind);
                let known = ["photo", "album", "account", "session", "work"].map(str::to_owned);
                kinds.chain(known).collect::<std::collections::BTreeSet<_>>().into_iter().collect()
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
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(tables) => {
                let of_kind = tables.items().await.into_iter().filter(|item| item.kind == table);
                i64::try_from(of_kind.count()).unwrap()
            }
        }
    }
}

/// The tables of a data folder's gallery, if it is in DynamoDB.
#[cfg(feature = "dynamodb")]
fn tables_of(data: &Path) -> Option<gallery_adapters::dynamodb::TableNames> {
    let stores = STORES.lock().unwrap();
    data.ancestors().find_map(|folder| match stores.get(folder) {
        Some(Store::DynamoDb(tables)) => Some(tables.names().clone()),
        _ => None,
    })
}

/// Tables as no part of the program reads them: all of their items, whatever they are.
#[cfg(feature = "dynamodb")]
struct PastTables {
    client: gallery_adapters::dynamodb::sdk::Client,
    names: gallery_adapters::dynamodb::TableNames,
}

/// An item, and what it is for.
#[cfg(feature = "dynamodb")]
struct PastItem {
    kind: String,
    key: BTreeMap<String, gallery_adapters::dynamodb::sdk::types::AttributeValue>,
}

#[cfg(feature = "dynamodb")]
impl PastTables {
    async fn items(&self) -> Vec<PastItem> {
        let mut found = Vec::new();
        for (table, names) in [(&self.names.photos, ["PhotoID", "CreationTime"]), (&self.names.index, ["PK", "SK"])] {
            let mut pages = self.client.scan().table_name(table).into_paginator().items().send();
            while let Some(item) = pages.next().await {
                let item = item.unwrap();
                let partition = item[names[0]].as_s().unwrap();
                let kind = match partition.split_once('#') {
                    Some(("W", _)) => "work",
                    Some(("THROTTLE", _)) => "throttle",
                    Some((prefix, _)) => prefix,
                    None if names[0] == "PhotoID" => "photo",
                    None => partition,
                };
                let key = names.map(|name| (name.to_owned(), item[name].clone())).into();
                found.push(PastItem { kind: kind.to_owned(), key });
            }
        }
        found
    }

    async fn let_work_come_due(&self) {
        for item in self.items().await.into_iter().filter(|item| item.kind == "work") {
            let now_due = self
                .client
                .update_item()
                .table_name(&self.names.index)
                .set_key(Some(item.key.into_iter().collect()))
                .update_expression("SET DueAt = :now")
                .condition_expression("attribute_exists(PK)")
                .expression_attribute_values(
                    ":now",
                    gallery_adapters::dynamodb::sdk::types::AttributeValue::N("0".to_owned()),
                );
            // What is done in this moment needs no time to come.
            if let Err(error) = now_due.send().await {
                assert!(error.into_service_error().is_conditional_check_failed_exception());
            }
        }
    }
}
