//! Albums and which photos stand in them.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{
    Album, AlbumCursor, AlbumEntry, AlbumId, Membership, Page, PageRequest, Photo, PhotoId, RankCursor, Revision,
    UserId, Work,
};

/// Keeps albums, and the places of photos in them.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AlbumRepository: Debug + Send + Sync + 'static {
    /// Adds an album. Answers [`AlreadyExists`](RepositoryError::AlreadyExists) if the id is taken.
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError>;

    /// The owner's album of this id, also one in the trash, and how many visible photos stand in it.
    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError>;

    /// The owner's albums outside the trash whose [title's key](crate::AlbumTitle::key) this is, at most 20, latest created first.
    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError>;

    /// Writes a changed album, whose revision is the one after `read_at`, and schedules work, in one atomic write.
    /// Answers [`Stale`](RepositoryError::Stale) unless the album is there with the revision `read_at`; of two changes of the same revision one wins.
    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError>;

    /// Removes an album for good, with its places, not its photos, and cancels work on it. Removing an absent one succeeds.
    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError>;

    /// The albums outside the trash, latest created first.
    async fn list(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError>;

    /// The albums in the trash, last trashed first. The cursor holds the time of trashing.
    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError>;

    /// For each of these albums, at most 100, the photo that stands for it: its cover if that is visible and stands in the album, else its first
    /// visible photo; in the order asked. Albums without one are left out; one named twice comes twice.
    async fn covers(&self, owner: UserId, albums: &[AlbumId]) -> Result<Vec<(AlbumId, Photo)>, RepositoryError>;

    /// Puts photos, at most 100, into an album, each at its rank; one that stands there already is moved. Photos and albums
    /// that are absent or another's are passed over. Answers how many were not there before.
    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError>;

    /// Takes photos, at most 100, out of an album. Those that do not stand in it are passed over. Answers how many stood there.
    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError>;

    /// The visible photos of an album by rank, those of the same rank by id.
    async fn photos(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<(Membership, Photo), RankCursor>, RepositoryError>;

    /// Every place of an album by rank and photo, whatever state the photos are in: for work on whole albums.
    async fn members(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Membership, RankCursor>, RepositoryError>;

    /// The place of one photo in an album.
    async fn member(
        &self,
        owner: UserId,
        album: AlbumId,
        photo: PhotoId,
    ) -> Result<Option<Membership>, RepositoryError>;

    /// The last place of an album, whatever state its photo is in.
    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError>;

    /// The place right before a place of an album, whatever state its photo is in.
    async fn member_before(
        &self,
        owner: UserId,
        album: AlbumId,
        place: &RankCursor,
    ) -> Result<Option<Membership>, RepositoryError>;

    /// The albums, in the trash or not, that a photo stands in, at most 1,000, by id.
    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError>;

    /// All albums of an owner, also those in the trash, by id, lowest first: for erasure, integrity checks and moves between stores.
    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError>;
}
