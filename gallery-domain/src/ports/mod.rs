//! What the gallery needs of the world: one trait for each kind of thing, each as small as its callers allow.
//!
//! Every port is object-safe and held as `Arc<dyn …>`. Its documentation states its behaviour; the conformance suite of the
//! same name holds a clause for each sentence. With the feature `mocks` each port has a mock, such as `MockClock`.
//!
//! Three habits hold for all of them:
//!
//! - A look-up of what is absent answers `None`; a delete of what is absent succeeds.
//! - A method on a user's things takes the owner, and the owner is part of the key: nothing of somebody else's can come out.
//! - Nothing reads the clock or makes an id on its own; times and ids come in as arguments.

mod album_repository;
mod blob_store;
mod clock;
mod credential_repository;
mod direct_upload;
mod failure;
mod id_generator;
mod idempotency_repository;
mod identity_provider;
mod image_processor;
mod mailer;
mod photo_repository;
mod rate_limiter;
mod repositories;
mod session_repository;
mod user_repository;
mod work_queue;

pub use album_repository::*;
pub use blob_store::*;
pub use clock::*;
pub use credential_repository::*;
pub use direct_upload::*;
pub use failure::*;
pub use id_generator::*;
pub use idempotency_repository::*;
pub use identity_provider::*;
pub use image_processor::*;
pub use mailer::*;
pub use photo_repository::*;
pub use rate_limiter::*;
pub use repositories::*;
pub use session_repository::*;
pub use user_repository::*;
pub use work_queue::*;
