//! How often something may be tried, counted for all processes together.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{Decision, Throttle, ThrottleKey, Timestamp};

/// Counts attempts in the shared store.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait RateLimiter: Debug + Send + Sync + 'static {
    /// Asks for an attempt: reads the key's state, has [`Throttle::decide`] decide, and keeps what it says, atomically: however many ask at
    /// once, no more are allowed than the rule says.
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError>;

    /// Forgets the attempts of a key, as after a success.
    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError>;

    /// Drops up to `limit` keys that were [forgettable](Throttle::forgettable_at) before `now`; how many.
    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError>;
}
