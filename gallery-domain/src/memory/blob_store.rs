//! Blobs in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;

use super::direct_upload::Tickets;
use crate::ports::{Blob, BlobError, BlobInfo, BlobStore, ByteStream, IdGenerator, byte_stream};
use crate::{BlobKey, Page, PageRequest, Sha256Digest};

/// Blobs in memory, and signed URLs to them: also [`DirectUpload`](crate::ports::DirectUpload) and
/// [`SignedBlobGateway`](crate::ports::SignedBlobGateway). A clone is another handle to the same blobs.
///
/// A URL carries a secret of the [`IdGenerator`], so it is as hard to guess as the secrets that this makes.
#[derive(Clone)]
pub struct MemoryBlobs {
    blobs: Arc<Mutex<BTreeMap<BlobKey, KeptBlob>>>,
    pub(super) tickets: Arc<Mutex<Tickets>>,
    pub(super) ids: Arc<dyn IdGenerator>,
    pub(super) prefix: Arc<str>,
}

#[derive(Clone)]
struct KeptBlob {
    info: BlobInfo,
    bytes: Bytes,
}

impl MemoryBlobs {
    /// No blobs. URLs to them are `<prefix>/<blob's key>?…`; a prefix that starts with `/` is on the API's own origin.
    pub fn new(ids: Arc<dyn IdGenerator>, prefix: &str) -> Self {
        Self { blobs: Arc::default(), tickets: Arc::default(), ids, prefix: prefix.trim_end_matches('/').into() }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BlobKey, KeptBlob>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no bytes and no tickets.
impl fmt::Debug for MemoryBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBlobs").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, key: &BlobKey, info: &BlobInfo, bytes: ByteStream) -> Result<(), BlobError> {
        let bytes = collect(bytes, info).await?;
        let mut blobs = self.lock();
        if blobs.contains_key(key) {
            return Err(BlobError::AlreadyExists);
        }
        blobs.insert(key.clone(), KeptBlob { info: *info, bytes });
        Ok(())
    }

    async fn try_writing(&self) -> Result<(), BlobError> {
        Ok(())
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError> {
        Ok(self.lock().get(key).map(|blob| blob.info))
    }

    async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Option<Blob>, BlobError> {
        let Some(KeptBlob { info, bytes }) = self.lock().get(key).cloned() else { return Ok(None) };
        let cut = |end: u64| usize::try_from(end).map_or(bytes.len(), |end| end.min(bytes.len()));
        let bytes = match range {
            Some(range) => bytes.slice(cut(range.start).min(cut(range.end))..cut(range.end)),
            None => bytes,
        };
        Ok(Some(Blob { info, bytes: byte_stream(bytes) }))
    }

    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError> {
        let mut blobs = self.lock();
        let Some(blob) = blobs.get(from).cloned() else { return Ok(false) };
        blobs.entry(to.clone()).or_insert(blob);
        Ok(true)
    }

    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError> {
        let mut blobs = self.lock();
        for key in keys {
            blobs.remove(key);
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError> {
        let blobs = self.lock();
        let keys = blobs.keys().filter(|key| key.as_str().starts_with(prefix));
        let rest = keys.filter(|key| page.after.as_ref().is_none_or(|after| after < *key));
        Ok(Page::from_overfull(rest.take(page.size.get() + 1).cloned().collect(), page.size, BlobKey::clone))
    }
}

/// The bytes of a stream, if they are those described.
async fn collect(mut stream: ByteStream, info: &BlobInfo) -> Result<Bytes, BlobError> {
    let mismatch = |reason: String| BlobError::Mismatch { reason };
    let mut collected = Vec::new();
    while let Some(chunk) = stream.next().await {
        collected.extend_from_slice(&chunk.map_err(BlobError::Interrupted)?);
        if collected.len() as u64 > info.bytes {
            return Err(mismatch(format!("more than the {} bytes announced came", info.bytes)));
        }
    }
    if collected.len() as u64 != info.bytes {
        return Err(mismatch(format!("{} of the {} bytes announced came", collected.len(), info.bytes)));
    }
    if Sha256Digest::of(&collected) != info.sha256 {
        return Err(mismatch("their SHA-256 is another".to_owned()));
    }
    Ok(collected.into())
}
