//! What [`PhotoRepository::search`](crate::ports::PhotoRepository::search) owes: to find what the query matches, and nothing else.

use futures_util::future::join;

use super::expectations::{Succeeds, page_sizes, size, walk};
use super::fixtures::{HOSTILE, SCRIPTS, Things, append, change, keep, keep_album, keep_all, restore, states, trash};
use crate::ports::{AlbumScope, Repositories};
use crate::search::SearchQuery;
use crate::terms::tag_key;
use crate::{MediaType, PageRequest, PageSize, Photo, PhotoCursor, PhotoId, Tags, Title, UserId};

/// Runs each clause on search as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! photo_search_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            photo_search,
            $crate::ports::Repositories,
            $fixture,
            [
                a_word_is_found_wherever_it_stands,
                every_word_has_to_be_there,
                either_of_two_words_will_do,
                an_excluded_word_is_not_there,
                the_beginning_of_a_word_finds_it,
                a_quoted_word_is_whole,
                a_tag_is_found_whole,
                a_title_and_a_description_are_searched_alone,
                text_in_every_script_is_found,
                letters_that_a_mark_makes_are_told_apart,
                hostile_text_is_found_and_breaks_nothing,
                hostile_queries_break_nothing,
                days_bound_a_search,
                days_follow_the_wall_clock,
                favourites_are_found,
                types_are_found,
                a_scope_of_albums_bounds_a_search,
                a_scope_without_words_is_a_search,
                only_visible_photos_are_found,
                a_changed_photo_is_found_by_its_new_words_only,
                a_photo_is_found_through_every_transition,
                found_photos_come_latest_first,
                every_page_size_finds_each_photo_once,
                few_matches_among_many_photos_are_all_found,
                a_search_without_matches_ends,
                photos_of_one_moment_below_many_others_are_found_at_once,
                albums_of_one_title_below_many_other_photos_are_found_at_once,
                a_search_goes_on_after_a_photo_that_is_gone,
                a_search_starts_at_any_moment,
                searching_finds_each_photo_once_while_others_write,
                photos_with_as_many_words_as_count_are_found,
                no_search_finds_photos_of_another_owner,
                a_search_finds_what_its_query_matches,
            ]
        );
    };
}

/// Title, description, tag, file name.
pub async fn a_word_is_found_wherever_it_stands(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos = [
        things.photo(owner).title("By the Lake").build(),
        things.photo(owner).description("A boat\non the lake.").build(),
        things.photo(owner).tags(&["lake"]).build(),
        things.photo(owner).tags(&["great lake"]).build(),
        things.photo(owner).file_name("lake_0001.JPG").build(),
    ];
    keep_all(store, &photos).await;
    keep(store, &things.photo(owner).title("The lakeside").build()).await;
    assert_found(store, owner, "\"lake\"", &photos).await;
}

/// AND.
pub async fn every_word_has_to_be_there(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let both = things.photo(owner).title("sunset").description("over the lake").build();
    keep_all(
        store,
        &[both.clone(), things.photo(owner).title("sunset").build(), things.photo(owner).title("lake").build()],
    )
    .await;
    assert_found(store, owner, "lake sunset", std::slice::from_ref(&both)).await;
    assert_found(store, owner, "sunset lake over", &[both]).await;
    assert_found(store, owner, "sunset lake under", &[]).await;
}

/// OR, which binds tighter than AND.
pub async fn either_of_two_words_will_do(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let lake = things.photo(owner).title("lake").build();
    let sea = things.photo(owner).title("sea").tags(&["blue"]).build();
    let both = things.photo(owner).title("lake by the sea").build();
    keep_all(store, &[lake.clone(), sea.clone(), both.clone(), things.photo(owner).title("hill").build()]).await;
    assert_found(store, owner, "lake OR sea", &[lake, sea.clone(), both.clone()]).await;
    assert_found(store, owner, "sea OR ocean by OR tag:blue", &[sea, both]).await;
    assert_found(store, owner, "ocean OR desert", &[]).await;
}

