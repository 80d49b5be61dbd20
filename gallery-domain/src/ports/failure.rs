//! How a port fails.

use std::error::Error;
use std::time::Duration;

/// A backend did not do what was asked, for a reason that has nothing to do with the request.
#[derive(Debug, thiserror::Error)]
#[error("{backend}: {operation} failed")]
pub struct BackendFailure {
    /// Which backend, such as `sqlite`.
    pub backend: &'static str,
    /// What was asked of it, such as `photo insert`.
    pub operation: &'static str,
    /// Whether trying again can help.
    pub retry: Retry,
    /// What to tell whoever uses the gallery, if there is more to tell than that it failed.
    pub outage: Option<Outage>,
    /// The cause.
    pub source: Box<dyn Error + Send + Sync>,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Something must be mended first.
    Never,
    /// The backend is busy, unreachable or out of room: later.
    After(Duration),
}

/// Why a backend is of no use for a while, in words for whoever uses the gallery: they say nothing of where and how it keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Outage {
    /// There is no room for anything new.
    #[error("the gallery's disk is full, so nothing new can be kept: ask its operator to make room, then try again")]
    DiskFull,
    /// What there is can be read, and nothing can be changed.
    #[error(
        "the gallery's disk is read-only, so nothing can be changed: ask its operator to mend that, then try again"
    )]
    ReadOnly,
}

impl BackendFailure {
    /// A failure that will not go away by itself.
    pub fn permanent(
        backend: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { backend, operation, retry: Retry::Never, outage: None, source: source.into() }
    }

    /// A failure that may pass: worth a retry after a second.
    pub fn transient(
        backend: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { backend, operation, retry: Retry::After(Duration::from_secs(1)), outage: None, source: source.into() }
    }

    /// The same failure, of which it is known what to tell.
    pub fn because_of(mut self, outage: Outage) -> Self {
        self.outage = Some(outage);
        self
    }

    /// Whether it may pass by itself.
    pub const fn is_transient(&self) -> bool {
        matches!(self.retry, Retry::After(_))
    }
}

/// How a repository's method can end, other than well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// Something that has to be unique is there already; nothing was written.
    #[error("it exists already")]
    AlreadyExists,

    /// The thing has another revision than the one read, or is gone; nothing was written.
    #[error("it was changed since it was read")]
    Stale,

    /// One more would not fit the owner's quota; nothing was written.
    #[error("the owner's quota is used up")]
    OverQuota,

    /// What the store holds cannot be read as what it should be.
    #[error("the store holds {what} that cannot be read")]
    Corrupt {
        /// What it should be, with its id.
        what: String,
        /// Why it cannot be read.
        source: Box<dyn Error + Send + Sync>,
    },

    /// The backend failed. Whether the write happened is unknown.
    #[error(transparent)]
    Backend(#[from] BackendFailure),
}
