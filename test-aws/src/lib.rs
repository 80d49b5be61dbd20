//! Throw-away servers that speak the protocols of AWS: in a temporary folder, on free ports of 127.0.0.1, and gone without a trace afterwards,
//! also when whoever started one panics or is killed.
//!
//! [`SeaweedFs`] is an S3 that enforces signatures, expiry and checksums. [`MiniStack`] is many services in one process, which enforces signatures and
//! permissions, and the codes of a user pool.

mod guard;
mod ministack;
mod ports;
mod seaweedfs;

pub use ministack::MiniStack;
pub use seaweedfs::SeaweedFs;
