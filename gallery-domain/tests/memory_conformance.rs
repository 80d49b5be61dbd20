//! The memory adapters are held to what every adapter owes.

use std::sync::Arc;

use futures_util::FutureExt;
use gallery_domain::conformance::direct_upload::{SignedBlobs, ThroughGateway};
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::conformance::identity_provider::{Identity, Mailed};
use gallery_domain::conformance::mailer::Outbox;
use gallery_domain::memory::{
    ManualClock, MemoryBlobs, MemoryIdentity, MemoryImages, MemoryMailer, MemoryStore, SequentialIds,
};
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
    SignedBlobs { blobs: blobs.clone(), urls: blobs.clone(), client: Arc::new(ThroughGateway(blobs)) }
}

fn outbox() -> Outbox {
    let mailer = Arc::new(MemoryMailer::new());
    Outbox { mailer: mailer.clone(), arrived: Box::new(move || mailer.sent()) }
}

fn identity() -> Identity {
    let clock = Arc::new(ManualClock::new(Things::new().at(0)));
    let mailer = Arc::new(MemoryMailer::new());
    let provider = MemoryIdentity::new(store().sessions, mailer.clone(), clock.clone(), ids());
    let mailed = move |address| {
        let to_address = mailer.sent().into_iter().filter(|mail| mail.to == address);
        let mails = to_address.map(|mail| match mail.subject.as_str() {
            "confirm" => Mailed::Code(mail.text),
            "reset" => Mailed::Link(mail.text),
            _ => Mailed::Notice,
        });
        let mails: Vec<Mailed> = mails.collect();
        async { mails }.boxed()
    };
    Identity { provider: Arc::new(provider), mailed: Box::new(mailed), pass: Box::new(move |time| clock.advance(time)) }
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
gallery_domain::conformance::blob_order_suite!(blobs());
gallery_domain::conformance::blob_store_suite!(blobs());
gallery_domain::conformance::direct_upload_suite!(signed_blobs());
gallery_domain::conformance::clock_suite!(manual_clock());
gallery_domain::conformance::id_generator_suite!(ids());
gallery_domain::conformance::identity_provider_suite!(identity());
gallery_domain::conformance::mailer_suite!(outbox());
gallery_domain::conformance::image_processor_suite!(images());
