//! The worker as a function: it is told of uploads, and does what is due when a schedule says so.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use gallery_domain::services::{Gallery, WorkerReport};
use gallery_domain::{BlobArea, BlobKey, GalleryError, Timestamp};
use serde_json::{Value, json};

use super::events::{CreatedObject, Event, Message, Run, UnknownEvent};
use super::metrics::{Metrics, Unit};
use crate::worker::{Stop, take_up_forgotten};

/// The bucket whose events count, and what the keys of the gallery in it begin with: empty, or something that ends in `/`.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What its keys begin with.
    pub prefix: String,
}

/// The worker as a function. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WorkerFunction {
    gallery: Gallery,
    bucket: Arc<Bucket>,
    metrics: Metrics,
}

/// An invocation that has to be tried again.
#[derive(Debug, thiserror::Error)]
pub enum EventFailed {
    /// Nobody is known to tell the worker this.
    #[error(transparent)]
    Unknown(#[from] UnknownEvent),
    /// An upload could not be looked into; the log says why.
    #[error("{0} of the uploads that the event tells of could not be looked into")]
    Uploads(usize),
    /// The store, or another backend.
    #[error("the gallery could not do what is due")]
    Gallery(#[from] GalleryError),
}

/// How long before the end of an invocation nothing new is begun: looking into the largest photo takes less.
const LAST_MINUTE: Duration = Duration::from_secs(60);

impl WorkerFunction {
    /// The worker of a gallery whose bytes are in a bucket.
    pub fn new(gallery: Gallery, bucket: Bucket, metrics: Metrics) -> Self {
        Self { gallery, bucket: Arc::new(bucket), metrics }
    }

    /// Does what an event asks for, and answers what AWS Lambda is to be told: of messages, those that failed. `ends_at` is when the invocation is cut off.
    ///
    /// Events may come twice, late, in any order, and of photos that are gone.
    ///
    /// # Errors
    ///
    /// The event is none that the worker knows, or what it asks for has to be tried again as a whole.
    pub async fn handle(&self, event: Value, ends_at: Timestamp) -> Result<Value, EventFailed> {
        match Event::parse(event)? {
            Event::Uploads(objects) => self.take_all(objects).await.map(|()| Value::Null),
            Event::Messages(messages) => Ok(self.take_messages(messages, ends_at).await),
            Event::Run(run) => self.run(run, ends_at).await.map(|()| Value::Null),
        }
    }

    /// One event of the bucket, which is tried again as a whole.
    async fn take_all(&self, objects: Vec<CreatedObject>) -> Result<(), EventFailed> {
        let mut failed = 0;
        for object in objects {
            failed += usize::from(!self.take(object).await);
        }
        if failed == 0 { Ok(()) } else { Err(EventFailed::Uploads(failed)) }
    }

    /// Each message by itself: one that fails is tried again, and in the end kept apart, without the others.
    async fn take_messages(&self, messages: Vec<Message>, ends_at: Timestamp) -> Value {
        let mut failures = Vec::new();
        for message in messages {
            if !self.take_message(&message, ends_at).await {
                failures.push(json!({"itemIdentifier": message.message_id}));
            }
        }
        json!({ "batchItemFailures": failures })
    }

    async fn take_message(&self, message: &Message, ends_at: Timestamp) -> bool {
        let objects = match message.created_objects() {
            Ok(objects) => objects,
            Err(error) => {
                tracing::error!(message_id = message.message_id, error = &error as &dyn Error, "a message is refused");
                return false;
            }
        };
        if self.is_late(ends_at) {
            return false;
        }
        self.take_all(objects).await.is_ok()
    }

    /// Looks into an upload. Whether that is done with: an object that is none of the gallery's uploads is nobody's business.
    async fn take(&self, object: CreatedObject) -> bool {
        if object.bucket != self.bucket.name {
            tracing::error!(
                "an event tells of another bucket than the gallery's: its notifications lead to the wrong function or queue"
            );
            return false;
        }
        let key = object.key.strip_prefix(&self.bucket.prefix).and_then(|key| key.parse::<BlobKey>().ok());
        let Some((BlobArea::Incoming, owner, photo)) = key.and_then(|key| key.subject()) else { return true };
        let ingest = self.gallery.ingest.clone();
        // A task of its own, so that a panic ends it and nothing else.
        match tokio::spawn(async move { ingest.uploaded(owner, photo).await }).await {
            Ok(Ok(())) => {
                self.count(&[("Uploads", Unit::Count, 1)]);
                return true;
            }
            Ok(Err(error)) => {
                tracing::warn!(%photo, error = &error as &dyn Error, "an upload will be looked into later");
            }
            Err(error) => tracing::error!(%photo, %error, "looking into an upload broke down"),
        }
        self.count(&[("UploadFailures", Unit::Count, 1)]);
        false
    }

    /// Does what is due until nothing is, or the invocation is about to end.
    async fn run(&self, run: Run, ends_at: Timestamp) -> Result<(), EventFailed> {
        let overdue = self.gallery.worker.overdue().await?;
        if run == Run::Sweep {
            take_up_forgotten(&self.gallery, None, &Stop::when(std::future::pending())).await?;
            self.gallery.worker.tidy_up().await?;
        }
        let mut done = WorkerReport::default();
        while !self.is_late(ends_at) {
            let worker = self.gallery.worker.clone();
            let report = match tokio::spawn(async move { worker.run_due(1).await }).await {
                Ok(report) => report?,
                Err(error) => {
                    tracing::error!(%error, "an item of work broke down");
                    WorkerReport { claimed: 1, failed: 1, ..WorkerReport::default() }
                }
            };
            if report.claimed == 0 {
                break;
            }
            done.completed += report.completed;
            done.failed += report.failed;
        }
        self.count(&[
            ("OldestWork", Unit::Seconds, overdue.as_secs()),
            ("WorkCompleted", Unit::Count, done.completed),
            ("WorkFailures", Unit::Count, done.failed),
        ]);
        Ok(())
    }

    fn is_late(&self, ends_at: Timestamp) -> bool {
        ends_at.since(self.gallery.now()) < LAST_MINUTE
    }

    fn count(&self, figures: &[(&str, Unit, u64)]) {
        self.metrics.write(self.gallery.now().as_millis(), figures);
    }
}
