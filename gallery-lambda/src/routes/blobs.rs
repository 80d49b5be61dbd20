//! Bytes under signed URLs, for blob stores that have no HTTP endpoint of their own.

use std::io;
use std::ops::Range;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use gallery_adapters::disposition::content_disposition;
use gallery_domain::ports::{ByteStream, Download, SignedBlobGateway, SignedRequest};
use gallery_domain::{BlobArea, BlobKey};
use std::sync::Arc;

use crate::Shared;
use crate::problem::{Kind, Problem};

/// Upload the bytes of a photo
///
/// Under the URL and with the headers that `addphoto` answered, once.
#[utoipa::path(put, path = "/blobs/{*key}", operation_id = "uploadblob", tag = "bytes", security(()),
    params(("key" = String, Path, description = "Part of the signed URL")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 204, description = "The bytes are here and are being looked into: ask for the photo until it is `ready` or `failed`"),
        (status = 411, description = "The length was not said", body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "These bytes were uploaded before", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn upload(
    State(app): State<Shared>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let gateway = gateway(&app)?;
    let length = content_length(&headers)?;
    let request = signed_request(key, query, &headers);
    let bytes = exactly(body, length);
    let key = gateway.upload(request, bytes, app.gallery.now()).await?;
    look_into(&app, &key);
    Ok(StatusCode::NO_CONTENT)
}

/// Fetch an image
///
/// Under a URL that stands in a photo. One range of bytes can be asked for.
#[utoipa::path(get, path = "/blobs/{*key}", operation_id = "downloadblob", tag = "bytes", security(()),
    params(("key" = String, Path, description = "Part of the signed URL"), ("Range" = Option<String>, Header, description = "Such as bytes=0-1023"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag that is kept")),
    responses(
        (status = 200, description = "The bytes", body = Vec<u8>, content_type = "image/*"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "image/*"),
        (status = 304, description = "What is kept is right"),
        (status = 416, description = "The range lies outside", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn download(
    State(app): State<Shared>,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let gateway = gateway(&app)?;
    let request = signed_request(key, query, &headers);
    let now = app.gallery.now();
    let wanted = wanted_range(&headers);
    // What a suffix or a conditional range comes to is known only with the blob's length and hash.
    let at_once = match wanted {
        Some(Wanted::From(start, end)) if !headers.contains_key(header::IF_RANGE) => Some(start..end),
        _ => None,
    };
    let mut download = gateway.download(request.clone(), at_once.clone(), now).await?;
    let info = download.blob.info;
    let tag = format!("\"{}\"", info.sha256);
    if matches_any(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag), (header::CACHE_CONTROL, CACHED.to_owned())])
            .into_response());
    }
    let conditional = headers.get(header::IF_RANGE).is_none_or(|condition| condition.as_bytes() == tag.as_bytes());
    let range = match wanted.filter(|_| conditional).map(|wanted| wanted.within(info.bytes)) {
        None => None,
        Some(Some(range)) => Some(range),
        Some(None) => {
            let detail = format!("The range lies outside of the {} bytes that there are.", info.bytes);
            let outside = [(header::CONTENT_RANGE, format!("bytes */{}", info.bytes))];
            return Ok((outside, Problem::new(Kind::RangeNotSatisfiable, detail)).into_response());
        }
    };
    if at_once.is_none()
        && let Some(range) = &range
    {
        download = gateway.download(request, Some(range.clone()), now).await?;
    }
    Ok(answer(download, &tag, range))
}

/// The most bytes of a photo.
const LARGEST_UPLOAD: u64 = 100 << 20;
/// How long a line may be silent in the middle of an upload.
const SILENCE: Duration = Duration::from_secs(60);
/// A blob never changes.
const CACHED: &str = "private, max-age=31536000, immutable";

/// A range as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// From the first number up to but not including the second.
    From(u64, u64),
    /// The last bytes.
    Last(u64),
}

impl Wanted {
    /// The range of a blob of that length; `None` if it lies outside.
    fn within(self, length: u64) -> Option<Range<u64>> {
        match self {
            Self::From(start, end) => (start < length).then(|| start..end.min(length)),
            Self::Last(count) => (count > 0 && length > 0).then(|| length.saturating_sub(count)..length),
        }
    }
}

fn gateway(app: &Shared) -> Result<&Arc<dyn SignedBlobGateway>, Problem> {
    app.gateway.as_ref().ok_or_else(|| Problem::not_found("blob"))
}

fn content_length(headers: &HeaderMap) -> Result<u64, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(length) if length > LARGEST_UPLOAD => {
            let detail = "The file is larger than 100 MiB, the most that the gallery takes.";
            Err(Problem::new(Kind::TooLarge, detail))
        }
        Some(length) => Ok(length),
        None => Err(Problem::new(Kind::LengthRequired, "Say with Content-Length how many bytes will come.")),
    }
}

