//! What [`DirectUpload`] and [`SignedBlobGateway`] owe together: that a signed URL allows what it says, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::blob_store::{contents, info, key};
use super::expectations::Succeeds;
use super::fixtures::{HOSTILE, RACERS, SCRIPTS, Things};
use crate::ports::{
    BlobError, BlobInfo, BlobStore, DirectUpload, GatewayError, SignedBlobGateway, SignedRequest, UploadTicket,
    byte_stream,
};
use crate::{BlobKey, MediaType, Sha256Digest, Timestamp};

/// Runs each clause on signed URLs as a test: takes an expression for a [`SignedBlobs`](crate::conformance::direct_upload::SignedBlobs) or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! direct_upload_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            direct_upload,
            $crate::conformance::direct_upload::SignedBlobs,
            $fixture,
            [
                a_ticket_uploads_its_blob,
                a_ticket_says_how_to_upload,
                other_bytes_than_announced_are_refused,
                another_length_type_or_hash_than_signed_is_refused,
                a_missing_or_doubled_header_is_refused,
                an_expired_ticket_is_refused,
                a_ticket_uploads_to_no_other_key,
                a_changed_query_is_refused,
                a_second_upload_is_refused,
                of_concurrent_uploads_one_wins,
                an_upload_to_a_taken_key_is_refused,
                each_ticket_is_for_its_own_blob,
                a_download_url_fetches_its_blob,
                a_download_url_fetches_a_range,
                a_download_url_stays_the_same_for_hours,
                a_download_url_is_good_for_at_least_an_hour,
                a_download_url_expires,
                a_download_url_fetches_no_other_blob,
                a_download_name_is_signed,
                a_download_of_an_absent_blob_is_not_found,
                an_upload_url_does_not_download_and_the_other_way_round,
            ]
        );
    };
}

/// A blob store, its signed URLs, and their other end.
#[derive(Clone, Debug)]
pub struct SignedBlobs {
    /// The blobs; empty at first.
    pub blobs: Arc<dyn BlobStore>,
    /// Makes URLs.
    pub urls: Arc<dyn DirectUpload>,
    /// Takes what comes in under them.
    pub gateway: Arc<dyn SignedBlobGateway>,
}

/// One request, and the blob is there.
pub async fn a_ticket_uploads_its_blob(signed: &SignedBlobs) {
    for media_type in MediaType::ALL {
        let key = key(&format!("incoming/{}", media_type.short_name()));
        let described = BlobInfo { content_type: media_type, ..info(BYTES) };
        let ticket = ticket(signed, &key, &described).await;
        let uploaded = signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()).await;
        assert_eq!(uploaded.succeeds("uploading with a ticket"), key, "an upload answers the key it was for");
        let head = signed.blobs.head(&key).await.succeeds("describing a blob");
        assert_eq!(head, Some(described), "the blob is kept as it was announced");
    }
}

/// PUT, a URL that ends in the key, and the headers to send.
pub async fn a_ticket_says_how_to_upload(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    assert_eq!(ticket.method, "PUT", "an upload is a PUT");
    assert_eq!(ticket.expires_at, expires_at(), "a ticket says when it expires");
    let (path, _) = ticket.url.split_once('?').expect("a signed URL has a query");
    assert!(path.ends_with("/incoming/a"), "the URL's path ends in the key, but it is {path}");
    let header = |name: &str| {
        ticket.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    };
    assert_eq!(header("content-length"), Some(BYTES.len().to_string().as_str()), "the length is to be sent");
    assert_eq!(header("content-type"), Some("image/jpeg"), "the type is to be sent");
    assert_eq!(header("if-none-match"), Some("*"), "an upload is to a free key only");
    let hash = info(BYTES).sha256.to_base64();
    assert!(ticket.headers.iter().any(|(_, value)| *value == hash), "the hash is to be sent");
    let shown = format!("{ticket:?}");
    assert!(!shown.contains(query(&ticket.url)), "no log shows what a ticket is made of");
}

