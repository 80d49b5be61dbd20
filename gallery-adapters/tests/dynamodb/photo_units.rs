//! What each method on photos and albums costs, with photos as people have them: a title, a sentence, three tags, a camera's EXIF.

use gallery_domain::conformance::fixtures::{AMPLE, Things, append, change, keep_album, keep_all, trash, work_on};
use gallery_domain::ports::AlbumScope;
use gallery_domain::search::SearchQuery;
use gallery_domain::{
    Album, AlbumTitle, Description, Membership, PageRequest, PageSize, Photo, PhotoId, PhotoState, Rank, RankCursor,
    Sha256Digest, Task, Title, UserId, Work,
};

use crate::meter::Cost;
use crate::units::Metered;

fn page<C>() -> PageRequest<C> {
    PageRequest::first(PageSize::default())
}

/// A visible photo as people have them.
fn usual(things: &Things, owner: UserId, number: usize) -> Photo {
    things
        .photo(owner)
        .title("Evening at the lake")
        .description("We walked round the lake until it got dark.")
        .tags(&["Lake", "Evening", "Summer 2024"])
        .file_name(&format!("IMG_{number}.jpg"))
        .build()
}

/// So many of them.
async fn usual_photos(metered: &Metered, things: &Things, owner: UserId, count: usize) -> Vec<Photo> {
    let photos: Vec<Photo> = (0..count).map(|number| usual(things, owner, number)).collect();
    keep_all(&metered.repositories, &photos).await;
    metered.forget();
    photos
}

async fn replace(metered: &Metered, photo: &mut Photo, work: bool, change: impl FnOnce(&mut Photo)) {
    let read_at = photo.revision;
    change(photo);
    photo.revision = read_at.next();
    let work = work.then(|| work_on(photo, photo.created_at));
    metered.repositories.photos.replace(photo, read_at, work).await.unwrap();
}

#[tokio::test]
async fn the_way_of_a_photo_costs_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let store = &metered.repositories;
    let owner = things.owner();
    // Not the first of its month, of its tags and of its owner.
    usual_photos(&metered, &things, owner, 1).await;

    let ready = usual(&things, owner, 2);
    let mut photo = Photo { state: PhotoState::Uploading, ..ready.clone() };
    store.photos.insert(&photo, &AMPLE, &work_on(&photo, things.at(1))).await.unwrap();
    metered.assert_cost("PhotoRepository insert", 1, 0.0, 13.0);
    replace(&metered, &mut photo, true, |photo| photo.state = PhotoState::Processing).await;
    metered.assert_cost("PhotoRepository replace when its bytes have come", 2, 1.0, 8.0);
    replace(&metered, &mut photo, true, |photo| photo.state = ready.state.clone()).await;
    metered.assert_cost("PhotoRepository replace when it becomes ready", 4, 3.0, 56.0);
    replace(&metered, &mut photo, false, |photo| photo.details.favourite = true).await;
    metered.assert_cost("PhotoRepository replace", 2, 1.0, 10.0);
    replace(&metered, &mut photo, false, |photo| photo.details.title = Title::parse("Night at the lake").unwrap())
        .await;
    metered.assert_cost("PhotoRepository replace of its words", 2, 1.0, 46.0);
    replace(&metered, &mut photo, true, trash(things.at(9))).await;
    metered.assert_cost("PhotoRepository replace into the trash", 5, 7.0, 62.0);
    replace(&metered, &mut photo, true, |photo| photo.state = PhotoState::Erasing { settled_at: things.at(9) }).await;
    metered.assert_cost("PhotoRepository replace by its tombstone", 2, 1.0, 8.0);
    store.photos.remove(owner, photo.id).await.unwrap();
    metered.assert_cost("PhotoRepository remove", 4, 3.0, 9.0);
}

