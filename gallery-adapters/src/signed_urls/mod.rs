//! Signed URLs for stores without an HTTP endpoint of their own: the counterpart of S3's presigned ones, with the same rules.
//!
//! An upload's signature covers the method, the key, the expiry and the headers `content-length`, `content-type`,
//! `x-checksum-sha256` and `if-none-match: *`; a download's covers the method, the key, the expiry and the name to save under. Whatever was not
//! signed may not be sent: a URL has just the parameters that it was made with.

mod signing_key;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::ports::{
    BackendFailure, BlobInfo, BlobStore, ByteStream, DirectUpload, Download, GatewayError, SignedBlobGateway,
    SignedRequest, UploadTicket,
};
use gallery_domain::{BlobKey, MediaType, Sha256Digest, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use url::form_urlencoded;

pub use self::signing_key::{SigningKey, SigningKeyError};

/// Signs URLs under a prefix, and serves what comes in under them from a blob store.
pub struct SignedUrls {
    blobs: Arc<dyn BlobStore>,
    key: SigningKey,
    prefix: String,
}

impl SignedUrls {
    /// The header that says what the uploaded bytes hash to, in base64.
    pub const CHECKSUM_HEADER: &str = "x-checksum-sha256";
    /// Download URLs made within one such span of time are equal, so that browsers can cache.
    pub const SAME_URL_FOR: Duration = Duration::from_secs(6 * 3600);
    /// A download URL that was just made is good for at least this long.
    pub const DOWNLOAD_FOR_AT_LEAST: Duration = Duration::from_secs(3600);

    /// Signs URLs such as `<prefix>/<blob's key>?…` with a key. A prefix that starts with `/` is on the API's own origin.
    pub fn new(blobs: Arc<dyn BlobStore>, key: SigningKey, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self { blobs, key, prefix: prefix.trim_end_matches('/').to_owned() }
    }
}

/// Shows no key.
impl fmt::Debug for SignedUrls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUrls").field("blobs", &self.blobs).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl DirectUpload for SignedUrls {
    async fn upload_ticket(
        &self,
        key: &BlobKey,
        info: &BlobInfo,
        _now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<UploadTicket, BackendFailure> {
        let length = info.bytes.to_string();
        let checksum = info.sha256.to_base64();
        let expires = expires_at.as_millis().to_string();
        let signature = Upload {
            key: key.as_str(),
            expires: &expires,
            length: &length,
            content_type: info.content_type.as_str(),
            checksum: &checksum,
            if_none_match: "*",
        }
        .sign(&self.key);
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair(EXPIRES, &expires)
            .append_pair(SIGNATURE, &encode(signature))
            .finish();
        Ok(UploadTicket {
            method: "PUT",
            url: format!("{}/{key}?{query}", self.prefix),
            headers: vec![
                ("content-length".to_owned(), length),
                ("content-type".to_owned(), info.content_type.as_str().to_owned()),
                ("if-none-match".to_owned(), "*".to_owned()),
                (Self::CHECKSUM_HEADER.to_owned(), checksum),
            ],
            expires_at,
        })
    }

    async fn download_url(
        &self,
        key: &BlobKey,
        download_name: Option<String>,
        now: Timestamp,
    ) -> Result<String, BackendFailure> {
        let span = i64::try_from(Self::SAME_URL_FOR.as_millis()).unwrap_or(i64::MAX);
        let signed_at = Timestamp::from_millis(now.as_millis().div_euclid(span).saturating_mul(span));
        let expires_at = signed_at.plus(Self::SAME_URL_FOR).plus(Self::DOWNLOAD_FOR_AT_LEAST);
        let expires = expires_at.as_millis().to_string();
        let signature = download_mac(&self.key, key.as_str(), &expires, download_name.as_deref());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(EXPIRES, &expires);
        if let Some(name) = &download_name {
            query.append_pair(DOWNLOAD, name);
        }
        query.append_pair(SIGNATURE, &encode(signature));
        Ok(format!("{}/{key}?{}", self.prefix, query.finish()))
    }
}

#[async_trait]
impl SignedBlobGateway for SignedUrls {
    async fn upload(&self, request: SignedRequest, bytes: ByteStream, now: Timestamp) -> Result<BlobKey, GatewayError> {
        let query = Query::parse(&request.query)?;
        if query.download.is_some() {
            return Err(GatewayError::NotSigned("the query has a parameter too many"));
        }
        let upload = Upload {
            key: &request.key,
            expires: &query.expires,
            length: header(&request, "content-length", "content-length is missing or there twice")?,
            content_type: header(&request, "content-type", "content-type is missing or there twice")?,
            checksum: header(&request, Self::CHECKSUM_HEADER, "x-checksum-sha256 is missing or there twice")?,
            if_none_match: header(&request, "if-none-match", "if-none-match is missing or there twice")?,
        };
        query.verify(upload.mac(&self.key))?;
        query.check_expiry(now)?;
        let (key, info) = upload.parse().ok_or(GatewayError::NotSigned("a signed part cannot be read"))?;
        self.blobs.put(&key, &info, bytes).await?;
        Ok(key)
    }

    async fn download(
        &self,
        request: SignedRequest,
        range: Option<Range<u64>>,
        now: Timestamp,
    ) -> Result<Download, GatewayError> {
        let query = Query::parse(&request.query)?;
        let name = query.download.as_deref();
        query.verify(start_download_mac(&self.key, &request.key, &query.expires, name))?;
        query.check_expiry(now)?;
        let key: BlobKey = request.key.parse().map_err(|_| GatewayError::NotSigned("a signed part cannot be read"))?;
        let blob = self.blobs.get(&key, range).await?.ok_or(GatewayError::NotFound)?;
        Ok(Download { blob, download_name: query.download })
    }
}

const EXPIRES: &str = "expires";
const DOWNLOAD: &str = "download";
const SIGNATURE: &str = "signature";

type HmacSha256 = Hmac<Sha256>;

/// What the signature of an upload covers, as it was sent.
struct Upload<'a> {
    key: &'a str,
    expires: &'a str,
    length: &'a str,
    content_type: &'a str,
    checksum: &'a str,
    if_none_match: &'a str,
}

