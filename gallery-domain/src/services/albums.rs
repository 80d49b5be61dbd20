//! Albums.

use futures_util::future::try_join;

use super::album_order::AlbumOrder;
use super::budget::Budget;
use super::{CHANGE_ATTEMPTS, Context, Photos, check_revision};
use crate::ports::RepositoryError;
use crate::{
    Actor, Album, AlbumCursor, AlbumEntry, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, Description, GalleryError,
    InvalidValue, Page, PageRequest, PageSize, Photo, PhotoId, RankCursor, Revision, Task, Timestamp, UserId, Work,
};

/// Albums of whoever acts.
#[derive(Clone, Debug)]
pub struct Albums {
    context: Context,
    photos: Photos,
}

/// An album that somebody is about to make.
#[derive(Clone, Debug)]
pub struct NewAlbum {
    /// Its title.
    pub title: AlbumTitle,
    /// Its description.
    pub description: Description,
}

impl NewAlbum {
    /// What is asked for, as an idempotency key remembers it: in a form that the next version of the program writes alike.
    fn request(&self) -> String {
        serde_json::json!({ "create": "album", "title": self.title, "description": self.description }).to_string()
    }
}

/// Changes to an album; `None` leaves as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlbumPatch {
    /// A new title.
    pub title: Option<AlbumTitle>,
    /// A new description.
    pub description: Option<Description>,
    /// Another cover; `Some(None)` goes back to the first photo.
    pub cover: Option<Option<PhotoId>>,
}

/// An album as one sees it.
#[derive(Clone, Debug)]
pub struct AlbumView {
    /// The album and how many photos one sees in it.
    pub entry: AlbumEntry,
    /// The photo that stands for it.
    pub cover: Option<Photo>,
}

/// Where photos are put in an album.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// After the last; photos that stand in the album already stay where they are.
    #[default]
    End,
    /// Right before this photo; photos that stand in the album already are moved.
    Before(PhotoId),
    /// Before the first; photos that stand in the album already are moved.
    Start,
}

/// What deleting an album does, or would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// How many photos go to the trash with it.
    pub photos: u64,
}

impl Albums {
    pub(super) fn new(context: Context, photos: Photos) -> Self {
        Self { context, photos }
    }

