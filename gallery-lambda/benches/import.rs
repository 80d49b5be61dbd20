//! Photos imported a second, beside decoding and resizing alone, over the same real photos (`GALLERY_TEST_PHOTOS`), turn by turn.

mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gallery_adapters::imaging::Imaging;
use gallery_domain::ports::ImageProcessor;
use gallery_domain::services::{Imported, NewPhoto};
use gallery_domain::{FileName, MediaType, Sha256Digest};
use support::{gallery, median};

const ROUNDS: usize = 5;
const AT_MOST: usize = 60;

#[tokio::main]
async fn main() {
    let folder = std::env::var("GALLERY_TEST_PHOTOS")
        .expect("GALLERY_TEST_PHOTOS names a folder of photos: see `cargo xtask photos`");
    let files = jpegs(Path::new(&folder));
    let bytes: u64 = files.iter().map(|file| file.metadata().map_or(0, |metadata| metadata.len())).sum();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{} photos, {} MB, {cores} at a time", files.len(), bytes / 1_000_000);

    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(decode_and_resize(&files, cores).await);
        times[1].push(import(&files, cores).await);
    }
    let [alone, import] = times.map(|times| files.len() as f64 / median(times).as_secs_f64());
    println!("decode and resize alone {alone:>8.1} photos/s");
    println!("import                  {import:>8.1} photos/s");
    println!("ratio alone / import    {:>8.2}", alone / import);
}

async fn decode_and_resize(files: &[PathBuf], cores: usize) -> Duration {
    let imaging = Imaging::new();
    let start = Instant::now();
    let work = stream::iter(files).for_each_concurrent(cores, |file| {
        let imaging = &imaging;
        async move {
            let bytes = tokio::fs::read(file).await.expect("a readable photo");
            imaging.process(bytes.into()).await.expect("a photo");
        }
    });
    work.await;
    start.elapsed()
}

async fn import(files: &[PathBuf], cores: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = gallery(folder.path()).await;
    let start = Instant::now();
    let work = stream::iter(files).for_each_concurrent(cores, |file| {
        let bench = &bench;
        async move {
            let bytes = Bytes::from(tokio::fs::read(file).await.expect("a readable photo"));
            let name = FileName::parse(&file.file_name().unwrap_or_default().to_string_lossy()).expect("a plain name");
            let new = NewPhoto::plain(name, MediaType::Jpeg, bytes.len() as u64, Sha256Digest::of(&bytes));
            let imported = bench.gallery.ingest.import(&bench.actor, &new, bytes).await.expect("an import");
            assert!(matches!(imported, Imported::New(_)), "{}", file.display());
        }
    });
    work.await;
    start.elapsed()
}

/// Different JPEG files below a folder, in the order of their paths.
fn jpegs(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![folder.to_owned()], std::collections::BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a readable folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path)
                && MediaType::of_magic_bytes(&bytes) == Some(MediaType::Jpeg)
                && bytes.len() > 500_000
            {
                found.insert(Sha256Digest::of(&bytes), path);
            }
        }
    }
    let mut files: Vec<_> = found.into_values().collect();
    files.sort();
    files.truncate(AT_MOST);
    files
}
