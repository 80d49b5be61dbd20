//! Photos to try the gallery with: real ones where `GALLERY_TEST_PHOTOS` names their folder, and some of our own making.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use crate::program::files;

/// The bytes of a JPEG of `width` × 3/4 `width` pixels, another for each seed.
pub(crate) fn jpeg(seed: u32, width: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, width * 3 / 4, |x, y| {
        let wave = |k: u32| (x.wrapping_mul(k + seed % 7) / 3 + y.wrapping_mul(seed % 11 + 1) / 2 + seed * 37) as u8;
        Rgb([wave(1), wave(2), wave(3)])
    });
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&picture).expect("a picture can be encoded");
    bytes.into_inner()
}

/// `count` photos with their names: real ones if there are any.
pub(crate) fn some(count: usize) -> Vec<(String, Vec<u8>)> {
    let real = std::env::var_os("GALLERY_TEST_PHOTOS").map(|folder| real(Path::new(&folder)));
    match real {
        Some(real) => {
            assert!(real.len() >= count, "GALLERY_TEST_PHOTOS holds {} fitting photos, not {count}", real.len());
            let every = real.len() / count;
            let chosen = real.into_iter().step_by(every).take(count);
            chosen.enumerate().map(|(n, path)| named(n, &path)).collect()
        }
        None => (0..count).map(|n| (format!("photo {n}.jpg"), jpeg(n as u32, 640 + n as u32))).collect(),
    }
}

/// Photos that a camera could have made, as large as such photos are.
fn real(folder: &Path) -> Vec<PathBuf> {
    let mut photos = files(folder);
    photos.retain(|path| {
        let jpeg = path.extension().is_some_and(|extension| extension == "jpg");
        let bytes = path.metadata().map_or(0, |metadata| metadata.len());
        jpeg && (100_000..4_000_000).contains(&bytes)
    });
    photos.sort();
    photos
}

fn named(n: usize, path: &Path) -> (String, Vec<u8>) {
    (format!("photo {n}.jpg"), std::fs::read(path).expect("a photo can be read"))
}
