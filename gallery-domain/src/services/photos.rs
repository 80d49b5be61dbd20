//! Photos: adding, listing, changing, deleting.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::try_join3;

use super::album_order::AlbumOrder;
use super::erasure::MayGo;
use super::{CHANGE_ATTEMPTS, Context, Erasure, Place, check_revision};
use crate::ports::{BlobInfo, IdempotencyClaim, RepositoryError, UploadTicket};
use crate::{
    Actor, AlbumEntry, AlbumId, AlbumPhotos, BlobKey, DerivedImage, Description, FileName, GalleryError, InvalidValue,
    MediaType, MonthCount, Original, Page, PageRequest, Photo, PhotoCursor, PhotoDetails, PhotoId, PhotoState,
    Revision, Sha256Digest, TagCount, Tags, TakenAt, Task, Title, Trashed, UserId, Work,
};

/// Photos of whoever acts.
#[derive(Clone, Debug)]
pub struct Photos {
    context: Context,
    erasure: Erasure,
}

/// A photo that somebody is about to upload.
#[derive(Clone, Debug)]
pub struct NewPhoto {
    /// The file.
    pub original: Original,
    /// What its owner says of it; a missing time is taken from the file.
    pub details: PhotoDetails,
    /// An album to put it into.
    pub album: Option<AlbumId>,
}

/// What came of announcing an upload.
#[derive(Clone, Debug)]
pub enum Added {
    /// The photo was made, or an upload of the same bytes had been announced and waits for them: upload them.
    Expected(Photo, UploadTicket),
    /// This very request, told by its idempotency key, made the photo before, and the bytes have come since.
    Repeated(Photo),
    /// The owner has a photo of these bytes.
    Duplicate(Photo),
}

/// The lists of photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PhotoList {
    /// All visible photos by the time they were taken.
    Timeline,
    /// The favourites among them.
    Favourites,
    /// The photos in the trash by the time they were put there.
    Trash,
    /// Uploads that are not finished or failed, by the time they were announced.
    Unfinished,
}

/// Changes to what the owner says of a photo; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoPatch {
    /// A new title.
    pub title: Option<Title>,
    /// A new description.
    pub description: Option<Description>,
    /// New tags in place of all others.
    pub tags: Option<Tags>,
    /// Whether it is a favourite.
    pub favourite: Option<bool>,
    /// Another time; `Some(None)` goes back to the file's own.
    pub taken_at: Option<Option<TakenAt>>,
}

/// One change to many photos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// Move to the trash.
    Trash,
    /// Bring back from the trash.
    Restore,
    /// Remove for good, from the trash.
    Purge,
    /// Add tags.
    AddTags(Tags),
    /// Take tags away.
    RemoveTags(Tags),
    /// Put at the end of an album.
    AddToAlbum(AlbumId),
    /// Take out of an album.
    RemoveFromAlbum(AlbumId),
    /// Mark as a favourite or not.
    Favourite(bool),
}

/// Where a browser gets a photo's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoUrls {
    /// 320 px.
    pub thumbnail: String,
    /// 1920 px.
    pub preview: String,
    /// As it was uploaded, to be saved under its file name.
    pub original: String,
}

/// What a change of a photo comes to.
enum Change {
    /// Nothing to write.
    Nothing,
    /// Write it, and schedule this work.
    Write(Option<Work>),
}

impl Photos {
    pub(super) fn new(context: Context, erasure: Erasure) -> Self {
        Self { context, erasure }
    }

    /// Announces an upload. A repetition with the same idempotency key, or of the same bytes before they came, gives the same photo again.
    pub async fn add(
        &self,
        actor: &Actor,
        new: &NewPhoto,
        idempotency_key: Option<&str>,
    ) -> Result<Added, GalleryError> {
        let owner = actor.user();
        let limit = self.context.policy().largest_upload;
        if new.original.bytes == 0 {
            return Err(InvalidValue::new("is 0: the file is empty").in_field("/size").into());
        }
        if new.original.bytes > limit {
            let reason = format!("is more than {limit} bytes ({} MiB): the file is too large", limit >> 20);
            return Err(InvalidValue::new(reason).in_field("/size").into());
        }
        let album = match new.album {
            Some(album) => Some(self.context.live_album(owner, album).await?),
            None => None,
        };
        let now = self.context.now();
        let id = PhotoId::from_uuid(self.context.claim_id(owner, idempotency_key, &new.request(), now).await?);
        let photo = Photo {
            id,
            owner,
            original: new.original.clone(),
            details: new.details.clone(),
            state: PhotoState::Uploading,
            trashed: None,
            created_at: now,
            revision: Revision::FIRST,
        };
        let work = Work::new(Task::Photo { owner, photo: id }, now.plus(self.context.policy().upload_deadline));
        let quota = self.context.repositories.users.find(owner).await?.ok_or(GalleryError::Unauthenticated)?.quota;
        let photo = match self.context.repositories.photos.insert(&photo, &quota, &work).await {
            Ok(()) => photo,
            Err(RepositoryError::AlreadyExists) => self.existing(owner, id, &new.original.sha256).await?,
            Err(error) => return Err(error.into()),
        };
        if let Some(entry) = album {
            let order = AlbumOrder::of(&self.context, owner, entry.album.id);
            order.put(&entry, &[photo.id], Place::End).await?;
        }
        match photo.state {
            PhotoState::Uploading => {
                let ticket = self.upload_ticket(&photo).await?;
                Ok(Added::Expected(photo, ticket))
            }
            _ if photo.id == id => Ok(Added::Repeated(photo)),
            _ => Ok(Added::Duplicate(photo)),
        }
    }

