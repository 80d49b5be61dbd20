//! All that one store keeps.

use std::sync::Arc;

use super::{
    AlbumRepository, CredentialRepository, IdempotencyRepository, PhotoRepository, RateLimiter, SessionRepository,
    UserRepository, WorkQueue,
};

/// The ports that one store implements together: a change and the work that follows it are one atomic write, so they have to be
/// of one store.
#[derive(Clone, Debug)]
pub struct Repositories {
    /// Photos.
    pub photos: Arc<dyn PhotoRepository>,
    /// Albums.
    pub albums: Arc<dyn AlbumRepository>,
    /// Users.
    pub users: Arc<dyn UserRepository>,
    /// Passwords and codes.
    pub credentials: Arc<dyn CredentialRepository>,
    /// Sessions.
    pub sessions: Arc<dyn SessionRepository>,
    /// Requests that may be sent twice.
    pub idempotency: Arc<dyn IdempotencyRepository>,
    /// Counted attempts.
    pub rate_limiter: Arc<dyn RateLimiter>,
    /// Work that outlasts a request.
    pub work: Arc<dyn WorkQueue>,
}
