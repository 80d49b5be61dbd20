//! Driven adapters of the photo gallery, each behind its own feature, and the one place that selects them.
//!
//! [`config`] says what was chosen, `connect` opens it, and a [`Gallery`](gallery_domain::services::Gallery) runs on it:
//!
#![cfg_attr(feature = "embedded", doc = "```")]
#![cfg_attr(not(feature = "embedded"), doc = "```ignore")]
//! use gallery_adapters::config::GalleryConfig;
//! use gallery_adapters::connect::{BLOB_URL_PREFIX, connect};
//! use gallery_domain::search::SearchQuery;
//! use gallery_domain::services::{Gallery, Policy, SignUp};
//! use gallery_domain::{EmailAddress, PageRequest, PageSize, Password, PersonName};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A program reads the environment with `GalleryConfig::from_env()`.
//! let folder = tempfile::tempdir()?;
//! let data = folder.path().to_str().map(str::to_owned);
//! let config = GalleryConfig::from_lookup(|name| data.clone().filter(|_| name == "GALLERY_DATA"))?;
//! let connected = connect(&config, BLOB_URL_PREFIX).await?;
//! let gallery = Gallery::new(connected.ports.clone(), Policy::default());
//!
//! let email: EmailAddress = "ada@example.org".parse()?;
//! let password = Password::parse("correct horse battery")?;
//! gallery.accounts.create_confirmed(&SignUp { email: email.clone(), password, name: PersonName::parse("Ada")? }).await?;
//!
//! let ada = gallery.accounts.act_for(&email).await?;
//! let query = SearchQuery::parse("lake OR sea after:2024")?;
//! let found = gallery.search.search(&ada, &query, PageRequest::first(PageSize::MAX)).await?;
//! assert!(found.items.is_empty(), "nothing was added yet");
//!
//! connected.settle().await;
//! connected.store.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! | feature | brings | chosen by |
//! |---|---|---|
//! | `sqlite` | every repository, in one file | `GALLERY_STORE=sqlite:PATH` |
//! | `postgres` | every repository, on a PostgreSQL server | `GALLERY_STORE=postgres://…` |
//! | `aws` | that server's password, from Secrets Manager or IAM | `GALLERY_STORE=postgres://…?password=…` |
//! | `filesystem` | blobs in a folder | `GALLERY_BLOBS=file:PATH` |
//! | `s3` | blobs in a bucket, with URLs of its own | `GALLERY_BLOBS=s3://BUCKET/PREFIX` |
//! | `memory` | either of them in memory, gone with the process | `GALLERY_STORE=memory:`, `GALLERY_BLOBS=memory:` |
//! | `signed-urls` | URLs to blobs, served by the gallery itself | with blobs in a folder or in memory |
//! | `password-identity` | passwords, codes and sessions, kept in the store | `GALLERY_IDENTITY=password:` |
//! | `cognito` | passwords in a user pool of Amazon Cognito; codes and sessions in the store | `GALLERY_IDENTITY=cognito://POOL?client_id=…` |
//! | `imaging` | decoding photos and making thumbnails | always |
//! | `outbox`, `smtp`, `ses` | mail into a folder, to a server, or over Amazon SES | `GALLERY_MAIL=outbox:PATH`, `smtp://…`, `smtps://…`, `ses:?from=…` |
//!
//! `embedded`, the default, is all of them but `postgres`, `memory` and what is on AWS; `aws-client` is what those have in common. The system's clock and
//! random ids are in [`system`]; `connect` is there in every build that has an adapter for each part, and `doctor`, which looks at each, beside it.
//!
//! # To add an adapter
//!
//! Implement its port in a module of its own, behind a feature of its own; run the conformance suite of the port on it; add its scheme to
//! [`config`] and one arm to `connect`, which are the only places that know of it.

#[cfg(feature = "aws-client")]
pub mod aws;
#[cfg(feature = "cognito")]
pub mod cognito;
pub mod config;
// There is nothing to connect in a build that lacks every adapter for one of the parts.
#[cfg(all(
    any(feature = "sqlite", feature = "postgres", feature = "memory"),
    any(feature = "filesystem", feature = "s3", feature = "memory"),
    any(feature = "outbox", feature = "ses", feature = "smtp"),
    feature = "password-identity",
    feature = "imaging",
))]
pub mod connect;
#[cfg(feature = "postgres")]
pub mod database_password;
pub mod disposition;
// What there is to look at is what there is to connect.
#[cfg(all(
    any(feature = "sqlite", feature = "postgres", feature = "memory"),
    any(feature = "filesystem", feature = "s3", feature = "memory"),
    any(feature = "outbox", feature = "ses", feature = "smtp"),
    feature = "password-identity",
    feature = "imaging",
))]
pub mod doctor;
#[cfg(feature = "filesystem")]
pub mod filesystem;
#[cfg(feature = "imaging")]
pub use gallery_imaging as imaging;
#[cfg(any(feature = "outbox", feature = "ses", feature = "smtp"))]
pub mod mail;
#[cfg(feature = "password-identity")]
pub mod password_identity;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "filesystem", feature = "outbox", feature = "sqlite"))]
#[allow(dead_code, reason = "each of these adapters uses some of it")]
mod private;
#[cfg(feature = "s3")]
pub mod s3;
pub mod schema;
#[cfg(feature = "signed-urls")]
pub mod signed_urls;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod system;
