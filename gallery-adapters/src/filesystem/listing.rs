//! Keys in the order of their bytes, found by walking only the folders that can hold them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use gallery_domain::BlobKey;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::PARTIAL;

/// Which keys are wanted.
#[derive(Clone, Copy)]
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
    path.extend(folders(&folder));
    walk(&path, &folder, wanted, &mut found)?;
    Ok(found)
}

/// The folders that a key's segments stand for, but for the last.
pub(super) fn folders(segments: &str) -> impl Iterator<Item = String> {
    segments.split('/').filter(|segment| !segment.is_empty()).flat_map(|segment| match Uuid::try_parse(segment) {
        Ok(_) if segment.len() == Hyphenated::LENGTH => {
            let (days, rest) = segment.split_at(5);
            let (minute, rest) = rest.split_at(3);
            vec![format!("+{days}"), format!("+{minute}"), rest.to_owned()]
        }
        _ => vec![segment.to_owned()],
    })
}

/// Adds the wanted keys of a folder; `start` is what they all start with.
///
/// Each entry stands where its keys stand: a blob by its key, a folder by what its keys start with. A folder's own keys differ
/// from it only behind that, so sorting the entries sorts the keys; but for the beginning of a segment, whose keys other entries may
/// stand among: those are looked at together.
fn walk(folder: &Path, start: &str, wanted: &Wanted<'_>, found: &mut Vec<BlobKey>) -> io::Result<()> {
    let mut handled = String::new();
    while found.len() < wanted.most {
        let room = wanted.most - found.len();
        let entries = first_entries(folder, start, wanted, &handled, room)?;
        let last_look = entries.len() < room;
        let mut entries = entries.into_iter().peekable();
        while let Some((place, entry)) = entries.next() {
            let is_beginning = matches!(entry, Entry::Beginning(_));
            let mut together = vec![(place.clone(), entry)];
            handled.clone_from(&place);
            while let Some((among, entry)) = entries.next_if(|(other, _)| is_beginning && other.starts_with(&place)) {
                handled.clone_from(&among);
                together.push((among, entry));
            }
            let room = Wanted { most: wanted.most - found.len(), ..*wanted };
            let mut keys = Vec::new();
            for (place, entry) in together {
                match entry {
                    Entry::Blob(key) => keys.push(key),
                    Entry::Folder(name) | Entry::Beginning(name) => {
                        let mut within = Vec::new();
                        walk(&folder.join(name), &place, &room, &mut within)?;
                        keys.append(&mut within);
                    }
                }
            }
            if is_beginning {
                keys.sort();
            }
            found.extend(keys.into_iter().take(room.most));
            if found.len() == wanted.most {
                return Ok(());
            }
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
    /// A folder that holds the rest of segments with one beginning.
    Beginning(String),
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
    let (mut beginnings, mut others) = (false, false);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(first),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let (place, kind) = match (name.strip_prefix('@'), name.strip_prefix('+')) {
            (_, Some(beginning)) => {
                let place = format!("{start}{beginning}");
                let is_partial = start.is_empty() && name == PARTIAL;
                if is_partial || !wanted.may_lie_in(&place) || !entry.file_type()?.is_dir() {
                    continue;
                }
                beginnings = true;
                (place, Entry::Beginning(name.to_owned()))
            }
            (Some(segment), None) => {
                let Ok(key) = format!("{start}{segment}").parse::<BlobKey>() else { continue };
                if !wanted.is_wanted(key.as_str()) || !entry.file_type()?.is_file() {
                    continue;
                }
                others = true;
                (key.as_str().to_owned(), Entry::Blob(key))
            }
            (None, None) => {
                let place = format!("{start}{name}/");
                if !wanted.may_lie_in(&place) || name.parse::<BlobKey>().is_err() || !entry.file_type()?.is_dir() {
                    continue;
                }
                others = true;
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
    if beginnings && others && room < usize::MAX {
        // Any of the others may stand among the keys of a beginning. The gallery's own keys never do.
        return first_entries(folder, start, wanted, handled, usize::MAX);
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
