//! The store that the programs use: the file in their data folder, unless `GALLERY_TEST_STORE` says `postgres`; then each data folder has a
//! database of its own beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use tempfile::TempDir;

/// Folders, and the database of each; those without have their galleries in files.
static STORES: LazyLock<Mutex<BTreeMap<PathBuf, Option<String>>>> = LazyLock::new(Mutex::default);

/// A folder whose galleries are in files whatever the tests run on: for what is done with files alone.
pub(crate) fn folder_of_files() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    STORES.lock().unwrap().insert(folder.path().to_owned(), None);
    folder
}

/// What `GALLERY_STORE` has to say for a data folder; nothing where its own file is meant.
pub(crate) fn url_for(data: &Path) -> Option<String> {
    let chosen = std::env::var("GALLERY_TEST_STORE").unwrap_or_else(|_| "sqlite".to_owned());
    match &*chosen {
        "sqlite" => None,
        #[cfg(feature = "postgres")]
        "postgres" => {
            let mut stores = STORES.lock().unwrap();
            let known = data.ancestors().find_map(|folder| stores.get(folder));
            match known {
                Some(url) => url.clone(),
                None => {
                    let url = crate::database::new();
                    stores.insert(data.to_owned(), Some(url.clone()));
                    Some(url)
                }
            }
        }
        other => panic!("GALLERY_TEST_STORE is {other:?}, which these tests have no store for"),
    }
}
