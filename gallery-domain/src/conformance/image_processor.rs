//! What an [`ImageProcessor`] owes, whatever it makes its images with. How good they are is for the tests of the processor itself.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::expectations::Succeeds;
use crate::ports::{ImageError, ImageProcessor, ProcessedImage};
use crate::{DerivedImage, FailureKind, MediaType, Sha256Digest};

/// Runs each clause on looking into photos as a test: takes an expression for an `Arc<dyn ImageProcessor>` or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! image_processor_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            image_processor,
            ::std::sync::Arc<dyn $crate::ports::ImageProcessor>,
            $fixture,
            [
                a_photo_is_looked_into,
                every_derived_image_is_made,
                the_same_bytes_give_the_same,
                what_is_no_photo_is_refused,
                what_only_begins_like_a_photo_is_refused,
                photos_at_the_same_time_are_all_looked_into,
            ]
        );
    };
}

/// Its hash, type and size.
pub async fn a_photo_is_looked_into(images: &Arc<dyn ImageProcessor>) {
    for (file, media_type) in samples() {
        let processed = process(images, &file).await;
        assert_eq!(processed.sha256, Sha256Digest::of(&file), "the hash is that of the original's bytes");
        let facts = &processed.facts;
        assert_eq!(facts.media_type, media_type, "the type goes by the first bytes");
        assert_eq!((facts.width, facts.height), (1, 1), "the size of the picture is in pixels");
        assert!((1..=25).contains(&facts.placeholder.as_bytes().len()), "a placeholder has at most 25 bytes");
        assert!(!facts.damaged, "the sample is whole");
    }
}

/// One each, in order, in the format that is said.
pub async fn every_derived_image_is_made(images: &Arc<dyn ImageProcessor>) {
    for (file, _) in samples() {
        let derived = process(images, &file).await.derived;
        let made: Vec<DerivedImage> = derived.iter().map(|image| image.image).collect();
        assert_eq!(made, DerivedImage::ALL, "every derived image is made, in order");
        for image in derived {
            let found = MediaType::of_magic_bytes(&image.bytes);
            assert_eq!(found, Some(image.media_type), "the bytes of a derived image are of the type it says");
            assert!(!image.bytes.windows(6).any(|window| window == b"Exif\0\0"), "a derived image has no metadata");
        }
    }
}

/// A photo that is looked into again changes nothing.
pub async fn the_same_bytes_give_the_same(images: &Arc<dyn ImageProcessor>) {
    for (file, _) in samples() {
        let (first, second) = (process(images, &file).await, process(images, &file).await);
        assert_eq!(first.facts, second.facts, "the same bytes give the same facts");
        let bytes =
            |processed: &ProcessedImage| processed.derived.iter().map(|image| image.bytes.clone()).collect::<Vec<_>>();
        assert_eq!(bytes(&first), bytes(&second), "the same bytes give the same images");
    }
}

/// By its first bytes, whatever it was called.
pub async fn what_is_no_photo_is_refused(images: &Arc<dyn ImageProcessor>) {
    for file in [
        &b""[..],
        b"\0",
        b"not a photo, but long enough for one, and then some more",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"1\" height=\"1\"/>",
        b"<!DOCTYPE html><html><script>alert(1)</script></html>",
        b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n<</Type /Catalog>>\nendobj",
        b"PK\x03\x04\x14\0\0\0\x08\0 a zip with photos in it",
    ] {
        let result = images.process(Bytes::from_static(file)).await;
        let Err(ImageError::Refused { kind: FailureKind::NotAPhoto, detail }) = &result else {
            panic!("what is no photo is refused as such, but the answer is {result:?}");
        };
        assert!(!detail.is_empty(), "a refusal says why");
    }
}

/// No picture comes out.
pub async fn what_only_begins_like_a_photo_is_refused(images: &Arc<dyn ImageProcessor>) {
    for file in [&b"\xFF\xD8\xFF\xE0\0\x10JFIF"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8 "] {
        let result = images.process(Bytes::from_static(file)).await;
        let is_refused =
            matches!(&result, Err(ImageError::Refused { kind: FailureKind::Damaged | FailureKind::NotAPhoto, .. }));
        assert!(is_refused, "what only begins like a photo is refused, but the answer is {result:?}");
    }
}

/// More than there are cores.
pub async fn photos_at_the_same_time_are_all_looked_into(images: &Arc<dyn ImageProcessor>) {
    let samples = samples();
    let files: Vec<&Bytes> = samples.iter().map(|(file, _)| file).cycle().take(24).collect();
    let processed = join_all(files.iter().map(|file| process(images, file))).await;
    for (file, processed) in files.into_iter().zip(processed) {
        assert_eq!(processed.sha256, Sha256Digest::of(file), "each call answers for its own photo");
    }
}

async fn process(images: &Arc<dyn ImageProcessor>, file: &Bytes) -> ProcessedImage {
    images.process(file.clone()).await.succeeds("looking into a photo")
}

/// The smallest photos there are: one pixel each.
fn samples() -> Vec<(Bytes, MediaType)> {
    [(PNG_OF_ONE_PIXEL, MediaType::Png), ("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", MediaType::Gif)]
        .map(|(base64, media_type)| {
            let file = data_encoding::BASE64.decode(base64.as_bytes()).expect("the samples are base64");
            (Bytes::from(file), media_type)
        })
        .into()
}

const PNG_OF_ONE_PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
