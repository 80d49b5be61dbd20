//! The store that the programs use: the file in their data folder, unless `GALLERY_TEST_STORE` says `postgres`; then each data folder has a
//! database of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use tempfile::TempDir;

#[cfg(feature = "postgres")]
use crate::postgres_server::{self, Database};

/// What is known of a folder.
enum Store {
    /// Galleries in it are in files.
    File,
    /// Its gallery has this database.
    #[cfg(feature = "postgres")]
    Postgres(Database),
}

impl Store {
    fn chosen() -> Self {
        let chosen = std::env::var("GALLERY_TEST_STORE").unwrap_or_else(|_| "sqlite".to_owned());
        match &*chosen {
            "sqlite" => Self::File,
            // It goes with the server that all these tests share.
            #[cfg(feature = "postgres")]
            "postgres" => Self::Postgres(in_the_meantime(Database::migrated())),
            other => panic!("GALLERY_TEST_STORE is {other:?}, which these tests have no store for"),
        }
    }
}

static STORES: LazyLock<Mutex<BTreeMap<PathBuf, Store>>> = LazyLock::new(Mutex::default);

/// A folder whose galleries are in files whatever the tests run on: for what is done with files alone.
pub(crate) fn folder_of_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    STORES.lock().unwrap().insert(folder.path().to_owned(), Store::File);
    folder
}

/// What `GALLERY_STORE` has to say for a data folder; nothing where its own file is meant.
pub(crate) fn url_for(data: &Path) -> Option<String> {
    let mut stores = STORES.lock().unwrap();
    if !data.ancestors().any(|folder| stores.contains_key(folder)) {
        stores.insert(data.to_owned(), Store::chosen());
    }
    match data.ancestors().find_map(|folder| stores.get(folder))? {
        Store::File => None,
        #[cfg(feature = "postgres")]
        Store::Postgres(database) => {
            let mut url = reqwest::Url::parse(&std::env::var(postgres_server::SERVER).unwrap()).unwrap();
            url.set_path(database.name());
            Some(url.into())
        }
    }
}

/// Waits for something asynchronous where a test is not.
#[cfg(feature = "postgres")]
fn in_the_meantime<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(work)).join().unwrap()
}
