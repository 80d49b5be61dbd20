//! What is derived from a photo, and how it follows the photo: its entries in lists, its postings, the lock on its content, the counters of usage, months
//! and tags, and its visibility in albums.
//!
//! | of a photo that | there is |
//! |---|---|
//! | is there | an entry in the list of all photos, and its share of the usage |
//! | holds its content | an entry among the contents, which nobody else can then put there |
//! | is unfinished, or in the trash | an entry in that list |
//! | is visible | its copy in the timeline, one more in its month and in each of its tags, a posting for each of its terms, and in each of its albums an entry by time and one more in the count |
//! | is a visible favourite | an entry in that list |
//!
//! All of that goes with the photo into one transaction of up to 100 writes, on the condition that the photo is as it was read. That is every change of a
//! photo with a few dozen terms, in a few dozen albums. What does not fit is divided, and the photo's item says in between what lags behind:
//!
//! - Postings come before the photo that needs them, and go after the photo that needed them (`Strays` names those that are there beyond the photo's terms).
//!   So a search finds too much, which it checks against the photo, and never too little. Only where a photo is inserted visible, or removed while it is,
//!   are some not there for a moment (`Missing`).
//! - Tags may be counted off before the photo loses them (`Uncounted`).
//! - Albums are settled after it (`Unsettled`): each membership says by itself whether it is counted.
//!
//! Each of these transactions counts up `Step` in the photo's item, and is made on the condition that it is as it was read. So of two who change a photo at
//! once one starts over; what was done is never done twice, and after a crash in the middle the next change of the photo, or an audit, goes on from there.
//!
//! A posting carries the line of its photo's terms, so that a search for several words looks at the postings of one. It is left out where it would be long,
//! or where a change had to be divided (`Bare`): such a posting may be of any photo.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::ports::RepositoryError;
use gallery_domain::terms::{PhotoTerms, Term};
use gallery_domain::{Photo, PhotoId, PhotoState, Tag, Timestamp, Usage};

use super::change::Write;
use super::rows::{self, Attribute, number, text, uuid_value};
use super::table_keys::{self, GAP, Item, Key, List};

/// The most terms of a photo whose postings carry them all.
const TERMS_IN_A_LINE: usize = 40;

/// The longest line of terms that postings carry, in bytes.
const LONGEST_LINE: usize = 4096;

/// A photo as its item has it, with what lags behind.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The photo.
    pub(super) photo: Photo,
    /// Its terms, as its item has them.
    pub(super) terms: PhotoTerms,
    /// Counts the transactions that have written the item.
    pub(super) step: u64,
    /// Whether its postings may lack the line of terms.
    pub(super) bare: bool,
    /// Sort keys of postings that may be there beyond its terms.
    pub(super) strays: BTreeSet<String>,
    /// Sort keys of postings that are not there, as they should be.
    pub(super) missing: BTreeSet<String>,
    /// Keys of its tags that it is not counted in.
    pub(super) uncounted: BTreeSet<String>,
    /// Whether its albums may not have followed it.
    pub(super) unsettled: bool,
}

impl Kept {
    /// Reads an item of the photos' table.
    pub(super) fn of(item: &Item) -> Result<Self, RepositoryError> {
        let photo = rows::photo(item)?;
        let terms = rows::terms(item)?;
        rows::reading("state of photo", item, "PhotoID", || {
            Ok(Self {
                photo,
                terms,
                step: rows::number_of(item, "Step")?,
                bare: item.contains_key("Bare"),
                strays: rows::set_of(item, "Strays")?,
                missing: rows::set_of(item, "Missing")?,
                uncounted: rows::set_of(item, "Uncounted")?,
                unsettled: item.contains_key("Unsettled"),
            })
        })
    }

    /// A photo of which nothing lags behind.
    pub(super) fn new(photo: &Photo, step: u64) -> Self {
        Self {
            photo: photo.clone(),
            terms: photo.terms(),
            step,
            bare: false,
            strays: BTreeSet::new(),
            missing: BTreeSet::new(),
            uncounted: BTreeSet::new(),
            unsettled: false,
        }
    }

    /// The attributes of its item.
    pub(super) fn attributes(&self) -> Vec<Attribute> {
        let mut attributes = rows::photo_attributes(&self.photo);
        attributes.push(("Step", number(self.step)));
        attributes.extend(self.lagging());
        attributes
    }

