//! The list of a backup's files with their SHA-256, in the form that `sha256sum --check` reads.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, anyhow};
use gallery_domain::Sha256Digest;
use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use super::interruption::Interruption;

/// The name of the list, in the folder whose files it names.
pub(super) const LIST: &str = "SHA256SUMS";

/// A file of the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// From the list's folder on; never leads out of it.
    pub(super) path: PathBuf,
    pub(super) sha256: Sha256Digest,
}

/// Hashes every file of a folder into its list, and sees that all of it is on the disk for good. How many files and bytes there are.
pub(super) fn write(folder: &Path, interruption: &Interruption) -> anyhow::Result<(u64, u64)> {
    let mut list = BufWriter::new(File::create_new(folder.join(LIST))?);
    let (mut files, mut bytes) = (0, 0);
    for entry in WalkDir::new(folder).sort_by_file_name() {
        interruption.check()?;
        let entry = entry?;
        let path = entry.path().strip_prefix(folder).context("a folder holds what is in it")?;
        if entry.file_type().is_dir() {
            File::open(entry.path())?.sync_all()?;
        } else if path != Path::new(LIST) {
            let file = File::open(entry.path())?;
            file.sync_all()?;
            let (sha256, length) = of(file)?;
            writeln!(list, "{sha256}  {}", path.display())?;
            files += 1;
            bytes += length;
        }
    }
    list.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok((files, bytes))
}

/// The files that a folder's list names.
pub(super) fn read(folder: &Path) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Listed>>> {
    let list = folder.join(LIST);
    let file = File::open(&list)
        .with_context(|| format!("{} is not a backup, or not a whole one: it has no {LIST}", folder.display()))?;
    Ok(BufReader::new(file).lines().map(move |line| {
        let line = line?;
        parse(&line).ok_or_else(|| anyhow!("{} holds a line that names no file: {line}", list.display()))
    }))
}

/// Copies a file and sees that it is on the disk for good. What is wrong with the file itself is told in words: others may be whole.
pub(super) fn copy(listed: &Listed, from: &Path, to: &Path) -> anyhow::Result<Result<(), String>> {
    let (source, target) = (from.join(&listed.path), to.join(&listed.path));
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = match File::open(&source) {
        Ok(file) => file,
        Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
    };
    let permissions = file.metadata()?.permissions();
    let written = File::create_new(&target).with_context(|| format!("cannot write {}", target.display()))?;
    written.set_permissions(permissions)?;
    let (sha256, _) =
        of(Tee { from: &mut file, to: &written }).with_context(|| format!("cannot copy {}", target.display()))?;
    written.sync_all()?;
    if sha256 != listed.sha256 {
        return Ok(Err("has other bytes than when the backup was made".to_owned()));
    }
    Ok(Ok(()))
}

/// The SHA-256 of what can be read, and how many bytes that was.
pub(super) fn of(mut from: impl Read) -> io::Result<(Sha256Digest, u64)> {
    let (mut hasher, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; 128 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((Sha256Digest::from_bytes(hasher.finalize().into()), length)),
            read => {
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

/// Reads, and writes what was read.
struct Tee<R, W> {
    from: R,
    to: W,
}

impl<R: Read, W: Write> Read for Tee<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}

fn parse(line: &str) -> Option<Listed> {
    let (sha256, path) = line.split_once("  ")?;
    let path = PathBuf::from(path);
    let stays_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    (stays_inside && path.file_name().is_some()).then_some(Listed { path, sha256: sha256.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_names_every_file_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("blobs/a")).unwrap();
        fs::write(folder.path().join("blobs/a/b"), "abc").unwrap();
        fs::write(folder.path().join("gallery.db"), "").unwrap();
        assert_eq!(write(folder.path(), &Interruption::listen().unwrap()).unwrap(), (2, 3));
        let listed: Vec<_> = read(folder.path()).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(listed[0], Listed { path: "blobs/a/b".into(), sha256: Sha256Digest::of(b"abc") });
        assert_eq!(listed.len(), 2);
    }

    #[test]
    fn a_copy_of_other_bytes_is_refused() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(from.path().join("a"), "abd").unwrap();
        let listed = Listed { path: "a".into(), sha256: Sha256Digest::of(b"abc") };
        assert!(copy(&listed, from.path(), to.path()).unwrap().unwrap_err().contains("other bytes"));
    }

    #[test]
    fn no_line_leads_out_of_the_folder() {
        let digest = Sha256Digest::of(b"");
        for path in ["../x", "/etc/passwd", "a/../../b", "", "."] {
            assert_eq!(parse(&format!("{digest}  {path}")), None, "{path}");
        }
        assert!(parse(&format!("{digest}  a/b")).is_some());
        assert_eq!(parse("abc  a"), None);
    }
}
