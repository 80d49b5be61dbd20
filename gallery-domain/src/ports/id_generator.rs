//! Identifiers and secrets.

use std::fmt::Debug;

use uuid::Uuid;

use crate::Timestamp;

/// Makes identifiers and secrets.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait IdGenerator: Debug + Send + Sync + 'static {
    /// A UUID version 7 that carries `now` in its first 48 bits (0 for a time before 1970), and never comes twice.
    fn new_id(&self, now: Timestamp) -> Uuid;

    /// 256 bits that nobody can guess, from the operating system's source of randomness.
    fn new_secret(&self) -> [u8; 32];
}
