//! What a store has to bear in a process that is frozen between two requests: a pool of one, no timers, and a connection that is dead when
//! it is needed.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod postgres_server;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::{PageRequest, PageSize};
use sqlx::{Connection, Executor};

use postgres_server::Database;

/// A store as it is on Lambda. It needs no runtime to be made: the code that does so may come before one.
fn store_of(database: &Database) -> PostgresStore {
    let (connect, options) = (database.options(), PostgresOptions::for_lambda());
    std::thread::spawn(move || PostgresStore::new(connect, options)).join().unwrap()
}

/// How many connections others have to the database.
async fn connections(database: &Database) -> i64 {
    let mut own = database.connection().await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let count = sqlx::query_scalar(count).fetch_one(&mut own).await.unwrap();
    own.close().await.unwrap();
    count
}

#[tokio::test]
async fn one_connection_is_made_on_first_use_and_serves_all() {
    let database = Database::migrated().await;
    let store = store_of(&database);
    assert_eq!(connections(&database).await, 0);
    let users = store.repositories().users;
    let page = || users.all(PageRequest::first(PageSize::MAX));
    let (first, second, third) = tokio::join!(page(), page(), page());
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(connections(&database).await, 1);
    store.close().await;
}

#[tokio::test]
async fn a_connection_that_died_while_nobody_looked_is_replaced_unnoticed() {
    let database = Database::migrated().await;
    let store = store_of(&database);
    let repositories = store.repositories();
    for _ in 0..5 {
        repositories.users.all(PageRequest::first(PageSize::MAX)).await.unwrap();
        let mut own = database.connection().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        own.execute(cut).await.unwrap();
        own.close().await.unwrap();
        while connections(&database).await > 0 {
            tokio::task::yield_now().await;
        }
        repositories.work.next_due().await.unwrap();
    }
    store.close().await;
}
