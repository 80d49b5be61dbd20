//! The file: made, shared, full, and opened again.

use std::error::Error;
use std::time::Duration;

use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};
use gallery_domain::ports::{Outage, RepositoryError};
use gallery_domain::{Decision, Description, PageRequest, PageSize, Quota, Throttle, ThrottleKey, Timestamp};
use sqlx::Connection;

use crate::fixture::Fixture;
use crate::stores::stored::{NOON, ready, work_on};

/// Everything that an error says, down to its first cause.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_reads_the_database() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/gallery.db");
    let store = SqliteStore::connect(&path, SqliteOptions::default()).await.unwrap();
    store.migrate().await.unwrap();
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    for (name, expected) in [("data", 0o700), ("data/gallery.db", 0o600), ("data/gallery.db-wal", 0o600)] {
        assert_eq!(mode(name), expected, "{name}");
    }
}

#[tokio::test]
async fn a_missing_folder_is_made_and_one_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::connect(&folder.path().join("a/b/gallery.db"), SqliteOptions::default()).await.unwrap();
    let before = store.schema_status().await.unwrap();
    assert_eq!((before.applied.len(), before.unknown.len()), (0, 0));
    assert_eq!(store.migrate().await.unwrap(), before.pending);
    assert_eq!(store.schema_status().await.unwrap().applied, before.pending);
    assert_eq!(store.migrate().await.unwrap(), [0; 0], "nothing is done twice");

    std::fs::write(folder.path().join("file"), "").unwrap();
    let refused =
        SqliteStore::connect(&folder.path().join("file/gallery.db"), SqliteOptions::default()).await.unwrap_err();
    assert!(!refused.is_transient());
    let said = whole(&refused);
    assert!(said.contains("cannot be made") && said.contains("file"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.db");
    std::fs::write(
        &path,
        "a letter to a friend, long enough to be taken for the header of a database file, and no database",
    )
    .unwrap();
    let refused = SqliteStore::connect(&path, SqliteOptions::default()).await.unwrap_err();
    assert!(!refused.is_transient());
    assert!(whole(&refused).contains("no database of the gallery"), "{}", whole(&refused));
}

#[tokio::test]
async fn what_was_written_is_there_after_the_store_was_opened_again() {
    let fixture = Fixture::new().await;
    let photo = fixture.photo(1, |_| ()).await;
    let path = fixture.path();
    let Fixture { folder, store, stored } = fixture;
    store.close().await;
    let owner = stored.owner;
    drop(stored);
    drop(store);

    let reopened = SqliteStore::connect(&path, SqliteOptions::default()).await.unwrap();
    reopened.migrate().await.unwrap();
    let photos = reopened.repositories().photos;
    assert_eq!(photos.find(owner, photo.id).await.unwrap(), Some(photo));
    assert_eq!(photos.audit(owner, false).await.unwrap(), []);
    drop(folder);
}

#[tokio::test]
async fn stores_that_migrate_and_write_one_file_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.db");
    let options = SqliteOptions { busy_timeout: Duration::from_secs(60), ..SqliteOptions::default() };
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(SqliteStore::connect(&path, options).await.unwrap());
    }
    let migrating: Vec<_> =
        stores.iter().cloned().map(|store| tokio::spawn(async move { store.migrate().await })).collect();
    for migration in migrating {
        migration.await.unwrap().unwrap();
    }

    let key = ThrottleKey::origin("upload", "here");
    let throttle = Throttle::Rate { burst: 10, every: Duration::from_secs(60) };
    let now = Timestamp::from_millis(NOON);
    let asking: Vec<_> = (0..40)
        .map(|n| {
            let limiter = stores[n % 4].repositories().rate_limiter;
            let key = key.clone();
            tokio::spawn(async move { limiter.attempt(&key, &throttle, now).await.unwrap() })
        })
        .collect();
    let mut allowed = 0;
    for asked in asking {
        allowed += usize::from(asked.await.unwrap() == Decision::Allowed);
    }
    assert_eq!(allowed, 10);
}

#[tokio::test]
async fn a_change_that_is_dropped_half_way_leaves_nothing_and_does_not_hold_the_lock() {
    let fixture = Fixture::new().await;
    let photos = &fixture.repositories.photos;
    for number in 0..200 {
        let photo = ready(fixture.owner, number);
        let work = work_on(&photo);
        let insert =
            photos.insert(&photo, &Quota { bytes: u64::MAX, photos: u64::MAX, pending_uploads: u64::MAX }, &work);
        // Dropped after a different number of steps each time.
        tokio::select! {
            biased;
            done = insert => done.unwrap(),
            () = yields(number) => {}
        }
    }
    let after = ready(fixture.owner, 1000);
    photos.insert(&after, &Quota::default(), &work_on(&after)).await.unwrap();
    assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), []);
    let usage = fixture.repositories.users.usage(fixture.owner).await.unwrap();
    let months = photos.months(fixture.owner).await.unwrap();
    assert_eq!(months.iter().map(|month| month.photos).sum::<u64>(), usage.photos);
}

async fn yields(count: u64) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_that_waits_too_long_for_another_process_is_worth_a_retry() {
    let fixture =
        Fixture::with(SqliteOptions { busy_timeout: Duration::from_millis(20), ..SqliteOptions::default() }).await;
    let mut other = fixture.connection().await;
    let held = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let photo = ready(fixture.owner, 1);
    let refused = fixture.repositories.photos.insert(&photo, &Quota::default(), &work_on(&photo)).await.unwrap_err();
    assert!(matches!(&refused, RepositoryError::Backend(failure) if failure.is_transient()), "{}", whole(&refused));
    assert!(whole(&refused).contains("busy"), "{}", whole(&refused));
    assert_eq!(fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap(), None, "reading goes on");
    held.rollback().await.unwrap();
    fixture.insert(&photo).await;
}

#[tokio::test]
async fn a_full_disk_refuses_changes_and_says_so_and_reading_goes_on() {
    let fixture = Fixture::with(SqliteOptions { max_pages: Some(100), ..SqliteOptions::default() }).await;
    let photos = &fixture.repositories.photos;
    let mut kept = 0;
    let refused = loop {
        let mut photo = ready(fixture.owner, kept);
        photo.details.description = Description::parse(&"x".repeat(5000)).unwrap();
        match photos.insert(&photo, &Quota::default(), &work_on(&photo)).await {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 1000, "the file never filled up");
    };
    let RepositoryError::Backend(failure) = &refused else { panic!("{}", whole(&refused)) };
    assert!(failure.is_transient() && failure.outage == Some(Outage::DiskFull));
    assert!(whole(&refused).contains("the disk is full"), "{}", whole(&refused));

    let page = photos.all(fixture.owner, PageRequest::first(PageSize::MAX)).await.unwrap();
    assert_eq!(page.items.len() as u64, kept);
    assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), []);
}
