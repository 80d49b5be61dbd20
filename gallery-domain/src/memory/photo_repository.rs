//! Photos in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{MemoryStore, Shelf};
use crate::ports::{AlbumScope, Discrepancy, PhotoRepository, RepositoryError};
use crate::search::SearchQuery;
use crate::{
    Month, MonthCount, Page, PageRequest, Photo, PhotoCursor, PhotoId, PhotoState, Quota, Revision, Sha256Digest,
    TagCount, Task, Timestamp, Usage, UserId, Work,
};

#[async_trait]
impl PhotoRepository for MemoryStore {
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        if state.shelves.values().any(|shelf| shelf.photos.contains_key(&photo.id)) {
            return Err(RepositoryError::AlreadyExists);
        }
        let shelf = state.shelf_mut(photo.owner);
        if photo.holds_content() && shelf.holder_of(&photo.original.sha256).is_some() {
            return Err(RepositoryError::AlreadyExists);
        }
        if !shelf.usage().admits(photo.original.bytes, quota) {
            return Err(RepositoryError::OverQuota);
        }
        shelf.photos.insert(photo.id, photo.clone());
        state.schedule(work);
        Ok(())
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError> {
        Ok(self.lock().shelf(owner).photos.get(&id).cloned())
    }

    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError> {
        let state = self.lock();
        let photos = &state.shelf(owner).photos;
        Ok(ids.iter().filter_map(|id| photos.get(id)).cloned().collect())
    }

    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError> {
        let state = self.lock();
        let photos = state.shelf(owner).photos.values();
        Ok(photos.filter(|p| p.holds_content() && contents.contains(&p.original.sha256)).cloned().collect())
    }

    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        let shelf = state.shelf_mut(photo.owner);
        let Some(old) = shelf.photos.get(&photo.id).filter(|old| old.revision == read_at) else {
            return Err(RepositoryError::Stale);
        };
        if photo.holds_content() && !old.holds_content() && shelf.holder_of(&old.original.sha256).is_some() {
            return Err(RepositoryError::AlreadyExists);
        }
        let new = Photo { original: old.original.clone(), created_at: old.created_at, ..photo.clone() };
        shelf.photos.insert(new.id, new);
        if let Some(work) = work {
            state.schedule(&work);
        }
        Ok(())
    }

    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        let shelf = state.shelf_mut(owner);
        shelf.photos.remove(&id);
        for album in shelf.albums.values_mut() {
            album.remove(id);
        }
        state.work.remove(&Task::Photo { owner, photo: id });
        Ok(())
    }

    async fn timeline(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Ok(self.lock().shelf(owner).latest_first(page, |photo| photo.is_visible().then(|| photo.timeline_instant())))
    }

    async fn favourites(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let is_listed = |photo: &Photo| photo.is_visible() && photo.details.favourite;
        Ok(self.lock().shelf(owner).latest_first(page, |photo| is_listed(photo).then(|| photo.timeline_instant())))
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let trashed_at = |photo: &Photo| photo.trashed.filter(|_| photo.is_in_trash()).map(|trashed| trashed.at);
        Ok(self.lock().shelf(owner).latest_first(page, trashed_at))
    }

    async fn unfinished(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Ok(self.lock().shelf(owner).latest_first(page, |photo| photo.is_unfinished().then_some(photo.created_at)))
    }

    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError> {
        let mut months: BTreeMap<Month, u64> = BTreeMap::new();
        for photo in self.lock().shelf(owner).visible() {
            *months.entry(photo.month()).or_default() += 1;
        }
        Ok(months.into_iter().rev().map(|(month, photos)| MonthCount { month, photos }).collect())
    }

    async fn search(
        &self,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let state = self.lock();
        let shelf = state.shelf(owner);
        Ok(shelf.latest_first(page, |photo| {
            (photo.is_visible() && shelf.is_within(photo.id, albums) && is_found(photo, query))
                .then(|| photo.timeline_instant())
        }))
    }

    async fn tags(&self, owner: UserId, key_prefix: &str, limit: u32) -> Result<Vec<TagCount>, RepositoryError> {
        let mut tags: BTreeMap<String, TagCount> = BTreeMap::new();
        for photo in self.lock().shelf(owner).visible() {
            for tag in photo.details.tags.iter() {
                if tag.key().starts_with(key_prefix) {
                    tags.entry(tag.key().to_owned())
                        .or_insert_with(|| TagCount { tag: tag.clone(), photos: 0 })
                        .photos += 1;
                }
            }
        }
        Ok(tags.into_values().take(limit as usize).collect())
    }

    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError> {
        let state = self.lock();
        let photos = state.shelf(owner).photos.values();
        let rest = photos.filter(|photo| page.after.is_none_or(|after| after < photo.id));
        Ok(Page::from_overfull(rest.take(page.size.get() + 1).cloned().collect(), page.size, |photo| photo.id))
    }

    /// Nothing derived is kept, so nothing can differ.
    async fn audit(&self, _owner: UserId, _repair: bool) -> Result<Vec<Discrepancy>, RepositoryError> {
        Ok(Vec::new())
    }
}

impl Shelf {
    pub(super) fn usage(&self) -> Usage {
        self.photos.values().fold(Usage::default(), |usage, photo| Usage {
            bytes: usage.bytes.saturating_add(photo.original.bytes),
            photos: usage.photos + 1,
            pending_uploads: usage.pending_uploads + u64::from(matches!(photo.state, PhotoState::Uploading)),
        })
    }

    fn holder_of(&self, content: &Sha256Digest) -> Option<&Photo> {
        self.photos.values().find(|photo| photo.original.sha256 == *content && photo.holds_content())
    }

    fn visible(&self) -> impl Iterator<Item = &Photo> {
        self.photos.values().filter(|photo| photo.is_visible())
    }

    fn is_within(&self, photo: PhotoId, albums: &AlbumScope) -> bool {
        let stands_in = |album| self.albums.get(album).is_some_and(|album| album.ranks.contains_key(&photo));
        albums.within.iter().all(|group| group.iter().any(stands_in)) && !albums.outside.iter().any(stands_in)
    }

    /// A page of those photos for which `listed_at` gives the time to list them by.
    fn latest_first(
        &self,
        page: PageRequest<PhotoCursor>,
        listed_at: impl Fn(&Photo) -> Option<Timestamp>,
    ) -> Page<Photo, PhotoCursor> {
        let mut listed: Vec<(PhotoCursor, &Photo)> = self
            .photos
            .values()
            .filter_map(|photo| Some((PhotoCursor { at: listed_at(photo)?, id: photo.id }, photo)))
            .filter(|(cursor, _)| page.after.is_none_or(|after| after.precedes(cursor)))
            .collect();
        listed.sort_unstable_by_key(|(cursor, _)| Reverse((cursor.at, cursor.id)));
        Page::from_overfull(listed, page.size, |(cursor, _)| *cursor).map(|(_, photo)| photo.clone())
    }
}

/// Whether a visible photo is found, its albums aside: the scope says which those are.
fn is_found(photo: &Photo, query: &SearchQuery) -> bool {
    let Some(facts) = photo.facts() else { return false };
    let day = photo.timeline_instant().to_utc().date();
    query.matches_but_for_albums(&photo.terms(), photo.details.favourite, facts.media_type.short_name(), day)
}
