//! Tags.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::invalid::parse_text;
use crate::terms::tag_key;
use crate::{InvalidField, InvalidValue};

/// A tag as its owner wrote it: 1 to 64 characters.
///
/// Two tags that differ only in case, diacritics or white space have the same [`key`](Self::key) and are the same tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tag {
    spelling: String,
    /// Folded once, when the tag was written: it is asked for far more often.
    key: String,
}

impl Tag {
    /// Parses a tag. A leading `#` is not part of it.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = parse_text(text, 64, &[])?;
        let spelling = text.trim_start_matches('#').trim_start().to_owned();
        let key = tag_key(&spelling);
        if key.is_empty() {
            return Err(InvalidValue::new("is empty: a tag needs at least one letter, digit or symbol"));
        }
        Ok(Self { spelling, key })
    }

    /// The tag of which a store kept [`key`](Self::key) and [spelling](Self::as_str). Neither is checked again.
    pub fn from_stored(key: String, spelling: String) -> Self {
        Self { spelling, key }
    }

    /// The tag as it was written.
    pub fn as_str(&self) -> &str {
        &self.spelling
    }

    /// What makes it the same tag as another: its [`tag_key`].
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl TryFrom<String> for Tag {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Tag> for String {
    fn from(tag: Tag) -> Self {
        tag.spelling
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelling)
    }
}

/// The tags of a photo: at most 50, each key once, in the order they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Tag>", into = "Vec<Tag>")]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The most tags a photo may have.
    pub const MAX: usize = 50;

    /// Takes each tag the first time its key comes.
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, InvalidValue> {
        let mut kept = Self::default();
        for tag in tags {
            kept.add(tag)?;
        }
        Ok(kept)
    }

    /// Parses every tag; a refusal names its place, as `/tags/3`.
    pub fn parse<S: AsRef<str>>(field: &str, tags: &[S]) -> Result<Self, InvalidField> {
        let mut kept = Self::default();
        for (index, tag) in tags.iter().enumerate() {
            let tag = Tag::parse(tag.as_ref()).map_err(|invalid| invalid.in_field(format!("{field}/{index}")))?;
            kept.add(tag).map_err(|invalid| invalid.in_field(field))?;
        }
        Ok(kept)
    }

    /// Adds a tag unless its key is there; whether it was added.
    pub fn add(&mut self, tag: Tag) -> Result<bool, InvalidValue> {
        if self.0.iter().any(|kept| kept.key == tag.key) {
            return Ok(false);
        }
        if self.0.len() == Self::MAX {
            return Err(InvalidValue::new("would be more than 50 tags on one photo"));
        }
        self.0.push(tag);
        Ok(true)
    }

    /// Takes away the tag of the same key; whether there was one.
    pub fn remove(&mut self, tag: &Tag) -> bool {
        let before = self.0.len();
        self.0.retain(|kept| kept.key != tag.key);
        self.0.len() < before
    }

    /// The tags, in the order they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Tag>> for Tags {
    type Error = InvalidValue;

    fn try_from(tags: Vec<Tag>) -> Result<Self, Self::Error> {
        Self::new(tags)
    }
}

impl From<Tags> for Vec<Tag> {
    fn from(tags: Tags) -> Self {
        tags.0
    }
}

/// A tag and how many of its owner's visible photos carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagCount {
    /// The tag, in the spelling of one of those photos.
    pub tag: Tag,
    /// How many photos that are ready and not in the trash; at least 1.
    pub photos: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_one_key_are_one_tag() {
        let tags = Tags::parse("/tags", &["Été", "ete", "#New  York", "new york"]).unwrap();
        let kept: Vec<_> = tags.iter().map(Tag::as_str).collect();
        assert_eq!(kept, ["Été", "New  York"]);
    }

    #[test]
    fn a_tag_is_read_back_from_what_was_stored_without_being_folded_again() {
        let tag = Tag::parse("Été").unwrap();
        assert_eq!(Tag::from_stored(tag.key().to_owned(), tag.as_str().to_owned()), tag);
        let kept = Tag::from_stored("as it was kept".to_owned(), "Été".to_owned());
        assert_eq!((kept.key(), kept.as_str()), ("as it was kept", "Été"));
        let mut tags = Tags::new([kept.clone(), tag.clone()]).unwrap();
        assert_eq!(tags.iter().len(), 2, "what was kept is what tells tags apart");
        assert!(tags.remove(&kept) && !tags.remove(&kept));
        assert_eq!(tags, Tags::new([tag]).unwrap());
    }

    #[test]
    fn a_refused_tag_is_named_by_its_place() {
        assert_eq!(Tags::parse("/tags", &["ok", " "]).unwrap_err().field, "/tags/1");
        let long = "x".repeat(65);
        assert_eq!(Tags::parse("/tags", &[long]).unwrap_err().field, "/tags/0");
        let many: Vec<_> = (0..51).map(|n| format!("tag{n}")).collect();
        assert_eq!(Tags::parse("/tags", &many).unwrap_err().field, "/tags");
        assert!(Tag::parse("a\u{0}b").is_err());
    }
}