/// NOT.
pub async fn an_excluded_word_is_not_there(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let plain = things.photo(owner).title("lake").build();
    let blurred = things.photo(owner).title("lake").description("blurred").build();
    let tagged = things.photo(owner).title("lake").tags(&["draft", "long day"]).build();
    keep_all(store, &[plain.clone(), blurred.clone(), tagged.clone()]).await;
    assert_found(store, owner, "lake -blurred", &[plain.clone(), tagged.clone()]).await;
    assert_found(store, owner, "lake -tag:draft", &[plain.clone(), blurred.clone()]).await;
    assert_found(store, owner, "lake -tag:long", &[plain.clone(), blurred.clone(), tagged.clone()]).await;
    assert_found(store, owner, "lake -description:blurred -tag:\"long day\"", std::slice::from_ref(&plain)).await;
    assert_found(store, owner, "lake -title:blurred", &[plain.clone(), blurred.clone(), tagged.clone()]).await;
    assert_found(store, owner, "-lake", &[]).await;
    assert_found(store, owner, "-blurred -draft", std::slice::from_ref(&plain)).await;
    assert_found(store, owner, "-\"lake draft\"", &[plain, blurred]).await;
}

/// Prefix.
pub async fn the_beginning_of_a_word_finds_it(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let beach = things.photo(owner).title("beach house").build();
    let bear = things.photo(owner).tags(&["bear country"]).build();
    let be = things.photo(owner).description("be").build();
    keep_all(store, &[beach.clone(), bear.clone(), be.clone()]).await;
    assert_found(store, owner, "be", &[beach.clone(), bear.clone(), be]).await;
    assert_found(store, owner, "bea* house", std::slice::from_ref(&beach)).await;
    assert_found(store, owner, "house bea", std::slice::from_ref(&beach)).await;
    assert_found(store, owner, "tag:bea*", std::slice::from_ref(&bear)).await;
    assert_found(store, owner, "bea* -beac*", &[bear]).await;
    assert_found(store, owner, "beac* OR bearing*", &[beach]).await;
    assert_found(store, owner, "each", &[]).await;
}

/// Quotes.
pub async fn a_quoted_word_is_whole(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let sun = things.photo(owner).title("sun").build();
    let york = things.photo(owner).title("New York sunset").build();
    keep_all(store, &[sun.clone(), york.clone()]).await;
    assert_found(store, owner, "\"sun\"", &[sun]).await;
    assert_found(store, owner, "\"new york\"", std::slice::from_ref(&york)).await;
    assert_found(store, owner, "“york new”", &[york]).await;
    assert_found(store, owner, "\"new yor\"", &[]).await;
}

/// `tag:` is the whole tag, in any spelling, or its beginning.
pub async fn a_tag_is_found_whole(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let york = things.photo(owner).tags(&["New York"]).build();
    let new = things.photo(owner).tags(&["new"]).build();
    keep_all(store, &[york.clone(), new.clone(), things.photo(owner).title("new york #new").build()]).await;
    assert_found(store, owner, "tag:new", std::slice::from_ref(&new)).await;
    assert_found(store, owner, "tag:\"NEW  york\"", std::slice::from_ref(&york)).await;
    assert_found(store, owner, "tag:new*", &[york.clone(), new]).await;
    assert_found(store, owner, "tag:york", &[]).await;
    assert_found(store, owner, "tag:\"new york\" york", &[york]).await;
}

/// `title:` and `description:`.
pub async fn a_title_and_a_description_are_searched_alone(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let title = things.photo(owner).title("lake house").build();
    let description = things.photo(owner).description("lake house").build();
    let tag = things.photo(owner).tags(&["lake"]).file_name("lake.jpg").build();
    keep_all(store, &[title.clone(), description.clone(), tag]).await;
    assert_found(store, owner, "title:lake", std::slice::from_ref(&title)).await;
    assert_found(store, owner, "title:la*", std::slice::from_ref(&title)).await;
    assert_found(store, owner, "description:\"house lake\"", std::slice::from_ref(&description)).await;
    assert_found(store, owner, "title:lake description:lake", &[]).await;
    assert_found(store, owner, "title:lake OR description:lake", &[title, description]).await;
}

/// Words of every script, as titles, as tags, and by their beginnings.
pub async fn text_in_every_script_is_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut photos = Vec::new();
    for (text, word) in SCRIPTS {
        let photo = things.photo(owner).title(text).tags(&[word]).build();
        keep(store, &photo).await;
        photos.push((text, word, photo));
    }
    for (text, word, photo) in photos {
        for query in [word.to_owned(), text.to_owned(), format!("tag:\"{word}\""), format!("title:\"{word}\"")] {
            assert_found(store, owner, &query, std::slice::from_ref(&photo)).await;
        }
    }
    let cafe = things.photo(owner).title("Café Straße ﬁn ＴＯＫＹＯ").build();
    keep(store, &cafe).await;
    for query in ["cafe", "CAFÉ", "cafe\u{301}", "strasse", "fin", "tokyo"] {
        assert_found(store, owner, query, std::slice::from_ref(&cafe)).await;
    }
}

