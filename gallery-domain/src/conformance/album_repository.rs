//! What an [`AlbumRepository`](crate::ports::AlbumRepository) owes.

use futures_util::future::{join, join_all};

use super::expectations::{Succeeds, page_sizes, size, walk, winners};
use super::fixtures::{
    HOSTILE, RACERS, SCRIPTS, Things, append, change, change_album, keep, keep_album, keep_all, rank_cursor, restore,
    states, trash, trash_album,
};
use crate::ports::{Repositories, RepositoryError};
use crate::{
    Album, AlbumCursor, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, Description, Membership, PageRequest, PageSize,
    Photo, PhotoId, Rank, RankCursor, Revision, Task, UserId, Work,
};

/// Runs each clause on albums as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! album_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            album_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                an_album_is_found_as_inserted,
                an_absent_album_is_not_found,
                text_of_albums_is_kept,
                a_taken_album_id_is_refused,
                of_concurrent_inserts_of_an_album_one_wins,
                an_album_is_found_as_replaced,
                a_replace_of_a_stale_album_is_refused,
                a_replace_of_an_absent_album_is_stale,
                of_concurrent_replaces_of_an_album_one_wins,
                a_replace_of_an_album_schedules_its_work,
                a_refused_replace_of_an_album_changes_nothing,
                albums_are_found_by_title,
                albums_of_a_title_come_latest_first_and_are_not_more_than_20,
                a_removed_album_is_gone_and_its_photos_stay,
                removing_an_absent_album_succeeds,
                removing_an_album_cancels_its_work,
                albums_are_listed_latest_created_first,
                trashed_albums_are_listed_last_trashed_first,
                every_page_size_visits_each_album_once,
                a_cursor_of_a_removed_album_still_works,
                all_albums_come_by_id,
                photos_stand_in_an_album_in_the_order_of_their_ranks,
                the_longest_ranks_are_kept,
                photos_of_the_same_rank_stand_by_id,
                every_page_size_visits_each_place_once,
                paging_an_album_visits_each_photo_once_while_others_write,
                a_cursor_of_a_removed_place_still_works,
                adding_answers_how_many_are_new,
                adding_again_moves,
                adding_a_hundred_at_once,
                concurrent_adds_of_a_photo_count_once,
                absent_photos_and_albums_are_passed_over,
                a_photo_of_any_state_can_stand_in_an_album,
                removing_places_answers_how_many_stood_there,
                a_photo_may_stand_in_many_albums,
                only_visible_photos_of_an_album_are_seen,
                the_photo_count_follows_the_photos,
                the_photo_count_survives_concurrent_changes,
                a_place_is_found_by_photo,
                the_last_place_is_that_of_the_highest_rank,
                the_place_before_a_place_is_found,
                a_cover_is_the_chosen_photo_else_the_first_visible,
                a_cover_that_does_not_stand_in_the_album_is_not_shown,
                covers_come_in_the_order_asked,
                a_trashed_album_keeps_its_places,
                no_album_is_found_by_another_owner,
                no_album_is_changed_by_another_owner,
                no_album_is_removed_by_another_owner,
                no_place_is_seen_or_changed_by_another_owner,
                no_photo_of_another_owner_gets_into_an_album,
                owners_with_albums_alike_do_not_see_each_others,
            ]
        );
    };
}

/// Every field of an album comes back as it went in.
pub async fn an_album_is_found_as_inserted(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for trashed in [None, Some(AlbumPhotos::Delete), Some(AlbumPhotos::Keep)] {
        let album = Album {
            description: Description::parse("Two\nlines").expect("a description"),
            cover: trashed.map(|_| things.photo_id()),
            trashed: trashed.map(|photos| AlbumTrashed { at: things.at(7), photos }),
            ..things.album(owner, "Summer 2024")
        };
        keep_album(store, &album).await;
        let found = store.albums.find(owner, album.id).await.succeeds("finding an album").expect("it is there");
        assert_eq!((found.album, found.photo_count), (album, 0), "an album comes back as inserted, without photos");
    }
}

/// A look-up of what is absent answers `None`, a list of it nothing.
pub async fn an_absent_album_is_not_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep_album(store, &things.album(owner, "other")).await;
    let (album, photo) = (things.album_id(), things.photo_id());
    let found = store.albums.find(owner, album).await.succeeds("finding an album");
    assert_eq!(found, None, "there is no such album");
    let found = store.albums.find_by_title(owner, "absent").await.succeeds("finding by title");
    assert!(found.is_empty(), "no album has this title");
    let found = store.albums.member(owner, album, photo).await.succeeds("finding a place");
    assert_eq!(found, None, "an absent album has no places");
    let found = store.albums.last_member(owner, album).await.succeeds("finding the last place");
    assert_eq!(found, None, "an absent album has no last place");
    let cursor = RankCursor { rank: Rank::between(None, None).expect("there is room"), photo };
    let found = store.albums.member_before(owner, album, &cursor).await.succeeds("finding a place");
    assert_eq!(found, None, "an absent album has no place before");
    let page = store.albums.members(owner, album, PageRequest::first(size(5))).await.succeeds("reading places");
    assert_eq!((page.items, page.next), (vec![], None), "an absent album has no places to list");
    let page = store.albums.photos(owner, album, PageRequest::first(size(5))).await.succeeds("reading photos");
    assert_eq!((page.items, page.next), (vec![], None), "an absent album has no photos to list");
    let found = store.albums.albums_of(owner, photo).await.succeeds("albums of a photo");
    assert!(found.is_empty(), "an absent photo stands in no album");
    let found = store.albums.covers(owner, &[album]).await.succeeds("reading covers");
    assert!(found.is_empty(), "an absent album has no cover");
}

/// Titles and descriptions keep their text, and are found by it.
pub async fn text_of_albums_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for text in SCRIPTS.iter().map(|(text, _)| *text).chain(HOSTILE) {
        let album = Album { description: Description::parse(text).expect("a text"), ..things.album(owner, text) };
        keep_album(store, &album).await;
        let found = store.albums.find(owner, album.id).await.succeeds("finding an album");
        assert_eq!(found.map(|entry| entry.album).as_ref(), Some(&album), "text is kept");
        let found = store.albums.find_by_title(owner, &album.title.key()).await.succeeds("finding by title");
        assert!(found.contains(&album.id), "an album is found by the title {text:?}");
    }
}

