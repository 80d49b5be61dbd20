//! A store on a database of its own.

use std::error::Error;
use std::ops::Deref;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::ports::RepositoryError;

use crate::postgres_server::Database;
use crate::stores::stored::Stored;

pub(crate) struct Fixture {
    // Dropped before its database.
    pub(crate) stored: Stored,
    pub(crate) store: PostgresStore,
    pub(crate) database: Database,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with(PostgresOptions::default()).await
    }

    pub(crate) async fn with(options: PostgresOptions) -> Self {
        let database = Database::migrated().await;
        let store = PostgresStore::new(database.options(), options);
        Self { stored: Stored::new(store.repositories()), store, database }
    }

    /// Another store on the same database, as another process has it.
    pub(crate) fn another(&self, options: PostgresOptions) -> PostgresStore {
        PostgresStore::new(self.database.options(), options)
    }
}

impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}

/// Everything that an error says, down to its first cause.
pub(crate) fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether an error says that trying again later can help.
pub(crate) fn is_transient(error: &RepositoryError) -> bool {
    matches!(error, RepositoryError::Backend(failure) if failure.is_transient())
}
