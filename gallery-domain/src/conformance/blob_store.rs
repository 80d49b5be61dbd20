//! What a [`BlobStore`] owes, but for the order of its [keys](super::blob_order).

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::{join, join_all};
use futures_util::stream;

use super::expectations::{Succeeds, page_sizes, size, walk};
use super::fixtures::{RACERS, Things};
use crate::ports::{Blob, BlobError, BlobInfo, BlobStore, ByteStream, byte_stream, collect_bytes};
use crate::{BlobKey, DerivedImage, MediaType, PageRequest, PageSize, Sha256Digest};

/// Runs each clause on blobs as a test: takes an expression for an empty `Arc<dyn BlobStore>` or a [`Fixture`](crate::conformance::Fixture)
/// of it.
#[macro_export]
macro_rules! blob_store_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            blob_store,
            ::std::sync::Arc<dyn $crate::ports::BlobStore>,
            $fixture,
            [
                a_blob_is_fetched_as_it_was_put,
                an_absent_blob_is_none,
                a_blob_comes_in_pieces_of_any_size,
                an_empty_blob_is_a_blob,
                a_blob_of_megabytes_is_kept,
                bytes_that_are_not_those_described_are_refused,
                a_refused_put_leaves_nothing,
                a_taken_key_is_refused_and_keeps_what_it_had,
                a_stream_that_breaks_leaves_nothing,
                of_concurrent_puts_of_a_key_one_wins,
                nobody_sees_a_part_of_a_blob,
                every_type_is_kept,
                every_kind_of_key_is_kept,
                a_range_is_cut_to_the_blob,
                trying_to_write_leaves_nothing,
                a_copy_is_the_same_blob,
                a_copy_onto_a_taken_key_changes_nothing,
                a_copy_of_an_absent_blob_answers_so,
                of_concurrent_copies_all_succeed,
                a_copy_outlives_its_source,
                a_removed_blob_is_gone,
                removing_absent_blobs_succeeds,
                a_thousand_blobs_are_removed_at_once,
                a_removed_key_can_be_put_again,
                keys_that_the_gallery_makes_are_listed_in_order,
                keys_are_listed_by_any_prefix,
                every_page_size_visits_each_key_once,
                a_cursor_of_a_removed_blob_still_works,
                listing_visits_each_key_once_while_others_write,
            ]
        );
    };
}

/// Bytes and description.
pub async fn a_blob_is_fetched_as_it_was_put(blobs: &Arc<dyn BlobStore>) {
    let (key, bytes) = (key("original/a"), all_bytes(1_000));
    put(blobs, &key, &bytes).await;
    let head = blobs.head(&key).await.succeeds("describing a blob");
    assert_eq!(head, Some(info(&bytes)), "a blob's description comes back");
    let blob = blobs.get(&key, None).await.succeeds("fetching a blob").expect("it is there");
    assert_eq!(blob.info, info(&bytes), "a blob comes with its description");
    assert_eq!(contents(blob).await, bytes, "a blob's bytes come back");
}

/// A look-up of what is absent answers `None`.
pub async fn an_absent_blob_is_none(blobs: &Arc<dyn BlobStore>) {
    put(blobs, &key("a/b/c"), b"x").await;
    for absent in ["a/b", "a", "a/b/c/d", "a/b/cc", "A/b/c", "b"].map(key) {
        let head = blobs.head(&absent).await.succeeds("describing an absent blob");
        assert_eq!(head, None, "{absent} is absent");
        let blob = blobs.get(&absent, None).await.succeeds("fetching an absent blob");
        assert!(blob.is_none(), "{absent} is absent");
        let blob = blobs.get(&absent, Some(0..1)).await.succeeds("fetching a range of an absent blob");
        assert!(blob.is_none(), "{absent} is absent");
    }
}

