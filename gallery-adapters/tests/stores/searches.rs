//! Searches of photos, as every store has to answer them, where an index is likely to go wrong.

use gallery_domain::ports::AlbumScope;
use gallery_domain::search::SearchQuery;
use gallery_domain::terms::tag_key;
use gallery_domain::{AlbumId, Membership, PageRequest, PageSize, Photo, PhotoId, Rank, Timestamp, Trashed};

use super::stored::{NOON, Stored, tags, title};

/// All pages of a search, and how many there were.
pub(crate) async fn search(stored: &Stored, query: &str, albums: &AlbumScope, size: u32) -> (Vec<PhotoId>, usize) {
    let query = SearchQuery::parse(query).unwrap();
    let size = PageSize::new(size).unwrap();
    let (mut found, mut pages, mut request) = (Vec::new(), 0, PageRequest::first(size));
    loop {
        let page = stored.repositories.photos.search(stored.owner, &query, albums, request).await.unwrap();
        assert!(page.items.len() <= size.get());
        found.extend(page.items.iter().map(|photo| photo.id));
        pages += 1;
        match page.next {
            Some(next) => request = PageRequest::after(size, next),
            None => return (found, pages),
        }
    }
}

/// What the search language says the answer is.
pub(crate) fn expected(photos: &[Photo], query: &str, in_scope: impl Fn(&Photo) -> bool) -> Vec<PhotoId> {
    let query = SearchQuery::parse(query).unwrap();
    let mut found: Vec<&Photo> = photos
        .iter()
        .filter(|photo| {
            let day = photo.timeline_instant().to_utc().date();
            let wanted = |album: &str| query.albums().iter().any(|named| named == album);
            photo.is_visible()
                && in_scope(photo)
                && query.matches(&photo.terms(), photo.details.favourite, "jpeg", day, wanted)
        })
        .collect();
    found.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
    found.iter().map(|photo| photo.id).collect()
}

/// 300 photos of one instant, 100 within its second, and 200 around.
pub(crate) async fn crowded(stored: &Stored) -> Vec<Photo> {
    let mut photos = Vec::new();
    for number in 0..600 {
        let at = match number {
            0..300 => NOON,
            300..400 => NOON + i64::try_from(number % 7).unwrap() * 140,
            _ => NOON + (i64::try_from(number).unwrap() - 500) * 3_600_000,
        };
        let photo = stored.photo(number, |photo| {
            photo.created_at = Timestamp::from_millis(at);
            photo.details.favourite = number % 5 == 0;
            photo.details.title = title(["Lake", "Sea at dawn", "État-major", "東京都 lake"][number as usize % 4]);
            photo.details.tags = tags(if number % 3 == 0 { &["New  York", "été"] } else { &[] });
            if number % 50 == 49 {
                photo.trashed = Some(Trashed { at: Timestamp::from_millis(NOON), with_album: None });
            }
        });
        photos.push(photo.await);
    }
    photos
}

/// Pages of a search follow the timeline exactly, however many photos share an instant.
pub(crate) async fn pages_follow_the_timeline(stored: &Stored) {
    let photos = crowded(stored).await;
    let scope = AlbumScope::default();
    for query in [
        "\"lake\"",
        "lak",
        "img",
        "lake OR dawn",
        "lake -tag:été",
        "-lake",
        "-title:lake",
        "title:\"lake\" tag:\"new york\"",
        "tag:\"new y\"",
        "tag:new*",
        "\"京都\"",
        "etat major",
        "is:favourite",
        "-is:favourite sea",
        "type:png",
        "lake type:jpeg after:2024-06-01 before:2024-06-02",
        "before:2024-06-01",
        "after:2024-06-02 sea",
        "img before:2024-06-01",
        "nowhere",
    ] {
        let wanted = expected(&photos, query, |_| true);
        for size in [7, 100] {
            assert_eq!(search(stored, query, &scope, size).await.0, wanted, "{query} by {size}");
        }
    }
}

/// A search within albums looks at no other photos.
pub(crate) async fn albums_bound_a_search(stored: &Stored) {
    let photos = crowded(stored).await;
    let (even, some) = (stored.album(1, "Even").await, stored.album(2, "Some").await);
    let mut rank = None;
    for (number, photo) in photos.iter().enumerate() {
        let next = Rank::between(rank.as_ref(), None).unwrap();
        let place = [Membership { photo: photo.id, rank: next.clone() }];
        if number % 2 == 0 {
            stored.repositories.albums.add_photos(stored.owner, even, &place).await.unwrap();
        }
        if number % 9 == 0 {
            stored.repositories.albums.add_photos(stored.owner, some, &place).await.unwrap();
        }
        rank = Some(next);
    }
    let stands = |album: AlbumId, photo: &Photo| {
        let number = photos.iter().position(|other| other.id == photo.id).unwrap();
        number % (if album == even { 2 } else { 9 }) == 0
    };
    let scopes = [
        ("in:Even", vec![vec![even]], vec![]),
        ("in:Even lake", vec![vec![even]], vec![]),
        ("in:Even in:Some", vec![vec![even], vec![some]], vec![]),
        ("in:Either sea", vec![vec![even, some]], vec![]),
        ("in:Some -in:Even", vec![vec![some]], vec![even]),
        ("-in:Even is:favourite", vec![], vec![even]),
        ("in:Nowhere", vec![vec![]], vec![]),
    ];
    for (query, within, outside) in scopes {
        let scope = AlbumScope { within, outside };
        let wanted = expected(&photos, query, |photo| {
            scope.within.iter().all(|group| group.iter().any(|album| stands(*album, photo)))
                && !scope.outside.iter().any(|album| stands(*album, photo))
        });
        assert_eq!(search(stored, query, &scope, 7).await.0, wanted, "{query}");
    }
}

