//! Pictures that nobody took: small, all different, with the time that a camera would have written.

use anyhow::Result;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

/// Width and height in pixels: landscapes, portraits, squares and a panorama, in the order in which they come.
const SHAPES: [(u32, u32); 6] = [(64, 48), (48, 64), (72, 48), (64, 48), (48, 48), (96, 40)];
/// The pictures spread over so many days, the last of which is [`LAST_DAY`].
const DAYS: u64 = 12 * 365;
/// 2026-06-30, in days since 1970-01-01.
const LAST_DAY: u64 = 20_634;
const SECONDS_A_DAY: u64 = 86_400;

/// The picture of a number out of `count`: always the same bytes, and others than those of every other number.
pub(super) fn jpeg(number: u64, count: u64) -> Result<Vec<u8>> {
    let at = usize::try_from(number)?;
    let (width, height) = SHAPES[at % SHAPES.len()];
    let hue = at * 37 % 360;
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let slope = f64::from(x) / f64::from(width) * 70.0;
        let light = 0.85 - f64::from(y) / f64::from(height) * 0.6;
        colour((hue as f64 + slope) % 360.0, light)
    });
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&picture)?;
    let seconds = (LAST_DAY - DAYS) * SECONDS_A_DAY + DAYS * SECONDS_A_DAY * number / count.max(1);
    // Right behind the mark that begins every JPEG.
    bytes.splice(2..2, exif(&camera_time(seconds)));
    // Behind the mark that ends it: makes the bytes differ where the pictures do not.
    bytes.extend_from_slice(&number.to_be_bytes());
    Ok(bytes)
}

/// A colour of full saturation by its hue in degrees and its lightness from 0 to 1.
fn colour(hue: f64, light: f64) -> Rgb<u8> {
    let channel = |shift: f64| {
        let k = (shift + hue / 30.0) % 12.0;
        let value = light - light.min(1.0 - light) * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (value * 255.0).round() as u8
    };
    Rgb([channel(0.0), channel(8.0), channel(4.0)])
}

/// A segment of JPEG that says when the picture was taken (EXIF 2.3, `DateTimeOriginal`).
fn exif(time: &str) -> Vec<u8> {
    const POINTER: [u8; 12] = [0x69, 0x87, 4, 0, 1, 0, 0, 0, 26, 0, 0, 0];
    const TAKEN: [u8; 12] = [0x03, 0x90, 2, 0, 20, 0, 0, 0, 44, 0, 0, 0];
    let mut body = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
    for entry in [POINTER, TAKEN] {
        body.extend_from_slice(&[1, 0]);
        body.extend_from_slice(&entry);
        body.extend_from_slice(&[0; 4]);
    }
    body.extend_from_slice(time.as_bytes());
    body.push(0);
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    let mut segment = vec![0xFF, 0xE1];
    segment.extend_from_slice(&length.to_be_bytes());
    segment.extend_from_slice(&body);
    segment
}

/// Seconds since 1970 as cameras write a time: `2024:06:01 12:30:00`.
fn camera_time(seconds: u64) -> String {
    let (mut days, rest) = (seconds / SECONDS_A_DAY, seconds % SECONDS_A_DAY);
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}:{:02}:{:02} {hour:02}:{minute:02}:{second:02}", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_time_is_written_as_cameras_do() {
        assert_eq!(camera_time(0), "1970:01:01 00:00:00");
        assert_eq!(camera_time(951_782_400 + 3_661), "2000:02:29 01:01:01");
        assert_eq!(camera_time(LAST_DAY * SECONDS_A_DAY), "2026:06:30 00:00:00");
    }

    #[test]
    fn no_two_pictures_are_the_same_and_each_is_the_same_again() {
        let pictures: BTreeSet<_> = (0..1_000).map(|number| jpeg(number, 1_000).unwrap()).collect();
        assert_eq!(pictures.len(), 1_000);
        assert!(pictures.contains(&jpeg(7, 1_000).unwrap()));
    }

    #[test]
    fn a_picture_is_small_and_has_its_shape() {
        let bytes = jpeg(1, 10).unwrap();
        assert!(bytes.len() < 3_000, "{} bytes", bytes.len());
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), SHAPES[1]);
    }
}