impl Upload<'_> {
    fn mac(&self, key: &SigningKey) -> HmacSha256 {
        start_mac(
            key,
            &["PUT", self.key, self.expires, self.length, self.content_type, self.checksum, self.if_none_match],
        )
    }

    fn sign(&self, key: &SigningKey) -> [u8; 32] {
        self.mac(key).finalize().into_bytes().into()
    }

    fn parse(&self) -> Option<(BlobKey, BlobInfo)> {
        let checksum = data_encoding::BASE64.decode(self.checksum.as_bytes()).ok()?;
        let info = BlobInfo {
            content_type: self.content_type.parse::<MediaType>().ok()?,
            bytes: self.length.parse().ok()?,
            sha256: Sha256Digest::from_bytes(checksum.try_into().ok()?),
        };
        Some((self.key.parse().ok()?, info))
    }
}

fn start_download_mac(key: &SigningKey, blob: &str, expires: &str, name: Option<&str>) -> HmacSha256 {
    let named = if name.is_some() { "named" } else { "unnamed" };
    start_mac(key, &["GET", blob, expires, named, name.unwrap_or_default()])
}

fn download_mac(key: &SigningKey, blob: &str, expires: &str, name: Option<&str>) -> [u8; 32] {
    start_download_mac(key, blob, expires, name).finalize().into_bytes().into()
}

/// Each part goes in behind its length, so that no two lists of parts are signed alike.
fn start_mac(key: &SigningKey, parts: &[&str]) -> HmacSha256 {
    let mut mac = HmacSha256::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"gallery-url-1");
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

fn encode(signature: [u8; 32]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&signature)
}

/// A signed URL's query.
struct Query {
    expires: String,
    download: Option<String>,
    signature: Vec<u8>,
}

impl Query {
    fn parse(query: &str) -> Result<Self, GatewayError> {
        let (mut expires, mut download, mut signature) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                EXPIRES => &mut expires,
                DOWNLOAD => &mut download,
                SIGNATURE => &mut signature,
                _ => return Err(GatewayError::NotSigned("the query has a parameter too many")),
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(GatewayError::NotSigned("the query has a parameter twice"));
            }
        }
        let signature = signature.and_then(|text| data_encoding::BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        Ok(Self {
            expires: expires.ok_or(GatewayError::NotSigned("the query says no expiry"))?,
            download,
            signature: signature.ok_or(GatewayError::NotSigned("the query holds no signature"))?,
        })
    }

    /// Compares in a time that tells nothing about the right signature.
    fn verify(&self, mac: HmacSha256) -> Result<(), GatewayError> {
        mac.verify_slice(&self.signature).map_err(|_| GatewayError::NotSigned("the signature is of another request"))
    }

    fn check_expiry(&self, now: Timestamp) -> Result<(), GatewayError> {
        let expires: i64 = self.expires.parse().map_err(|_| GatewayError::NotSigned("a signed part cannot be read"))?;
        if now < Timestamp::from_millis(expires) { Ok(()) } else { Err(GatewayError::Expired) }
    }
}

fn header<'a>(request: &'a SignedRequest, name: &str, missing: &'static str) -> Result<&'a str, GatewayError> {
    let mut values = request.headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(value),
        _ => Err(GatewayError::NotSigned(missing)),
    }
}

#[cfg(test)]
mod tests;
