//! Keys in the order of their bytes, found by walking only the folders that can hold them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use gallery_domain::BlobKey;

/// Which keys are wanted.
pub(super) struct Wanted<'a> {
    pub(super) prefix: &'a str,
    pub(super) after: Option<&'a str>,
    /// At most this many.
    pub(super) most: usize,
}

/// The first of the wanted keys. Memory grows with their number, not with that of the files.
pub(super) fn keys(root: &Path, wanted: &Wanted<'_>) -> io::Result<Vec<BlobKey>> {
    let mut found = Vec::new();
    let folder = match wanted.prefix.rsplit_once('/') {
        None => String::new(),
        // No key lies in a folder that could not be part of one.
        Some((folder, _)) if folder.parse::<BlobKey>().is_err() => return Ok(found),
        Some((folder, _)) => format!("{folder}/"),
    };
    let mut path = root.to_owned();
    path.extend(folder.split('/').filter(|segment| !segment.is_empty()));
    walk(&path, &folder, wanted, &mut found)?;
    Ok(found)
}

/// Adds the wanted keys of a folder; `start` is what they all start with.
///
/// Each entry stands where its keys stand: a blob by its key, a folder by what its keys start with. A folder's own keys differ
/// from it only behind that, so sorting the entries sorts the keys.
fn walk(folder: &Path, start: &str, wanted: &Wanted<'_>, found: &mut Vec<BlobKey>) -> io::Result<()> {
    let mut handled = String::new();
    while found.len() < wanted.most {
        let room = wanted.most - found.len();
        let entries = first_entries(folder, start, wanted, &handled, room)?;
        let last_look = entries.len() < room;
        for (place, kind) in entries {
            match kind {
                Entry::Blob(key) => found.push(key),
                Entry::Folder(name) => walk(&folder.join(name), &place, wanted, found)?,
            }
            if found.len() == wanted.most {
                return Ok(());
            }
            handled = place;
        }
        // Folders may have turned out empty, so there is room for entries that were left aside.
        if last_look {
            return Ok(());
        }
    }
    Ok(())
}

enum Entry {
    Blob(BlobKey),
    Folder(String),
}

/// The first `room` entries, in order, that stand behind `handled` and can hold wanted keys.
fn first_entries(
    folder: &Path,
    start: &str,
    wanted: &Wanted<'_>,
    handled: &str,
    room: usize,
) -> io::Result<BTreeMap<String, Entry>> {
    let mut first = BTreeMap::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(first),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let (place, kind) = match name.strip_prefix('@') {
            Some(segment) => {
                let Ok(key) = format!("{start}{segment}").parse::<BlobKey>() else { continue };
                if !wanted.is_wanted(key.as_str()) || !entry.file_type()?.is_file() {
                    continue;
                }
                (key.as_str().to_owned(), Entry::Blob(key))
            }
            None => {
                let place = format!("{start}{name}/");
                if !wanted.may_lie_in(&place) || name.parse::<BlobKey>().is_err() || !entry.file_type()?.is_dir() {
                    continue;
                }
                (place, Entry::Folder(name.to_owned()))
            }
        };
        if place.as_str() <= handled {
            continue;
        }
        first.insert(place, kind);
        if first.len() > room {
            first.pop_last();
        }
    }
    Ok(first)
}

impl Wanted<'_> {
    fn is_wanted(&self, key: &str) -> bool {
        key.starts_with(self.prefix) && self.after.is_none_or(|after| key > after)
    }

    /// Whether a key that starts with `place` can be wanted.
    fn may_lie_in(&self, place: &str) -> bool {
        (place.starts_with(self.prefix) || self.prefix.starts_with(place))
            && self.after.is_none_or(|after| place > after || after.starts_with(place))
    }
}
