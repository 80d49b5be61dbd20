//! A photo gallery's entities, ports and services: no I/O, no SDK, no runtime, no HTTP, no SQL.

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
