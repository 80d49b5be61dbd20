use gallery_domain::ports::{BlobError, byte_stream, collect_bytes};

use super::*;
use crate::filesystem::FileBlobs;

const NOW: Timestamp = Timestamp::MAX;
const BYTES: &[u8] = b"the picture";

/// A query, taken apart.
type Pairs = Vec<(String, String)>;

struct Fixture {
    _folder: tempfile::TempDir,
    urls: SignedUrls,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(folder.path().join("blobs"), NOW).await.unwrap();
    Fixture { _folder: folder, urls: SignedUrls::new(Arc::new(blobs), SigningKey::from_bytes([7; 32]), "/api/blobs/") }
}

impl Fixture {
    async fn ticket(&self) -> SignedRequest {
        let ticket = self.urls.upload_ticket(&key(), &info(), at(0), at(300)).await.unwrap();
        assert_eq!((ticket.method, ticket.expires_at), ("PUT", at(300)));
        request(&ticket.url, ticket.headers)
    }

    async fn download_request(&self, name: Option<&str>) -> SignedRequest {
        let url = self.urls.download_url(&key(), name.map(str::to_owned), at(0)).await.unwrap();
        request(&url, Vec::new())
    }

    async fn upload(&self, request: &SignedRequest, bytes: &'static [u8], now: Timestamp) -> Result<(), GatewayError> {
        let uploaded = self.urls.upload(request.clone(), byte_stream(bytes), now).await?;
        assert_eq!(uploaded, key());
        Ok(())
    }
}

fn key() -> BlobKey {
    "incoming/ada/photo".parse().unwrap()
}

fn info() -> BlobInfo {
    BlobInfo { content_type: MediaType::Jpeg, bytes: BYTES.len() as u64, sha256: Sha256Digest::of(BYTES) }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_717_200_000_000).plus(Duration::from_secs(seconds))
}

fn request(url: &str, headers: Vec<(String, String)>) -> SignedRequest {
    let (key, query) = url.strip_prefix("/api/blobs/").unwrap().split_once('?').unwrap();
    SignedRequest { key: key.to_owned(), query: query.to_owned(), headers }
}

/// Every way to change one signed part of a request, or to add to it.
fn tampered(request: &SignedRequest) -> Vec<(String, SignedRequest)> {
    let mut all = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut SignedRequest)| {
        let mut changed = request.clone();
        change(&mut changed);
        assert_ne!(&changed, request, "{what}");
        all.push((what, changed));
    };
    for (n, (name, value)) in request.headers.iter().enumerate() {
        add(format!("{name} is left out"), &|request| drop(request.headers.remove(n)));
        add(format!("{name} is there twice"), &|request| request.headers.push((name.clone(), value.clone())));
        add(format!("{name} has another value"), &|request| {
            request.headers[n].1 = match name.as_str() {
                "content-length" => (BYTES.len() + 1).to_string(),
                "content-type" => "image/png".to_owned(),
                "if-none-match" => "\"etag\"".to_owned(),
                _ => Sha256Digest::of(b"other").to_base64(),
            }
        });
        add(format!("{name} is written otherwise"), &|request| request.headers[n].1 = format!("{value} "));
    }
    add("the key is another".into(), &|request| request.key = "incoming/eve/photo".into());
    add("the key climbs".into(), &|request| request.key = "incoming/../ada".into());
    let pairs: Pairs = form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    for (n, (name, value)) in pairs.iter().enumerate() {
        let with = |change: &dyn Fn(&mut Pairs)| {
            let mut pairs = pairs.clone();
            change(&mut pairs);
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        add(format!("{name} is left out"), &|request| request.query = with(&|pairs| drop(pairs.remove(n))));
        add(format!("{name} is there twice"), &|request| {
            request.query = with(&|pairs| pairs.push((name.clone(), value.clone())));
        });
        add(format!("{name} is empty"), &|request| request.query = with(&|pairs| pairs[n].1.clear()));
        for (position, _) in value.char_indices() {
            add(format!("character {position} of {name} is another"), &|request| {
                request.query = with(&|pairs| {
                    let other = if value[position..].starts_with('5') { "6" } else { "5" };
                    let end = position + value[position..].chars().next().map_or(1, char::len_utf8);
                    pairs[n].1.replace_range(position..end, other);
                });
            });
        }
    }
    add("a parameter too many".into(), &|request| request.query.push_str("&x=1"));
    add("a download name too many".into(), &|request| request.query.push_str("&download=x.html"));
    add("no query".into(), &|request| request.query.clear());
    all
}

#[tokio::test]
async fn a_ticket_takes_just_the_bytes_it_was_made_for_and_once() {
    let fixture = fixture().await;
    let request = fixture.ticket().await;
    fixture.upload(&request, BYTES, at(299)).await.unwrap();
    assert_eq!(fixture.urls.blobs.head(&key()).await.unwrap(), Some(info()));
    let again = fixture.upload(&request, BYTES, at(299)).await;
    assert!(matches!(again, Err(GatewayError::Blob(BlobError::AlreadyExists))), "{again:?}");
}

