//! Albums in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;

use super::{KeptAlbum, MemoryStore, Shelf};
use crate::ports::{AlbumRepository, RepositoryError};
use crate::{
    Album, AlbumCursor, AlbumEntry, AlbumId, Membership, Page, PageRequest, Photo, PhotoId, RankCursor, Revision, Task,
    Timestamp, UserId, Work,
};

/// The most albums that a title stands for.
const SAME_TITLE: usize = 20;

/// The most albums of a photo that are named.
const ALBUMS_OF_A_PHOTO: usize = 1_000;

#[async_trait]
impl AlbumRepository for MemoryStore {
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        if state.shelves.values().any(|shelf| shelf.albums.contains_key(&album.id)) {
            return Err(RepositoryError::AlreadyExists);
        }
        let kept = KeptAlbum { album: album.clone(), ranks: BTreeMap::new(), places: BTreeSet::new() };
        state.shelf_mut(album.owner).albums.insert(album.id, kept);
        Ok(())
    }

    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError> {
        let state = self.lock();
        let shelf = state.shelf(owner);
        Ok(shelf.albums.get(&id).map(|kept| shelf.entry(kept)))
    }

    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError> {
        let state = self.lock();
        let albums = state.shelf(owner).albums.values().map(|kept| &kept.album);
        let mut found: Vec<&Album> =
            albums.filter(|album| album.trashed.is_none() && album.title.key() == title_key).collect();
        found.sort_unstable_by_key(|album| Reverse((album.created_at, album.id)));
        Ok(found.into_iter().take(SAME_TITLE).map(|album| album.id).collect())
    }

    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        let albums = &mut state.shelf_mut(album.owner).albums;
        let Some(kept) = albums.get_mut(&album.id).filter(|kept| kept.album.revision == read_at) else {
            return Err(RepositoryError::Stale);
        };
        kept.album = Album { created_at: kept.album.created_at, ..album.clone() };
        if let Some(work) = work {
            state.schedule(&work);
        }
        Ok(())
    }

    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        state.shelf_mut(owner).albums.remove(&id);
        state.work.remove(&Task::Album { owner, album: id });
        Ok(())
    }

    async fn list(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let created_at = |album: &Album| album.trashed.is_none().then_some(album.created_at);
        Ok(self.lock().shelf(owner).latest_albums_first(page, created_at))
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let trashed_at = |album: &Album| album.trashed.map(|trashed| trashed.at);
        Ok(self.lock().shelf(owner).latest_albums_first(page, trashed_at))
    }

    async fn covers(&self, owner: UserId, albums: &[AlbumId]) -> Result<Vec<(AlbumId, Photo)>, RepositoryError> {
        let state = self.lock();
        let shelf = state.shelf(owner);
        let cover = |kept: &KeptAlbum| {
            let chosen = kept.album.cover.filter(|cover| kept.ranks.contains_key(cover));
            let chosen = chosen.and_then(|cover| shelf.photos.get(&cover)).filter(|photo| photo.is_visible());
            chosen.or_else(|| shelf.visible_places(kept).next().map(|(_, photo)| photo)).cloned()
        };
        Ok(albums.iter().filter_map(|id| Some((*id, cover(shelf.albums.get(id)?)?))).collect())
    }

    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError> {
        let mut state = self.lock();
        let shelf = state.shelf_mut(owner);
        let Some(kept) = shelf.albums.get_mut(&album) else { return Ok(0) };
        let known = places.iter().filter(|place| shelf.photos.contains_key(&place.photo));
        Ok(known.map(|place| u64::from(kept.place(place.photo, &place.rank))).sum())
    }

    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError> {
        let mut state = self.lock();
        let Some(kept) = state.shelf_mut(owner).albums.get_mut(&album) else { return Ok(0) };
        Ok(photos.iter().map(|photo| u64::from(kept.remove(*photo))).sum())
    }

    async fn photos(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<(Membership, Photo), RankCursor>, RepositoryError> {
        let state = self.lock();
        let shelf = state.shelf(owner);
        let Some(kept) = shelf.albums.get(&album) else { return Ok(Page::empty()) };
        let rest =
            shelf.visible_places(kept).filter(|(place, _)| page.after.as_ref().is_none_or(|after| after < *place));
        let places = rest.take(page.size.get() + 1).collect();
        Ok(Page::from_overfull(places, page.size, |(place, _)| (*place).clone())
            .map(|(place, photo)| (membership(place), photo.clone())))
    }

    async fn members(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Membership, RankCursor>, RepositoryError> {
        let state = self.lock();
        let Some(kept) = state.shelf(owner).albums.get(&album) else { return Ok(Page::empty()) };
        let start = page.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let places = kept.places.range((start, Bound::Unbounded)).take(page.size.get() + 1).collect();
        Ok(Page::from_overfull(places, page.size, |place| (*place).clone()).map(membership))
    }

    async fn member(
        &self,
        owner: UserId,
        album: AlbumId,
        photo: PhotoId,
    ) -> Result<Option<Membership>, RepositoryError> {
        let state = self.lock();
        let rank = state.shelf(owner).albums.get(&album).and_then(|kept| kept.ranks.get(&photo));
        Ok(rank.map(|rank| Membership { photo, rank: rank.clone() }))
    }

    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError> {
        let state = self.lock();
        Ok(state.shelf(owner).albums.get(&album).and_then(|kept| kept.places.last()).map(membership))
    }

    async fn member_before(
        &self,
        owner: UserId,
        album: AlbumId,
        place: &RankCursor,
    ) -> Result<Option<Membership>, RepositoryError> {
        let state = self.lock();
        let before = state.shelf(owner).albums.get(&album).and_then(|kept| kept.places.range(..place).next_back());
        Ok(before.map(membership))
    }

    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError> {
        let state = self.lock();
        let albums = state.shelf(owner).albums.iter().filter(|(_, kept)| kept.ranks.contains_key(&photo));
        Ok(albums.map(|(id, _)| *id).take(ALBUMS_OF_A_PHOTO).collect())
    }

    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError> {
        let state = self.lock();
        let albums = state.shelf(owner).albums.values().map(|kept| &kept.album);
        let rest = albums.filter(|album| page.after.is_none_or(|after| after < album.id));
        Ok(Page::from_overfull(rest.take(page.size.get() + 1).cloned().collect(), page.size, |album| album.id))
    }
}

impl Shelf {
    fn entry(&self, kept: &KeptAlbum) -> AlbumEntry {
        AlbumEntry { album: kept.album.clone(), photo_count: self.visible_places(kept).count() as u64 }
    }

    fn visible_places<'a>(&'a self, kept: &'a KeptAlbum) -> impl Iterator<Item = (&'a RankCursor, &'a Photo)> {
        let photos = kept.places.iter().filter_map(|place| Some((place, self.photos.get(&place.photo)?)));
        photos.filter(|(_, photo)| photo.is_visible())
    }

    /// A page of those albums for which `listed_at` gives the time to list them by.
    fn latest_albums_first(
        &self,
        page: PageRequest<AlbumCursor>,
        listed_at: impl Fn(&Album) -> Option<Timestamp>,
    ) -> Page<AlbumEntry, AlbumCursor> {
        let mut listed: Vec<(AlbumCursor, &KeptAlbum)> = self
            .albums
            .values()
            .filter_map(|kept| Some((AlbumCursor { at: listed_at(&kept.album)?, id: kept.album.id }, kept)))
            .filter(|(cursor, _)| page.after.is_none_or(|after| (cursor.at, cursor.id) < (after.at, after.id)))
            .collect();
        listed.sort_unstable_by_key(|(cursor, _)| Reverse((cursor.at, cursor.id)));
        Page::from_overfull(listed, page.size, |(cursor, _)| *cursor).map(|(_, kept)| self.entry(kept))
    }
}

fn membership(place: &RankCursor) -> Membership {
    Membership { photo: place.photo, rank: place.rank.clone() }
}
