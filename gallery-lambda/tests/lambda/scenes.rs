//! A worker over a gallery in memory, and the events that it is told.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use gallery_domain::conformance::use_cases::world::World;
use gallery_domain::memory::{
    ManualClock, MemoryBlobs, MemoryIdentity, MemoryImages, MemoryMailer, MemoryStore, SequentialIds,
};
use gallery_domain::ports::{ImageError, ImageProcessor, ProcessedImage};
use gallery_domain::services::{Policy, Ports};
use gallery_domain::{BlobKey, Photo};
use gallery_lambda::lambda::{Bucket, EventFailed, FunctionKind, Metrics, WorkerFunction};
use serde_json::{Value, json};

pub(crate) const BUCKET: &str = "photos";
pub(crate) const PREFIX: &str = "gallery/";

/// Bytes with this in them break down whatever looks into them.
pub(crate) const POISON: &str = "poison";

/// A gallery in memory, and its worker.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) worker: WorkerFunction,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::new("2024-06-01T12:00:00Z".parse().unwrap()));
        let (ids, mailer) = (Arc::new(SequentialIds::new()), Arc::new(MemoryMailer::new()));
        let (repositories, blobs) = (MemoryStore::new().repositories(), MemoryBlobs::new(ids.clone(), "/blobs"));
        let identity = MemoryIdentity::new(repositories.sessions.clone(), mailer, clock.clone(), ids.clone());
        let identity = Arc::new(identity);
        let ports = Ports {
            repositories,
            blobs: Arc::new(blobs.clone()),
            uploads: Arc::new(blobs),
            identity: identity.clone(),
            images: Arc::new(Poisonable),
            clock: clock.clone(),
            ids,
        };
        let world = World::new(ports.clone(), &ports, clock, identity, Policy::default());
        let bucket = Bucket { name: BUCKET.to_owned(), prefix: PREFIX.to_owned() };
        let metrics = Metrics::to(FunctionKind::Worker, io::sink());
        let worker = WorkerFunction::new(world.gallery.clone(), bucket, metrics);
        Self { world, worker }
    }

    /// Tells the worker an event, with five minutes to do it.
    pub(crate) async fn tell(&self, event: Value) -> Result<Value, EventFailed> {
        self.worker.handle(event, self.world.clock_now().plus(Duration::from_secs(300))).await
    }
}

/// Looks into anything but poison.
#[derive(Debug)]
struct Poisonable;

#[async_trait]
impl ImageProcessor for Poisonable {
    async fn process(&self, original: Bytes) -> Result<ProcessedImage, ImageError> {
        assert!(!String::from_utf8_lossy(&original).contains(POISON), "poisoned");
        MemoryImages.process(original).await
    }
}

/// The event of a bucket that a photo's upload has come. `encoded` writes the slashes of the key as S3 may.
pub(crate) fn created(photo: &Photo, encoded: bool) -> Value {
    let key = format!("{PREFIX}{}", BlobKey::incoming(photo.owner, photo.id));
    event("ObjectCreated:Put", &if encoded { key.replace('/', "%2F").replace('-', "%2d") } else { key })
}

/// An event of a bucket.
pub(crate) fn event(name: &str, key: &str) -> Value {
    json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-central-1", "eventName": name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": BUCKET, "arn": "arn:aws:s3:::photos"}, "object": {"key": key, "size": 9}},
    }]})
}

/// Messages of a queue with these bodies, whose ids are their places.
pub(crate) fn batch(bodies: &[String]) -> Value {
    let message = |(place, body): (usize, &String)| {
        json!({"messageId": place.to_string(), "receiptHandle": "r", "body": body, "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-central-1:1:uploads", "awsRegion": "eu-central-1"})
    };
    json!({ "Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>() })
}
