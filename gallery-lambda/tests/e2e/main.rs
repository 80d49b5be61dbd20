//! The program as people use it: real processes, real files, HTTP over the loopback, and now and then a `kill -9`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod backups;
mod client;
mod commands;
mod crashes;
mod disk;
mod disks;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "dynamodb")]
#[path = "../../../gallery-adapters/tests/dynamodb_server/mod.rs"]
mod dynamodb_server;
mod hostile;
mod imports;
mod journey;
mod photos;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
#[path = "../../../gallery-adapters/tests/postgres_server/mod.rs"]
mod postgres_server;
mod program;
mod readme;
mod store;
mod trouble;
