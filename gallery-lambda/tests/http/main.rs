//! The HTTP API over ports in memory, or over another store: what it answers to whom.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod accounts;
mod albums;
mod authorisation;
mod bad_input;
mod blobs;
mod browsers;
mod documentation;
#[cfg(feature = "dynamodb")]
#[path = "../../../gallery-adapters/tests/dynamodb_server/mod.rs"]
mod dynamodb_server;
mod harness;
mod hostile_text;
mod photos;
#[cfg(feature = "postgres")]
#[path = "../../../gallery-adapters/tests/postgres_server/mod.rs"]
mod postgres_server;
mod problems;
mod store;
mod throttling;
mod worker;
