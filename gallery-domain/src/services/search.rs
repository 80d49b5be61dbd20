//! Search.

use super::Context;
use crate::ports::AlbumScope;
use crate::search::SearchQuery;
use crate::{Actor, AlbumId, AlbumTitle, GalleryError, Page, PageRequest, Photo, PhotoCursor, UserId};

/// Finds photos of whoever acts.
#[derive(Clone, Debug)]
pub struct Search {
    context: Context,
}

impl Search {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// The visible photos that a query matches, latest first. A page may be short, even empty, and not be the last.
    pub async fn search(
        &self,
        actor: &Actor,
        query: &SearchQuery,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, GalleryError> {
        let owner = actor.user();
        let mut scope = AlbumScope::default();
        for reference in query.albums() {
            let albums = self.albums(owner, reference).await?;
            if albums.is_empty() {
                return Ok(Page::empty());
            }
            scope.within.push(albums);
        }
        for reference in query.not_albums() {
            scope.outside.extend(self.albums(owner, reference).await?);
        }
        Ok(self.context.repositories.photos.search(owner, query, &scope, page).await?)
    }

    /// The albums that `in:` stands for: the one of that id, else those of that title.
    async fn albums(&self, owner: UserId, reference: &str) -> Result<Vec<AlbumId>, GalleryError> {
        let albums = &self.context.repositories.albums;
        if let Ok(id) = reference.parse() {
            let entry = albums.find(owner, id).await?;
            return Ok(entry.filter(|entry| entry.album.trashed.is_none()).map(|_| id).into_iter().collect());
        }
        match AlbumTitle::parse(reference) {
            Ok(title) => Ok(albums.find_by_title(owner, &title.key()).await?),
            Err(_) => Ok(Vec::new()),
        }
    }
}
