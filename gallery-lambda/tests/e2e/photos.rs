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

/// A folder of at least 200 photos: the real ones if there are any, else some that are made below `folder`.
pub(crate) fn folder_of_many(folder: &Path) -> PathBuf {
    if let Some(real) = std::env::var_os("GALLERY_TEST_PHOTOS") {
        return real.into();
    }
    let made = folder.join("Photos");
    for n in 0..200 {
        let album = made.join(format!("{}", n / 50));
        std::fs::create_dir_all(&album).expect("a folder can be made");
        std::fs::write(album.join(format!("{n}.jpg")), jpeg(n, 320)).expect("a photo can be written");
    }
    made
}

/// A JPEG with what a camera of this maker writes about a picture taken at `2024:02:29 12:34:56`.
pub(crate) fn with_exif(jpeg: &[u8], maker: &str, taken_at: &str) -> Vec<u8> {
    /// A TIFF directory at an offset, with what its entries point to behind it.
    fn directory(offset: u32, entries: &[(u16, u16, u32, u32)], behind: &[u8]) -> Vec<u8> {
        let mut bytes = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
        for (tag, kind, count, value) in entries {
            bytes.extend(tag.to_be_bytes());
            bytes.extend(kind.to_be_bytes());
            bytes.extend(count.to_be_bytes());
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend([0; 4]);
        assert_eq!(offset % 2, 0, "directories begin on words");
        [&bytes, behind].concat()
    }
    const ASCII: u16 = 2;
    const LONG: u16 = 4;
    let text = |text: &str| [text.as_bytes(), &[0; 2][..2 - text.len() % 2]].concat();
    let (maker, taken_at) = (text(maker), text(taken_at));
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap();
    let main = 8;
    let main_end = main + 2 + 2 * 12 + 4;
    let camera = main_end + length(&maker);
    let camera_end = camera + 2 + 12 + 4;
    let tiff = [
        &b"MM\0*"[..],
        &main.to_be_bytes(),
        &directory(main, &[(0x010F, ASCII, length(&maker), main_end), (0x8769, LONG, 1, camera)], &maker),
        &directory(camera, &[(0x9003, ASCII, length(&taken_at), camera_end)], &taken_at),
    ]
    .concat();
    let segment = u16::try_from(2 + 6 + tiff.len()).unwrap();
    [&jpeg[..2], &[0xFF, 0xE1], &segment.to_be_bytes(), b"Exif\0\0", &tiff, &jpeg[2..]].concat()
}

/// A PNG of a few bytes that says how large it is.
pub(crate) fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    // An empty zlib stream: what it holds is never looked at.
    let chunks = [(b"IHDR", header), (b"IDAT", vec![0x78, 0x01, 1, 0, 0, 0xFF, 0xFF, 0, 0, 0, 1]), (b"IEND", vec![])];
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in chunks {
        let checked = [&name[..], &data].concat();
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend_from_slice(&checked);
        file.extend(crc32(&checked).to_be_bytes());
    }
    file
}

fn crc32(bytes: &[u8]) -> u32 {
    let shifted = |crc: u32| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), |crc, _| shifted(crc)))
}

/// An animation of so many pictures of one pixel each.
pub(crate) fn gif_of(width: u16, height: u16, pictures: usize) -> Vec<u8> {
    let start = [b"GIF89a", &width.to_le_bytes()[..], &height.to_le_bytes(), &[0x80, 0, 0], &[0; 6]].concat();
    // Two bits a code: clear, colour 0, end.
    let picture = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 0x01, 0];
    [start, picture.repeat(pictures), vec![0x3B]].concat()
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
