//! The key that URLs are signed with.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gallery_domain::ports::IdGenerator;

/// 32 random bytes that URLs are signed with. Whoever has them can read and write any blob.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl SigningKey {
    /// A key of 32 random bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the key kept in a file, which only its owner may read; the first time it is made. Of two processes that make it at once,
    /// both end up with the same key.
    pub async fn load_or_create(path: impl Into<PathBuf>, ids: &dyn IdGenerator) -> Result<Self, SigningKeyError> {
        let (path, fresh) = (path.into(), ids.new_secret());
        let work = tokio::task::spawn_blocking(move || load_or_create(&path, &fresh));
        work.await.map_err(|gone| SigningKeyError::File(io::Error::other(gone)))?
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// The file cannot be read or made.
    #[error(
        "the file of the signing key cannot be read or made: the gallery's user needs both rights on the data folder"
    )]
    File(#[source] io::Error),

    /// The file does not hold 32 bytes.
    #[error(
        "the file of the signing key does not hold 32 bytes: remove it, and the next start makes a new one (URLs given out before stop working)"
    )]
    Damaged,
}

fn load_or_create(path: &Path, fresh: &[u8; 32]) -> Result<SigningKey, SigningKeyError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, fresh).map_err(SigningKeyError::File)?,
        read => return decode(read),
    }
    decode(fs::read(path))
}

fn decode(read: io::Result<Vec<u8>>) -> Result<SigningKey, SigningKeyError> {
    let bytes = read.map_err(SigningKeyError::File)?;
    bytes.try_into().map(SigningKey).map_err(|_| SigningKeyError::Damaged)
}

/// Makes the file whole or not at all, unless somebody else has.
fn create(path: &Path, fresh: &[u8; 32]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Temporary files are readable for their owner only, and stay so under their last name.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(fresh)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error),
        _ => {}
    }
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemIds;

    #[tokio::test]
    async fn the_key_is_made_once_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/signing.key");
        let first = SigningKey::load_or_create(&path, &SystemIds::default()).await.unwrap();
        let second = SigningKey::load_or_create(&path, &SystemIds::default()).await.unwrap();
        assert_eq!(first.0, second.0);
        assert_ne!(first.0, [0; 32]);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert_eq!(format!("{first:?}"), "SigningKey(…)");
    }

    #[tokio::test]
    async fn of_many_that_make_it_at_once_all_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        let keys = futures_util::future::join_all((0..16).map(|_| {
            let path = path.clone();
            async move { SigningKey::load_or_create(path, &SystemIds::default()).await.unwrap().0 }
        }))
        .await;
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_its_owner_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        SigningKey::load_or_create(&path, &SystemIds::default()).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_damaged_key_is_an_error_and_not_replaced_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.key");
        fs::write(&path, [7; 31]).unwrap();
        let error = SigningKey::load_or_create(&path, &SystemIds::default()).await.unwrap_err();
        assert!(matches!(error, SigningKeyError::Damaged));
        assert_eq!(fs::read(&path).unwrap(), [7; 31]);
    }
}