/// Whatever the headers say.
pub async fn other_bytes_than_announced_are_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    let longer = [BYTES, b"!"].concat();
    let mut changed = BYTES.to_vec();
    changed[3] ^= 1;
    for bytes in [longer, changed, BYTES[..5].to_vec(), Vec::new()] {
        let result = signed.gateway.upload(sent(&ticket, &key), byte_stream(bytes), now()).await;
        assert_refused!(result, GatewayError::Blob(BlobError::Mismatch { .. }), "other bytes are refused");
        assert_nothing_kept(signed, &key).await;
    }
    signed
        .gateway
        .upload(sent(&ticket, &key), byte_stream(BYTES), now())
        .await
        .succeeds("uploading the right bytes then");
}

/// What was signed is what is sent.
pub async fn another_length_type_or_hash_than_signed_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    let other = b"other bytes, and more of them";
    let hash = (info(BYTES).sha256.to_base64(), info(other).sha256.to_base64());
    let length = (BYTES.len().to_string(), other.len().to_string());
    for (old, new) in [
        (&*hash.0, &*hash.1),
        (&length.0, &length.1),
        ("image/jpeg", "text/html"),
        ("image/jpeg", "image/png"),
        ("*", "\"x\""),
    ] {
        let mut request = sent(&ticket, &key);
        for (_, value) in request.headers.iter_mut().filter(|(_, value)| value == old) {
            new.clone_into(value);
        }
        let result = signed.gateway.upload(request, byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "{new} where {old} was signed is refused");
    }
    let mut request = sent(&ticket, &key);
    for (_, value) in &mut request.headers {
        for (old, new) in [&hash, &length] {
            if value == old {
                value.clone_from(new);
            }
        }
    }
    let result = signed.gateway.upload(request, byte_stream(&other[..]), now()).await;
    assert_refused!(result, GatewayError::NotSigned(_), "another blob with all its headers right is refused");
    assert_nothing_kept(signed, &key).await;
}

/// Each once.
pub async fn a_missing_or_doubled_header_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    for n in 0..ticket.headers.len() {
        let mut missing = sent(&ticket, &key);
        let (name, _) = missing.headers.remove(n);
        let result = signed.gateway.upload(missing, byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "an upload without {name} is refused");
        let mut doubled = sent(&ticket, &key);
        doubled.headers.push((name.clone(), "other".to_owned()));
        let result = signed.gateway.upload(doubled, byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "an upload with two of {name} is refused");
    }
    let mut more = sent(&ticket, &key);
    more.headers.push(("user-agent".to_owned(), "Firefox".to_owned()));
    signed
        .gateway
        .upload(more, byte_stream(BYTES), now())
        .await
        .succeeds("uploading with a header that was not signed");
}

/// Good until it expires, by the caller's clock.
pub async fn an_expired_ticket_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    for late in [Duration::from_millis(1), Duration::from_secs(1_000_000)] {
        let result = signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), expires_at().plus(late)).await;
        assert_refused!(result, GatewayError::Expired, "an upload {late:?} late is refused");
    }
    assert_nothing_kept(signed, &key).await;
    let last = expires_at().minus(Duration::from_millis(1));
    signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), last).await.succeeds("uploading just in time");
}

/// Not next to it, not above it.
pub async fn a_ticket_uploads_to_no_other_key(signed: &SignedBlobs) {
    let granted = key("incoming/a");
    let ticket = ticket(signed, &granted, &info(BYTES)).await;
    for other in [
        "incoming/b",
        "original/a",
        "incoming/a/b",
        "incoming",
        "incoming/A",
        "incoming/../original/a",
        "",
        "/incoming/a",
    ] {
        let request = SignedRequest { key: other.to_owned(), ..sent(&ticket, &granted) };
        let result = signed.gateway.upload(request, byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "an upload to {other:?} is refused");
    }
    let page = signed.blobs.list("", crate::PageRequest::first(crate::PageSize::MAX)).await.succeeds("listing keys");
    assert_eq!(page.items, [], "nothing was kept anywhere");
}

