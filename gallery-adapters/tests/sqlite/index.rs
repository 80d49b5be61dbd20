//! The search index and the counts: their order, and that an audit finds and mends what is wrong.

use gallery_domain::ports::AlbumScope;
use gallery_domain::{Membership, PageRequest, PageSize, PhotoId, Rank, Timestamp, Trashed};

use crate::fixture::Fixture;
use crate::stores::searches::{self, expected, search};
use crate::stores::stored::{NOON, tags, title};

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
