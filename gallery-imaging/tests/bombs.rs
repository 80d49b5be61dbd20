//! Files made to unpack to much more than they are.
#![cfg(target_os = "linux")]

#[path = "imaging/crafted.rs"]
#[expect(dead_code, reason = "the other tests of imaging use the rest")]
mod crafted;
#[path = "imaging/memory.rs"]
mod memory;

use gallery_domain::ports::{ImageError, ImageProcessor, ProcessedImage};
use gallery_imaging::Imaging;
use image::ImageFormat;

use crate::crafted::{encoded, four_corners, png, png_header, with_chunk, zeros};
use crate::memory::most_memory_held;

#[tokio::test(flavor = "multi_thread")]
async fn what_unpacks_to_hundreds_of_megabytes_is_not_unpacked() {
    const MUCH: u64 = 512 << 20;
    let picture = encoded(&four_corners(64, 64), ImageFormat::Png);
    let packed = zeros(MUCH);
    assert!(packed.len() < 4 << 20);
    for (name, keyword) in
        [(b"iCCP", &b"P\0\0"[..]), (b"zTXt", b"Comment\0\0"), (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0")]
    {
        let processed = process(with_chunk(&picture, name, [keyword, &packed].concat())).await.unwrap();
        assert_eq!(processed.facts.width, 64);
    }
    // Many more rows than the header speaks of.
    let rows = png(&[(b"IHDR", png_header(8, 8, 8, 0)), (b"IDAT", packed), (b"IEND", vec![])]);
    assert_eq!(process(rows).await.unwrap().facts.width, 8);
    assert!(most_memory_held() < MUCH, "{} bytes", most_memory_held());
}

async fn process(file: Vec<u8>) -> Result<ProcessedImage, ImageError> {
    Imaging::new().process(file.into()).await
}