/// However the network cuts it.
pub async fn a_blob_comes_in_pieces_of_any_size(blobs: &Arc<dyn BlobStore>) {
    let bytes = all_bytes(5_000);
    for pieces in [1, 7, 512, 4_096, 5_000] {
        let key = key(&format!("pieces/{pieces}"));
        let mut chunks: Vec<Result<Bytes, std::io::Error>> = vec![Ok(Bytes::new())];
        chunks.extend(bytes.chunks(pieces).map(|chunk| Ok(Bytes::copy_from_slice(chunk))));
        chunks.push(Ok(Bytes::new()));
        blobs.put(&key, &info(&bytes), stream_of(chunks)).await.succeeds("putting a blob in pieces");
        assert_eq!(fetch(blobs, &key).await, Some(bytes.clone()), "pieces of {pieces} bytes make the blob");
    }
}

/// None is a number of bytes.
pub async fn an_empty_blob_is_a_blob(blobs: &Arc<dyn BlobStore>) {
    let keys = [key("empty/one"), key("empty/none")];
    put(blobs, &keys[0], b"").await;
    blobs.put(&keys[1], &info(b""), stream_of(vec![])).await.succeeds("putting nothing at all");
    for key in &keys {
        assert_eq!(
            blobs.head(key).await.succeeds("describing a blob"),
            Some(info(b"")),
            "an empty blob has a description"
        );
        assert_eq!(fetch(blobs, key).await.as_deref(), Some(&b""[..]), "an empty blob has no bytes");
        let blob = blobs.get(key, Some(0..10)).await.succeeds("fetching a range").expect("it is there");
        assert!(contents(blob).await.is_empty(), "a range of an empty blob is empty");
    }
}

/// More than fits one buffer.
pub async fn a_blob_of_megabytes_is_kept(blobs: &Arc<dyn BlobStore>) {
    let (key, bytes) = (key("original/large"), all_bytes(3 * 1024 * 1024 + 17));
    let chunks = bytes.chunks(65_536).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    blobs.put(&key, &info(&bytes), stream_of(chunks)).await.succeeds("putting a large blob");
    assert!(fetch(blobs, &key).await.is_some_and(|fetched| fetched == bytes), "a large blob comes back");
    let range = 1_048_570_u64..2_097_160;
    let blob = blobs.get(&key, Some(range.clone())).await.succeeds("fetching a range").expect("it is there");
    let expected = &bytes[range.start as usize..range.end as usize];
    assert!(contents(blob).await == expected, "a range of a large blob comes back");
}

/// Longer, shorter, or others.
pub async fn bytes_that_are_not_those_described_are_refused(blobs: &Arc<dyn BlobStore>) {
    for (n, other) in [&b"abcd"[..], b"ab", b"", b"abd", b"ABC"].into_iter().enumerate() {
        let key = key(&format!("mismatch/{n}"));
        let result = blobs.put(&key, &info(b"abc"), byte_stream(other.to_vec())).await;
        assert_refused!(result, BlobError::Mismatch { .. }, "{other:?} is not what was described");
        assert_eq!(blobs.head(&key).await.succeeds("describing a blob"), None, "nothing of a mismatch is kept");
    }
    let wrong_length = BlobInfo { bytes: 4, ..info(b"abc") };
    let result = blobs.put(&key("mismatch/length"), &wrong_length, byte_stream("abc")).await;
    assert_refused!(result, BlobError::Mismatch { .. }, "the length has to be right");
}

/// Neither to be fetched nor to be listed, and the key stays free.
pub async fn a_refused_put_leaves_nothing(blobs: &Arc<dyn BlobStore>) {
    let key = key("original/a");
    let result = blobs.put(&key, &info(b"abc"), byte_stream("abd")).await;
    assert_refused!(result, BlobError::Mismatch { .. }, "other bytes are refused");
    assert_eq!(keys(blobs, "").await, [], "nothing of a refused put is listed");
    assert!(blobs.get(&key, None).await.succeeds("fetching a blob").is_none(), "nothing of a refused put is fetched");
    put(blobs, &key, b"abc").await;
}

