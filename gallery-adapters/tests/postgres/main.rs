//! What is PostgreSQL's own: the schema's versions, connections that break, writers that meet, and the index of terms.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod faults;
mod fixture;
mod index;
#[path = "../postgres_server/mod.rs"]
mod postgres_server;
mod proxy;
mod schema;
#[path = "../stores/mod.rs"]
mod stores;
mod writers;
