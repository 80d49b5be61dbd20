//! Every port in memory: the reference model that the other adapters are held against, and what tests and demonstrations run on.
//!
//! Simple rather than fast. [`MemoryStore`] keeps nothing that can be derived: lists, counts and search look at all the things of an
//! owner, so that what they answer is right by construction. Everything is gone when the process ends.
//!
//! ```
//! use gallery_domain::memory::MemoryStore;
//! use gallery_domain::ports::Repositories;
//!
//! let store: Repositories = MemoryStore::new().repositories();
//! ```

mod album_repository;
mod blob_store;
mod clock;
mod credential_repository;
mod direct_upload;
pub mod faulty;
mod id_generator;
mod idempotency_repository;
mod identity_provider;
mod image_processor;
mod mailer;
mod photo_repository;
mod rate_limiter;
mod session_repository;
mod user_repository;
mod work_queue;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::blob_store::MemoryBlobs;
pub use self::clock::ManualClock;
pub use self::id_generator::SequentialIds;
pub use self::identity_provider::MemoryIdentity;
pub use self::image_processor::MemoryImages;
pub use self::mailer::MemoryMailer;
use self::rate_limiter::Attempts;
use self::work_queue::Scheduled;
use crate::ports::{IdempotencyClaim, Repositories};
use crate::{
    Album, AlbumId, CodePurpose, Credential, EmailAddress, OneTimeCode, Photo, PhotoId, Rank, RankCursor, Session,
    SessionId, Task, User, UserId,
};

/// All repositories in memory, behind one lock, so that each call is atomic. A clone is another handle to the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The store as the ports that it implements.
    pub fn repositories(&self) -> Repositories {
        let store = Arc::new(self.clone());
        Repositories {
            photos: store.clone(),
            albums: store.clone(),
            users: store.clone(),
            credentials: store.clone(),
            sessions: store.clone(),
            idempotency: store.clone(),
            rate_limiter: store.clone(),
            work: store,
        }
    }

    /// A caller that panicked cannot have left a change half done: every method checks first and changes then.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

/// All that is kept.
#[derive(Default)]
struct State {
    users: BTreeMap<UserId, User>,
    shelves: BTreeMap<UserId, Shelf>,
    credentials: BTreeMap<UserId, Credential>,
    codes: BTreeMap<(CodePurpose, EmailAddress), OneTimeCode>,
    sessions: BTreeMap<SessionId, Session>,
    claims: BTreeMap<(UserId, String), IdempotencyClaim>,
    attempts: BTreeMap<String, Attempts>,
    work: BTreeMap<Task, Scheduled>,
    /// Counts claims of work, so that each has a number of its own.
    last_claim: u64,
}

impl State {
    /// An owner's things, to be read.
    fn shelf(&self, owner: UserId) -> &Shelf {
        const EMPTY: &Shelf = &Shelf { photos: BTreeMap::new(), albums: BTreeMap::new() };
        self.shelves.get(&owner).unwrap_or(EMPTY)
    }

    /// An owner's things, to be changed.
    fn shelf_mut(&mut self, owner: UserId) -> &mut Shelf {
        self.shelves.entry(owner).or_default()
    }
}

/// What one owner has.
#[derive(Default)]
struct Shelf {
    photos: BTreeMap<PhotoId, Photo>,
    albums: BTreeMap<AlbumId, KeptAlbum>,
}

/// An album and its places.
struct KeptAlbum {
    album: Album,
    ranks: BTreeMap<PhotoId, Rank>,
    /// The same by rank.
    places: BTreeSet<RankCursor>,
}

impl KeptAlbum {
    /// Puts a photo at a rank; whether it stood nowhere in the album before.
    fn place(&mut self, photo: PhotoId, rank: &Rank) -> bool {
        let added = !self.remove(photo);
        self.ranks.insert(photo, rank.clone());
        self.places.insert(RankCursor { rank: rank.clone(), photo });
        added
    }

    /// Takes a photo out; whether it was there.
    fn remove(&mut self, photo: PhotoId) -> bool {
        match self.ranks.remove(&photo) {
            Some(rank) => self.places.remove(&RankCursor { rank, photo }),
            None => false,
        }
    }
}