/// No part of it, and nothing added.
pub async fn a_changed_query_is_refused(signed: &SignedBlobs) {
    let granted = key("incoming/a");
    let ticket = ticket(signed, &granted, &info(BYTES)).await;
    let request = sent(&ticket, &granted);
    for changed in tampered(&request.query) {
        let request = SignedRequest { query: changed.clone(), ..request.clone() };
        let result = signed.gateway.upload(request, byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "an upload with the query {changed:?} is refused");
    }
    assert_nothing_kept(signed, &granted).await;
}

/// Once.
pub async fn a_second_upload_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()).await.succeeds("uploading with a ticket");
    for _ in 0..2 {
        let result = signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()).await;
        assert_refused!(result, GatewayError::Blob(BlobError::AlreadyExists), "a second upload is refused");
    }
    let blob = signed.blobs.get(&key, None).await.succeeds("fetching a blob").expect("it is there");
    assert_eq!(contents(blob).await, BYTES, "the first upload stays");
}

/// Also when they come at the same time.
pub async fn of_concurrent_uploads_one_wins(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    let results =
        join_all((0..RACERS).map(|_| signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()))).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "one of {RACERS} uploads with one ticket succeeds");
    let refused =
        results.iter().filter(|result| matches!(result, Err(GatewayError::Blob(BlobError::AlreadyExists)))).count();
    assert_eq!(refused, RACERS - 1, "the others hear that the key is taken");
}

/// Whoever took it.
pub async fn an_upload_to_a_taken_key_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    keep(signed, &key, b"already here").await;
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    let result = signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()).await;
    assert_refused!(result, GatewayError::Blob(BlobError::AlreadyExists), "an upload to a taken key is refused");
    let blob = signed.blobs.get(&key, None).await.succeeds("fetching a blob").expect("it is there");
    assert_eq!(contents(blob).await, &b"already here"[..], "a taken key keeps what it had");
}

/// One's query does not open another's.
pub async fn each_ticket_is_for_its_own_blob(signed: &SignedBlobs) {
    let keys = [key("incoming/a"), key("incoming/b")];
    let (one, other) = (ticket(signed, &keys[0], &info(BYTES)).await, ticket(signed, &keys[1], &info(BYTES)).await);
    assert_ne!(query(&one.url), query(&other.url), "two tickets differ");
    let request = SignedRequest { query: query(&other.url).to_owned(), ..sent(&one, &keys[0]) };
    let result = signed.gateway.upload(request, byte_stream(BYTES), now()).await;
    assert_refused!(result, GatewayError::NotSigned(_), "another ticket's query is refused");
    for (ticket, key) in [(&one, &keys[0]), (&other, &keys[1])] {
        signed
            .gateway
            .upload(sent(ticket, key), byte_stream(BYTES), now())
            .await
            .succeeds("uploading with its own ticket");
    }
}

/// Bytes and description, as often as one likes.
pub async fn a_download_url_fetches_its_blob(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let url = download_url(signed, &key, None, now()).await;
    for _ in 0..2 {
        let download = signed.gateway.download(asked(&url, &key), None, now()).await.succeeds("downloading");
        assert_eq!(download.download_name, None, "a URL without a name has none");
        assert_eq!(download.blob.info, info(BYTES), "a download comes with its description");
        assert_eq!(contents(download.blob).await, BYTES, "a download has the blob's bytes");
    }
}

/// As players and resumed downloads ask for.
pub async fn a_download_url_fetches_a_range(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let url = download_url(signed, &key, None, now()).await;
    for range in [0..3, 2..7, 5..1_000] {
        let download =
            signed.gateway.download(asked(&url, &key), Some(range.clone()), now()).await.succeeds("downloading");
        let expected = &BYTES[range.start as usize..(range.end as usize).min(BYTES.len())];
        assert_eq!(contents(download.blob).await, expected, "a download of {range:?} has those bytes");
    }
}