/// Written once, never changed.
pub async fn a_taken_key_is_refused_and_keeps_what_it_had(blobs: &Arc<dyn BlobStore>) {
    let key = key("original/a");
    put(blobs, &key, b"first").await;
    for bytes in [&b"second"[..], b"first", b""] {
        let result = blobs.put(&key, &info(bytes), byte_stream(bytes.to_vec())).await;
        assert_refused!(result, BlobError::AlreadyExists, "a taken key is refused");
        assert_eq!(fetch(blobs, &key).await.as_deref(), Some(&b"first"[..]), "a taken key keeps what it had");
    }
    let result = blobs.put(&key, &info(b"abc"), byte_stream("abd")).await;
    assert!(result.is_err(), "other bytes onto a taken key are refused for one reason or the other");
    assert_eq!(fetch(blobs, &key).await.as_deref(), Some(&b"first"[..]), "a taken key keeps what it had");
}

/// Whoever loses the connection has uploaded nothing.
pub async fn a_stream_that_breaks_leaves_nothing(blobs: &Arc<dyn BlobStore>) {
    let bytes = all_bytes(100_000);
    for (n, sent) in [0, 1, 50_000, 100_000].into_iter().enumerate() {
        let key = key(&format!("incoming/{n}"));
        let broken = || Err(std::io::Error::new(std::io::ErrorKind::ConnectionReset, "the connection was lost"));
        let chunks = vec![Ok(Bytes::copy_from_slice(&bytes[..sent])), broken()];
        let result = blobs.put(&key, &info(&bytes), stream_of(chunks)).await;
        assert_refused!(result, BlobError::Interrupted(_), "a stream that breaks after {sent} bytes is refused");
        assert_eq!(blobs.head(&key).await.succeeds("describing a blob"), None, "a stream that breaks leaves nothing");
        assert_eq!(keys(blobs, "").await.len(), n, "a stream that breaks leaves nothing to list");
        put(blobs, &key, &bytes).await;
    }
}

/// And what it wrote is there, whole.
pub async fn of_concurrent_puts_of_a_key_one_wins(blobs: &Arc<dyn BlobStore>) {
    let key = key("original/a");
    let contents: Vec<Vec<u8>> = (0..RACERS).map(|n| vec![n as u8; 10_000 + n]).collect();
    let results =
        join_all(contents.iter().map(async |bytes| blobs.put(&key, &info(bytes), byte_stream(bytes.clone())).await))
            .await;
    let won: Vec<usize> = (0..RACERS).filter(|n| results[*n].is_ok()).collect();
    assert_eq!(won.len(), 1, "one of {RACERS} puts of one key succeeds");
    let others = results.iter().filter(|result| matches!(result, Err(BlobError::AlreadyExists))).count();
    assert_eq!(others, RACERS - 1, "the others hear that the key is taken");
    assert_eq!(
        fetch(blobs, &key).await.as_ref(),
        Some(&contents[won[0]]),
        "the bytes of the put that succeeded are there"
    );
    assert_eq!(
        blobs.head(&key).await.succeeds("describing a blob"),
        Some(info(&contents[won[0]])),
        "and its description"
    );
    assert_eq!(keys(blobs, "").await, [key], "the puts that lost leave nothing");
}

