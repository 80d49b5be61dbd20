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

impl BackendFailure {
    /// A failure that will not go away by itself.
    pub fn permanent(
        backend: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { backend, operation, retry: Retry::Never, source: source.into() }
    }

    /// A failure that may pass: worth a retry after a second.
    pub fn transient(
        backend: &'static str,
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { backend, operation, retry: Retry::After(Duration::from_secs(1)), source: source.into() }
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
