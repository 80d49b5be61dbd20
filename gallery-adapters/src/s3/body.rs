//! Bytes that are counted and hashed while they are sent, so that no blob is ever held in memory, and none that is not what was described arrives.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use aws_sdk_s3::primitives::{ByteStream as SdkByteStream, SdkBody};
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use gallery_domain::Sha256Digest;
use gallery_domain::ports::{BlobError, BlobInfo, ByteStream};
use http_body::{Frame, SizeHint};
use sha2::{Digest, Sha256};

/// Bytes that have to be those described.
pub(super) struct Checked {
    bytes: ByteStream,
    info: BlobInfo,
    hash: Sha256,
    seen: u64,
    /// The last piece, which nobody gets before it is certain that all were right.
    held: Option<Bytes>,
    ended: bool,
}

impl Checked {
    pub(super) fn new(bytes: ByteStream, info: BlobInfo) -> Self {
        Self { bytes, info, hash: Sha256::new(), seen: 0, held: None, ended: false }
    }

    /// The next piece. The last one comes only if all bytes together are those described.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, BlobError> {
        while !self.ended {
            match self.bytes.next().await.transpose().map_err(BlobError::Interrupted)? {
                Some(piece) => {
                    self.seen += piece.len() as u64;
                    if self.seen > self.info.bytes {
                        return Err(mismatch(format!("there are more than {} bytes", self.info.bytes)));
                    }
                    self.hash.update(&piece);
                    if piece.is_empty() {
                        continue;
                    }
                    if self.seen < self.info.bytes {
                        return Ok(Some(piece));
                    }
                    self.held = Some(piece);
                }
                None => {
                    self.ended = true;
                    self.check()?;
                }
            }
        }
        Ok(self.held.take())
    }

    /// The next pieces together, at least as many bytes as these unless it ends before.
    pub(super) async fn gather(&mut self, at_least: usize) -> Result<Bytes, BlobError> {
        let Some(first) = self.next().await? else { return Ok(Bytes::new()) };
        if first.len() >= at_least {
            return Ok(first);
        }
        let mut gathered = Vec::from(first);
        while gathered.len() < at_least {
            match self.next().await? {
                Some(piece) => gathered.extend_from_slice(&piece),
                None => break,
            }
        }
        Ok(gathered.into())
    }

    /// Whether every piece was given.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.ended && self.held.is_none()
    }

    /// What is left, behind bytes that were taken already, as a request's body; and what was wrong with it, once it was sent.
    pub(super) fn into_body(self, taken: Bytes) -> (SdkByteStream, Verdict) {
        let verdict = Verdict::default();
        let length = self.info.bytes;
        let said = verdict.clone();
        let rest = stream::unfold(Some(self), move |checked| {
            let said = said.clone();
            async move {
                let mut checked = checked?;
                match checked.next().await {
                    Ok(piece) => piece.map(|piece| (Ok(piece), Some(checked))),
                    Err(error) => {
                        said.put(error);
                        Some((Err(std::io::Error::other("the bytes are not those that were described")), None))
                    }
                }
            }
        });
        let taken = stream::iter((!taken.is_empty()).then_some(Ok(taken)));
        let body = Body { pieces: Mutex::new(Box::pin(taken.chain(rest))), left: length };
        (SdkByteStream::new(SdkBody::from_body_1_x(body)), verdict)
    }

    fn check(&mut self) -> Result<(), BlobError> {
        if self.seen != self.info.bytes {
            return Err(mismatch(format!("{} bytes came and {} were described", self.seen, self.info.bytes)));
        }
        if Sha256Digest::from_bytes(self.hash.finalize_reset().into()) != self.info.sha256 {
            return Err(mismatch("the SHA-256 is another".to_owned()));
        }
        Ok(())
    }
}

/// What was wrong with the bytes of a request, if anything was.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict(Arc<Mutex<Option<BlobError>>>);

impl Verdict {
    fn put(&self, error: BlobError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(super) fn take(&self) -> Option<BlobError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

pub(super) fn mismatch(reason: String) -> BlobError {
    BlobError::Mismatch { reason }
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send>>;

/// A body of a known length. The client wants to share it between threads, which the lock allows; nobody ever waits for it.
struct Body {
    pieces: Mutex<Pieces>,
    left: u64,
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let pieces = self.pieces.get_mut().unwrap_or_else(PoisonError::into_inner);
        let piece = ready!(pieces.as_mut().poll_next(context));
        if let Some(Ok(piece)) = &piece {
            self.left = self.left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