#[tokio::test]
async fn reading_photos_costs_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let store = &metered.repositories;
    let owner = things.owner();
    let photos = usual_photos(&metered, &things, owner, 60).await;
    let ids: Vec<PhotoId> = photos.iter().take(50).map(|photo| photo.id).collect();
    let contents: Vec<Sha256Digest> = photos.iter().take(50).map(|photo| photo.original.sha256).collect();

    store.photos.find(owner, ids[0]).await.unwrap().unwrap();
    metered.assert_cost("PhotoRepository find", 1, 1.0, 0.0);
    assert_eq!(store.photos.find_many(owner, &ids).await.unwrap().len(), 50);
    metered.assert_cost("PhotoRepository find_many", 1, 50.0, 0.0);
    assert_eq!(store.photos.find_by_content(owner, &contents).await.unwrap().len(), 50);
    metered.assert_cost("PhotoRepository find_by_content", 2, 100.0, 0.0);
    assert_eq!(store.photos.timeline(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("PhotoRepository timeline", 1, 15.0, 0.0);
    assert_eq!(store.photos.months(owner).await.unwrap().len(), 1);
    metered.assert_cost("PhotoRepository months", 1, 1.0, 0.0);
    assert_eq!(store.photos.tags(owner, "", 10).await.unwrap().len(), 3);
    metered.assert_cost("PhotoRepository tags", 2, 2.0, 0.0);
    assert_eq!(store.photos.all(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("PhotoRepository all", 2, 52.0, 0.0);
    assert_eq!(store.photos.audit(owner, false).await.unwrap(), []);
    metered.assert_cost("PhotoRepository audit of 60 photos", 15, 147.0, 0.0);

    for photo in &photos {
        change(store, owner, photo.id, |photo| photo.details.favourite = true).await;
    }
    metered.forget();
    assert_eq!(store.photos.favourites(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("PhotoRepository favourites", 2, 52.0, 0.0);
    for photo in &photos {
        change(store, owner, photo.id, trash(things.at(1))).await;
    }
    metered.forget();
    assert_eq!(store.photos.trash(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("PhotoRepository trash", 2, 52.0, 0.0);
    let waiting: Vec<Photo> = (0..60).map(|_| things.photo(owner).uploading().build()).collect();
    keep_all(store, &waiting).await;
    metered.forget();
    assert_eq!(store.photos.unfinished(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("PhotoRepository unfinished", 2, 52.0, 0.0);
}

#[tokio::test]
async fn a_page_of_a_search_costs_the_same_however_many_photos_there_are() {
    let (metered, things) = (Metered::new().await, Things::new());
    let store = &metered.repositories;
    let owner = things.owner();
    // One in two has the first word, one in five the second, and few have both.
    let photo = |number: usize| {
        let lake = if number.is_multiple_of(2) { "lake" } else { "hill" };
        let photo = things.photo(owner).title(lake).description(if number.is_multiple_of(5) { "sea" } else { "sky" });
        photo.file_name(&format!("IMG_{number}.jpg")).build()
    };
    let queries = ["\"lake\"", "lake", "\"lake\" \"sea\"", "\"lake\" OR \"sea\"", "type:jpeg", "\"lake\" before:2030"];
    let mut costs: Vec<Vec<Cost>> = Vec::new();
    for range in [0..1_000, 1_000..20_000] {
        for numbers in range.collect::<Vec<_>>().chunks(500) {
            keep_all(store, &numbers.iter().map(|number| photo(*number)).collect::<Vec<_>>()).await;
        }
        metered.forget();
        let mut of_queries = Vec::new();
        for query in queries {
            let query = SearchQuery::parse(query).unwrap();
            let found = store.photos.search(owner, &query, &AlbumScope::default(), page()).await.unwrap();
            assert_eq!(found.items.len(), 50, "{query}");
            of_queries.push(metered.taken());
        }
        costs.push(of_queries);
    }
    for ((query, few), many) in queries.iter().zip(&costs[0]).zip(&costs[1]) {
        println!("{query}: {few:?}, {many:?}");
        assert!((few.read - many.read).abs() <= 3.0, "{query} costs {few:?} of 1,000 photos and {many:?} of 20,000");
    }
    let query = SearchQuery::parse("\"lake\"").unwrap();
    store.photos.search(owner, &query, &AlbumScope::default(), page()).await.unwrap();
    metered.assert_cost("PhotoRepository search", 2, 53.0, 0.0);
}

#[tokio::test]
async fn albums_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let store = &metered.repositories;
    let owner = things.owner();
    let album = things.album(owner, "Summer at the lake");
    store.albums.insert(&album).await.unwrap();
    metered.assert_cost("AlbumRepository insert", 1, 0.0, 8.0);
    store.albums.find(owner, album.id).await.unwrap().unwrap();
    metered.assert_cost("AlbumRepository find", 1, 1.0, 0.0);
    store.albums.find_by_title(owner, &album.title.key()).await.unwrap();
    metered.assert_cost("AlbumRepository find_by_title", 1, 1.0, 0.0);
    let described = Album {
        description: Description::parse("All of it.").unwrap(),
        revision: album.revision.next(),
        ..album.clone()
    };
    store.albums.replace(&described, album.revision, None).await.unwrap();
    metered.assert_cost("AlbumRepository replace", 2, 1.0, 2.0);
    let renamed = Album {
        title: AlbumTitle::parse("Summer 2024").unwrap(),
        revision: described.revision.next(),
        ..described.clone()
    };
    let work = Work::new(Task::Album { owner, album: album.id }, things.at(1));
    store.albums.replace(&renamed, described.revision, Some(work)).await.unwrap();
    metered.assert_cost("AlbumRepository replace of its title, with work", 2, 1.0, 9.0);

    let photos = usual_photos(&metered, &things, owner, 60).await;
    let ranks = Rank::spread(None, None, 61).unwrap();
    let places: Vec<Membership> =
        photos.iter().zip(&ranks).map(|(photo, rank)| Membership { photo: photo.id, rank: rank.clone() }).collect();
    store.albums.add_photos(owner, album.id, &places[..1]).await.unwrap();
    metered.assert_cost("AlbumRepository add_photos", 4, 3.0, 12.0);
    store.albums.add_photos(owner, album.id, &places[1..51]).await.unwrap();
    metered.assert_cost("AlbumRepository add_photos, 50 of them", 6, 101.0, 506.0);
    let moved = [Membership { photo: photos[0].id, rank: ranks[60].clone() }];
    store.albums.add_photos(owner, album.id, &moved).await.unwrap();
    metered.assert_cost("AlbumRepository add_photos that moves one", 4, 3.0, 8.0);
    store.albums.add_photos(owner, album.id, &places[51..]).await.unwrap();
    metered.forget();

    assert_eq!(store.albums.photos(owner, album.id, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("AlbumRepository photos", 2, 53.0, 0.0);
    assert_eq!(store.albums.members(owner, album.id, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("AlbumRepository members", 1, 3.0, 0.0);
    store.albums.member(owner, album.id, photos[3].id).await.unwrap().unwrap();
    metered.assert_cost("AlbumRepository member", 1, 1.0, 0.0);
    store.albums.last_member(owner, album.id).await.unwrap().unwrap();
    metered.assert_cost("AlbumRepository last_member", 1, 1.0, 0.0);
    let cursor = RankCursor { rank: places[3].rank.clone(), photo: places[3].photo };
    store.albums.member_before(owner, album.id, &cursor).await.unwrap().unwrap();
    metered.assert_cost("AlbumRepository member_before", 1, 1.0, 0.0);
    store.albums.albums_of(owner, photos[3].id).await.unwrap();
    metered.assert_cost("AlbumRepository albums_of", 1, 1.0, 0.0);
    change(store, owner, photos[3].id, trash(things.at(1))).await;
    metered.assert_cost("PhotoRepository replace into the trash, in an album", 6, 8.0, 64.0);
    store.albums.remove_photos(owner, album.id, &[photos[5].id]).await.unwrap();
    metered.assert_cost("AlbumRepository remove_photos", 2, 1.0, 8.0);

    let mut ids = vec![album.id];
    for (number, photo) in photos.iter().take(54).enumerate() {
        let album = things.album(owner, &format!("Album {number}"));
        keep_album(store, &album).await;
        append(store, &album, &[photo]).await;
        ids.push(album.id);
    }
    metered.forget();
    assert_eq!(store.albums.list(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("AlbumRepository list", 2, 52.0, 0.0);
    assert_eq!(store.albums.covers(owner, &ids[..50]).await.unwrap().len(), 49);
    metered.assert_cost("AlbumRepository covers", 51, 147.0, 0.0);
    assert_eq!(store.albums.all(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("AlbumRepository all", 1, 3.0, 0.0);
    for id in &ids {
        let mut album = store.albums.find(owner, *id).await.unwrap().unwrap().album;
        let read_at = album.revision;
        album.revision = read_at.next();
        album.trashed =
            Some(gallery_domain::AlbumTrashed { at: things.at(9), photos: gallery_domain::AlbumPhotos::Keep });
        store.albums.replace(&album, read_at, None).await.unwrap();
    }
    metered.forget();
    assert_eq!(store.albums.trash(owner, page()).await.unwrap().items.len(), 50);
    metered.assert_cost("AlbumRepository trash", 2, 52.0, 0.0);
    store.albums.remove(owner, ids[1]).await.unwrap();
    metered.assert_cost("AlbumRepository remove", 7, 5.0, 16.0);
}
