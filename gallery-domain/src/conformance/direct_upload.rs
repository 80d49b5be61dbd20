//! What a [`DirectUpload`] and the other end of its URLs owe together: that a signed URL allows what it says, and nothing else.
//!
//! The clauses see the other end as whoever holds a URL does: through a [`UrlClient`]. [`ThroughGateway`] is the client of a [`SignedBlobGateway`]; for
//! URLs of a server of its own, one sends requests over HTTP.

use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;

use super::blob_store::{contents, info, key};
use super::expectations::Succeeds;
use super::fixtures::{HOSTILE, RACERS, SCRIPTS, Things};
use crate::ports::{
    BlobError, BlobInfo, BlobStore, DirectUpload, GatewayError, SignedBlobGateway, SignedRequest, UploadTicket,
    byte_stream, collect_bytes,
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

/// A blob store, its signed URLs, and whoever holds one.
#[derive(Clone, Debug)]
pub struct SignedBlobs {
    /// The blobs; empty at first.
    pub blobs: Arc<dyn BlobStore>,
    /// Makes URLs.
    pub urls: Arc<dyn DirectUpload>,
    /// Sends requests to them.
    pub client: Arc<dyn UrlClient>,
}

/// Sends requests to signed URLs, right ones and wrong ones.
#[async_trait]
pub trait UrlClient: Debug + Send + Sync + 'static {
    /// Moments at which a request can be sent, at least one. The clock of a server cannot be set: for that, it is now.
    fn moments(&self) -> Vec<Timestamp>;

    /// Headers that are always sent, and as they are true: whoever sends a request can neither leave them out nor choose their value. Names are in
    /// lower case.
    fn own_headers(&self) -> &'static [&'static str];

    /// Sends bytes.
    async fn upload(&self, request: &UrlRequest, bytes: Bytes, at: Timestamp) -> Result<(), Refusal>;

    /// Fetches bytes, or those of a range.
    async fn download(
        &self,
        request: &UrlRequest,
        range: Option<Range<u64>>,
        at: Timestamp,
    ) -> Result<Downloaded, Refusal>;
}

/// A request to a signed URL, in parts, each of which can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlRequest {
    /// The URL up to the key.
    pub base: String,
    /// The key as it stands in the URL's path.
    pub key: String,
    /// The URL's query, without the `?`.
    pub query: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What came back from a download.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The type that it is served as.
    pub content_type: String,
    /// How many bytes the whole blob has.
    pub length: u64,
    /// The bytes.
    pub bytes: Bytes,
    /// The name to save it under.
    pub name: Option<String>,
}

/// Why a request was not granted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The URL does not allow it.
    #[error("the URL does not allow this request")]
    NotAllowed,
    /// The URL allowed it once.
    #[error("the URL has expired")]
    Expired,
    /// The bytes are not those announced.
    #[error("the bytes are not those announced")]
    Mismatch,
    /// The key is taken.
    #[error("the key is taken")]
    Taken,
    /// There is no such blob.
    #[error("there is no such blob")]
    NotFound,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// The client of a gateway, which is told the time.
#[derive(Clone, Debug)]
pub struct ThroughGateway(pub Arc<dyn SignedBlobGateway>);

#[async_trait]
impl UrlClient for ThroughGateway {
    fn moments(&self) -> Vec<Timestamp> {
        (0..24 * 60).step_by(7).map(|minutes| Things::new().at(1_000).plus(Duration::from_secs(minutes * 60))).collect()
    }