/// Whole or not at all, also while it is being written.
pub async fn nobody_sees_a_part_of_a_blob(blobs: &Arc<dyn BlobStore>) {
    let (key, bytes) = (key("original/a"), all_bytes(400_000));
    let chunks = bytes.chunks(1_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    let description = info(&bytes);
    let writer = blobs.put(&key, &description, stream_of(chunks));
    let readers = join_all((0..RACERS).map(async |_| {
        for _ in 0..10 {
            if let Some(fetched) = fetch(blobs, &key).await {
                assert!(fetched == bytes, "{} of {} bytes are seen", fetched.len(), bytes.len());
            }
        }
    }));
    let (written, _) = join(writer, readers).await;
    written.succeeds("putting a blob while others read");
    assert!(fetch(blobs, &key).await.is_some(), "in the end the blob is there");
}

/// To be served as it.
pub async fn every_type_is_kept(blobs: &Arc<dyn BlobStore>) {
    for media_type in MediaType::ALL {
        let key = key(&format!("type/{}", media_type.short_name()));
        let described = BlobInfo { content_type: media_type, ..info(b"abc") };
        blobs.put(&key, &described, byte_stream("abc")).await.succeeds("putting a blob");
        assert_eq!(blobs.head(&key).await.succeeds("describing a blob"), Some(described), "{media_type} is kept");
    }
}

/// Those that the gallery makes, the longest, and those that look like something else.
pub async fn every_kind_of_key_is_kept(blobs: &Arc<dyn BlobStore>) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    let mut all = BlobKey::all_of(&photo);
    all.push(BlobKey::derived(photo.owner, things.photo_id(), DerivedImage::Preview));
    all.extend(["a", "-", "_", "..a", "a..", ".a", "...a/b", "CON", "tmp", "a.tmp", "-rf", "a.json/b", "0"].map(key));
    all.push(key(&vec!["x".repeat(127); 4].join("/")));
    for (n, key) in all.iter().enumerate() {
        put(blobs, key, format!("blob {n}").as_bytes()).await;
    }
    for (n, key) in all.iter().enumerate() {
        assert_eq!(fetch(blobs, key).await, Some(format!("blob {n}").into_bytes()), "{key} has its own bytes");
    }
    all.sort();
    assert_eq!(keys(blobs, "").await, all, "every key is listed");
}

/// From start up to but not including end, whatever of it there is.
pub async fn a_range_is_cut_to_the_blob(blobs: &Arc<dyn BlobStore>) {
    let (key, bytes) = (key("original/a"), all_bytes(1_000));
    put(blobs, &key, &bytes).await;
    for range in [
        0..1,
        0..1_000,
        999..1_000,
        10..20,
        500..5_000,
        0..u64::MAX,
        1_000..1_001,
        5_000..6_000,
        7..7,
        u64::MAX..u64::MAX,
    ] {
        let blob = blobs.get(&key, Some(range.clone())).await.succeeds("fetching a range").expect("it is there");
        assert_eq!(blob.info, info(&bytes), "a range comes with the description of the whole blob");
        let (start, end) = (range.start.min(1_000) as usize, range.end.min(1_000) as usize);
        assert_eq!(contents(blob).await, bytes[start..end], "the bytes of {range:?}");
    }
}

/// However often, and whatever is there.
pub async fn trying_to_write_leaves_nothing(blobs: &Arc<dyn BlobStore>) {
    let bytes = all_bytes(10);
    for there in 0..2 {
        for _ in 0..2 {
            blobs.try_writing().await.succeeds("trying to write");
        }
        let found = blobs.list("", PageRequest::first(PageSize::MAX)).await.succeeds("listing blobs");
        assert_eq!(found.items.len(), there, "what was tried leaves nothing behind");
        let put = blobs.put(&key("incoming/a"), &info(&bytes), byte_stream(bytes.clone())).await;
        assert_eq!(put.is_ok(), there == 0, "a store that was tried keeps blobs");
    }
    assert_eq!(fetch(blobs, &key("incoming/a")).await, Some(bytes), "a blob stays as it was put");
}

/// Type, length, hash and bytes.
pub async fn a_copy_is_the_same_blob(blobs: &Arc<dyn BlobStore>) {
    let (from, to, bytes) = (key("incoming/a"), key("original/b/c"), all_bytes(70_000));
    let described = BlobInfo { content_type: MediaType::Webp, ..info(&bytes) };
    blobs.put(&from, &described, byte_stream(bytes.clone())).await.succeeds("putting a blob");
    assert!(blobs.copy(&from, &to).await.succeeds("copying a blob"), "a blob that is there is copied");
    assert_eq!(blobs.head(&to).await.succeeds("describing a blob"), Some(described), "a copy has the same description");
    assert_eq!(fetch(blobs, &to).await, Some(bytes.clone()), "a copy has the same bytes");
    assert_eq!(fetch(blobs, &from).await, Some(bytes), "the source keeps its bytes");
    assert!(blobs.copy(&from, &from).await.succeeds("copying a blob onto itself"), "a copy onto itself succeeds");
    assert!(blobs.head(&from).await.succeeds("describing a blob").is_some(), "and changes nothing");
}

