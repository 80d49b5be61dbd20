//! Where the bytes of photos are kept.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{InvalidValue, Photo, PhotoId, Sha256Digest, UserId};

/// The name of a blob: path segments of ASCII letters, digits, `-`, `_` and `.`, divided by `/`.
///
/// | key | holds |
/// |---|---|
/// | `incoming/<owner>/<photo>` | bytes just uploaded, not looked into yet |
/// | `original/<owner>/<photo>/<sha256>` | the original, byte for byte |
/// | `derived/<owner>/<photo>/<size>.jpg` | an image made from it |
///
/// ```
/// # use gallery_domain::BlobKey;
/// assert!("original/../../etc/passwd".parse::<BlobKey>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobKey(String);

/// The images that are made of each photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DerivedImage {
    /// For grids: 320 px on the long edge.
    Thumbnail,
    /// For a screen: 1920 px on the long edge.
    Preview,
}

impl DerivedImage {
    /// Every image.
    pub const ALL: [Self; 2] = [Self::Thumbnail, Self::Preview];

    /// Pixels of the long edge; smaller originals are not enlarged.
    pub const fn long_edge(self) -> u32 {
        match self {
            Self::Thumbnail => 320,
            Self::Preview => 1920,
        }
    }
}

/// Which part of the blob store a key lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlobArea {
    /// Just uploaded.
    Incoming,
    /// Originals.
    Original,
    /// Images made from originals.
    Derived,
}

impl BlobArea {
    /// Every area.
    pub const ALL: [Self; 3] = [Self::Incoming, Self::Original, Self::Derived];

    /// The first segment of its keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "incoming",
            Self::Original => "original",
            Self::Derived => "derived",
        }
    }

    /// The prefix of one owner's keys in this area.
    pub fn of_owner(self, owner: UserId) -> String {
        format!("{}/{owner}/", self.as_str())
    }
}

impl BlobKey {
    /// Where a photo's bytes are uploaded to.
    pub fn incoming(owner: UserId, photo: PhotoId) -> Self {
        Self(format!("incoming/{owner}/{photo}"))
    }

    /// Where a photo's original stays.
    pub fn original(owner: UserId, photo: PhotoId, sha256: &Sha256Digest) -> Self {
        Self(format!("original/{owner}/{photo}/{sha256}"))
    }

    /// Where an image made from a photo stays.
    pub fn derived(owner: UserId, photo: PhotoId, image: DerivedImage) -> Self {
        Self(format!("derived/{owner}/{photo}/{}.jpg", image.long_edge()))
    }

    /// Every blob that a photo can have, in whatever state it is.
    pub fn all_of(photo: &Photo) -> Vec<Self> {
        let mut keys =
            vec![Self::incoming(photo.owner, photo.id), Self::original(photo.owner, photo.id, &photo.original.sha256)];
        keys.extend(DerivedImage::ALL.map(|image| Self::derived(photo.owner, photo.id, image)));
        keys
    }

    /// The area, owner and photo that the key speaks of; `None` for a key that the gallery did not make.
    pub fn subject(&self) -> Option<(BlobArea, UserId, PhotoId)> {
        let mut segments = self.0.split('/');
        let area = segments.next()?;
        let area = BlobArea::ALL.into_iter().find(|known| known.as_str() == area)?;
        Some((area, segments.next()?.parse().ok()?, segments.next()?.parse().ok()?))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BlobKey {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let segment_is_plain = |segment: &str| {
            !segment.is_empty()
                && segment.bytes().any(|byte| byte != b'.')
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if text.len() <= 512 && text.split('/').all(segment_is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidValue::new("is not the name of a blob"))
        }
    }
}

impl TryFrom<String> for BlobKey {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BlobKey> for String {
    fn from(key: BlobKey) -> Self {
        key.0
    }
}

impl fmt::Display for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_leaves_its_store() {
        for text in ["", "/", "a//b", "a/../b", "a/./b", "/etc/passwd", "a/", "a\\b", "a b", "é", "a\0b"] {
            assert!(text.parse::<BlobKey>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_key_tells_its_owner_and_photo() {
        let (owner, photo) =
            (UserId::from_uuid(uuid::Uuid::from_u128(1)), PhotoId::from_uuid(uuid::Uuid::from_u128(2)));
        let key = BlobKey::derived(owner, photo, DerivedImage::Preview);
        assert_eq!(key.subject(), Some((BlobArea::Derived, owner, photo)));
        assert_eq!(key.as_str().parse(), Ok(key.clone()));
        assert_eq!("stray/file".parse::<BlobKey>().unwrap().subject(), None);
    }
}