/// So that browsers can cache: in a day, URLs change a few times, not with each page.
pub async fn a_download_url_stays_the_same_for_hours(signed: &SignedBlobs) {
    let (one, other) = (key("original/a"), key("original/b"));
    let mut seen = Vec::new();
    for quarter in 0..96 {
        let time = now().plus(Duration::from_secs(quarter * 900));
        seen.push(download_url(signed, &one, None, time).await);
    }
    seen.dedup();
    assert!(seen.len() <= 12, "in a day a URL changes every two hours at most, but it changes {} times", seen.len());
    let one_url = download_url(signed, &one, None, now()).await;
    assert_ne!(one_url, download_url(signed, &other, None, now()).await, "each blob has a URL of its own");
    assert_ne!(one_url, download_url(signed, &one, name("a.jpg"), now()).await, "each name has a URL of its own");
}

/// Whenever it was asked for.
pub async fn a_download_url_is_good_for_at_least_an_hour(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    for minutes in (0..24 * 60).step_by(7) {
        let asked_at = now().plus(Duration::from_secs(minutes * 60));
        let url = download_url(signed, &key, None, asked_at).await;
        let later = asked_at.plus(Duration::from_secs(3_599));
        signed.gateway.download(asked(&url, &key), None, later).await.succeeds("downloading within the hour");
    }
}

/// Whoever finds one a week later finds nothing.
pub async fn a_download_url_expires(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let url = download_url(signed, &key, None, now()).await;
    let result = signed.gateway.download(asked(&url, &key), None, now().plus(Duration::from_secs(7 * 86_400))).await;
    assert_refused!(result, GatewayError::Expired, "a download a week later is refused");
}

/// Not by another key, not by another query.
pub async fn a_download_url_fetches_no_other_blob(signed: &SignedBlobs) {
    let granted = key("original/a");
    for blob in ["original/a", "original/b", "incoming/a"].map(key) {
        keep(signed, &blob, blob.as_str().as_bytes()).await;
    }
    let url = download_url(signed, &granted, None, now()).await;
    let request = asked(&url, &granted);
    for other in ["original/b", "incoming/a", "original/../incoming/a", "original", ""] {
        let result =
            signed.gateway.download(SignedRequest { key: other.to_owned(), ..request.clone() }, None, now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "a download of {other:?} is refused");
    }
    for changed in tampered(&request.query) {
        let result =
            signed.gateway.download(SignedRequest { query: changed.clone(), ..request.clone() }, None, now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "a download with the query {changed:?} is refused");
    }
}

/// In every script, and it cannot be changed.
pub async fn a_download_name_is_signed(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let names = SCRIPTS.iter().map(|(text, _)| *text).chain(HOSTILE).chain(["a b&c=d#e+f%20.jpg", "a\"; filename=b"]);
    for text in names {
        let url = download_url(signed, &key, name(text), now()).await;
        let path_and_query_only = url.chars().all(|c| c.is_ascii_graphic());
        assert!(path_and_query_only, "a URL is made of ASCII, but it is {url}");
        let download = signed.gateway.download(asked(&url, &key), None, now()).await.succeeds("downloading");
        assert_eq!(download.download_name.as_deref(), Some(text), "a download has the name it was signed with");
    }
    let url = download_url(signed, &key, name("plainname"), now()).await;
    let request = asked(&url, &key);
    if request.query.contains("plainname") {
        let renamed = SignedRequest { query: request.query.replace("plainname", "othername"), ..request };
        let result = signed.gateway.download(renamed, None, now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "a download under another name is refused");
    }
}

