//! Puts a gallery into the place of another in such a way that one of the two is whole at every moment, whatever cuts it off.
//!
//! All of it happens within the data folder, which may be a mount point, while it is [locked](super::opened::lock_alone):
//!
//! 1. The new gallery is made in `.restoring`. Nothing else is touched meanwhile.
//! 2. `.restoring` is whole and becomes `.restored`: from now on the new gallery is the one that counts.
//! 3. Everything else goes into `.replaced`, then `.restored` becomes `.entering`.
//! 4. Everything in `.entering` comes out, and `.replaced` is removed.
//!
//! Each step can be repeated, and the names tell which comes next.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::opened::LOCK_FILE;

const RESTORING: &str = ".restoring";
const RESTORED: &str = ".restored";
const ENTERING: &str = ".entering";
const REPLACED: &str = ".replaced";

/// A new gallery in the making, inside the folder that it is for. Dropping it removes it.
pub(super) struct Replacement<'a> {
    data: &'a Path,
    folder: PathBuf,
}

impl<'a> Replacement<'a> {
    /// Makes an empty folder for the new gallery.
    pub(super) fn begin(data: &'a Path) -> io::Result<Self> {
        let folder = data.join(RESTORING);
        remove(&folder)?;
        fs::create_dir(&folder)?;
        Ok(Self { data, folder })
    }

    /// Where the new gallery is made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets the new gallery, all of which has to be on the disk for good, take the place of what is there.
    pub(super) fn commit(self) -> io::Result<()> {
        fs::rename(&self.folder, self.data.join(RESTORED))?;
        sync(self.data)?;
        finish(self.data)
    }
}

impl Drop for Replacement<'_> {
    fn drop(&mut self) {
        // What cannot be removed now is removed before the next one; after a commit there is nothing.
        let _ = remove(&self.folder);
    }
}

/// Whether the new gallery is whole and not yet in its place.
pub(super) fn was_cut_off(data: &Path) -> bool {
    [RESTORED, ENTERING, REPLACED].iter().any(|name| data.join(name).exists())
}

/// Goes on where a replacement was cut off.
pub(super) fn finish(data: &Path) -> io::Result<()> {
    let (restored, entering, replaced) = (data.join(RESTORED), data.join(ENTERING), data.join(REPLACED));
    if restored.exists() {
        fs::create_dir_all(&replaced)?;
        for name in others(data)? {
            fs::rename(data.join(&name), replaced.join(&name))?;
        }
        sync(data)?;
        fs::rename(&restored, &entering)?;
        sync(data)?;
    }
    if entering.exists() {
        for entry in fs::read_dir(&entering)? {
            let name = entry?.file_name();
            fs::rename(entering.join(&name), data.join(&name))?;
        }
        sync(data)?;
        fs::remove_dir(&entering)?;
    }
    remove(&replaced)?;
    sync(data)
}

/// What a data folder holds beside its lock and replacements.
pub(super) fn others(data: &Path) -> io::Result<Vec<PathBuf>> {
    let names: Vec<_> =
        fs::read_dir(data)?.map(|entry| Ok(PathBuf::from(entry?.file_name()))).collect::<io::Result<_>>()?;
    let own = [LOCK_FILE, RESTORING, RESTORED, ENTERING, REPLACED].map(Path::new);
    Ok(names.into_iter().filter(|name| !own.contains(&&**name)).collect())
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn write(folder: &Path, names: &[&str], content: &str) {
        for name in names {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
    }

    fn contents(data: &Path) -> BTreeMap<String, String> {
        let files = walkdir::WalkDir::new(data).into_iter().map(Result::unwrap).filter(|it| it.file_type().is_file());
        let name = |path: &Path| path.strip_prefix(data).unwrap().to_str().unwrap().to_owned();
        files.map(|file| (name(file.path()), fs::read_to_string(file.path()).unwrap())).collect()
    }

    fn is_new_gallery(data: &Path) -> bool {
        let new = [("blobs/a", "new"), ("gallery.db", "new"), ("lock", "")];
        !was_cut_off(data) && contents(data) == new.map(|(name, content)| (name.into(), content.into())).into()
    }

    const OLD: [&str; 3] = ["blobs/a", "gallery.db", "gallery.db-wal"];

    #[test]
    fn a_new_gallery_takes_the_place_of_all_that_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        write(data, &OLD, "old");
        write(data, &["lock"], "");
        write(data, &[".restoring/of a restore that was cut off"], "half");
        let new = Replacement::begin(data).unwrap();
        write(new.folder(), &["blobs/a", "gallery.db"], "new");
        new.commit().unwrap();
        assert!(is_new_gallery(data), "{:?}", contents(data));
    }

    #[test]
    fn until_it_is_whole_it_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        write(data, &OLD, "old");
        let before = contents(data);
        let new = Replacement::begin(data).unwrap();
        write(new.folder(), &["gallery.db"], "new");
        assert!(!was_cut_off(data));
        drop(new);
        assert_eq!(contents(data), before);
    }

    #[test]
    fn wherever_it_was_cut_off_it_can_be_finished() {
        // After each rename that `finish` makes: what stands where.
        type Names = &'static [&'static str];
        let moments: [(&str, Names, Names, Names); 6] = [
            (".restored", &["blobs/a", "gallery.db"], &OLD, &[]),
            (".restored", &["blobs/a", "gallery.db"], &OLD[1..], &OLD[..1]),
            (".restored", &["blobs/a", "gallery.db"], &[], &OLD),
            (".entering", &["blobs/a", "gallery.db"], &[], &OLD),
            (".entering", &["gallery.db"], &["blobs/a"], &OLD),
            (".entering", &[], &["blobs/a", "gallery.db"], &OLD),
        ];
        for (stage, waiting, outside, replaced) in moments {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path();
            fs::create_dir(data.join(stage)).unwrap();
            write(&data.join(stage), waiting, "new");
            write(data, outside, if stage == ".restored" { "old" } else { "new" });
            write(&data.join(".replaced"), replaced, "old");
            write(data, &["lock"], "");
            assert!(was_cut_off(data));
            finish(data).unwrap();
            assert!(is_new_gallery(data), "{stage} {waiting:?}: {:?}", contents(data));
        }
    }
}
