//! Every repository in one SQLite file: what a gallery needs that runs on one machine with nothing installed.
//!
//! - The file is in WAL mode with `synchronous=FULL`: readers never wait for a writer, and what was answered survives a power cut.
//! - Each change is one transaction that takes the write lock when it begins, on the one connection that writes; so what a
//!   transaction read still holds when it writes, and none fails half-way because another process was faster.
//! - Several processes may use one file; they wait for each other's changes up to [`SqliteOptions::busy_timeout`].
//! - Statements are static text; a list of values goes in as one JSON array.

mod album_repository;
mod change;
mod credential_repository;
mod error;
mod idempotency_repository;
mod photo_audit;
mod photo_index;
mod photo_repository;
mod photo_search;
mod rate_limiter;
mod rows;
mod schema;
mod session_repository;
mod term_query;
mod user_repository;
mod work_queue;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gallery_domain::ports::{BackendFailure, Repositories};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

use self::album_repository::SqliteAlbumRepository;
use self::credential_repository::SqliteCredentialRepository;
use self::error::{SqliteFailure, backend_failure, permanent};
use self::idempotency_repository::SqliteIdempotencyRepository;
use self::photo_repository::SqlitePhotoRepository;
use self::rate_limiter::SqliteRateLimiter;
use self::session_repository::SqliteSessionRepository;
use self::user_repository::SqliteUserRepository;
use self::work_queue::SqliteWorkQueue;
use crate::private;

/// How a [`SqliteStore`] uses its file.
#[derive(Clone, Copy, Debug)]
pub struct SqliteOptions {
    /// How long a change waits for another process's change before it fails as busy.
    pub busy_timeout: Duration,
    /// How many reads may go on at the same time, beside one change.
    pub readers: u32,
    /// The most pages of 4 KiB that the file may grow to; beyond, changes fail as if the disk were full.
    pub max_pages: Option<u32>,
}

impl Default for SqliteOptions {
    /// Five seconds, one reader more than there are cores, no limit.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1));
        Self { busy_timeout: Duration::from_secs(5), readers: cores + 1, max_pages: None }
    }
}

/// A store in one SQLite file. Clones share its connections.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file, and makes it and its folder if they are missing. The schema may have to be [migrated](Self::migrate) before use.
    pub async fn connect(path: &Path, options: SqliteOptions) -> Result<Self, BackendFailure> {
        const OPERATION: &str = "opening the database";
        make_private(path).await.map_err(|failure| permanent(OPERATION, failure))?;
        let shared = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(options.busy_timeout)
            // Room for every statement of this adapter.
            .statement_cache_capacity(200)
            .pragma("cache_size", "-16000")
            .pragma("temp_store", "memory")
            .pragma("journal_size_limit", "67108864");
        let writing = match options.max_pages {
            Some(pages) => shared.clone().pragma("max_page_count", pages.to_string()),
            None => shared.clone(),
        };
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(options.busy_timeout.saturating_mul(2))
                .idle_timeout(None)
                .max_lifetime(None)
                // A connection to a file does not go stale.
                .test_before_acquire(false)
        };
        let writer = pool(1).connect_with(writing).await.map_err(|error| backend_failure(OPERATION, error))?;
        let readers = pool(options.readers.max(1)).connect_lazy_with(shared.pragma("query_only", "on"));
        Ok(Self { writer, readers })
    }

    /// The ports that this store implements.
    pub fn repositories(&self) -> Repositories {
        let store = || self.clone();
        Repositories {
            photos: Arc::new(SqlitePhotoRepository::new(store())),
            albums: Arc::new(SqliteAlbumRepository::new(store())),
            users: Arc::new(SqliteUserRepository::new(store())),
            credentials: Arc::new(SqliteCredentialRepository::new(store())),
            sessions: Arc::new(SqliteSessionRepository::new(store())),
            idempotency: Arc::new(SqliteIdempotencyRepository::new(store())),
            rate_limiter: Arc::new(SqliteRateLimiter::new(store())),
            work: Arc::new(SqliteWorkQueue::new(store())),
        }
    }

    /// Writes what the file holds at this moment into a new file, also while others change it. `path` must not exist.
    pub async fn snapshot(&self, path: &Path) -> Result<(), BackendFailure> {
        const OPERATION: &str = "copying the database";
        let failed = |error| backend_failure(OPERATION, error);
        // A connection of its own: a copy takes long, and changes shall not wait for it.
        let mut connection = self.writer.connect_options().as_ref().clone().connect().await.map_err(failed)?;
        let path = path.to_str().ok_or_else(|| permanent(OPERATION, SqliteFailure::NotUnicode(path.to_owned())))?;
        sqlx::query("VACUUM INTO ?").bind(path).execute(&mut connection).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Makes the file, and its folder, so that nobody else on the machine reads it; what SQLite puts beside it has the same rights.
async fn make_private(path: &Path) -> Result<(), SqliteFailure> {
    let path = path.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private::make_folders(folder)
                .map_err(|source| SqliteFailure::Folder { path: folder.to_owned(), source })?;
        }
        private::make_file(&path).map_err(|source| SqliteFailure::CannotOpen(sqlx::Error::Io(source)))
    });
    made.await.unwrap_or_else(|gone| Err(SqliteFailure::CannotOpen(sqlx::Error::Io(gone.into()))))
}