    fn own_headers(&self) -> &'static [&'static str] {
        &[]
    }

    async fn upload(&self, request: &UrlRequest, bytes: Bytes, at: Timestamp) -> Result<(), Refusal> {
        match self.0.upload(request.signed(), byte_stream(bytes), at).await {
            Ok(key) if key.as_str() == request.key => Ok(()),
            Ok(key) => Err(Refusal::Other(format!("an upload to {} answers {key}", request.key))),
            Err(error) => Err(error.into()),
        }
    }

    async fn download(
        &self,
        request: &UrlRequest,
        range: Option<Range<u64>>,
        at: Timestamp,
    ) -> Result<Downloaded, Refusal> {
        let download = self.0.download(request.signed(), range, at).await?;
        let bytes = collect_bytes(download.blob.bytes, 1 << 20).await;
        Ok(Downloaded {
            content_type: download.blob.info.content_type.to_string(),
            length: download.blob.info.bytes,
            bytes: bytes.map_err(|error| Refusal::Other(error.to_string()))?,
            name: download.download_name,
        })
    }
}

impl From<GatewayError> for Refusal {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotSigned(_) => Self::NotAllowed,
            GatewayError::Expired => Self::Expired,
            GatewayError::NotFound => Self::NotFound,
            GatewayError::Blob(BlobError::AlreadyExists) => Self::Taken,
            GatewayError::Blob(BlobError::Mismatch { .. }) => Self::Mismatch,
            other => Self::Other(other.to_string()),
        }
    }
}

impl UrlRequest {
    /// The request to a URL that was signed for a key.
    fn new(url: &str, key: &BlobKey, headers: Vec<(String, String)>) -> Self {
        let (path, query) = url.split_once('?').expect("a signed URL has a query");
        let base = path.strip_suffix(key.as_str());
        Self {
            base: base.unwrap_or_else(|| panic!("the path ends in the key {key}, but it is {path}")).to_owned(),
            key: key.to_string(),
            query: query.to_owned(),
            headers,
        }
    }

    fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    fn with_query(&self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self.clone() }
    }

    fn signed(&self) -> SignedRequest {
        let Self { key, query, headers, .. } = self.clone();
        SignedRequest { key, query, headers }
    }
}

/// One request, and the blob is there.
pub async fn a_ticket_uploads_its_blob(signed: &SignedBlobs) {
    for media_type in MediaType::ALL {
        let key = key(&format!("incoming/{}", media_type.short_name()));
        let described = BlobInfo { content_type: media_type, ..info(BYTES) };
        let ticket = signed.ticket(&key, &described).await;
        signed.upload(&sent(&ticket, &key), BYTES).await.succeeds("uploading with a ticket");
        let head = signed.blobs.head(&key).await.succeeds("describing a blob");
        assert_eq!(head, Some(described), "the blob is kept as it was announced");
    }
}

/// PUT, a URL that ends in the key, and the headers to send.
pub async fn a_ticket_says_how_to_upload(signed: &SignedBlobs) {
    let (key, now) = (key("incoming/a"), signed.now());
    let expires_at = now.plus(FIVE_MINUTES);
    let ticket = signed.urls.upload_ticket(&key, &info(BYTES), now, expires_at).await.succeeds("asking for a ticket");
    assert_eq!(ticket.method, "PUT", "an upload is a PUT");
    assert_eq!(ticket.expires_at, expires_at, "a ticket says when it expires");
    let request = sent(&ticket, &key);
    assert!(request.base.ends_with('/'), "the URL's path ends in the key, but its beginning is {}", request.base);
    let header = |name: &str| request.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert_eq!(header("content-length"), Some(BYTES.len().to_string().as_str()), "the length is to be sent");
    assert_eq!(header("content-type"), Some("image/jpeg"), "the type is to be sent");
    assert_eq!(header("if-none-match"), Some("*"), "an upload is to a free key only");
    let hash = info(BYTES).sha256.to_base64();
    assert!(request.headers.iter().any(|(_, value)| *value == hash), "the hash is to be sent");
    let shown = format!("{ticket:?}");
    assert!(!shown.contains(&request.query), "no log shows what a ticket is made of");
}

