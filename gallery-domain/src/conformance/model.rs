//! Random histories of photos, albums and users, on a store and on the memory model: each call has to answer alike on both, and both have
//! to show the same in between and in the end.
//!
//! The histories come of a seed, so a failure comes back. It is shrunk to the calls without which it does not happen.

use std::fmt::Debug;

use super::Fixture;
use super::expectations::{Succeeds, size, walk};
use super::fixtures::{Things, facts};
use crate::memory::MemoryStore;
use crate::ports::{AlbumScope, Repositories, RepositoryError};
use crate::search::SearchQuery;
use crate::{
    Album, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, FailureKind, MediaType, Membership, Photo, PhotoId,
    PhotoState, Quota, Rank, Revision, Task, Timestamp, Trashed, User, UserId, Work,
};

/// Runs 256 histories as a test, or as many as named: takes an expression for a fresh `Repositories` or a
/// [`Fixture`](crate::conformance::Fixture) of it, which is evaluated for each history.
#[macro_export]
macro_rules! model_suite {
    ($fixture:expr) => {
        $crate::model_suite!($fixture, 256);
    };
    ($fixture:expr, $histories:expr) => {
        mod model {
            #[allow(
                unused_imports,
                reason = "the fixture's expression may name what stands around the suite, or not"
            )]
            use super::*;

            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn every_history_agrees_with_the_memory_model() {
                let fresh = async || ::core::convert::Into::into($fixture);
                $crate::conformance::model::every_history_agrees_with_the_memory_model(fresh, $histories).await;
            }
        }
    };
}

/// The most calls of a history.
const LONGEST: u64 = 60;

/// After so many calls both stores have to show the same.
const LOOKED_AT_EVERY: usize = 8;

/// Runs histories of the seeds from 0 on, each on a fresh store, and panics with the shortest that fails.
pub async fn every_history_agrees_with_the_memory_model(
    fresh: impl AsyncFn() -> Fixture<Repositories>,
    histories: u64,
) {
    for seed in 0..histories {
        let calls = history(seed);
        let Some(difference) = first_difference(&fresh, &calls).await else { continue };
        let (calls, difference) = shrunk(&fresh, calls, difference).await;
        let calls: Vec<String> = calls.iter().map(|call| format!("  {call:?}")).collect();
        panic!(
            "the history of seed {seed} ends otherwise than on the memory model, by these calls:\n{}\n{difference}",
            calls.join("\n")
        );
    }
}

/// A call. Numbers choose among few things, so that calls meet; whatever is left out, a history keeps its sense.
#[derive(Clone, Copy, Debug)]
enum Call {
    InsertPhoto { owner: u8, photo: u8, looks: u8, state: u8, small_quota: bool },
    ChangePhoto { owner: u8, photo: u8, change: PhotoChange, stale: bool, work: bool },
    RemovePhoto { owner: u8, photo: u8 },
    InsertAlbum { owner: u8, album: u8, title: u8 },
    ChangeAlbum { owner: u8, of: u8, album: u8, change: AlbumChange, stale: bool },
    RemoveAlbum { owner: u8, of: u8, album: u8 },
    AddPhotos { owner: u8, of: u8, album: u8, first: u8, count: u8, rank: u8 },
    RemovePhotos { owner: u8, of: u8, album: u8, first: u8, count: u8 },
    InsertUser { user: u8, email: u8 },
    ChangeUser { user: u8, email: u8, stale: bool },
    RemoveUser { user: u8 },
}

#[derive(Clone, Copy, Debug)]
enum PhotoChange {
    Looks(u8),
    State(u8),
    Trash(u8),
    Restore,
    Favourite,
}

#[derive(Clone, Copy, Debug)]
enum AlbumChange {
    Title(u8),
    Cover(u8),
    Trash(u8),
    Restore,
}

const OWNERS: u8 = 3;
const PHOTOS: u8 = 8;
const ALBUMS: u8 = 3;
const QUERIES: [&str; 8] = [
    "lake",
    "la* -sea",
    "tag:été",
    "東京 OR sea",
    "is:favourite",
    "before:2000",
    "-tag:lake after:2000",
    "type:png title:lake",
];

