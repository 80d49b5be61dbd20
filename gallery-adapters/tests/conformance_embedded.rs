//! The embedded adapters beside the store do what the ports promise: files, signed URLs, the clock, identifiers.

#![cfg(feature = "embedded")]

use std::sync::Arc;

use gallery_adapters::filesystem::FileBlobs;
use gallery_adapters::signed_urls::{SignedUrls, SigningKey};
use gallery_adapters::system::{SystemClock, SystemIds};
use gallery_domain::conformance::Fixture;
use gallery_domain::conformance::direct_upload::{SignedBlobs, ThroughGateway};
use gallery_domain::ports::{BlobStore, Clock, IdGenerator};

/// An empty folder of blobs.
async fn files() -> Fixture<Arc<dyn BlobStore>> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let blobs = FileBlobs::open(folder.path().join("blobs"), SystemClock.now()).await.expect("the folder can be used");
    let blobs: Arc<dyn BlobStore> = Arc::new(blobs);
    Fixture::new(blobs).keeping(folder)
}

/// The same, with URLs signed by a new key.
async fn signed() -> Fixture<SignedBlobs> {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let opened = FileBlobs::open(folder.path().join("blobs"), SystemClock.now()).await.expect("the folder can be used");
    let blobs: Arc<dyn BlobStore> = Arc::new(opened);
    let key =
        SigningKey::load_or_create(folder.path().join("key"), &SystemIds::default()).await.expect("a key can be made");
    let urls = Arc::new(SignedUrls::new(blobs.clone(), key, "/api/blobs"));
    Fixture::new(SignedBlobs { blobs, urls: urls.clone(), client: Arc::new(ThroughGateway(urls)) }).keeping(folder)
}

gallery_domain::conformance::blob_order_suite!(files().await);
gallery_domain::conformance::blob_store_suite!(files().await);
gallery_domain::conformance::direct_upload_suite!(signed().await);
gallery_domain::conformance::clock_suite!(Arc::new(SystemClock) as Arc<dyn Clock>);
gallery_domain::conformance::id_generator_suite!(Arc::new(SystemIds::default()) as Arc<dyn IdGenerator>);
