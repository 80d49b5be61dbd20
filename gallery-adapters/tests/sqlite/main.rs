//! What is SQLite's own: files, failures, plans of statements, and the search index.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod files;
mod fixture;
mod index;
#[path = "../stores/mod.rs"]
mod stores;
