//! The time.

use std::fmt::Debug;

use crate::Timestamp;

/// Tells the time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Debug + Send + Sync + 'static {
    /// Now, to the millisecond.
    fn now(&self) -> Timestamp;
}