/// The calls of a seed.
fn history(seed: u64) -> Vec<Call> {
    let mut dice = Dice(seed);
    let length = 1 + dice.roll(LONGEST);
    (0..length).map(|_| some_call(&mut dice)).collect()
}

fn some_call(dice: &mut Dice) -> Call {
    let owner = dice.below(OWNERS);
    // Mostly their own, so that most calls do something.
    let of = if dice.below(8) == 0 { dice.below(OWNERS) } else { owner };
    let (photo, album) = (dice.below(PHOTOS), dice.below(ALBUMS));
    match dice.below(20) {
        0..=4 => Call::InsertPhoto {
            owner,
            photo,
            looks: dice.below(24),
            state: if dice.below(2) == 0 { READY } else { dice.below(5) },
            small_quota: dice.below(8) == 0,
        },
        5..=9 => {
            let change = match dice.below(6) {
                0 | 1 => PhotoChange::Looks(dice.below(24)),
                2 => PhotoChange::State(dice.below(5)),
                3 => PhotoChange::Trash(dice.below(3)),
                4 => PhotoChange::Restore,
                _ => PhotoChange::Favourite,
            };
            Call::ChangePhoto { owner, photo, change, stale: dice.below(10) == 0, work: dice.below(2) == 0 }
        }
        10 => Call::RemovePhoto { owner, photo },
        11 => Call::InsertAlbum { owner, album, title: dice.below(3) },
        12 => {
            let change = match dice.below(4) {
                0 => AlbumChange::Title(dice.below(3)),
                1 => AlbumChange::Cover(dice.below(PHOTOS)),
                2 => AlbumChange::Trash(dice.below(3)),
                _ => AlbumChange::Restore,
            };
            Call::ChangeAlbum { owner, of, album, change, stale: dice.below(10) == 0 }
        }
        13 if dice.below(3) == 0 => Call::RemoveAlbum { owner, of, album },
        13..=15 => Call::AddPhotos { owner, of, album, first: photo, count: 1 + dice.below(4), rank: dice.below(9) },
        16 => Call::RemovePhotos { owner, of, album, first: photo, count: 1 + dice.below(3) },
        17 => Call::InsertUser { user: owner, email: dice.below(3) },
        18 => Call::ChangeUser { user: owner, email: dice.below(3), stale: dice.below(10) == 0 },
        _ => Call::RemoveUser { user: owner },
    }
}

/// In what a history on a fresh store first differs from the memory model, if it does.
async fn first_difference(fresh: &impl AsyncFn() -> Fixture<Repositories>, calls: &[Call]) -> Option<String> {
    let store = fresh().await;
    let model = MemoryStore::new().repositories();
    for (n, call) in calls.iter().enumerate() {
        let (expected, answered) = (apply(&model, *call).await, apply(&store, *call).await);
        if expected != answered {
            return Some(format!("{call:?} answers {answered}, and on the model {expected}"));
        }
        if n % LOOKED_AT_EVERY == 0 || n + 1 == calls.len() {
            let (expected, shown) = (everything(&model).await, everything(&store).await);
            for ((what, expected), (_, shown)) in expected.into_iter().zip(shown) {
                if expected != shown {
                    return Some(format!("{what} is {shown}\nand on the model {expected}"));
                }
            }
        }
    }
    None
}

/// The same failure, or another, by as few calls as leaving out one by one comes to.
async fn shrunk(
    fresh: &impl AsyncFn() -> Fixture<Repositories>,
    mut calls: Vec<Call>,
    mut difference: String,
) -> (Vec<Call>, String) {
    let mut at = calls.len();
    while at > 0 {
        at -= 1;
        let mut fewer = calls.clone();
        fewer.remove(at);
        if let Some(still) = first_difference(fresh, &fewer).await {
            (calls, difference) = (fewer, still);
        }
    }
    (calls, difference)
}

