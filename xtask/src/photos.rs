//! Real photos for tests, gathered from released packages into a cache folder outside the checkout.
//!
//! ```text
//! DIR/pictures/PACKAGE/…      everything in here has to decode: photographs, and artwork for its formats and sizes
//! DIR/exif-headers/PACKAGE/…  the beginnings of camera files, whole and damaged: metadata to read, no picture
//! DIR/MANIFEST.txt            each file with its package, version and licence
//! ```

mod manifest;
mod sources;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::{fetch, tools, workspace};
use manifest::Entry;
use sources::{Kind, Origin, Pick, SOURCES, Source};

/// How many different photographs the tests are promised.
const PROMISED: usize = 200;

/// Fetches what is not there yet, checks what is there, and returns the folder of pictures.
///
/// # Errors
///
/// When fewer than 200 different photographs come together.
pub(crate) fn gather(folder: Option<PathBuf>) -> Result<PathBuf> {
    let folder = folder.unwrap_or_else(|| tools::cache_folder().join("test-photos"));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    if folder.starts_with(workspace::root().canonicalize()?) {
        bail!("{} is inside the checkout: photos are never committed, keep them elsewhere", folder.display());
    }
    // Two runs at once would write the same files: the second waits, and finds them there.
    let lock = File::create(folder.join(".lock"))?;
    lock.lock().context("cannot lock the folder of photos")?;

    let mut entries = Vec::new();
    let mut failures = Vec::new();
    for source in SOURCES {
        match gather_source(&folder, source) {
            Ok(found) => entries.extend(found),
            // Another Debian release may lack one package: what counts is how many photographs there are in the end.
            Err(error) => failures.push(format!("{}: {error:#}", source.package)),
        }
    }
    manifest::write(&folder, &entries)?;

    for failure in &failures {
        eprintln!("    not gathered: {failure}");
    }
    let whole = different(&entries, &[Kind::Photograph]);
    let photographs = different(&entries, &[Kind::Photograph, Kind::CutOut]);
    let bytes: u64 = entries.iter().map(|entry| entry.bytes).sum();
    eprintln!(
        "    {photographs} different photographs ({whole} of whole frames, the others cut out), {} files, {} MB in {}",
        entries.len(),
        bytes / 1_000_000,
        folder.display()
    );
    if photographs < PROMISED {
        bail!("the tests are promised {PROMISED} different photographs, and only {photographs} came together");
    }
    Ok(folder.join("pictures"))
}

/// How many different contents there are of these kinds.
fn different(entries: &[Entry], kinds: &[Kind]) -> usize {
    let wanted = entries.iter().filter(|entry| kinds.contains(&entry.kind));
    wanted.map(|entry| &entry.sha256).collect::<BTreeSet<_>>().len()
}

/// The files of one source: those that are there when they are whole, else fetched anew.
fn gather_source(folder: &Path, source: &Source) -> Result<Vec<Entry>> {
    let stamp = folder.join(".stamps").join(source.package);
    if let Some(entries) = manifest::read_stamp(&stamp, &fingerprint(source))
        && entries.iter().all(|entry| entry.is_whole(folder))
    {
        return Ok(entries);
    }

    eprintln!("    fetching {} ({})", source.package, source.holds);
    if stamp.exists() {
        fs::remove_file(&stamp)?;
    }
    for kind in Kind::ALL {
        let old = folder.join(kind.folder()).join(source.package);
        if old.exists() {
            fs::remove_dir_all(&old)?;
        }
    }
    let scratch = tempfile::Builder::new().prefix(".fetch-").tempdir_in(folder)?;
    let (package, version) = match source.origin {
        Origin::Debian => fetch::debian_package(source.package, scratch.path())?,
        Origin::Npm { version } => fetch::npm_package(source.package, version, scratch.path())?,
        Origin::Crate { version } => fetch::crate_package(source.package, version, scratch.path())?,
    };
    let entries = keep(folder, source, &package, &version)?;
    manifest::write_stamp(&stamp, &fingerprint(source), &entries)?;
    Ok(entries)
}

/// Copies what the source's picks name out of the unpacked package, each content once.
fn keep(folder: &Path, source: &Source, package: &Path, version: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut seen = BTreeSet::new();
    for pick in source.picks {
        let from = package.join(pick.under);
        let mut kept = 0;
        for file in WalkDir::new(&from).sort_by_file_name() {
            let file = file?;
            let inside = file.path().strip_prefix(&from)?;
            if !file.file_type().is_file() || !pick.wants(inside, file.metadata()?.len()) {
                continue;
            }
            let Some(content) = read_picture(file.path())? else {
                continue;
            };
            let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&content));
            if !seen.insert(sha256.clone()) {
                continue;
            }
            let path = Path::new(pick.kind.folder()).join(source.package).join(inside);
            let to = folder.join(&path);
            fs::create_dir_all(to.parent().unwrap_or(folder))?;
            fs::write(&to, &content).with_context(|| format!("cannot write {}", to.display()))?;
            entries.push(Entry {
                kind: pick.kind,
                bytes: content.len() as u64,
                sha256,
                package: source.package.to_owned(),
                version: version.to_owned(),
                licence: source.licence.to_owned(),
                path: path.to_str().context("a file's name is not UTF-8")?.to_owned(),
            });
            kept += 1;
        }
        if kept == 0 {
            bail!("version {version} holds no pictures in {}", pick.under);
        }
    }
    Ok(entries)
}

