//! What comes out of good files.

use gallery_domain::{DerivedImage, MediaType, Sha256Digest};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use libjpeg_turbo_rs::{PixelFormat, Subsampling};
use moxcms::{ColorProfile, Layout, TransformOptions};

use crate::crafted::{
    encoded, four_corners, gif, jpeg, orientation, png, png_header, riff, riff_chunk, stored, webp_canvas, webp_frame,
    with_chunk, with_exif, with_segment,
};
use crate::{derived, preview, ready};

#[tokio::test(flavor = "multi_thread")]
async fn every_orientation_gives_the_same_upright_picture() {
    // One that is decoded whole, one at an odd size, and one that is decoded at half its size.
    for (width, height) in [(600, 400), (333, 211), (4100, 1500)] {
        let upright = four_corners(width, height);
        let expected = preview(&ready(jpeg(&upright)).await);
        for value in 1..=8u8 {
            let turn = Orientation::from_exif(value).expect("1 to 8 are orientations");
            let back = match turn {
                Orientation::Rotate90 => Orientation::Rotate270,
                Orientation::Rotate270 => Orientation::Rotate90,
                its_own_inverse => its_own_inverse,
            };
            let mut held = upright.clone();
            held.apply_orientation(back);

            let processed = ready(with_exif(&jpeg(&held), &orientation(value.into()))).await;
            assert_eq!((processed.facts.width, processed.facts.height), (width, height), "orientation {value}");
            assert_alike(&preview(&processed), &expected, 3.0);
        }
    }
}

#[tokio::test]
async fn png_and_webp_are_turned_upright_too() {
    let mut held = four_corners(60, 40);
    held.apply_orientation(Orientation::Rotate270);
    let file = with_chunk(&encoded(&held, ImageFormat::Png), b"eXIf", orientation(6));
    let processed = ready(file).await;
    assert_eq!((processed.facts.width, processed.facts.height), (60, 40));
    assert_alike(&preview(&processed), four_corners(60, 40).as_rgb8().unwrap(), 6.0);

    let picture = encoded(&held, ImageFormat::WebP);
    let chunks =
        [riff_chunk(b"VP8X", &webp_canvas(0x08, 40, 60)), picture[12..].to_vec(), riff_chunk(b"EXIF", &orientation(6))];
    let processed = ready(riff(&chunks.concat())).await;
    assert_eq!((processed.facts.width, processed.facts.height), (60, 40));
    assert_alike(&preview(&processed), four_corners(60, 40).as_rgb8().unwrap(), 6.0);
}

