//! Folders that must not lie in each other.

use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// Whether a path is a folder itself or leads into it, whatever links and dots it takes; neither has to exist.
pub(super) fn lies_in(path: &Path, folder: &Path) -> io::Result<bool> {
    Ok(real(path)?.starts_with(real(folder)?))
}

/// The path without links and dots.
fn real(path: &Path) -> io::Result<PathBuf> {
    let mut real = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => drop(real.pop()),
            part => real.push(part),
        }
        match real.canonicalize() {
            Ok(canonical) => real = canonical,
            // What is not there is no link either.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(real)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_lies_in_itself_and_in_what_is_above_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        for inside in ["data", "data/", "data/a/b", "other/../data/a", "data/../data/./a"] {
            assert!(lies_in(&folder.path().join(inside), &data).unwrap(), "{inside}");
        }
        for outside in ["", "database", "data/..", "data/../b"] {
            assert!(!lies_in(&folder.path().join(outside), &data).unwrap(), "{outside}");
        }
    }

    #[test]
    fn links_do_not_hide_where_a_path_leads() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(lies_in(&link, &data).unwrap() && lies_in(&data, &link).unwrap());
        assert!(lies_in(&link.join("new"), &data).unwrap());
        assert!(lies_in(&folder.path().join("absent/../link/new"), &data).unwrap());
        assert!(!lies_in(&link.join("../new"), &data.join("a")).unwrap());
    }
}
