//! Changes of photos that do not fit into one transaction: they come to the same as those that do, also if they are cut off in the middle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore};
use gallery_domain::conformance::fixtures::{Things, append, assert_derived, change, keep, keep_album, restore, trash};
use gallery_domain::ports::{AlbumScope, Repositories, RepositoryError};
use gallery_domain::search::SearchQuery;
use gallery_domain::{Album, Description, PageRequest, PageSize, Photo, PhotoId, Tags, Title, UserId};

use crate::dynamodb_server::{self, Tables};
use crate::meter::Meter;

/// Lets so many transactions through, and fails all others: as if the process had ended there.
#[derive(Clone, Debug)]
struct CutOff(Arc<AtomicUsize>);

impl Intercept for CutOff {
    fn name(&self) -> &'static str {
        "cut off"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let is_transaction = context.input().downcast_ref::<TransactWriteItemsInput>().is_some();
        let left = |left: usize| left.checked_sub(1);
        if is_transaction && self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err() {
            return Err("it ends here".into());
        }
        Ok(())
    }
}

fn words(prefix: &str, count: usize) -> Description {
    let words: Vec<String> = (0..count).map(|number| format!("{prefix}{number:03}")).collect();
    Description::parse(&words.join(" ")).unwrap()
}

fn many_tags(prefix: &str) -> Tags {
    let tags: Vec<String> = (0..50).map(|number| format!("{prefix} {number:02}")).collect();
    Tags::parse("tags", &tags).unwrap()
}

/// What is found by a word, as far as it is there.
async fn found(store: &Repositories, owner: UserId, word: &str) -> Vec<PhotoId> {
    let query = SearchQuery::parse(&format!("\"{word}\"")).unwrap();
    let page = PageRequest::first(PageSize::MAX);
    let found = store.photos.search(owner, &query, &AlbumScope::default(), page).await.unwrap();
    found.items.iter().map(|photo| photo.id).collect()
}

/// Changes that are each more than a transaction takes, by name.
type Alter = fn(&mut Photo);
const CHANGES: [(&str, Alter); 6] = [
    ("other words", |photo| photo.details.description = words("new", 100)),
    ("other tags", |photo| photo.details.tags = many_tags("new")),
    ("few words", |photo| {
        photo.details.description = Description::default();
        photo.details.title = Title::parse("left").unwrap();
    }),
    ("another time", |photo| photo.details.taken_at = "1999-01-01T00:00:00".parse().ok()),
    ("the trash", |photo| trash(photo.created_at)(photo)),
    ("no tags", |photo| photo.details.tags = Tags::default()),
];

/// A photo of as many terms as count, in 30 albums, in a store that lets so many transactions through from now on.
struct Large {
    things: Things,
    tables: Tables,
    photo: Photo,
    albums: Vec<Album>,
}

impl Large {
    async fn new() -> Self {
        let (things, tables) = (Things::new(), Tables::provisioned().await);
        let store = tables.store().repositories();
        let owner = things.owner();
        let mut photo = things.photo(owner).build();
        photo.details.description = words("old", 100);
        photo.details.tags = many_tags("old");
        keep(&store, &photo).await;
        let mut albums = Vec::new();
        for number in 0..30 {
            let album = things.album(owner, &format!("Album {number}"));
            keep_album(&store, &album).await;
            append(&store, &album, &[&photo]).await;
            albums.push(album);
        }
        Self { things, tables, photo, albums }
    }

    fn store(&self) -> Repositories {
        self.tables.store().repositories()
    }

    fn store_cut_off_after(&self, transactions: usize) -> Repositories {
        let config = dynamodb_server::config().interceptor(CutOff(Arc::new(AtomicUsize::new(transactions))));
        DynamoDbStore::new(config, self.tables.names().clone(), DynamoDbOptions::default()).repositories()
    }

    async fn assert_whole(&self, store: &Repositories, when: &str) {
        let owner = self.photo.owner;
        assert_derived(store, owner, when).await;
        let photo = store.photos.find(owner, self.photo.id).await.unwrap();
        let visible = photo.as_ref().filter(|photo| photo.is_visible());
        for album in &self.albums {
            let entry = store.albums.find(owner, album.id).await.unwrap().unwrap();
            assert_eq!(entry.photo_count, u64::from(visible.is_some()), "{when}");
        }
        let terms = visible.map(Photo::terms);
        for word in ["old001", "new001", "left", "dsc"] {
            let has_it = terms.as_ref().is_some_and(|terms| terms.all().iter().any(|term| term.as_str() == word));
            assert_eq!(!found(store, owner, word).await.is_empty(), has_it, "{word}, {when}");
        }
    }
}

#[tokio::test]
async fn a_change_that_is_larger_than_a_transaction_is_made_all_the_same() {
    let large = Large::new().await;
    let (store, owner, id) = (large.store(), large.photo.owner, large.photo.id);
    large.assert_whole(&store, "at first").await;
    for (name, alter) in CHANGES {
        change(&store, owner, id, alter).await;
        large.assert_whole(&store, &format!("after a change to {name}")).await;
        if name == "the trash" {
            change(&store, owner, id, restore).await;
            large.assert_whole(&store, "after it was restored").await;
        }
    }
    change(&store, owner, id, |photo| {
        photo.details.description = words("new", 100);
        photo.details.tags = many_tags("new");
    })
    .await;
    store.photos.remove(owner, id).await.unwrap();
    large.assert_whole(&store, "after it was removed").await;
    assert!(store.albums.albums_of(owner, id).await.unwrap().is_empty());
}