/// й, ї, ў, ѓ and ќ are other letters than those without the mark, however they are encoded, in words and in tags; ё is е.
pub async fn letters_that_a_mark_makes_are_told_apart(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for (with, decomposed, without) in [
        ("мой", "МОИ\u{306}", "мои"),
        ("їжа", "І\u{308}жа", "іжа"),
        ("ўсё", "у\u{306}се", "усе"),
        ("ѓон", "Г\u{301}ОН", "гон"),
        ("ќе", "к\u{301}е", "ке"),
    ] {
        let both = things.photo(owner).tags(&[with, without]).build();
        let one = things.photo(owner).title(with).build();
        let other = things.photo(owner).title(without).build();
        keep_all(store, &[both.clone(), one.clone(), other.clone()]).await;
        assert_eq!(both.details.tags.iter().len(), 2, "{with} and {without} are two tags");
        for word in [with, decomposed] {
            assert_found(store, owner, &format!("\"{word}\""), &[both.clone(), one.clone()]).await;
            assert_found(store, owner, &format!("tag:{word}"), std::slice::from_ref(&both)).await;
        }
        assert_found(store, owner, &format!("\"{without}\""), &[both.clone(), other]).await;
        assert_found(store, owner, &format!("tag:{without}"), std::slice::from_ref(&both)).await;
        let tags = store.photos.tags(owner, &tag_key(with), 10).await.succeeds("reading the tags");
        assert_eq!(tags.len(), 1, "{with} is counted apart from {without}");
    }
}

/// A photo whose text is hostile is found by it wherever it makes a query.
pub async fn hostile_text_is_found_and_breaks_nothing(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = HOSTILE.map(|text| things.photo(owner).title(text).build()).into();
    keep_all(store, &photos).await;
    let mut found = 0;
    for photo in &photos {
        let words: Vec<String> =
            photo.terms().in_title().iter().map(|term| format!("\"{}\"", escaped(term.as_str()))).collect();
        let Ok(query) = SearchQuery::parse(&words.join(" ")) else { continue };
        assert_agrees(store, owner, &query).await;
        let page = search(store, owner, &query, size(100)).await;
        assert!(page.iter().any(|hit| hit.id == photo.id), "{query} finds the photo it was made of");
        found += 1;
    }
    assert!(found >= 10, "most of the texts hold words");
}

/// Whatever a person types, it is a search or refused before the store sees it.
pub async fn hostile_queries_break_nothing(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep_all(store, &[things.photo(owner).title("a b and or not near x null").build(), things.photo(owner).build()])
        .await;
    let queries = HOSTILE.into_iter().chain([
        "AND",
        "NOT a",
        "NEAR a",
        "a AND b",
        "a NEAR/2 b",
        "a:b",
        "^a",
        "a + b",
        "title : a",
        "a*b",
        "a:*",
        "!a",
        "(a)",
        "a|b",
        "a&b",
        "a<->b",
        "-- a",
        "a;b",
        "a\\b",
        "'a'",
        "a''b",
        "\"a\\\"b\"",
        "tag:'",
        "tag:\"%\"",
        "tag:_",
        "tag:%*",
        "x' OR 1=1",
        "#a",
        "o1",
        "tag:#o",
    ]);
    for text in queries {
        if let Ok(query) = SearchQuery::parse(text) {
            assert_agrees(store, owner, &query).await;
        }
    }
}

/// `before:` a day, `after:` it or on it.
pub async fn days_bound_a_search(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = [
        "1969-12-31T23:59:59.999",
        "1970-01-01T00:00:00",
        "2024-05-31T23:59:59.999",
        "2024-06-01T00:00:00",
        "2024-06-30T23:59:59",
        "2024-07-01T00:00:00",
        "2025-01-01T00:00:00",
    ]
    .map(|taken| things.photo(owner).title("word").taken(taken).build())
    .into();
    keep_all(store, &photos).await;
    for words in ["", "word "] {
        let assert_found = async |days: &str, expected: &[Photo]| {
            assert_found(store, owner, &format!("{words}{days}"), expected).await
        };
        assert_found("before:2024-06", &photos[..3]).await;
        assert_found("after:2024-06", &photos[3..]).await;
        assert_found("after:2024-06 before:2024-07", &photos[3..5]).await;
        assert_found("after:2024-06-01 before:2024-06-02", &photos[3..4]).await;
        assert_found("before:1970", &photos[..1]).await;
        assert_found("after:2025", &photos[6..]).await;
        assert_found("-after:2024-06 after:1970", &photos[1..3]).await;
        assert_found("after:2024-07 before:2024-06", &[]).await;
        assert_found("before:0001", &[]).await;
        assert_found("after:9998", &[]).await;
    }
}