/// An id is given once.
pub async fn a_taken_album_id_is_refused(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "first");
    keep_album(store, &album).await;
    let second = Album { id: album.id, ..things.album(owner, "second") };
    assert_refused!(store.albums.insert(&second).await, RepositoryError::AlreadyExists, "a taken id is refused");
    let found = store.albums.find(owner, album.id).await.succeeds("finding an album");
    assert_eq!(found.map(|entry| entry.album), Some(album), "the first album of an id stays");
}

/// Two cannot both get an id.
pub async fn of_concurrent_inserts_of_an_album_one_wins(store: &Repositories) {
    let things = Things::new();
    let (owner, id) = (things.owner(), things.album_id());
    let albums: Vec<Album> = (0..RACERS).map(|n| Album { id, ..things.album(owner, &format!("{n}")) }).collect();
    let results = join_all(albums.iter().map(|album| store.albums.insert(album))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} inserts of one id succeeds");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let listed = walk(size(5), async |page| store.albums.list(owner, page).await).await;
    assert_eq!(listed.len(), 1, "there is one album");
    assert_eq!(listed[0].album, albums[winner], "the album whose insert succeeded is there");
}

/// Whatever may change comes back as it was written last.
pub async fn an_album_is_found_as_replaced(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "old");
    keep_album(store, &album).await;
    for trashed in [Some(AlbumPhotos::Delete), None, Some(AlbumPhotos::Keep)] {
        let changed = change_album(store, album.owner, album.id, |album| {
            album.title = AlbumTitle::parse("new").expect("a title");
            album.description = Description::parse("new").expect("a description");
            album.cover = trashed.map(|_| things.photo_id());
            album.trashed = trashed.map(|photos| AlbumTrashed { at: things.at(3), photos });
        })
        .await;
        let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
        assert_eq!(found.map(|entry| entry.album), Some(changed), "an album comes back as replaced");
    }
}

/// Whoever read an older revision has to read again.
pub async fn a_replace_of_a_stale_album_is_refused(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    keep_album(store, &album).await;
    for read_at in [0, 2, 1 << 40].map(Revision::new) {
        let changed = Album { revision: read_at.next(), ..album.clone() };
        let result = store.albums.replace(&changed, read_at, None).await;
        assert_refused!(result, RepositoryError::Stale, "revision {} is not the one there", read_at.get());
    }
}

/// What is gone cannot be changed back to life.
pub async fn a_replace_of_an_absent_album_is_stale(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    let changed = Album { revision: album.revision.next(), ..album.clone() };
    let result = store.albums.replace(&changed, album.revision, None).await;
    assert_refused!(result, RepositoryError::Stale, "an absent album is stale");
    keep_album(store, &album).await;
    store.albums.remove(album.owner, album.id).await.succeeds("removing an album");
    let result = store.albums.replace(&changed, album.revision, None).await;
    assert_refused!(result, RepositoryError::Stale, "an album that is gone is stale");
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    assert_eq!(found, None, "a stale replace brings nothing back");
}

/// No update is lost.
pub async fn of_concurrent_replaces_of_an_album_one_wins(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    keep_album(store, &album).await;
    let changed: Vec<Album> = (0..RACERS)
        .map(|n| Album {
            title: AlbumTitle::parse(&format!("title {n}")).expect("a title"),
            revision: album.revision.next(),
            ..album.clone()
        })
        .collect();
    let results = join_all(changed.iter().map(|changed| store.albums.replace(changed, album.revision, None))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::Stale));
    assert_eq!(won, 1, "one of {RACERS} changes of one revision succeeds");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    assert_eq!(found.map(|entry| entry.album).as_ref(), Some(&changed[winner]), "the change that succeeded is there");
}

/// The change and its work are one write.
pub async fn a_replace_of_an_album_schedules_its_work(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    keep_album(store, &album).await;
    let changed = Album { revision: album.revision.next(), ..album.clone() };
    let work = Work::new(Task::Album { owner: album.owner, album: album.id }, things.at(5));
    store.albums.replace(&changed, album.revision, Some(work)).await.succeeds("replacing an album");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(5)), "the work of a replace is scheduled with it");
}

/// Refused is refused.
pub async fn a_refused_replace_of_an_album_changes_nothing(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    keep_album(store, &album).await;
    let changed = Album { revision: Revision::new(9), ..things.album(album.owner, "new") };
    let changed = Album { id: album.id, ..changed };
    let work = Work::new(Task::Album { owner: album.owner, album: album.id }, things.at(5));
    let result = store.albums.replace(&changed, Revision::new(8), Some(work)).await;
    assert_refused!(result, RepositoryError::Stale, "a stale replace is refused");
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    assert_eq!(found.map(|entry| entry.album), Some(album.clone()), "a refused replace leaves the album");
    let found = store.albums.find_by_title(album.owner, "new").await.succeeds("finding by title");
    assert!(found.is_empty(), "a refused replace leaves the title");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "a refused replace schedules nothing");
}

/// By the title's key, whole, as it is now, outside the trash.
pub async fn albums_are_found_by_title(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "Été à Paris");
    keep_album(store, &album).await;
    keep_album(store, &things.album(owner, "Été à Paris 2")).await;
    let find = async |key: &str| store.albums.find_by_title(owner, key).await.succeeds("finding by title");
    assert_eq!(find("ete a paris").await, [album.id], "an album is found by its title's key");
    assert_eq!(find("ete").await, [], "part of a title is not the title");
    assert_eq!(find("ete_a_paris").await, [], "an underscore is an underscore");
    change_album(store, owner, album.id, |album| album.title = AlbumTitle::parse("Paris").expect("a title")).await;
    assert_eq!(find("ete a paris").await, [], "an album is not found by the title it had");
    assert_eq!(find("paris").await, [album.id], "an album is found by the title it has");
    change_album(store, owner, album.id, trash_album(things.at(1))).await;
    assert_eq!(find("paris").await, [], "an album in the trash is not found");
    change_album(store, owner, album.id, |album| album.trashed = None).await;
    assert_eq!(find("paris").await, [album.id], "an album out of the trash is found again");
}

