//! Photos.

use serde::{Deserialize, Serialize};

use crate::identifier::identifier;
use crate::invalid::parse_text;
use crate::terms::PhotoTerms;
use crate::{
    AlbumId, ImageFacts, InvalidValue, MediaType, Month, PhotoCursor, Revision, Sha256Digest, Tag, Tags, TakenAt,
    Timestamp, UserId,
};

identifier! {
    /// Names a photo.
    PhotoId
}

/// A photo, from the moment its upload is announced until it is removed for good.
#[derive(Clone, Debug, PartialEq)]
pub struct Photo {
    /// Its identity.
    pub id: PhotoId,
    /// Whose it is.
    pub owner: UserId,
    /// The file as it was announced: what may be uploaded, byte for byte.
    pub original: Original,
    /// What the owner says of it.
    pub details: PhotoDetails,
    /// How far it has come.
    pub state: PhotoState,
    /// Set while it is in the trash.
    pub trashed: Option<Trashed>,
    /// When its upload was announced.
    pub created_at: Timestamp,
    /// Counts the changes.
    pub revision: Revision,
}

/// The file as it was announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// What the file was called.
    pub file_name: FileName,
    /// The type that was announced; what the bytes are is told by [`ImageFacts::media_type`].
    pub content_type: MediaType,
    /// Its length in bytes.
    pub bytes: u64,
    /// The hash of its bytes.
    pub sha256: Sha256Digest,
}

/// What the owner says of a photo.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PhotoDetails {
    /// One line.
    pub title: Title,
    /// A text.
    pub description: Description,
    /// Tags.
    pub tags: Tags,
    /// Marked as one of the best.
    pub favourite: bool,
    /// When it was taken: from the file's EXIF, or as the owner corrected it.
    pub taken_at: Option<TakenAt>,
}

/// How far a photo has come.
#[derive(Clone, Debug, PartialEq)]
pub enum PhotoState {
    /// Announced; its bytes are not here yet.
    Uploading,
    /// Its bytes are here and wait to be looked into.
    Processing,
    /// Looked into; its original and derived images can be fetched.
    Ready(ImageFacts),
    /// It did not become a photo; nothing of its bytes is kept.
    Failed(Failure),
    /// The tombstone: its blobs are being removed, then itself. Nobody sees it.
    Erasing {
        /// From when on no upload and no ingest that was under way can leave blobs behind any more: not before is the row removed.
        settled_at: Timestamp,
    },
}

impl PhotoState {
    /// The state's name, as stores keep it and the API shows it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Processing => "processing",
            Self::Ready(_) => "ready",
            Self::Failed(_) => "failed",
            Self::Erasing { .. } => "erasing",
        }
    }
}

/// Why a photo failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure.
    pub kind: FailureKind,
    /// A sentence for its owner that says what was wrong and what to do.
    pub detail: String,
}

/// The kinds of failures that end an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The bytes are of no type that the gallery takes.
    NotAPhoto,
    /// It looked like a photo, but no picture came out.
    Damaged,
    /// More pixels, frames or memory than the gallery takes on.
    TooLarge,
    /// The bytes are not those that were announced.
    ContentMismatch,
    /// No bytes came in time.
    NeverUploaded,
    /// Looking into it failed again and again for a reason on our side.
    ProcessingFailed,
}

/// That a photo is in the trash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Trashed {
    /// Since when.
    pub at: Timestamp,
    /// The album it was trashed with; it comes back when that does.
    pub with_album: Option<AlbumId>,
}

impl Photo {
    /// Where it stands in the timeline: when it was taken, else when it was announced.
    pub fn timeline_instant(&self) -> Timestamp {
        self.details.taken_at.map_or(self.created_at, |taken| taken.timeline_instant())
    }

    /// The month of the timeline it stands in.
    pub fn month(&self) -> Month {
        Month::of(self.timeline_instant())
    }

