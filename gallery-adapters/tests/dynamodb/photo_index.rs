//! The search index and the counts: their order, and that an audit finds and mends what is wrong.

use std::collections::HashMap;
use std::ops::Deref;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::join_all;
use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore};
use gallery_domain::conformance::fixtures::{Things, assert_derived, work_on};
use gallery_domain::ports::{AlbumScope, RepositoryError};
use gallery_domain::{Membership, PageRequest, PageSize, Photo, Quota, Rank, Timestamp, Trashed};

use crate::dynamodb_server::{self, Tables};
use crate::meter::Meter;
use crate::stores::searches::{self, search};
use crate::stores::stored::{NOON, Stored, tags};

struct Fixture {
    stored: Stored,
    tables: Tables,
}

impl Fixture {
    async fn new() -> Self {
        let tables = Tables::provisioned().await;
        Self { stored: Stored::new(tables.store().repositories()), tables }
    }
}

impl Deref for Fixture {
    type Target = Stored;

    fn deref(&self) -> &Stored {
        &self.stored
    }
}

#[tokio::test]
async fn pages_of_a_search_follow_the_timeline_exactly_however_many_photos_share_an_instant() {
    let fixture = Fixture::new().await;
    searches::pages_follow_the_timeline(&fixture).await;
}

#[tokio::test]
async fn a_search_within_albums_looks_at_no_other_photos() {
    let fixture = Fixture::new().await;
    searches::albums_bound_a_search(&fixture).await;
}

#[tokio::test]
async fn the_index_follows_every_change_of_a_photo() {
    let fixture = Fixture::new().await;
    searches::the_index_follows_a_photo(&fixture).await;
}

#[tokio::test]
async fn a_tag_is_spelt_as_on_a_photo_that_still_has_it() {
    let fixture = Fixture::new().await;
    searches::tags_are_spelt_as_on_a_photo(&fixture).await;
}

#[tokio::test]
async fn a_search_of_which_little_matches_answers_short_pages_rather_than_looking_at_everything() {
    let fixture = Fixture::new().await;
    searches::a_rare_match_makes_short_pages(&fixture).await;
}

#[tokio::test]
async fn a_beginning_of_more_terms_than_are_merged_finds_all_of_them() {
    let fixture = Fixture::new().await;
    searches::a_beginning_finds_all_of_many_terms(&fixture).await;
}

/// What somebody does to the tables past the store.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// Sets a number of the items whose partition and sort key begin so.
    Number(&'static str, &'static str, &'static str, &'static str),
    /// Removes them.
    Gone(&'static str, &'static str),
    /// Copies the first of them to another sort key: the old text in it, and the new.
    Copied(&'static str, &'static str, &'static str, &'static str),
    /// Takes an attribute away.
    Without(&'static str, &'static str, &'static str),
}

impl Damage {
    async fn apply(self, tables: &Tables) {
        let client = dynamodb_server::client();
        let table = &tables.names().index;
        let (partition, sort) = match self {
            Self::Number(partition, sort, ..)
            | Self::Gone(partition, sort)
            | Self::Copied(partition, sort, ..)
            | Self::Without(partition, sort, _) => (partition, sort),
        };
        let items = client.scan().table_name(table).send().await.unwrap().items.unwrap_or_default();
        let key_of = |item: &HashMap<String, AttributeValue>, name: &str| item[name].as_s().unwrap().clone();
        let mut hits = 0;
        for mut item in items {
            let (pk, sk) = (key_of(&item, "PK"), key_of(&item, "SK"));
            if !(pk.starts_with(partition) && sk.starts_with(sort)) {
                continue;
            }
            if matches!(self, Self::Without(_, _, name) if !item.contains_key(name)) {
                continue;
            }
            hits += 1;
            match self {
                Self::Number(_, _, name, digits) => {
                    item.insert(name.to_owned(), AttributeValue::N(digits.to_owned()));
                }
                Self::Copied(_, _, from, to) => {
                    item.insert("SK".to_owned(), AttributeValue::S(sk.replacen(from, to, 1)));
                }
                Self::Without(_, _, name) => {
                    item.remove(name);
                }
                Self::Gone(..) => {
                    let delete = client.delete_item().table_name(table);
                    delete.key("PK", item["PK"].clone()).key("SK", item["SK"].clone()).send().await.unwrap();
                    continue;
                }
            }
            client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
        }
        assert!(hits > 0, "{self:?} damages something");
    }
}