/// A title need not be unique.
pub async fn albums_of_a_title_come_latest_first_and_are_not_more_than_20(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let albums: Vec<Album> = (0..25).map(|_| things.album(owner, "Same")).collect();
    for album in &albums {
        keep_album(store, album).await;
    }
    let found = store.albums.find_by_title(owner, "same").await.succeeds("finding by title");
    let expected: Vec<AlbumId> = albums.iter().rev().take(20).map(|album| album.id).collect();
    assert_eq!(found, expected, "the latest 20 albums of a title come, latest first");
}

/// With its places, not its photos.
pub async fn a_removed_album_is_gone_and_its_photos_stay(store: &Repositories) {
    let (album, photos, _) = filled(store, &Things::new(), 3).await;
    store.albums.remove(album.owner, album.id).await.succeeds("removing an album");
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    assert_eq!(found, None, "a removed album is gone");
    for photo in &photos {
        let found = store.photos.find(album.owner, photo.id).await.succeeds("finding a photo");
        assert_eq!(found.as_ref(), Some(photo), "the photos of a removed album stay");
        let albums = store.albums.albums_of(album.owner, photo.id).await.succeeds("albums of a photo");
        assert!(albums.is_empty(), "the photos of a removed album do not stand in it");
    }
    keep_album(store, &album).await;
    let entry = store.albums.find(album.owner, album.id).await.succeeds("finding an album").expect("it is there");
    assert_eq!(entry.photo_count, 0, "an album that is inserted again is empty");
    let last = store.albums.last_member(album.owner, album.id).await.succeeds("finding the last place");
    assert_eq!(last, None, "an album that is inserted again has no places");
}

/// A delete can be sent twice.
pub async fn removing_an_absent_album_succeeds(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    store.albums.remove(album.owner, album.id).await.succeeds("removing an album that never was");
    keep_album(store, &album).await;
    for _ in 0..2 {
        store.albums.remove(album.owner, album.id).await.succeeds("removing an album");
    }
}

/// Nobody is sent after an album that is gone.
pub async fn removing_an_album_cancels_its_work(store: &Repositories) {
    let things = Things::new();
    let album = things.album(things.owner(), "title");
    keep_album(store, &album).await;
    let work = Work::new(Task::Album { owner: album.owner, album: album.id }, things.at(5));
    store.work.schedule(&work).await.succeeds("scheduling work");
    store.albums.remove(album.owner, album.id).await.succeeds("removing an album");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "the work on an album goes with it");
}

/// Latest created first; those of one time by id, highest first; without the trash.
pub async fn albums_are_listed_latest_created_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let a = Album { created_at: things.at(5), ..things.album(owner, "z") };
    let b = Album { created_at: things.at(9), ..things.album(owner, "y") };
    let c = Album { created_at: things.at(5), ..things.album(owner, "x") };
    let d = Album {
        trashed: Some(AlbumTrashed { at: things.at(1), photos: AlbumPhotos::Keep }),
        ..things.album(owner, "w")
    };
    for album in [&a, &b, &c, &d] {
        keep_album(store, album).await;
    }
    let listed = walk(size(1), async |page| store.albums.list(owner, page).await).await;
    let listed: Vec<Album> = listed.into_iter().map(|entry| entry.album).collect();
    assert_eq!(listed, [b, c, a], "albums are listed latest created first, without the trash");
}

/// The cursor holds the time of trashing.
pub async fn trashed_albums_are_listed_last_trashed_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let albums =
        [things.album(owner, "a"), things.album(owner, "b"), things.album(owner, "c"), things.album(owner, "d")];
    for album in &albums {
        keep_album(store, album).await;
    }
    for (album, at) in albums.iter().zip([50, 90, 50]) {
        change_album(store, owner, album.id, trash_album(things.at(at))).await;
    }
    let page = store.albums.trash(owner, PageRequest::first(size(1))).await.succeeds("reading the trash");
    assert_eq!(
        page.next,
        Some(AlbumCursor { at: things.at(90), id: albums[1].id }),
        "the cursor holds the time of trashing"
    );
    let listed = walk(size(1), async |page| store.albums.trash(owner, page).await).await;
    let listed: Vec<AlbumId> = listed.into_iter().map(|entry| entry.album.id).collect();
    assert_eq!(listed, [albums[1].id, albums[2].id, albums[0].id], "the trash is ordered by when albums were trashed");
}

/// No size skips or repeats.
pub async fn every_page_size_visits_each_album_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut albums: Vec<Album> =
        (0..40).map(|n| Album { created_at: things.at(n / 4), ..things.album(owner, "album") }).collect();
    for album in &albums {
        keep_album(store, album).await;
    }
    albums.reverse();
    for size in page_sizes() {
        let listed = walk(size, async |page| store.albums.list(owner, page).await).await;
        assert!(listed.iter().map(|entry| &entry.album).eq(&albums), "pages of {} visit each album once", size.get());
    }
}

/// A cursor is a place, not an album.
pub async fn a_cursor_of_a_removed_album_still_works(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let albums: Vec<Album> = (0..4).map(|_| things.album(owner, "album")).collect();
    for album in &albums {
        keep_album(store, album).await;
    }
    let page = store.albums.list(owner, PageRequest::first(size(2))).await.succeeds("reading a page");
    let next = page.next.expect("there are more albums");
    assert_eq!(next, albums[2].cursor(), "the cursor is the sort key of the last album seen");
    for album in &albums[1..] {
        store.albums.remove(owner, album.id).await.succeeds("removing an album");
    }
    let page = store.albums.list(owner, PageRequest::after(size(2), next)).await.succeeds("reading a page");
    let found: Vec<AlbumId> = page.items.into_iter().map(|entry| entry.album.id).collect();
    assert_eq!(found, [albums[0].id], "the list goes on after an album that is gone");
}

/// Also those in the trash.
pub async fn all_albums_come_by_id(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut albums: Vec<Album> =
        (0..20).map(|n| Album { created_at: things.at(100 - n), ..things.album(owner, "a") }).collect();
    for album in albums.iter_mut().step_by(3) {
        album.trashed = Some(AlbumTrashed { at: things.at(1), photos: AlbumPhotos::Delete });
    }
    for album in albums.iter().rev() {
        keep_album(store, album).await;
    }
    for size in page_sizes() {
        let listed = walk(size, async |page| store.albums.all(owner, page).await).await;
        assert_eq!(listed, albums, "pages of {} visit every album by id", size.get());
    }
}

