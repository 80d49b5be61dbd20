//! Photos with bytes changed at random.
#![cfg(target_os = "linux")]

#[path = "imaging/crafted.rs"]
#[expect(dead_code, reason = "the other tests of imaging use the rest")]
mod crafted;
#[path = "imaging/memory.rs"]
mod memory;

use std::sync::LazyLock;

use gallery_domain::ports::{ImageError, ImageProcessor};
use gallery_imaging::Imaging;
use image::ImageFormat;
use libjpeg_turbo_rs::{PixelFormat, Subsampling};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::crafted::{encoded, four_corners, jpeg, orientation, with_chunk, with_exif};
use crate::memory::most_memory_held;

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let picture = four_corners(97, 61);
    let progressive =
        libjpeg_turbo_rs::compress_progressive(picture.as_bytes(), 97, 61, PixelFormat::Rgb, 80, Subsampling::S420);
    vec![
        with_exif(&jpeg(&picture), &orientation(6)),
        progressive.expect("a picture in memory can be written"),
        with_chunk(&encoded(&picture, ImageFormat::Png), b"eXIf", orientation(3)),
        encoded(&picture, ImageFormat::WebP),
        encoded(&picture, ImageFormat::Gif),
    ]
});

#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        if file.is_empty() {
            return;
        }
        match self {
            Self::Set(at, value) => {
                let at = at.index(file.len());
                file[at] = *value;
            }
            Self::Flip(at, bit) => {
                let at = at.index(file.len());
                file[at] ^= 1 << bit;
            }
            Self::Cut(at) => file.truncate(at.index(file.len())),
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(file.len()), to.index(file.len()));
                let part = file[from.min(to)..from.max(to)].to_vec();
                file.splice(to..to, part);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(at, value)| Change::Set(at, value)),
        4 => (place(), 0..8u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => place().prop_map(Change::Cut),
        1 => (place(), place()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_changed_file_ends_in_a_photo_or_an_explained_refusal(
        file in 0..5usize,
        to_header in vec((0..64usize, any::<u8>()), 0..3),
        changes in vec(change(), 1..6),
    ) {
        let mut bytes = FILES[file].clone();
        for (at, value) in to_header {
            // Headers decide most; the first bytes of all decide whether it is a photo.
            bytes[12 + at] = value;
        }
        changes.iter().for_each(|change| change.apply(&mut bytes));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime can start");
        match runtime.block_on(Imaging::new().process(bytes.into())) {
            Ok(processed) => prop_assert_eq!(processed.derived.len(), 2),
            Err(ImageError::Refused { detail, .. }) => prop_assert!(detail.len() > 40),
            Err(error) => prop_assert!(false, "{}", error),
        }
        // A change can make a picture that is as large as is let through.
        prop_assert!(most_memory_held() < 1 << 30, "{} bytes", most_memory_held());
    }
}