impl Pick {
    /// Whether to take the file at this path below the pick's folder.
    fn wants(&self, inside: &Path, bytes: u64) -> bool {
        let inside = inside.to_string_lossy();
        let names_one_of = |words: &[&str]| words.iter().any(|word| inside.contains(word));
        bytes >= self.smallest && (self.only.is_empty() || names_one_of(self.only)) && !names_one_of(self.without)
    }
}

/// The whole file, when its first bytes are those of a JPEG, PNG, WebP or GIF.
fn read_picture(path: &Path) -> Result<Option<Vec<u8>>> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut content = Vec::new();
    file.by_ref().take(12).read_to_end(&mut content)?;
    if !begins_like_a_picture(&content) {
        return Ok(None);
    }
    file.read_to_end(&mut content)?;
    Ok(Some(content))
}

fn begins_like_a_picture(head: &[u8]) -> bool {
    head.starts_with(&[0xFF, 0xD8, 0xFF])
        || head.starts_with(b"\x89PNG\r\n\x1a\n")
        || head.starts_with(b"GIF87a")
        || head.starts_with(b"GIF89a")
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
}

/// Changes when the source's row changes, so that what an older row gathered is gathered anew.
fn fingerprint(source: &Source) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{source:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest of it";

    fn source() -> Source {
        Source {
            package: "holiday",
            origin: Origin::Debian,
            holds: "a beach",
            licence: "CC0-1.0",
            picks: &[Pick { kind: Kind::Photograph, under: "usr/share", only: &[], without: &["icon"], smallest: 10 }],
        }
    }

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert!(begins_like_a_picture(&[0xFF, 0xD8, 0xFF, 0xE1]));
        assert!(begins_like_a_picture(PNG));
        assert!(begins_like_a_picture(b"GIF89a"));
        assert!(begins_like_a_picture(b"RIFF\x10\0\0\0WEBPVP8 "));
        assert!(!begins_like_a_picture(b"RIFF\x10\0\0\0WAVEfmt "));
        assert!(!begins_like_a_picture(b"<svg>"));
        assert!(!begins_like_a_picture(b""));
    }

    #[test]
    fn each_content_is_kept_once_and_nothing_else_is() {
        let package = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let share = package.path().join("usr/share/summer");
        fs::create_dir_all(&share).unwrap();
        for (name, content) in [
            ("beach.png", PNG),
            ("beach-again.png", PNG),
            ("icon.png", b"\x89PNG\r\n\x1a\nsomething else"),
            ("short.png", &PNG[..9]),
            ("notes.png", b"these are only words"),
        ] {
            fs::write(share.join(name), content).unwrap();
        }
        let entries = keep(folder.path(), &source(), package.path(), "1.0").unwrap();
        let paths: Vec<_> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["pictures/holiday/summer/beach-again.png"]);
        assert!(entries[0].is_whole(folder.path()));
    }

    #[test]
    fn a_package_without_the_expected_pictures_is_an_error() {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir_all(package.path().join("usr/share")).unwrap();
        let error = keep(package.path(), &source(), package.path(), "2.0").unwrap_err();
        assert!(error.to_string().contains("version 2.0 holds no pictures"), "{error}");
    }

    #[test]
    fn a_changed_row_has_another_fingerprint() {
        let changed = Source { licence: "MIT", ..source() };
        assert_eq!(fingerprint(&source()), fingerprint(&source()));
        assert_ne!(fingerprint(&source()), fingerprint(&changed));
    }

    #[test]
    fn photos_are_not_gathered_inside_the_checkout() {
        let inside = tempfile::tempdir_in(workspace::root()).unwrap();
        let error = gather(Some(inside.path().to_path_buf())).unwrap_err();
        assert!(error.to_string().contains("inside the checkout"), "{error}");
    }

    #[test]
    fn every_package_stands_in_the_table_once_and_keeps_something() {
        let names: BTreeSet<_> = SOURCES.iter().map(|source| source.package).collect();
        assert_eq!(names.len(), SOURCES.len());
        assert!(SOURCES.iter().all(|source| !source.picks.is_empty() && !source.licence.is_empty()));
    }
}