/// By rank, whatever their times.
pub async fn photos_stand_in_an_album_in_the_order_of_their_ranks(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "title");
    keep_album(store, &album).await;
    // Text order, not that of numbers or of a language: upper case before lower, a prefix before what is longer.
    let ranks = ["1", "10", "2", "A", "Z", "Zz", "a", "az", "b"];
    let mut places = Vec::new();
    for rank in ranks {
        let photo = things.photo(owner).build();
        keep(store, &photo).await;
        places.push(Membership { photo: photo.id, rank: Rank::try_from(rank.to_owned()).expect("a rank") });
    }
    for place in places.iter().rev() {
        add(store, &album, std::slice::from_ref(place)).await;
    }
    for size in page_sizes() {
        assert_eq!(members(store, &album, size).await, places, "places come in the order of their ranks");
        let photos = walk(size, async |page| store.albums.photos(owner, album.id, page).await).await;
        let seen: Vec<Membership> = photos.iter().map(|(place, _)| place.clone()).collect();
        assert_eq!(seen, places, "photos come in the order of their ranks");
        assert!(photos.iter().all(|(place, photo)| place.photo == photo.id), "each place comes with its photo");
    }
}

/// A rank may have 1,024 digits, all but the last the same.
pub async fn the_longest_ranks_are_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "title");
    keep_album(store, &album).await;
    let mut places = Vec::new();
    for last in ["1", "2", "A", "a", "z"] {
        let photo = things.photo(owner).build();
        keep(store, &photo).await;
        let rank = Rank::try_from(format!("{}{last}", "V".repeat(1_023))).expect("a rank");
        places.push(Membership { photo: photo.id, rank });
    }
    let shuffled: Vec<Membership> = places.iter().rev().cloned().collect();
    add(store, &album, &shuffled).await;
    assert_eq!(members(store, &album, size(2)).await, places, "the longest ranks are kept, told apart and ordered");
    let before = store.albums.member_before(owner, album.id, &rank_cursor(&places[4])).await;
    assert_eq!(before.succeeds("finding the place before").as_ref(), Some(&places[3]), "and found before another");
}

/// Racing moves can give two photos one rank.
pub async fn photos_of_the_same_rank_stand_by_id(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "title");
    keep_album(store, &album).await;
    let photos: Vec<Photo> = (0..15).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    let rank = Rank::between(None, None).expect("there is room");
    let places: Vec<Membership> =
        photos.iter().map(|photo| Membership { photo: photo.id, rank: rank.clone() }).collect();
    let shuffled: Vec<Membership> = places.iter().rev().cloned().collect();
    add(store, &album, &shuffled).await;
    for size in page_sizes() {
        assert_eq!(members(store, &album, size).await, places, "places of one rank come by id, lowest first");
    }
}

/// No size skips or repeats.
pub async fn every_page_size_visits_each_place_once(store: &Repositories) {
    let (album, photos, places) = filled(store, &Things::new(), 60).await;
    for photo in photos.iter().step_by(3) {
        change(store, album.owner, photo.id, |photo| photo.state = states().swap_remove(1)).await;
    }
    let visible: Vec<&Membership> =
        places.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, place)| place).collect();
    for size in page_sizes() {
        assert_eq!(members(store, &album, size).await, places, "pages of {} visit each place once", size.get());
        let seen = walk(size, async |page| store.albums.photos(album.owner, album.id, page).await).await;
        let seen: Vec<&Membership> = seen.iter().map(|(place, _)| place).collect();
        assert_eq!(seen, visible, "pages of {} visit each visible photo once", size.get());
    }
}

/// What stays in its place is seen once, whatever comes and goes meanwhile.
pub async fn paging_an_album_visits_each_photo_once_while_others_write(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 40).await;
    for size in [1, 2, 7].map(size) {
        let others = async {
            for n in (1..photos.len()).step_by(2) {
                remove(store, &album, &[photos[n].id]).await;
                let rank = Rank::between(Some(&places[n - 1].rank), Some(&places[n].rank)).expect("there is room");
                add(store, &album, &[Membership { photo: photos[n].id, rank }]).await;
                add(store, &album, std::slice::from_ref(&places[n])).await;
            }
        };
        let reader = walk(size, async |page| store.albums.photos(album.owner, album.id, page).await);
        let ((), seen) = join(others, reader).await;
        let stays = |photo: &PhotoId| photos.iter().step_by(2).any(|stays| stays.id == *photo);
        let stayed: Vec<PhotoId> = seen.iter().map(|(place, _)| place.photo).filter(stays).collect();
        let expected: Vec<PhotoId> = photos.iter().step_by(2).map(|photo| photo.id).collect();
        assert_eq!(stayed, expected, "pages of {} visit each photo that stays once, in order", size.get());
    }
}

/// A cursor is a place in the order, not a photo.
pub async fn a_cursor_of_a_removed_place_still_works(store: &Repositories) {
    let (album, photos, places) = filled(store, &Things::new(), 5).await;
    let page = store.albums.photos(album.owner, album.id, PageRequest::first(size(2))).await.succeeds("reading a page");
    let next = page.next.expect("there are more photos");
    assert_eq!(next, rank_cursor(&places[1]), "the cursor is the sort key of the last place seen");
    remove(store, &album, &[photos[1].id, photos[2].id]).await;
    let request = PageRequest::after(size(5), next);
    let page = store.albums.members(album.owner, album.id, request.clone()).await.succeeds("reading a page");
    assert_eq!(page.items, places[3..], "the places go on after one that is gone");
    let page = store.albums.photos(album.owner, album.id, request).await.succeeds("reading a page");
    assert!(page.items.iter().map(|(place, _)| place).eq(&places[3..]), "the photos go on after one that is gone");
}

/// Those that stood there already do not count.
pub async fn adding_answers_how_many_are_new(store: &Repositories) {
    let things = Things::new();
    let (album, _, places) = filled(store, &things, 3).await;
    let new = things.photo(album.owner).build();
    keep(store, &new).await;
    let mut more = places.clone();
    more.push(Membership { photo: new.id, rank: Rank::between(Some(&places[2].rank), None).expect("there is room") });
    assert_eq!(add(store, &album, &more).await, 1, "one of four photos is new");
    assert_eq!(add(store, &album, &more).await, 0, "no photo is new the second time");
    assert_eq!(add(store, &album, &[]).await, 0, "none of none is new");
    assert_eq!(members(store, &album, size(9)).await, more, "the places are there");
}

