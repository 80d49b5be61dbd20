//! Photos that the tests make themselves, hostile files among them, and real ones where a folder of them is named.

mod camera;
mod crafted;
mod hostile;
mod photos;
mod pictures;

use gallery_domain::ports::{ImageError, ImageProcessor, ProcessedImage};
use gallery_domain::{DerivedImage, FailureKind};
use gallery_imaging::Imaging;
use image::RgbImage;

async fn process(file: impl Into<Vec<u8>>) -> Result<ProcessedImage, ImageError> {
    Imaging::new().process(file.into().into()).await
}

async fn ready(file: impl Into<Vec<u8>>) -> ProcessedImage {
    process(file).await.expect("the file is a photo")
}

/// Why the file is refused, and the sentence for its owner.
async fn refused(file: impl Into<Vec<u8>>) -> (FailureKind, String) {
    match process(file).await {
        Err(ImageError::Refused { kind, detail }) => (kind, detail),
        other => panic!("not refused: {other:?}"),
    }
}

/// A derived image as somebody else's decoder sees it.
fn derived(processed: &ProcessedImage, which: DerivedImage) -> RgbImage {
    let encoded = processed.derived.iter().find(|derived| derived.image == which).expect("every image is derived");
    let decoded = image::load_from_memory_with_format(&encoded.bytes, image::ImageFormat::Jpeg);
    decoded.expect("a derived image is a JPEG").into_rgb8()
}

fn preview(processed: &ProcessedImage) -> RgbImage {
    derived(processed, DerivedImage::Preview)
}
