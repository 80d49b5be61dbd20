//! Blobs as files.
//!
//! A blob is one file: its bytes, then 64 bytes that describe them. So it becomes visible with its description or not at all, a hard link is a whole
//! copy, and picture viewers, which stop where the picture ends, still open it.
//!
//! A key's segments are folders, the last one a file whose name is the segment after an `@`; so `a` and `a/b` can both be keys. A folder that is
//! named by a UUID lies in two others, which hold its first characters after a `+`: `01a2118d-8986-…` is `+01a21/+18d/-8986-…`. Those are of its
//! time, three days and a minute of it, so that no folder grows with the gallery, and a page of a list reads few names. The folder `+partial` holds
//! what is still being written: no key has a `+`. Folders need a file system that tells upper from lower case only if the keys do.

mod description;
mod disk;
mod listing;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gallery_domain::ports::{BackendFailure, Blob, BlobError, BlobInfo, BlobStore, ByteStream};
use gallery_domain::{BlobKey, Page, PageRequest, Sha256Digest, Timestamp};
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use self::disk::failure;
use crate::private;

/// A blob store in a folder.
#[derive(Clone, Debug)]
pub struct FileBlobs {
    folder: Arc<Folder>,
}

impl FileBlobs {
    /// Opens a blob store, making the folder if need be, and removes what crashed writers left there more than a day before `now`.
    pub async fn open(root: impl Into<PathBuf>, now: Timestamp) -> Result<Self, BackendFailure> {
        let folder = Arc::new(Folder { root: root.into(), making_folders: Mutex::new(()) });
        let opened = folder.clone();
        off_thread("open", move || opened.prepare(now)).await?;
        Ok(Self { folder })
    }
}

#[async_trait]
impl BlobStore for FileBlobs {
    async fn put(&self, key: &BlobKey, info: &BlobInfo, mut bytes: ByteStream) -> Result<(), BlobError> {
        let (folder, key, info) = (self.folder.clone(), key.clone(), *info);
        let begun = off_thread("put", {
            let (folder, key) = (folder.clone(), key.clone());
            move || if folder.file(&key).exists() { Ok(None) } else { folder.begin().map(Some) }
        });
        let mut partial = begun.await?.ok_or(BlobError::AlreadyExists)?;

        // Hashing and writing go to another thread in pieces large enough to be worth the way there.
        let mut gathered = BytesMut::new();
        let mut ended = false;
        while !ended {
            let chunk = match bytes.next().await {
                Some(chunk) => chunk.map_err(BlobError::Interrupted)?,
                None => {
                    ended = true;
                    Bytes::new()
                }
            };
            if partial.bytes + (gathered.len() + chunk.len()) as u64 > info.bytes {
                return Err(mismatch(format!("there are more than {} bytes", info.bytes)));
            }
            let piece = if gathered.is_empty() && chunk.len() >= WRITE_AT_LEAST {
                chunk
            } else {
                gathered.extend_from_slice(&chunk);
                if gathered.len() < WRITE_AT_LEAST && !ended {
                    continue;
                }
                gathered.split().freeze()
            };
            if !piece.is_empty() {
                partial = off_thread("put", move || partial.write(&piece)).await?;
            }
        }

        let sha256 = Sha256Digest::from_bytes(partial.hash.finalize_reset().into());
        if partial.bytes != info.bytes {
            return Err(mismatch(format!("{} bytes came and {} were described", partial.bytes, info.bytes)));
        }
        if sha256 != info.sha256 {
            return Err(mismatch("the SHA-256 is another".to_owned()));
        }
        match off_thread("put", move || folder.publish(partial, &info, &key)).await? {
            Published::Yes => Ok(()),
            Published::Taken => Err(BlobError::AlreadyExists),
        }
    }

