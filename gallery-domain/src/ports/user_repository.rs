//! Users.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{EmailAddress, Page, PageRequest, Revision, Usage, User, UserId, Work};

/// Keeps users.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait UserRepository: Debug + Send + Sync + 'static {
    /// Adds a user. Answers [`AlreadyExists`](RepositoryError::AlreadyExists) if the id or the e-mail address is taken; of two at the same time one wins.
    async fn insert(&self, user: &User) -> Result<(), RepositoryError>;

    /// The user of this id.
    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError>;

    /// The user of this e-mail address.
    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, RepositoryError>;

    /// Writes a changed user, whose revision is the one after `read_at`, and schedules work, in one atomic write.
    /// Answers [`Stale`](RepositoryError::Stale) unless the user is there with the revision `read_at`, and
    /// [`AlreadyExists`](RepositoryError::AlreadyExists) if a changed e-mail address is taken.
    async fn replace(&self, user: &User, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError>;

    /// Removes a user, the counts of their usage and work on their account, and schedules other work, in one atomic write; their photos and albums
    /// have to be gone by then. Of an absent one nothing is removed, and the work is scheduled.
    async fn remove(&self, id: UserId, work: Option<Work>) -> Result<(), RepositoryError>;

    /// What the user's photos come to: all zero for whoever has none. Kept by the [`PhotoRepository`](super::PhotoRepository).
    async fn usage(&self, id: UserId) -> Result<Usage, RepositoryError>;

    /// All users by id, lowest first: for the operator and for integrity checks.
    async fn all(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, RepositoryError>;
}
