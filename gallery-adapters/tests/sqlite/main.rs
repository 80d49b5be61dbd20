//! What is SQLite's own: files, failures, plans of statements, and the search index.

#![cfg(feature = "sqlite")]

mod files;
mod fixture;
mod index;