async fn apply(store: &Repositories, call: Call) -> String {
    match call {
        Call::InsertPhoto { owner, photo, looks, state, small_quota } => {
            let photo = some_photo(owner, photo, looks, state);
            let quota =
                if small_quota { Quota { bytes: 3_000, photos: 3, pending_uploads: 1 } } else { Quota::default() };
            let work = Work::new(Task::Photo { owner: photo.owner, photo: photo.id }, time(looks));
            outcome(store.photos.insert(&photo, &quota, &work).await)
        }
        Call::ChangePhoto { owner, photo, change, stale, work } => {
            let (owner, id) = (owner_id(owner), photo_id(photo));
            let found = store.photos.find(owner, id).await.succeeds("finding a photo");
            let mut changed = found.unwrap_or_else(|| Photo { owner, id, ..some_photo(0, 0, 0, READY) });
            let read_at = if stale { changed.revision.next() } else { changed.revision };
            match change {
                PhotoChange::Looks(looks) => changed.details = some_photo(0, 0, looks, READY).details,
                PhotoChange::State(state) => changed.state = photo_state(state),
                PhotoChange::Trash(at) => {
                    changed.trashed = Some(Trashed { at: time(at), with_album: Some(album_id(0, at)) })
                }
                PhotoChange::Restore => changed.trashed = None,
                PhotoChange::Favourite => changed.details.favourite = !changed.details.favourite,
            }
            changed.revision = read_at.next();
            let work = work.then(|| Work::new(Task::Photo { owner, photo: id }, time(photo)));
            outcome(store.photos.replace(&changed, read_at, work).await)
        }
        Call::RemovePhoto { owner, photo } => outcome(store.photos.remove(owner_id(owner), photo_id(photo)).await),
        Call::InsertAlbum { owner, album, title } => {
            outcome(store.albums.insert(&some_album(owner, album, title)).await)
        }
        Call::ChangeAlbum { owner, of, album, change, stale } => {
            let (owner_id, id) = (owner_id(owner), album_id(of, album));
            let found = store.albums.find(owner_id, id).await.succeeds("finding an album").map(|entry| entry.album);
            let mut changed = found.unwrap_or_else(|| Album { id, ..some_album(owner, album, 0) });
            let read_at = if stale { changed.revision.next() } else { changed.revision };
            match change {
                AlbumChange::Title(title) => changed.title = some_album(0, 0, title).title,
                AlbumChange::Cover(photo) => changed.cover = Some(photo_id(photo)),
                AlbumChange::Trash(at) => {
                    changed.trashed = Some(AlbumTrashed { at: time(at), photos: AlbumPhotos::Keep })
                }
                AlbumChange::Restore => changed.trashed = None,
            }
            changed.revision = read_at.next();
            let work = Work::new(Task::Album { owner: owner_id, album: id }, time(album));
            outcome(store.albums.replace(&changed, read_at, Some(work)).await)
        }
        Call::RemoveAlbum { owner, of, album } => {
            outcome(store.albums.remove(owner_id(owner), album_id(of, album)).await)
        }
        Call::AddPhotos { owner, of, album, first, count, rank } => {
            let ranks = ["1", "3", "5", "A", "Z", "a", "b", "k", "z"];
            let places: Vec<Membership> = (first..first + count)
                .zip(ranks.into_iter().cycle().skip(rank.into()))
                .map(|(photo, rank)| Membership {
                    photo: photo_id(photo % PHOTOS),
                    rank: Rank::try_from(rank.to_owned()).expect("the ranks are digits"),
                })
                .collect();
            outcome(store.albums.add_photos(owner_id(owner), album_id(of, album), &places).await)
        }
        Call::RemovePhotos { owner, of, album, first, count } => {
            let photos: Vec<PhotoId> = (first..first + count).map(|photo| photo_id(photo % PHOTOS)).collect();
            outcome(store.albums.remove_photos(owner_id(owner), album_id(of, album), &photos).await)
        }
        Call::InsertUser { user, email } => outcome(store.users.insert(&some_user(user, email)).await),
        Call::ChangeUser { user, email, stale } => {
            let found = store.users.find(owner_id(user)).await.succeeds("finding a user");
            let found = found.unwrap_or_else(|| some_user(user, email));
            let read_at = if stale { found.revision.next() } else { found.revision };
            let changed = User { email: some_user(user, email).email, revision: read_at.next(), ..found };
            let work = Work::new(Task::Account { owner: changed.id }, time(email));
            outcome(store.users.replace(&changed, read_at, Some(work)).await)
        }
        // The photos and albums have to be gone by then.
        Call::RemoveUser { user } => {
            let owner = owner_id(user);
            let photos = walk(size(100), async |page| store.photos.all(owner, page).await).await;
            let albums = walk(size(100), async |page| store.albums.all(owner, page).await).await;
            if photos.is_empty() && albums.is_empty() {
                outcome(store.users.remove(owner, None).await)
            } else {
                String::new()
            }
        }
    }
}

