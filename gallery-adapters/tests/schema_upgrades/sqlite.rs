use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use crate::{data_of, is_whole, migrations_of};

#[tokio::test]
async fn a_file_of_each_version_is_brought_up_to_date_with_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = SqliteStore::connect(&folder.path().join("fresh.db"), SqliteOptions::default()).await.unwrap();
    let known = fresh.schema_status().await.unwrap().pending;
    fresh.close().await;
    for &version in &known {
        let path = folder.path().join(format!("{version}.db"));
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut old = SqliteConnection::connect_with(&options).await.unwrap();
        migrations_of("sqlite").await.run_direct(Some(version), &mut old, false).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(data_of(version, "sqlite"))).execute(&mut old).await.unwrap();
        old.close().await.unwrap();

        let store = SqliteStore::connect(&path, SqliteOptions::default()).await.unwrap();
        let later: Vec<_> = known.iter().copied().filter(|&later| later > version).collect();
        assert_eq!(store.migrate().await.unwrap(), later);
        is_whole(&store.repositories()).await;
        store.close().await;
    }
}