    /// Which of these contents the owner has, with the photo.
    pub async fn check_uploads(
        &self,
        actor: &Actor,
        contents: &[Sha256Digest],
    ) -> Result<BTreeMap<Sha256Digest, PhotoId>, GalleryError> {
        let found = self.context.repositories.photos.find_by_content(actor.user(), contents).await?;
        let arrived = found.into_iter().filter(|photo| photo.state != PhotoState::Uploading);
        Ok(arrived.map(|photo| (photo.original.sha256, photo.id)).collect())
    }

    /// A page of a list.
    pub async fn list(
        &self,
        actor: &Actor,
        list: PhotoList,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, GalleryError> {
        let (photos, owner) = (&self.context.repositories.photos, actor.user());
        Ok(match list {
            PhotoList::Timeline => photos.timeline(owner, page).await,
            PhotoList::Favourites => photos.favourites(owner, page).await,
            PhotoList::Trash => photos.trash(owner, page).await,
            PhotoList::Unfinished => photos.unfinished(owner, page).await,
        }?)
    }

    /// The months of the timeline, latest first, with how many photos each holds.
    pub async fn months(&self, actor: &Actor) -> Result<Vec<MonthCount>, GalleryError> {
        Ok(self.context.repositories.photos.months(actor.user()).await?)
    }

    /// The tags that start with some letters, for completion.
    pub async fn tags(&self, actor: &Actor, prefix: &str, limit: u32) -> Result<Vec<TagCount>, GalleryError> {
        let key = crate::terms::tag_key(prefix.trim_start_matches('#'));
        Ok(self.context.repositories.photos.tags(actor.user(), &key, limit).await?)
    }

    /// A photo in any state, also one in the trash.
    pub async fn get(&self, actor: &Actor, id: PhotoId) -> Result<Photo, GalleryError> {
        self.find(actor.user(), id).await
    }

    /// The albums that a photo stands in.
    pub async fn albums_of(&self, actor: &Actor, id: PhotoId) -> Result<Vec<AlbumId>, GalleryError> {
        Ok(self.context.repositories.albums.albums_of(actor.user(), id).await?)
    }

    /// Where to fetch a photo's images; `None` before it is ready.
    pub async fn urls(&self, photo: &Photo) -> Result<Option<PhotoUrls>, GalleryError> {
        let Some(_) = photo.facts() else { return Ok(None) };
        let (owner, id, now) = (photo.owner, photo.id, self.context.now());
        let uploads = &self.context.uploads;
        let name = photo.original.file_name.as_str().to_owned();
        let (thumbnail, preview) =
            (BlobKey::derived(owner, id, DerivedImage::Thumbnail), BlobKey::derived(owner, id, DerivedImage::Preview));
        let original = BlobKey::original(owner, id, &photo.original.sha256);
        let (thumbnail, preview, original) = try_join3(
            uploads.download_url(&thumbnail, None, now),
            uploads.download_url(&preview, None, now),
            uploads.download_url(&original, Some(name), now),
        )
        .await?;
        Ok(Some(PhotoUrls { thumbnail, preview, original }))
    }

    /// Changes what the owner says of a photo.
    pub async fn update(
        &self,
        actor: &Actor,
        id: PhotoId,
        patch: &PhotoPatch,
        if_match: Option<Revision>,
    ) -> Result<Photo, GalleryError> {
        self.change(actor.user(), id, if_match, |photo| {
            let own_time = photo.facts().and_then(|facts| facts.exif.taken_at);
            let details = &mut photo.details;
            if let Some(title) = &patch.title {
                details.title = title.clone();
            }
            if let Some(description) = &patch.description {
                details.description = description.clone();
            }
            if let Some(tags) = &patch.tags {
                details.tags = tags.clone();
            }
            if let Some(favourite) = patch.favourite {
                details.favourite = favourite;
            }
            if let Some(taken_at) = patch.taken_at {
                details.taken_at = taken_at.or(own_time);
            }
            Ok(Change::Write(None))
        })
        .await
    }

    /// Moves a photo to the trash, where it can be brought back from for a while. What never became ready is removed for good.
    pub async fn trash(&self, actor: &Actor, id: PhotoId, if_match: Option<Revision>) -> Result<(), GalleryError> {
        let photo = self.find(actor.user(), id).await?;
        if photo.is_unfinished() {
            let became_ready = || GalleryError::Stale { current: None };
            let may_go = |photo: &Photo| if photo.is_unfinished() { Ok(()) } else { Err(became_ready()) };
            match self.erase(photo, if_match, &may_go).await {
                // Ready since it was looked at: the trash is where it belongs, unless the caller insists on what was seen.
                Err(GalleryError::Stale { .. }) if if_match.is_none() => {}
                outcome => return outcome,
            }
        }
        self.trash_with(actor.user(), id, None, if_match).await.map(drop)
    }

    /// Brings a photo back from the trash. Refused while the owner has another photo of the same bytes.
    pub async fn restore(&self, actor: &Actor, id: PhotoId, if_match: Option<Revision>) -> Result<Photo, GalleryError> {
        self.restore_from(actor.user(), id, None, if_match).await
    }

    /// Removes a photo from the trash for good.
    pub async fn purge(&self, actor: &Actor, id: PhotoId, if_match: Option<Revision>) -> Result<(), GalleryError> {
        let photo = self.find(actor.user(), id).await?;
        let may_go = |photo: &Photo| match photo.is_visible() {
            true => Err(GalleryError::Conflict("the photo is not in the trash: move it there first".into())),
            false => Ok(()),
        };
        self.erase(photo, if_match, &may_go).await
    }

    /// Does one thing to many photos, at most 100; what came of it for each, in the order given.
    pub async fn bulk(
        &self,
        actor: &Actor,
        ids: &[PhotoId],
        action: &BulkAction,
    ) -> Result<Vec<(PhotoId, Result<(), GalleryError>)>, GalleryError> {
        match action {
            BulkAction::AddToAlbum(album) => return self.bulk_add_to_album(actor, ids, *album).await,
            BulkAction::RemoveFromAlbum(album) => return self.bulk_remove_from_album(actor, ids, *album).await,
            _ => {}
        }
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let outcome = self.bulk_one(actor, *id, action).await;
            if let Err(GalleryError::Unavailable(_) | GalleryError::Internal(_)) = &outcome
                && outcomes.is_empty()
            {
                // Nothing was done yet: one answer for all says it best.
                return outcome.map(|()| outcomes);
            }
            outcomes.push((*id, outcome));
        }
        Ok(outcomes)
    }

