//! What SQLite's errors mean to a repository's caller.

use std::path::PathBuf;

use gallery_domain::ports::{BackendFailure, RepositoryError};

/// The name under which this backend reports failures.
const BACKEND: &str = "sqlite";

/// Why the database did not do what was asked, in words for whoever runs the gallery.
#[derive(Debug, thiserror::Error)]
pub(super) enum SqliteFailure {
    #[error("the folder {} cannot be made: check its path and permissions", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("the path {} is not UTF-8: choose another", .0.display())]
    NotUnicode(PathBuf),
    #[error("the database file cannot be opened: check its path and permissions")]
    CannotOpen(#[source] sqlx::Error),
    #[error("the database is busy with another change")]
    Busy(#[source] sqlx::Error),
    #[error("the disk is full: make room, then try again")]
    DiskFull(#[source] sqlx::Error),
    #[error("the disk failed to read or write: check it before anything else")]
    DiskFailed(#[source] sqlx::Error),
    #[error("the database file or its folder is read-only: give the gallery the right to write")]
    ReadOnly(#[source] sqlx::Error),
    #[error("the file is damaged or no database of the gallery: restore it from a backup")]
    Damaged(#[source] sqlx::Error),
    #[error("the schema could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("the database refused the statement")]
    Other(#[source] sqlx::Error),
}

/// Maps an error of an operation, such as `photo insert`. A uniqueness that the schema guards is an answer, not a failure.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> RepositoryError {
    move |error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => RepositoryError::AlreadyExists,
        _ => backend_failure(operation, error).into(),
    }
}

/// Maps an error where no answer but a failure is possible.
pub(super) fn backend_failure(operation: &'static str, error: sqlx::Error) -> BackendFailure {
    // The low byte of an extended result code is the primary one: https://sqlite.org/rescode.html
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const READONLY: i32 = 8;
    const IOERR: i32 = 10;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const NOTADB: i32 = 26;

    let code = error.as_database_error().and_then(|database| database.code()?.parse::<i32>().ok());
    let failure = match code.map(|code| code & 0xff) {
        Some(BUSY | LOCKED) => SqliteFailure::Busy(error),
        Some(FULL) => SqliteFailure::DiskFull(error),
        Some(IOERR) => SqliteFailure::DiskFailed(error),
        Some(READONLY) => SqliteFailure::ReadOnly(error),
        Some(CANTOPEN) => SqliteFailure::CannotOpen(error),
        Some(CORRUPT | NOTADB) => SqliteFailure::Damaged(error),
        _ if matches!(error, sqlx::Error::PoolTimedOut) => SqliteFailure::Busy(error),
        _ => SqliteFailure::Other(error),
    };
    match failure {
        SqliteFailure::Busy(_) | SqliteFailure::DiskFull(_) => BackendFailure::transient(BACKEND, operation, failure),
        _ => permanent(operation, failure),
    }
}

/// A failure that will not go away by itself.
pub(super) fn permanent(operation: &'static str, failure: SqliteFailure) -> BackendFailure {
    BackendFailure::permanent(BACKEND, operation, failure)
}
