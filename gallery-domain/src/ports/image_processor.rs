//! Looking into photos.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use super::BackendFailure;
use crate::{DerivedImage, FailureKind, ImageFacts, MediaType, Sha256Digest};

/// Decodes photos and makes smaller images of them.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ImageProcessor: Debug + Send + Sync + 'static {
    /// Looks into the bytes of a file: its type goes by its first bytes, its whole picture is decoded, and every [`DerivedImage`] is made of it,
    /// upright and without metadata. Calls beyond the number of cores wait.
    async fn process(&self, original: Bytes) -> Result<ProcessedImage, ImageError>;
}

/// What came of looking into a photo.
#[derive(Clone, Debug)]
pub struct ProcessedImage {
    /// The hash of the original's bytes.
    pub sha256: Sha256Digest,
    /// What is known of it.
    pub facts: ImageFacts,
    /// One for each of [`DerivedImage::ALL`], in that order.
    pub derived: Vec<EncodedImage>,
}

/// An image made from a photo.
#[derive(Clone, Debug)]
pub struct EncodedImage {
    /// Which.
    pub image: DerivedImage,
    /// The format of the bytes.
    pub media_type: MediaType,
    /// The encoded bytes.
    pub bytes: Bytes,
}

/// How looking into a photo can end, other than well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot become a photo. Trying again gives the same.
    #[error("{detail}")]
    Refused {
        /// [`NotAPhoto`](FailureKind::NotAPhoto), [`Damaged`](FailureKind::Damaged) or [`TooLarge`](FailureKind::TooLarge).
        kind: FailureKind,
        /// A sentence for the photo's owner.
        detail: String,
    },

    /// The processor itself failed.
    #[error(transparent)]
    Backend(#[from] BackendFailure),
}
