//! Checking that everything is as it should be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;

use super::Context;
use super::ingest::keep_derived;
use crate::ports::{BlobError, BlobInfo, Discrepancy, collect_bytes};
use crate::{
    BlobArea, BlobKey, DerivedImage, GalleryError, PageRequest, PageSize, Photo, PhotoId, PhotoState, Sha256Digest,
    Task, Timestamp, User, UserId, UserStatus, Work,
};

/// Checks the invariants of the gallery by recounting everything.
#[derive(Clone, Debug)]
pub struct Integrity {
    context: Context,
}

/// How thorough a check is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Read every original and every image made of it, and compare hashes, too.
    pub hash: bool,
    /// Mend what can be mended without losing anything.
    pub repair: bool,
}

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerifySummary {
    /// Users.
    pub users: u64,
    /// Photos in any state.
    pub photos: u64,
    /// Albums.
    pub albums: u64,
    /// Blobs.
    pub blobs: u64,
    /// Bytes that were hashed.
    pub hashed_bytes: u64,
    /// Faults found.
    pub faults: u64,
    /// Faults mended.
    pub repaired: u64,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose things it is about, where known.
    pub owner: Option<UserId>,
    /// What is wrong.
    pub kind: FaultKind,
    /// Whether it was mended.
    pub repaired: bool,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// A photo lacks a blob that it should have.
    MissingBlob {
        /// The photo.
        photo: PhotoId,
        /// The blob.
        key: BlobKey,
    },
    /// The bytes of a blob are not those that they should be.
    WrongBytes {
        /// The photo.
        photo: PhotoId,
        /// The blob.
        key: BlobKey,
    },
    /// A blob belongs to nothing.
    OrphanBlob {
        /// The blob.
        key: BlobKey,
    },
    /// Something derived differs from a recount.
    Count(Discrepancy),
    /// A photo waits for something that should have come long ago, and no work is left that would bring it.
    Stuck {
        /// The photo.
        photo: PhotoId,
        /// The state it is stuck in.
        state: &'static str,
    },
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingBlob { photo, key } => write!(f, "photo {photo} has lost its blob {key}"),
            Self::WrongBytes { photo, key } => write!(f, "photo {photo} has other bytes than its own in {key}"),
            Self::OrphanBlob { key } => write!(f, "blob {key} belongs to no photo"),
            Self::Count(d) => write!(f, "{}: the store holds {}, counting gives {}", d.subject, d.stored, d.counted),
            Self::Stuck { photo, state } => write!(f, "photo {photo} is stuck {state}"),
        }
    }
}

/// Where faults are told as they are found.
type Sink<'a> = &'a mut (dyn FnMut(&Fault) + Send);

impl Integrity {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// Checks every user, photo, album and blob, and tells each fault as it is found; what others change meanwhile is none. Takes time that grows with the gallery, memory that does not.
    pub async fn verify(&self, options: VerifyOptions, tell: Sink<'_>) -> Result<VerifySummary, GalleryError> {
        let mut check = Check { context: &self.context, options, tell, summary: VerifySummary::default() };
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let users = self.context.repositories.users.all(page).await?;
            for user in &users.items {
                check.user(user).await?;
            }
            match users.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        check.blobs().await?;
        Ok(check.summary)
    }
}

struct Check<'a> {
    context: &'a Context,
    options: VerifyOptions,
    tell: Sink<'a>,
    summary: VerifySummary,
}

