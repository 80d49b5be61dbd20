//! Decoding photos and making thumbnails.
//!
//! ```text
//! probe ──► decode ──► resize ──► orient ──► encode
//! header,   planes or  Lanczos3   upright    JPEG without metadata
//! limits    pixels     to the     preview,   and the placeholder
//!                      preview    thumbnail
//! ```
//!
//! A JPEG is decoded straight to the power-of-two fraction of its size that the preview needs, and stays in its own YCbCr
//! planes from there to the encoder; everything else goes by way of RGB. All that the decoders of other projects are asked
//! to do is asked here, so that each of them can be exchanged.

mod colour;
mod decode;
mod exif;
mod picture;
mod probe;
mod refusal;
mod resize;

use std::borrow::Cow;
use std::sync::Arc;
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use gallery_domain::ports::{BackendFailure, EncodedImage, ImageError, ImageProcessor, ProcessedImage};
use gallery_domain::{DerivedImage, ImageFacts, MediaType, Sha256Digest};
use tokio::sync::Semaphore;

use self::refusal::Refusal;

/// Makes the derived images with decoders written in Rust, on the threads that tokio keeps for blocking work.
///
/// As many photos are decoded at once as there are cores; the rest wait. Each takes at most about 600 MiB beside its own
/// bytes, and its time is bounded by what `probe` lets through: a thread at work cannot be stopped.
#[derive(Debug)]
pub struct Imaging {
    cores: Arc<Semaphore>,
}

impl Imaging {
    /// A processor that uses every core available to this process.
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }
}

impl Default for Imaging {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl ImageProcessor for Imaging {
    async fn process(&self, original: Bytes) -> Result<ProcessedImage, ImageError> {
        self.on_a_core(move || look_into(&original)).await
    }
}

impl Imaging {
    async fn on_a_core<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, ImageError> {
        let core = Arc::clone(&self.cores).acquire_owned().await.expect("the semaphore is never closed");
        let work = tokio::task::spawn_blocking(move || {
            // Held by the thread rather than by the future: a caller that goes away does not free the core.
            let _core = core;
            work()
        });
        match work.await {
            Ok(outcome) => outcome.map_err(ImageError::from),
            Err(stopped) if stopped.is_panic() => {
                tracing::error!("a decoder panicked; the photo is refused as damaged");
                Err(Refusal::damaged().into())
            }
            Err(stopped) => Err(BackendFailure::transient("imaging", "decode", stopped).into()),
        }
    }
}

fn look_into(original: &[u8]) -> Result<ProcessedImage, Refusal> {
    let file = probe::mended(original);
    let ends_early = matches!(file, Cow::Owned(_));
    let header = probe::probe(&file)?;
    let camera = header.exif.as_deref().map(exif::read).unwrap_or_default();

    let (decoded, errors_met) = decode::decode(&file, &header)?;
    let damaged = errors_met || ends_early;
    let preview = resize::to_preview(decoded, &header)?;
    if damaged && preview.is_blank() {
        return Err(Refusal::damaged());
    }
    let preview = preview.upright(camera.orientation);
    let thumbnail = preview.fitted_into(DerivedImage::Thumbnail.long_edge())?;

    let (width, height) = camera.orientation.size_of(header.width, header.height);
    let facts = ImageFacts {
        media_type: header.media_type,
        width,
        height,
        placeholder: thumbnail.placeholder()?,
        exif: camera.summary,
        damaged,
    };
    let derived = DerivedImage::ALL
        .into_iter()
        .map(|image| {
            let picture = match image {
                DerivedImage::Thumbnail => &thumbnail,
                DerivedImage::Preview => &preview,
            };
            Ok(EncodedImage { image, media_type: MediaType::Jpeg, bytes: picture.to_jpeg()?.into() })
        })
        .collect::<Result<_, Refusal>>()?;
    Ok(ProcessedImage { sha256: Sha256Digest::of(original), facts, derived })
}

#[cfg(test)]
mod tests {
    use gallery_domain::FailureKind;

    use super::*;

    #[tokio::test]
    async fn a_decoder_that_panics_refuses_the_photo_and_frees_its_core() {
        let imaging = Imaging::new();
        for _ in 0..=thread::available_parallelism().map_or(1, usize::from) {
            let outcome = imaging.on_a_core(|| -> Result<(), Refusal> { panic!("a bug in a decoder") }).await;
            assert!(matches!(outcome, Err(ImageError::Refused { kind: FailureKind::Damaged, .. })), "{outcome:?}");
        }
        assert!(imaging.on_a_core(|| Ok(())).await.is_ok());
    }
}
