//! A photo gallery's entities, ports and services: no I/O, no SDK, no runtime, no HTTP, no SQL.
//!
//! A [`Gallery`](services::Gallery) is made of [`Ports`](services::Ports): a store, a place for bytes, an identity, an image processor,
//! a clock and a source of ids. Adapters bring them; this crate brings those that keep everything in memory.
//!
#![cfg_attr(all(feature = "memory", feature = "mocks"), doc = "```")]
#![cfg_attr(not(all(feature = "memory", feature = "mocks")), doc = "```ignore")]
//! use std::sync::Arc;
//!
//! use gallery_domain::memory::{ManualClock, MemoryBlobs, MemoryImages, MemoryStore, SequentialIds};
//! use gallery_domain::ports::MockIdentityProvider;
//! use gallery_domain::search::SearchQuery;
//! use gallery_domain::services::{Gallery, Imported, NewPhoto, PhotoPatch, Policy, Ports, SignUp};
//! use gallery_domain::{
//!     EmailAddress, FileName, MediaType, Original, PageRequest, PageSize, Password, PersonName, PhotoDetails,
//!     Sha256Digest, Tag, Tags,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let ids = Arc::new(SequentialIds::new());
//! let blobs = Arc::new(MemoryBlobs::new(ids.clone(), "/blobs"));
//! let mut identity = MockIdentityProvider::new();
//! identity.expect_register_confirmed().returning(|_user, _email, _password| Ok(()));
//! let ports = Ports {
//!     repositories: MemoryStore::new().repositories(),
//!     blobs: blobs.clone(),
//!     uploads: blobs,
//!     identity: Arc::new(identity),
//!     images: Arc::new(MemoryImages),
//!     clock: Arc::new(ManualClock::new("2024-06-15T12:00:00Z".parse()?)),
//!     ids,
//! };
//! let gallery = Gallery::new(ports, Policy::default());
//!
//! // Ada has an account, and may act.
//! let email: EmailAddress = "ada@example.org".parse()?;
//! let password = Password::parse("correct horse battery")?;
//! gallery.accounts.create_confirmed(&SignUp { email: email.clone(), password, name: PersonName::parse("Ada")? }).await?;
//! let ada = gallery.accounts.act_for(&email).await?;
//!
//! // She adds a photo: memory is content with bytes that begin like a JPEG.
//! let bytes = [&[0xFF, 0xD8, 0xFF, 0xE0][..], &[0; 60]].concat();
//! let original = Original {
//!     file_name: FileName::parse("lake.jpg")?,
//!     content_type: MediaType::Jpeg,
//!     bytes: bytes.len() as u64,
//!     sha256: Sha256Digest::of(&bytes),
//! };
//! let new = NewPhoto { original, details: PhotoDetails::default(), album: None };
//! let Imported::New(photo) = gallery.ingest.import(&ada, &new, bytes.into()).await? else { panic!("it is new") };
//!
//! // She tags it, and finds it.
//! let patch = PhotoPatch { tags: Some(Tags::new([Tag::parse("Holidays")?])?), ..PhotoPatch::default() };
//! gallery.photos.update(&ada, photo.id, &patch, None).await?;
//! let query = SearchQuery::parse("lake tag:holidays after:2024")?;
//! let found = gallery.search.search(&ada, &query, PageRequest::first(PageSize::MAX)).await?;
//! assert_eq!(found.items.iter().map(|found| found.id).collect::<Vec<_>>(), [photo.id]);
//! # Ok(())
//! # }
//! ```
//!
//! # Where things are
//!
//! | module | holds |
//! |---|---|
//! | (here) | what a gallery is made of: [`Photo`], [`Album`], [`User`], and values such as [`Tag`] that are checked once, when they are parsed |
//! | [`services`] | what can be done: one service for each part of a [`Gallery`](services::Gallery) |
//! | [`ports`] | what that needs of the world |
//! | [`search`], [`terms`] | the language of search, and the words that photos are found by |
//! | `memory` | every port in memory, and a wrapper that has them fail on plan; feature `memory` |
//! | `conformance` | what every adapter owes, as tests; feature `conformance` |
//!
//! With the feature `mocks`, [`ports`] has a mock of each port.
//!
//! # To add an adapter
//!
//! 1. Implement the port. Its documentation is the contract: each sentence is a clause of the conformance suite of its name. A store
//!    implements the eight ports of [`Repositories`](ports::Repositories), as a change and the work that follows it are one write.
//! 2. Run the suites on it, with one macro each: `conformance` shows how.
//! 3. Hand it over in [`Ports`](services::Ports). No service changes.

mod access;
mod album;
mod blob_key;
mod credential;
mod email_address;
mod error;
mod identifier;
mod invalid;
mod media;
mod page;
mod photo;
mod rank;
mod revision;
mod session;
mod tag;
mod throttle;
mod timestamp;
mod user;
mod work;

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "memory")]
pub mod memory;
pub mod ports;
pub mod search;
pub mod services;
pub mod terms;

pub use access::*;
pub use album::*;
pub use blob_key::*;
pub use credential::*;
pub use email_address::*;
pub use error::*;
pub use invalid::*;
pub use media::*;
pub use page::*;
pub use photo::*;
pub use rank::*;
pub use revision::*;
pub use session::*;
pub use tag::*;
pub use throttle::*;
pub use timestamp::*;
pub use user::*;
pub use work::*;
