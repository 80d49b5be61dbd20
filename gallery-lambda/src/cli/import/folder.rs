//! Finds files that may be photos.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use gallery_domain::MediaType;
use gallery_domain::services::Policy;
use walkdir::{DirEntry, WalkDir};

/// A file that begins like a photo.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// The folder that it lies in, from the folder that is imported on: `2024 / Rome`.
    pub(super) folder: String,
    pub(super) media_type: MediaType,
    pub(super) modified: Option<SystemTime>,
}

/// What a file is to an import.
#[derive(Debug)]
pub(super) enum Found {
    Candidate(Candidate),
    /// Nothing that anybody would expect to become a photo.
    Skipped {
        reason: String,
    },
    /// Somebody may expect it to become a photo, but it cannot.
    Refused {
        path: PathBuf,
        reason: String,
    },
    /// It cannot be looked at.
    Failed {
        path: PathBuf,
        reason: String,
    },
}

/// A file under the folder that is imported, or why it cannot be told.
pub(super) struct Entry {
    root: PathBuf,
    entry: Result<DirEntry, walkdir::Error>,
}

/// The files of a folder and of all folders in it, by name. Links are not followed, hidden files and folders are passed over.
pub(super) fn files(root: &Path) -> impl Iterator<Item = Entry> {
    let shown = |entry: &DirEntry| entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".");
    let walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter().filter_entry(shown);
    let root = root.to_owned();
    walk.filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir()))
        .map(move |entry| Entry { root: root.clone(), entry })
}

/// Reads how a file begins: that, and not its name, tells whether it may be a photo.
pub(super) fn look_at(Entry { root, entry }: Entry) -> Found {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => {
            let path = error.path().unwrap_or(&root).to_owned();
            return Found::Failed { path, reason: reason_of(&error) };
        }
    };
    if !entry.file_type().is_file() {
        let reason = if entry.path_is_symlink() { "link" } else { "no file" };
        return Found::Skipped { reason: reason.to_owned() };
    }
    let path = entry.path().to_owned();
    let (first, length, modified) = match beginning(&path) {
        Ok(read) => read,
        Err(error) => return Found::Failed { path, reason: error.to_string() },
    };
    let Some(media_type) = MediaType::of_magic_bytes(&first) else { return not_a_photo(path, length) };
    let limit = Policy::default().largest_upload;
    if length > limit {
        return Found::Refused { path, reason: format!("it is larger than {} MiB", limit >> 20) };
    }
    Found::Candidate(Candidate { folder: folder_of(&root, &path), path, media_type, modified })
}

fn beginning(path: &Path) -> std::io::Result<(Vec<u8>, u64, Option<SystemTime>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let mut first = Vec::with_capacity(12);
    file.take(12).read_to_end(&mut first)?;
    Ok((first, metadata.len(), metadata.modified().ok()))
}

fn not_a_photo(path: PathBuf, length: u64) -> Found {
    let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
    if !["jpg", "jpeg", "jpe", "png", "webp", "gif"].contains(&extension.as_str()) {
        let reason = if extension.is_empty() { "without an extension".to_owned() } else { format!(".{extension}") };
        return Found::Skipped { reason };
    }
    let reason = if length == 0 { "it is empty" } else { "it is not a photo, whatever its name says" };
    Found::Refused { path, reason: reason.to_owned() }
}

/// `2024 / Rome` for `photos/2024/Rome/1.jpg` under `photos`; the folder's own name for what lies right in it.
fn folder_of(root: &Path, path: &Path) -> String {
    let within = path.parent().and_then(|parent| parent.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    if within.as_os_str().is_empty() {
        let folder = if root == path { path.parent().unwrap_or(root) } else { root };
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        return folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    }
    let parts: Vec<_> = within.iter().map(OsStr::to_string_lossy).collect();
    parts.join(" / ")
}

/// The cause without the path, which is said beside it.
fn reason_of(error: &walkdir::Error) -> String {
    error.io_error().map_or_else(|| error.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_album_is_named_by_the_way_to_its_folder() {
        assert_eq!(folder_of(Path::new("/photos"), Path::new("/photos/2024/Rome/1.jpg")), "2024 / Rome");
        assert_eq!(folder_of(Path::new("/photos"), Path::new("/photos/1.jpg")), "photos");
        assert_eq!(folder_of(Path::new("/photos/1.jpg"), Path::new("/photos/1.jpg")), "photos");
    }

    #[test]
    fn hidden_files_and_links_are_no_photos() {
        let folder = tempfile::tempdir().unwrap();
        let jpeg = b"\xFF\xD8\xFF\xE0 and so on";
        std::fs::create_dir(folder.path().join(".hidden")).unwrap();
        for name in ["b.jpg", "a.png", ".hidden/c.jpg", ".d.jpg"] {
            std::fs::write(folder.path().join(name), jpeg).unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("b.jpg"), folder.path().join("link.jpg")).unwrap();
        let found: Vec<_> = files(folder.path()).map(look_at).collect();
        let names: Vec<_> = found
            .iter()
            .filter_map(|found| match found {
                Found::Candidate(candidate) => candidate.path.file_name().and_then(OsStr::to_str),
                _ => None,
            })
            .collect();
        assert_eq!(names, ["a.png", "b.jpg"]);
        assert!(matches!(&found[2], Found::Skipped { reason } if reason == "link"));
    }

    #[test]
    fn a_text_that_calls_itself_a_photo_is_refused_and_any_other_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.jpg", "b.txt"] {
            std::fs::write(folder.path().join(name), "hello").unwrap();
        }
        let found: Vec<_> = files(folder.path()).map(look_at).collect();
        assert!(matches!(&found[0], Found::Refused { reason, .. } if reason.contains("not a photo")));
        assert!(matches!(&found[1], Found::Skipped { reason } if reason == ".txt"));
    }
}
