//! Repositories in SQLite.
