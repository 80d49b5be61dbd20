//! The use cases of the gallery: concrete structs over the ports.
//!
//! [`Gallery`] holds one of each. Every method that touches a user's things asks for an [`Actor`](crate::Actor), which only
//! [`Accounts`] makes.

mod accounts;
mod album_order;
mod albums;
mod budget;
mod erasure;
mod ingest;
mod integrity;
mod photos;
mod readiness;
mod search;
mod worker;

use std::sync::Arc;
use std::time::Duration;

pub use accounts::{Account, Accounts, SignUp};
pub use albums::{AlbumPatch, AlbumView, Albums, Deletion, NewAlbum, Place};
pub use erasure::Erasure;
pub use ingest::{Imported, Ingest};
pub use integrity::{Fault, FaultKind, Integrity, VerifyOptions, VerifySummary};
pub use photos::{Added, BulkAction, NewPhoto, PhotoList, PhotoPatch, PhotoUrls, Photos};
pub use readiness::Readiness;
pub use search::Search;
pub use worker::{Worker, WorkerReport};

use crate::ports::{BlobStore, Clock, DirectUpload, IdGenerator, IdentityProvider, ImageProcessor, Repositories};
use crate::{GalleryError, Quota, Revision, Timestamp};

/// Everything that a gallery needs of the world.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The store.
    pub repositories: Repositories,
    /// The bytes of photos.
    pub blobs: Arc<dyn BlobStore>,
    /// Signed URLs to those bytes.
    pub uploads: Arc<dyn DirectUpload>,
    /// Who people are.
    pub identity: Arc<dyn IdentityProvider>,
    /// Looks into photos.
    pub images: Arc<dyn ImageProcessor>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Identifiers.
    pub ids: Arc<dyn IdGenerator>,
}

/// The numbers that a gallery is run by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What a new account may hold.
    pub quota: Quota,
    /// The largest file, in bytes.
    pub largest_upload: u64,
    /// How long an upload ticket is good for.
    pub ticket_lifetime: Duration,
    /// How long after its announcement an upload is given up.
    pub upload_deadline: Duration,
    /// How long photos and albums stay in the trash, and failed uploads in sight.
    pub trash_retention: Duration,
    /// How long a sign-up that nobody confirms is kept.
    pub unconfirmed_retention: Duration,
    /// How long an idempotency key is remembered.
    pub idempotency_retention: Duration,
    /// How long one worker has an item of work for itself.
    pub lease: Duration,
    /// How often looking into a photo is tried before it is failed.
    pub ingest_attempts: u32,
    /// How many photos are looked into at the same time; no other waits with its bytes in memory.
    pub ingests_at_once: usize,
}

impl Default for Policy {
    fn default() -> Self {
        const DAY: u64 = 24 * 3600;
        Self {
            quota: Quota::default(),
            largest_upload: 100 << 20,
            ticket_lifetime: Duration::from_secs(300),
            upload_deadline: Duration::from_secs(DAY),
            trash_retention: Duration::from_secs(30 * DAY),
            unconfirmed_retention: Duration::from_secs(7 * DAY),
            idempotency_retention: Duration::from_secs(DAY),
            lease: Duration::from_secs(300),
            ingest_attempts: 5,
            ingests_at_once: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The gallery: one of each service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// Signing up, logging in, cancelling.
    pub accounts: Accounts,
    /// Photos: adding, listing, changing, deleting.
    pub photos: Photos,
    /// Albums.
    pub albums: Albums,
    /// Search.
    pub search: Search,
    /// Turning uploaded bytes into photos.
    pub ingest: Ingest,
    /// Removing things for good.
    pub erasure: Erasure,
    /// Work that outlasts a request.
    pub worker: Worker,
    /// Checking that everything is as it should be.
    pub integrity: Integrity,
    /// Whether it can work.
    pub readiness: Readiness,
    context: Context,
}

impl Gallery {
    /// A gallery over these ports.
    pub fn new(ports: Ports, policy: Policy) -> Self {
        let context = Context(Arc::new(Inner { ports, policy }));
        let erasure = Erasure::new(context.clone());
        let photos = Photos::new(context.clone(), erasure.clone());
        let albums = Albums::new(context.clone(), photos.clone());
        let ingest = Ingest::new(context.clone(), photos.clone());
        Self {
            accounts: Accounts::new(context.clone(), erasure.clone()),
            search: Search::new(context.clone()),
            worker: Worker::new(context.clone(), ingest.clone(), albums.clone(), erasure.clone()),
            integrity: Integrity::new(context.clone()),
            readiness: Readiness::new(context.clone()),
            photos,
            albums,
            ingest,
            erasure,
            context,
        }
    }

    /// The time by the gallery's clock.
    pub fn now(&self) -> Timestamp {
        self.context.now()
    }
}

/// What all services share.
#[derive(Clone, Debug)]
struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ports: Ports,
    policy: Policy,
}

impl Context {
    fn now(&self) -> Timestamp {
        self.0.ports.clock.now()
    }

    fn policy(&self) -> &Policy {
        &self.0.policy
    }
}

impl std::ops::Deref for Context {
    type Target = Ports;

    fn deref(&self) -> &Ports {
        &self.0.ports
    }
}

/// How often a change that names no revision is tried again when others change the same thing meanwhile.
const CHANGE_ATTEMPTS: usize = 32;

/// Refuses a change whose reader saw another revision than the one that is there.
fn check_revision(current: Revision, if_match: Option<Revision>) -> Result<(), GalleryError> {
    match if_match {
        Some(expected) if expected != current => Err(GalleryError::Stale { current: Some(current) }),
        _ => Ok(()),
    }
}

/// How often every use case may be tried from one origin: generous for people, slow for guessers.
const ORIGIN_THROTTLE: crate::Throttle = crate::Throttle::Rate { burst: 60, every: Duration::from_secs(2) };
