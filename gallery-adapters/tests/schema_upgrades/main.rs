//! A gallery of each version of the schema there ever was is brought up to date with all that is in it. Each migration needs a file of data
//! beside this one, for the version that it makes: what the program of that version wrote. The test says so where it is missing.

#![cfg(any(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
#[path = "../postgres_server/mod.rs"]
mod postgres_server;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::path::Path;

use gallery_domain::ports::{AlbumScope, Repositories};
use gallery_domain::search::SearchQuery;
use gallery_domain::{AlbumId, PageRequest, PageSize, PhotoId, UserId};
use sqlx::migrate::Migrator;
use uuid::Uuid;

const ADA: u128 = 0x0198_aa00_0000_7000_8000_0000_0000_0001;
const IN_TIMELINE: u128 = 0x0198_aa00_0000_7000_8000_0000_0000_0011;
const IN_TRASH: u128 = 0x0198_aa00_0000_7000_8000_0000_0000_0012;
const ALBUM: u128 = 0x0198_aa00_0000_7000_8000_0000_0000_0021;

/// The migrations of a store, as they are in its folder.
async fn migrations_of(store: &str) -> Migrator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(store);
    Migrator::new(&*folder).await.unwrap()
}

/// The data of a version.
fn data_of(version: i64, store: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/schema_upgrades/{store}/{version}.sql"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "version {version} of the schema needs {}, with what a gallery of that version holds: {error}",
            file.display()
        )
    })
}

/// Everything that the data holds is where it was, what is derived equals a recount, and the gallery goes on.
async fn is_whole(store: &Repositories) {
    let ada = UserId::from_uuid(Uuid::from_u128(ADA));
    let (in_timeline, in_trash) =
        (PhotoId::from_uuid(Uuid::from_u128(IN_TIMELINE)), PhotoId::from_uuid(Uuid::from_u128(IN_TRASH)));
    let album = AlbumId::from_uuid(Uuid::from_u128(ALBUM));
    assert_eq!(store.users.find(ada).await.unwrap().unwrap().email.as_str(), "ada@example.org");
    assert!(store.credentials.find(ada).await.unwrap().is_some());
    assert_eq!(store.photos.audit(ada, false).await.unwrap(), []);

    let timeline = store.photos.timeline(ada, PageRequest::first(PageSize::MAX)).await.unwrap().items;
    assert_eq!(timeline.iter().map(|photo| photo.id).collect::<Vec<_>>(), [in_timeline]);
    assert_eq!(timeline[0].details.title.as_str(), "Winter lake");
    let trash = store.photos.trash(ada, PageRequest::first(PageSize::MAX)).await.unwrap().items;
    assert_eq!(trash.iter().map(|photo| photo.id).collect::<Vec<_>>(), [in_trash]);
    assert_eq!(store.albums.find(ada, album).await.unwrap().unwrap().photo_count, 1);
    assert!(store.albums.member(ada, album, in_trash).await.unwrap().is_some());
    assert!(store.work.next_due().await.unwrap().is_some());
    let query = SearchQuery::parse("lake tag:snow").unwrap();
    let found =
        store.photos.search(ada, &query, &AlbumScope::default(), PageRequest::first(PageSize::MAX)).await.unwrap();
    assert_eq!(found.items, timeline);

    let mut restored = trash[0].clone();
    let read_at = restored.revision;
    (restored.trashed, restored.revision) = (None, read_at.next());
    store.photos.replace(&restored, read_at, None).await.unwrap();
    assert_eq!(store.albums.find(ada, album).await.unwrap().unwrap().photo_count, 2);
    store.photos.remove(ada, in_timeline).await.unwrap();
    assert_eq!(store.photos.audit(ada, false).await.unwrap(), []);
}