/// A retry is as good as the first time.
pub async fn a_copy_onto_a_taken_key_changes_nothing(blobs: &Arc<dyn BlobStore>) {
    let (from, to) = (key("incoming/a"), key("original/a"));
    put(blobs, &from, b"source").await;
    put(blobs, &to, b"target").await;
    assert!(blobs.copy(&from, &to).await.succeeds("copying onto a taken key"), "the copy succeeds");
    assert_eq!(fetch(blobs, &to).await.as_deref(), Some(&b"target"[..]), "a taken target keeps what it had");
    assert_eq!(fetch(blobs, &from).await.as_deref(), Some(&b"source"[..]), "the source keeps what it had");
}

/// With `false`, and the target stays free.
pub async fn a_copy_of_an_absent_blob_answers_so(blobs: &Arc<dyn BlobStore>) {
    let (from, to) = (key("incoming/a"), key("original/a"));
    assert!(!blobs.copy(&from, &to).await.succeeds("copying an absent blob"), "an absent blob is not copied");
    assert_eq!(keys(blobs, "").await, [], "nothing came of it");
    put(blobs, &to, b"target").await;
    assert!(!blobs.copy(&from, &to).await.succeeds("copying an absent blob"), "not onto a taken key either");
}

/// Two ingests of one photo do not harm each other.
pub async fn of_concurrent_copies_all_succeed(blobs: &Arc<dyn BlobStore>) {
    let (from, to, bytes) = (key("incoming/a"), key("original/a"), all_bytes(50_000));
    put(blobs, &from, &bytes).await;
    let copied = join_all((0..RACERS).map(|_| blobs.copy(&from, &to))).await;
    assert!(copied.iter().all(|copied| matches!(copied, Ok(true))), "all of {RACERS} copies at once succeed");
    assert_eq!(fetch(blobs, &to).await, Some(bytes), "and the copy is whole");
    assert_eq!(keys(blobs, "").await, [from, to], "and leaves nothing else");
}

/// Ingest removes what came in.
pub async fn a_copy_outlives_its_source(blobs: &Arc<dyn BlobStore>) {
    let (from, to, bytes) = (key("incoming/a"), key("original/a"), all_bytes(50_000));
    put(blobs, &from, &bytes).await;
    blobs.copy(&from, &to).await.succeeds("copying a blob");
    blobs.remove(std::slice::from_ref(&from)).await.succeeds("removing a blob");
    assert_eq!(fetch(blobs, &from).await, None, "the source is gone");
    assert_eq!(fetch(blobs, &to).await, Some(bytes), "the copy is not");
    assert_eq!(blobs.head(&from).await.succeeds("describing a blob"), None, "the source has no description either");
}

/// To be described, fetched, listed and copied.
pub async fn a_removed_blob_is_gone(blobs: &Arc<dyn BlobStore>) {
    let (gone, stays) = (key("a/gone"), key("a/stays"));
    for key in [&gone, &stays] {
        put(blobs, key, b"abc").await;
    }
    blobs.remove(std::slice::from_ref(&gone)).await.succeeds("removing a blob");
    assert_eq!(blobs.head(&gone).await.succeeds("describing a blob"), None, "a removed blob has no description");
    assert_eq!(fetch(blobs, &gone).await, None, "a removed blob has no bytes");
    assert!(!blobs.copy(&gone, &key("a/copy")).await.succeeds("copying a blob"), "a removed blob is not copied");
    assert_eq!(keys(blobs, "").await, [stays], "a removed blob is not listed, another is");
}

