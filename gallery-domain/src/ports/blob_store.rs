//! Bytes.

use std::fmt::Debug;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use super::BackendFailure;
use crate::{BlobKey, MediaType, Page, PageRequest, Sha256Digest};

/// Bytes that come piece by piece.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

/// Keeps blobs. A blob is written once and never changes.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait BlobStore: Debug + Send + Sync + 'static {
    /// Keeps bytes under a key. When this returns they are safe from a crash.
    ///
    /// The bytes have to be those that `info` describes, else [`Mismatch`](BlobError::Mismatch), and nothing is kept. A key that is taken answers
    /// [`AlreadyExists`](BlobError::AlreadyExists) and keeps what it had; of two at the same time one wins. Nobody ever sees a part of a blob.
    async fn put(&self, key: &BlobKey, info: &BlobInfo, bytes: ByteStream) -> Result<(), BlobError>;

    /// Tries whether a blob could be kept at this moment, by writing something small. Nothing of it is left.
    async fn try_writing(&self) -> Result<(), BlobError>;

    /// The description of a blob. One that is there and cannot be read as it was kept answers [`Corrupt`](BlobError::Corrupt), here and from [`get`](Self::get).
    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError>;

    /// A blob's description and its bytes, or those from `range.start` up to but not including `range.end`; a range is cut to the blob.
    async fn get(&self, key: &BlobKey, range: Option<std::ops::Range<u64>>) -> Result<Option<Blob>, BlobError>;

    /// Keeps the bytes of one key under another too. A target that is taken keeps what it had, and the copy succeeds. A source that is absent
    /// answers `false`.
    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError>;

    /// Removes blobs, at most 1,000. Removing absent ones succeeds.
    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError>;

    /// The keys that start with `prefix`, in the order of their bytes.
    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError>;
}

/// What is known of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobInfo {
    /// The type to serve it as.
    pub content_type: MediaType,
    /// How many bytes it has.
    pub bytes: u64,
    /// The hash of its bytes.
    pub sha256: Sha256Digest,
}

/// A blob's description and its bytes, or some of them.
pub struct Blob {
    /// Of the whole blob.
    pub info: BlobInfo,
    /// The bytes asked for.
    pub bytes: ByteStream,
}

impl Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("info", &self.info).finish_non_exhaustive()
    }
}

/// How a blob store's method can end, other than well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// The key is taken; what it had is still there.
    #[error("the key is taken")]
    AlreadyExists,

    /// The bytes are not those described; nothing was kept.
    #[error("the bytes are not those that were described: {reason}")]
    Mismatch {
        /// In what they differ.
        reason: String,
    },

    /// The bytes stopped coming; nothing was kept.
    #[error("the bytes stopped coming")]
    Interrupted(#[source] std::io::Error),

    /// The blob is there, and is not as it was kept: nobody can tell its bytes any more.
    #[error("the blob is damaged: restore it from a backup")]
    Corrupt,

    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendFailure),
}

/// A stream of bytes that are at hand.
pub fn byte_stream(bytes: impl Into<Bytes>) -> ByteStream {
    Box::pin(futures_util::stream::once(std::future::ready(Ok(bytes.into()))))
}

/// Collects a stream of at most `limit` bytes; more is an error.
pub async fn collect_bytes(mut stream: ByteStream, limit: u64) -> Result<Bytes, std::io::Error> {
    use futures_util::StreamExt;

    let mut collected = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        if (collected.len() + chunk.len()) as u64 > limit {
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("more than {limit} bytes")));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.into())
}
