//! Files that are no photos, broken, or made to hurt.

use gallery_domain::FailureKind::{Damaged, NotAPhoto, TooLarge};
use gallery_domain::ports::ImageProcessor;
use image::ImageFormat;
use libjpeg_turbo_rs::{PixelFormat, Subsampling};

use crate::crafted::{
    encoded, four_corners, gif, jpeg, png, png_header, riff, riff_chunk, webp_canvas, webp_frame, zeros,
};
use crate::{preview, process, ready, refused};

#[tokio::test]
async fn what_is_no_photo_is_refused_with_what_to_do() {
    for (file, told) in [
        (&b""[..], "empty"),
        (b"Dear diary, this is holiday.jpg", "text"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>", "SVG"),
        (b"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<svg/>", "SVG"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "web page"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "video"),
        (b"II*\0\x08\0\0\0", "raw"),
        (b"MZ\x90\0\x03\0\0\0", "not a picture"),
        (b"\xFF\xD8", "not a picture"),
        (b"<!--\xFF\xD8\xFF\xE0\0\x10JFIF", "web page"),
    ] {
        let (kind, detail) = refused(file).await;
        assert_eq!(kind, NotAPhoto, "{detail}");
        assert!(detail.contains(told), "{told}: {detail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jpeg_that_ends_early_is_taken_and_flagged() {
    let picture = four_corners(1200, 900).into_rgb8();
    for compress in [libjpeg_turbo_rs::compress, libjpeg_turbo_rs::compress_progressive] {
        let file = compress(&picture, 1200, 900, PixelFormat::Rgb, 90, Subsampling::S420).unwrap();
        assert!(!ready(file.clone()).await.facts.damaged);
        for share in [3, 6, 9] {
            let processed = ready(&file[..file.len() * share / 10]).await;
            assert!(processed.facts.damaged);
            assert_eq!((processed.facts.width, processed.facts.height), (1200, 900));
            let corner = preview(&processed).get_pixel(40, 40).0;
            assert!(corner[0] > 180 && corner[2] < 90, "the first corner is red: {corner:?}");
        }
    }
}

#[tokio::test]
async fn a_file_without_a_picture_is_damaged() {
    let picture = four_corners(300, 200);
    let file = jpeg(&picture);
    let scan = file.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    for end in [3, 20, scan, scan + 14, scan + 16] {
        assert_eq!(refused(&file[..end]).await.0, Damaged, "{end} of {} bytes", file.len());
    }
    let noise: Vec<u8> = (0..4000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 & 0x7F).collect();
    assert_eq!(refused([&b"\xFF\xD8\xFF\xE0"[..], &noise].concat()).await.0, Damaged);
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let file = encoded(&picture, format);
        for end in [12, 20, 30, 40] {
            let (kind, detail) = refused(&file[..end]).await;
            assert_eq!(kind, Damaged, "{format:?}");
            assert!(detail.contains("again"), "{detail}");
        }
    }
}

#[tokio::test]
async fn sizes_beyond_the_limits_are_refused_from_the_header() {
    let claim_jpeg = |width: u16, height: u16| {
        let mut file = jpeg(&four_corners(16, 16));
        let frame = file.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
        file[frame + 5..frame + 7].copy_from_slice(&height.to_be_bytes());
        file[frame + 7..frame + 9].copy_from_slice(&width.to_be_bytes());
        file
    };
    let claim_png = |width, height, depth, colour| {
        png(&[(b"IHDR", png_header(width, height, depth, colour)), (b"IDAT", zeros(9)), (b"IEND", vec![])])
    };
    // A lossless picture that says it is 16384 × 16384.
    let enormous = riff_chunk(b"VP8L", &[0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0]);
    let tiny_canvas = riff_chunk(b"VP8X", &webp_canvas(0, 8, 8));
    let animated_canvas = [riff_chunk(b"VP8X", &webp_canvas(2, 8, 8)), riff_chunk(b"ANIM", &[0; 6])].concat();
    let frame = riff_chunk(b"ANMF", &webp_frame(8, 8, &enormous));
    for (what, file) in [
        ("PNG of 65,535 squared", claim_png(65_535, 65_535, 8, 2)),
        ("PNG of 2³¹", claim_png(0x7FFF_FFFF, 0x7FFF_FFFF, 8, 2)),
        ("long PNG", claim_png(20_001, 1, 8, 2)),
        ("PNG of 16 bits", claim_png(10_000, 10_000, 16, 6)),
        ("JPEG of 65,500 squared", claim_jpeg(65_500, 65_500)),
        ("JPEG of 101 megapixels", claim_jpeg(10_100, 10_000)),
        ("WebP", riff(&enormous)),
        ("WebP with a small canvas", riff(&[tiny_canvas, enormous.clone()].concat())),
        ("WebP with a large frame", riff(&[animated_canvas, frame].concat())),
        ("WebP canvas", riff(&riff_chunk(b"VP8X", &webp_canvas(0, 1 << 24, 1 << 24)))),
        ("GIF", gif(65_535, 65_535, 1)),
    ] {
        let (kind, detail) = refused(file).await;
        assert_eq!(kind, TooLarge, "{what}: {detail}");
        assert!(detail.contains("maller"), "{what}: {detail}");
    }
}

#[tokio::test]
async fn an_animation_of_too_many_pictures_is_refused_without_drawing_them() {
    assert!(process(gif(8, 8, 1_000)).await.is_ok());
    assert_eq!(refused(gif(8, 8, 1_001)).await.0, TooLarge);
    assert_eq!(refused(gif(4_000, 4_000, 100_000)).await.0, TooLarge);

    let still = encoded(&four_corners(8, 8), ImageFormat::WebP);
    let start = [riff_chunk(b"VP8X", &webp_canvas(2, 8, 8)), riff_chunk(b"ANIM", &[0; 6])].concat();
    let frames = riff_chunk(b"ANMF", &webp_frame(8, 8, &still[12..])).repeat(1_001);
    assert_eq!(refused(riff(&[start, frames].concat())).await.0, TooLarge);
}

#[tokio::test]
async fn a_jpeg_of_too_many_scans_is_refused() {
    let picture = four_corners(64, 64).into_rgb8();
    let file =
        libjpeg_turbo_rs::compress_progressive(&picture, 64, 64, PixelFormat::Rgb, 90, Subsampling::S420).unwrap();
    let last_scan = file.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let scan = &file[last_scan..file.len() - 2];
    let file = [&file[..file.len() - 2], &scan.repeat(3_000), &[0xFF, 0xD9]].concat();
    assert_eq!(refused(file).await.0, TooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_photos_than_cores_are_all_made() {
    let processor = std::sync::Arc::new(gallery_imaging::Imaging::new());
    let file = bytes::Bytes::from(jpeg(&four_corners(700, 500)));
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let (processor, file) = (processor.clone(), file.clone());
            tokio::spawn(async move { processor.process(file).await })
        })
        .collect();
    // Callers that go away give their cores back.
    calls.iter().step_by(3).for_each(|call| call.abort());
    for (number, call) in calls.into_iter().enumerate() {
        if number % 3 != 0 {
            call.await.unwrap().unwrap();
        }
    }
}