impl Check<'_> {
    fn fault(&mut self, owner: Option<UserId>, kind: FaultKind, repaired: bool) {
        self.summary.faults += 1;
        self.summary.repaired += u64::from(repaired);
        (self.tell)(&Fault { owner, kind, repaired });
    }

    async fn user(&mut self, user: &User) -> Result<(), GalleryError> {
        self.summary.users += 1;
        let (owner, repositories) = (user.id, &self.context.repositories);
        for discrepancy in repositories.photos.audit(owner, self.options.repair).await? {
            self.fault(Some(owner), FaultKind::Count(discrepancy), self.options.repair);
        }
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let photos = repositories.photos.all(owner, page).await?;
            for photo in &photos.items {
                self.photo(photo).await?;
            }
            match photos.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let albums = repositories.albums.all(owner, page).await?;
            self.summary.albums += albums.items.len() as u64;
            if self.options.repair {
                for album in albums.items.iter().filter(|album| album.trashed.is_some()) {
                    self.schedule(Task::Album { owner, album: album.id }).await?;
                }
            }
            match albums.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        if user.status == UserStatus::Closing && self.options.repair {
            self.schedule(Task::Account { owner }).await?;
        }
        Ok(())
    }

    async fn photo(&mut self, photo: &Photo) -> Result<(), GalleryError> {
        self.summary.photos += 1;
        let (owner, id) = (photo.owner, photo.id);
        let policy = self.context.policy();
        let patience = policy.upload_deadline + std::time::Duration::from_secs(24 * 3600);
        let overdue = match photo.state {
            PhotoState::Ready(_) => {
                photo.trashed.is_some_and(|trashed| self.is_past(trashed.at, policy.trash_retention + patience))
            }
            PhotoState::Failed(_) => self.is_past(photo.created_at, policy.trash_retention + patience),
            PhotoState::Uploading | PhotoState::Processing => self.is_past(photo.created_at, patience),
            PhotoState::Erasing { settled_at } => self.is_past(settled_at, patience),
        };
        let mut faults = Vec::new();
        if overdue {
            faults.push(FaultKind::Stuck { photo: id, state: photo.state.name() });
        }
        if photo.facts().is_some() {
            self.original(photo, &mut faults).await?;
            self.derived(photo, &mut faults).await?;
        }
        // What was changed or removed while it was looked at is as its change left it, and no fault.
        if faults.is_empty() || !self.is_unchanged(photo).await? {
            return Ok(());
        }
        let repaired = self.options.repair && self.mend(photo, &faults).await?;
        for kind in faults {
            let mended = match &kind {
                FaultKind::MissingBlob { key, .. } | FaultKind::WrongBytes { key, .. } => repaired && !is_original(key),
                _ => self.options.repair,
            };
            self.fault(Some(owner), kind, mended);
        }
        Ok(())
    }

    async fn is_unchanged(&self, photo: &Photo) -> Result<bool, GalleryError> {
        let now = self.context.repositories.photos.find(photo.owner, photo.id).await?;
        Ok(now.is_some_and(|now| now.revision == photo.revision))
    }

    async fn original(&mut self, photo: &Photo, faults: &mut Vec<FaultKind>) -> Result<(), GalleryError> {
        let key = BlobKey::original(photo.owner, photo.id, &photo.original.sha256);
        let expected = (photo.original.bytes, photo.original.sha256);
        match self.look(&key).await? {
            Look::Absent => faults.push(FaultKind::MissingBlob { photo: photo.id, key }),
            Look::Right(info) if (info.bytes, info.sha256) == expected => {}
            Look::Right(_) | Look::Damaged => faults.push(FaultKind::WrongBytes { photo: photo.id, key }),
        }
        Ok(())
    }

    async fn derived(&mut self, photo: &Photo, faults: &mut Vec<FaultKind>) -> Result<(), GalleryError> {
        for image in DerivedImage::ALL {
            let key = BlobKey::derived(photo.owner, photo.id, image);
            match self.look(&key).await? {
                Look::Absent => faults.push(FaultKind::MissingBlob { photo: photo.id, key }),
                Look::Damaged => faults.push(FaultKind::WrongBytes { photo: photo.id, key }),
                Look::Right(_) => {}
            }
        }
        Ok(())
    }

    /// Sets what is stuck going again, and makes images anew; whether the original allowed it.
    async fn mend(&self, photo: &Photo, faults: &[FaultKind]) -> Result<bool, GalleryError> {
        let mut derived = Vec::new();
        for fault in faults {
            match fault {
                FaultKind::Stuck { .. } => {
                    self.schedule(Task::Photo { owner: photo.owner, photo: photo.id }).await?;
                }
                FaultKind::MissingBlob { key, .. } | FaultKind::WrongBytes { key, .. } if !is_original(key) => {
                    derived.push(key.clone());
                }
                _ => {}
            }
        }
        Ok(derived.is_empty() || self.derive_again(photo, &derived).await?)
    }

    /// Makes the derived images of a photo anew, those of other bytes too; whether its original allowed it.
    async fn derive_again(&self, photo: &Photo, wrong: &[BlobKey]) -> Result<bool, GalleryError> {
        let original = BlobKey::original(photo.owner, photo.id, &photo.original.sha256);
        let Some(bytes) = self.bytes(&original).await? else { return Ok(false) };
        let Ok(image) = self.context.images.process(bytes).await else { return Ok(false) };
        if image.sha256 != photo.original.sha256 {
            return Ok(false);
        }
        self.context.blobs.remove(wrong).await?;
        keep_derived(self.context, photo, &image).await?;
        Ok(true)
    }

    /// Looks at a blob; at its bytes too, if hashes are asked for.
    async fn look(&mut self, key: &BlobKey) -> Result<Look, GalleryError> {
        let info = match self.context.blobs.head(key).await {
            Ok(Some(info)) => info,
            Ok(None) => return Ok(Look::Absent),
            Err(BlobError::Corrupt) => return Ok(Look::Damaged),
            Err(error) => return Err(error.into()),
        };
        if !self.options.hash {
            return Ok(Look::Right(info));
        }
        self.summary.hashed_bytes += info.bytes;
        let bytes = self.bytes(key).await?;
        Ok(if bytes.is_some_and(|bytes| Sha256Digest::of(&bytes) == info.sha256) {
            Look::Right(info)
        } else {
            Look::Damaged
        })
    }

    /// The bytes of a blob, as far as they can be read.
    async fn bytes(&self, key: &BlobKey) -> Result<Option<Bytes>, GalleryError> {
        match self.context.blobs.get(key, None).await {
            Ok(Some(blob)) => Ok(collect_bytes(blob.bytes, self.context.policy().largest_upload).await.ok()),
            Ok(None) | Err(BlobError::Corrupt) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Every blob has to belong to a photo that is there, and be one that such a photo can have.
    async fn blobs(&mut self) -> Result<(), GalleryError> {
        for area in BlobArea::ALL {
            let mut page = PageRequest::first(PageSize::MAX);
            loop {
                let keys = self.context.blobs.list(&format!("{}/", area.as_str()), page).await?;
                self.summary.blobs += keys.items.len() as u64;
                let mut photos: BTreeMap<UserId, BTreeSet<PhotoId>> = BTreeMap::new();
                for (_, owner, photo) in keys.items.iter().filter_map(BlobKey::subject) {
                    photos.entry(owner).or_default().insert(photo);
                }
                let mut known = BTreeSet::new();
                for (owner, ids) in photos {
                    let ids: Vec<_> = ids.into_iter().collect();
                    for photo in self.context.repositories.photos.find_many(owner, &ids).await? {
                        known.extend(BlobKey::all_of(&photo));
                    }
                }
                let mut orphans = Vec::new();
                for key in keys.items.into_iter().filter(|key| !known.contains(key)) {
                    // One whose photo was being erased has gone with it by now: blobs go before their rows.
                    match self.look(&key).await? {
                        Look::Absent => {}
                        Look::Right(_) | Look::Damaged => orphans.push(key),
                    }
                }
                if self.options.repair {
                    self.context.blobs.remove(&orphans).await?;
                }
                for key in orphans {
                    let owner = key.subject().map(|(_, owner, _)| owner);
                    self.fault(owner, FaultKind::OrphanBlob { key }, self.options.repair);
                }
                match keys.next {
                    Some(next) => page = PageRequest::after(PageSize::MAX, next),
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn is_past(&self, since: Timestamp, patience: std::time::Duration) -> bool {
        since.plus(patience) < self.context.now()
    }

    async fn schedule(&self, task: Task) -> Result<(), GalleryError> {
        Ok(self.context.repositories.work.schedule(&Work::new(task, self.context.now())).await?)
    }
}

/// What was seen of a blob.
enum Look {
    Absent,
    Damaged,
    Right(BlobInfo),
}

fn is_original(key: &BlobKey) -> bool {
    key.subject().is_some_and(|(area, ..)| area == BlobArea::Original)
}