/// Whatever the headers say. Where the length is sent as it is, another one is not what was signed.
pub async fn other_bytes_than_announced_are_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    let longer = [BYTES, b"!"].concat();
    let mut changed = BYTES.to_vec();
    changed[3] ^= 1;
    for bytes in [longer, changed, BYTES[..5].to_vec(), Vec::new()] {
        let result = signed.upload(&sent(&ticket, &key), &bytes).await;
        assert_refused!(result, Refusal::Mismatch | Refusal::NotAllowed, "other bytes are refused");
        assert_nothing_kept(signed, &key).await;
    }
    signed.upload(&sent(&ticket, &key), BYTES).await.succeeds("uploading the right bytes then");
}

/// What was signed is what is sent.
pub async fn another_length_type_or_hash_than_signed_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    let other = b"other bytes, and more of them";
    let others = [
        (info(BYTES).sha256.to_base64(), info(other).sha256.to_base64()),
        (info(BYTES).sha256.to_string(), info(other).sha256.to_string()),
        (BYTES.len().to_string(), other.len().to_string()),
    ];
    let more = [("image/jpeg", "text/html"), ("image/jpeg", "image/png"), ("*", "\"x\"")];
    for (old, new) in others.iter().map(|(old, new)| (&**old, &**new)).chain(more) {
        let mut request = sent(&ticket, &key);
        let own = signed.client.own_headers();
        for (_, value) in request.headers.iter_mut().filter(|(name, value)| value == old && !own.contains(&&**name)) {
            new.clone_into(value);
        }
        if request != sent(&ticket, &key) {
            let result = signed.upload(&request, BYTES).await;
            assert_refused!(result, Refusal::NotAllowed, "{new} where {old} was signed is refused");
        }
    }
    let mut request = sent(&ticket, &key);
    for (_, value) in &mut request.headers {
        for (old, new) in &others {
            if value == old {
                value.clone_from(new);
            }
        }
    }
    let result = signed.upload(&request, other).await;
    assert_refused!(result, Refusal::NotAllowed, "another blob with all its headers right is refused");
    assert_nothing_kept(signed, &key).await;
}

/// Each once.
pub async fn a_missing_or_doubled_header_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    for n in 0..ticket.headers.len() {
        let mut missing = sent(&ticket, &key);
        let (name, _) = missing.headers.remove(n);
        if signed.client.own_headers().contains(&&*name) {
            continue;
        }
        let result = signed.upload(&missing, BYTES).await;
        assert_refused!(result, Refusal::NotAllowed, "an upload without {name} is refused");
        let mut doubled = sent(&ticket, &key);
        doubled.headers.push((name.clone(), "other".to_owned()));
        let result = signed.upload(&doubled, BYTES).await;
        assert_refused!(result, Refusal::NotAllowed, "an upload with two of {name} is refused");
    }
    let mut more = sent(&ticket, &key);
    more.headers.push(("user-agent".to_owned(), "Firefox".to_owned()));
    signed.upload(&more, BYTES).await.succeeds("uploading with a header that was not signed");
}

/// Good until it expires.
pub async fn an_expired_ticket_is_refused(signed: &SignedBlobs) {
    let (key, now) = (key("incoming/a"), signed.now());
    for late in [Duration::from_secs(1), Duration::from_secs(1_000_000)] {
        let expired = now.minus(late);
        let asked_at = expired.minus(FIVE_MINUTES);
        let ticket = signed.urls.upload_ticket(&key, &info(BYTES), asked_at, expired).await;
        let result = signed.upload(&sent(&ticket.succeeds("asking for a ticket"), &key), BYTES).await;
        assert_refused!(result, Refusal::Expired, "an upload {late:?} late is refused");
    }
    assert_nothing_kept(signed, &key).await;
    let (asked_at, expires_at) = (now.minus(Duration::from_secs(240)), now.plus(Duration::from_secs(60)));
    let ticket = signed.urls.upload_ticket(&key, &info(BYTES), asked_at, expires_at).await;
    let ticket = ticket.succeeds("asking for a ticket");
    signed.upload(&sent(&ticket, &key), BYTES).await.succeeds("uploading in time");
}

