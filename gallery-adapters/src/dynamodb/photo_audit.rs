//! The audit of what is derived from an owner's photos.
//!
//! It reads every photo, and then each partition that holds something derived, in its order, and checks off what it finds. Of each photo it keeps little in
//! memory meanwhile: some hundred bytes. There is no snapshot of two tables; what others change during the audit would look wrong, so that only what
//! two looks agree on is a difference.
//!
//! A repair writes on the condition that the photo, or the count, is still as it was read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::ports::{Discrepancy, RepositoryError};
use gallery_domain::{AlbumId, PhotoId, Rank, Sha256Digest, Timestamp, Usage, UserId};

use super::DynamoDbStore;
use super::album_places::{self, Place};
use super::album_repository;
use super::change::{TRANSACTION, Write};
use super::photo_change::is_not_of;
use super::photo_index::{self, Kept, listed_at, shown_at};
use super::photo_repository::{cursor, id_in_all, posting};
use super::reading::Query;
use super::rows::{self, number, uuid_value};
use super::table_keys::{self, Item, Key, List, PK, SK, Table};

const OPERATION: &str = "photo audit";

/// How often a repair is looked at and gone on with: what is mended of a photo may be counted elsewhere.
const ROUNDS: usize = 4;

/// How many photos are read at a time.
const CHUNK: usize = 100;

/// Recounts, names the differences, and repairs them if asked.
pub(super) async fn audit(
    store: &DynamoDbStore,
    owner: UserId,
    repair: bool,
) -> Result<Vec<Discrepancy>, RepositoryError> {
    let differences = agreed(store, owner).await?;
    if repair && !differences.is_empty() {
        mend(store, owner, &differences).await?;
        for _ in 1..ROUNDS {
            let left = agreed(store, owner).await?;
            if left.is_empty() {
                break;
            }
            mend(store, owner, &left).await?;
        }
    }
    Ok(differences.into_iter().map(|difference| difference.found).collect())
}

/// The differences that two looks agree on.
async fn agreed(store: &DynamoDbStore, owner: UserId) -> Result<Vec<Difference>, RepositoryError> {
    let first = Look::at(store, owner).await?;
    if first.is_empty() {
        return Ok(first);
    }
    let said = |difference: &Difference| {
        let Discrepancy { subject, stored, counted } = difference.found.clone();
        (subject, stored, counted)
    };
    let first: HashSet<_> = first.iter().map(said).collect();
    let mut second = Look::at(store, owner).await?;
    second.retain(|difference| first.contains(&said(difference)));
    Ok(second)
}

/// Mends differences, each thing once.
async fn mend(store: &DynamoDbStore, owner: UserId, differences: &[Difference]) -> Result<(), RepositoryError> {
    let mut mended = HashSet::new();
    for difference in differences {
        if mended.insert(&difference.mend) {
            difference.mend.apply(store, owner).await?;
        }
    }
    Ok(())
}

/// Something that differs, and what mends it.
struct Difference {
    found: Discrepancy,
    mend: Mend,
}

/// What mends a difference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mend {
    /// Everything that a photo should have is written anew.
    Photo(PhotoId),
    /// An item goes that belongs to no photo, or not to this one.
    Unwanted(Key, PhotoId),
    /// An entry of an album in a list goes.
    UnwantedOfAlbum(Key),
    /// The place of a photo in an album is written anew.
    Place(PhotoId, AlbumId),
    /// The entries of an album in lists are written anew.
    Album(AlbumId),
    /// Numbers of an item are set to what was counted, if they are what was stored.
    Count(Key, Vec<(&'static str, i128, i128)>),
}

/// What is kept in memory of a photo: what should be there and was not found yet.
struct Expected {
    shown: Option<Timestamp>,
    entries: Vec<(List, Timestamp)>,
    /// The fingerprint of its copy in the timeline.
    copy: u64,
    lock: Option<Sha256Digest>,
    /// Its terms, by their numbers.
    terms: Vec<u32>,
    /// The fingerprint of what its postings hold. One that holds nothing may be anybody's.
    line: u64,
    strays: Vec<String>,
}

/// One look at everything.
struct Look<'a> {
    store: &'a DynamoDbStore,
    owner: UserId,
    photos: HashMap<PhotoId, Expected>,
    numbers: HashMap<String, u32>,
    usage: Usage,
    months: BTreeMap<String, i128>,
    tags: BTreeMap<String, i128>,
    found: Vec<Difference>,
}