    async fn bulk_one(&self, actor: &Actor, id: PhotoId, action: &BulkAction) -> Result<(), GalleryError> {
        let owner = actor.user();
        match action {
            BulkAction::Trash => self.trash(actor, id, None).await,
            BulkAction::Restore => self.restore(actor, id, None).await.map(drop),
            BulkAction::Purge => self.purge(actor, id, None).await,
            BulkAction::Favourite(favourite) => {
                let patch = PhotoPatch { favourite: Some(*favourite), ..PhotoPatch::default() };
                self.update(actor, id, &patch, None).await.map(drop)
            }
            BulkAction::AddTags(tags) => self
                .change(owner, id, None, |photo| {
                    for tag in tags.iter() {
                        photo.details.tags.add(tag.clone()).map_err(|invalid| invalid.in_field("/tags"))?;
                    }
                    Ok(Change::Write(None))
                })
                .await
                .map(drop),
            BulkAction::RemoveTags(tags) => self
                .change(owner, id, None, |photo| {
                    for tag in tags.iter() {
                        photo.details.tags.remove(tag);
                    }
                    Ok(Change::Write(None))
                })
                .await
                .map(drop),
            BulkAction::AddToAlbum(_) | BulkAction::RemoveFromAlbum(_) => Ok(()),
        }
    }

    async fn bulk_add_to_album(
        &self,
        actor: &Actor,
        ids: &[PhotoId],
        album: AlbumId,
    ) -> Result<Vec<(PhotoId, Result<(), GalleryError>)>, GalleryError> {
        let owner = actor.user();
        let entry = self.context.live_album(owner, album).await?;
        let (there, outcomes) = self.present(owner, ids).await?;
        AlbumOrder::of(&self.context, owner, album).put(&entry, &there, Place::End).await?;
        Ok(outcomes)
    }

