//! Requests that create something and may be sent twice.

use std::fmt::Debug;

use async_trait::async_trait;
use uuid::Uuid;

use super::RepositoryError;
use crate::{Sha256Digest, Timestamp, UserId};

/// Remembers which id the first request with a key was given, so that its repetition creates the same thing and not a second one.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdempotencyRepository: Debug + Send + Sync + 'static {
    /// Claims an owner's key for a request and an id: the first claim keeps its own, each later one is told the first's.
    /// Of two at the same time one is the first. A claim that expired is as good as none.
    async fn claim(
        &self,
        owner: UserId,
        key: &str,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<IdempotencyClaim, RepositoryError>;

    /// Forgets all keys of an owner.
    async fn remove_all(&self, owner: UserId) -> Result<(), RepositoryError>;

    /// Forgets up to `limit` claims that expired before `now`; how many.
    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError>;
}

/// What a key was claimed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyClaim {
    /// The hash of the request, to tell a repetition from another request with the same key.
    pub request: Sha256Digest,
    /// The id of what the request creates.
    pub id: Uuid,
    /// When the key may be used anew.
    pub expires_at: Timestamp,
}
