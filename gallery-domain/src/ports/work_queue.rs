//! Work that outlasts a request, and survives a crash.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{ClaimedWork, Task, Timestamp, Work};

/// Keeps work until it is done. There is at most one item for a [task](Task); the repositories schedule it in the same atomic write as the change it follows.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait WorkQueue: Debug + Send + Sync + 'static {
    /// Schedules work; on a task that is scheduled already, this due time takes the place of that one, its attempts start anew, and any claim on it is void.
    async fn schedule(&self, work: &Work) -> Result<(), RepositoryError>;

    /// Claims up to `limit` items (at most 100) that are due, most overdue first; due is from `due_at` on. Each is due again after `lease` unless it is completed or postponed
    /// before; of several that claim at once, one gets it.
    async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedWork>, RepositoryError>;

    /// Removes an item that is done, unless the claim is void by now: what was scheduled again, or claimed by somebody else once the lease had
    /// ended, stays. The end of the lease alone voids nothing.
    async fn complete(&self, claimed: &ClaimedWork) -> Result<(), RepositoryError>;

    /// Makes an item due at another time and keeps its attempts, unless the claim is void by now.
    async fn postpone(&self, claimed: &ClaimedWork, due_at: Timestamp) -> Result<(), RepositoryError>;

    /// Removes the work on a task. Removing absent work succeeds.
    async fn cancel(&self, task: &Task) -> Result<(), RepositoryError>;

    /// When the next item is due, if any is: how long a worker may sleep. Claimed items count with the end of their lease.
    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError>;
}