/// Not next to it, not above it.
pub async fn a_ticket_uploads_to_no_other_key(signed: &SignedBlobs) {
    let granted = key("incoming/a");
    let ticket = signed.ticket(&granted, &info(BYTES)).await;
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
        let result = signed.upload(&sent(&ticket, &granted).with_key(other), BYTES).await;
        assert_refused!(result, Refusal::NotAllowed, "an upload to {other:?} is refused");
    }
    let page = signed.blobs.list("", crate::PageRequest::first(crate::PageSize::MAX)).await.succeeds("listing keys");
    assert_eq!(page.items, [], "nothing was kept anywhere");
}

/// No part of it, and nothing added.
pub async fn a_changed_query_is_refused(signed: &SignedBlobs) {
    let granted = key("incoming/a");
    let ticket = signed.ticket(&granted, &info(BYTES)).await;
    let request = sent(&ticket, &granted);
    for changed in tampered(&request.query) {
        let result = signed.upload(&request.with_query(&changed), BYTES).await;
        // Whoever says another expiry may hear that it is over.
        assert_refused!(
            result,
            Refusal::NotAllowed | Refusal::Expired,
            "an upload with the query {changed:?} is refused"
        );
    }
    assert_nothing_kept(signed, &granted).await;
}

/// Once.
pub async fn a_second_upload_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    signed.upload(&sent(&ticket, &key), BYTES).await.succeeds("uploading with a ticket");
    for _ in 0..2 {
        let result = signed.upload(&sent(&ticket, &key), BYTES).await;
        assert_refused!(result, Refusal::Taken, "a second upload is refused");
    }
    let blob = signed.blobs.get(&key, None).await.succeeds("fetching a blob").expect("it is there");
    assert_eq!(contents(blob).await, BYTES, "the first upload stays");
}

/// Also when they come at the same time.
pub async fn of_concurrent_uploads_one_wins(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    let request = sent(&ticket, &key);
    let results = join_all((0..RACERS).map(|_| signed.upload(&request, BYTES))).await;
    let won = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1, "one of {RACERS} uploads with one ticket succeeds");
    let refused = results.iter().filter(|result| matches!(result, Err(Refusal::Taken))).count();
    assert_eq!(refused, RACERS - 1, "the others hear that the key is taken");
}

/// Whoever took it.
pub async fn an_upload_to_a_taken_key_is_refused(signed: &SignedBlobs) {
    let key = key("incoming/a");
    keep(signed, &key, b"already here").await;
    let ticket = signed.ticket(&key, &info(BYTES)).await;
    let result = signed.upload(&sent(&ticket, &key), BYTES).await;
    assert_refused!(result, Refusal::Taken, "an upload to a taken key is refused");
    let blob = signed.blobs.get(&key, None).await.succeeds("fetching a blob").expect("it is there");
    assert_eq!(contents(blob).await, &b"already here"[..], "a taken key keeps what it had");
}

/// One's query does not open another's.
pub async fn each_ticket_is_for_its_own_blob(signed: &SignedBlobs) {
    let keys = [key("incoming/a"), key("incoming/b")];
    let one = sent(&signed.ticket(&keys[0], &info(BYTES)).await, &keys[0]);
    let other = sent(&signed.ticket(&keys[1], &info(BYTES)).await, &keys[1]);
    assert_ne!(one.query, other.query, "two tickets differ");
    let result = signed.upload(&one.with_query(&other.query), BYTES).await;
    assert_refused!(result, Refusal::NotAllowed, "another ticket's query is refused");
    for request in [&one, &other] {
        signed.upload(request, BYTES).await.succeeds("uploading with its own ticket");
    }
}

/// Bytes and description, as often as one likes.
pub async fn a_download_url_fetches_its_blob(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let request = signed.download_request(&key, None, signed.now()).await;
    for _ in 0..2 {
        let downloaded = signed.download(&request).await.succeeds("downloading");
        assert_eq!(downloaded.name, None, "a URL without a name has none");
        assert_eq!(downloaded.content_type, "image/jpeg", "a download has the blob's type");
        assert_eq!(downloaded.length, BYTES.len() as u64, "a download has the blob's length");
        assert_eq!(downloaded.bytes, BYTES, "a download has the blob's bytes");
    }
}