/// A place is a photo's only one in an album.
pub async fn adding_again_moves(store: &Repositories) {
    let (album, photos, places) = filled(store, &Things::new(), 3).await;
    let moved =
        Membership { photo: photos[0].id, rank: Rank::between(Some(&places[2].rank), None).expect("there is room") };
    assert_eq!(add(store, &album, std::slice::from_ref(&moved)).await, 0, "a photo that is moved is not new");
    let expected = [places[1].clone(), places[2].clone(), moved];
    assert_eq!(members(store, &album, size(9)).await, expected, "a photo that is moved stands at its new rank only");
    assert_eq!(photo_count(store, &album).await, 3, "a photo that is moved counts once");
}

/// 100 is what one call may take.
pub async fn adding_a_hundred_at_once(store: &Repositories) {
    let things = Things::new();
    let (album, owner) = {
        let owner = things.owner();
        (things.album(owner, "title"), owner)
    };
    keep_album(store, &album).await;
    let photos: Vec<Photo> = (0..100).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    let ranks = Rank::spread(None, None, 100).expect("there is room");
    let places: Vec<Membership> =
        photos.iter().zip(ranks).map(|(photo, rank)| Membership { photo: photo.id, rank }).collect();
    assert_eq!(add(store, &album, &places).await, 100, "a hundred photos are new");
    assert_eq!(members(store, &album, PageSize::MAX).await, places, "a hundred photos stand in the album");
    let ids: Vec<PhotoId> = photos.iter().map(|photo| photo.id).collect();
    assert_eq!(remove(store, &album, &ids).await, 100, "a hundred photos stood in the album");
}

/// Of several who add the same photo, one adds it.
pub async fn concurrent_adds_of_a_photo_count_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "title");
    let photo = things.photo(owner).build();
    keep_album(store, &album).await;
    keep(store, &photo).await;
    let ranks = Rank::spread(None, None, RACERS).expect("there is room");
    let added =
        join_all(ranks.into_iter().map(async |rank| add(store, &album, &[Membership { photo: photo.id, rank }]).await))
            .await;
    assert_eq!(added.iter().sum::<u64>(), 1, "a photo that {RACERS} add is new once");
    assert_eq!(members(store, &album, size(9)).await.len(), 1, "a photo that {RACERS} add stands there once");
    assert_eq!(photo_count(store, &album).await, 1, "a photo that {RACERS} add counts once");
    let removed = join_all((0..RACERS).map(async |_| remove(store, &album, &[photo.id]).await)).await;
    assert_eq!(removed.iter().sum::<u64>(), 1, "a photo that {RACERS} take out stood there once");
    assert_eq!(photo_count(store, &album).await, 0, "a photo that {RACERS} take out is uncounted once");
}

/// And the others are added all the same.
pub async fn absent_photos_and_albums_are_passed_over(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 1).await;
    let photo = things.photo(album.owner).build();
    keep(store, &photo).await;
    let rank = |before: &Rank| Rank::between(Some(before), None).expect("there is room");
    let absent = Membership { photo: things.photo_id(), rank: rank(&places[0].rank) };
    let present = Membership { photo: photo.id, rank: rank(&absent.rank) };
    assert_eq!(add(store, &album, &[absent, present]).await, 1, "an absent photo is passed over, the other is not");
    let nowhere = things.album(album.owner, "nowhere");
    assert_eq!(add(store, &nowhere, &places).await, 0, "nothing gets into an absent album");
    assert_eq!(remove(store, &nowhere, &[photos[0].id]).await, 0, "nothing stood in an absent album");
    let albums = store.albums.albums_of(album.owner, photos[0].id).await.succeeds("albums of a photo");
    assert_eq!(albums, [album.id], "an album that was absent did not come to be");
}

/// An upload goes into its album when it begins.
pub async fn a_photo_of_any_state_can_stand_in_an_album(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "title");
    keep_album(store, &album).await;
    let mut photos: Vec<Photo> = states().into_iter().map(|state| things.photo(owner).state(state).build()).collect();
    photos.push(things.photo(owner).trashed(things.at(1)).build());
    keep_all(store, &photos).await;
    let places = append(store, &album, &photos.iter().collect::<Vec<_>>()).await;
    assert_eq!(members(store, &album, size(9)).await, places, "photos of every state stand in the album");
    assert_eq!(photo_count(store, &album).await, 1, "one of them is visible");
}

/// Those that do not stand there are passed over.
pub async fn removing_places_answers_how_many_stood_there(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 4).await;
    let gone = [photos[1].id, things.photo_id(), photos[3].id];
    assert_eq!(remove(store, &album, &gone).await, 2, "two of three stood there");
    assert_eq!(remove(store, &album, &gone).await, 0, "none of three stands there the second time");
    assert_eq!(remove(store, &album, &[]).await, 0, "none of none stood there");
    let left = [places[0].clone(), places[2].clone()];
    assert_eq!(members(store, &album, size(9)).await, left, "the others stand where they stood");
    assert_eq!(photo_count(store, &album).await, 2, "the others count");
    let found = store.photos.find(album.owner, photos[1].id).await.succeeds("finding a photo");
    assert!(found.is_some(), "a photo that is taken out of an album stays");
}

/// By id, whether the albums are in the trash or not.
pub async fn a_photo_may_stand_in_many_albums(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).build();
    keep(store, &photo).await;
    let albums: Vec<Album> = (0..12).map(|_| things.album(owner, "album")).collect();
    for album in albums.iter().rev() {
        keep_album(store, album).await;
        append(store, album, &[&photo]).await;
    }
    keep_album(store, &things.album(owner, "another")).await;
    change_album(store, owner, albums[3].id, trash_album(things.at(1))).await;
    let found = store.albums.albums_of(owner, photo.id).await.succeeds("albums of a photo");
    let expected: Vec<AlbumId> = albums.iter().map(|album| album.id).collect();
    assert_eq!(found, expected, "a photo's albums come by id, those in the trash too");
    remove(store, &albums[0], &[photo.id]).await;
    let found = store.albums.albums_of(owner, photo.id).await.succeeds("albums of a photo");
    assert_eq!(found, expected[1..], "an album that a photo was taken out of is not there");
    assert_eq!(photo_count(store, &albums[1]).await, 1, "the other albums keep it");
}

