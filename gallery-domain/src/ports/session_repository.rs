//! Sessions.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{Session, SessionId, Timestamp, TokenHash, UserId};

/// Keeps sessions. Whether one is still live is for its reader to say, by [`Session::is_live`].
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SessionRepository: Debug + Send + Sync + 'static {
    /// Adds a session. Answers [`AlreadyExists`](RepositoryError::AlreadyExists) if its id or token is taken.
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError>;

    /// The session of a token.
    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError>;

    /// Notes that a session was used, if it is still there; `last_seen_at` never goes back.
    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError>;

    /// The user's sessions, last created first, at most 1,000.
    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError>;

    /// Ends a session of the user. Removing an absent one, or another user's, succeeds and changes nothing.
    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError>;

    /// Ends all sessions of the user, but for the one named.
    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError>;

    /// Forgets up to `limit` sessions that ended before `now`; how many.
    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError>;
}
