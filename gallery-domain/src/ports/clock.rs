//! The time.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::Timestamp;

/// Tells the time.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// Now, to the millisecond.
    fn now(&self) -> Timestamp;

    /// Waits until it is this time, or later. Waits not at all if it is.
    async fn sleep_until(&self, time: Timestamp);
}
