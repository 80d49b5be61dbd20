//! Turning uploaded bytes into photos.

use std::sync::Arc;

use async_lock::Semaphore;
use bytes::Bytes;

use super::{Added, CHANGE_ATTEMPTS, Context, NewPhoto, Photos};
use crate::ports::{
    Blob, BlobError, BlobInfo, ImageError, ProcessedImage, RepositoryError, byte_stream, collect_bytes,
};
use crate::{
    Actor, BlobArea, BlobKey, Failure, FailureKind, GalleryError, MediaType, Page, PageRequest, Photo, PhotoId,
    PhotoState, Sha256Digest, Task, Timestamp, UserId, Work,
};

/// Turns uploaded bytes into photos.
///
/// The order of writes keeps two promises: a visible photo has its blobs, and every blob is reachable from a row. The original goes to its
/// final key, the derived images to theirs, then one conditional write makes the photo ready, and last the upload is removed.
/// Each step can be repeated after a crash.
#[derive(Clone, Debug)]
pub struct Ingest {
    context: Context,
    photos: Photos,
    /// Taken before a photo's bytes are read: however many wait, few are in memory.
    turns: Arc<Semaphore>,
}

/// What came of importing a file.
#[derive(Clone, Debug)]
pub enum Imported {
    /// It is a photo of the gallery now.
    New(Photo),
    /// The owner has a photo of these bytes.
    Duplicate(Photo),
    /// It cannot become a photo; nothing was kept.
    Refused(Failure),
}

impl Ingest {
    pub(super) fn new(context: Context, photos: Photos) -> Self {
        let turns = Arc::new(Semaphore::new(context.policy().ingests_at_once.max(1)));
        Self { context, photos, turns }
    }

    /// Takes note that the bytes of an upload have come, whatever told so, and looks into them. May be told twice, late, or of a photo that is gone.
    pub async fn uploaded(&self, owner: UserId, id: PhotoId) -> Result<(), GalleryError> {
        if let Some(due_at) = self.attend(owner, id).await? {
            let work = Work::new(Task::Photo { owner, photo: id }, due_at);
            self.context.repositories.work.schedule(&work).await?;
        }
        Ok(())
    }

    /// Uploads whose bytes are here and wait: some of them are being looked into, others were forgotten by whatever should have [told so](Self::uploaded).
    pub async fn waiting(&self, page: PageRequest<BlobKey>) -> Result<Page<(UserId, PhotoId), BlobKey>, GalleryError> {
        let keys = self.context.blobs.list(&format!("{}/", BlobArea::Incoming.as_str()), page).await?;
        let items = keys.items.iter().filter_map(BlobKey::subject).map(|(_, owner, photo)| (owner, photo)).collect();
        Ok(Page { items, next: keys.next })
    }