#[tokio::test]
async fn an_audit_finds_each_thing_that_is_wrong_and_mends_it() {
    use Damage::{Copied, Gone, Number, Without};
    for (damage, subject) in [
        (Number("U#", "USAGE", "Bytes", "7"), "usage"),
        (Gone("U#", "USAGE"), "usage"),
        (Number("M#", "2024-06", "Photos", "7"), "month 2024-06"),
        (Gone("M#", "2024-06"), "month 2024-06"),
        (Copied("M#", "2024-06", "2024-06", "1999-01"), "month 1999-01"),
        (Number("G#", "lake", "Photos", "9"), "tag lake"),
        (Gone("G#", "lake"), "tag lake"),
        (Copied("G#", "lake", "lake", "sea"), "tag sea"),
        (Gone("S#", "lake"), "search index of photo"),
        (Copied("S#", "lake", "lake", "sea"), "search index of photo"),
        (Copied("S#", "lake", "\u{1F}0", "\u{1F}1"), "search index of photo"),
        (Gone("H#", ""), "content of photo"),
        (Copied("H#", "", "0", "1"), "content of photo"),
        (Gone("L#0", ""), "entry of photo"),
        (Without("L#0", "0", "Title"), "entry of photo"),
        (Number("U#", "ALBUM#", "Photos", "5"), "photos of album"),
        (Number("U#", "ALBUM#", "Places", "5"), "photos of album"),
        (Without("P#", "", "Shown"), "place of photo"),
        (Number("P#", "", "Shown", "5"), "place of photo"),
        (Gone("A#", ""), "place of photo"),
        (Gone("ALBUM#", ""), "lists of album"),
        (Gone("N#", ""), "lists of album"),
    ] {
        let fixture = Fixture::new().await;
        let album = fixture.album(1, "Album").await;
        let shown = fixture.photo(1, |photo| photo.details.tags = tags(&["Lake"])).await;
        let trashed = fixture.photo(2, |photo| {
            photo.trashed = Some(Trashed { at: Timestamp::from_millis(NOON), with_album: None });
            photo.details.tags = tags(&["Lake"]);
        });
        trashed.await;
        let place = [Membership { photo: shown.id, rank: Rank::between(None, None).unwrap() }];
        fixture.repositories.albums.add_photos(fixture.owner, album, &place).await.unwrap();
        let photos = &fixture.repositories.photos;
        assert_eq!(photos.audit(fixture.owner, true).await.unwrap(), []);

        // Whatever the list of all photos does not name, nobody finds: it is what the rest is derived from.
        let kept = fixture.tables.names().index.clone();
        let all = dynamodb_server::client();
        let entries = all.scan().table_name(&kept).send().await.unwrap().items.unwrap_or_default();
        damage.apply(&fixture.tables).await;
        for item in entries.into_iter().filter(|item| item["PK"].as_s().unwrap().ends_with("#ALL")) {
            all.put_item().table_name(&kept).set_item(Some(item)).send().await.unwrap();
        }

        let found = photos.audit(fixture.owner, false).await.unwrap();
        assert!(found.iter().any(|found| found.subject.starts_with(subject)), "{damage:?}: {found:?}");
        let mended = photos.audit(fixture.owner, true).await.unwrap();
        assert!(mended.iter().any(|found| found.subject.starts_with(subject)), "{damage:?}: {mended:?}");
        assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), [], "{damage:?}");

        let (found, _) = search(&fixture, "tag:lake", &AlbumScope::default(), 10).await;
        assert_eq!(found, [shown.id], "{damage:?}");
        let timeline = photos.timeline(fixture.owner, PageRequest::first(PageSize::default())).await.unwrap();
        assert_eq!(timeline.items, std::slice::from_ref(&shown), "{damage:?}");
        let in_album = fixture.repositories.albums.photos(fixture.owner, album, PageRequest::first(PageSize::MAX));
        assert_eq!(in_album.await.unwrap().items.len(), 1, "{damage:?}");
        let spelt = photos.tags(fixture.owner, "", 9).await.unwrap();
        assert_eq!(spelt.iter().map(|count| count.tag.as_str()).collect::<Vec<_>>(), ["Lake"], "{damage:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_32_clients_that_upload_at_once_no_more_get_in_than_the_quota_says() {
    const CLIENTS: usize = 32;
    const EACH: usize = 8;
    let (things, tables) = (Things::new(), Tables::provisioned().await);
    let owner = things.owner();
    let meter = Meter::default();
    let quota = Quota { photos: 100, pending_uploads: 100, ..Quota::default() };
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let config = dynamodb_server::config().interceptor(meter.clone());
            let store = DynamoDbStore::new(config, tables.names().clone(), DynamoDbOptions::default()).repositories();
            let photos: Vec<Photo> = (0..EACH).map(|_| things.photo(owner).uploading().build()).collect();
            (store, photos)
        })
        .collect();
    let uploads = clients.iter().map(async |(store, photos)| {
        let mut admitted = 0;
        for photo in photos {
            match store.photos.insert(photo, &quota, &work_on(photo, Timestamp::MAX)).await {
                Ok(()) => admitted += 1,
                Err(RepositoryError::OverQuota) => {}
                Err(error) => panic!("an upload ends in {error:?}"),
            }
        }
        admitted
    });
    let admitted: usize = join_all(uploads).await.into_iter().sum();
    assert_eq!(admitted, 100, "just as many as the quota says");
    let (cost, operations) = meter.take();
    println!("{} uploads of {CLIENTS} clients: {cost:?} {operations:?}", CLIENTS * EACH);
    assert_derived(&clients[0].0, owner, "after many clients uploaded at once").await;
}