/// As players and resumed downloads ask for.
pub async fn a_download_url_fetches_a_range(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let request = signed.download_request(&key, None, signed.now()).await;
    for range in [0..3, 2..7, 5..1_000] {
        let downloaded = signed.client.download(&request, Some(range.clone()), signed.now()).await;
        let downloaded = downloaded.succeeds("downloading");
        let expected = &BYTES[range.start as usize..(range.end as usize).min(BYTES.len())];
        assert_eq!(downloaded.bytes, expected, "a download of {range:?} has those bytes");
        assert_eq!(downloaded.length, BYTES.len() as u64, "and the length of the whole blob");
    }
}

/// So that browsers can cache: in a day, URLs change a few times, not with each page.
pub async fn a_download_url_stays_the_same_for_hours(signed: &SignedBlobs) {
    let (one, other, now) = (key("original/a"), key("original/b"), signed.now());
    let mut seen = Vec::new();
    for quarter in 0..96 {
        let time = now.plus(Duration::from_secs(quarter * 900));
        seen.push(signed.download_request(&one, None, time).await.query);
    }
    seen.dedup();
    assert!(seen.len() <= 12, "in a day a URL changes every two hours at most, but it changes {} times", seen.len());
    let one_url = signed.download_request(&one, None, now).await.query;
    let other_url = signed.download_request(&other, None, now).await.query;
    assert_ne!(one_url, other_url, "each blob has a URL of its own");
    let named = signed.download_request(&one, name("a.jpg"), now).await.query;
    assert_ne!(one_url, named, "each name has a URL of its own");
}

/// Whenever it was asked for.
pub async fn a_download_url_is_good_for_at_least_an_hour(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    for at in signed.client.moments() {
        for age in [0, 1_800, 3_590] {
            let request = signed.download_request(&key, None, at.minus(Duration::from_secs(age))).await;
            signed.client.download(&request, None, at).await.succeeds("downloading within the hour");
        }
    }
}

/// Whoever finds one a week later finds nothing.
pub async fn a_download_url_expires(signed: &SignedBlobs) {
    let key = key("original/a");
    keep(signed, &key, BYTES).await;
    let request = signed.download_request(&key, None, signed.now().minus(Duration::from_secs(7 * 86_400))).await;
    assert_refused!(signed.download(&request).await, Refusal::Expired, "a download a week later is refused");
}

/// Not by another key, not by another query.
pub async fn a_download_url_fetches_no_other_blob(signed: &SignedBlobs) {
    let granted = key("original/a");
    for blob in ["original/a", "original/b", "incoming/a"].map(key) {
        keep(signed, &blob, blob.as_str().as_bytes()).await;
    }
    let request = signed.download_request(&granted, None, signed.now()).await;
    for other in ["original/b", "incoming/a", "original/../incoming/a", "original", ""] {
        let result = signed.download(&request.with_key(other)).await;
        assert_refused!(result, Refusal::NotAllowed, "a download of {other:?} is refused");
    }
    for changed in tampered(&request.query) {
        let result = signed.download(&request.with_query(&changed)).await;
        assert_refused!(
            result,
            Refusal::NotAllowed | Refusal::Expired,
            "a download with the query {changed:?} is refused"
        );
    }
}

