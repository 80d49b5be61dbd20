//! Photos as people have them: all of a folder, or the tests' own.

use std::path::{Path, PathBuf};
use std::{env, fs};

use exif::{Exif, In, Reader, Tag, Value};
use gallery_domain::MediaType;
use gallery_domain::ports::{ImageError, ImageProcessor, ProcessedImage};

use crate::crafted::{encoded, exif_block, four_corners, gif, jpeg, with_exif};

#[tokio::test(flavor = "multi_thread")]
async fn every_photo_is_made_or_refused_with_a_reason_and_camera_photos_have_facts() {
    let files = match env::var_os("GALLERY_TEST_PHOTOS") {
        Some(folder) => files_under(Path::new(&folder)),
        None => {
            let complete = env::var("GALLERY_REQUIRE_BACKENDS").is_ok_and(|required| required == "all");
            assert!(!complete, "GALLERY_TEST_PHOTOS must name a folder of photos: run `cargo xtask photos` for one");
            own_files()
        }
    };
    assert!(!files.is_empty(), "the folder holds no photos");

    let processor = gallery_imaging::Imaging::new();
    let (mut made, mut with_facts) = (0, 0);
    for (name, bytes) in files {
        let camera = exif_in(&bytes);
        match processor.process(bytes.into()).await {
            Ok(photo) => {
                assert_made(&name, &photo);
                made += 1;
                if let Some(exif) = camera.filter(|_| photo.facts.media_type == MediaType::Jpeg) {
                    assert_eq!(photo.facts.exif.make, maker_in(&exif), "{name}");
                    with_facts += usize::from(photo.facts.exif.make.is_some());
                }
            }
            Err(ImageError::Refused { detail, .. }) => {
                assert!(detail.ends_with('.') && detail.len() > 40, "{name}: {detail}");
                // Collections of cameras' headers come without their pictures, so they are tried on another.
                if let Some(exif) = camera {
                    let grafted = with_exif(&jpeg(&four_corners(40, 30)), exif.buf());
                    let photo = processor.process(grafted.into()).await.expect(&name);
                    assert_eq!(photo.facts.exif.make, maker_in(&exif), "{name}");
                }
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert!(made > 0 && with_facts > 0, "{made} photos, {with_facts} of cameras");
}

fn assert_made(name: &str, photo: &ProcessedImage) {
    for derived in &photo.derived {
        let picture = image::load_from_memory(&derived.bytes).expect(name);
        assert!(picture.width().max(picture.height()) <= derived.image.long_edge(), "{name}");
        let ratio = |width: u32, height: u32| f64::from(width) / f64::from(height);
        let (is, should_be) = (ratio(picture.width(), picture.height()), ratio(photo.facts.width, photo.facts.height));
        let rounding = 1.0 + 1.0 / f64::from(picture.width().min(picture.height()));
        assert!(is / should_be < rounding && should_be / is < rounding, "{name}: {is} for {should_be}");
    }
}

/// The camera's block, found by way of another reader of containers than the adapter's.
fn exif_in(bytes: &[u8]) -> Option<Exif> {
    let read = Reader::new().continue_on_error(true).read_from_container(&mut std::io::Cursor::new(bytes));
    read.or_else(|error| error.distill_partial_result(|_| {})).ok()
}

fn maker_in(exif: &Exif) -> Option<String> {
    match &exif.get_field(Tag::Make, In::PRIMARY)?.value {
        Value::Ascii(strings) => {
            let maker = String::from_utf8(strings.first()?.clone()).ok()?;
            let maker = maker.trim().to_owned();
            maker.chars().any(char::is_alphanumeric).then_some(maker)
        }
        _ => None,
    }
}

fn own_files() -> Vec<(String, Vec<u8>)> {
    let picture = four_corners(2600, 1700);
    let block = exif_block(vec![(Tag::Make, Value::Ascii(vec![b"Canon".to_vec()]))]);
    vec![
        ("camera.jpg".into(), with_exif(&jpeg(&picture), &block)),
        ("drawing.png".into(), encoded(&picture, image::ImageFormat::Png)),
        ("drawing.webp".into(), encoded(&four_corners(300, 200), image::ImageFormat::WebP)),
        ("still.gif".into(), gif(60, 40, 1)),
        ("notes.jpg".into(), b"not a photo, but called one".to_vec()),
    ]
}

/// Whatever a folder and those within hold under names of photos.
fn files_under(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("the folder can be read").path();
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            if path.is_dir() {
                folders.push(path);
            } else if ["jpg", "jpeg", "png", "webp", "gif"].contains(&extension.as_str()) {
                files.push((path.display().to_string(), fs::read(&path).expect("a photo can be read")));
            }
        }
    }
    files
}
