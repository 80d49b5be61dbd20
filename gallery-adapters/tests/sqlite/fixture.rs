//! A store in a folder of its own.

use std::ops::Deref;
use std::path::PathBuf;

use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::TempDir;

use crate::stores::stored::Stored;

pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) store: SqliteStore,
    pub(crate) stored: Stored,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(SqliteOptions::default()).await
    }

    pub(crate) async fn with(options: SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::connect(&folder.path().join("gallery.db"), options).await.unwrap();
        store.migrate().await.unwrap();
        let stored = Stored::new(store.repositories());
        Self { folder, store, stored }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("gallery.db")
    }

    /// A connection past the store, for what the ports cannot do.
    pub(crate) async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }
}

impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}