/// By the calendar where the photo was taken.
pub async fn days_follow_the_wall_clock(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos = [
        things.photo(owner).taken("2024-06-01T00:30:00+14:00").build(),
        things.photo(owner).taken("2024-06-01T23:30:00-12:00").build(),
        things.photo(owner).taken("2024-06-01T12:00:00").build(),
    ];
    keep_all(store, &photos).await;
    assert_found(store, owner, "after:2024-06-01 before:2024-06-02", &photos).await;
}

/// `is:favourite`.
pub async fn favourites_are_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let favourite = things.photo(owner).title("lake").favourite().build();
    let other = things.photo(owner).title("lake").build();
    keep_all(store, &[favourite.clone(), other.clone(), things.photo(owner).title("sea").favourite().build()]).await;
    assert_found(store, owner, "lake is:favourite", std::slice::from_ref(&favourite)).await;
    assert_found(store, owner, "lake -is:favourite", &[other]).await;
    change(store, owner, favourite.id, |photo| photo.details.favourite = false).await;
    assert_found(store, owner, "lake is:favourite", &[]).await;
}

/// `type:`, which is that of the bytes, whatever was announced.
pub async fn types_are_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut photos = Vec::new();
    for media_type in MediaType::ALL {
        let mut photo = things.photo(owner).title("word").media_type(media_type).build();
        photo.original.content_type = MediaType::Png;
        keep(store, &photo).await;
        photos.push(photo);
    }
    for (photo, media_type) in photos.iter().zip(MediaType::ALL) {
        let query = format!("type:{}", media_type.short_name());
        assert_found(store, owner, &query, std::slice::from_ref(photo)).await;
    }
    assert_found(store, owner, "word type:jpeg OR type:png", &photos[..2]).await;
    assert_found(store, owner, "-type:jpg -type:gif", &photos[1..3]).await;
}

/// `in:` each of the groups, `-in:` none of the albums; the photo's own state in the album is all that counts.
pub async fn a_scope_of_albums_bounds_a_search(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let albums = [things.album(owner, "a"), things.album(owner, "a"), things.album(owner, "b")];
    for album in &albums {
        keep_album(store, album).await;
    }
    let photos: Vec<Photo> = (0..5).map(|_| things.photo(owner).title("word").build()).collect();
    keep_all(store, &photos).await;
    append(store, &albums[0], &[&photos[0], &photos[1]]).await;
    append(store, &albums[1], &[&photos[2]]).await;
    append(store, &albums[2], &[&photos[1], &photos[3]]).await;
    let [a1, a2, b] = [albums[0].id, albums[1].id, albums[2].id];
    let nowhere = things.album_id();
    for (within, outside, expected) in [
        (vec![vec![a1]], vec![], &[0, 1][..]),
        (vec![vec![a1, a2]], vec![], &[0, 1, 2]),
        (vec![vec![a1, a2], vec![b]], vec![], &[1]),
        (vec![vec![a1, a2]], vec![b], &[0, 2]),
        (vec![], vec![a1, b], &[2, 4]),
        (vec![vec![b]], vec![b], &[]),
        (vec![vec![]], vec![], &[]),
        (vec![vec![a1], vec![]], vec![], &[]),
        (vec![vec![nowhere]], vec![], &[]),
        (vec![vec![nowhere, b]], vec![nowhere], &[1, 3]),
    ] {
        let scope = AlbumScope { within, outside };
        for text in ["word", "after:2000"] {
            let query = SearchQuery::parse(text).expect("a query");
            for size in [1, 2, 100].map(size) {
                let found = walk(size, async |page| store.photos.search(owner, &query, &scope, page).await).await;
                let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).collect();
                let expected: Vec<PhotoId> = expected.iter().rev().map(|n| photos[*n].id).collect();
                assert_eq!(found, expected, "{text} within {scope:?}");
            }
        }
    }
}