    async fn try_writing(&self) -> Result<(), BlobError> {
        let folder = self.folder.clone();
        Ok(off_thread("try writing", move || folder.begin()?.file.write_all(&[0; ONE_BLOCK])).await?)
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError> {
        let file = self.folder.file(key);
        let opened = off_thread("head", move || open_blob(&file)).await?;
        opened.map(|(_, info)| info.ok_or(BlobError::Corrupt)).transpose()
    }

    async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Option<Blob>, BlobError> {
        let file = self.folder.file(key);
        let opened = off_thread("get", move || {
            let Some((mut file, info)) = open_blob(&file)? else { return Ok(None) };
            let Some(info) = info else { return Ok(Some(None)) };
            let end = range.as_ref().map_or(info.bytes, |range| range.end.min(info.bytes));
            let start = range.map_or(0, |range| range.start.min(end));
            file.seek(SeekFrom::Start(start))?;
            Ok(Some(Some((file, info, end - start))))
        });
        let Some(opened) = opened.await? else { return Ok(None) };
        let (file, info, length) = opened.ok_or(BlobError::Corrupt)?;
        let file = tokio::fs::File::from_std(file).take(length);
        Ok(Some(Blob { info, bytes: Box::pin(ReaderStream::with_capacity(file, READ_AT_MOST)) }))
    }

    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError> {
        let (folder, from, to) = (self.folder.clone(), from.clone(), to.clone());
        Ok(off_thread("copy", move || folder.copy(&from, &to)).await?)
    }

    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError> {
        let (folder, keys) = (self.folder.clone(), keys.to_vec());
        Ok(off_thread("remove", move || folder.remove(&keys)).await?)
    }

    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError> {
        let (folder, prefix) = (self.folder.clone(), prefix.to_owned());
        let listed = off_thread("list", move || {
            let wanted = listing::Wanted {
                prefix: &prefix,
                after: page.after.as_ref().map(BlobKey::as_str),
                most: page.size.get() + 1,
            };
            let found = listing::keys(&folder.root, &wanted)?;
            Ok(Page::from_overfull(found, page.size, BlobKey::clone))
        });
        Ok(listed.await?)
    }
}

/// How many bytes are gathered before they are hashed and written.
const WRITE_AT_LEAST: usize = 256 << 10;
/// More than any file system keeps where it keeps a file's name, so that a full disk has no room for it.
const ONE_BLOCK: usize = 4 << 10;
/// How many bytes are read at a time.
const READ_AT_MOST: usize = 256 << 10;
/// How long a file that nobody finished may lie about.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How often a folder is made again when whoever removed the last blob from it was quicker.
const TRIES: usize = 32;
/// Where blobs are written before they are whole.
const PARTIAL: &str = "+partial";

/// The folder, as the threads that may block see it.
#[derive(Debug)]
struct Folder {
    root: PathBuf,
    /// Held while folders are made and made safe: nobody puts a blob into a folder that a crash could still take away.
    making_folders: Mutex<()>,
}

/// A blob being written. Dropping it removes the file.
struct Partial {
    file: File,
    path: TempPath,
    hash: Sha256,
    bytes: u64,
}

enum Published {
    Yes,
    Taken,
}

impl Folder {
    fn prepare(&self, now: Timestamp) -> io::Result<()> {
        let partial = self.root.join(PARTIAL);
        self.make_folders(&partial)?;
        let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
        for entry in fs::read_dir(&partial)? {
            let entry = entry?;
            if is_abandoned(&entry, now) {
                // Another process that starts at the same time may have removed it first.
                ignore_absent(fs::remove_file(entry.path()))?;
            }
        }
        // A folder that cannot be written to is better found now than at the first upload.
        self.begin().map(drop)
    }

