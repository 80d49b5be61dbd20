//! Photos in DynamoDB.

#![allow(unused, reason = "the methods follow")]

use async_trait::async_trait;
use gallery_domain::ports::*;
use gallery_domain::search::SearchQuery;
use gallery_domain::*;

use super::DynamoDbStore;

/// Photos in DynamoDB.
#[derive(Debug)]
pub(super) struct DynamoDbPhotoRepository {
    store: DynamoDbStore,
}

impl DynamoDbPhotoRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl PhotoRepository for DynamoDbPhotoRepository {
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError> {
        Err(super::error::permanent("insert", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError> {
        Err(super::error::permanent("find", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError> {
        Err(super::error::permanent("find_many", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError> {
        Err(super::error::permanent("find_by_content", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        Err(super::error::permanent("replace", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
        Err(super::error::permanent("remove", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn timeline(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Err(super::error::permanent("timeline", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn favourites(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Err(super::error::permanent("favourites", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Err(super::error::permanent("trash", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn unfinished(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Err(super::error::permanent("unfinished", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError> {
        Err(super::error::permanent("months", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn search(
        &self,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        Err(super::error::permanent("search", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn tags(&self, owner: UserId, key_prefix: &str, limit: u32) -> Result<Vec<TagCount>, RepositoryError> {
        Err(super::error::permanent("tags", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError> {
        Err(super::error::permanent("all", super::error::DynamoDbFailure::TooLarge).into())
    }

    async fn audit(&self, owner: UserId, repair: bool) -> Result<Vec<Discrepancy>, RepositoryError> {
        Err(super::error::permanent("audit", super::error::DynamoDbFailure::TooLarge).into())
    }
}