/// As the service asks for `in:Holidays` alone.
pub async fn a_scope_without_words_is_a_search(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let album = things.album(owner, "Holidays");
    keep_album(store, &album).await;
    let photos: Vec<Photo> = (0..3).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    append(store, &album, &[&photos[2], &photos[0]]).await;
    for (text, scope, expected) in [
        ("in:Holidays", AlbumScope { within: vec![vec![album.id]], outside: vec![] }, vec![photos[2].id, photos[0].id]),
        ("-in:Holidays", AlbumScope { within: vec![], outside: vec![album.id] }, vec![photos[1].id]),
    ] {
        let query = SearchQuery::parse(text).expect("a query");
        let found = walk(size(1), async |page| store.photos.search(owner, &query, &scope, page).await).await;
        let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).collect();
        assert_eq!(found, expected, "{text} finds by albums alone, latest first");
    }
}

/// Ready and not in the trash.
pub async fn only_visible_photos_are_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut visible = Vec::new();
    for state in states() {
        let photo = things.photo(owner).title("word").state(state.clone()).build();
        keep_all(store, &[photo.clone(), things.photo(owner).title("word").state(state).trashed(things.at(1)).build()])
            .await;
        if photo.is_visible() {
            visible.push(photo);
        }
    }
    for query in ["word", "title:word", "after:1900", "-absent"] {
        assert_found(store, owner, query, &visible).await;
    }
}

/// The index follows the photo within the same call.
pub async fn a_changed_photo_is_found_by_its_new_words_only(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).title("lake same").tags(&["old"]).build();
    keep(store, &photo).await;
    let changed = change(store, owner, photo.id, |photo| {
        photo.details.title = Title::parse("sea same").expect("a title");
        photo.details.tags = Tags::parse("tags", &["new"]).expect("tags");
    })
    .await;
    for query in ["sea", "tag:new", "same", "sea same tag:new"] {
        assert_found(store, owner, query, std::slice::from_ref(&changed)).await;
    }
    for query in ["lake", "tag:old", "lake same"] {
        assert_found(store, owner, query, &[]).await;
    }
    let moved =
        change(store, owner, photo.id, |photo| photo.details.taken_at = "1999-01-01T00:00:00".parse().ok()).await;
    assert_found(store, owner, "sea before:2000", std::slice::from_ref(&moved)).await;
    assert_found(store, owner, "sea after:2000", &[]).await;
}

/// Found exactly while it is visible.
pub async fn a_photo_is_found_through_every_transition(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).title("word").uploading().build();
    keep(store, &photo).await;
    assert_found(store, owner, "word", &[]).await;
    for _ in 0..2 {
        let ready = change(store, owner, photo.id, |photo| photo.state = states().swap_remove(2)).await;
        assert_found(store, owner, "word", &[ready]).await;
        change(store, owner, photo.id, trash(things.at(1))).await;
        assert_found(store, owner, "word", &[]).await;
        let restored = change(store, owner, photo.id, restore).await;
        assert_found(store, owner, "word", &[restored]).await;
        change(store, owner, photo.id, |photo| photo.state = states().swap_remove(1)).await;
        assert_found(store, owner, "word", &[]).await;
    }
    change(store, owner, photo.id, |photo| photo.state = states().swap_remove(2)).await;
    store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
    assert_found(store, owner, "word", &[]).await;
    keep(store, &photo).await;
    assert_found(store, owner, "word", &[]).await;
}

/// As in the timeline: by instant, then by id, also where many share a second or a millisecond.
pub async fn found_photos_come_latest_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..60)
        .map(|n| {
            things.photo(owner).title("word").taken(&format!("2024-06-01T00:00:{:02}.{:03}", n % 3, n * 7 % 5)).build()
        })
        .collect();
    keep_all(store, &photos).await;
    let mut expected: Vec<&Photo> = photos.iter().collect();
    expected.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
    let query = SearchQuery::parse("word").expect("a query");
    for size in page_sizes() {
        let found = search(store, owner, &query, size).await;
        assert!(found.iter().eq(expected.iter().copied()), "pages of {} find photos latest first", size.get());
    }
}

