//! How a photo is inserted, replaced and removed, with all that is derived from it: what `photo_index` says there should be is compared before and after,
//! and the difference is written.

use std::collections::BTreeSet;

use gallery_domain::ports::RepositoryError;
use gallery_domain::{Photo, PhotoId, Quota, Revision, Usage, UserId};

use super::DynamoDbStore;
use super::album_places::{self, Place};
use super::change::{Refusals, TRANSACTION, Transacted, Tries, Write};
use super::error::{DynamoDbFailure, Remedy, transient};
use super::photo_index::{Kept, entries, lock, lock_attributes, share, shown_at, tags};
use super::reading::Query;
use super::rows::{self, number, uuid_value};
use super::table_keys::{self, Key, List, Table};

/// How many tags are counted off by one transaction where they do not fit into the change.
const UNCOUNTED_AT_ONCE: usize = 60;

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

    /// Takes the photo out of its albums, whatever becomes of it.
    async fn leave(&self, albums: Vec<Vec<Write>>) -> Result<Attempt, RepositoryError> {
        for writes in together(albums, TRANSACTION) {
            if !self.store.transact(self.operation, writes).await?.is_done() {
                return Ok(Attempt::Overtaken);
            }
        }
        Ok(Attempt::PartDone)
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

    /// Removes what counters at zero an owner still has, because removing them right away had failed: they hold names of tags.
    pub(super) async fn tidy_counters_of(&self, owner: UserId) -> Result<(), RepositoryError> {
        const OPERATION: &str = "photo counters";
        let mut counters = Vec::new();
        for partition in [table_keys::months_of(owner), table_keys::tags_of(owner)] {
            let query = Query::partition(partition).filter("#Photos = :zero").value(":zero", number(0));
            let items = self.query_all(OPERATION, query).await?;
            counters.extend(items.iter().filter_map(|item| Key::of(Table::Index, item)));
        }
        self.tidy_counters(counters).await;
        Ok(())
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
            let chunks = together(albums, TRANSACTION - 1);
            let last = chunks.len() - 1;
            let mut overtaken = false;
            for (number, mut writes) in chunks.into_iter().enumerate() {
                // The photo has to be as it is believed to be; and once all of its albums follow, that is noted.
                writes.push(match &photo {
                    None => is_not_of(owner, id),
                    Some(kept) if kept.unsettled && number == last => {
                        let mut next = kept.clone();
                        next.unsettled = false;
                        kept.stepping(&mut next)
                    }
                    Some(kept) => kept.guarding(Write::check(table_keys::photo(id))),
                });
                if !self.transact(operation, writes).await?.is_done() {
                    overtaken = true;
                    break;
                }
            }
            if !overtaken {
                return Ok(());
            }
            tries.again(operation, Remedy::Again, || transient(operation, DynamoDbFailure::Busy)).await?;
            photo = self.kept(operation, owner, id).await?;
        }
    }
}

/// Writes that belong together, in as few transactions of so many writes as they fit into; one that is empty if there are none.
fn together(albums: Vec<Vec<Write>>, most: usize) -> Vec<Vec<Write>> {
    let mut transactions = vec![Vec::new()];
    for writes in albums {
        match transactions.last_mut() {
            Some(last) if last.len() + writes.len() <= most => last.extend(writes),
            _ => transactions.push(writes),
        }
    }
    transactions
}

/// Only if the owner has no such photo.
pub(super) fn is_not_of(owner: UserId, id: PhotoId) -> Write {
    Write::check(table_keys::photo(id))
        .only_if("attribute_not_exists(#PhotoID) OR #OwnerID <> :owner")
        .value(":owner", uuid_value(owner.as_uuid()))
}
