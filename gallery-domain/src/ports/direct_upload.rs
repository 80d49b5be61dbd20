//! Signed URLs, by which clients send and fetch bytes without passing through the gallery's own functions.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{BackendFailure, Blob, BlobError, BlobInfo, ByteStream};
use crate::{BlobKey, Timestamp};

/// Makes signed URLs. Whoever holds one may do what it says until it expires, and nothing else.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait DirectUpload: Debug + Send + Sync + 'static {
    /// A ticket to upload one blob: of just this length, type and SHA-256, once, until `expires_at`. An upload to a key that is taken is refused.
    async fn upload_ticket(
        &self,
        key: &BlobKey,
        info: &BlobInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<UploadTicket, BackendFailure>;

    /// A URL to fetch a blob with GET, for at least an hour. For the same blob it stays the same for hours, so that browsers can cache.
    /// With a `download_name` the answer asks the browser to save it under that name.
    async fn download_url(
        &self,
        key: &BlobKey,
        download_name: Option<String>,
        now: Timestamp,
    ) -> Result<String, BackendFailure>;
}

/// How to upload a blob: one request with this method, URL and headers, and the bytes as its body.
#[derive(Clone, PartialEq, Eq)]
pub struct UploadTicket {
    /// The HTTP method.
    pub method: &'static str,
    /// The URL; one that starts with `/` is on the same origin as the API.
    pub url: String,
    /// Headers that have to be sent just so.
    pub headers: Vec<(String, String)>,
    /// After this the ticket is refused.
    pub expires_at: Timestamp,
}

/// Shows no signature.
impl Debug for UploadTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UploadTicket")
            .field("method", &self.method)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The other end of signed URLs, for stores that have no HTTP endpoint of their own: the router passes it what comes in under such a URL.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SignedBlobGateway: Debug + Send + Sync + 'static {
    /// Takes an upload if its URL and headers are those of a live ticket; answers the key it was for.
    async fn upload(&self, request: SignedRequest, bytes: ByteStream, now: Timestamp) -> Result<BlobKey, GatewayError>;

    /// Answers a download if its URL is signed and live.
    async fn download(
        &self,
        request: SignedRequest,
        range: Option<std::ops::Range<u64>>,
        now: Timestamp,
    ) -> Result<Download, GatewayError>;
}

/// What came in under a signed URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    /// The key as it stands in the URL's path, percent-decoded.
    pub key: String,
    /// The URL's query, without the `?`.
    pub query: String,
    /// The request's headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// The answer to a signed download.
#[derive(Debug)]
pub struct Download {
    /// What to send.
    pub blob: Blob,
    /// The name to save it under, if the URL says to.
    pub download_name: Option<String>,
}

/// How a signed request can end, other than well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The signature is wrong, or a signed header is not as it was signed.
    #[error("the URL's signature does not cover this request: {0}")]
    NotSigned(&'static str),

    /// The URL was good once.
    #[error("the URL has expired: ask for a new one")]
    Expired,

    /// There is no such blob.
    #[error("there is no such blob")]
    NotFound,

    /// Taking or giving the bytes failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
}