/// No size skips or repeats, whatever the query needs to look at.
pub async fn every_page_size_finds_each_photo_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..60)
        .map(|n| {
            let photo =
                things.photo(owner).title(if n % 3 == 0 { "lake" } else { "sea" }).tags(&[&format!("t{}", n % 4)]);
            let photo = if n % 5 == 0 { photo.favourite() } else { photo };
            photo.taken(&format!("2024-06-{:02}T00:00:00", 1 + n % 28)).build()
        })
        .collect();
    keep_all(store, &photos).await;
    for text in ["lake", "lake OR tag:t1", "-lake", "sea is:favourite", "after:2024-06-10", "t*", "type:jpeg -tag:t2"] {
        let query = SearchQuery::parse(text).expect("a query");
        let mut expected: Vec<&Photo> = photos.iter().filter(|photo| matches(&query, photo)).collect();
        expected.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
        assert!(!expected.is_empty(), "{text} matches some of the photos");
        for size in page_sizes() {
            let found = search(store, owner, &query, size).await;
            assert!(
                found.iter().eq(expected.iter().copied()),
                "pages of {} find each photo of {text} once",
                size.get()
            );
        }
    }
}

/// Pages may be short or empty on the way; only `next: None` ends the list, and by then everything was found.
pub async fn few_matches_among_many_photos_are_all_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..1_200)
        .map(|n| {
            let photo = things.photo(owner).title("common").description(if n % 400 == 7 { "rare" } else { "" });
            if n % 600 == 8 { photo.favourite().build() } else { photo.build() }
        })
        .collect();
    keep_all(store, &photos).await;
    for (text, matching) in [
        ("rare", 7..1_200),
        ("common description:rare", 7..1_200),
        ("common -title:common", 0..0),
        ("description:rare before:2025", 7..1_200),
    ] {
        let query = SearchQuery::parse(text).expect("a query");
        let expected: Vec<PhotoId> = matching.step_by(400).map(|n| photos[n].id).rev().collect();
        for size in [1, 2, 100].map(size) {
            let found = search(store, owner, &query, size).await;
            let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).collect();
            assert_eq!(found, expected, "pages of {} find all of the few photos of {text}", size.get());
        }
    }
    let query = SearchQuery::parse("common is:favourite").expect("a query");
    assert_eq!(search(store, owner, &query, size(1)).await.len(), 2, "the two favourites among many are found");
}

/// Nothing is found, and that is the end of it.
pub async fn a_search_without_matches_ends(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    assert_found(store, owner, "nothing", &[]).await;
    keep(store, &things.photo(owner).title("something").build()).await;
    for query in ["nothing", "something nothing", "some -something", "tag:something", "is:favourite", "type:webp"] {
        assert_found(store, owner, query, &[]).await;
    }
}

/// A word leads to its photos, however many others are later, and however many share a moment: each page but the last is full.
pub async fn photos_of_one_moment_below_many_others_are_found_at_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let scans: Vec<Photo> =
        (0..130).map(|_| things.photo(owner).title("scan").taken("2001-01-01T00:00:00").build()).collect();
    let later: Vec<Photo> = (0..1_100).map(|_| things.photo(owner).title("other").build()).collect();
    keep_all(store, &scans).await;
    keep_all(store, &later).await;
    for text in ["\"scan\"", "scan", "scan -title:other"] {
        let query = SearchQuery::parse(text).expect("a query");
        assert_full_pages(store, owner, &query, &AlbumScope::default(), scans.iter().rev()).await;
    }
}

/// As within one album; a photo that stands in several is found once.
pub async fn albums_of_one_title_below_many_other_photos_are_found_at_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let albums = [things.album(owner, "Trip"), things.album(owner, "Trip")];
    for album in &albums {
        keep_album(store, album).await;
    }
    let placed: Vec<Photo> = (0..130).map(|_| things.photo(owner).taken("2001-01-01T00:00:00").build()).collect();
    let later: Vec<Photo> = (0..1_100).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &placed).await;
    keep_all(store, &later).await;
    append(store, &albums[0], &placed.iter().take(100).collect::<Vec<_>>()).await;
    append(store, &albums[1], &placed.iter().skip(60).collect::<Vec<_>>()).await;
    let query = SearchQuery::parse("in:Trip").expect("a query");
    let scope = AlbumScope { within: vec![albums.iter().map(|album| album.id).collect()], outside: vec![] };
    assert_full_pages(store, owner, &query, &scope, placed.iter().rev()).await;
}

