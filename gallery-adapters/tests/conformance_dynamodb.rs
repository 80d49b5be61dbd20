//! DynamoDB does what the ports promise.

#![cfg(feature = "dynamodb")]

mod dynamodb_server;

use gallery_domain::conformance::Fixture;
use gallery_domain::ports::Repositories;

use dynamodb_server::Tables;

/// An empty store, and the tables that it is in.
async fn fresh() -> Fixture<Repositories> {
    let tables = Tables::provisioned().await;
    Fixture::new(tables.store().repositories()).keeping(tables)
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
// Fewer than elsewhere: each of their thousands of requests goes over HTTP.
gallery_domain::conformance::model_suite!(fresh().await, 96);
