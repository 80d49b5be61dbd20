//! Driven adapters of the photo gallery, each behind its own feature, and the one place that selects them.

pub mod config;
// There is nothing to connect in a build that lacks every adapter for one of the parts.
#[cfg(all(
    any(feature = "sqlite", feature = "memory"),
    any(feature = "filesystem", feature = "memory"),
    any(feature = "outbox", feature = "smtp"),
    feature = "password-identity",
    feature = "imaging",
))]
pub mod connect;
#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(feature = "imaging")]
pub mod imaging;
#[cfg(any(feature = "outbox", feature = "smtp"))]
pub mod mail;
#[cfg(feature = "password-identity")]
pub mod password_identity;
#[cfg(feature = "signed-urls")]
pub mod signed_urls;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod system;