/// A cursor is a place, not a photo.
pub async fn a_search_goes_on_after_a_photo_that_is_gone(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> =
        (0..6).map(|_| things.photo(owner).title("word").taken("2024-06-01T00:00:00").build()).collect();
    keep_all(store, &photos).await;
    let query = SearchQuery::parse("word").expect("a query");
    let scope = AlbumScope::default();
    let page = store.photos.search(owner, &query, &scope, PageRequest::first(size(2))).await.succeeds("searching");
    let next = page.next.expect("there are more photos");
    for photo in &photos[3..] {
        store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
    }
    let page =
        store.photos.search(owner, &query, &scope, PageRequest::after(size(9), next)).await.succeeds("searching");
    let found: Vec<PhotoId> = page.items.iter().map(|photo| photo.id).collect();
    assert_eq!(found, [photos[2].id, photos[1].id, photos[0].id], "a search goes on after a photo that is gone");
}

/// A jump to a date within what was found.
pub async fn a_search_starts_at_any_moment(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (1..=9)
        .map(|day| things.photo(owner).title("word").taken(&format!("2024-06-0{day}T00:00:00")).build())
        .collect();
    keep_all(store, &photos).await;
    let cursor = PhotoCursor::before("2024-06-05T00:00:00Z".parse().expect("a moment"));
    for text in ["word", "after:2024-06-03", "word before:2024-06-05", "word before:2025"] {
        let query = SearchQuery::parse(text).expect("a query");
        let request = PageRequest::after(size(2), cursor);
        let page = store.photos.search(owner, &query, &AlbumScope::default(), request).await.succeeds("searching");
        assert_eq!(page.items, [photos[3].clone(), photos[2].clone()], "{text} goes on before a moment");
    }
}

/// What stays is found once, whatever comes and goes meanwhile.
pub async fn searching_finds_each_photo_once_while_others_write(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let stay: Vec<Photo> =
        (0..30).map(|n| things.photo(owner).title("word").taken(&format!("2024-06-01T00:00:{n:02}")).build()).collect();
    keep_all(store, &stay).await;
    let query = SearchQuery::parse("word").expect("a query");
    for size in [1, 3, 10].map(size) {
        let others = async {
            for n in 0..30 {
                let other = things.photo(owner).title("word").taken(&format!("2024-06-01T00:00:{n:02}")).build();
                keep(store, &other).await;
                change(store, owner, other.id, |photo| photo.details.title = Title::default()).await;
                store.photos.remove(owner, other.id).await.succeeds("removing a photo");
            }
        };
        let ((), found) = join(others, search(store, owner, &query, size)).await;
        let stays = |id: &PhotoId| stay.iter().any(|photo| photo.id == *id);
        let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).filter(stays).collect();
        let expected: Vec<PhotoId> = stay.iter().rev().map(|photo| photo.id).collect();
        assert_eq!(found, expected, "pages of {} find each photo that stays once, in order", size.get());
    }
}

/// As many as [`MAX_TERMS`](crate::terms::MAX_TERMS), each found; no word beyond.
pub async fn photos_with_as_many_words_as_count_are_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let words: Vec<String> = (0..120).map(|n| format!("word{n:03}")).collect();
    let photo = things.photo(owner).description(&words.join(" ")).build();
    keep(store, &photo).await;
    for word in &words {
        let query = SearchQuery::parse(&format!("\"{word}\"")).expect("a query");
        assert_agrees(store, owner, &query).await;
    }
    let terms = photo.terms();
    assert_found(store, owner, terms.all().last().expect("it has terms").as_str(), std::slice::from_ref(&photo)).await;
    let changed = change(store, owner, photo.id, |photo| photo.details.description = Default::default()).await;
    assert_found(store, owner, "word000", &[]).await;
    assert_found(store, owner, "dsc", &[changed]).await;
}

/// Not by a word, not by an album's id.
pub async fn no_search_finds_photos_of_another_owner(store: &Repositories) {
    let things = Things::new();
    let owners = [things.owner(), things.owner()];
    let mut photos = Vec::new();
    let mut albums = Vec::new();
    for owner in owners {
        let photo = things.photo(owner).title("word").tags(&["tag"]).favourite().taken("2024-06-01T00:00:00").build();
        let album = things.album(owner, "album");
        keep(store, &photo).await;
        keep_album(store, &album).await;
        append(store, &album, &[&photo]).await;
        photos.push(photo);
        albums.push(album.id);
    }
    for (n, owner) in owners.into_iter().enumerate() {
        for query in ["word", "tag:tag", "wo*", "is:favourite", "after:2024", "type:jpeg", "-absent", "title:word"] {
            assert_found(store, owner, query, &photos[n..=n]).await;
        }
        let query = SearchQuery::parse("word").expect("a query");
        let scope = AlbumScope { within: vec![vec![albums[1 - n]]], outside: vec![] };
        let found = walk(size(9), async |page| store.photos.search(owner, &query, &scope, page).await).await;
        assert_eq!(found, [], "nothing is found in another's album");
        let scope = AlbumScope { within: vec![], outside: vec![albums[1 - n]] };
        let found = walk(size(9), async |page| store.photos.search(owner, &query, &scope, page).await).await;
        assert_eq!(found, photos[n..=n], "another's album excludes nothing");
    }
}