fn signed_request(key: String, query: Option<String>, headers: &HeaderMap) -> SignedRequest {
    let headers =
        headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    SignedRequest { key, query: query.unwrap_or_default(), headers: headers.collect() }
}

/// The body, which fails where more comes than was said, or nothing for long.
fn exactly(body: Body, length: u64) -> ByteStream {
    let body = body.into_data_stream();
    Box::pin(stream::unfold(Some((body, length)), |state| async move {
        let (mut body, left) = state?;
        let chunk = match tokio::time::timeout(SILENCE, body.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(chunk))) if chunk.len() as u64 <= left => Ok(chunk),
            Ok(Some(Ok(_))) => Err(io::Error::new(io::ErrorKind::InvalidData, "more bytes came than were said")),
            Ok(Some(Err(error))) => Err(io::Error::other(error)),
            Err(elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, elapsed)),
        };
        let next = chunk.as_ref().ok().map(|chunk: &Bytes| (body, left - chunk.len() as u64));
        Some((chunk, next))
    }))
}

/// Has the upload looked into, without the uploader waiting for it. What fails or is cut short, the worker does.
pub(super) fn look_into(app: &Shared, key: &BlobKey) {
    let Some((BlobArea::Incoming, owner, photo)) = key.subject() else { return };
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Err(error) = app.gallery.ingest.uploaded(owner, photo).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an upload will be looked into later");
        }
        (app.on_work)();
    });
}

fn wanted_range(headers: &HeaderMap) -> Option<Wanted> {
    let text = headers.get(header::RANGE)?.to_str().ok()?.trim().strip_prefix("bytes=")?;
    // Several ranges, or what is no range, may be answered with the whole (RFC 9110, 14.2).
    let (first, last) = text.split_once('-').filter(|_| !text.contains(','))?;
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (first.trim(), last.trim()) {
        ("", count) => number(count).map(Wanted::Last),
        (start, "") => Some(Wanted::From(number(start)?, u64::MAX)),
        (start, end) => {
            let (start, end) = (number(start)?, number(end)?);
            (start <= end).then(|| Wanted::From(start, end.saturating_add(1)))
        }
    }
}

fn matches_any(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
    })
}

fn answer(download: Download, tag: &str, range: Option<Range<u64>>) -> Response {
    let info = download.blob.info;
    let sent = range.clone().unwrap_or(0..info.bytes);
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let headers = [
        (header::CONTENT_TYPE, info.content_type.as_str().to_owned()),
        (header::CONTENT_LENGTH, (sent.end - sent.start).to_string()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, tag.to_owned()),
        (header::CACHE_CONTROL, CACHED.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
        (header::CONTENT_DISPOSITION, content_disposition(download.download_name.as_deref())),
    ];
    let bytes: ByteStream = download.blob.bytes;
    let mut response = (status, headers, Body::from_stream(bytes.map(log_failure()))).into_response();
    if range.is_some() {
        let value = format!("bytes {}-{}/{}", sent.start, sent.end.saturating_sub(1), info.bytes);
        response
            .headers_mut()
            .insert(header::CONTENT_RANGE, HeaderValue::from_str(&value).expect("digits are visible ASCII"));
    }
    response
}

/// An answer that has begun can only be cut short: the log says why.
fn log_failure() -> impl FnMut(<ByteStream as Stream>::Item) -> <ByteStream as Stream>::Item {
    |chunk| {
        chunk.inspect_err(|error| {
            tracing::error!(error = error as &dyn std::error::Error, "a blob could not be read to its end")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &'static str, length: u64) -> Option<Option<Range<u64>>> {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(text))]);
        wanted_range(&headers).map(|wanted| wanted.within(length))
    }

    #[test]
    fn a_range_is_cut_to_the_blob() {
        assert_eq!(range("bytes=0-9", 100), Some(Some(0..10)));
        assert_eq!(range("bytes=90-900", 100), Some(Some(90..100)));
        assert_eq!(range("bytes=90-", 100), Some(Some(90..100)));
        assert_eq!(range("bytes=-10", 100), Some(Some(90..100)));
        assert_eq!(range("bytes=-1000", 100), Some(Some(0..100)));
        assert_eq!(range("bytes=0-18446744073709551615", 100), Some(Some(0..100)));
    }

    #[test]
    fn a_range_outside_of_the_blob_is_refused() {
        assert_eq!(range("bytes=100-", 100), Some(None));
        assert_eq!(range("bytes=-0", 100), Some(None));
    }

    #[test]
    fn what_is_no_range_asks_for_the_whole() {
        for text in [
            "bytes=",
            "bytes=-",
            "bytes=9-1",
            "bytes=0-1,5-6",
            "lines=1-2",
            "bytes=+1-2",
            "bytes=99999999999999999999-",
        ] {
            assert_eq!(range(text, 100), None, "{text}");
        }
    }
}
