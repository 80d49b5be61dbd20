//! Many writers at once, in several processes: nothing is lost, and no rule is broken.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::ports::{Repositories, RepositoryError};
use gallery_domain::{
    AlbumTitle, CodePurpose, CodeTry, Decision, Membership, OneTimeCode, PageRequest, PageSize, Quota, Rank,
    Sha256Digest, Throttle, ThrottleKey, Timestamp,
};
use tokio::task::JoinSet;

use crate::fixture::Fixture;
use crate::stores::stored::{NOON, alice, ready, tags, title, work_on};

/// How many write at the same time.
const WRITERS: u64 = 64;

/// How many edits each makes, on the photo and on the album: enough that every one meets others, in some seconds. `GALLERY_TEST_EDITS` is another
/// number, such as the 1,000 that take half an hour on two busy cores.
fn edits() -> u64 {
    const USUAL: u64 = 16;
    match std::env::var("GALLERY_TEST_EDITS") {
        Ok(number) => number.parse().expect("GALLERY_TEST_EDITS is a number"),
        Err(_) => USUAL,
    }
}

/// Waiting for each other takes long where so many meet, and is no failure here.
fn patient() -> PostgresOptions {
    let long = Duration::from_secs(120);
    PostgresOptions { acquire_timeout: long, statement_timeout: long, retry_for: long, ..PostgresOptions::default() }
}

/// The pauses of somebody whose edit was too late: the first is none, and each may be twice as long as the one before, as clients do it. Without
/// them, each edit that is made would cost sixty that are not, and a thousand edits would take hours.
#[derive(Default)]
struct Pause(u32);

impl Pause {
    async fn another(&mut self) {
        let longest = (1_u64 << self.0.min(9)) - 1;
        self.0 += 1;
        let random = RandomState::new().build_hasher().finish();
        tokio::time::sleep(Duration::from_millis(random % (longest + 1))).await;
    }
}

