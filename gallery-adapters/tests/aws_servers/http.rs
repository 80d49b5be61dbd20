//! Whoever holds a presigned URL: a client that knows nothing but HTTP.

use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use gallery_domain::Timestamp;
use gallery_domain::conformance::direct_upload::{Downloaded, Refusal, UrlClient, UrlRequest};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use reqwest::{Client, Method, RequestBuilder, Response};

/// Sends requests over HTTP.
#[derive(Clone, Debug, Default)]
pub(crate) struct OverHttp(Client);

impl OverHttp {
    fn request(&self, method: Method, request: &UrlRequest) -> RequestBuilder {
        let url = format!("{}{}?{}", request.base, request.key, request.query);
        let mut sent = self.0.request(method, url);
        for (name, value) in &request.headers {
            // The client says itself how many bytes it sends.
            if !self.own_headers().contains(&&**name) {
                sent = sent.header(name, value);
            }
        }
        sent
    }
}

#[async_trait]
impl UrlClient for OverHttp {
    fn moments(&self) -> Vec<Timestamp> {
        #[expect(clippy::disallowed_methods, reason = "the server's clock is the machine's")]
        let now = SystemTime::now();
        let since = now.duration_since(UNIX_EPOCH).expect("it is later than 1970");
        vec![Timestamp::from_millis(i64::try_from(since.as_millis()).expect("it is not much later"))]
    }

    fn own_headers(&self) -> &'static [&'static str] {
        &["content-length"]
    }

    async fn upload(&self, request: &UrlRequest, bytes: Bytes, _at: Timestamp) -> Result<(), Refusal> {
        granted(self.request(Method::PUT, request).body(bytes)).await.map(drop)
    }

    async fn download(
        &self,
        request: &UrlRequest,
        range: Option<Range<u64>>,
        _at: Timestamp,
    ) -> Result<Downloaded, Refusal> {
        let mut sent = self.request(Method::GET, request);
        if let Some(range) = range {
            sent = sent.header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        }
        let answer = granted(sent).await?;
        let header = |name| answer.headers().get(name).map(|value| value.to_str().expect("it is ASCII").to_owned());
        let content_type = header(CONTENT_TYPE).unwrap_or_default();
        let name = header(CONTENT_DISPOSITION).as_deref().and_then(saved_as);
        let whole = header(CONTENT_RANGE).and_then(|range| range.rsplit_once('/')?.1.parse().ok());
        let bytes = answer.bytes().await.map_err(|error| Refusal::Other(error.to_string()))?;
        Ok(Downloaded { content_type, length: whole.unwrap_or(bytes.len() as u64), bytes, name })
    }
}

async fn granted(request: RequestBuilder) -> Result<Response, Refusal> {
    let answer = request.send().await.map_err(|error| Refusal::Other(format!("{error:?}")))?;
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return Ok(answer);
    }
    let said = answer.text().await.unwrap_or_default();
    let code = said.split_once("<Code>").and_then(|(_, rest)| Some(rest.split_once("</Code>")?.0)).unwrap_or_default();
    Err(match (status, code) {
        (403, code) if code.contains("Expired") || said.contains("has expired") => Refusal::Expired,
        (403, _) => Refusal::NotAllowed,
        (404, "NoSuchKey") => Refusal::NotFound,
        (412, _) => Refusal::Taken,
        (400, "BadDigest" | "XAmzContentSHA256Mismatch" | "XAmzContentChecksumMismatch") => Refusal::Mismatch,
        // A query that is no signed one at all.
        (400, "AuthorizationQueryParametersError" | "InvalidArgument" | "MalformedDate" | "MissingFields") => {
            Refusal::NotAllowed
        }
        _ => Refusal::Other(format!("{status}: {said}")),
    })
}

/// The name in `attachment; filename="…"; filename*=UTF-8''…`.
fn saved_as(disposition: &str) -> Option<String> {
    let (_, full) = disposition.split_once("filename*=UTF-8''")?;
    let mut bytes = Vec::new();
    let mut rest = full.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}