/// The query's own answer is the measure, on photos and queries of all sorts.
pub async fn a_search_finds_what_its_query_matches(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let words = ["lake", "lakeside", "Été", "東京", "東京都庁", "don't", "état-major", "IMG_1234", "x", "🎉", "3.14"];
    for (n, word) in words.into_iter().enumerate() {
        let next = words[(n + 1) % words.len()];
        let photos = [
            things.photo(owner).title(word).build(),
            things.photo(owner).title(next).description(word).favourite().build(),
            things.photo(owner).tags(&[word, next]).media_type(MediaType::Gif).taken("2023-05-05T00:00:00").build(),
            things.photo(owner).file_name(&format!("{word}.png")).media_type(MediaType::Png).build(),
        ];
        keep_all(store, &photos).await;
    }
    for word in words {
        for text in [
            word.to_owned(),
            format!("\"{word}\""),
            format!("-\"{word}\""),
            format!("{word} lake"),
            format!("{word} OR x"),
            format!("tag:\"{word}\""),
            format!("title:\"{word}\" OR tag:lake"),
            format!("-title:\"{word}\" is:favourite"),
            format!("description:\"{word}\" -tag:x"),
            format!("{word}* type:gif OR type:png"),
            format!("before:2024 -{word}"),
        ] {
            let query = SearchQuery::parse(&text).expect("a query");
            assert_agrees(store, owner, &query).await;
        }
    }
}

async fn search(store: &Repositories, owner: UserId, query: &SearchQuery, size: PageSize) -> Vec<Photo> {
    walk(size, async |page| store.photos.search(owner, query, &AlbumScope::default(), page).await).await
}

/// Asserts that a search finds just these photos in this order, and leaves no room on any page but the last.
async fn assert_full_pages<'a>(
    store: &Repositories,
    owner: UserId,
    query: &SearchQuery,
    albums: &AlbumScope,
    expected: impl Iterator<Item = &'a Photo>,
) {
    let (mut found, mut request) = (Vec::new(), PageRequest::first(size(50)));
    loop {
        let page = store.photos.search(owner, query, albums, request).await.succeeds("searching");
        found.extend(page.items.iter().map(|photo| photo.id));
        let Some(next) = page.next else { break };
        assert_eq!(page.items.len(), 50, "a page of {query} that is not the last is full");
        request = PageRequest::after(size(50), next);
    }
    assert_eq!(found, expected.map(|photo| photo.id).collect::<Vec<_>>(), "{query} finds these photos");
}

/// Asserts that a search finds just these photos, which have other times and ids, each later than the one before.
async fn assert_found(store: &Repositories, owner: UserId, text: &str, expected: &[Photo]) {
    let query = SearchQuery::parse(text).expect("a query");
    let mut expected: Vec<&Photo> = expected.iter().collect();
    expected.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
    for size in [1, 2, 100].map(size) {
        let found = search(store, owner, &query, size).await;
        let found: Vec<&Photo> = found.iter().collect();
        assert_eq!(found, expected, "{text} on pages of {} finds these photos", size.get());
    }
}

/// Asserts that a search finds just the visible photos that its query matches.
async fn assert_agrees(store: &Repositories, owner: UserId, query: &SearchQuery) {
    let visible = walk(PageSize::MAX, async |page| store.photos.timeline(owner, page).await).await;
    let expected: Vec<PhotoId> = visible.iter().filter(|photo| matches(query, photo)).map(|photo| photo.id).collect();
    for size in [3, 100].map(size) {
        let found = search(store, owner, query, size).await;
        let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).collect();
        assert_eq!(found, expected, "{query} finds the photos it matches");
    }
}

fn matches(query: &SearchQuery, photo: &Photo) -> bool {
    let media_type = photo.facts().map_or("", |facts| facts.media_type.short_name());
    let day = photo.timeline_instant().to_utc().date();
    query.matches_but_for_albums(&photo.terms(), photo.details.favourite, media_type, day)
}

/// A word as it stands between the quotes of a query.
fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"")
}
