//! The store that the tests run on, one for each harness: in memory, unless `GALLERY_TEST_STORE` says `sqlite`, `postgres` or `dynamodb`.

use std::any::Any;

use gallery_domain::memory::MemoryStore;
use gallery_domain::ports::Repositories;

#[cfg(feature = "dynamodb")]
use crate::dynamodb_server;
#[cfg(feature = "postgres")]
use crate::postgres_server;

/// An empty store.
pub(crate) struct Store {
    pub(crate) repositories: Repositories,
    /// What goes with the store.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Store {
    pub(crate) fn new() -> Self {
        let chosen = std::env::var("GALLERY_TEST_STORE").unwrap_or_else(|_| "memory".to_owned());
        match &*chosen {
            "memory" => Self { repositories: MemoryStore::new().repositories(), _kept: Box::new(()) },
            #[cfg(feature = "cli")]
            "sqlite" => Self::sqlite(),
            #[cfg(feature = "postgres")]
            "postgres" => Self::postgres(),
            #[cfg(feature = "dynamodb")]
            "dynamodb" => Self::dynamodb(),
            other => panic!("GALLERY_TEST_STORE is {other:?}, which these tests have no store for"),
        }
    }

    #[cfg(feature = "cli")]
    fn sqlite() -> Self {
        use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gallery.db");
        let store = in_the_meantime(async move {
            let store = SqliteStore::connect(&file, SqliteOptions::default()).await.unwrap();
            store.migrate().await.unwrap();
            store
        });
        Self { repositories: store.repositories(), _kept: Box::new(folder) }
    }

    #[cfg(feature = "postgres")]
    fn postgres() -> Self {
        use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
        let database = in_the_meantime(postgres_server::Database::migrated());
        // Without timers it needs no runtime to be made: not every test has one.
        let options = PostgresOptions { idle_timeout: None, max_lifetime: None, ..PostgresOptions::default() };
        let store = PostgresStore::new(database.options(), options);
        Self { repositories: store.repositories(), _kept: Box::new(database) }
    }

    #[cfg(feature = "dynamodb")]
    fn dynamodb() -> Self {
        let tables = in_the_meantime(dynamodb_server::Tables::provisioned());
        Self { repositories: tables.store().repositories(), _kept: Box::new(tables) }
    }
}

/// Waits for something asynchronous where a test is not, in a thread whose runtime goes on afterwards.
#[cfg(any(feature = "cli", feature = "dynamodb", feature = "postgres"))]
fn in_the_meantime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    use std::sync::LazyLock;
    use tokio::runtime::Runtime;

    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    std::thread::spawn(move || RUNTIME.block_on(work)).join().unwrap()
}