/// Places of all, photos of the visible.
pub async fn only_visible_photos_of_an_album_are_seen(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 3).await;
    let seen = async || {
        let seen = walk(size(2), async |page| store.albums.photos(album.owner, album.id, page).await).await;
        seen.into_iter().map(|(_, photo)| photo.id).collect::<Vec<_>>()
    };
    change(store, album.owner, photos[1].id, trash(things.at(1))).await;
    assert_eq!(seen().await, [photos[0].id, photos[2].id], "a photo in the trash is not seen");
    assert_eq!(members(store, &album, size(9)).await, places, "a photo in the trash keeps its place");
    change(store, album.owner, photos[1].id, restore).await;
    assert_eq!(seen().await, [photos[0].id, photos[1].id, photos[2].id], "a restored photo is seen where it stood");
}

/// Whatever happens to a photo happens to the counts of its albums.
pub async fn the_photo_count_follows_the_photos(store: &Repositories) {
    let things = Things::new();
    let (album, photos, _) = filled(store, &things, 2).await;
    let other = things.album(album.owner, "other");
    keep_album(store, &other).await;
    append(store, &other, &[&photos[0]]).await;
    let assert_counts = async |counts: (u64, u64), when: &str| {
        let found = (photo_count(store, &album).await, photo_count(store, &other).await);
        assert_eq!(found, counts, "the photo counts {when}");
        let listed = walk(size(9), async |page| store.albums.list(album.owner, page).await).await;
        let listed: Vec<u64> = listed.into_iter().map(|entry| entry.photo_count).collect();
        assert_eq!(listed, [counts.1, counts.0], "the photo counts in the list {when}");
        let found = store.photos.audit(album.owner, false).await.succeeds("an audit");
        assert!(found.is_empty(), "an audit finds {found:?} {when}");
    };
    assert_counts((2, 1), "at first").await;
    change(store, album.owner, photos[0].id, trash(things.at(1))).await;
    assert_counts((1, 0), "after a photo was trashed").await;
    change(store, album.owner, photos[0].id, restore).await;
    assert_counts((2, 1), "after it was restored").await;
    change(store, album.owner, photos[0].id, |photo| photo.details.favourite = true).await;
    assert_counts((2, 1), "after it was made a favourite").await;
    change(store, album.owner, photos[0].id, |photo| photo.state = states().swap_remove(1)).await;
    assert_counts((1, 0), "while it is processed").await;
    remove(store, &other, &[photos[0].id]).await;
    change(store, album.owner, photos[0].id, |photo| photo.state = states().swap_remove(2)).await;
    assert_counts((2, 0), "once it is ready, taken out of one album").await;
    store.photos.remove(album.owner, photos[0].id).await.succeeds("removing a photo");
    assert_counts((1, 0), "after it was removed").await;
}

/// The counts do not lose count when many photos change at the same time.
pub async fn the_photo_count_survives_concurrent_changes(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, RACERS).await;
    join_all(photos.iter().zip(&places).enumerate().map(async |(n, (photo, place))| match n % 4 {
        0 => drop(change(store, album.owner, photo.id, trash(things.at(1))).await),
        1 => drop(remove(store, &album, &[photo.id]).await),
        2 => store.photos.remove(album.owner, photo.id).await.succeeds("removing a photo"),
        _ => drop(add(store, &album, std::slice::from_ref(place)).await),
    }))
    .await;
    assert_eq!(photo_count(store, &album).await, RACERS as u64 / 4, "a quarter of the photos is left to be seen");
    assert_eq!(members(store, &album, size(9)).await.len(), RACERS / 2, "half of the places is left");
    let found = store.photos.audit(album.owner, false).await.succeeds("an audit");
    assert!(found.is_empty(), "an audit finds {found:?}");
}

/// With its rank.
pub async fn a_place_is_found_by_photo(store: &Repositories) {
    let things = Things::new();
    let (album, _, places) = filled(store, &things, 3).await;
    for place in &places {
        let found = store.albums.member(album.owner, album.id, place.photo).await.succeeds("finding a place");
        assert_eq!(found.as_ref(), Some(place), "a place is found by its photo");
    }
    let found = store.albums.member(album.owner, album.id, things.photo_id()).await.succeeds("finding a place");
    assert_eq!(found, None, "a photo that stands elsewhere has no place here");
}

/// Whatever state its photo is in.
pub async fn the_last_place_is_that_of_the_highest_rank(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 3).await;
    let last = async || store.albums.last_member(album.owner, album.id).await.succeeds("finding the last place");
    change(store, album.owner, photos[2].id, trash(things.at(1))).await;
    assert_eq!(last().await.as_ref(), Some(&places[2]), "the last place is the last, though its photo is in the trash");
    remove(store, &album, &[photos[2].id]).await;
    assert_eq!(last().await.as_ref(), Some(&places[1]), "without it, the one before is the last");
    remove(store, &album, &[photos[0].id, photos[1].id]).await;
    assert_eq!(last().await, None, "an empty album has no last place");
}

/// Right before, also where nothing stands at the place itself.
pub async fn the_place_before_a_place_is_found(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 4).await;
    let before = async |place: &RankCursor| {
        store.albums.member_before(album.owner, album.id, place).await.succeeds("finding the place before")
    };
    change(store, album.owner, photos[1].id, trash(things.at(1))).await;
    for pair in places.windows(2) {
        let found = before(&rank_cursor(&pair[1])).await;
        assert_eq!(found.as_ref(), Some(&pair[0]), "the place right before is found, whatever its photo's state");
    }
    assert_eq!(before(&rank_cursor(&places[0])).await, None, "there is nothing before the first place");
    let between = Rank::between(Some(&places[1].rank), Some(&places[2].rank)).expect("there is room");
    let nobody = RankCursor { rank: between, photo: things.photo_id() };
    assert_eq!(before(&nobody).await.as_ref(), Some(&places[1]), "a place where nothing stands has one before");
    let twin = things.photo(album.owner).build();
    keep(store, &twin).await;
    let same_rank = Membership { photo: twin.id, rank: places[3].rank.clone() };
    add(store, &album, std::slice::from_ref(&same_rank)).await;
    assert_eq!(
        before(&rank_cursor(&same_rank)).await.as_ref(),
        Some(&places[3]),
        "of one rank, the lower id is before"
    );
}