impl<'a> Look<'a> {
    async fn at(store: &'a DynamoDbStore, owner: UserId) -> Result<Vec<Difference>, RepositoryError> {
        let mut look = Self {
            store,
            owner,
            photos: HashMap::new(),
            numbers: HashMap::new(),
            usage: Usage::default(),
            months: BTreeMap::new(),
            tags: BTreeMap::new(),
            found: Vec::new(),
        };
        look.photos().await?;
        look.lists().await?;
        look.contents().await?;
        look.postings().await?;
        look.missing();
        look.albums().await?;
        look.usage().await?;
        let months = std::mem::take(&mut look.months);
        look.counters("month", table_keys::months_of(owner), months).await?;
        let tags = std::mem::take(&mut look.tags);
        look.counters("tag", table_keys::tags_of(owner), tags).await?;
        Ok(look.found)
    }

    fn differs(&mut self, subject: String, stored: impl ToString, counted: impl ToString, mend: Mend) {
        let found = Discrepancy { subject, stored: stored.to_string(), counted: counted.to_string() };
        self.found.push(Difference { found, mend });
    }

    /// Reads every photo.
    async fn photos(&mut self) -> Result<(), RepositoryError> {
        let mut query = Query::partition(List::All.of(self.owner)).limit(CHUNK);
        loop {
            let answer = self.store.query(OPERATION, &query).await?;
            let ids = answer.items.iter().map(id_in_all).collect::<Result<Vec<_>, _>>()?;
            let items = self.store.photos(OPERATION, self.owner, &ids).await?;
            for (id, item) in ids.into_iter().zip(items) {
                match item {
                    Some(item) => self.photo(&item)?,
                    None => {
                        let key = table_keys::entry_in_all(self.owner, id);
                        self.differs(
                            format!("list of all photos: {id}"),
                            "an entry",
                            "no photo",
                            Mend::Unwanted(key, id),
                        );
                    }
                }
            }
            match answer.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(()),
            }
        }
    }

    fn photo(&mut self, item: &Item) -> Result<(), RepositoryError> {
        let kept = Kept::of(item)?;
        let photo = &kept.photo;
        let terms = photo.terms();
        if terms != kept.terms {
            let words = |terms: &gallery_domain::terms::PhotoTerms| format!("terms {terms:?}");
            self.differs(
                format!("columns of photo {}", photo.id),
                words(&kept.terms),
                words(&terms),
                Mend::Photo(photo.id),
            );
        }
        if !kept.is_settled() {
            let subject = format!("what follows photo {}", photo.id);
            self.differs(subject, "left off in the middle", "complete", Mend::Photo(photo.id));
        }
        let share = photo_index::share(photo);
        self.usage.bytes = self.usage.bytes.saturating_add(share.bytes);
        self.usage.photos += share.photos;
        self.usage.pending_uploads += share.pending_uploads;
        let visible = photo.is_visible();
        if visible {
            *self.months.entry(photo.month().to_string()).or_default() += 1;
        }
        for tag in photo_index::tags(photo) {
            *self.tags.entry(tag).or_default() += 1;
        }
        let count = &mut self.numbers;
        let mut numbered = |term: &str| {
            let next = u32::try_from(count.len()).unwrap_or(u32::MAX);
            *count.entry(term.to_owned()).or_insert(next)
        };
        let terms = terms.all().iter().filter(|_| visible).map(|term| numbered(term.as_str())).collect();
        let listed = |list: List| Some((list, listed_at(photo, list)?));
        let expected = Expected {
            shown: shown_at(photo),
            entries: List::EVERY.into_iter().filter_map(listed).collect(),
            copy: fingerprint(rows::photo_attributes(photo)),
            lock: photo_index::lock(photo).map(|_| photo.original.sha256),
            terms,
            line: fingerprint(kept.posting_attributes()),
            strays: kept.strays.iter().cloned().collect(),
        };
        self.photos.insert(photo.id, expected);
        Ok(())
    }

    async fn lists(&mut self) -> Result<(), RepositoryError> {
        for list in [List::Timeline, List::Favourites, List::Trash, List::Unfinished] {
            let mut query = Query::partition(list.of(self.owner));
            loop {
                let answer = self.store.query(OPERATION, &query).await?;
                for item in answer.items {
                    self.entry(list, item)?;
                }
                match answer.next {
                    Some(next) => query = query.after(Some(next)),
                    None => break,
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, list: List, item: Item) -> Result<(), RepositoryError> {
        let place = cursor(&item)?;
        let expected = self.photos.get_mut(&place.id);
        let found = expected.and_then(|expected| {
            let at = expected.entries.iter().position(|entry| *entry == (list, place.at))?;
            expected.entries.swap_remove(at);
            Some(expected.copy)
        });
        let subject = format!("entry of photo {} in list {}", place.id, list.name());
        match found {
            None => {
                let key = table_keys::entry(self.owner, list, place.at, place.id);
                self.differs(subject, format!("at {}", place.at), "nothing there", Mend::Unwanted(key, place.id));
            }
            Some(copy) if list == List::Timeline && copy != fingerprint(item) => {
                self.differs(subject, "another copy", "a copy of the photo", Mend::Photo(place.id));
            }
            Some(_) => {}
        }
        Ok(())
    }

    async fn contents(&mut self) -> Result<(), RepositoryError> {
        for lock in self.store.query_all(OPERATION, Query::partition(table_keys::contents_of(self.owner))).await? {
            let (sha256, holder) = rows::reading("lock on content", &lock, SK, || {
                let sha256: Sha256Digest = rows::text_of(&lock, SK)?.parse()?;
                Ok((sha256, PhotoId::from_uuid(rows::uuid_of(&lock, "PhotoID")?)))
            })?;
            let expected = self.photos.get_mut(&holder).filter(|expected| expected.lock == Some(sha256));
            match expected {
                Some(expected) => expected.lock = None,
                None => {
                    let key = table_keys::content(self.owner, &sha256);
                    let subject = format!("content of photo {holder}");
                    self.differs(subject, format!("holds {sha256}"), "holds nothing", Mend::Unwanted(key, holder));
                }
            }
        }
        Ok(())
    }

    async fn postings(&mut self) -> Result<(), RepositoryError> {
        let nothing = fingerprint::<&str>([]);
        let mut query = Query::partition(table_keys::postings_of(self.owner));
        loop {
            let answer = self.store.query(OPERATION, &query).await?;
            for item in answer.items {
                let (term, place) = posting(&item)?;
                let number = self.numbers.get(term).copied();
                let expected = self.photos.get_mut(&place.id);
                let found = expected.map(|expected| {
                    let at = expected.terms.iter().position(|wanted| Some(*wanted) == number);
                    match at.filter(|_| expected.shown == Some(place.at)) {
                        Some(at) => {
                            expected.terms.swap_remove(at);
                            Some(expected.line)
                        }
                        None => None,
                    }
                });
                let (term, key) = (term.to_owned(), table_keys::posting(term, place.at, place.id));
                let is_stray = self.photos.get(&place.id).is_some_and(|expected| expected.strays.contains(&key));
                let subject = format!("search index of photo {}", place.id);
                match found.flatten() {
                    Some(line) => {
                        let held = fingerprint(item);
                        if held != line && held != nothing {
                            self.differs(subject, format!("{term} with other terms"), term, Mend::Photo(place.id));
                        }
                    }
                    // Those are told of with what follows the photo.
                    None if is_stray => {}
                    None => {
                        let key = Key::index(table_keys::postings_of(self.owner), key);
                        self.differs(
                            subject,
                            format!("{term} at {}", place.at),
                            "nothing there",
                            Mend::Unwanted(key, place.id),
                        );
                    }
                }
            }
            match answer.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(()),
            }
        }
    }

    /// Names what was expected of photos and not found.
    fn missing(&mut self) {
        let names: HashMap<u32, String> = self.numbers.drain().map(|(term, number)| (number, term)).collect();
        let mut missing = Vec::new();
        for (id, expected) in &mut self.photos {
            for (list, at) in expected.entries.drain(..) {
                let subject = format!("entry of photo {id} in list {}", list.name());
                missing.push((subject, "nothing there".to_owned(), format!("at {at}"), *id));
            }
            if let Some(sha256) = expected.lock.take() {
                let subject = format!("content of photo {id}");
                missing.push((subject, "holds nothing".to_owned(), format!("holds {sha256}"), *id));
            }
            let mut terms: Vec<&str> =
                expected.terms.drain(..).filter_map(|number| names.get(&number).map(|term| &**term)).collect();
            if !terms.is_empty() {
                terms.sort_unstable();
                let subject = format!("search index of photo {id}");
                missing.push((subject, "nothing more".to_owned(), terms.join(", "), *id));
            }
        }
        missing.sort_unstable();
        for (subject, stored, counted, id) in missing {
            self.differs(subject, stored, counted, Mend::Photo(id));
        }
    }

    /// Albums, with the places in them.
    async fn albums(&mut self) -> Result<(), RepositoryError> {
        let query = Query::beginning(table_keys::of_user(self.owner), table_keys::ALBUMS_OF_USER);
        let items = self.store.query_all(OPERATION, query).await?;
        let mut standing: HashMap<AlbumId, HashMap<PhotoId, (Rank, Option<Timestamp>)>> = HashMap::new();
        let mut listed: Vec<Key> = Vec::new();
        for item in &items {
            let album = rows::album(item)?;
            standing.insert(album.id, HashMap::new());
            let mut keys = album_repository::listings(&album);
            keys.push(table_keys::album_lock(album.id));
            let entries = self.store.get_many(OPERATION, &keys).await?;
            if entries.iter().any(Option::is_none) {
                self.differs(
                    format!("lists of album {}", album.id),
                    "nothing there",
                    "an entry",
                    Mend::Album(album.id),
                );
            }
            listed.extend(keys);
        }
        for partition in [table_keys::albums_of(self.owner), table_keys::trashed_albums_of(self.owner)] {
            for entry in self.store.query_all(OPERATION, Query::partition(partition)).await? {
                let Some(key) = Key::of(Table::Index, &entry) else { continue };
                if !listed.contains(&key) {
                    let subject = format!("lists of albums: {}", key.sort());
                    self.differs(subject, "an entry", "nothing there", Mend::UnwantedOfAlbum(key));
                }
            }
        }
        self.memberships(&mut standing).await?;
        for item in &items {
            let album = rows::album(item)?.id;
            let places = standing.remove(&album).unwrap_or_default();
            self.entries_of_album(album, &places).await?;
            let seen = places.values().filter(|(_, shown)| shown.is_some()).count();
            self.compare_count(
                &format!("photos of album {album}"),
                table_keys::album(self.owner, album),
                item,
                [("Places", places.len() as i128), ("Photos", seen as i128)],
            )?;
        }
        Ok(())
    }

    async fn memberships(
        &mut self,
        standing: &mut HashMap<AlbumId, HashMap<PhotoId, (Rank, Option<Timestamp>)>>,
    ) -> Result<(), RepositoryError> {
        let mut query = Query::partition(table_keys::memberships_of(self.owner));
        loop {
            let answer = self.store.query(OPERATION, &query).await?;
            for item in &answer.items {
                let place = Place::of(item)?;
                let subject = format!("place of photo {} in album {}", place.photo, place.album);
                let shown = self.photos.get(&place.photo).map(|expected| expected.shown);
                let mend = Mend::Place(place.photo, place.album);
                match (shown, standing.get_mut(&place.album)) {
                    (Some(shown), Some(album)) => {
                        album.insert(place.photo, (place.rank.clone(), shown));
                        if shown != place.shown {
                            self.differs(subject, seen_at(place.shown), seen_at(shown), mend);
                        }
                    }
                    (None, _) => self.differs(subject, "stands there", "no photo", mend),
                    (_, None) => self.differs(subject, "stands there", "no album", mend),
                }
            }
            match answer.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(()),
            }
        }
    }

    /// The entries of an album by rank and by time, compared with the memberships.
    async fn entries_of_album(
        &mut self,
        album: AlbumId,
        places: &HashMap<PhotoId, (Rank, Option<Timestamp>)>,
    ) -> Result<(), RepositoryError> {
        let place = |photo: PhotoId| format!("place of photo {photo} in album {album}");
        let mut by_rank: HashSet<PhotoId> = HashSet::new();
        for item in self.store.query_all(OPERATION, Query::partition(table_keys::ranks_of(self.owner, album))).await? {
            let (ranked, seen) = album_places::ranked(&item)?;
            let photo = ranked.photo;
            match places.get(&photo) {
                Some((rank, shown)) if *rank == ranked.rank => {
                    by_rank.insert(photo);
                    if seen != shown.is_some() {
                        let mend = Mend::Place(photo, album);
                        self.differs(place(photo), format!("by rank seen: {seen}"), seen_at(*shown), mend);
                    }
                }
                _ => {
                    let key = table_keys::rank(self.owner, album, &ranked.rank, photo);
                    self.differs(
                        place(photo),
                        format!("at {}", ranked.rank.as_str()),
                        "nothing there",
                        Mend::Unwanted(key, photo),
                    );
                }
            }
        }
        let mut by_time: HashSet<PhotoId> = HashSet::new();
        for item in self.store.query_all(OPERATION, Query::partition(table_keys::times_of(self.owner, album))).await? {
            let at = cursor(&item)?;
            match places.get(&at.id) {
                Some((_, Some(shown))) if *shown == at.at => {
                    by_time.insert(at.id);
                }
                _ => {
                    let key = table_keys::time(self.owner, album, at.at, at.id);
                    self.differs(place(at.id), seen_at(Some(at.at)), "not there", Mend::Unwanted(key, at.id));
                }
            }
        }
        for (photo, (rank, shown)) in places {
            if !by_rank.contains(photo) {
                self.differs(place(*photo), "no entry by rank", rank.as_str(), Mend::Place(*photo, album));
            }
            if shown.is_some() && !by_time.contains(photo) {
                self.differs(place(*photo), "no entry by time", seen_at(*shown), Mend::Place(*photo, album));
            }
        }
        Ok(())
    }

    async fn usage(&mut self) -> Result<(), RepositoryError> {
        let key = table_keys::usage(self.owner);
        let stored = self.store.get(OPERATION, &key).await?.unwrap_or_default();
        let Usage { bytes, photos, pending_uploads } = self.usage;
        let counted = [("Bytes", bytes), ("Photos", photos), ("PendingUploads", pending_uploads)];
        self.compare_count("usage", key, &stored, counted.map(|(name, count)| (name, i128::from(count))))
    }

    async fn counters(
        &mut self,
        what: &str,
        partition: String,
        counted: BTreeMap<String, i128>,
    ) -> Result<(), RepositoryError> {
        let mut counted = counted;
        for item in self.store.query_all(OPERATION, Query::partition(&*partition)).await? {
            let name = rows::reading("counter", &item, PK, || Ok(rows::text_of(&item, SK)?.to_owned()))?;
            let count = counted.remove(&name).unwrap_or(0);
            self.compare_count(&format!("{what} {name}"), Key::index(&*partition, &*name), &item, [("Photos", count)])?;
        }
        for (name, count) in counted {
            let key = Key::index(&*partition, &*name);
            self.compare_count(&format!("{what} {name}"), key, &Item::new(), [("Photos", count)])?;
        }
        Ok(())
    }

    fn compare_count<const N: usize>(
        &mut self,
        subject: &str,
        key: Key,
        item: &Item,
        counted: [(&'static str, i128); N],
    ) -> Result<(), RepositoryError> {
        let mut numbers = Vec::new();
        for (name, count) in counted {
            let stored = rows::reading(subject, item, PK, || Ok(rows::optional_number(item, name)?.unwrap_or(0)))?;
            numbers.push((name, stored, count));
        }
        if numbers.iter().any(|(_, stored, counted)| stored != counted) {
            let said = |of: fn(&(&'static str, i128, i128)) -> i128| {
                numbers.iter().map(|number| format!("{} {}", number.0, of(number))).collect::<Vec<_>>().join(", ")
            };
            let (stored, counted) = (said(|number| number.1), said(|number| number.2));
            self.differs(subject.to_owned(), stored, counted, Mend::Count(key, numbers));
        }
        Ok(())
    }
}

impl Mend {
    async fn apply(&self, store: &DynamoDbStore, owner: UserId) -> Result<(), RepositoryError> {
        match self {
            Self::Photo(id) => mend_photo(store, owner, *id).await,
            Self::Unwanted(key, id) => {
                // A change of the photo meanwhile may have made it wanted.
                let kept = store.kept(OPERATION, owner, *id).await?;
                let check = match &kept {
                    Some(kept) => kept.guarding(Write::check(table_keys::photo(*id))),
                    None => is_not_of(owner, *id),
                };
                store.transact(OPERATION, vec![Write::delete(key.clone()), check]).await.map(drop)
            }
            Self::UnwantedOfAlbum(key) => store.write_always(OPERATION, Write::delete(key.clone())).await,
            Self::Place(photo, album) => mend_place(store, owner, *photo, *album).await,
            Self::Album(id) => {
                let Some(item) = store.get(OPERATION, &table_keys::album(owner, *id)).await? else { return Ok(()) };
                let album = rows::album(&item)?;
                let check = Write::check(table_keys::album(owner, *id)).only_if("#Revision = :revision");
                let mut writes = vec![check.value(":revision", rows::revision_value(album.revision))];
                let keys = album_repository::listings(&album).into_iter().chain([table_keys::album_lock(*id)]);
                writes.extend(keys.map(|key| Write::put(key, [])));
                store.transact(OPERATION, writes).await.map(drop)
            }
            Self::Count(key, numbers) => mend_count(store, owner, key, numbers).await,
        }
    }
}

/// Writes everything anew that a photo should have, and finishes what was left off.
async fn mend_photo(store: &DynamoDbStore, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
    let Some(kept) = store.kept(OPERATION, owner, id).await? else { return Ok(()) };
    let (mended, write) = kept.mended();
    if !store.transact(OPERATION, vec![write]).await?.is_done() {
        return Ok(());
    }
    let mut writes: Vec<Write> = photo_index::entries(&mended.photo)
        .into_iter()
        .map(|(_, key, held)| Write::put(key, held))
        .chain(mended.due_postings().iter().map(|sort| mended.posting(sort)))
        .collect();
    if let Some(lock) = photo_index::lock(&mended.photo) {
        let free = store.get(OPERATION, &lock).await?.is_none();
        writes.extend(free.then(|| Write::put(lock, photo_index::lock_attributes(id)).only_if_absent()));
    }
    while !writes.is_empty() {
        let mut some = writes.split_off(writes.len().saturating_sub(TRANSACTION - 1));
        some.push(mended.guarding(Write::check(table_keys::photo(id))));
        if !store.transact(OPERATION, some).await?.is_done() {
            return Ok(());
        }
    }
    let mended = store.catch_up(OPERATION, mended).await?;
    store.settle_albums(OPERATION, owner, id, mended).await
}

/// Writes a photo's place in an album anew, or removes it if there is no such photo or album.
async fn mend_place(
    store: &DynamoDbStore,
    owner: UserId,
    photo: PhotoId,
    album: AlbumId,
) -> Result<(), RepositoryError> {
    let key = table_keys::membership(owner, photo, album);
    let Some(place) = store.get(OPERATION, &key).await?.as_ref().map(Place::of).transpose()? else { return Ok(()) };
    let kept = store.kept(OPERATION, owner, photo).await?;
    let has_album = store.get(OPERATION, &table_keys::album(owner, album)).await?.is_some();
    let writes = match &kept {
        // The counts are set afterwards.
        Some(kept) if has_album => {
            let shown = shown_at(&kept.photo);
            let mut writes = album_places::mending(owner, &place, shown);
            writes.push(kept.guarding(Write::check(table_keys::photo(photo))));
            writes
        }
        _ => album_places::leaving(owner, &place),
    };
    store.transact(OPERATION, writes).await.map(drop)
}

/// Sets numbers to what was counted, if nobody has changed them since. Those of an album are counted once more, as mending its places may have changed
/// what stands in it.
async fn mend_count(
    store: &DynamoDbStore,
    owner: UserId,
    key: &Key,
    numbers: &[(&'static str, i128, i128)],
) -> Result<(), RepositoryError> {
    let is_nothing = numbers.iter().all(|(_, _, counted)| *counted == 0);
    let is_album = key.sort().starts_with(table_keys::ALBUMS_OF_USER);
    let mut write = if is_nothing && !is_album { Write::delete(key.clone()) } else { Write::update(key.clone()) };
    if is_album {
        write = write.only_if_present();
    }
    for (name, stored, counted) in numbers {
        let (set, was) = (format!(":new_{name}"), format!(":old_{name}"));
        let condition = match stored {
            0 => format!("attribute_not_exists(#{name}) OR #{name} = {was}"),
            _ => format!("#{name} = {was}"),
        };
        write = write.only_if(&condition).value(&was, number(*stored));
        if is_album || !is_nothing {
            write = write.set(format!("#{name} = {set}")).value(&set, number(*counted));
        }
    }
    if key.partition() == table_keys::tags_of(owner) && !is_nothing {
        // Which of its photos to ask for the spelling is found out when somebody asks.
        write =
            write.set("#PhotoID = if_not_exists(#PhotoID, :nobody)").value(":nobody", uuid_value(uuid::Uuid::nil()));
    }
    store.write(OPERATION, write).await.map(drop)
}

fn seen_at(shown: Option<Timestamp>) -> String {
    shown.map_or_else(|| "not seen".to_owned(), |at| format!("seen at {at}"))
}

/// Tells attributes apart, the key's aside.
fn fingerprint<N: AsRef<str>>(attributes: impl IntoIterator<Item = (N, AttributeValue)>) -> u64 {
    let mut said: Vec<(String, String)> = attributes
        .into_iter()
        .map(|(name, value)| (name.as_ref().to_owned(), format!("{value:?}")))
        .filter(|(name, _)| name != PK && name != SK)
        .collect();
    said.sort_unstable();
    let mut hasher = DefaultHasher::new();
    said.hash(&mut hasher);
    hasher.finish()
}