    /// Its place in the timeline.
    pub fn timeline_cursor(&self) -> PhotoCursor {
        PhotoCursor { at: self.timeline_instant(), id: self.id }
    }

    /// Ready and not in the trash: what timeline, albums, search and counts are made of.
    pub fn is_visible(&self) -> bool {
        matches!(self.state, PhotoState::Ready(_)) && self.trashed.is_none()
    }

    /// Ready and in the trash.
    pub fn is_in_trash(&self) -> bool {
        matches!(self.state, PhotoState::Ready(_)) && self.trashed.is_some()
    }

    /// Announced but not ready: uploading, processing or failed, and not in the trash.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.state, PhotoState::Uploading | PhotoState::Processing | PhotoState::Failed(_))
            && self.trashed.is_none()
    }

    /// Whether its owner may not have a second photo of the same bytes beside it.
    pub fn holds_content(&self) -> bool {
        matches!(self.state, PhotoState::Uploading | PhotoState::Processing | PhotoState::Ready(_))
            && self.trashed.is_none()
    }

    /// Whether it has its tombstone: to its owner it is gone.
    pub fn is_erasing(&self) -> bool {
        matches!(self.state, PhotoState::Erasing { .. })
    }

    /// What is known of its picture, once it is ready.
    pub fn facts(&self) -> Option<&ImageFacts> {
        match &self.state {
            PhotoState::Ready(facts) => Some(facts),
            _ => None,
        }
    }

    /// The words by which it is found.
    pub fn terms(&self) -> PhotoTerms {
        PhotoTerms::of(
            self.details.title.as_str(),
            self.details.description.as_str(),
            self.details.tags.iter().map(Tag::as_str),
            self.original.file_name.stem(),
        )
    }
}

/// How many visible photos stand in a month of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonthCount {
    /// The month.
    pub month: Month,
    /// At least 1.
    pub photos: u64,
}

/// The name of a file, without a path: 1 to 255 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

impl FileName {
    /// Parses a file name.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = parse_text(text, 255, &[])?;
        if text.is_empty() {
            return Err(InvalidValue::new("is empty: give the file's name, such as IMG_1234.jpg"));
        }
        if text.contains(['/', '\\']) || text == "." || text == ".." {
            return Err(InvalidValue::new("holds a path: give only the file's name, such as IMG_1234.jpg"));
        }
        Ok(Self(text))
    }

    /// The name that a store kept. It is not checked again.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name without its last extension.
    pub fn stem(&self) -> &str {
        match self.0.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => &self.0,
        }
    }
}

impl TryFrom<String> for FileName {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

/// One line of at most 200 characters; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

impl Title {
    /// Parses a title.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        parse_text(text, 200, &[]).map(Self)
    }

    /// The title that a store kept. It is not checked again.
    pub fn from_stored(title: String) -> Self {
        Self(title)
    }

    /// The title.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Title {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

/// A text of at most 5,000 characters; may hold line breaks and tabs, may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Description(String);

impl Description {
    /// Parses a description. Line breaks become `\n`.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        parse_text(&text, 5_000, &['\n', '\t']).map(Self)
    }

    /// The text that a store kept. It is not checked again.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Description> for String {
    fn from(description: Description) -> Self {
        description.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_holds_no_path() {
        for text in ["../etc/passwd", "a/b.jpg", "C:\\a.jpg", "..", "", "a\u{0}.jpg"] {
            assert!(FileName::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(FileName::parse("IMG_1.tar.jpg").unwrap().stem(), "IMG_1.tar");
        assert_eq!(FileName::parse(".jpg").unwrap().stem(), ".jpg");
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        assert!(Title::parse(&"é".repeat(200)).is_ok());
        assert!(Title::parse(&"é".repeat(201)).is_err());
        assert!(Title::parse("two\nlines").is_err());
        assert_eq!(Description::parse("two\r\nlines").unwrap().as_str(), "two\nlines");
        assert!(Description::parse(&"x".repeat(5_001)).is_err());
    }
}