#[tokio::test]
async fn other_bytes_than_signed_are_refused_and_the_ticket_stays_good() {
    let fixture = fixture().await;
    let request = fixture.ticket().await;
    for bytes in [&b"the PICTURE"[..], b"the pictur", b"the picture.", b""] {
        let refused = fixture.upload(&request, bytes, at(1)).await;
        assert!(matches!(refused, Err(GatewayError::Blob(BlobError::Mismatch { .. }))), "{refused:?}");
    }
    fixture.upload(&request, BYTES, at(1)).await.unwrap();
}

#[tokio::test]
async fn an_upload_with_any_signed_part_changed_is_refused() {
    let fixture = fixture().await;
    let request = fixture.ticket().await;
    for (what, changed) in tampered(&request) {
        let refused = fixture.upload(&changed, BYTES, at(1)).await;
        assert!(matches!(refused, Err(GatewayError::NotSigned(_))), "{what}: {refused:?}");
    }
    assert_eq!(fixture.urls.blobs.head(&key()).await.unwrap(), None);
    fixture.upload(&request, BYTES, at(1)).await.unwrap();
}

#[tokio::test]
async fn a_download_with_any_signed_part_changed_is_refused() {
    let fixture = fixture().await;
    fixture.urls.blobs.put(&key(), &info(), byte_stream(BYTES)).await.unwrap();
    for name in [None, Some("Grüße aus Köln.jpg")] {
        let request = fixture.download_request(name).await;
        for (what, changed) in tampered(&request) {
            let refused = fixture.urls.download(changed, None, at(1)).await;
            assert!(matches!(refused, Err(GatewayError::NotSigned(_))), "{what}: {refused:?}");
        }
        let download = fixture.urls.download(request, Some(4..7), at(1)).await.unwrap();
        assert_eq!(download.download_name.as_deref(), name);
        assert_eq!(download.blob.info, info());
        assert_eq!(collect_bytes(download.blob.bytes, 100).await.unwrap(), "pic");
    }
}

#[tokio::test]
async fn a_url_for_one_method_is_no_good_for_the_other() {
    let fixture = fixture().await;
    let upload = fixture.ticket().await;
    let refused = fixture.urls.download(upload.clone(), None, at(1)).await;
    assert!(matches!(refused, Err(GatewayError::NotSigned(_))));
    let mut download = fixture.download_request(None).await;
    download.headers = upload.headers;
    assert!(matches!(fixture.upload(&download, BYTES, at(1)).await, Err(GatewayError::NotSigned(_))));
}

#[tokio::test]
async fn a_url_signed_with_another_key_is_refused() {
    let fixture = fixture().await;
    let blobs = fixture.urls.blobs.clone();
    let stranger = SignedUrls::new(blobs, SigningKey::from_bytes([8; 32]), "/api/blobs");
    let ticket = stranger.upload_ticket(&key(), &info(), at(0), at(300)).await.unwrap();
    let refused = fixture.upload(&request(&ticket.url, ticket.headers), BYTES, at(1)).await;
    assert!(matches!(refused, Err(GatewayError::NotSigned(_))));
}

#[tokio::test]
async fn a_ticket_ends_when_it_says() {
    let fixture = fixture().await;
    let request = fixture.ticket().await;
    assert!(matches!(fixture.upload(&request, BYTES, at(300)).await, Err(GatewayError::Expired)));
    fixture.upload(&request, BYTES, at(300).minus(Duration::from_millis(1))).await.unwrap();
}

#[tokio::test]
async fn a_download_url_stays_the_same_for_hours_and_is_good_for_one_at_least() {
    let fixture = fixture().await;
    fixture.urls.blobs.put(&key(), &info(), byte_stream(BYTES)).await.unwrap();
    let start = Timestamp::from_millis(1_717_200_000_000 / 21_600_000 * 21_600_000);
    let minute = |n: u64| start.plus(Duration::from_secs(60 * n));
    let first = fixture.urls.download_url(&key(), None, minute(0)).await.unwrap();
    assert_eq!(fixture.urls.download_url(&key(), None, minute(359)).await.unwrap(), first);
    let next = fixture.urls.download_url(&key(), None, minute(360)).await.unwrap();
    assert_ne!(next, first);
    assert_eq!(next, fixture.urls.download_url(&key(), None, minute(719)).await.unwrap());

    let get = |now| fixture.urls.download(request(&first, Vec::new()), None, now);
    assert!(get(minute(419)).await.is_ok());
    assert!(matches!(get(minute(420)).await, Err(GatewayError::Expired)));
}

#[tokio::test]
async fn a_download_of_what_is_gone_says_so() {
    let fixture = fixture().await;
    let request = fixture.download_request(None).await;
    assert!(matches!(fixture.urls.download(request, None, at(0)).await, Err(GatewayError::NotFound)));
}

#[tokio::test]
async fn debug_shows_no_key() {
    assert!(!format!("{:?}", fixture().await.urls).contains("7, 7"));
}
