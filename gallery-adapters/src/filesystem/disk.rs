//! What is wrong with a disk, in words.

use std::io::{self, ErrorKind};
use std::time::Duration;

use gallery_domain::ports::{BackendFailure, Outage, Retry};

pub(super) const BACKEND: &str = "files";

/// A failure of the disk, with what to do about it. It names no path: messages end up in logs.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
struct DiskTrouble {
    advice: &'static str,
    source: io::Error,
}

pub(super) fn failure(operation: &'static str, error: io::Error) -> BackendFailure {
    let soon = Retry::After(Duration::from_secs(1));
    let outage = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some(Outage::DiskFull),
        ErrorKind::ReadOnlyFilesystem => Some(Outage::ReadOnly),
        _ => None,
    };
    let (advice, retry) = match error.kind() {
        ErrorKind::StorageFull => {
            ("the disk is full: make room on the disk that holds the blobs", Retry::After(Duration::from_secs(60)))
        }
        ErrorKind::QuotaExceeded => {
            ("the disk quota is used up: make room or raise the quota", Retry::After(Duration::from_secs(60)))
        }
        ErrorKind::ReadOnlyFilesystem => (
            "the disk is mounted read-only: mount it for writing or choose another folder in GALLERY_BLOBS",
            Retry::Never,
        ),
        ErrorKind::PermissionDenied => (
            "the gallery may not read or write the folder of the blobs: give its user both rights, or choose another folder in GALLERY_BLOBS",
            Retry::Never,
        ),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => (
            "there is a file where the folder of the blobs should be: move it away, or choose another folder in GALLERY_BLOBS",
            Retry::Never,
        ),
        ErrorKind::NotFound => (
            "the folder of the blobs is gone: was a disk unmounted? Bring it back and start the gallery again",
            Retry::Never,
        ),
        ErrorKind::InvalidFilename => {
            ("the key has a part that is too long for a file's name on this disk", Retry::Never)
        }
        ErrorKind::Interrupted
        | ErrorKind::WouldBlock
        | ErrorKind::TimedOut
        | ErrorKind::ResourceBusy
        | ErrorKind::StaleNetworkFileHandle => ("the disk is busy or out of reach for the moment", soon),
        _ if too_many_open_files(&error) => {
            ("too many files are open: raise the limit of open files (ulimit -n)", soon)
        }
        _ => ("the disk reports an error: see the cause, and check the disk", Retry::Never),
    };
    BackendFailure {
        backend: BACKEND,
        operation,
        retry,
        outage,
        source: Box::new(DiskTrouble { advice, source: without_path(error) }),
    }
}

fn too_many_open_files(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Some libraries add the path to the operating system's message.
fn without_path(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None if error.kind() == ErrorKind::Other => error,
        None => io::Error::from(error.kind()),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_said_in_words_and_worth_another_try() {
        use std::io::Write;

        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let failure = failure("put", full.write_all(b"x").unwrap_err());
        assert!(failure.is_transient());
        assert_eq!(failure.outage, Some(Outage::DiskFull));
        assert!(failure.source.to_string().starts_with("the disk is full"));
        assert!(failure.source.source().is_some());
    }

    #[test]
    fn what_a_person_must_mend_is_not_tried_again() {
        for kind in [
            ErrorKind::ReadOnlyFilesystem,
            ErrorKind::PermissionDenied,
            ErrorKind::NotADirectory,
            ErrorKind::InvalidFilename,
            ErrorKind::UnexpectedEof,
        ] {
            assert!(!failure("put", kind.into()).is_transient(), "{kind:?}");
        }
    }

    #[test]
    fn no_message_names_a_path() {
        let missing = tempfile::NamedTempFile::new_in("/nowhere/at/all").unwrap_err();
        assert!(missing.to_string().contains("/nowhere"), "the library's message does");
        let failure = failure("open", missing);
        let mut cause: Option<&dyn Error> = Some(&failure);
        while let Some(error) = cause {
            assert!(!error.to_string().contains("/nowhere"), "{error}");
            cause = error.source();
        }
    }
}