/// The owner's choice while it can be seen.
pub async fn a_cover_is_the_chosen_photo_else_the_first_visible(store: &Repositories) {
    let things = Things::new();
    let (album, photos, _) = filled(store, &things, 3).await;
    assert_eq!(cover(store, &album).await, Some(photos[0].id), "without a choice, the first photo is the cover");
    change_album(store, album.owner, album.id, |album| album.cover = Some(photos[2].id)).await;
    assert_eq!(cover(store, &album).await, Some(photos[2].id), "the chosen photo is the cover");
    change(store, album.owner, photos[2].id, trash(things.at(1))).await;
    assert_eq!(cover(store, &album).await, Some(photos[0].id), "while the choice is in the trash, the first is");
    change(store, album.owner, photos[0].id, |photo| photo.state = states().swap_remove(1)).await;
    assert_eq!(cover(store, &album).await, Some(photos[1].id), "a photo that cannot be seen is no cover");
    change(store, album.owner, photos[2].id, restore).await;
    assert_eq!(cover(store, &album).await, Some(photos[2].id), "a restored choice is the cover again");
    store.photos.remove(album.owner, photos[2].id).await.succeeds("removing a photo");
    assert_eq!(cover(store, &album).await, Some(photos[1].id), "a choice that is gone is no cover");
    remove(store, &album, &[photos[1].id]).await;
    assert_eq!(cover(store, &album).await, None, "an album without visible photos has no cover");
}

/// A cover is one of the album's photos.
pub async fn a_cover_that_does_not_stand_in_the_album_is_not_shown(store: &Repositories) {
    let things = Things::new();
    let (album, photos, _) = filled(store, &things, 2).await;
    let elsewhere = things.photo(album.owner).build();
    keep(store, &elsewhere).await;
    change_album(store, album.owner, album.id, |album| album.cover = Some(elsewhere.id)).await;
    assert_eq!(cover(store, &album).await, Some(photos[0].id), "a photo that does not stand in the album is no cover");
    append(store, &album, &[&elsewhere]).await;
    assert_eq!(cover(store, &album).await, Some(elsewhere.id), "once it stands there, it is");
}

/// 100 at a time, in the order asked; those without a cover are left out.
pub async fn covers_come_in_the_order_asked(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).build();
    keep(store, &photo).await;
    let albums: Vec<Album> = (0..98).map(|_| things.album(owner, "album")).collect();
    for (n, album) in albums.iter().enumerate() {
        keep_album(store, album).await;
        if n % 2 == 0 {
            append(store, album, &[&photo]).await;
        }
    }
    // In no order of their own, the first named twice more.
    let mut asked: Vec<usize> = (0..98).map(|n| n * 37 % 98).collect();
    asked.insert(50, 0);
    asked.push(0);
    let ids: Vec<AlbumId> = asked.iter().map(|n| albums[*n].id).collect();
    let covers = store.albums.covers(owner, &ids).await.succeeds("reading covers");
    assert!(covers.iter().all(|(_, cover)| *cover == photo), "a cover is a whole photo");
    let found: Vec<AlbumId> = covers.into_iter().map(|(album, _)| album).collect();
    let expected: Vec<AlbumId> = asked.iter().filter(|n| *n % 2 == 0).map(|n| albums[*n].id).collect();
    assert_eq!(
        found, expected,
        "covers come in the order asked, for the albums that have one, as often as each was named"
    );
    let covers = store.albums.covers(owner, &ids[..1]).await.succeeds("reading covers");
    assert_eq!(covers.len(), 1, "covers come for the albums asked only");
    let covers = store.albums.covers(owner, &[]).await.succeeds("reading covers");
    assert!(covers.is_empty(), "no album is no cover");
}

/// It comes back as it was.
pub async fn a_trashed_album_keeps_its_places(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 3).await;
    change_album(store, album.owner, album.id, trash_album(things.at(1))).await;
    assert_eq!(members(store, &album, size(9)).await, places, "an album in the trash keeps its places");
    let trash = walk(size(9), async |page| store.albums.trash(album.owner, page).await).await;
    assert_eq!(trash[0].photo_count, 3, "an album in the trash counts its photos");
    remove(store, &album, &[photos[0].id]).await;
    change_album(store, album.owner, album.id, |album| album.trashed = None).await;
    assert_eq!(members(store, &album, size(9)).await, places[1..], "an album out of the trash has its places");
}

/// Knowing an id or a title helps nobody to another's album.
pub async fn no_album_is_found_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 2).await;
    let other = things.owner();
    let found = store.albums.find(other, album.id).await.succeeds("finding an album");
    assert_eq!(found, None, "another's album is not found by id");
    let found = store.albums.find_by_title(other, &album.title.key()).await.succeeds("finding by title");
    assert!(found.is_empty(), "another's album is not found by title");
    let found = store.albums.albums_of(other, photos[0].id).await.succeeds("albums of a photo");
    assert!(found.is_empty(), "another's album is not found by photo");
    let found = store.albums.covers(other, &[album.id]).await.succeeds("reading covers");
    assert!(found.is_empty(), "another's cover is not found");
    let found = store.albums.member(other, album.id, photos[0].id).await.succeeds("finding a place");
    assert_eq!(found, None, "another's place is not found");
    let found = store.albums.last_member(other, album.id).await.succeeds("finding the last place");
    assert_eq!(found, None, "another's last place is not found");
    let place = rank_cursor(&places[1]);
    let found = store.albums.member_before(other, album.id, &place).await.succeeds("finding a place");
    assert_eq!(found, None, "another's place before is not found");
}

/// Knowing an id and a revision helps nobody to change another's album.
pub async fn no_album_is_changed_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (album, ..) = filled(store, &things, 1).await;
    let other = things.owner();
    let stolen = Album { owner: other, revision: album.revision.next(), ..album.clone() };
    let result = store.albums.replace(&stolen, album.revision, None).await;
    assert_refused!(result, RepositoryError::Stale, "another's album is not there to be changed");
    // Whether two owners may have albums of one id is the store's business; that one owner's stays as it is, is not.
    let _ = store.albums.insert(&Album { revision: Revision::FIRST, ..stolen }).await;
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album").expect("it is there");
    assert_eq!((found.album, found.photo_count), (album, 1), "the album is as it was");
}

