//! The schema's versions: none, this one, and one that a newer program made.

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_adapters::schema::SchemaStatus;

use crate::fixture::whole;
use crate::postgres_server::Database;

fn store(database: &Database) -> PostgresStore {
    PostgresStore::new(database.options(), PostgresOptions::default())
}

#[tokio::test]
async fn an_empty_database_is_told_apart_and_migrated_once() {
    let database = Database::empty().await;
    let store = store(&database);
    let before = store.schema_status().await.unwrap();
    assert!(before.applied.is_empty() && before.unknown.is_empty() && !before.pending.is_empty(), "{before:?}");
    let refused = store.check_schema().await.unwrap_err();
    assert!(!refused.is_transient());
    assert!(whole(&refused).contains("run `gallery migrate-schema`"), "{}", whole(&refused));
    let unreadable = store.repositories().work.next_due().await.unwrap_err();
    assert!(whole(&unreadable).contains("run `gallery migrate-schema`"), "{}", whole(&unreadable));

    assert_eq!(store.migrate().await.unwrap(), before.pending);
    store.check_schema().await.unwrap();
    assert_eq!(store.migrate().await.unwrap(), [0; 0]);
    let after = SchemaStatus { applied: before.pending, ..SchemaStatus::default() };
    assert_eq!(store.schema_status().await.unwrap(), after);
    assert_eq!(store.repositories().work.next_due().await.unwrap(), None);
    store.close().await;
}

#[tokio::test]
async fn programs_that_migrate_at_once_do_it_once() {
    let database = Database::empty().await;
    let migrating: Vec<_> = (0..8)
        .map(|_| {
            let store = store(&database);
            tokio::spawn(async move { store.migrate().await.unwrap() })
        })
        .collect();
    let mut applied = Vec::new();
    for migration in migrating {
        applied.extend(migration.await.unwrap());
    }
    assert_eq!(store(&database).schema_status().await.unwrap().applied, applied, "each version by one of them");
}

#[tokio::test]
async fn a_newer_schema_is_left_alone_and_its_version_named() {
    let database = Database::migrated().await;
    let mut connection = database.connection().await;
    sqlx::query(
        "INSERT INTO gallery.schema_migration (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', true, '', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let store = store(&database);
    assert_eq!(store.schema_status().await.unwrap().unknown, [9999]);
    for refused in [store.check_schema().await.unwrap_err(), store.migrate().await.unwrap_err()] {
        assert!(whole(&refused).contains("9999") && whole(&refused).contains("newer"), "{}", whole(&refused));
        assert!(!refused.is_transient());
    }
}