/// The repositories of two processes, by turns.
fn of(stores: &[PostgresStore; 2], number: u64) -> Repositories {
    stores[number as usize % 2].repositories()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_of_one_photo_and_of_one_album_by_many_writers_are_all_kept() {
    let fixture = Fixture::with(patient()).await;
    let stores = [fixture.store.clone(), fixture.another(patient())];
    let edits = edits();
    let photo = fixture.photo(0, |_| ()).await;
    let album = fixture.album(1, "Album").await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (repositories, id) = (of(&stores, writer), photo.id);
        writers.spawn(async move {
            let owner = alice();
            for edit in 0..edits {
                let mut pause = Pause::default();
                loop {
                    let mut photo = repositories.photos.find(owner, id).await.unwrap().unwrap();
                    let read_at = photo.revision;
                    photo.revision = read_at.next();
                    photo.details.title = title(&format!("by {writer} {edit}"));
                    photo.details.tags = tags(&[&format!("writer {}", writer % 7)]);
                    photo.details.favourite = edit % 2 == 0;
                    match repositories.photos.replace(&photo, read_at, None).await {
                        Ok(()) => break,
                        Err(RepositoryError::Stale) => pause.another().await,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                let mut pause = Pause::default();
                loop {
                    let mut entry = repositories.albums.find(owner, album).await.unwrap().unwrap().album;
                    let read_at = entry.revision;
                    entry.revision = read_at.next();
                    entry.title = AlbumTitle::parse(&format!("by {writer} {edit}")).unwrap();
                    match repositories.albums.replace(&entry, read_at, None).await {
                        Ok(()) => break,
                        Err(RepositoryError::Stale) => pause.another().await,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                // What is counted over photos and places changes with each.
                let number = writer * edits + edit + 1;
                let added = ready(owner, number);
                repositories.photos.insert(&added, &Quota::default(), &work_on(&added)).await.unwrap();
                let place = Membership { photo: added.id, rank: Rank::between(None, None).unwrap() };
                assert_eq!(repositories.albums.add_photos(owner, album, &[place]).await.unwrap(), 1);
                if number.is_multiple_of(3) {
                    repositories.photos.remove(owner, added.id).await.unwrap();
                }
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    let (photos, albums) = (&fixture.repositories.photos, &fixture.repositories.albums);
    let revisions = WRITERS * edits + 1;
    let photo = photos.find(fixture.owner, photo.id).await.unwrap().unwrap();
    assert_eq!(photo.revision.get(), revisions);
    let entry = albums.find(fixture.owner, album).await.unwrap().unwrap();
    assert_eq!(entry.album.revision.get(), revisions);
    let kept = (1..revisions).filter(|number| !number.is_multiple_of(3)).count() as u64;
    assert_eq!(entry.photo_count, kept);
    assert_eq!(fixture.repositories.users.usage(fixture.owner).await.unwrap().photos, kept + 1);
    assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), []);
    stores[1].close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_keep_a_content_once_and_a_quota_unbroken() {
    let fixture = Fixture::with(patient()).await;
    let stores = [fixture.store.clone(), fixture.another(patient())];
    let quota = Quota { photos: 10, ..Quota::default() };
    let mut writers = JoinSet::new();
    for number in 0..WRITERS {
        let repositories = of(&stores, number);
        writers.spawn(async move {
            let mut photo = ready(alice(), number);
            // Each content comes four times.
            photo.original.sha256 = Sha256Digest::of(&(number / 4).to_be_bytes());
            repositories.photos.insert(&photo, &quota, &work_on(&photo)).await
        });
    }
    let (mut kept, mut there, mut too_many) = (0, 0, 0);
    while let Some(insert) = writers.join_next().await {
        match insert.unwrap() {
            Ok(()) => kept += 1,
            Err(RepositoryError::AlreadyExists) => there += 1,
            Err(RepositoryError::OverQuota) => too_many += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(kept, 10);
    assert!(there >= 1 && too_many >= 6, "{there} {too_many}");
    let page = fixture.repositories.photos.all(fixture.owner, PageRequest::first(PageSize::MAX)).await.unwrap();
    let contents: std::collections::HashSet<_> = page.items.iter().map(|photo| photo.original.sha256).collect();
    assert_eq!((page.items.len(), contents.len()), (10, 10));
    assert_eq!(fixture.repositories.photos.audit(fixture.owner, false).await.unwrap(), []);
    stores[1].close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_count_the_tries_of_a_code_and_of_a_rate_together() {
    let fixture = Fixture::with(patient()).await;
    let stores = [fixture.store.clone(), fixture.another(patient())];
    let now = Timestamp::from_millis(NOON);
    let address: gallery_domain::EmailAddress = "ada@example.org".parse().unwrap();
    let right = Sha256Digest::of(b"right");
    let key = ThrottleKey::origin("upload", "here");
    let throttle = Throttle::Rate { burst: 10, every: Duration::from_secs(60) };
    for wrong_ones in [3, 40] {
        let code = OneTimeCode {
            purpose: CodePurpose::ConfirmEmail,
            address: address.clone(),
            user: fixture.owner,
            hash: right,
            expires_at: now.plus(Duration::from_secs(60)),
            tries_left: 5,
            password: None,
        };
        fixture.repositories.credentials.put_code(&code).await.unwrap();
        let mut tries = JoinSet::new();
        for number in 0..wrong_ones {
            let (repositories, address) = (of(&stores, number), address.clone());
            tries.spawn(async move {
                let wrong = Sha256Digest::of(&number.to_be_bytes());
                repositories.credentials.try_code(CodePurpose::ConfirmEmail, &address, &wrong, None, now).await.unwrap()
            });
        }
        while let Some(tried) = tries.join_next().await {
            assert_eq!(tried.unwrap(), CodeTry::Refused);
        }
        let last = fixture
            .repositories
            .credentials
            .try_code(CodePurpose::ConfirmEmail, &address, &right, None, now)
            .await
            .unwrap();
        assert_eq!(matches!(last, CodeTry::Accepted(_)), wrong_ones < 5, "after {wrong_ones} wrong ones");
    }

    let mut attempts = JoinSet::new();
    for number in 0..WRITERS {
        let (repositories, key) = (of(&stores, number), key.clone());
        attempts.spawn(async move { repositories.rate_limiter.attempt(&key, &throttle, now).await.unwrap() });
    }
    let allowed = attempts.join_all().await.into_iter().filter(|decision| *decision == Decision::Allowed).count();
    assert_eq!(allowed, 10);
    stores[1].close().await;
}
