//! What was gathered, written down: a stamp for each source, and one manifest for people.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::sources::Kind;

/// One gathered file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) bytes: u64,
    /// Lower-case hex.
    pub(super) sha256: String,
    pub(super) package: String,
    pub(super) version: String,
    pub(super) licence: String,
    /// Below the folder of photos.
    pub(super) path: String,
}

impl Entry {
    /// Whether the file is there, has its length, and begins like a picture.
    pub(super) fn is_whole(&self, folder: &Path) -> bool {
        let Ok(mut file) = File::open(folder.join(&self.path)) else {
            return false;
        };
        let mut head = [0; 12];
        let length_is_right = file.metadata().is_ok_and(|metadata| metadata.len() == self.bytes);
        length_is_right && file.read_exact(&mut head).is_ok() && super::begins_like_a_picture(&head)
    }

    fn to_line(&self) -> String {
        let Self { kind, bytes, sha256, package, version, licence, path } = self;
        format!("{}\t{bytes}\t{sha256}\t{package}\t{version}\t{licence}\t{path}\n", kind.name())
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut field = || fields.next().map(str::to_owned);
        let name = field()?;
        let entry = Self {
            kind: Kind::ALL.into_iter().find(|kind| kind.name() == name)?,
            bytes: field()?.parse().ok()?,
            sha256: field()?,
            package: field()?,
            version: field()?,
            licence: field()?,
            path: field()?,
        };
        field().is_none().then_some(entry)
    }
}

/// The entries of a source that was gathered whole by the row that has this fingerprint.
pub(super) fn read_stamp(stamp: &Path, fingerprint: &str) -> Option<Vec<Entry>> {
    let text = fs::read_to_string(stamp).ok()?;
    let mut lines = text.lines();
    if lines.next() != Some(fingerprint) {
        return None;
    }
    lines.map(Entry::from_line).collect()
}

/// Says that a source is gathered whole: written last.
pub(super) fn write_stamp(stamp: &Path, fingerprint: &str, entries: &[Entry]) -> Result<()> {
    let mut text = format!("{fingerprint}\n");
    text.extend(entries.iter().map(Entry::to_line));
    write_at_once(stamp, &text)
}

/// Writes `MANIFEST.txt`.
pub(super) fn write(folder: &Path, entries: &[Entry]) -> Result<()> {
    let mut text = "kind\tbytes\tsha256\tpackage\tversion\tlicence\tpath\n".to_owned();
    text.extend(entries.iter().map(Entry::to_line));
    write_at_once(&folder.join("MANIFEST.txt"), &text)
}

/// Writes beside the file and renames, so that nobody reads half of it.
fn write_at_once(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    fs::write(&unfinished, text)
        .and_then(|()| fs::rename(&unfinished, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            kind: Kind::Photograph,
            bytes: 13,
            sha256: "ab".repeat(32),
            package: "holiday".to_owned(),
            version: "1.0-2".to_owned(),
            licence: "CC0-1.0, MIT".to_owned(),
            path: "pictures/holiday/at the beach.jpg".to_owned(),
        }
    }

    #[test]
    fn a_stamp_reads_back_for_the_row_that_wrote_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("stamps/holiday");
        write_stamp(&stamp, "one", &[entry()]).unwrap();
        assert_eq!(read_stamp(&stamp, "one"), Some(vec![entry()]));
        assert_eq!(read_stamp(&stamp, "two"), None);
        assert_eq!(read_stamp(&folder.path().join("stamps/other"), "one"), None);
    }

    #[test]
    fn a_damaged_stamp_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = folder.path().join("holiday");
        for line in ["photograph", "photograph\tmany\ta\tb\tc\td\te", "sculpture\t1\ta\tb\tc\td\te"] {
            fs::write(&stamp, format!("one\n{line}\n")).unwrap();
            assert_eq!(read_stamp(&stamp, "one"), None, "{line}");
        }
    }

    #[test]
    fn a_file_that_is_missing_shortened_or_overwritten_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pictures/holiday/at the beach.jpg");
        assert!(!entry().is_whole(folder.path()));
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, b"\xFF\xD8\xFF0123456789").unwrap();
        assert!(entry().is_whole(folder.path()));
        fs::write(&file, b"\xFF\xD8\xFF012345678").unwrap();
        assert!(!entry().is_whole(folder.path()));
        fs::write(&file, b"0123456789012").unwrap();
        assert!(!entry().is_whole(folder.path()));
    }
}
