//! The search index and the counts: their order, and that an audit finds and mends what is wrong.

use gallery_domain::ports::AlbumScope;
use gallery_domain::search::SearchQuery;
use gallery_domain::{FileName, Membership, PageRequest, PageSize, Rank, Timestamp, Trashed};

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
    searches::a_rare_match_makes_short_pages(&fixture).await;
}

#[tokio::test]
async fn a_beginning_of_more_terms_than_are_merged_finds_all_of_them() {
    let fixture = Fixture::new().await;
    searches::a_beginning_finds_all_of_many_terms(&fixture).await;
}

#[tokio::test]
async fn terms_of_any_characters_are_found_and_nothing_else_is() {
    const HOSTILE: [&str; 12] =
        ["it's", "'", "\\", "\\'", "a\\b", "''':*", "a&b|c!d", "(x<->y)", "100%_", "東京都", "🏔️", "\u{10FFFD}z"];
    let fixture = Fixture::new().await;
    let mut photos = Vec::new();
    for (number, tag) in (0..).zip(HOSTILE) {
        let photo = fixture.photo(number, |photo| {
            photo.details.tags = tags(&[tag]);
            photo.details.title = title(tag);
            photo.original.file_name = FileName::parse("x.jpg").unwrap();
        });
        photos.push(photo.await);
    }
    let scope = AlbumScope::default();
    for tag in HOSTILE {
        for query in [format!("tag:\"{tag}\""), format!("tag:{tag}*"), format!("-tag:\"{tag}\""), tag.to_owned()] {
            // Punctuation alone asks for nothing.
            if SearchQuery::parse(&query).is_err() {
                continue;
            }
            let wanted = expected(&photos, &query, |_| true);
            assert_eq!(search(&fixture, &query, &scope, 20).await.0, wanted, "{query}");
        }
    }
    let counts = fixture.repositories.photos.tags(fixture.owner, "", 100).await.unwrap();
    assert_eq!(counts.len(), HOSTILE.len());
    assert_eq!(fixture.repositories.photos.audit(fixture.owner, false).await.unwrap(), []);
}

#[tokio::test]
async fn an_audit_finds_each_thing_that_is_wrong_and_mends_it() {
    for (damage, subject) in [
        ("UPDATE gallery.usage SET bytes = bytes + 1", "usage"),
        ("DELETE FROM gallery.usage", "usage"),
        ("UPDATE gallery.month_count SET photos = 7", "month 2024-06"),
        ("INSERT INTO gallery.month_count SELECT owner_id, '1999-01', 1 FROM gallery.usage", "month 1999-01"),
        ("UPDATE gallery.tag_count SET photos = 9", "tag lake"),
        ("INSERT INTO gallery.tag_count SELECT owner_id, 'sea', 1 FROM gallery.usage", "tag sea"),
        ("DELETE FROM gallery.photo_term WHERE term = 'lake'", "search index of photo"),
        ("UPDATE gallery.photo_term SET timeline_at = 0 WHERE term = '#lake'", "search index of photo"),
        (
            "INSERT INTO gallery.photo_term SELECT owner_id, 'x', timeline_at, id FROM gallery.photo WHERE listed_in = 'trash'",
            "search index of photo",
        ),
        (
            "INSERT INTO gallery.photo_term SELECT owner_id, 'x', 0, owner_id FROM gallery.usage",
            "search index of photo",
        ),
        ("UPDATE gallery.album SET photo_count = 5", "photos of album"),
        ("UPDATE gallery.album_photo SET visible = false", "place of photo"),
        ("UPDATE gallery.album_photo SET timeline_at = 0", "place of photo"),
        ("UPDATE gallery.photo SET listed_in = 'unfinished'", "columns of photo"),
        ("UPDATE gallery.photo SET listed_in = 'timeline'", "columns of photo"),
        ("UPDATE gallery.photo SET holds_content = false", "columns of photo"),
        ("UPDATE gallery.photo SET timeline_at = timeline_at + 86400000", "columns of photo"),
        ("UPDATE gallery.photo SET month = '1999-01'", "columns of photo"),
        ("UPDATE gallery.photo SET terms = 'x'", "columns of photo"),
        ("UPDATE gallery.photo SET words = '{\"all\":[]}'", "columns of photo"),
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

        let mut connection = fixture.database.connection().await;
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
