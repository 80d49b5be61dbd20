//! Folders and files that nobody else on the machine looks into.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Makes one folder.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    builder().create(folder)
}

/// Makes a folder and those above it; one that is there is left as it is.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    builder().recursive(true).create(folder)
}

/// Makes an empty file, unless it is there.
pub(crate) fn make_file(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

fn builder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
