//! Signed URLs to the blobs in memory: each carries a secret, and what the secret is good for is kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::MemoryBlobs;
use crate::ports::{
    BackendFailure, BlobInfo, BlobStore, ByteStream, DirectUpload, Download, GatewayError, SignedBlobGateway,
    SignedRequest, UploadTicket,
};
use crate::{BlobKey, Timestamp};

/// A URL to download is given out for so long after it was made.
const SAME_URL_FOR: Duration = Duration::from_secs(6 * 3600);

/// A URL that was given out is good for at least so long.
const DOWNLOAD_FOR_AT_LEAST: Duration = Duration::from_secs(3600);

/// The URLs that were given out, by their secrets.
#[derive(Default)]
pub(super) struct Tickets {
    uploads: BTreeMap<String, Upload>,
    downloads: BTreeMap<String, (Downloadable, Timestamp)>,
    /// The URL to give out again, and until when.
    current: BTreeMap<Downloadable, (String, Timestamp)>,
}

struct Upload {
    key: BlobKey,
    info: BlobInfo,
    headers: Vec<(String, String)>,
    expires_at: Timestamp,
}

/// A blob and the name to save it under.
type Downloadable = (BlobKey, Option<String>);

impl MemoryBlobs {
    fn tickets(&self) -> MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_secret(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.ids.new_secret())
    }

    fn url(&self, key: &BlobKey, secret: &str) -> String {
        format!("{}/{key}?{PARAMETER}{secret}", self.prefix)
    }
}

#[async_trait]
impl DirectUpload for MemoryBlobs {
    async fn upload_ticket(
        &self,
        key: &BlobKey,
        info: &BlobInfo,
        _now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<UploadTicket, BackendFailure> {
        let secret = self.new_secret();
        let header = |name: &str, value: String| (name.to_owned(), value);
        let headers = vec![
            header("content-length", info.bytes.to_string()),
            header("content-type", info.content_type.to_string()),
            header("if-none-match", "*".to_owned()),
            header("x-checksum-sha256", info.sha256.to_base64()),
        ];
        let url = self.url(key, &secret);
        let upload = Upload { key: key.clone(), info: *info, headers: headers.clone(), expires_at };
        self.tickets().uploads.insert(secret, upload);
        Ok(UploadTicket { method: "PUT", url, headers, expires_at })
    }

    async fn download_url(
        &self,
        key: &BlobKey,
        download_name: Option<String>,
        now: Timestamp,
    ) -> Result<String, BackendFailure> {
        let mut tickets = self.tickets();
        let wanted = (key.clone(), download_name);
        if let Some((secret, until)) = tickets.current.get(&wanted)
            && now < *until
        {
            return Ok(self.url(key, secret));
        }
        let secret = self.new_secret();
        let until = now.plus(SAME_URL_FOR);
        tickets.current.insert(wanted.clone(), (secret.clone(), until));
        tickets.downloads.insert(secret.clone(), (wanted, until.plus(DOWNLOAD_FOR_AT_LEAST)));
        Ok(self.url(key, &secret))
    }
}

#[async_trait]
impl SignedBlobGateway for MemoryBlobs {
    async fn upload(&self, request: SignedRequest, bytes: ByteStream, now: Timestamp) -> Result<BlobKey, GatewayError> {
        let (key, info) = {
            let tickets = self.tickets();
            let upload = tickets.uploads.get(secret(&request)?).ok_or(UNKNOWN)?;
            if upload.key.as_str() != request.key {
                return Err(GatewayError::NotSigned("the key is another"));
            }
            let was_sent = |(name, value): &(String, String)| {
                let mut sent = request.headers.iter().filter(|(sent, _)| sent == name);
                sent.next().is_some_and(|(_, sent)| sent == value) && sent.next().is_none()
            };
            if !upload.headers.iter().all(was_sent) {
                return Err(GatewayError::NotSigned("a header is missing or another"));
            }
            if now >= upload.expires_at {
                return Err(GatewayError::Expired);
            }
            (upload.key.clone(), upload.info)
        };
        self.put(&key, &info, bytes).await?;
        Ok(key)
    }

    async fn download(
        &self,
        request: SignedRequest,
        range: Option<Range<u64>>,
        now: Timestamp,
    ) -> Result<Download, GatewayError> {
        let ((key, download_name), expires_at) =
            self.tickets().downloads.get(secret(&request)?).cloned().ok_or(UNKNOWN)?;
        if key.as_str() != request.key {
            return Err(GatewayError::NotSigned("the key is another"));
        }
        if now >= expires_at {
            return Err(GatewayError::Expired);
        }
        let blob = self.get(&key, range).await?.ok_or(GatewayError::NotFound)?;
        Ok(Download { blob, download_name })
    }
}

const PARAMETER: &str = "ticket=";

const UNKNOWN: GatewayError = GatewayError::NotSigned("there is no such ticket");

fn secret(request: &SignedRequest) -> Result<&str, GatewayError> {
    request.query.strip_prefix(PARAMETER).ok_or(GatewayError::NotSigned("the query is not that of a ticket"))
}