/// In every script, and it cannot be changed.
pub async fn a_download_name_is_signed(signed: &SignedBlobs) {
    let (key, now) = (key("original/a"), signed.now());
    keep(signed, &key, BYTES).await;
    let names = SCRIPTS.iter().map(|(text, _)| *text).chain(HOSTILE).chain(["a b&c=d#e+f%20.jpg", "a\"; filename=b"]);
    for text in names {
        let request = signed.download_request(&key, name(text), now).await;
        let path_and_query_only = request.query.chars().all(|c| c.is_ascii_graphic());
        assert!(path_and_query_only, "a URL is made of ASCII, but its query is {}", request.query);
        let downloaded = signed.download(&request).await.succeeds("downloading");
        assert_eq!(downloaded.name.as_deref(), Some(text), "a download has the name it was signed with");
    }
    let request = signed.download_request(&key, name("plainname"), now).await;
    if request.query.contains("plainname") {
        let renamed = request.with_query(&request.query.replace("plainname", "othername"));
        let result = signed.download(&renamed).await;
        assert_refused!(result, Refusal::NotAllowed, "a download under another name is refused");
    }
}

/// A URL may be older than the blob, or outlive it.
pub async fn a_download_of_an_absent_blob_is_not_found(signed: &SignedBlobs) {
    let key = key("original/a");
    let request = signed.download_request(&key, None, signed.now()).await;
    assert_refused!(signed.download(&request).await, Refusal::NotFound, "a blob that is not there is not found");
    keep(signed, &key, BYTES).await;
    signed.download(&request).await.succeeds("downloading once it is there");
    signed.blobs.remove(std::slice::from_ref(&key)).await.succeeds("removing a blob");
    assert_refused!(signed.download(&request).await, Refusal::NotFound, "a blob that is gone is not found");
}

/// Reading is not writing.
pub async fn an_upload_url_does_not_download_and_the_other_way_round(signed: &SignedBlobs) {
    let key = key("incoming/a");
    let upload = sent(&signed.ticket(&key, &info(BYTES)).await, &key);
    let download = signed.download_request(&key, None, signed.now()).await;
    let result = signed.upload(&upload.with_query(&download.query), BYTES).await;
    assert_refused!(result, Refusal::NotAllowed, "a download's URL does not upload");
    signed.upload(&upload, BYTES).await.succeeds("uploading with a ticket");
    for headers in [upload.headers.clone(), vec![]] {
        let result = signed.download(&UrlRequest { headers, ..upload.clone() }).await;
        assert_refused!(result, Refusal::NotAllowed, "an upload's URL does not download");
    }
}

const BYTES: &[u8] = b"\xFF\xD8\xFF some bytes";
const FIVE_MINUTES: Duration = Duration::from_secs(300);

impl SignedBlobs {
    /// The first of the moments at which a request can be sent.
    fn now(&self) -> Timestamp {
        *self.client.moments().first().expect("a request can be sent at some moment")
    }

    async fn ticket(&self, key: &BlobKey, info: &BlobInfo) -> UploadTicket {
        let now = self.now();
        self.urls.upload_ticket(key, info, now, now.plus(FIVE_MINUTES)).await.succeeds("asking for a ticket")
    }

    async fn download_request(&self, key: &BlobKey, name: Option<String>, now: Timestamp) -> UrlRequest {
        let url = self.urls.download_url(key, name, now).await.succeeds("asking for a URL");
        UrlRequest::new(&url, key, Vec::new())
    }

    async fn upload(&self, request: &UrlRequest, bytes: &[u8]) -> Result<(), Refusal> {
        self.client.upload(request, Bytes::copy_from_slice(bytes), self.now()).await
    }

    async fn download(&self, request: &UrlRequest) -> Result<Downloaded, Refusal> {
        self.client.download(request, None, self.now()).await
    }
}

fn name(text: &str) -> Option<String> {
    Some(text.to_owned())
}

async fn keep(signed: &SignedBlobs, key: &BlobKey, bytes: &[u8]) {
    signed.blobs.put(key, &info(bytes), byte_stream(bytes.to_vec())).await.succeeds("putting a blob");
}

/// The request that a ticket asks for.
fn sent(ticket: &UploadTicket, key: &BlobKey) -> UrlRequest {
    let headers = ticket.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    UrlRequest::new(&ticket.url, key, headers)
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