    fn file(&self, key: &BlobKey) -> PathBuf {
        let (folders, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        let mut path = self.root.clone();
        path.extend(listing::folders(folders));
        path.push(format!("@{name}"));
        path
    }

    fn begin(&self) -> io::Result<Partial> {
        let (file, path) =
            tempfile::Builder::new().prefix("").rand_bytes(16).tempfile_in(self.root.join(PARTIAL))?.into_parts();
        Ok(Partial { file, path, hash: Sha256::new(), bytes: 0 })
    }

    fn publish(&self, mut partial: Partial, info: &BlobInfo, key: &BlobKey) -> io::Result<Published> {
        partial.file.write_all(&description::encode(info))?;
        partial.file.sync_all()?;
        self.publish_path(partial.path, &self.file(key))
    }

    /// Gives a finished file its name, if the name is free, and makes that safe from a crash.
    fn publish_path(&self, mut path: TempPath, target: &Path) -> io::Result<Published> {
        let parent = parent_of(target);
        for _ in 0..TRIES {
            if absent_as_none(self.make_folders(parent))?.is_none() {
                continue;
            }
            match path.persist_noclobber(target) {
                Ok(()) => {
                    sync_folder(parent)?;
                    return Ok(Published::Yes);
                }
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(Published::Taken),
                Err(error) if error.error.kind() == io::ErrorKind::NotFound => path = error.path,
                Err(error) => return Err(error.error),
            }
        }
        Err(io::Error::other("the blob's folder was removed again and again"))
    }

    fn copy(&self, from: &BlobKey, to: &BlobKey) -> io::Result<bool> {
        let (source, target) = (self.file(from), self.file(to));
        let parent = parent_of(&target);
        for _ in 0..TRIES {
            if !source.try_exists()? {
                return Ok(false);
            }
            if absent_as_none(self.make_folders(parent))?.is_none() {
                continue;
            }
            match fs::hard_link(&source, &target) {
                Ok(()) => {
                    sync_folder(parent)?;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // Not every file system has hard links, and those that have limit how many a file may have.
                Err(_) => return self.copy_bytes(&source, &target),
            }
        }
        Err(io::Error::other("the blob's folder was removed again and again"))
    }

    fn copy_bytes(&self, source: &Path, target: &Path) -> io::Result<bool> {
        let mut partial = self.begin()?;
        let Some(mut source) = absent_as_none(File::open(source))? else { return Ok(false) };
        io::copy(&mut source, &mut partial.file)?;
        partial.file.sync_all()?;
        self.publish_path(partial.path, target).map(|_| true)
    }

    fn remove(&self, keys: &[BlobKey]) -> io::Result<()> {
        let mut parents = BTreeSet::new();
        for key in keys {
            let file = self.file(key);
            if absent_as_none(fs::remove_file(&file))?.is_some() {
                parents.insert(parent_of(&file).to_owned());
            }
        }
        // Empty folders go too; what is left of each path must not forget the removal in a crash.
        let mut changed = BTreeSet::new();
        for parent in parents {
            let mut folder = parent.as_path();
            while folder != self.root && fs::remove_dir(folder).is_ok() {
                folder = parent_of(folder);
            }
            changed.insert(folder.to_owned());
        }
        changed.iter().try_for_each(|folder| sync_folder(folder))
    }

    /// Makes a folder and those above it, each safe from a crash before anything is put into it. Answers `NotFound` if one was removed
    /// meanwhile: whoever removes the last blob of a folder does not wait for this lock, and may be another process.
    fn make_folders(&self, folder: &Path) -> io::Result<()> {
        let _alone = self.making_folders.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()).collect();
        for folder in missing.into_iter().rev() {
            match private::make_folder(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
                made => made?,
            }
            sync_folder(parent_of(folder))?;
        }
        Ok(())
    }
}

impl Partial {
    fn write(mut self, bytes: &Bytes) -> io::Result<Self> {
        self.hash.update(bytes);
        self.file.write_all(bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(self)
    }
}

/// Runs what may block on a thread made for that.
async fn off_thread<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BackendFailure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failure(operation, error)),
        Err(gone) => Err(BackendFailure::transient(disk::BACKEND, operation, gone)),
    }
}

/// The file and its description; none of that if the file is damaged.
fn open_blob(path: &Path) -> io::Result<Option<(File, Option<BlobInfo>)>> {
    let Some(mut file) = absent_as_none(File::open(path))? else { return Ok(None) };
    let info = description::read(&mut file)?;
    Ok(Some((file, info)))
}

fn is_abandoned(entry: &fs::DirEntry, now: SystemTime) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > ABANDONED_AFTER))
}

fn absent_as_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    absent_as_none(result).map(drop)
}

fn mismatch(reason: String) -> BlobError {
    BlobError::Mismatch { reason }
}

/// The folder that a path lies in; that of a bare name is the current one.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in a folder safe from a crash. A folder that is gone has none.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { ignore_absent(File::open(folder).and_then(|folder| folder.sync_all())) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
