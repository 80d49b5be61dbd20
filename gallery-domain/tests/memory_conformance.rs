//! The memory adapters are held to what every adapter owes.

use std::sync::Arc;

use gallery_domain::conformance::direct_upload::SignedBlobs;
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::conformance::mailer::Outbox;
use gallery_domain::memory::{ManualClock, MemoryBlobs, MemoryImages, MemoryMailer, MemoryStore, SequentialIds};
use gallery_domain::ports::{BlobStore, Clock, IdGenerator, ImageProcessor, Repositories};

/// An empty store.
fn store() -> Repositories {
    MemoryStore::new().repositories()
}

fn memory_blobs() -> MemoryBlobs {
    MemoryBlobs::new(Arc::new(SequentialIds::new()), "/blobs/")
}

fn blobs() -> Arc<dyn BlobStore> {
    Arc::new(memory_blobs())
}

fn signed_blobs() -> SignedBlobs {
    let blobs = Arc::new(memory_blobs());
    SignedBlobs { blobs: blobs.clone(), urls: blobs.clone(), gateway: blobs }
}

fn outbox() -> Outbox {
    let mailer = Arc::new(MemoryMailer::new());
    Outbox { mailer: mailer.clone(), arrived: Box::new(move || mailer.sent()) }
}

fn ids() -> Arc<dyn IdGenerator> {
    Arc::new(SequentialIds::new())
}

fn manual_clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(Things::new().at(0)))
}

fn images() -> Arc<dyn ImageProcessor> {
    Arc::new(MemoryImages)
}

gallery_domain::conformance::photo_repository_suite!(store());
gallery_domain::conformance::photo_search_suite!(store());
gallery_domain::conformance::album_repository_suite!(store());
gallery_domain::conformance::user_repository_suite!(store());
gallery_domain::conformance::credential_repository_suite!(store());
gallery_domain::conformance::session_repository_suite!(store());
gallery_domain::conformance::idempotency_repository_suite!(store());
gallery_domain::conformance::rate_limiter_suite!(store());
gallery_domain::conformance::work_queue_suite!(store());
gallery_domain::conformance::model_suite!(store(), 32);
gallery_domain::conformance::blob_store_suite!(blobs());
gallery_domain::conformance::direct_upload_suite!(signed_blobs());
gallery_domain::conformance::clock_suite!(manual_clock());
gallery_domain::conformance::id_generator_suite!(ids());
gallery_domain::conformance::mailer_suite!(outbox());
gallery_domain::conformance::image_processor_suite!(images());
