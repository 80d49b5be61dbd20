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
use gallery_domain::{Photo, PhotoId, PhotoState, Quota, Revision, Tag, Timestamp, Usage, UserId};

use super::DynamoDbStore;
use super::album_places::{self, Place};
use super::change::{Refusals, TRANSACTION, Transacted, Tries, Write};
use super::error::{DynamoDbFailure, Remedy, transient};
use super::rows::{self, Attribute, number, text, uuid_value};
use super::table_keys::{self, GAP, Item, Key, List};

/// The most terms of a photo whose postings carry them all.
const TERMS_IN_A_LINE: usize = 40;

/// The longest line of terms that postings carry, in bytes.
const LONGEST_LINE: usize = 4096;

/// How many tags are counted off by one transaction where they do not fit into the change.
const UNCOUNTED_AT_ONCE: usize = 60;

/// A photo as its item has it, with what lags behind.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// The photo.
    pub(super) photo: Photo,
    terms: PhotoTerms,
    step: u64,
    bare: bool,
    strays: BTreeSet<String>,
    missing: BTreeSet<String>,
    uncounted: BTreeSet<String>,
    unsettled: bool,
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

    fn new(photo: &Photo, step: u64) -> Self {
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

    /// Its terms, as its item has them.
    pub(super) const fn terms(&self) -> &PhotoTerms {
        &self.terms
    }

    /// The postings that may be there beyond its terms.
    pub(super) fn strays(&self) -> impl Iterator<Item = &String> {
        self.strays.iter()
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
    fn kept_postings(&self) -> BTreeSet<String> {
        &(&self.due_postings() - &self.missing) | &self.strays
    }

    /// The keys of its tags that it is counted in.
    fn counted_tags(&self) -> BTreeSet<String> {
        &tags(&self.photo) - &self.uncounted
    }

    /// Whether nothing lags behind.
    pub(super) fn is_settled(&self) -> bool {
        !self.unsettled && self.strays.is_empty() && self.missing.is_empty() && self.uncounted.is_empty()
    }

    /// The line of terms that its postings carry, if they do.
    fn line(&self) -> Option<String> {
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

    fn without_posting(&self, sort: &str) -> Write {
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
    fn stepping(&self, next: &mut Self) -> Write {
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

/// One more, or one fewer, in a counter of photos.
fn counted(key: Key, by: i8) -> Write {
    Write::update(key).add("#Photos :by").value(":by", number(by))
}

/// A change of a photo with all that is derived from it.
pub(super) struct Change<'a> {
    /// Where.
    pub(super) store: &'a DynamoDbStore,
    /// What failures name.
    pub(super) operation: &'static str,
    /// Whose photo.
    pub(super) owner: UserId,
    /// Which.
    pub(super) id: PhotoId,
    /// What happens to it.
    pub(super) kind: Kind<'a>,
    /// What becomes of the work on it.
    pub(super) work: Option<Write>,
}

/// What happens to a photo.
#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// It is added, within a quota.
    Insert(&'a Photo, &'a Quota),
    /// It takes the place of the one of a revision.
    Replace(&'a Photo, Revision),
    /// It goes, if it is there.
    Remove,
}

/// How far an attempt came.
enum Attempt {
    /// To the end.
    Done,
    /// A part was done that had to come before.
    PartDone,
    /// Others were faster: it starts over.
    Overtaken,
}

/// What a change comes to.
struct Plan {
    /// What has to be in one transaction; the photo first.
    core: Vec<Write>,
    /// The place of the lock in it.
    lock: Option<usize>,
    /// The place of the usage in it.
    usage: Option<usize>,
    /// The tags that are counted off.
    tags_less: Vec<String>,
    /// Counters that may be at zero afterwards.
    emptied: Vec<Key>,
    /// Writes of postings that have to come before the photo, or with it.
    puts: Vec<String>,
    /// Postings that have to go after the photo, or with it.
    deletes: Vec<String>,
    /// For each album that has to follow, what has to be written together.
    albums: Vec<Vec<Write>>,
}

impl Plan {
    fn size(&self) -> usize {
        self.core.len() + self.puts.len() + self.deletes.len() + self.albums.iter().map(Vec::len).sum::<usize>()
    }
}

impl Change<'_> {
    /// Makes the change.
    pub(super) async fn run(self) -> Result<(), RepositoryError> {
        let mut tries = Tries::new(self.store.options.retry_for);
        loop {
            match self.attempt().await? {
                Attempt::Done => return Ok(()),
                Attempt::PartDone => {}
                Attempt::Overtaken => {
                    let busy = || transient(self.operation, DynamoDbFailure::Busy);
                    tries.again(self.operation, Remedy::Again, busy).await?;
                }
            }
        }
    }

    async fn attempt(&self) -> Result<Attempt, RepositoryError> {
        let old = match self.kind {
            Kind::Insert(..) => None,
            Kind::Replace(..) | Kind::Remove => self.store.kept(self.operation, self.owner, self.id).await?,
        };
        let new = match (self.kind, &old) {
            (Kind::Insert(photo, _), _) => Some(Kept::new(photo, 0)),
            (Kind::Replace(photo, read_at), Some(old)) if old.photo.revision == read_at => {
                // What never changes is as it was.
                let (original, created_at) = (old.photo.original.clone(), old.photo.created_at);
                Some(Kept::new(&Photo { original, created_at, ..photo.clone() }, old.step + 1))
            }
            (Kind::Replace(..), _) => return Err(RepositoryError::Stale),
            (Kind::Remove, Some(_)) => None,
            (Kind::Remove, None) => {
                self.leave_albums().await?;
                if let Some(work) = &self.work {
                    self.store.write_always(self.operation, work.clone()).await?;
                }
                return Ok(Attempt::Done);
            }
        };
        match (old, new) {
            (None, Some(new)) => self.insert(new).await,
            (Some(old), Some(new)) => self.replace(old, new).await,
            (Some(old), None) => self.remove(&old).await,
            (None, None) => Ok(Attempt::Done),
        }
    }

    async fn insert(&self, mut new: Kept) -> Result<Attempt, RepositoryError> {
        let mut plan = self.plan(None, Some(&new), &[]);
        if plan.size() > TRANSACTION {
            let later = plan.puts.split_off(TRANSACTION - plan.core.len());
            new.missing = later.into_iter().collect();
            new.bare = true;
            plan.core[0] = self.photo_write(None, Some(&new));
        }
        let mut writes = plan.core;
        writes.extend(plan.puts.iter().map(|sort| new.posting(sort)));
        match self.store.transact(self.operation, writes).await? {
            Transacted::Done => {
                self.store.catch_up(self.operation, new).await?;
                Ok(Attempt::Done)
            }
            // A duplicate is told before the quota.
            Transacted::Refused(refusals) if refusals.has(0) || plan.lock.is_some_and(|place| refusals.has(place)) => {
                Err(RepositoryError::AlreadyExists)
            }
            Transacted::Refused(refusals) if plan.usage.is_some_and(|place| refusals.has(place)) => {
                Err(RepositoryError::OverQuota)
            }
            Transacted::Refused(_) => Ok(Attempt::Overtaken),
        }
    }

    async fn replace(&self, old: Kept, mut new: Kept) -> Result<Attempt, RepositoryError> {
        let follows = old.unsettled || shown_at(&old.photo) != shown_at(&new.photo);
        let places =
            if follows { self.store.places_of(self.operation, self.owner, self.id).await? } else { Vec::new() };
        new.bare = old.bare && old.terms == new.terms;
        let mut plan = self.plan(Some(&old), Some(&new), &places);
        if plan.size() > TRANSACTION {
            new.bare = true;
            plan = self.plan(Some(&old), Some(&new), &places);
            if plan.core.len() > TRANSACTION {
                return self.count_off(&old, &plan).await;
            }
            if plan.size() > TRANSACTION && !plan.puts.is_empty() {
                return self.post_before(&old, &new, &plan.puts).await;
            }
            let room = TRANSACTION - plan.core.len() - plan.puts.len();
            let later = plan.deletes.split_off(room.min(plan.deletes.len()));
            new.strays = later.into_iter().collect();
            let mut room = room - plan.deletes.len();
            let albums = plan.albums.len();
            plan.albums = plan
                .albums
                .into_iter()
                .take_while(|writes| {
                    let fits = writes.len() <= room;
                    room = room.saturating_sub(writes.len());
                    fits
                })
                .collect();
            new.unsettled = plan.albums.len() < albums;
            plan.core[0] = self.photo_write(Some(&old), Some(&new));
        }
        let (lock, emptied) = (plan.lock, plan.emptied);
        let mut writes = plan.core;
        writes.extend(plan.puts.iter().map(|sort| new.posting(sort)));
        writes.extend(plan.deletes.iter().map(|sort| new.without_posting(sort)));
        writes.extend(plan.albums.into_iter().flatten());
        match self.store.transact(self.operation, writes).await? {
            Transacted::Done => {}
            Transacted::Refused(refusals) if refusals.has(0) => return self.overtaken_or_stale(&old, &refusals),
            Transacted::Refused(refusals) if lock.is_some_and(|place| refusals.has(place)) => {
                return Err(RepositoryError::AlreadyExists);
            }
            Transacted::Refused(_) => return Ok(Attempt::Overtaken),
        }
        let new = self.store.catch_up(self.operation, new).await?;
        if follows {
            // Also what somebody put into an album after its places were read.
            self.store.settle_albums(self.operation, self.owner, self.id, new).await?;
        }
        self.store.tidy_counters(emptied).await;
        Ok(Attempt::Done)
    }

    async fn remove(&self, old: &Kept) -> Result<Attempt, RepositoryError> {
        let places = self.store.places_of(self.operation, self.owner, self.id).await?;
        let mut plan = self.plan(Some(old), None, &places);
        if plan.size() > TRANSACTION {
            if !plan.albums.is_empty() {
                return self.leave(plan.albums).await;
            }
            // The photo is about to go, so that it may be found no more.
            plan.deletes.truncate(TRANSACTION - 1);
            let gone: BTreeSet<String> = plan.deletes.iter().cloned().collect();
            let mut next = old.clone();
            next.strays = &old.strays - &gone;
            next.missing = &old.missing | &(&old.due_postings() & &gone);
            let mut writes = vec![old.stepping(&mut next)];
            writes.extend(gone.iter().map(|sort| old.without_posting(sort)));
            return self.part(writes).await;
        }
        let emptied = plan.emptied;
        let mut writes = plan.core;
        writes.extend(plan.deletes.iter().map(|sort| old.without_posting(sort)));
        writes.extend(plan.albums.into_iter().flatten());
        if !self.store.transact(self.operation, writes).await?.is_done() {
            return Ok(Attempt::Overtaken);
        }
        self.leave_albums().await?;
        self.store.tidy_counters(emptied).await;
        Ok(Attempt::Done)
    }

    /// What the change comes to, with the photo's places in albums.
    fn plan(&self, old: Option<&Kept>, new: Option<&Kept>, places: &[Place]) -> Plan {
        let (before, after) = (old.map(|kept| &kept.photo), new.map(|kept| &kept.photo));
        let mut core = vec![self.photo_write(old, new)];

        let old_entries = before.map(entries).unwrap_or_default();
        let new_entries = after.map(entries).unwrap_or_default();
        for (_, key, _) in &old_entries {
            if !new_entries.iter().any(|(_, other, _)| other == key) {
                core.push(Write::delete(key.clone()));
            }
        }
        for (list, key, held) in new_entries {
            // What is only listed is as it was; the timeline has a copy.
            if list == List::Timeline || !old_entries.iter().any(|(_, other, _)| *other == key) {
                core.push(Write::put(key, held));
            }
        }

        let (old_lock, new_lock) = (before.and_then(lock), after.and_then(lock));
        let mut lock = None;
        if old_lock != new_lock {
            let unlocked = |key| {
                let condition = "attribute_not_exists(#PK) OR #PhotoID = :photo";
                Write::delete(key).only_if(condition).value(":photo", uuid_value(self.id.as_uuid()))
            };
            core.extend(old_lock.map(unlocked));
            if let Some(key) = new_lock {
                lock = Some(core.len());
                core.push(Write::put(key, lock_attributes(self.id)).only_if_absent());
            }
        }

        let usage = self.usage_write(before, after).map(|write| {
            core.push(write);
            core.len() - 1
        });

        let mut emptied = Vec::new();
        let month = |photo: &Photo| photo.is_visible().then(|| table_keys::month(self.owner, photo.month()));
        let (old_month, new_month) = (before.and_then(month), after.and_then(month));
        if old_month != new_month {
            if let Some(key) = old_month {
                emptied.push(key.clone());
                core.push(counted(key, -1));
            }
            core.extend(new_month.map(|key| counted(key, 1)));
        }

        let old_tags = old.map(Kept::counted_tags).unwrap_or_default();
        let new_tags = after.map(tags).unwrap_or_default();
        let tags_less: Vec<String> = old_tags.difference(&new_tags).cloned().collect();
        for tag in &tags_less {
            let key = table_keys::tag(self.owner, tag);
            emptied.push(key.clone());
            core.push(counted(key, -1));
        }
        for tag in new_tags.difference(&old_tags) {
            // Of one of its photos the counter says which, to ask for the spelling.
            let more = counted(table_keys::tag(self.owner, tag), 1).set("#PhotoID = :photo");
            core.push(more.value(":photo", uuid_value(self.id.as_uuid())));
        }
        core.extend(self.work.clone());

        let had = old.map(Kept::kept_postings).unwrap_or_default();
        let wants = new.map(Kept::due_postings).unwrap_or_default();
        let rewrites = matches!((old, new), (Some(old), Some(new)) if old.line() != new.line());
        // Those that are there come first: they must not say less than the photo will.
        let (there, others): (Vec<&String>, Vec<&String>) = wants.iter().partition(|sort| had.contains(*sort));
        let puts = there.into_iter().filter(|_| rewrites).chain(others).cloned().collect();
        let deletes = had.difference(&wants).cloned().collect();

        let albums = places
            .iter()
            .map(|place| match after {
                Some(photo) => album_places::showing(self.owner, place, shown_at(photo)),
                None => album_places::leaving_alone(self.owner, place),
            })
            .filter(|writes| !writes.is_empty())
            .collect();
        Plan { core, lock, usage, tags_less, emptied, puts, deletes, albums }
    }

    fn photo_write(&self, old: Option<&Kept>, new: Option<&Kept>) -> Write {
        let key = table_keys::photo(self.id);
        match (old, new) {
            (None, Some(new)) => Write::put(key, new.attributes()).only_if_absent(),
            (Some(old), Some(new)) => old.guarding(Write::put(key, new.attributes())),
            (Some(old), None) => old.guarding(Write::delete(key)),
            (None, None) => Write::check(key).only_if_absent(),
        }
    }

    /// What becomes of the usage, if anything does.
    fn usage_write(&self, before: Option<&Photo>, after: Option<&Photo>) -> Option<Write> {
        let (before, after) = (before.map(share).unwrap_or_default(), after.map(share).unwrap_or_default());
        if before == after {
            return None;
        }
        let more = |of: fn(&Usage) -> u64| number(i128::from(of(&after)) - i128::from(of(&before)));
        let write = Write::update(table_keys::usage(self.owner))
            .add("#Bytes :bytes, #Photos :photos, #PendingUploads :pending")
            .value(":bytes", more(|usage| usage.bytes))
            .value(":photos", more(|usage| usage.photos))
            .value(":pending", more(|usage| usage.pending_uploads));
        let Kind::Insert(photo, quota) = self.kind else { return Some(write) };
        // As `Usage::admits` says, which takes no number of bytes for more than all there are.
        let room = i128::from(quota.bytes) - i128::from(photo.original.bytes);
        let mut condition = "#Photos < :most_photos AND #PendingUploads < :most_pending".to_owned();
        let mut write =
            write.value(":most_photos", number(quota.photos)).value(":most_pending", number(quota.pending_uploads));
        if quota.bytes < u64::MAX {
            condition.push_str(" AND #Bytes <= :room");
            write = write.value(":room", number(room));
        }
        if Usage::default().admits(photo.original.bytes, quota) {
            condition = format!("attribute_not_exists(#PK) OR ({condition})");
        }
        Some(write.only_if(&condition))
    }

    /// Counts tags off that the change will take away, and more than fit into it.
    async fn count_off(&self, old: &Kept, plan: &Plan) -> Result<Attempt, RepositoryError> {
        let mut next = old.clone();
        let some = &plan.tags_less[..plan.tags_less.len().min(UNCOUNTED_AT_ONCE)];
        next.uncounted.extend(some.iter().cloned());
        let mut writes = vec![old.stepping(&mut next)];
        writes.extend(some.iter().map(|tag| counted(table_keys::tag(self.owner, tag), -1)));
        self.part(writes).await
    }

    /// Writes postings that the change will need, and that do not fit into it.
    async fn post_before(&self, old: &Kept, new: &Kept, puts: &[String]) -> Result<Attempt, RepositoryError> {
        let some = &puts[..puts.len().min(TRANSACTION - 1)];
        let due = old.due_postings();
        let mut next = old.clone();
        // Those that are there already and carry a line are few enough to be among the first.
        next.bare = true;
        for sort in some {
            if due.contains(sort) {
                next.missing.remove(sort);
            } else {
                next.strays.insert(sort.clone());
            }
        }
        let mut writes = vec![old.stepping(&mut next)];
        writes.extend(some.iter().map(|sort| new.posting(sort)));
        self.part(writes).await
    }

    /// Takes the photo out of some albums, whatever becomes of it.
    async fn leave(&self, albums: Vec<Vec<Write>>) -> Result<Attempt, RepositoryError> {
        let mut writes = Vec::new();
        for album in albums {
            if writes.len() + album.len() <= TRANSACTION {
                writes.extend(album);
            }
        }
        self.part(writes).await
    }

    async fn part(&self, writes: Vec<Write>) -> Result<Attempt, RepositoryError> {
        let done = self.store.transact(self.operation, writes).await?.is_done();
        Ok(if done { Attempt::PartDone } else { Attempt::Overtaken })
    }

    /// The photo is gone: it stands nowhere any more, also not where somebody put it in between.
    async fn leave_albums(&self) -> Result<(), RepositoryError> {
        self.store.settle_albums(self.operation, self.owner, self.id, None).await
    }

    fn overtaken_or_stale(&self, old: &Kept, refusals: &Refusals) -> Result<Attempt, RepositoryError> {
        match refusals.item(0) {
            Some(item) if Kept::of(item)?.photo.revision == old.photo.revision => Ok(Attempt::Overtaken),
            _ => Err(RepositoryError::Stale),
        }
    }
}

impl DynamoDbStore {
    /// The owner's photo, with what lags behind.
    pub(super) async fn kept(
        &self,
        operation: &'static str,
        owner: UserId,
        id: PhotoId,
    ) -> Result<Option<Kept>, RepositoryError> {
        let item = self.get(operation, &table_keys::photo(id)).await?;
        let kept = item.as_ref().map(Kept::of).transpose()?;
        Ok(kept.filter(|kept| kept.photo.owner == owner))
    }

    /// Writes the postings that are missing, and removes the stray ones: the photo as it is then. If somebody else changes it meanwhile, that change goes
    /// on with it.
    pub(super) async fn catch_up(&self, operation: &'static str, kept: Kept) -> Result<Option<Kept>, RepositoryError> {
        let mut kept = kept;
        while !(kept.missing.is_empty() && kept.strays.is_empty()) {
            let mut next = kept.clone();
            let missing: Vec<&String> = kept.missing.iter().take(TRANSACTION - 1).collect();
            let strays: Vec<&String> = kept.strays.iter().take(TRANSACTION - 1 - missing.len()).collect();
            for sort in &missing {
                next.missing.remove(*sort);
            }
            for sort in &strays {
                next.strays.remove(*sort);
            }
            let mut writes = vec![kept.stepping(&mut next)];
            writes.extend(missing.into_iter().map(|sort| kept.posting(sort)));
            writes.extend(strays.into_iter().map(|sort| kept.without_posting(sort)));
            if !self.transact(operation, writes).await?.is_done() {
                let (owner, id) = (kept.photo.owner, kept.photo.id);
                return self.kept(operation, owner, id).await;
            }
            kept = next;
        }
        Ok(Some(kept))
    }

    /// Removes counters that are at zero. They say the same as none, so that it does not matter if this fails.
    pub(super) async fn tidy_counters(&self, counters: Vec<Key>) {
        const OPERATION: &str = "photo counters";
        let Ok(items) = self.get_many(OPERATION, &counters).await else { return };
        for (key, item) in counters.into_iter().zip(items) {
            let is_zero =
                item.is_some_and(|item| matches!(rows::optional_number::<i128>(&item, "Photos"), Ok(Some(0))));
            if is_zero {
                let delete = Write::delete(key).only_if("#Photos = :zero").value(":zero", number(0));
                if self.write(OPERATION, delete).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Has the albums that a photo stands in follow it, as it is now, however many they are. `believed` is the photo as the caller knows it.
    pub(super) async fn settle_albums(
        &self,
        operation: &'static str,
        owner: UserId,
        id: PhotoId,
        believed: Option<Kept>,
    ) -> Result<(), RepositoryError> {
        let mut photo = believed;
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let places = self.places_of(operation, owner, id).await?;
            let mut albums: Vec<Vec<Write>> = Vec::new();
            for place in &places {
                albums.push(match &photo {
                    Some(kept) => album_places::showing(owner, place, shown_at(&kept.photo)),
                    None => album_places::leaving_alone(owner, place),
                });
            }
            albums.retain(|writes| !writes.is_empty());
            if albums.is_empty() && photo.as_ref().is_none_or(|kept| !kept.unsettled) {
                return Ok(());
            }
            // The photo has to be as it is believed to be, or absent; and once all of its albums follow, that is noted.
            let mut writes = Vec::new();
            let mut albums = albums.into_iter().peekable();
            while let Some(album) = albums.next_if(|album| writes.len() + album.len() < TRANSACTION) {
                writes.extend(album);
            }
            let is_last = albums.peek().is_none();
            writes.push(match &photo {
                None => Write::check(table_keys::photo(id)).only_if_absent(),
                Some(kept) if kept.unsettled && is_last => {
                    let mut next = kept.clone();
                    next.unsettled = false;
                    kept.stepping(&mut next)
                }
                Some(kept) => kept.guarding(Write::check(table_keys::photo(id))),
            });
            let done = self.transact(operation, writes).await?.is_done();
            if done && is_last {
                return Ok(());
            }
            if !done {
                tries.again(operation, Remedy::Again, || transient(operation, DynamoDbFailure::Busy)).await?;
                photo = self.kept(operation, owner, id).await?;
            }
        }
    }
}

/// The spelling of a tag by its key, of a photo that is to be seen.
pub(super) fn spelling<'p>(photo: &'p Photo, key: &str) -> Option<&'p Tag> {
    photo.details.tags.iter().find(|tag| photo.is_visible() && tag.key() == key)
}
