//! Throw-away PostgreSQL servers for tests: made in a temporary folder, reached on a free port of 127.0.0.1, and gone without a trace
//! afterwards, also when whoever started one panics or is killed.
//!
//! [`Programs`] says which PostgreSQL it is, [`Cluster`] runs it.

mod cluster;
mod guard;
mod programs;
mod user;

pub use cluster::Cluster;
pub use programs::{OLDEST, Programs, VARIABLE_OF_FOLDER};
