//! What SQLite's errors mean to a repository's caller.

use std::path::PathBuf;
use std::time::Duration;

use gallery_domain::ports::{BackendFailure, Outage, RepositoryError, Retry};

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
    #[error("the schema has version {0}, which this program does not know: use a newer one")]
    NewerSchema(i64),
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
    const IOERR_SHMSIZE: i32 = IOERR | (19 << 8);
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const NOTADB: i32 = 26;

    let code = error.as_database_error().and_then(|database| database.code()?.parse::<i32>().ok());
    let failure = match code.map(|code| code & 0xff) {
        // The file by which readers and writers agree could not grow: where there is no room, that comes before all else.
        _ if code == Some(IOERR_SHMSIZE) => SqliteFailure::DiskFull(error),
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
        SqliteFailure::Busy(_) => BackendFailure::transient(BACKEND, operation, failure),
        SqliteFailure::DiskFull(_) => BackendFailure {
            retry: Retry::After(Duration::from_secs(60)),
            ..BackendFailure::transient(BACKEND, operation, failure).because_of(Outage::DiskFull)
        },
        SqliteFailure::ReadOnly(_) => permanent(operation, failure).because_of(Outage::ReadOnly),
        _ => permanent(operation, failure),
    }
}

/// A failure that will not go away by itself.
pub(super) fn permanent(operation: &'static str, failure: SqliteFailure) -> BackendFailure {
    BackendFailure::permanent(BACKEND, operation, failure)
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use sqlx::Connection;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

    use super::*;

    /// Runs statements on a file that cannot be written to, whoever runs the test; the last one's error.
    async fn refused_where_nothing_can_be_written(statement: &'static str) -> RepositoryError {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path().join("a.db"));
        let mut made = SqliteConnection::connect_with(&options.clone().create_if_missing(true)).await.unwrap();
        sqlx::query("CREATE TABLE thing (id INTEGER PRIMARY KEY)").execute(&mut made).await.unwrap();
        made.close().await.unwrap();
        let mut reading = SqliteConnection::connect_with(&options.read_only(true)).await.unwrap();
        failed("thing insert")(sqlx::query(statement).execute(&mut reading).await.unwrap_err())
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_called_read_only_and_is_not_tried_again() {
        let error = refused_where_nothing_can_be_written("INSERT INTO thing VALUES (1)").await;
        let RepositoryError::Backend(failure) = error else { panic!("{error}") };
        assert!(!failure.is_transient());
        assert_eq!(failure.outage, Some(Outage::ReadOnly));
        assert_eq!(failure.to_string(), "sqlite: thing insert failed");
        let cause = failure.source().unwrap();
        assert!(cause.to_string().contains("read-only"), "{cause}");
        assert!(cause.source().unwrap().to_string().contains("readonly"), "the cause is kept");
    }

    #[tokio::test]
    async fn only_a_uniqueness_that_is_hurt_means_that_something_exists() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::query("CREATE TABLE thing (id INTEGER PRIMARY KEY, size INTEGER CHECK (size > 0))")
            .execute(&mut connection)
            .await
            .unwrap();
        sqlx::query("INSERT INTO thing VALUES (1, 1)").execute(&mut connection).await.unwrap();
        let again = sqlx::query("INSERT INTO thing VALUES (1, 1)").execute(&mut connection).await.unwrap_err();
        assert!(matches!(failed("thing insert")(again), RepositoryError::AlreadyExists));
        let wrong = sqlx::query("INSERT INTO thing VALUES (2, 0)").execute(&mut connection).await.unwrap_err();
        assert!(matches!(failed("thing insert")(wrong), RepositoryError::Backend(failure) if !failure.is_transient()));
    }
}