/// A delete can be sent twice, and to several where some are gone.
pub async fn removing_absent_blobs_succeeds(blobs: &Arc<dyn BlobStore>) {
    let (present, absent) = (key("a/present"), key("b/absent"));
    blobs.remove(&[]).await.succeeds("removing nothing");
    blobs.remove(std::slice::from_ref(&absent)).await.succeeds("removing an absent blob");
    put(blobs, &present, b"abc").await;
    for _ in 0..2 {
        blobs
            .remove(&[absent.clone(), present.clone(), absent.clone(), present.clone()])
            .await
            .succeeds("removing blobs");
        assert_eq!(keys(blobs, "").await, [], "what was there of those named is gone");
    }
}

/// 1,000 is what one call may take.
pub async fn a_thousand_blobs_are_removed_at_once(blobs: &Arc<dyn BlobStore>) {
    let mut all: Vec<BlobKey> = (0..40).map(|n| key(&format!("derived/{n:04}"))).collect();
    for key in &all {
        put(blobs, key, key.as_str().as_bytes()).await;
    }
    all.extend((40..1_000).map(|n| key(&format!("derived/{n:04}"))));
    blobs.remove(&all).await.succeeds("removing 1,000 blobs");
    assert_eq!(keys(blobs, "").await, [], "blobs that were there among 1,000 named are gone");
}

/// With other bytes.
pub async fn a_removed_key_can_be_put_again(blobs: &Arc<dyn BlobStore>) {
    let key = key("incoming/a");
    for bytes in [&b"first"[..], b"second, longer", b"3"] {
        put(blobs, &key, bytes).await;
        assert_eq!(fetch(blobs, &key).await.as_deref(), Some(bytes), "a key has the bytes that were put last");
        blobs.remove(std::slice::from_ref(&key)).await.succeeds("removing a blob");
    }
}

/// Area by area, owner by owner, photo by photo.
pub async fn keys_that_the_gallery_makes_are_listed_in_order(blobs: &Arc<dyn BlobStore>) {
    let things = Things::new();
    let mut all = Vec::new();
    for owner in [things.owner(), things.owner()] {
        for _ in 0..3 {
            all.extend(BlobKey::all_of(&things.photo(owner).build()));
        }
    }
    for key in &all {
        put(blobs, key, b"x").await;
    }
    all.sort();
    for size in page_sizes() {
        let listed = walk(size, async |page| blobs.list("", page).await).await;
        assert_eq!(listed, all, "pages of {} list keys in the order of their bytes", size.get());
    }
}

/// Not of whole segments only.
pub async fn keys_are_listed_by_any_prefix(blobs: &Arc<dyn BlobStore>) {
    for key in ["original/ab/1", "original/ab/2", "original/abc/1", "original/b/1", "origin/x", "derived/ab/1"].map(key)
    {
        put(blobs, &key, b"x").await;
    }
    for (prefix, expected) in [
        ("original/ab/", &["original/ab/1", "original/ab/2"][..]),
        ("original/ab", &["original/ab/1", "original/ab/2", "original/abc/1"]),
        ("origin", &["origin/x", "original/ab/1", "original/ab/2", "original/abc/1", "original/b/1"]),
        ("original/ab/2", &["original/ab/2"]),
        ("derived/", &["derived/ab/1"]),
        ("original/c", &[]),
        ("ab", &[]),
        ("ORIGINAL", &[]),
        ("origin_l", &[]),
        ("../", &[]),
        ("/", &[]),
        ("%", &[]),
    ] {
        assert_eq!(
            keys(blobs, prefix).await,
            expected.iter().map(|text| key(text)).collect::<Vec<_>>(),
            "keys of {prefix:?}"
        );
        let one = walk(size(1), async |page| blobs.list(prefix, page).await).await;
        assert_eq!(one.len(), expected.len(), "keys of {prefix:?} one by one");
    }
}

