//! Albums.

use serde::{Deserialize, Serialize};

use crate::identifier::identifier;
use crate::terms::fold;
use crate::{AlbumCursor, Description, InvalidValue, PhotoId, Rank, Revision, Timestamp, Title, UserId};

identifier! {
    /// Names an album.
    AlbumId
}

/// A collection of photos in an order of its own. A photo may stand in many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Album {
    /// Its identity.
    pub id: AlbumId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is called; need not be unique.
    pub title: AlbumTitle,
    /// A text.
    pub description: Description,
    /// The photo that stands for it; without one, or while that is not visible, its first visible photo does.
    pub cover: Option<PhotoId>,
    /// Set while it is in the trash.
    pub trashed: Option<AlbumTrashed>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Counts the changes.
    pub revision: Revision,
}

impl Album {
    /// Its place in the list of albums.
    pub fn cursor(&self) -> AlbumCursor {
        AlbumCursor { at: self.created_at, id: self.id }
    }
}

/// That an album is in the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AlbumTrashed {
    /// Since when.
    pub at: Timestamp,
    /// What became of its photos.
    pub photos: AlbumPhotos,
}

/// What becomes of an album's photos when the album is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlbumPhotos {
    /// They go to the trash with it, also out of other albums.
    #[default]
    Delete,
    /// They stay.
    Keep,
}

/// An album and how many photos one sees in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlbumEntry {
    /// The album.
    pub album: Album,
    /// Its photos that are ready and not in the trash.
    pub photo_count: u64,
}

/// That a photo stands in an album.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The photo.
    pub photo: PhotoId,
    /// Its place.
    pub rank: Rank,
}

/// What an album is called: 1 to 200 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AlbumTitle(Title);

impl AlbumTitle {
    /// Parses a title.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let title = Title::parse(text)?;
        if title.is_empty() {
            return Err(InvalidValue::new("is empty: an album needs a title"));
        }
        Ok(Self(title))
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What makes two titles equal to the search `in:`: case and diacritics folded.
    pub fn key(&self) -> String {
        fold(self.as_str())
    }
}

impl TryFrom<String> for AlbumTitle {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<AlbumTitle> for String {
    fn from(title: AlbumTitle) -> Self {
        title.0.into()
    }
}
