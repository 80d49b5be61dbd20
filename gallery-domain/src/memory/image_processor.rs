//! Looking into photos without decoding them.

use async_trait::async_trait;
use bytes::Bytes;

use crate::ports::{EncodedImage, ImageError, ImageProcessor, ProcessedImage};
use crate::{DerivedImage, ExifSummary, FailureKind, ImageFacts, MediaType, Sha256Digest, ThumbHash};

/// Takes any bytes for a photo whose first ones are those of a photo's type: for tests, which so need no real pictures.
///
/// Width and height are those in the header of a PNG or GIF, else 640 by 480; there is no EXIF; the placeholder comes of the bytes'
/// hash; each derived image is a few bytes that start like a JPEG and name the original's hash. Less than 32 bytes count as damaged.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryImages;

/// No photo is as short.
const SHORTEST: usize = 32;

#[async_trait]
impl ImageProcessor for MemoryImages {
    async fn process(&self, original: Bytes) -> Result<ProcessedImage, ImageError> {
        let refused = |kind, detail: &str| ImageError::Refused { kind, detail: detail.to_owned() };
        let Some(media_type) = MediaType::of_magic_bytes(&original) else {
            return Err(refused(FailureKind::NotAPhoto, "The file is not a JPEG, PNG, WebP or GIF: send a photo."));
        };
        if original.len() < SHORTEST {
            return Err(refused(FailureKind::Damaged, "The file ends before its picture: send it again."));
        }
        let sha256 = Sha256Digest::of(&original);
        let (width, height) = dimensions(media_type, &original);
        let facts = ImageFacts {
            media_type,
            width,
            height,
            placeholder: ThumbHash::from_bytes(sha256.as_bytes()[..24].to_vec()),
            exif: ExifSummary::default(),
            damaged: false,
        };
        let derived = DerivedImage::ALL.map(|image| {
            let text = format!("{sha256} {}", image.long_edge());
            let bytes = [&[0xFF, 0xD8, 0xFF, 0xFE], text.as_bytes(), &[0xFF, 0xD9]].concat();
            EncodedImage { image, media_type: MediaType::Jpeg, bytes: bytes.into() }
        });
        Ok(ProcessedImage { sha256, facts, derived: derived.into() })
    }
}

fn dimensions(media_type: MediaType, file: &[u8]) -> (u32, u32) {
    let byte = |at: usize| u32::from(file[at]);
    match media_type {
        MediaType::Png => {
            let number = |at| byte(at) << 24 | byte(at + 1) << 16 | byte(at + 2) << 8 | byte(at + 3);
            (number(16), number(20))
        }
        MediaType::Gif => (byte(6) | byte(7) << 8, byte(8) | byte(9) << 8),
        MediaType::Jpeg | MediaType::Webp => (640, 480),
    }
}