fn outcome<T: Debug>(result: Result<T, RepositoryError>) -> String {
    match result {
        Ok(answer) => format!("{answer:?}"),
        Err(RepositoryError::AlreadyExists) => "AlreadyExists".to_owned(),
        Err(RepositoryError::Stale) => "Stale".to_owned(),
        Err(RepositoryError::OverQuota) => "OverQuota".to_owned(),
        Err(error) => panic!("a call of a history ends in {error:?}"),
    }
}

/// What a store shows by all methods that read, each with its name.
async fn everything(store: &Repositories) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for owner in 0..OWNERS {
        let id = owner_id(owner);
        let mut show =
            |what: &str, value: &dyn Debug| shown.push((format!("{what} of owner {owner}"), format!("{value:?}")));
        show("user", &store.users.find(id).await.succeeds("finding a user"));
        show("usage", &store.users.usage(id).await.succeeds("reading the usage"));
        show("all photos", &walk(size(3), async |page| store.photos.all(id, page).await).await);
        show("timeline", &walk(size(2), async |page| store.photos.timeline(id, page).await).await);
        show("favourites", &walk(size(1), async |page| store.photos.favourites(id, page).await).await);
        show("trash", &walk(size(2), async |page| store.photos.trash(id, page).await).await);
        show("unfinished", &walk(size(2), async |page| store.photos.unfinished(id, page).await).await);
        show("months", &store.photos.months(id).await.succeeds("reading the months"));
        let tags = store.photos.tags(id, "", 100).await.succeeds("reading the tags");
        show("tags", &tags.into_iter().map(|count| (count.tag.key().to_owned(), count.photos)).collect::<Vec<_>>());
        let contents: Vec<_> = (0..24).map(|looks| some_photo(0, 0, looks, READY).original.sha256).collect();
        let mut found = store.photos.find_by_content(id, &contents).await.succeeds("finding by content");
        found.sort_by_key(|photo| photo.id);
        show("holders of contents", &found);
        for text in QUERIES {
            let query = SearchQuery::parse(text).expect("the queries are good");
            let scope = AlbumScope::default();
            let found = walk(size(2), async |page| store.photos.search(id, &query, &scope, page).await).await;
            show(text, &found.iter().map(|photo| photo.id).collect::<Vec<_>>());
        }
        show("albums", &walk(size(2), async |page| store.albums.list(id, page).await).await);
        show("trashed albums", &walk(size(1), async |page| store.albums.trash(id, page).await).await);
        show("all albums", &walk(size(2), async |page| store.albums.all(id, page).await).await);
        for title in 0..3 {
            let key = some_album(0, 0, title).title.key();
            show(&key, &store.albums.find_by_title(id, &key).await.succeeds("finding by title"));
        }
        let albums: Vec<AlbumId> =
            (0..OWNERS).flat_map(|of| (0..ALBUMS).map(move |album| album_id(of, album))).collect();
        let covers = store.albums.covers(id, &albums).await.succeeds("reading covers");
        show("covers", &covers.iter().map(|(album, photo)| (*album, photo.id)).collect::<Vec<_>>());
        for album in albums {
            show("photos", &walk(size(2), async |page| store.albums.photos(id, album, page).await).await);
            show("places", &walk(size(3), async |page| store.albums.members(id, album, page).await).await);
            show("last place", &store.albums.last_member(id, album).await.succeeds("finding the last place"));
            let scope = AlbumScope { within: vec![vec![album]], outside: vec![album_id(owner, 0)] };
            let query = SearchQuery::parse("-nothing").expect("the query is good");
            let found = walk(size(2), async |page| store.photos.search(id, &query, &scope, page).await).await;
            show("photos found in an album", &found.iter().map(|photo| photo.id).collect::<Vec<_>>());
        }
        for photo in 0..PHOTOS {
            show("albums of a photo", &store.albums.albums_of(id, photo_id(photo)).await.succeeds("albums of a photo"));
        }
        show("audit", &store.photos.audit(id, false).await.succeeds("an audit"));
    }
    shown
        .push(("all users".to_owned(), format!("{:?}", walk(size(2), async |page| store.users.all(page).await).await)));
    shown.push((
        "next work".to_owned(),
        format!("{:?}", store.work.next_due().await.succeeds("asking for the next work")),
    ));
    shown
}

