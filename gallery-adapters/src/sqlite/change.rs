//! How statements are run together as a change.

use gallery_domain::ports::RepositoryError;
use sqlx::{Sqlite, Transaction};

use super::SqliteStore;
use super::error::failed;

/// A transaction that holds the write lock. Dropped without a commit, it is undone.
pub(super) type Change = Transaction<'static, Sqlite>;

impl SqliteStore {
    /// Begins a change, once no other is under way.
    pub(super) async fn begin(&self, operation: &'static str) -> Result<Change, RepositoryError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed(operation))
    }
}
