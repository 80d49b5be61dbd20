//! Photos: one method for each way in which they are read and written.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::search::SearchQuery;
use crate::{
    AlbumId, MonthCount, Page, PageRequest, Photo, PhotoCursor, PhotoId, Quota, Revision, Sha256Digest, TagCount,
    UserId, Work,
};

/// Keeps photos, and everything that is derived from them: usage, months, tag counts, the search index, and the lock by which
/// an owner has each content only once. What is derived follows the photo within the same call.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PhotoRepository: Debug + Send + Sync + 'static {
    /// Adds a photo and schedules work on it, in one atomic write.
    ///
    /// Answers [`AlreadyExists`](RepositoryError::AlreadyExists) if the id is taken, be it by another owner's photo, or if the photo
    /// [holds its content](Photo::holds_content) and another of the owner's that does has the same SHA-256; of two at the same time one wins.
    /// Answers [`OverQuota`](RepositoryError::OverQuota) if the owner's [usage](crate::Usage) does not [admit](crate::Usage::admits)
    /// it; however many come at the same time, the quota is never exceeded. A photo that is refused for both reasons is `AlreadyExists`.
    /// Adds to the usage. Whether the owner is a user is not checked.
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError>;

    /// The owner's photo of this id, in whatever state it is.
    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError>;

    /// The owner's photos of these ids, at most 100, in the order asked. Absent ones are left out; one named twice comes twice.
    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError>;

    /// The owner's photos that [hold](Photo::holds_content) one of these contents, at most 100, in any order.
    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError>;

    /// Writes a changed photo, whose revision is the one after `read_at`, and schedules work, in one atomic write.
    ///
    /// Answers [`Stale`](RepositoryError::Stale) unless the photo is there with the revision `read_at`; of two changes of the same
    /// revision one wins. Answers [`AlreadyExists`](RepositoryError::AlreadyExists) if it now [holds its content](Photo::holds_content),
    /// did not before, and another photo does. Its owner, id, creation time and original never change.
    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError>;

    /// Removes a photo for good, takes it out of every album, out of the usage, and cancels work on it. Removing an absent one succeeds.
    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError>;

    /// The visible photos, latest timeline instant first.
    async fn timeline(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError>;

    /// The visible photos that are favourites, latest timeline instant first.
    async fn favourites(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError>;

    /// The photos [in the trash](Photo::is_in_trash), last trashed first. The cursor holds the time of trashing.
    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError>;

    /// The [unfinished](Photo::is_unfinished) photos, last announced first. The cursor holds the time of creation.
    async fn unfinished(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError>;

    /// The months that hold visible photos, latest first, with how many each holds.
    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError>;

    /// The visible photos that a query [matches](SearchQuery::matches), latest timeline instant first.
    ///
    /// `albums` names the albums that each [album reference](SearchQuery) of the query stands for. The work done is bounded by the
    /// page, not by how many photos there are; where few of the photos looked at match, the page is short, perhaps empty, and has a cursor.
    /// Photos without a word that is sought, or outside the albums, are not looked at: a search for one word, or within albums alone, fills
    /// its pages, however many other photos stand in between.
    async fn search(
        &self,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError>;

    /// Tags of visible photos whose [key](crate::Tag::key) starts with `key_prefix`, in the order of their keys (by code point), at most `limit`.
    /// The spelling is that of one of the photos.
    async fn tags(&self, owner: UserId, key_prefix: &str, limit: u32) -> Result<Vec<TagCount>, RepositoryError>;

    /// All photos of an owner in any state, by id, lowest first: for erasure, integrity checks and moves between stores.
    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError>;

    /// Recounts what the store derives from the owner's photos (usage, months, tags, search index, content locks, album counts) and
    /// names each difference; with `repair`, also writes what the recount gave. Takes time that grows with the owner's photos.
    async fn audit(&self, owner: UserId, repair: bool) -> Result<Vec<Discrepancy>, RepositoryError>;
}

/// What the album references of a search stand for: a photo has to stand in at least one album of each group of `within`, and in none of `outside`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlbumScope {
    /// One group for each `in:` of the query; a group may hold several albums of the same title, and an empty one matches nothing.
    pub within: Vec<Vec<AlbumId>>,
    /// The albums of every `-in:`.
    pub outside: Vec<AlbumId>,
}

/// Something derived that differs from what it is derived from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// What: such as `month 2024-06`.
    pub subject: String,
    /// What the store holds.
    pub stored: String,
    /// What recounting gives.
    pub counted: String,
}