    /// Makes an album. A repetition with the same idempotency key gives the same album again.
    pub async fn create(
        &self,
        actor: &Actor,
        new: &NewAlbum,
        idempotency_key: Option<&str>,
    ) -> Result<AlbumView, GalleryError> {
        let (owner, now) = (actor.user(), self.context.now());
        let id = self.context.claim_id(owner, idempotency_key, &new.request(), now).await?;
        let album = Album {
            id: AlbumId::from_uuid(id),
            owner,
            title: new.title.clone(),
            description: new.description.clone(),
            cover: None,
            trashed: None,
            created_at: now,
            revision: Revision::FIRST,
        };
        match self.context.repositories.albums.insert(&album).await {
            Ok(()) => Ok(AlbumView { entry: AlbumEntry { album, photo_count: 0 }, cover: None }),
            Err(RepositoryError::AlreadyExists) => self.get(actor, album.id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// The albums, latest created first.
    pub async fn list(
        &self,
        actor: &Actor,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumView, AlbumCursor>, GalleryError> {
        let page = self.context.repositories.albums.list(actor.user(), page).await?;
        self.with_covers(actor.user(), page).await
    }

    /// The albums in the trash, last trashed first.
    pub async fn trash(
        &self,
        actor: &Actor,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumView, AlbumCursor>, GalleryError> {
        let page = self.context.repositories.albums.trash(actor.user(), page).await?;
        self.with_covers(actor.user(), page).await
    }

    /// An album, also one in the trash.
    pub async fn get(&self, actor: &Actor, id: AlbumId) -> Result<AlbumView, GalleryError> {
        let (owner, albums) = (actor.user(), &self.context.repositories.albums);
        let ids = [id];
        let (entry, covers) = try_join(albums.find(owner, id), albums.covers(owner, &ids)).await?;
        let entry = entry.ok_or(GalleryError::NotFound("album"))?;
        Ok(AlbumView { entry, cover: covers.into_iter().next().map(|(_, photo)| photo) })
    }

    /// The album outside the trash with this title, whatever its case and accents; of several the one created last.
    pub async fn named(&self, actor: &Actor, title: &AlbumTitle) -> Result<Option<AlbumId>, GalleryError> {
        let named = self.context.repositories.albums.find_by_title(actor.user(), &title.key()).await?;
        Ok(named.into_iter().next())
    }

    /// Changes an album. A cover has to stand in it.
    pub async fn update(
        &self,
        actor: &Actor,
        id: AlbumId,
        patch: &AlbumPatch,
        if_match: Option<Revision>,
    ) -> Result<AlbumView, GalleryError> {
        let owner = actor.user();
        if let Some(Some(cover)) = patch.cover
            && self.context.repositories.albums.member(owner, id, cover).await?.is_none()
        {
            return Err(InvalidValue::new("is not a photo of this album").in_field("/cover").into());
        }
        self.change(owner, id, if_match, |album| {
            if let Some(title) = &patch.title {
                album.title = title.clone();
            }
            if let Some(description) = &patch.description {
                album.description = description.clone();
            }
            if let Some(cover) = patch.cover {
                album.cover = cover;
            }
            Ok(None)
        })
        .await?;
        self.get(actor, id).await
    }

    /// The photos of an album in its own order.
    pub async fn photos(
        &self,
        actor: &Actor,
        id: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Photo, RankCursor>, GalleryError> {
        self.context.live_album(actor.user(), id).await?;
        let page = self.context.repositories.albums.photos(actor.user(), id, page).await?;
        Ok(page.map(|(_, photo)| photo))
    }

    /// Puts photos, at most 100, into an album in the order given; how many were not there before.
    pub async fn add_photos(
        &self,
        actor: &Actor,
        id: AlbumId,
        photos: &[PhotoId],
        place: Place,
        if_match: Option<Revision>,
    ) -> Result<u64, GalleryError> {
        let owner = actor.user();
        let entry = self.context.live_album(owner, id).await?;
        check_revision(entry.album.revision, if_match)?;
        let found = self.context.repositories.photos.find_many(owner, photos).await?;
        if let Some(absent) = photos.iter().position(|id| !found.iter().any(|photo| photo.id == *id)) {
            return Err(InvalidValue::new("is not one of your photos").in_field(format!("/photoIds/{absent}")).into());
        }
        AlbumOrder::of(&self.context, owner, id).put(&entry, photos, place).await
    }

    /// Takes photos, at most 100, out of an album; how many stood in it.
    pub async fn remove_photos(
        &self,
        actor: &Actor,
        id: AlbumId,
        photos: &[PhotoId],
        if_match: Option<Revision>,
    ) -> Result<u64, GalleryError> {
        check_revision(self.context.live_album(actor.user(), id).await?.album.revision, if_match)?;
        Ok(self.context.repositories.albums.remove_photos(actor.user(), id, photos).await?)
    }

    /// What [`delete`](Self::delete) would do.
    pub async fn preview_deletion(
        &self,
        actor: &Actor,
        id: AlbumId,
        photos: AlbumPhotos,
        if_match: Option<Revision>,
    ) -> Result<Deletion, GalleryError> {
        let entry = self.context.live_album(actor.user(), id).await?;
        check_revision(entry.album.revision, if_match)?;
        Ok(deletion(&entry, photos))
    }

    /// Moves an album to the trash, with its photos or without. A large album's photos follow within moments.
    pub async fn delete(
        &self,
        actor: &Actor,
        id: AlbumId,
        photos: AlbumPhotos,
        if_match: Option<Revision>,
    ) -> Result<Deletion, GalleryError> {
        let (owner, now) = (actor.user(), self.context.now());
        let entry = self.context.live_album(owner, id).await?;
        let (trashed, work) = (AlbumTrashed { at: now, photos }, Work::new(Task::Album { owner, album: id }, now));
        let album = self
            .change(owner, id, if_match, |album| match album.trashed {
                None => {
                    album.trashed = Some(trashed);
                    Ok(Some(work))
                }
                // Written by this very call, whose answer was lost.
                Some(current) if current == trashed => Ok(None),
                // Another has deleted it meanwhile: what was to become of its photos is settled.
                Some(_) => Err(GalleryError::NotFound("album")),
            })
            .await?;
        self.follow_now(&album).await;
        Ok(deletion(&entry, photos))
    }

    /// Brings an album back from the trash, with the photos that went there with it.
    pub async fn restore(
        &self,
        actor: &Actor,
        id: AlbumId,
        if_match: Option<Revision>,
    ) -> Result<AlbumView, GalleryError> {
        let (owner, now) = (actor.user(), self.context.now());
        let work = Work::new(Task::Album { owner, album: id }, now);
        let retention = self.context.policy().trash_retention;
        let album = self
            .change(owner, id, if_match, |album| match album.trashed {
                // Its time is over: the worker may be removing it at this moment, so it is promised to nobody any more.
                Some(trashed) if trashed.at.plus(retention) <= now => Err(GalleryError::NotFound("album")),
                _ => {
                    album.trashed = None;
                    Ok(Some(work))
                }
            })
            .await?;
        self.follow_now(&album).await;
        self.get(actor, id).await
    }

    /// Does what an album's state calls for: its photos follow it into the trash or back; when its time in the trash is over, it is removed.
    /// When to look again, if it is not done.
    pub(super) async fn attend(&self, owner: UserId, id: AlbumId) -> Result<Option<Timestamp>, GalleryError> {
        let Some(entry) = self.context.repositories.albums.find(owner, id).await? else { return Ok(None) };
        // A little after the last moment at which it could be brought back, for the sake of who did so just then.
        let end = entry
            .album
            .trashed
            .map(|trashed| trashed.at.plus(self.context.policy().trash_retention).plus(self.context.policy().lease));
        // Its photos have long followed by then: one that is not in the trash was brought back on its own.
        if end.is_none_or(|end| self.context.now() < end) {
            let is_done = self.follow(&entry.album, Budget::of_worker(&self.context)).await?;
            return Ok(if is_done { end } else { Some(self.context.now()) });
        }
        self.context.repositories.albums.remove(owner, id).await?;
        Ok(None)
    }

    /// The first part of the work at once, so that a person sees it done. What fails, the worker does.
    async fn follow_now(&self, album: &Album) {
        if let Err(error) = self.follow(album, Budget::of_request(&self.context)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "photos will follow their album later");
        }
    }

    /// Has photos follow their album; whether all do by now.
    async fn follow(&self, album: &Album, budget: Budget) -> Result<bool, GalleryError> {
        let is_done = self.follow_members(album, budget).await?;
        // Deleted or brought back in the middle of this: whoever did that may have been through before the last photos were moved here.
        let current = self.context.repositories.albums.find(album.owner, album.id).await?;
        if current.is_some_and(|current| current.album.trashed != album.trashed) {
            let work = Work::new(Task::Album { owner: album.owner, album: album.id }, self.context.now());
            self.context.repositories.work.schedule(&work).await?;
        }
        Ok(is_done)
    }

    /// Begins with the first photo, whoever was at it before: to pass over those that have followed takes little of the worker's time.
    async fn follow_members(&self, album: &Album, mut budget: Budget) -> Result<bool, GalleryError> {
        let (owner, id) = (album.owner, album.id);
        if matches!(album.trashed, Some(AlbumTrashed { photos: AlbumPhotos::Keep, .. })) {
            return Ok(true);
        }
        let mut page = PageRequest::first(PageSize::MAX);
        let repositories = &self.context.repositories;
        loop {
            let members = repositories.albums.members(owner, id, page).await?;
            let ids: Vec<_> = members.items.iter().map(|member| member.photo).collect();
            for photo in repositories.photos.find_many(owner, &ids).await? {
                if !budget.take() {
                    return Ok(false);
                }
                let outcome = match album.trashed {
                    Some(_) if photo.is_visible() => self.photos.trash_with(owner, photo.id, Some(id), None).await,
                    None if photo.trashed.is_some_and(|trashed| trashed.with_album == Some(id)) => {
                        self.photos.restore_from(owner, photo.id, Some(id), None).await
                    }
                    _ => continue,
                };
                match outcome {
                    Ok(_) => {}
                    // Gone meanwhile, or its owner has uploaded the same bytes again: it stays where it is.
                    Err(GalleryError::NotFound(_) | GalleryError::Duplicate(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            match members.next {
                None => return Ok(true),
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
            }
        }
    }

    async fn with_covers(
        &self,
        owner: UserId,
        page: Page<AlbumEntry, AlbumCursor>,
    ) -> Result<Page<AlbumView, AlbumCursor>, GalleryError> {
        let ids: Vec<_> = page.items.iter().map(|entry| entry.album.id).collect();
        let mut covers: std::collections::BTreeMap<_, _> =
            self.context.repositories.albums.covers(owner, &ids).await?.into_iter().collect();
        Ok(page.map(|entry| {
            let cover = covers.remove(&entry.album.id);
            AlbumView { entry, cover }
        }))
    }

    async fn change(
        &self,
        owner: UserId,
        id: AlbumId,
        if_match: Option<Revision>,
        change: impl Fn(&mut Album) -> Result<Option<Work>, GalleryError> + Send + Sync,
    ) -> Result<Album, GalleryError> {
        let albums = &self.context.repositories.albums;
        for _ in 0..CHANGE_ATTEMPTS {
            let before = albums.find(owner, id).await?.ok_or(GalleryError::NotFound("album"))?.album;
            check_revision(before.revision, if_match)?;
            let mut album = before.clone();
            let work = change(&mut album)?;
            if album == before {
                return Ok(album);
            }
            album.revision = before.revision.next();
            match albums.replace(&album, before.revision, work).await {
                Ok(()) => return Ok(album),
                Err(RepositoryError::Stale) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }
}

impl Context {
    /// An album that is not in the trash.
    pub(super) async fn live_album(&self, owner: UserId, id: AlbumId) -> Result<AlbumEntry, GalleryError> {
        let entry = self.repositories.albums.find(owner, id).await?;
        entry.filter(|entry| entry.album.trashed.is_none()).ok_or(GalleryError::NotFound("album"))
    }
}

fn deletion(entry: &AlbumEntry, photos: AlbumPhotos) -> Deletion {
    Deletion {
        photos: match photos {
            AlbumPhotos::Delete => entry.photo_count,
            AlbumPhotos::Keep => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_remembered_in_a_form_that_outlasts_a_version() {
        let new = NewAlbum {
            title: AlbumTitle::parse("Holidays").expect("a title"),
            description: Description::parse("two\nlines").expect("a description"),
        };
        assert_eq!(new.request(), r#"{"create":"album","description":"two\nlines","title":"Holidays"}"#);
    }
}