/// No size skips or repeats.
pub async fn every_page_size_visits_each_key_once(blobs: &Arc<dyn BlobStore>) {
    let mut all: Vec<BlobKey> = (0..60).map(|n| key(&format!("area/{}/{:02}", n % 3, n * 7 % 60))).collect();
    for key in &all {
        put(blobs, key, b"x").await;
    }
    all.sort();
    for size in page_sizes() {
        let listed = walk(size, async |page| blobs.list("area/", page).await).await;
        assert_eq!(listed, all, "pages of {} visit each key once", size.get());
    }
}

/// A cursor is a place, not a blob.
pub async fn a_cursor_of_a_removed_blob_still_works(blobs: &Arc<dyn BlobStore>) {
    for n in 0..5 {
        put(blobs, &key(&format!("a/{n}")), b"x").await;
    }
    let page = blobs.list("a/", PageRequest::first(size(2))).await.succeeds("listing keys");
    let next = page.next.expect("there are more keys");
    assert_eq!(next, key("a/1"), "the cursor is the last key seen");
    blobs.remove(&["a/1", "a/2"].map(key)).await.succeeds("removing blobs");
    let page = blobs.list("a/", PageRequest::after(size(9), next)).await.succeeds("listing keys");
    assert_eq!(
        (page.items, page.next),
        (["a/3", "a/4"].map(key).into(), None),
        "the list goes on after a key that is gone"
    );
    let page = blobs.list("a/", PageRequest::after(size(9), key("a/4"))).await.succeeds("listing keys");
    assert_eq!((page.items, page.next), (vec![], None), "after the last key there is nothing");
}

/// What stays is seen once.
pub async fn listing_visits_each_key_once_while_others_write(blobs: &Arc<dyn BlobStore>) {
    let stay: Vec<BlobKey> = (0..30).map(|n| key(&format!("a/{n:02}/stays"))).collect();
    for key in &stay {
        put(blobs, key, b"x").await;
    }
    for size in [1, 4, 9].map(size) {
        let others = async {
            for n in 0..30 {
                let goes = key(&format!("a/{n:02}/goes"));
                put(blobs, &goes, b"y").await;
                blobs.remove(&[goes]).await.succeeds("removing a blob");
            }
        };
        let ((), mut seen) = join(others, walk(size, async |page| blobs.list("a/", page).await)).await;
        seen.retain(|key| key.as_str().ends_with("stays"));
        assert_eq!(seen, stay, "pages of {} visit each key that stays once, in order", size.get());
    }
}

/// The key that a text spells.
pub(super) fn key(text: &str) -> BlobKey {
    text.parse().expect("a key")
}

/// The description of bytes, as a JPEG.
pub(super) fn info(bytes: &[u8]) -> BlobInfo {
    BlobInfo { content_type: MediaType::Jpeg, bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes) }
}

/// The bytes of a blob that was fetched.
pub(super) async fn contents(blob: Blob) -> Bytes {
    collect_bytes(blob.bytes, 100 << 20).await.succeeds("reading a blob")
}

/// Bytes of every value, in an order that does not repeat soon.
fn all_bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| (n ^ n >> 8 ^ n >> 16) as u8).collect()
}

fn stream_of(chunks: Vec<Result<Bytes, std::io::Error>>) -> ByteStream {
    Box::pin(stream::iter(chunks))
}

pub(super) async fn put(blobs: &Arc<dyn BlobStore>, key: &BlobKey, bytes: &[u8]) {
    blobs.put(key, &info(bytes), byte_stream(bytes.to_vec())).await.succeeds("putting a blob");
}

async fn fetch(blobs: &Arc<dyn BlobStore>, key: &BlobKey) -> Option<Vec<u8>> {
    match blobs.get(key, None).await.succeeds("fetching a blob") {
        Some(blob) => Some(contents(blob).await.to_vec()),
        None => None,
    }
}

async fn keys(blobs: &Arc<dyn BlobStore>, prefix: &str) -> Vec<BlobKey> {
    walk(size(100), async |page| blobs.list(prefix, page).await).await
}