    /// Adds a file at hand. A repetition after a crash goes on where the first one stopped.
    pub async fn import(&self, actor: &Actor, new: &NewPhoto, bytes: Bytes) -> Result<Imported, GalleryError> {
        let photo = match self.photos.add(actor, new, None).await? {
            Added::Expected(photo, _) => photo,
            // One that waits to be looked into is the very photo that is being imported: an import before this one was cut short.
            Added::Duplicate(photo) if photo.state == PhotoState::Processing => photo,
            Added::Duplicate(photo) | Added::Repeated(photo) => return Ok(Imported::Duplicate(photo)),
        };
        let info = BlobInfo {
            content_type: new.original.content_type,
            bytes: new.original.bytes,
            sha256: new.original.sha256,
        };
        if photo.state == PhotoState::Uploading {
            match self.context.blobs.put(&BlobKey::incoming(photo.owner, photo.id), &info, byte_stream(bytes)).await {
                Ok(()) | Err(BlobError::AlreadyExists) => {}
                Err(BlobError::Mismatch { .. }) => {
                    let changed = "the file was changed while it was being read: import it once more";
                    return Err(GalleryError::Conflict(changed.into()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.attend(photo.owner, photo.id).await?;
        let photo = self.context.repositories.photos.find(photo.owner, photo.id).await?;
        match photo {
            Some(photo) => match &photo.state {
                PhotoState::Ready(_) => Ok(Imported::New(photo)),
                PhotoState::Failed(failure) => {
                    let failure = failure.clone();
                    self.photos.trash(actor, photo.id, None).await?;
                    Ok(Imported::Refused(failure))
                }
                _ => Err(GalleryError::Stale { current: Some(photo.revision) }),
            },
            None => Err(GalleryError::NotFound("photo")),
        }
    }

    /// Does what the state of an unfinished photo calls for. When to look again, if it is not done.
    pub(super) async fn attend(&self, owner: UserId, id: PhotoId) -> Result<Option<Timestamp>, GalleryError> {
        let Some(photo) = self.context.repositories.photos.find(owner, id).await? else {
            // An upload that came after its photo was erased.
            self.context.blobs.remove(&[BlobKey::incoming(owner, id)]).await?;
            return Ok(None);
        };
        match photo.state {
            PhotoState::Uploading => self.receive(photo).await,
            PhotoState::Processing => {
                let _turn = self.turns.acquire().await;
                self.process(photo).await.map(|()| None)
            }
            PhotoState::Ready(_) => {
                // Its upload is there still if a crash came when it had just become ready, or again if a ticket from before was used.
                if self.has_come(owner, id).await? {
                    self.settle(owner, id).await?;
                }
                Ok(None)
            }
            PhotoState::Failed(_) => {
                // An upload that came too late, or what a crash kept from being removed when it failed.
                self.context.blobs.remove(&BlobKey::all_of(&photo)).await?;
                Ok(None)
            }
            // Its own work removes whatever comes until it is settled.
            PhotoState::Erasing { .. } => Ok(None),
        }
    }

    /// Gives a photo up whose processing fails again and again.
    pub(super) async fn give_up(&self, owner: UserId, id: PhotoId) -> Result<(), GalleryError> {
        match self.context.repositories.photos.find(owner, id).await? {
            Some(photo) if photo.state == PhotoState::Processing => {
                let detail =
                    "The gallery could not look into this file although it tried several times. Upload it again later.";
                self.fail(photo, FailureKind::ProcessingFailed, detail.into()).await
            }
            _ => Ok(()),
        }
    }

    async fn receive(&self, photo: Photo) -> Result<Option<Timestamp>, GalleryError> {
        let now = self.context.now();
        if !self.has_come(photo.owner, photo.id).await? {
            let deadline = photo.created_at.plus(self.context.policy().upload_deadline);
            if now < deadline {
                return Ok(Some(deadline));
            }
            let detail = "The file's bytes never came. Upload it again.";
            self.fail(photo, FailureKind::NeverUploaded, detail.into()).await?;
            return Ok(None);
        }
        // The time for which nobody else looks into the photo begins when its turn has come.
        let _turn = self.turns.acquire().await;
        let now = self.context.now();
        let work =
            Work::new(Task::Photo { owner: photo.owner, photo: photo.id }, now.plus(self.context.policy().lease));
        let mut processing = photo.clone();
        processing.state = PhotoState::Processing;
        processing.revision = photo.revision.next();
        match self.context.repositories.photos.replace(&processing, photo.revision, Some(work)).await {
            Ok(()) => self.process(processing).await.map(|()| None),
            // Edited, erased, or taken on by another meanwhile: look again in a moment.
            Err(RepositoryError::Stale) => Ok(Some(now)),
            Err(error) => Err(error.into()),
        }
    }

    async fn process(&self, photo: Photo) -> Result<(), GalleryError> {
        let (owner, id) = (photo.owner, photo.id);
        let incoming = BlobKey::incoming(owner, id);
        let original = BlobKey::original(owner, id, &photo.original.sha256);
        let limit = self.context.policy().largest_upload;
        let (source, blob) = match self.readable(&incoming).await? {
            Some(blob) => (&incoming, blob),
            None => match self.readable(&original).await? {
                Some(blob) => (&original, blob),
                None => {
                    let detail = "The file's bytes were lost on their way. Upload it again.";
                    return self.fail(photo, FailureKind::NeverUploaded, detail.into()).await;
                }
            },
        };
        let announced = blob.info;
        let bytes = collect_bytes(blob.bytes, limit).await.map_err(|error| {
            GalleryError::Unavailable(crate::ports::BackendFailure::transient("blobs", "read upload", error))
        })?;
        match self.context.images.process(bytes).await {
            Ok(image) if image.sha256 != photo.original.sha256 => {
                let detail = "The file that came is not the one that was announced. Upload it again.";
                self.fail(photo, FailureKind::ContentMismatch, detail.into()).await
            }
            Ok(image) => {
                if *source == incoming {
                    self.keep_original(&photo, announced, image.facts.media_type).await?;
                }
                keep_derived(&self.context, &photo, &image).await?;
                self.finish(photo, image).await
            }
            Err(ImageError::Refused { kind, detail }) => self.fail(photo, kind, detail).await,
            // Never an outage to be waited for: it may be this very file that breaks the processor, so that it counts as an attempt.
            Err(error) => Err(GalleryError::Internal(Box::new(error))),
        }
    }

    /// Keeps the upload for good, to be served as what it is: that it was announced as something else, as a wrong extension brings about, is no reason
    /// to refuse it.
    async fn keep_original(
        &self,
        photo: &Photo,
        announced: BlobInfo,
        media_type: MediaType,
    ) -> Result<(), GalleryError> {
        let blobs = &self.context.blobs;
        let incoming = BlobKey::incoming(photo.owner, photo.id);
        let original = BlobKey::original(photo.owner, photo.id, &photo.original.sha256);
        if announced.content_type == media_type {
            blobs.copy(&incoming, &original).await?;
        } else if let Some(blob) = blobs.get(&incoming, None).await? {
            let info = BlobInfo { content_type: media_type, ..announced };
            match blobs.put(&original, &info, blob.bytes).await {
                // From an attempt before this one.
                Ok(()) | Err(BlobError::AlreadyExists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether an upload is there, be it damaged.
    async fn has_come(&self, owner: UserId, id: PhotoId) -> Result<bool, GalleryError> {
        match self.context.blobs.head(&BlobKey::incoming(owner, id)).await {
            Ok(info) => Ok(info.is_some()),
            Err(BlobError::Corrupt) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// A blob, unless it is absent or damaged.
    async fn readable(&self, key: &BlobKey) -> Result<Option<Blob>, GalleryError> {
        match self.context.blobs.get(key, None).await {
            Err(BlobError::Corrupt) => Ok(None),
            answer => Ok(answer?),
        }
    }

    /// Makes the photo ready, however often its owner edits it meanwhile.
    async fn finish(&self, photo: Photo, image: ProcessedImage) -> Result<(), GalleryError> {
        let (owner, id) = (photo.owner, photo.id);
        let mut current = photo;
        for _ in 0..CHANGE_ATTEMPTS {
            if current.state != PhotoState::Processing {
                return self.abandon(&current).await;
            }
            let mut ready = current.clone();
            ready.details.taken_at = ready.details.taken_at.or(image.facts.exif.taken_at);
            ready.state = PhotoState::Ready(image.facts.clone());
            ready.revision = current.revision.next();
            match self.context.repositories.photos.replace(&ready, current.revision, None).await {
                Ok(()) => return self.settle(owner, id).await,
                Err(RepositoryError::Stale) => match self.context.repositories.photos.find(owner, id).await? {
                    Some(changed) => current = changed,
                    None => return Ok(self.context.blobs.remove(&BlobKey::all_of(&current)).await?),
                },
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    /// What is left to do when a photo has become ready: it follows an album that was deleted with its photos before, and its upload goes.
    async fn settle(&self, owner: UserId, id: PhotoId) -> Result<(), GalleryError> {
        self.photos.follow_albums(owner, id).await?;
        Ok(self.context.blobs.remove(&[BlobKey::incoming(owner, id)]).await?)
    }

    /// Another has finished, failed or erased the photo meanwhile: nothing may stay of this attempt that nobody will remove.
    async fn abandon(&self, photo: &Photo) -> Result<(), GalleryError> {
        match photo.state {
            PhotoState::Ready(_) => self.settle(photo.owner, photo.id).await,
            PhotoState::Failed(_) | PhotoState::Erasing { .. } => {
                Ok(self.context.blobs.remove(&BlobKey::all_of(photo)).await?)
            }
            PhotoState::Uploading | PhotoState::Processing => Ok(()),
        }
    }

    /// Fails the photo and removes its bytes. It is shown to its owner until the end of the retention time.
    async fn fail(&self, photo: Photo, kind: FailureKind, detail: String) -> Result<(), GalleryError> {
        // At once, for the bytes: should this be cut short before they are removed, the worker does it.
        let work = Work::new(Task::Photo { owner: photo.owner, photo: photo.id }, self.context.now());
        let mut failed = photo.clone();
        failed.state = PhotoState::Failed(Failure { kind, detail });
        failed.revision = photo.revision.next();
        match self.context.repositories.photos.replace(&failed, photo.revision, Some(work)).await {
            Ok(()) => Ok(self.context.blobs.remove(&BlobKey::all_of(&failed)).await?),
            Err(error) => Err(error.into()),
        }
    }
}

/// Keeps the images made of a photo; those that are there stay.
pub(super) async fn keep_derived(context: &Context, photo: &Photo, image: &ProcessedImage) -> Result<(), GalleryError> {
    for derived in &image.derived {
        let info = BlobInfo {
            content_type: derived.media_type,
            bytes: derived.bytes.len() as u64,
            sha256: Sha256Digest::of(&derived.bytes),
        };
        let key = BlobKey::derived(photo.owner, photo.id, derived.image);
        match context.blobs.put(&key, &info, byte_stream(derived.bytes.clone())).await {
            // From an attempt before this one.
            Ok(()) | Err(BlobError::AlreadyExists) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