const READY: u8 = 2;

fn uuid(kind: u8, owner: u8, number: u8) -> uuid::Uuid {
    uuid::Uuid::from_u128(
        0x0190_0000_0000_7000_8000_0000_0000_0000
            | u128::from(kind) << 16
            | u128::from(owner) << 8
            | u128::from(number),
    )
}

fn owner_id(owner: u8) -> UserId {
    UserId::from_uuid(uuid(1, 0, owner))
}

/// The owners choose from the same ids: an id is one owner's at a time.
fn photo_id(photo: u8) -> PhotoId {
    PhotoId::from_uuid(uuid(2, 0, photo))
}

fn album_id(owner: u8, album: u8) -> AlbumId {
    AlbumId::from_uuid(uuid(3, owner, album))
}

fn time(number: u8) -> Timestamp {
    Things::new().at(u64::from(number))
}

fn photo_state(number: u8) -> PhotoState {
    match number {
        0 => PhotoState::Uploading,
        1 => PhotoState::Processing,
        READY => PhotoState::Ready(facts(MediaType::Png)),
        3 => PhotoState::Failed(crate::Failure { kind: FailureKind::TooLarge, detail: "It is too large.".to_owned() }),
        _ => PhotoState::Erasing { settled_at: time(number) },
    }
}

/// A photo of some text, tags, time and content; few of each.
fn some_photo(owner: u8, photo: u8, looks: u8, state: u8) -> Photo {
    let titles = ["lake", "Lakeside sea", "", "東京 lake"];
    let tags: [&[&str]; 5] = [&["Été"], &[], &["lake", "ete"], &["sea", "sea side"], &["東京"]];
    let times = [
        None,
        Some("2024-06-01T00:00:00"),
        Some("2024-06-01T00:00:00+02:00"),
        Some("1969-12-31T23:59:59.999"),
        Some("2024-07-01T00:00:00.500"),
    ];
    let looks = usize::from(looks);
    let mut built = Things::new()
        .photo(owner_id(owner))
        .id(photo_id(photo))
        .title(titles[looks % 4])
        .tags(tags[looks % 5])
        .content(&format!("content {}", looks % 6))
        .bytes(1_000)
        .created(time(photo % 3));
    if let Some(taken) = times[looks / 2 % 5] {
        built = built.taken(taken);
    }
    built.state(photo_state(state)).build()
}

fn some_album(owner: u8, album: u8, title: u8) -> Album {
    let titles = ["Été", "ete", "東京"];
    Album {
        id: album_id(owner, album),
        title: AlbumTitle::parse(titles[usize::from(title)]).expect("the titles are some"),
        created_at: time(album % 2),
        ..Things::new().album(owner_id(owner), "album")
    }
}

fn some_user(user: u8, email: u8) -> User {
    User {
        id: owner_id(user),
        email: format!("user{email}@example.org").parse().expect("the address is one"),
        revision: Revision::FIRST,
        ..Things::new().user()
    }
}

/// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): small, seeded, the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    fn below(&mut self, sides: u8) -> u8 {
        u8::try_from(self.roll(sides.into())).expect("it is less than the sides")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_histories_of_a_seed_are_the_same_and_no_two_seeds_share_one() {
        let written = |seed| format!("{:?}", history(seed));
        assert_eq!(written(7), written(7));
        assert_ne!(written(7), written(8));
        assert!((0..256).all(|seed| (1..=60).contains(&history(seed).len())));
    }
}