    /// What says that something lags behind; usually nothing.
    fn lagging(&self) -> impl Iterator<Item = Attribute> {
        let sets = [("Strays", &self.strays), ("Missing", &self.missing), ("Uncounted", &self.uncounted)];
        let sets = sets.into_iter().filter(|(_, texts)| !texts.is_empty());
        let flags = [("Bare", self.bare), ("Unsettled", self.unsettled)].into_iter().filter(|(_, set)| *set);
        sets.map(|(name, texts)| (name, AttributeValue::Ss(texts.iter().cloned().collect())))
            .chain(flags.map(|(name, set)| (name, AttributeValue::Bool(set))))
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The same photo with its terms cut anew, and all of its tags counted, as it is once the counters are set; and the write that makes it so.
    pub(super) fn mended(&self) -> (Self, Write) {
        let mended = Self {
            terms: self.photo.terms(),
            step: self.step + 1,
            missing: BTreeSet::new(),
            uncounted: BTreeSet::new(),
            ..self.clone()
        };
        let write = self.guarding(Write::put(table_keys::photo(self.photo.id), mended.attributes()));
        (mended, write)
    }

    /// Its postings that should be there.
    pub(super) fn due_postings(&self) -> BTreeSet<String> {
        postings(&self.photo, &self.terms)
    }

    /// The postings that are there for sure.
    pub(super) fn kept_postings(&self) -> BTreeSet<String> {
        &(&self.due_postings() - &self.missing) | &self.strays
    }

    /// The keys of its tags that it is counted in.
    pub(super) fn counted_tags(&self) -> BTreeSet<String> {
        &tags(&self.photo) - &self.uncounted
    }

    /// Whether nothing lags behind.
    pub(super) fn is_settled(&self) -> bool {
        !self.unsettled && self.strays.is_empty() && self.missing.is_empty() && self.uncounted.is_empty()
    }

    /// The line of terms that its postings carry, if they do.
    pub(super) fn line(&self) -> Option<String> {
        if self.bare { None } else { line_of(&self.terms) }
    }

    /// What its postings hold.
    pub(super) fn posting_attributes(&self) -> Option<Attribute> {
        self.line().map(|line| ("Terms", text(line)))
    }

    /// A posting of it.
    pub(super) fn posting(&self, sort: &str) -> Write {
        Write::put(Key::index(table_keys::postings_of(self.photo.owner), sort), self.posting_attributes())
    }

    /// No such posting of it.
    pub(super) fn without_posting(&self, sort: &str) -> Write {
        Write::delete(Key::index(table_keys::postings_of(self.photo.owner), sort))
    }

    /// Only if the photo's item is as it was read.
    pub(super) fn guarding(&self, write: Write) -> Write {
        write
            .only_if("#Revision = :revision_read AND #Step = :step_read AND #OwnerID = :owner")
            .value(":revision_read", rows::revision_value(self.photo.revision))
            .value(":step_read", number(self.step))
            .value(":owner", uuid_value(self.photo.owner.as_uuid()))
    }

    /// A step from what lags behind in this item to what does in the next.
    pub(super) fn stepping(&self, next: &mut Self) -> Write {
        next.step = self.step + 1;
        let mut write = Write::update(table_keys::photo(self.photo.id)).add("#Step :one").value(":one", number(1));
        for (name, value) in next.lagging() {
            let placeholder = format!(":{}", name.to_lowercase());
            write = write.set(format!("#{name} = {placeholder}")).value(&placeholder, value);
        }
        let set: Vec<&str> = next.lagging().map(|(name, _)| name).collect();
        for (name, _) in self.lagging().filter(|(name, _)| !set.contains(name)) {
            write = write.unset(format!("#{name}"));
        }
        self.guarding(write)
    }
}

/// When a photo is seen in its albums; none while it is not visible.
pub(super) fn shown_at(photo: &Photo) -> Option<Timestamp> {
    photo.is_visible().then(|| photo.timeline_instant())
}

/// The line of terms that a posting carries, unless it were too long.
fn line_of(terms: &PhotoTerms) -> Option<String> {
    if terms.all().len() > TERMS_IN_A_LINE {
        return None;
    }
    let mut line = String::from(GAP);
    for term in terms.all() {
        line.push_str(term.as_str());
        line.push(GAP);
    }
    (line.len() <= LONGEST_LINE).then_some(line)
}

/// The entries in lists that a photo should have, with what they hold.
pub(super) fn entries(photo: &Photo) -> Vec<(List, Key, Vec<Attribute>)> {
    let mut entries = vec![(List::All, table_keys::entry_in_all(photo.owner, photo.id), Vec::new())];
    for list in [List::Timeline, List::Favourites, List::Trash, List::Unfinished] {
        if let Some(at) = listed_at(photo, list) {
            let held = if list == List::Timeline { rows::photo_attributes(photo) } else { Vec::new() };
            entries.push((list, table_keys::entry(photo.owner, list, at, photo.id), held));
        }
    }
    entries
}

/// The time by which a photo stands in a list; none if it does not.
pub(super) fn listed_at(photo: &Photo, list: List) -> Option<Timestamp> {
    match list {
        List::All => None,
        List::Timeline => shown_at(photo),
        List::Favourites => shown_at(photo).filter(|_| photo.details.favourite),
        List::Trash => photo.trashed.filter(|_| photo.is_in_trash()).map(|trashed| trashed.at),
        List::Unfinished => photo.is_unfinished().then_some(photo.created_at),
    }
}

/// The lock that a photo should have.
pub(super) fn lock(photo: &Photo) -> Option<Key> {
    photo.holds_content().then(|| table_keys::content(photo.owner, &photo.original.sha256))
}

/// What a lock holds.
pub(super) fn lock_attributes(photo: PhotoId) -> [Attribute; 1] {
    [("PhotoID", uuid_value(photo.as_uuid()))]
}

/// The keys of the tags in which a photo should be counted.
pub(super) fn tags(photo: &Photo) -> BTreeSet<String> {
    let visible = photo.details.tags.iter().filter(|_| photo.is_visible());
    visible.map(|tag| tag.key().to_owned()).collect()
}

/// The sort keys of the postings that a photo of these terms should have.
fn postings(photo: &Photo, terms: &PhotoTerms) -> BTreeSet<String> {
    let at = shown_at(photo);
    let term = |term: &Term| at.map(|at| table_keys::posting(term.as_str(), at, photo.id));
    terms.all().iter().filter_map(term).collect()
}

/// A photo's share of the usage.
pub(super) fn share(photo: &Photo) -> Usage {
    Usage {
        bytes: photo.original.bytes,
        photos: 1,
        pending_uploads: u64::from(matches!(photo.state, PhotoState::Uploading)),
    }
}

/// The spelling of a tag by its key, of a photo that is to be seen.
pub(super) fn spelling<'p>(photo: &'p Photo, key: &str) -> Option<&'p Tag> {
    photo.details.tags.iter().find(|tag| photo.is_visible() && tag.key() == key)
}
