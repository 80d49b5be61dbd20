//! What is read of what cameras write.

use exif::{Rational, Tag, Value};
use gallery_domain::ExifSummary;
use image::ImageFormat;

use crate::crafted::{encoded, exif_block, four_corners, jpeg, riff, riff_chunk, webp_canvas, with_chunk, with_exif};
use crate::ready;

#[tokio::test]
async fn every_fact_is_read_from_every_container() {
    let block = exif_block(vec![
        (Tag::Make, text("SONY ")),
        (Tag::Model, text("ILCE-6000")),
        (Tag::LensModel, text("E 16-50mm F3.5-5.6 OSS")),
        (Tag::DateTimeOriginal, text("2024:06:01 12:30:05")),
        (Tag::SubSecTimeOriginal, text("25")),
        (Tag::OffsetTimeOriginal, text("+02:00")),
        (Tag::ExposureTime, ratios(&[(1, 250)])),
        (Tag::FNumber, ratios(&[(28, 10)])),
        (Tag::PhotographicSensitivity, Value::Short(vec![400])),
        (Tag::FocalLength, ratios(&[(50, 1)])),
        (Tag::GPSLatitudeRef, text("S")),
        (Tag::GPSLatitude, ratios(&[(33, 1), (51, 1), (36, 1)])),
        (Tag::GPSLongitudeRef, text("E")),
        (Tag::GPSLongitude, ratios(&[(151, 1), (12, 1), (36, 1)])),
        (Tag::GPSAltitudeRef, Value::Byte(vec![1])),
        (Tag::GPSAltitude, ratios(&[(25, 2)])),
    ]);
    let picture = four_corners(40, 30);
    let webp = [
        riff_chunk(b"VP8X", &webp_canvas(0x08, 40, 30)),
        encoded(&picture, ImageFormat::WebP)[12..].to_vec(),
        riff_chunk(b"EXIF", &[b"Exif\0\0", &block[..]].concat()),
    ];
    for file in [
        with_exif(&jpeg(&picture), &block),
        with_chunk(&encoded(&picture, ImageFormat::Png), b"eXIf", block.clone()),
        riff(&webp.concat()),
    ] {
        let facts = ready(file).await.facts.exif;
        assert_eq!(facts.taken_at.expect("a time").to_string(), "2024-06-01T12:30:05.25+02:00");
        assert_eq!(facts.make.as_deref(), Some("SONY"));
        assert_eq!(facts.model.as_deref(), Some("ILCE-6000"));
        assert_eq!(facts.lens.as_deref(), Some("E 16-50mm F3.5-5.6 OSS"));
        assert_eq!(facts.exposure_seconds, Some(0.004));
        assert_eq!(facts.f_number, Some(2.8));
        assert_eq!(facts.iso, Some(400));
        assert_eq!(facts.focal_length_mm, Some(50.0));
        let place = facts.position.expect("a place");
        assert!((place.latitude + 33.86).abs() < 1e-9 && (place.longitude - 151.21).abs() < 1e-9, "{place:?}");
        assert_eq!(place.altitude_m, Some(-12.5));
    }
}

#[tokio::test]
async fn a_value_that_makes_no_sense_is_left_out() {
    let nonsense = vec![
        (Tag::Make, text("  \u{1}\u{7f} ")),
        (Tag::LensModel, text("----")),
        (Tag::Model, text(&format!("\u{202e}{}", "m".repeat(300)))),
        (Tag::DateTimeOriginal, text("2024:13:41 25:61:61")),
        (Tag::ExposureTime, ratios(&[(1, 0)])),
        (Tag::FNumber, ratios(&[(0, 1)])),
        (Tag::PhotographicSensitivity, Value::Short(vec![0])),
        (Tag::FocalLength, ratios(&[(u32::MAX, 1)])),
        (Tag::GPSLatitudeRef, text("N")),
        (Tag::GPSLatitude, ratios(&[(0, 0), (0, 0), (0, 0)])),
        (Tag::GPSLongitudeRef, text("E")),
        (Tag::GPSLongitude, ratios(&[(7, 1)])),
    ];
    let facts = facts_of(nonsense).await;
    assert_eq!(facts, ExifSummary { model: Some("m".repeat(100)), ..ExifSummary::default() });
}

#[tokio::test]
async fn a_place_needs_both_its_halves_within_the_globe() {
    let place = |latitude: u32, reference: &str, longitude: u32| {
        vec![
            (Tag::GPSLatitudeRef, text(reference)),
            (Tag::GPSLatitude, ratios(&[(latitude, 1), (0, 1), (0, 1)])),
            (Tag::GPSLongitudeRef, text("W")),
            (Tag::GPSLongitude, ratios(&[(longitude, 1)])),
        ]
    };
    let found = facts_of(place(48, "N", 180)).await.position.expect("a place");
    assert_eq!((found.latitude, found.longitude, found.altitude_m), (48.0, -180.0, None));
    for nowhere in [place(91, "N", 7), place(48, "N", 181), place(0, "N", 0), place(48, "", 7)] {
        assert_eq!(facts_of(nowhere).await.position, None);
    }
}

#[tokio::test]
async fn a_time_without_a_sensible_offset_is_local() {
    for (offset, expected) in [
        ("", "2024-06-01T12:30:05"),
        ("+99:99", "2024-06-01T12:30:05"),
        ("   :  ", "2024-06-01T12:30:05"),
        ("-03:30", "2024-06-01T12:30:05-03:30"),
        ("Z", "2024-06-01T12:30:05+00:00"),
    ] {
        let fields = vec![
            (Tag::DateTimeOriginal, text("2024:06:01 12:30:05")),
            (Tag::OffsetTimeOriginal, text(offset)),
            (Tag::SubSecTimeOriginal, text("x")),
        ];
        assert_eq!(facts_of(fields).await.taken_at.expect("a time").to_string(), expected, "{offset:?}");
    }
    let never_set = vec![(Tag::DateTimeOriginal, text("0000:00:00 00:00:00"))];
    assert_eq!(facts_of(never_set).await.taken_at, None);
    let digitized = vec![(Tag::DateTimeDigitized, text("1931:02:03 04:05:06"))];
    assert_eq!(facts_of(digitized).await.taken_at.expect("a time").to_string(), "1931-02-03T04:05:06");
}

#[tokio::test]
async fn what_can_be_read_of_a_broken_block_is_read() {
    let whole = exif_block(vec![(Tag::Make, text("A maker with a long name")), (Tag::Model, text("X"))]);
    let picture = jpeg(&four_corners(40, 30));
    for cut in 0..whole.len() {
        let processed = ready(with_exif(&picture, &whole[..cut])).await;
        assert!(!processed.facts.damaged);
    }
    let without_the_name = &whole[..whole.len() - 8];
    assert_eq!(ready(with_exif(&picture, without_the_name)).await.facts.exif.model.as_deref(), Some("X"));
}

async fn facts_of(fields: Vec<(Tag, Value)>) -> ExifSummary {
    ready(with_exif(&jpeg(&four_corners(40, 30)), &exif_block(fields))).await.facts.exif
}

fn text(text: &str) -> Value {
    Value::Ascii(vec![text.as_bytes().to_vec()])
}

fn ratios(ratios: &[(u32, u32)]) -> Value {
    Value::Rational(ratios.iter().map(|&(num, denom)| Rational { num, denom }).collect())
}