/// A URL may be older than the blob, or outlive it.
pub async fn a_download_of_an_absent_blob_is_not_found(signed: &SignedBlobs) {
    let key = key("original/a");
    let url = download_url(signed, &key, None, now()).await;
    let result = signed.gateway.download(asked(&url, &key), None, now()).await;
    assert_refused!(result, GatewayError::NotFound, "a blob that is not there is not found");
    keep(signed, &key, BYTES).await;
    signed.gateway.download(asked(&url, &key), None, now()).await.succeeds("downloading once it is there");
    signed.blobs.remove(std::slice::from_ref(&key)).await.succeeds("removing a blob");
    let result = signed.gateway.download(asked(&url, &key), None, now()).await;
    assert_refused!(result, GatewayError::NotFound, "a blob that is gone is not found");
}

/// Reading is not writing.
pub async fn an_upload_url_does_not_download_and_the_other_way_round(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = ticket(signed, &key, &info(BYTES)).await;
    let url = download_url(signed, &key, None, now()).await;
    let request = SignedRequest { query: query(&url).to_owned(), ..sent(&ticket, &key) };
    let result = signed.gateway.upload(request, byte_stream(BYTES), now()).await;
    assert_refused!(result, GatewayError::NotSigned(_), "a download's URL does not upload");
    signed.gateway.upload(sent(&ticket, &key), byte_stream(BYTES), now()).await.succeeds("uploading with a ticket");
    for headers in [ticket.headers.clone(), vec![]] {
        let request = SignedRequest { headers, ..sent(&ticket, &key) };
        let result = signed.gateway.download(request, None, now()).await;
        assert_refused!(result, GatewayError::NotSigned(_), "an upload's URL does not download");
    }
}

const BYTES: &[u8] = b"\xFF\xD8\xFF some bytes";

fn now() -> Timestamp {
    Things::new().at(1_000)
}

fn expires_at() -> Timestamp {
    Things::new().at(1_300)
}

fn name(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn keep(signed: &SignedBlobs, key: &BlobKey, bytes: &[u8]) {
    signed.blobs.put(key, &info(bytes), byte_stream(bytes.to_vec())).await.succeeds("putting a blob");
}

async fn ticket(signed: &SignedBlobs, key: &BlobKey, info: &BlobInfo) -> UploadTicket {
    signed.urls.upload_ticket(key, info, now(), expires_at()).await.succeeds("asking for a ticket")
}

async fn download_url(signed: &SignedBlobs, key: &BlobKey, name: Option<String>, now: Timestamp) -> String {
    signed.urls.download_url(key, name, now).await.succeeds("asking for a URL")
}

/// The request that a ticket asks for, as a router passes it on.
fn sent(ticket: &UploadTicket, key: &BlobKey) -> SignedRequest {
    let headers = ticket.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    SignedRequest { headers, ..asked(&ticket.url, key) }
}

fn asked(url: &str, key: &BlobKey) -> SignedRequest {
    SignedRequest { key: key.to_string(), query: query(url).to_owned(), headers: Vec::new() }
}

fn query(url: &str) -> &str {
    url.split_once('?').expect("a signed URL has a query").1
}

/// Queries that are not the one that was signed: emptied, cut, added to, and with a character changed in several places.
fn tampered(query: &str) -> Vec<String> {
    let mut changed =
        vec![String::new(), "a=b".to_owned(), format!("{query}&a=b"), query[..query.len() - 2].to_owned()];
    let (_, first_value) = query.split_once('=').expect("a query has a value");
    for at in [query.len() - first_value.len(), query.len() / 2, query.len() - 9] {
        let other = if query.as_bytes()[at] == b'7' { "8" } else { "7" };
        let mut tampered = query.to_owned();
        tampered.replace_range(at..=at, other);
        changed.push(tampered);
    }
    let hash = Sha256Digest::of(query.as_bytes()).to_string();
    changed.push(format!("{}={hash}", query.split('=').next().unwrap_or_default()));
    changed
}

async fn assert_nothing_kept(signed: &SignedBlobs, key: &BlobKey) {
    assert_eq!(signed.blobs.head(key).await.succeeds("describing a blob"), None, "nothing of a refused upload is kept");
}
