//! PostgreSQL does what the ports promise.

#![cfg(feature = "postgres")]

mod postgres_server;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::conformance::Fixture;
use gallery_domain::ports::Repositories;

use postgres_server::Database;

/// An empty store, and the database that it is in.
async fn fresh() -> Fixture<Repositories> {
    let database = Database::migrated().await;
    let store = PostgresStore::new(database.options(), PostgresOptions::default());
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
gallery_domain::conformance::model_suite!(fresh().await);