/// The index follows every change of a photo.
pub(crate) async fn the_index_follows_a_photo(stored: &Stored) {
    let scope = AlbumScope::default();
    let mut photo = stored.photo(1, |photo| photo.details.title = title("before")).await;
    let album = stored.album(1, "Album").await;
    let place = [Membership { photo: photo.id, rank: Rank::between(None, None).unwrap() }];
    stored.repositories.albums.add_photos(stored.owner, album, &place).await.unwrap();

    stored.replace(&mut photo, |photo| photo.details.title = title("after")).await;
    assert_eq!(search(stored, "before", &scope, 10).await.0, []);
    assert_eq!(search(stored, "after", &scope, 10).await.0, [photo.id]);

    let taken = "1931-02-03T04:05:06.789-03:30".parse().unwrap();
    stored.replace(&mut photo, |photo| photo.details.taken_at = Some(taken)).await;
    assert_eq!(search(stored, "after before:1932", &scope, 10).await.0, [photo.id]);
    assert_eq!(search(stored, "after after:1932", &scope, 10).await.0, []);

    let trashed = Trashed { at: Timestamp::from_millis(NOON), with_album: None };
    stored.replace(&mut photo, |photo| photo.trashed = Some(trashed)).await;
    assert_eq!(search(stored, "after", &scope, 10).await.0, []);
    assert_eq!(stored.repositories.albums.find(stored.owner, album).await.unwrap().unwrap().photo_count, 0);
    assert_eq!(stored.repositories.photos.audit(stored.owner, false).await.unwrap(), []);

    stored.replace(&mut photo, |photo| photo.trashed = None).await;
    assert_eq!(search(stored, "after", &scope, 10).await.0, [photo.id]);
    assert_eq!(stored.repositories.albums.find(stored.owner, album).await.unwrap().unwrap().photo_count, 1);

    stored.repositories.photos.remove(stored.owner, photo.id).await.unwrap();
    assert_eq!(search(stored, "after", &scope, 10).await.0, []);
    assert_eq!(stored.repositories.albums.find(stored.owner, album).await.unwrap().unwrap().photo_count, 0);
    assert_eq!(stored.repositories.photos.audit(stored.owner, false).await.unwrap(), []);
}

/// A tag is spelt as on a photo that still has it.
pub(crate) async fn tags_are_spelt_as_on_a_photo(stored: &Stored) {
    let first = stored.photo(1, |photo| photo.details.tags = tags(&["Été"])).await;
    stored.photo(2, |photo| photo.details.tags = tags(&["ete", "zoo"])).await;
    stored.repositories.photos.remove(stored.owner, first.id).await.unwrap();
    let counts = stored.repositories.photos.tags(stored.owner, "", 10).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.tag.as_str(), count.photos)).collect();
    assert_eq!(counts, [("ete", 1), ("zoo", 1)]);
    let key = tag_key("ÉT");
    assert_eq!(stored.repositories.photos.tags(stored.owner, &key, 10).await.unwrap().len(), 1);
}

/// A search of which little matches answers short pages rather than looking at everything.
pub(crate) async fn a_rare_match_makes_short_pages(stored: &Stored) {
    let mut photos = Vec::new();
    for number in 0..1300 {
        let photo = stored.photo(number, |photo| {
            photo.details.title = title(if number == 77 { "plain unique" } else { "plain" });
        });
        photos.push(photo.await);
    }
    let scope = AlbumScope::default();
    let wanted = expected(&photos, "unique", |_| true);
    for query in ["type:jpeg title:unique", "type:jpeg \"plain\" title:uniq*", "plain -img", "\"plain\" is:favourite"] {
        let (found, _) = search(stored, query, &scope, 50).await;
        assert_eq!(found, expected(&photos, query, |_| true), "{query}");
    }
    // No index knows of types, so that the timeline is walked.
    let (found, pages) = search(stored, "type:png", &scope, 50).await;
    assert_eq!(found, []);
    assert!(pages >= 2, "{pages}");
    assert_eq!(search(stored, "\"unique\"", &scope, 100).await, (wanted, 1), "the index knows where it is");
}

/// A beginning of more terms than are merged finds all of them.
pub(crate) async fn a_beginning_finds_all_of_many_terms(stored: &Stored) {
    let mut photos = Vec::new();
    for number in 0..200 {
        photos.push(stored.photo(number, |photo| photo.details.title = title(&format!("sea{number}"))).await);
    }
    let scope = AlbumScope::default();
    for query in ["sea", "sea1", "sea14", "sea1 OR sea2", "sea -sea1*", "tag:se"] {
        assert_eq!(search(stored, query, &scope, 20).await.0, expected(&photos, query, |_| true), "{query}");
    }
}