#[tokio::test]
async fn derived_images_hold_no_metadata() {
    const CANARY: &[u8] = b"canary";
    let mut file = jpeg(&four_corners(500, 300));
    file = with_exif(&file, &orientation(6));
    file = with_segment(&file, 0xE1, &[b"http://ns.adobe.com/xap/1.0/\0", CANARY].concat());
    file = with_segment(&file, 0xE2, &icc_segment(&ColorProfile::new_display_p3().encode().unwrap()));
    file = with_segment(&file, 0xED, &[b"Photoshop 3.0\0", CANARY].concat());
    file = with_segment(&file, 0xFE, CANARY);
    for image in ready(file).await.derived {
        let markers = markers(&image.bytes);
        // JFIF, tables, a baseline frame and its scan: nothing else.
        assert!(markers.iter().all(|marker| [0xE0, 0xDB, 0xC0, 0xC4, 0xDA].contains(marker)), "{markers:X?}");
        for trace in [CANARY, b"Exif", b"ICC_PROFILE", b"http://ns.adobe.com"] {
            assert!(!image.bytes.windows(trace.len()).any(|window| window == trace));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn derived_images_have_their_sizes_and_are_never_enlarged() {
    for (original, preview, thumbnail) in [
        ((4000, 3000), (1920, 1440), (320, 240)),
        ((3000, 4001), (1440, 1920), (240, 320)),
        ((1921, 1081), (1920, 1080), (320, 180)),
        ((1920, 1080), (1920, 1080), (320, 180)),
        ((321, 321), (321, 321), (320, 320)),
        ((101, 51), (101, 51), (101, 51)),
        ((1, 1), (1, 1), (1, 1)),
        ((1, 10_000), (1, 1920), (1, 320)),
        ((10_000, 1), (1920, 1), (320, 1)),
        ((8, 12_000), (1, 1920), (1, 320)),
    ] {
        let picture = four_corners(original.0, original.1);
        for file in [jpeg(&picture), encoded(&picture, ImageFormat::Png)] {
            let processed = ready(file).await;
            assert_eq!((processed.facts.width, processed.facts.height), original);
            assert!(!processed.facts.damaged);
            assert_eq!(derived(&processed, DerivedImage::Preview).dimensions(), preview, "of {original:?}");
            assert_eq!(derived(&processed, DerivedImage::Thumbnail).dimensions(), thumbnail, "of {original:?}");
            let order: Vec<DerivedImage> = processed.derived.iter().map(|image| image.image).collect();
            assert_eq!(order, DerivedImage::ALL);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_smaller_image_shows_what_the_original_shows() {
    let picture = four_corners(4200, 2800);
    let expected = image::imageops::thumbnail(picture.as_rgb8().unwrap(), 1920, 1280);
    for file in [jpeg(&picture), encoded(&picture, ImageFormat::Png)] {
        assert_alike(&preview(&ready(file).await), &expected, 3.0);
    }
}

#[tokio::test]
async fn the_original_is_hashed_and_has_a_placeholder_of_its_colours() {
    let orange = RgbImage::from_pixel(640, 320, Rgb([250, 140, 10]));
    let file = jpeg(&orange.into());
    let processed = ready(file.clone()).await;
    assert_eq!(processed.sha256, Sha256Digest::of(&file));
    let hash = processed.facts.placeholder.as_bytes();
    let (red, green, blue, alpha) = thumbhash::thumb_hash_to_average_rgba(hash).unwrap();
    assert!(
        (red - 0.98).abs() < 0.06 && (green - 0.55).abs() < 0.06 && (blue - 0.04).abs() < 0.06,
        "{red} {green} {blue}"
    );
    assert_eq!(alpha, 1.0);
    let ratio = thumbhash::thumb_hash_to_approximate_aspect_ratio(hash).unwrap();
    assert!((1.5..2.5).contains(&ratio), "{ratio}");
}

#[tokio::test]
async fn what_shows_through_is_white() {
    let veil = RgbaImage::from_fn(40, 40, |x, _| if x < 20 { Rgba([0, 0, 0, 0]) } else { Rgba([255, 0, 0, 128]) });
    let veil = DynamicImage::from(veil);
    for file in [
        encoded(&veil, ImageFormat::Png),
        encoded(&veil.to_rgba16().into(), ImageFormat::Png),
        encoded(&veil, ImageFormat::WebP),
    ] {
        let shown = preview(&ready(file).await);
        assert_near(shown.get_pixel(8, 20), [255, 255, 255]);
        assert_near(shown.get_pixel(32, 20), [255, 127, 127]);
    }
}

#[tokio::test]
async fn a_palette_may_hold_see_through_colours() {
    // 16 × 16 at one bit a pixel: the first palette entry is clear, the second blue.
    let rows: Vec<u8> = (0..16).flat_map(|_| [0, 0x00, 0xFF]).collect();
    let file = png(&[
        (b"IHDR", png_header(16, 16, 1, 3)),
        (b"PLTE", vec![9, 9, 9, 0, 0, 255]),
        (b"tRNS", vec![0]),
        (b"IDAT", stored(&rows)),
        (b"IEND", vec![]),
    ]);
    let processed = ready(file).await;
    assert_eq!(processed.facts.media_type, MediaType::Png);
    let shown = preview(&processed);
    assert_near(shown.get_pixel(2, 8), [255, 255, 255]);
    assert_near(shown.get_pixel(13, 8), [0, 0, 255]);
}

#[tokio::test]
async fn grey_pictures_stay_grey() {
    let grey = DynamicImage::from(GrayImage::from_fn(3000, 200, |x, _| Luma([(x / 12) as u8])));
    let sixteen = DynamicImage::from(grey.to_luma16());
    for file in [jpeg(&grey), encoded(&grey, ImageFormat::Png), encoded(&sixteen, ImageFormat::Png)] {
        let shown = preview(&ready(file).await);
        assert_near(shown.get_pixel(960, 60), [125, 125, 125]);
        assert!(shown.pixels().all(|pixel| pixel.0.iter().all(|channel| channel.abs_diff(pixel.0[0]) <= 2)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn jpegs_of_every_layout_are_read() {
    let picture = four_corners(4100, 300).into_rgb8();
    let expected = preview(&ready(encoded(&picture.clone().into(), ImageFormat::Png)).await);
    for subsampling in [Subsampling::S444, Subsampling::S422, Subsampling::S420, Subsampling::S440, Subsampling::S411] {
        for compress in [libjpeg_turbo_rs::compress, libjpeg_turbo_rs::compress_progressive] {
            let file = compress(&picture, 4100, 300, PixelFormat::Rgb, 95, subsampling).unwrap();
            let processed = ready(file).await;
            assert!(!processed.facts.damaged, "{subsampling:?}");
            assert_alike(&preview(&processed), &expected, 3.0);
        }
    }
}

#[tokio::test]
async fn a_jpeg_with_finer_colour_than_brightness_is_read() {
    let picture = four_corners(320, 160).into_rgb8();
    let expected = preview(&ready(encoded(&picture.clone().into(), ImageFormat::Png)).await);
    let file = libjpeg_turbo_rs::Encoder::new(&picture, 320, 160, PixelFormat::Rgb)
        .quality(95)
        .sampling_factors(vec![(1, 1), (2, 2), (2, 2)])
        .encode()
        .unwrap();
    let processed = ready(file).await;
    assert!(!processed.facts.damaged);
    assert_alike(&preview(&processed), &expected, 4.0);
}

#[tokio::test]
async fn a_jpeg_of_inks_shows_their_colours() {
    // Bare paper, full cyan, full black and half magenta, with 0 for no ink.
    let inks = [[0u8, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255], [0, 128, 0, 0]];
    let pixels: Vec<u8> = (0..32).flat_map(|_| inks.iter().flat_map(|ink| ink.repeat(16))).collect();
    let plain = libjpeg_turbo_rs::compress(&pixels, 64, 32, PixelFormat::Cmyk, 95, Subsampling::S444).unwrap();
    let inverted: Vec<u8> = pixels.iter().map(|ink| 255 - ink).collect();
    let adobe = libjpeg_turbo_rs::compress(&inverted, 64, 32, PixelFormat::Cmyk, 95, Subsampling::S444).unwrap();
    let is_adobe = |file: &[u8]| file.windows(5).any(|window| window == b"Adobe");
    let adobe = if is_adobe(&adobe) { adobe } else { with_segment(&adobe, 0xEE, b"Adobe\0\x64\0\0\0\0\0") };
    let plain = without_segment(&plain, 0xEE);
    assert!(is_adobe(&adobe) && !is_adobe(&plain));
    for file in [plain, adobe] {
        let shown = preview(&ready(file).await);
        for (x, colour) in [(8, [255, 255, 255]), (24, [0, 255, 255]), (40, [0, 0, 0]), (56, [255, 127, 255])] {
            assert_near(shown.get_pixel(x, 16), colour);
        }
    }
}

#[tokio::test]
async fn colours_of_a_wider_space_are_brought_into_srgb() {
    let wide = ColorProfile::new_display_p3();
    let stored = [200u8, 90, 60];
    let options = TransformOptions::default();
    let to_srgb = wide.create_transform_8bit(Layout::Rgb, &ColorProfile::new_srgb(), Layout::Rgb, options).unwrap();
    let mut expected = [0; 3];
    to_srgb.transform(&stored, &mut expected).unwrap();
    assert!(expected[0].abs_diff(stored[0]) > 8, "the colour should differ between the spaces: {expected:?}");

    let picture = DynamicImage::from(RgbImage::from_pixel(64, 64, Rgb(stored)));
    let profile = wide.encode().unwrap();
    let in_png = [b"P3\0\0", &stored_in_blocks(&profile)[..]].concat();
    let webp = encoded(&picture, ImageFormat::WebP);
    let webp = [riff_chunk(b"VP8X", &webp_canvas(0x20, 64, 64)), riff_chunk(b"ICCP", &profile), webp[12..].to_vec()];
    for file in [
        with_segment(&jpeg(&picture), 0xE2, &icc_segment(&profile)),
        with_chunk(&encoded(&picture, ImageFormat::Png), b"iCCP", in_png),
        riff(&webp.concat()),
    ] {
        assert_near(preview(&ready(file).await).get_pixel(32, 32), expected);
    }
    let srgb = icc_segment(&ColorProfile::new_srgb().encode().unwrap());
    for harmless in [srgb, icc_segment(b"not a profile at all")] {
        let file = with_segment(&jpeg(&picture), 0xE2, &harmless);
        assert_near(preview(&ready(file).await).get_pixel(32, 32), stored);
    }
}

#[tokio::test]
async fn an_animation_shows_its_first_picture() {
    let red = encoded(&DynamicImage::from(RgbImage::from_pixel(20, 10, Rgb([255, 0, 0]))), ImageFormat::WebP);
    let blue = encoded(&DynamicImage::from(RgbImage::from_pixel(20, 10, Rgb([0, 0, 255]))), ImageFormat::WebP);
    let chunks = [
        riff_chunk(b"VP8X", &webp_canvas(0x02, 20, 10)),
        riff_chunk(b"ANIM", &[0; 6]),
        riff_chunk(b"ANMF", &webp_frame(20, 10, &red[12..])),
        riff_chunk(b"ANMF", &webp_frame(20, 10, &blue[12..])),
    ];
    let processed = ready(riff(&chunks.concat())).await;
    assert_eq!(processed.facts.media_type, MediaType::Webp);
    assert_near(preview(&processed).get_pixel(10, 5), [255, 0, 0]);

    let processed = ready(gif(30, 20, 3)).await;
    assert_eq!(processed.facts.media_type, MediaType::Gif);
    assert_eq!(preview(&processed).dimensions(), (30, 20));
}

#[tokio::test]
async fn what_follows_the_picture_in_its_file_does_no_harm() {
    let picture = four_corners(80, 60);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif] {
        let file = [encoded(&picture, format), b"PK\x03\x04 <script>alert(1)</script>".repeat(99)].concat();
        let processed = ready(file.clone()).await;
        assert_eq!(processed.sha256, Sha256Digest::of(&file));
        assert!(!processed.facts.damaged, "{format:?}");
    }
}

fn assert_alike(is: &RgbImage, should_be: &RgbImage, most_mean_difference: f64) {
    assert_eq!(is.dimensions(), should_be.dimensions());
    let sum: u64 = is.as_raw().iter().zip(should_be.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let mean = sum as f64 / is.as_raw().len() as f64;
    assert!(mean <= most_mean_difference, "the pictures differ by {mean} a channel");
}

#[track_caller]
fn assert_near(is: &Rgb<u8>, should_be: [u8; 3]) {
    assert!(is.0.iter().zip(should_be).all(|(is, should_be)| is.abs_diff(should_be) <= 6), "{is:?}, not {should_be:?}");
}

/// The only part of a profile in an APP2 segment.
fn icc_segment(profile: &[u8]) -> Vec<u8> {
    [b"ICC_PROFILE\0\x01\x01", profile].concat()
}

fn stored_in_blocks(profile: &[u8]) -> Vec<u8> {
    assert!(profile.len() < 65_536, "one block is enough for a profile without tables");
    stored(profile)
}

fn markers(jpeg: &[u8]) -> Vec<u8> {
    let mut markers = Vec::new();
    let mut at = 2;
    while at + 4 <= jpeg.len() && markers.last() != Some(&0xDA) {
        assert_eq!(jpeg[at], 0xFF);
        markers.push(jpeg[at + 1]);
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    markers
}

fn without_segment(jpeg: &[u8], marker: u8) -> Vec<u8> {
    match jpeg.windows(2).position(|pair| pair == [0xFF, marker]) {
        Some(at) => {
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            [&jpeg[..at], &jpeg[at + 2 + length..]].concat()
        }
        None => jpeg.to_vec(),
    }
}