    async fn bulk_remove_from_album(
        &self,
        actor: &Actor,
        ids: &[PhotoId],
        album: AlbumId,
    ) -> Result<Vec<(PhotoId, Result<(), GalleryError>)>, GalleryError> {
        let owner = actor.user();
        self.context.live_album(owner, album).await?;
        let (there, outcomes) = self.present(owner, ids).await?;
        self.context.repositories.albums.remove_photos(owner, album, &there).await?;
        Ok(outcomes)
    }

    /// Those of the photos that are there, and an outcome for each.
    async fn present(
        &self,
        owner: UserId,
        ids: &[PhotoId],
    ) -> Result<(Vec<PhotoId>, Vec<(PhotoId, Result<(), GalleryError>)>), GalleryError> {
        let found = self.context.repositories.photos.find_many(owner, ids).await?;
        let known: BTreeSet<_> = found.iter().filter(|photo| !photo.is_erasing()).map(|photo| photo.id).collect();
        let outcome = |id: &PhotoId| match known.contains(id) {
            true => (*id, Ok(())),
            false => (*id, Err(GalleryError::NotFound("photo"))),
        };
        let there = ids.iter().copied().filter(|id| known.contains(id)).collect();
        Ok((there, ids.iter().map(outcome).collect()))
    }

    /// Moves a visible photo to the trash, on its own or with its album; one that is there already stays as it is.
    pub(super) async fn trash_with(
        &self,
        owner: UserId,
        id: PhotoId,
        with_album: Option<AlbumId>,
        if_match: Option<Revision>,
    ) -> Result<Photo, GalleryError> {
        let now = self.context.now();
        let purge = Work::new(Task::Photo { owner, photo: id }, now.plus(self.context.policy().trash_retention));
        self.change(owner, id, if_match, |photo| {
            if photo.is_visible() {
                photo.trashed = Some(Trashed { at: now, with_album });
                Ok(Change::Write(Some(purge)))
            } else {
                Ok(Change::Nothing)
            }
        })
        .await
    }

    /// Has a photo follow an album of its own that was deleted with its photos, as it does that became ready only afterwards.
    pub(super) async fn follow_albums(&self, owner: UserId, id: PhotoId) -> Result<(), GalleryError> {
        let repositories = &self.context.repositories;
        for album in repositories.albums.albums_of(owner, id).await? {
            let takes_photos =
                |entry: &AlbumEntry| entry.album.trashed.is_some_and(|trashed| trashed.photos == AlbumPhotos::Delete);
            if !repositories.albums.find(owner, album).await?.as_ref().is_some_and(takes_photos) {
                continue;
            }
            self.trash_with(owner, id, Some(album), None).await?;
            // Brought back in this very moment: whoever did that may have looked at this photo before.
            if !repositories.albums.find(owner, album).await?.as_ref().is_some_and(takes_photos) {
                let work = Work::new(Task::Album { owner, album }, self.context.now());
                repositories.work.schedule(&work).await?;
            }
        }
        Ok(())
    }

    /// Brings a photo back from the trash: with an album named, only if it was trashed with that.
    pub(super) async fn restore_from(
        &self,
        owner: UserId,
        id: PhotoId,
        with_album: Option<AlbumId>,
        if_match: Option<Revision>,
    ) -> Result<Photo, GalleryError> {
        let restored = self
            .change(owner, id, if_match, |photo| match photo.trashed {
                Some(trashed) if with_album.is_none() || trashed.with_album == with_album => {
                    photo.trashed = None;
                    Ok(Change::Write(None))
                }
                _ => Ok(Change::Nothing),
            })
            .await;
        match restored {
            Err(GalleryError::Conflict(_)) => {
                let sha256 = self.find(owner, id).await?.original.sha256;
                let holder = self.context.repositories.photos.find_by_content(owner, &[sha256]).await?;
                Err(holder
                    .first()
                    .map_or(GalleryError::Stale { current: None }, |photo| GalleryError::Duplicate(photo.id)))
            }
            other => other,
        }
    }