#[tokio::test]
async fn hundreds_of_albums_follow_a_photo_in_a_few_requests() {
    let (things, tables, meter) = (Things::new(), Tables::provisioned().await, Meter::default());
    let config = dynamodb_server::config().interceptor(meter.clone());
    let store = DynamoDbStore::new(config, tables.names().clone(), DynamoDbOptions::default()).repositories();
    let owner = things.owner();
    let photo = things.photo(owner).title("word").build();
    keep(&store, &photo).await;
    let mut albums = Vec::new();
    for number in 0..300 {
        let album = things.album(owner, &format!("Album {number}"));
        keep_album(&store, &album).await;
        append(&store, &album, &[&photo]).await;
        albums.push(album);
    }
    let assert_counts = async |count: u64, when: &str| {
        for album in &albums {
            let entry = store.albums.find(owner, album.id).await.unwrap().unwrap();
            assert_eq!(entry.photo_count, count, "{when}");
        }
        assert_derived(&store, owner, when).await;
    };
    let assert_few = |when: &str| {
        let (cost, operations) = meter.take();
        println!("{when}: {cost:?} {operations:?}");
        assert!(cost.requests <= 24, "{cost:?} {when}");
    };
    meter.take();
    change(&store, owner, photo.id, trash(things.at(1))).await;
    assert_few("into the trash");
    assert_counts(0, "in the trash").await;
    meter.take();
    change(&store, owner, photo.id, restore).await;
    assert_few("out of the trash");
    assert_counts(1, "out of the trash").await;
    meter.take();
    store.photos.remove(owner, photo.id).await.unwrap();
    assert_few("removed");
    assert_counts(0, "removed").await;
    assert!(store.albums.albums_of(owner, photo.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_change_that_is_cut_off_is_finished_by_the_next_or_by_a_repair() {
    for (number, (name, alter)) in CHANGES.into_iter().enumerate() {
        for transactions in 0..12 {
            let large = Large::new().await;
            let (owner, id) = (large.photo.owner, large.photo.id);
            let cut_off = large.store_cut_off_after(transactions);
            let mut changed = large.photo.clone();
            alter(&mut changed);
            changed.revision = large.photo.revision.next();
            let ended = cut_off.photos.replace(&changed, large.photo.revision, None).await;
            let store = large.store();
            if ended.is_ok() {
                large.assert_whole(&store, &format!("after {name} in {transactions} transactions")).await;
                assert!(transactions > 0, "{name}");
                break;
            }
            assert!(transactions < 11, "{name} takes more transactions than can be");
            assert!(matches!(ended, Err(RepositoryError::Backend(_))), "{ended:?}");
            // What it has now, it is found by.
            let now = store.photos.find(owner, id).await.unwrap().unwrap();
            for term in now.terms().all().iter().filter(|term| now.is_visible() && !term.is_tag()).step_by(9) {
                let when = format!("{term} after {transactions} transactions of {name}");
                assert_eq!(found(&store, owner, term.as_str()).await, [id], "{when}");
            }
            let when = format!("{name} was cut off after {transactions} transactions");
            if (number + transactions) % 2 == 0 {
                store.photos.audit(owner, true).await.unwrap();
                large.assert_whole(&store, &format!("once {when} and was repaired")).await;
            }
            change(&store, owner, id, alter).await;
            large.assert_whole(&store, &format!("once {when} and was made again")).await;
        }
    }
}

#[tokio::test]
async fn an_insert_or_a_removal_that_is_cut_off_is_finished_too() {
    for transactions in 0..12 {
        let large = Large::new().await;
        let owner = large.photo.owner;
        let cut_off = large.store_cut_off_after(transactions);
        let ended = cut_off.photos.remove(owner, large.photo.id).await;
        let store = large.store();
        if ended.is_err() && transactions % 2 == 0 {
            // It may have left some of its albums by then.
            store.photos.audit(owner, true).await.unwrap();
            assert_derived(&store, owner, &format!("repaired after {transactions} transactions")).await;
        }
        store.photos.remove(owner, large.photo.id).await.unwrap();
        large.assert_whole(&store, &format!("removed once more after {transactions} transactions")).await;

        let mut again = Photo { id: large.things.photo_id(), ..large.photo.clone() };
        again.details.description = words("new", 100);
        let cut_off = large.store_cut_off_after(transactions);
        let inserted = gallery_domain::conformance::fixtures::work_on(&again, large.things.at(0));
        let inserted = cut_off.photos.insert(&again, &gallery_domain::conformance::fixtures::AMPLE, &inserted).await;
        if inserted.is_err() && transactions > 0 {
            store.photos.audit(owner, true).await.unwrap();
        }
        assert_derived(&store, owner, &format!("with a photo that was inserted in {transactions} transactions")).await;
        if ended.is_ok() && inserted.is_ok() {
            return;
        }
    }
    panic!("a removal takes more transactions than can be");
}