/// Knowing an id helps nobody to remove another's album.
pub async fn no_album_is_removed_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (album, _, places) = filled(store, &things, 2).await;
    let work = Work::new(Task::Album { owner: album.owner, album: album.id }, things.at(5));
    store.work.schedule(&work).await.succeeds("scheduling work");
    store
        .albums
        .remove(things.owner(), album.id)
        .await
        .succeeds("removing another's album, which is absent to this owner");
    let found = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    assert_eq!(found.map(|entry| entry.album).as_ref(), Some(&album), "the album is still there");
    assert_eq!(members(store, &album, size(9)).await, places, "its places are still there");
    store.work.cancel(&Task::Photo { owner: album.owner, photo: places[0].photo }).await.succeeds("cancelling work");
    store.work.cancel(&Task::Photo { owner: album.owner, photo: places[1].photo }).await.succeeds("cancelling work");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(5)), "the work on it is still there");
}

/// Neither read nor moved nor taken out.
pub async fn no_place_is_seen_or_changed_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (album, photos, places) = filled(store, &things, 3).await;
    let other = things.owner();
    let page = store.albums.photos(other, album.id, PageRequest::first(size(9))).await.succeeds("reading photos");
    assert_eq!((page.items, page.next), (vec![], None), "another's photos are not seen");
    let page = store.albums.members(other, album.id, PageRequest::first(size(9))).await.succeeds("reading places");
    assert_eq!((page.items, page.next), (vec![], None), "another's places are not seen");
    let ids: Vec<PhotoId> = photos.iter().map(|photo| photo.id).collect();
    let removed = store.albums.remove_photos(other, album.id, &ids).await.succeeds("taking out photos");
    assert_eq!(removed, 0, "another's photos do not stand there for this owner");
    let mut moved = places.clone();
    moved.iter_mut().zip(places.iter().rev()).for_each(|(place, other)| place.rank = other.rank.clone());
    let added = store.albums.add_photos(other, album.id, &moved).await.succeeds("adding photos");
    assert_eq!(added, 0, "another's photos and albums are passed over");
    assert_eq!(members(store, &album, size(9)).await, places, "the places are as they were");
}

/// Nor somebody's photo into another's album.
pub async fn no_photo_of_another_owner_gets_into_an_album(store: &Repositories) {
    let things = Things::new();
    let (album, _, places) = filled(store, &things, 1).await;
    let other = things.owner();
    let foreign = things.photo(other).build();
    keep(store, &foreign).await;
    let place =
        Membership { photo: foreign.id, rank: Rank::between(Some(&places[0].rank), None).expect("there is room") };
    for owner in [album.owner, other] {
        let added =
            store.albums.add_photos(owner, album.id, std::slice::from_ref(&place)).await.succeeds("adding photos");
        assert_eq!(added, 0, "a photo and an album of two owners do not come together");
    }
    assert_eq!(members(store, &album, size(9)).await, places, "the album is as it was");
    let albums = store.albums.albums_of(other, foreign.id).await.succeeds("albums of a photo");
    assert!(albums.is_empty(), "the photo stands in no album");
}

/// Each owner's albums are as if there were nobody else.
pub async fn owners_with_albums_alike_do_not_see_each_others(store: &Repositories) {
    let things = Things::new();
    let owners = [things.owner(), things.owner()];
    for _ in 0..3 {
        for owner in owners {
            let album = Album { created_at: things.at(1), ..things.album(owner, "Same") };
            keep_album(store, &album).await;
            let album = Album { created_at: things.at(1), ..things.album(owner, "Same") };
            keep_album(store, &album).await;
            change_album(store, owner, album.id, trash_album(things.at(2))).await;
        }
    }
    for owner in owners {
        let is_own = |album: &Album| album.owner == owner;
        let listed = walk(size(1), async |page| store.albums.list(owner, page).await).await;
        assert!(listed.len() == 3 && listed.iter().all(|entry| is_own(&entry.album)), "the list is the owner's");
        let listed = walk(size(1), async |page| store.albums.trash(owner, page).await).await;
        assert!(listed.len() == 3 && listed.iter().all(|entry| is_own(&entry.album)), "the trash is the owner's");
        let listed = walk(size(1), async |page| store.albums.all(owner, page).await).await;
        assert!(listed.len() == 6 && listed.iter().all(is_own), "all albums are the owner's");
        let found = store.albums.find_by_title(owner, "same").await.succeeds("finding by title");
        assert_eq!(found.len(), 3, "the albums of a title are the owner's");
    }
}

/// An album of photos, in order.
async fn filled(store: &Repositories, things: &Things, photos: usize) -> (Album, Vec<Photo>, Vec<Membership>) {
    let owner: UserId = things.owner();
    let album = things.album(owner, "Filled");
    keep_album(store, &album).await;
    let photos: Vec<Photo> = (0..photos).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    let places = append(store, &album, &photos.iter().collect::<Vec<_>>()).await;
    (album, photos, places)
}

async fn add(store: &Repositories, album: &Album, places: &[Membership]) -> u64 {
    store.albums.add_photos(album.owner, album.id, places).await.succeeds("adding photos")
}

async fn remove(store: &Repositories, album: &Album, photos: &[PhotoId]) -> u64 {
    store.albums.remove_photos(album.owner, album.id, photos).await.succeeds("taking out photos")
}

async fn members(store: &Repositories, album: &Album, size: PageSize) -> Vec<Membership> {
    walk(size, async |page| store.albums.members(album.owner, album.id, page).await).await
}

async fn photo_count(store: &Repositories, album: &Album) -> u64 {
    let entry = store.albums.find(album.owner, album.id).await.succeeds("finding an album");
    entry.expect("the album is there").photo_count
}

async fn cover(store: &Repositories, album: &Album) -> Option<PhotoId> {
    let covers = store.albums.covers(album.owner, &[album.id]).await.succeeds("reading covers");
    covers.into_iter().next().map(|(_, photo)| photo.id)
}
