//! Albums in DynamoDB.

#![allow(unused, reason = "the methods follow")]

use async_trait::async_trait;
use gallery_domain::ports::*;
use gallery_domain::search::SearchQuery;
use gallery_domain::*;

use super::DynamoDbStore;

/// Albums in DynamoDB.
#[derive(Debug)]
pub(super) struct DynamoDbAlbumRepository {
    store: DynamoDbStore,
}

impl DynamoDbAlbumRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl AlbumRepository for DynamoDbAlbumRepository {
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError> {
        Err(super::error::permanent("insert", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError> {
        Err(super::error::permanent("find", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError> {
        Err(super::error::permanent("find_by_title", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        Err(super::error::permanent("replace", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError> {
        Err(super::error::permanent("remove", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn list(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        Err(super::error::permanent("list", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        Err(super::error::permanent("trash", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn covers(&self, owner: UserId, albums: &[AlbumId]) -> Result<Vec<(AlbumId, Photo)>, RepositoryError> {
        Err(super::error::permanent("covers", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError> {
        Err(super::error::permanent("add_photos", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError> {
        Err(super::error::permanent("remove_photos", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn photos(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<(Membership, Photo), RankCursor>, RepositoryError> {
        Err(super::error::permanent("photos", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn members(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Membership, RankCursor>, RepositoryError> {
        Err(super::error::permanent("members", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn member(
        &self,
        owner: UserId,
        album: AlbumId,
        photo: PhotoId,
    ) -> Result<Option<Membership>, RepositoryError> {
        Err(super::error::permanent("member", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError> {
        Err(super::error::permanent("last_member", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn member_before(
        &self,
        owner: UserId,
        album: AlbumId,
        place: &RankCursor,
    ) -> Result<Option<Membership>, RepositoryError> {
        Err(super::error::permanent("member_before", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError> {
        Err(super::error::permanent("albums_of", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError> {
        Err(super::error::permanent("all", super::error::DynamoDbFailure::TooLarge).into())
    }
}
