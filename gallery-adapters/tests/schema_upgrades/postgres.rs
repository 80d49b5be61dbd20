use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection};

use crate::postgres_server::Database;
use crate::{data_of, is_whole, migrations_of};

#[tokio::test]
async fn a_database_of_each_version_is_brought_up_to_date_with_what_is_in_it() {
    let fresh = Database::empty().await;
    let store = PostgresStore::new(fresh.options(), PostgresOptions::default());
    let known = store.schema_status().await.unwrap().pending;
    store.close().await;
    for &version in &known {
        let database = Database::empty().await;
        let mut old = database.connection().await;
        let mut migrations = migrations_of("postgres").await;
        migrations.dangerous_set_table_name("gallery.schema_migration");
        migrations.create_schema("gallery");
        migrations.run_direct(Some(version), &mut old, false).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(data_of(version, "postgres"))).execute(&mut old).await.unwrap();
        old.close().await.unwrap();

        let store = PostgresStore::new(database.options(), PostgresOptions::default());
        let later: Vec<_> = known.iter().copied().filter(|&later| later > version).collect();
        assert_eq!(store.migrate().await.unwrap(), later);
        store.check_schema().await.unwrap();
        is_whole(&store.repositories()).await;
        store.close().await;
    }
}
