//! SQLite does what the ports promise.

#![cfg(feature = "sqlite")]

use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
use gallery_domain::conformance::Fixture;
use gallery_domain::ports::Repositories;

/// An empty store, and the folder that it is in.
async fn fresh() -> Fixture<Repositories> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = SqliteStore::connect(&folder.path().join("gallery.db"), SqliteOptions::default())
        .await
        .expect("the file can be made");
    store.migrate().await.expect("the schema can be made");
    Fixture::new(store.repositories()).keeping(folder)
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