    async fn erase(&self, photo: Photo, if_match: Option<Revision>, may_go: MayGo<'_>) -> Result<(), GalleryError> {
        let is_as_seen = |photo: &Photo| check_revision(photo.revision, if_match).and_then(|()| may_go(photo));
        self.erasure.erase_photo(photo, &is_as_seen).await
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Photo, GalleryError> {
        let photo = self.context.repositories.photos.find(owner, id).await?;
        photo.filter(|photo| !photo.is_erasing()).ok_or(GalleryError::NotFound("photo"))
    }

    async fn change(
        &self,
        owner: UserId,
        id: PhotoId,
        if_match: Option<Revision>,
        change: impl Fn(&mut Photo) -> Result<Change, GalleryError> + Send + Sync,
    ) -> Result<Photo, GalleryError> {
        for _ in 0..CHANGE_ATTEMPTS {
            let before = self.find(owner, id).await?;
            check_revision(before.revision, if_match)?;
            let mut photo = before.clone();
            let Change::Write(work) = change(&mut photo)? else { return Ok(before) };
            if photo == before {
                return Ok(before);
            }
            photo.revision = before.revision.next();
            match self.context.repositories.photos.replace(&photo, before.revision, work).await {
                Ok(()) => return Ok(photo),
                Err(RepositoryError::Stale) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    /// The photo that stands in the way of a new one: the one a repeated request made before, or one of the same bytes.
    async fn existing(&self, owner: UserId, id: PhotoId, sha256: &Sha256Digest) -> Result<Photo, GalleryError> {
        let photos = &self.context.repositories.photos;
        if let Some(photo) = photos.find(owner, id).await?
            && !photo.is_erasing()
        {
            return Ok(photo);
        }
        let holder = photos.find_by_content(owner, &[*sha256]).await?.into_iter().next();
        // It was there a moment ago: the same request again finds out what there is now.
        holder.ok_or(GalleryError::Stale { current: None })
    }

    async fn upload_ticket(&self, photo: &Photo) -> Result<UploadTicket, GalleryError> {
        let now = self.context.now();
        let info = BlobInfo {
            content_type: photo.original.content_type,
            bytes: photo.original.bytes,
            sha256: photo.original.sha256,
        };
        let key = BlobKey::incoming(photo.owner, photo.id);
        let expires_at = now.plus(self.context.policy().ticket_lifetime);
        Ok(self.context.uploads.upload_ticket(&key, &info, now, expires_at).await?)
    }
}

impl Context {
    /// The id for what a request creates: a new one, or that of the first request with the same key.
    pub(super) async fn claim_id(
        &self,
        owner: UserId,
        key: Option<&str>,
        request: &str,
        now: crate::Timestamp,
    ) -> Result<uuid::Uuid, GalleryError> {
        let id = self.ids.new_id(now);
        let Some(key) = key else { return Ok(id) };
        let request = Sha256Digest::of(request.as_bytes());
        let claim = IdempotencyClaim { request, id, expires_at: now.plus(self.policy().idempotency_retention) };
        let first = self.repositories.idempotency.claim(owner, key, &claim, now).await?;
        if first.request != request {
            let reason = "was used for another request: take a new key for each new thing";
            return Err(InvalidValue::new(reason).in_field("Idempotency-Key").into());
        }
        Ok(first.id)
    }
}

impl NewPhoto {
    /// A file with nothing said of it.
    pub fn plain(file_name: FileName, content_type: MediaType, bytes: u64, sha256: Sha256Digest) -> Self {
        Self {
            original: Original { file_name, content_type, bytes, sha256 },
            details: PhotoDetails::default(),
            album: None,
        }
    }

    /// What is asked for, as an idempotency key remembers it: in a form of its own, so that a repetition is known as one also by the
    /// next version of the program. What a later version adds has to be left out where nobody gave it.
    fn request(&self) -> String {
        let (original, details) = (&self.original, &self.details);
        let request = serde_json::json!({
            "add": "photo",
            "fileName": original.file_name,
            "contentType": original.content_type,
            "bytes": original.bytes,
            "sha256": original.sha256,
            "title": details.title,
            "description": details.description,
            "tags": details.tags,
            "favourite": details.favourite,
            "takenAt": details.taken_at,
            "album": self.album,
        });
        request.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_remembered_in_a_form_that_outlasts_a_version() {
        let name = FileName::parse("IMG_1.jpg").expect("a file name");
        let mut new = NewPhoto::plain(name, MediaType::Jpeg, 7, Sha256Digest::of(b""));
        new.details.tags = Tags::parse("/tags", &["Lake"]).expect("tags");
        new.details.taken_at = Some("2024-06-01T12:30:00+02:00".parse().expect("a time"));
        let expected =
            r#"{"add":"photo","album":null,"bytes":7,"contentType":"image/jpeg","description":"","favourite":false,"#
                .to_owned()
                + r#""fileName":"IMG_1.jpg","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","#
                + r#""tags":["Lake"],"takenAt":"2024-06-01T12:30:00+02:00","title":""}"#;
        assert_eq!(new.request(), expected);
    }
}
