//! The search index and the counts: their order, and that an audit finds and mends what is wrong.

use gallery_domain::ports::AlbumScope;
use gallery_domain::search::SearchQuery;
use gallery_domain::terms::tag_key;
use gallery_domain::{AlbumId, Membership, PageRequest, PageSize, Photo, PhotoId, Rank, Timestamp, Trashed};

use crate::fixture::{Fixture, NOON, tags, title};

/// All pages of a search, and how many there were.
async fn search(fixture: &Fixture, query: &str, albums: &AlbumScope, size: u32) -> (Vec<PhotoId>, usize) {
    let query = SearchQuery::parse(query).unwrap();
    let size = PageSize::new(size).unwrap();
    let (mut found, mut pages, mut request) = (Vec::new(), 0, PageRequest::first(size));
    loop {
        let page = fixture.repositories.photos.search(fixture.owner, &query, albums, request).await.unwrap();
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
fn expected(photos: &[Photo], query: &str, in_scope: impl Fn(&Photo) -> bool) -> Vec<PhotoId> {
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
async fn crowded() -> (Fixture, Vec<Photo>) {
    let fixture = Fixture::new().await;
    let mut photos = Vec::new();
    for number in 0..600 {
        let at = match number {
            0..300 => NOON,
            300..400 => NOON + i64::try_from(number % 7).unwrap() * 140,
            _ => NOON + (i64::try_from(number).unwrap() - 500) * 3_600_000,
        };
        let photo = fixture.photo(number, |photo| {
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
    (fixture, photos)
}

#[tokio::test]
async fn pages_of_a_search_follow_the_timeline_exactly_however_many_photos_share_an_instant() {
    let (fixture, photos) = crowded().await;
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
            assert_eq!(search(&fixture, query, &scope, size).await.0, wanted, "{query} by {size}");
        }
    }
}

#[tokio::test]
async fn a_search_within_albums_looks_at_no_other_photos() {
    let (fixture, photos) = crowded().await;
    let (even, some) = (fixture.album(1, "Even").await, fixture.album(2, "Some").await);
    let mut rank = None;
    for (number, photo) in photos.iter().enumerate() {
        let next = Rank::between(rank.as_ref(), None).unwrap();
        let place = [Membership { photo: photo.id, rank: next.clone() }];
        if number % 2 == 0 {
            fixture.repositories.albums.add_photos(fixture.owner, even, &place).await.unwrap();
        }
        if number % 9 == 0 {
            fixture.repositories.albums.add_photos(fixture.owner, some, &place).await.unwrap();
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
        assert_eq!(search(&fixture, query, &scope, 7).await.0, wanted, "{query}");
    }
}

#[tokio::test]
async fn a_search_of_which_little_matches_answers_short_pages_rather_than_looking_at_everything() {
    let fixture = Fixture::new().await;
    let mut photos = Vec::new();
    for number in 0..1500 {
        let photo = fixture.photo(number, |photo| {
            photo.created_at = Timestamp::from_millis(NOON);
            photo.details.title = title(if number == 77 { "unique" } else { "plain" });
        });
        photos.push(photo.await);
    }
    // In one second, the timeline is walked; the one photo may come with the first or the second request.
    let scope = AlbumScope::default();
    let (found, pages) = search(&fixture, "type:jpeg -title:plain", &scope, 50).await;
    assert_eq!(found, expected(&photos, "unique", |_| true));
    assert!(pages >= 2, "{pages}");
    assert_eq!(search(&fixture, "\"plain\"", &scope, 100).await.0, expected(&photos, "\"plain\"", |_| true));
    assert_eq!(search(&fixture, "\"unique\"", &scope, 100).await, (found, 1), "the index knows where it is");
}

#[tokio::test]
async fn a_beginning_of_more_words_and_photos_than_the_index_is_asked_for_finds_all_of_them() {
    let fixture = Fixture::new().await;
    let mut photos = Vec::new();
    for number in 0..2_200 {
        let photo = fixture.photo(number, |photo| {
            photo.details.title = title(&match number {
                2_150.. => format!("plain {number}"),
                _ => format!("bright{:02} {}", number % 100, if number % 700 == 3 { "lake" } else { "sea" }),
            });
        });
        photos.push(photo.await);
    }
    let scope = AlbumScope::default();
    for query in
        ["brigh", "bright0", "bright", "bright* -sea", "bright* \"lake\"", "bright* OR plain", "plain -bright*", "b"]
    {
        let (found, pages) = search(&fixture, query, &scope, 100).await;
        assert_eq!(found, expected(&photos, query, |_| true), "{query}");
        assert!(pages <= found.len() / 100 + 3, "{query} took {pages} pages");
    }
}

#[tokio::test]
async fn what_is_kept_of_a_photos_texts_is_not_made_anew_to_read_it() {
    let fixture = Fixture::new().await;
    let photo = fixture.photo(1, |photo| photo.details.title = title("lake")).await;
    let terms = r#"{"all":["1","img","lake"],"description":["lake"]}"#;
    let mut connection = fixture.connection().await;
    sqlx::query("UPDATE photo SET terms = ?1").bind(terms).execute(&mut connection).await.unwrap();
    for (query, found) in
        [("description:lake", true), ("title:lake", false), ("-title:lake", true), ("-description:lake", false)]
    {
        let wanted: &[PhotoId] = if found { &[photo.id] } else { &[] };
        assert_eq!(search(&fixture, query, &AlbumScope::default(), 10).await.0, wanted, "{query}");
    }
    sqlx::query(r#"UPDATE photo SET tags = '[["kept", "Été"]]'"#).execute(&mut connection).await.unwrap();
    let read = fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap().unwrap();
    let tags: Vec<_> = read.details.tags.iter().map(|tag| (tag.key(), tag.as_str())).collect();
    assert_eq!(tags, [("kept", "Été")], "a key that was kept is not made anew");
}

#[tokio::test]
async fn the_index_follows_every_change_of_a_photo() {
    let fixture = Fixture::new().await;
    let scope = AlbumScope::default();
    let mut photo = fixture.photo(1, |photo| photo.details.title = title("before")).await;
    let album = fixture.album(1, "Album").await;
    let place = [Membership { photo: photo.id, rank: Rank::between(None, None).unwrap() }];
    fixture.repositories.albums.add_photos(fixture.owner, album, &place).await.unwrap();

    fixture.replace(&mut photo, |photo| photo.details.title = title("after")).await;
    assert_eq!(search(&fixture, "before", &scope, 10).await.0, []);
    assert_eq!(search(&fixture, "after", &scope, 10).await.0, [photo.id]);

    let taken = "1931-02-03T04:05:06.789-03:30".parse().unwrap();
    fixture.replace(&mut photo, |photo| photo.details.taken_at = Some(taken)).await;
    assert_eq!(search(&fixture, "after before:1932", &scope, 10).await.0, [photo.id]);
    assert_eq!(search(&fixture, "after after:1932", &scope, 10).await.0, []);

    let trashed = Trashed { at: Timestamp::from_millis(NOON), with_album: None };
    fixture.replace(&mut photo, |photo| photo.trashed = Some(trashed)).await;
    assert_eq!(search(&fixture, "after", &scope, 10).await.0, []);
    assert_eq!(fixture.repositories.albums.find(fixture.owner, album).await.unwrap().unwrap().photo_count, 0);
    assert_eq!(fixture.repositories.photos.audit(fixture.owner, false).await.unwrap(), []);

    fixture.replace(&mut photo, |photo| photo.trashed = None).await;
    assert_eq!(search(&fixture, "after", &scope, 10).await.0, [photo.id]);
    assert_eq!(fixture.repositories.albums.find(fixture.owner, album).await.unwrap().unwrap().photo_count, 1);

    fixture.repositories.photos.remove(fixture.owner, photo.id).await.unwrap();
    assert_eq!(search(&fixture, "after", &scope, 10).await.0, []);
    assert_eq!(fixture.repositories.albums.find(fixture.owner, album).await.unwrap().unwrap().photo_count, 0);
    assert_eq!(fixture.repositories.photos.audit(fixture.owner, false).await.unwrap(), []);
}

#[tokio::test]
async fn a_tag_is_spelt_as_on_a_photo_that_still_has_it() {
    let fixture = Fixture::new().await;
    let first = fixture.photo(1, |photo| photo.details.tags = tags(&["Été"])).await;
    fixture.photo(2, |photo| photo.details.tags = tags(&["ete", "zoo"])).await;
    fixture.repositories.photos.remove(fixture.owner, first.id).await.unwrap();
    let counts = fixture.repositories.photos.tags(fixture.owner, "", 10).await.unwrap();
    let counts: Vec<_> = counts.iter().map(|count| (count.tag.as_str(), count.photos)).collect();
    assert_eq!(counts, [("ete", 1), ("zoo", 1)]);
    let key = tag_key("ÉT");
    assert_eq!(fixture.repositories.photos.tags(fixture.owner, &key, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_audit_finds_each_thing_that_is_wrong_and_mends_it() {
    for (damage, subject) in [
        ("UPDATE usage SET bytes = bytes + 1", "usage"),
        ("DELETE FROM usage", "usage"),
        ("UPDATE month_count SET photos = 7", "month 2024-06"),
        ("INSERT INTO month_count SELECT owner_id, '1999-01', 1 FROM usage", "month 1999-01"),
        ("UPDATE tag_count SET photos = 9", "tag lake"),
        ("UPDATE term_count SET photos = 9 WHERE term = 'lake'", "term lake"),
        ("DELETE FROM term_count", "term #lake"),
        ("INSERT INTO term_count SELECT owner_id, 'sea', 2 FROM usage", "term sea"),
        ("UPDATE photo SET terms = '{\"all\":[\"sea\"]}'", "columns of photo"),
        ("DELETE FROM photo_tag", "tag lake of photo"),
        ("UPDATE photo_tag SET spelling = 'LAKE'", "tag lake of photo"),
        ("UPDATE album SET photo_count = 5", "photos of album"),
        ("UPDATE album_photo SET visible = 0", "place of photo"),
        ("UPDATE album_photo SET timeline_at = 0", "place of photo"),
        ("UPDATE photo SET listed_in = 'unfinished'", "columns of photo"),
        ("UPDATE photo SET listed_in = 'timeline'", "columns of photo"),
        ("UPDATE photo SET holds_content = 0", "columns of photo"),
        ("UPDATE photo SET row = row + (86400 << 24), timeline_at = timeline_at + 86400000", "columns of photo"),
        ("UPDATE photo SET month = '1999-01'", "columns of photo"),
        ("DELETE FROM photo_index WHERE rowid IN (SELECT row FROM photo)", "search index of photo"),
        (
            "INSERT INTO photo_index (rowid, terms) SELECT row, 'x' FROM photo WHERE listed_in = 'trash'",
            "search index of photo",
        ),
        ("INSERT INTO photo_index (rowid, terms) SELECT 5, lower(hex(owner_id)) FROM usage", "search index at row 5"),
    ] {
        let fixture = Fixture::new().await;
        let album = fixture.album(1, "Album").await;
        let shown = fixture.photo(1, |photo| photo.details.tags = tags(&["Lake"])).await;
        fixture
            .photo(2, |photo| {
                photo.trashed = Some(Trashed { at: Timestamp::from_millis(NOON), with_album: None });
                photo.details.tags = tags(&["Lake"]);
            })
            .await;
        let place = [Membership { photo: shown.id, rank: Rank::between(None, None).unwrap() }];
        fixture.repositories.albums.add_photos(fixture.owner, album, &place).await.unwrap();
        let photos = &fixture.repositories.photos;
        assert_eq!(photos.audit(fixture.owner, true).await.unwrap(), []);

        let mut connection = fixture.connection().await;
        sqlx::query(damage).execute(&mut connection).await.unwrap();
        let found = photos.audit(fixture.owner, false).await.unwrap();
        assert!(found.iter().any(|found| found.subject.starts_with(subject)), "{damage}: {found:?}");
        let mended = photos.audit(fixture.owner, true).await.unwrap();
        assert!(mended.iter().any(|found| found.subject.starts_with(subject)), "{damage}: {mended:?}");
        assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), [], "{damage}");

        let (found, _) = search(&fixture, "tag:lake", &AlbumScope::default(), 10).await;
        assert_eq!(found, [shown.id], "{damage}");
        let timeline = photos.timeline(fixture.owner, PageRequest::first(PageSize::default())).await.unwrap();
        assert_eq!(timeline.items, [shown], "{damage}");
    }
}
