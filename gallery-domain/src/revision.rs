//! Optimistic concurrency.

use serde::{Deserialize, Serialize};

/// How often a thing has been written: 1 when created, one more with each change.
///
/// Whoever changes a thing says which revision was read; a store refuses the change when that is not the one it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(u64);

impl Revision {
    /// The revision of what was just created.
    pub const FIRST: Self = Self(1);

    /// The revision with this number, as a store kept it or a client named it.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
