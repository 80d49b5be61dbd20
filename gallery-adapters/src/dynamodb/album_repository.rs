//! Albums in DynamoDB.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use gallery_domain::ports::{AlbumRepository, RepositoryError};
use gallery_domain::{
    Album, AlbumCursor, AlbumEntry, AlbumId, Membership, Page, PageRequest, Photo, PhotoId, Rank, RankCursor, Revision,
    Task, UserId, Work,
};

use super::album_places::{self, Place};
use super::change::{TRANSACTION, Transacted, Tries, Write};
use super::error::{DynamoDbFailure, Remedy, transient};
use super::photo_index::shown_at;
use super::photo_repository::one_more;
use super::reading::Query;
use super::rows::{self, text};
use super::table_keys::{self, Item, Key, SK, Table};
use super::{DynamoDbStore, work_queue};

/// The most albums that a title stands for.
const SAME_TITLE: usize = 20;

/// The most albums of a photo that are named.
const ALBUMS_OF_A_PHOTO: usize = 1_000;

/// The most places that a request for an album's photos looks at.
const LOOKED_AT: usize = 2_000;

/// How many albums are asked at the same time.
const AT_ONCE: usize = 16;

/// Albums in DynamoDB: each among the small things of its owner, with its counts; lists name them. What the places of photos are made of, `album_places`
/// says.
#[derive(Debug)]
pub(super) struct DynamoDbAlbumRepository {
    store: DynamoDbStore,
}

impl DynamoDbAlbumRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }

    /// A page of a list of albums, latest first. `listed_at` gives the place where an album stands in it, if it does.
    async fn page_of_albums(
        &self,
        operation: &'static str,
        partition: String,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
        listed_at: impl Fn(&Album) -> Option<AlbumCursor> + Send,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let query = match page.after {
            None => Query::partition(partition),
            Some(after) => Query::new(Table::Index, None, "#PK = :partition AND #SK < :after")
                .value(":partition", text(partition))
                .value(":after", text(table_keys::place(after.at, after.id.as_uuid()))),
        };
        let items = self.store.query_up_to(operation, query.backward(), one_more(page.size)).await?;
        let listed = items.iter().map(cursor).collect::<Result<Vec<_>, _>>()?;
        let listed = Page::from_overfull(listed, page.size, |cursor| *cursor);
        let ids: Vec<AlbumId> = listed.items.iter().map(|cursor| cursor.id).collect();
        let found = self.entries(operation, owner, &ids).await?;
        // One that was changed since the list was read may be somewhere else by now.
        let stands = |(cursor, entry): (&AlbumCursor, Option<AlbumEntry>)| {
            entry.filter(|entry| listed_at(&entry.album) == Some(*cursor))
        };
        Ok(Page { items: listed.items.iter().zip(found).filter_map(stands).collect(), next: listed.next })
    }

    /// The owner's albums of these ids, each in its place.
    async fn entries(
        &self,
        operation: &'static str,
        owner: UserId,
        ids: &[AlbumId],
    ) -> Result<Vec<Option<AlbumEntry>>, RepositoryError> {
        let keys: Vec<Key> = ids.iter().map(|id| table_keys::album(owner, *id)).collect();
        let items = self.store.get_many(operation, &keys).await?;
        items.iter().map(|item| item.as_ref().map(rows::album_entry).transpose()).collect()
    }

    /// The places of these photos in an album, each in its place.
    async fn places(
        &self,
        operation: &'static str,
        owner: UserId,
        album: AlbumId,
        photos: &[PhotoId],
    ) -> Result<Vec<Option<Place>>, RepositoryError> {
        let keys: Vec<Key> = photos.iter().map(|photo| table_keys::membership(owner, *photo, album)).collect();
        let items = self.store.get_many(operation, &keys).await?;
        items.iter().map(|item| item.as_ref().map(Place::of).transpose()).collect()
    }

    /// The first photo that is seen in an album.
    async fn first_seen(&self, owner: UserId, album: AlbumId) -> Result<Option<PhotoId>, RepositoryError> {
        // Nearly always the first place is it.
        let mut query = Query::partition(table_keys::ranks_of(owner, album)).limit(4);
        loop {
            let answer = self.store.query("album covers", &query).await?;
            for item in &answer.items {
                if let (place, true) = album_places::ranked(item)? {
                    return Ok(Some(place.photo));
                }
            }
            match answer.next {
                Some(next) => query = query.after(Some(next)).limit(LOOKED_AT),
                None => return Ok(None),
            }
        }
    }

    /// Puts some photos into an album or moves them, all or none: how many are new. `None` if something changed in between.
    async fn add_some(
        &self,
        operation: &'static str,
        owner: UserId,
        album: AlbumId,
        some: &[Addition],
    ) -> Result<Option<u64>, RepositoryError> {
        let mut writes = Vec::new();
        let (mut new, mut seen) = (0, 0);
        for addition in some {
            match &addition.from {
                Some(place) => writes.extend(album_places::moving(owner, place, &addition.rank)),
                None => {
                    let (photo, revision, shown) = (addition.photo, addition.revision, addition.shown);
                    writes.extend(album_places::entering(
                        owner,
                        &Place { photo, album, rank: addition.rank.clone(), shown },
                    ));
                    // A photo that changes meanwhile may be seen, or be gone.
                    let check = Write::check(table_keys::photo(photo)).only_if("#Revision = :revision");
                    writes.push(check.value(":revision", rows::revision_value(revision)));
                    new += 1;
                    seen += i64::from(shown.is_some());
                }
            }
        }
        writes.push(match new {
            0 => Write::check(table_keys::album(owner, album)).only_if_present(),
            new => album_places::counting(owner, album, new, seen),
        });
        let done = self.store.transact(operation, writes).await?.is_done();
        Ok(done.then(|| new.unsigned_abs()))
    }

    /// What is to be added, as things are now.
    async fn additions(
        &self,
        operation: &'static str,
        owner: UserId,
        album: AlbumId,
        ranks: &HashMap<PhotoId, Rank>,
    ) -> Result<Vec<Addition>, RepositoryError> {
        let ids: Vec<PhotoId> = ranks.keys().copied().collect();
        let places = self.places(operation, owner, album, &ids).await?;
        let photos = self.store.photos(operation, owner, &ids).await?;
        let mut additions = Vec::new();
        for ((id, from), item) in ids.into_iter().zip(places).zip(photos) {
            let rank = ranks[&id].clone();
            let Some(item) = item else { continue };
            if from.as_ref().is_some_and(|place| place.rank == rank) {
                continue;
            }
            let photo = rows::photo(&item)?;
            let (shown, revision) = (shown_at(&photo), photo.revision);
            additions.push(Addition { photo: id, rank, from, shown, revision });
        }
        Ok(additions)
    }

    fn busy(operation: &'static str) -> gallery_domain::ports::BackendFailure {
        transient(operation, DynamoDbFailure::Busy)
    }
}

/// A photo that comes into an album or moves in it.
struct Addition {
    photo: PhotoId,
    rank: Rank,
    /// Where it stands, if it does.
    from: Option<Place>,
    shown: Option<gallery_domain::Timestamp>,
    revision: Revision,
}

impl Addition {
    /// Of how many writes a transaction has room for.
    const WRITES: usize = 4;
}

#[async_trait]
impl AlbumRepository for DynamoDbAlbumRepository {
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError> {
        let mut held = rows::album_attributes(album);
        held.extend([("Places", rows::number(0)), ("Photos", rows::number(0))]);
        let mut writes = vec![
            Write::put(table_keys::album(album.owner, album.id), held).only_if_absent(),
            Write::put(table_keys::album_lock(album.id), []).only_if_absent(),
        ];
        writes.extend(listings(album).into_iter().map(|key| Write::put(key, [])));
        match self.store.transact("album insert", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(RepositoryError::AlreadyExists),
        }
    }

    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError> {
        let item = self.store.get("album find", &table_keys::album(owner, id)).await?;
        item.as_ref().map(rows::album_entry).transpose()
    }

    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError> {
        let query = Query::partition(table_keys::albums_titled(owner, title_key)).backward();
        let items = self.store.query_up_to("album find by title", query, SAME_TITLE).await?;
        items.iter().map(|item| Ok(cursor(item)?.id)).collect()
    }

    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        const OPERATION: &str = "album replace";
        let key = table_keys::album(album.owner, album.id);
        let old = self.store.get(OPERATION, &key).await?.as_ref().map(rows::album).transpose()?;
        let Some(old) = old.filter(|old| old.revision == read_at) else { return Err(RepositoryError::Stale) };
        let album = &Album { created_at: old.created_at, ..album.clone() };

        let mut change = Write::update(key)
            .only_if("#Revision = :revision_read")
            .value(":revision_read", rows::revision_value(read_at));
        let held = rows::album_attributes(album);
        for name in ["Cover", "TrashedAt", "TrashedPhotos"] {
            if !held.iter().any(|(held, _)| *held == name) {
                change = change.unset(format!("#{name}"));
            }
        }
        for (name, value) in held {
            let placeholder = format!(":{}", name.to_lowercase());
            change = change.set(format!("#{name} = {placeholder}")).value(&placeholder, value);
        }
        let mut writes = vec![change];
        let (before, after) = (listings(&old), listings(album));
        writes.extend(before.iter().filter(|key| !after.contains(key)).cloned().map(Write::delete));
        writes.extend(after.iter().filter(|key| !before.contains(key)).cloned().map(|key| Write::put(key, [])));
        writes.extend(work.as_ref().map(work_queue::schedule));
        match self.store.transact(OPERATION, writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(RepositoryError::Stale),
        }
    }

    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError> {
        const OPERATION: &str = "album remove";
        let key = table_keys::album(owner, id);
        let cancel = work_queue::cancel(&Task::Album { owner, album: id });
        let mut tries = Tries::new(self.store.options.retry_for);
        loop {
            let Some(item) = self.store.get(OPERATION, &key).await? else {
                return self.store.write_always(OPERATION, cancel).await;
            };
            // As many places as one round takes out; the album goes once there is none, and none has come since it was read.
            let query = Query::partition(table_keys::ranks_of(owner, id));
            let ranked = self.store.query_up_to(OPERATION, query, 100).await?;
            let done = if ranked.is_empty() {
                let places = item.get("Places").cloned().unwrap_or_else(|| rows::number(0));
                let mut writes = vec![
                    Write::delete(key.clone()).only_if("#Places = :places").value(":places", places),
                    Write::delete(table_keys::album_lock(id)),
                    cancel.clone(),
                ];
                writes.extend(listings(&rows::album(&item)?).into_iter().map(Write::delete));
                if self.store.transact(OPERATION, writes).await?.is_done() {
                    return Ok(());
                }
                false
            } else {
                let photos = ranked.iter().map(|item| Ok(album_places::ranked(item)?.0.photo));
                let photos = photos.collect::<Result<Vec<_>, RepositoryError>>()?;
                self.remove_photos(owner, id, &photos).await? > 0
            };
            if !done {
                tries.again(OPERATION, Remedy::Again, || Self::busy(OPERATION)).await?;
            }
        }
    }

    async fn list(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let listed_at = |album: &Album| album.trashed.is_none().then(|| album.cursor());
        self.page_of_albums("album list", table_keys::albums_of(owner), owner, page, listed_at).await
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let listed_at = |album: &Album| album.trashed.map(|trashed| AlbumCursor { at: trashed.at, id: album.id });
        self.page_of_albums("album trash", table_keys::trashed_albums_of(owner), owner, page, listed_at).await
    }

    async fn covers(&self, owner: UserId, albums: &[AlbumId]) -> Result<Vec<(AlbumId, Photo)>, RepositoryError> {
        const OPERATION: &str = "album covers";
        let entries = self.entries(OPERATION, owner, albums).await?;
        let entries: Vec<AlbumEntry> = entries.into_iter().flatten().filter(|entry| entry.photo_count > 0).collect();
        let chosen: Vec<(AlbumId, PhotoId)> =
            entries.iter().filter_map(|entry| Some((entry.album.id, entry.album.cover?))).collect();
        let keys: Vec<Key> =
            chosen.iter().map(|(album, cover)| table_keys::membership(owner, *cover, *album)).collect();
        let mut covers: HashMap<AlbumId, PhotoId> = HashMap::new();
        for ((album, cover), item) in chosen.into_iter().zip(self.store.get_many(OPERATION, &keys).await?) {
            if item.as_ref().map(Place::of).transpose()?.is_some_and(|place| place.shown.is_some()) {
                covers.insert(album, cover);
            }
        }
        let mut without: Vec<AlbumId> =
            entries.iter().map(|entry| entry.album.id).filter(|album| !covers.contains_key(album)).collect();
        without.sort_unstable();
        without.dedup();
        let first: Vec<(AlbumId, Option<PhotoId>)> = stream::iter(without)
            .map(async |album| Ok::<_, RepositoryError>((album, self.first_seen(owner, album).await?)))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        covers.extend(first.into_iter().filter_map(|(album, photo)| Some((album, photo?))));
        let wanted: Vec<(AlbumId, PhotoId)> =
            albums.iter().filter_map(|album| Some((*album, *covers.get(album)?))).collect();
        let ids: Vec<PhotoId> = wanted.iter().map(|(_, photo)| *photo).collect();
        let photos = self.store.photos(OPERATION, owner, &ids).await?;
        let mut found = Vec::new();
        for ((album, _), item) in wanted.into_iter().zip(photos) {
            let photo = item.as_ref().map(rows::photo).transpose()?;
            found.extend(photo.filter(Photo::is_visible).map(|photo| (album, photo)));
        }
        Ok(found)
    }

    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError> {
        const OPERATION: &str = "album add photos";
        // Of a photo that is named twice, the last rank holds.
        let mut ranks: HashMap<PhotoId, Rank> = places.iter().map(|place| (place.photo, place.rank.clone())).collect();
        let mut added = 0;
        // Where those stood that have to be tried anew.
        let mut stood: HashMap<PhotoId, Rank> = HashMap::new();
        let mut tries = Tries::new(self.store.options.retry_for);
        while !ranks.is_empty() {
            if self.store.get(OPERATION, &table_keys::album(owner, album)).await?.is_none() {
                break;
            }
            let mut additions = self.additions(OPERATION, owner, album, &ranks).await?;
            // Whoever moved a photo meanwhile may as well have done it right after this call: so that many who move one photo at the same time do not
            // have to wait for each other.
            additions.retain(|addition| match (stood.get(&addition.photo), &addition.from) {
                (Some(before), Some(now)) => now.rank == *before,
                _ => true,
            });
            let mut left = Vec::new();
            for some in additions.chunks((TRANSACTION - 1) / Addition::WRITES) {
                match self.add_some(OPERATION, owner, album, some).await? {
                    Some(new) => added += new,
                    None => left.extend(some.iter().map(|addition| addition.photo)),
                }
            }
            ranks.retain(|photo, _| left.contains(photo));
            stood = additions
                .into_iter()
                .filter(|addition| left.contains(&addition.photo))
                .filter_map(|addition| Some((addition.photo, addition.from?.rank)))
                .collect();
            if !ranks.is_empty() {
                tries.again(OPERATION, Remedy::Again, || Self::busy(OPERATION)).await?;
            }
        }
        Ok(added)
    }

    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError> {
        const OPERATION: &str = "album remove photos";
        let mut photos = photos.to_vec();
        photos.sort_unstable();
        photos.dedup();
        let mut removed = 0;
        let mut tries = Tries::new(self.store.options.retry_for);
        while !photos.is_empty() {
            let places: Vec<Place> =
                self.places(OPERATION, owner, album, &photos).await?.into_iter().flatten().collect();
            let mut left = Vec::new();
            for some in places.chunks((TRANSACTION - 1) / 3) {
                let mut writes: Vec<Write> =
                    some.iter().flat_map(|place| album_places::leaving(owner, place)).collect();
                let seen = some.iter().filter(|place| place.shown.is_some()).count() as i64;
                writes.push(album_places::counting(owner, album, -(some.len() as i64), -seen));
                if self.store.transact(OPERATION, writes).await?.is_done() {
                    removed += some.len() as u64;
                } else {
                    left.extend(some.iter().map(|place| place.photo));
                }
            }
            photos = left;
            if !photos.is_empty() {
                tries.again(OPERATION, Remedy::Again, || Self::busy(OPERATION)).await?;
            }
        }
        Ok(removed)
    }

    async fn photos(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<(Membership, Photo), RankCursor>, RepositoryError> {
        const OPERATION: &str = "album photos";
        let wanted = one_more(page.size);
        let mut query = by_rank(owner, album, page.after.as_ref()).limit(wanted);
        let (mut seen, mut looked_at, mut last, mut cut_off) = (Vec::new(), 0, None, false);
        while seen.len() < wanted {
            let answer = self.store.query(OPERATION, &query).await?;
            looked_at += answer.items.len();
            for item in &answer.items {
                let (place, is_seen) = album_places::ranked(item)?;
                last = Some(place.clone());
                seen.extend(is_seen.then_some(place));
            }
            let Some(next) = answer.next else { break };
            if looked_at >= LOOKED_AT {
                cut_off = seen.len() < wanted;
                break;
            }
            query = query.after(Some(next)).limit(looked_at.clamp(wanted, LOOKED_AT - looked_at + wanted));
        }
        seen.truncate(wanted);
        let mut places = Page::from_overfull(seen, page.size, rank_cursor);
        if cut_off {
            places.next = last.as_ref().map(rank_cursor);
        }
        let ids: Vec<PhotoId> = places.items.iter().map(|place| place.photo).collect();
        let photos = self.store.photos(OPERATION, owner, &ids).await?;
        let mut items = Vec::new();
        for (place, item) in places.items.into_iter().zip(photos) {
            let photo = item.as_ref().map(rows::photo).transpose()?;
            items.extend(photo.filter(Photo::is_visible).map(|photo| (place, photo)));
        }
        Ok(Page { items, next: places.next })
    }

    async fn members(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Membership, RankCursor>, RepositoryError> {
        let query = by_rank(owner, album, page.after.as_ref());
        let items = self.store.query_up_to("album members", query, one_more(page.size)).await?;
        let places =
            items.iter().map(|item| Ok(album_places::ranked(item)?.0)).collect::<Result<_, RepositoryError>>()?;
        Ok(Page::from_overfull(places, page.size, rank_cursor))
    }

    async fn member(
        &self,
        owner: UserId,
        album: AlbumId,
        photo: PhotoId,
    ) -> Result<Option<Membership>, RepositoryError> {
        let item = self.store.get("album member", &table_keys::membership(owner, photo, album)).await?;
        Ok(item.as_ref().map(Place::of).transpose()?.map(|place| place.membership()))
    }

    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError> {
        let query = by_rank(owner, album, None).backward();
        let items = self.store.query_up_to("album last member", query, 1).await?;
        Ok(items.first().map(album_places::ranked).transpose()?.map(|(place, _)| place))
    }

    async fn member_before(
        &self,
        owner: UserId,
        album: AlbumId,
        place: &RankCursor,
    ) -> Result<Option<Membership>, RepositoryError> {
        let query = Query::new(Table::Index, None, "#PK = :partition AND #SK < :place")
            .value(":partition", text(table_keys::ranks_of(owner, album)))
            .value(":place", text(table_keys::place_by_rank(&place.rank, place.photo)))
            .backward();
        let items = self.store.query_up_to("album member before", query, 1).await?;
        Ok(items.first().map(album_places::ranked).transpose()?.map(|(place, _)| place))
    }

    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError> {
        let query = Query::beginning(table_keys::memberships_of(owner), table_keys::memberships_of_photo(photo));
        let items = self.store.query_up_to("album albums of", query, ALBUMS_OF_A_PHOTO).await?;
        items.iter().map(|item| Ok(Place::of(item)?.album)).collect()
    }

    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError> {
        // What comes after all albums begins with another character.
        let first = page.after.map_or_else(
            || table_keys::ALBUMS_OF_USER.to_owned(),
            |after| table_keys::album(owner, after).sort().to_owned(),
        );
        let query = Query::new(Table::Index, None, "#PK = :partition AND #SK BETWEEN :first AND :last")
            .value(":partition", text(table_keys::of_user(owner)))
            .value(":last", text(format!("{}~", table_keys::ALBUMS_OF_USER)))
            .value(":first", text(format!("{first}{}", if page.after.is_some() { "~" } else { "" })));
        let items = self.store.query_up_to("album all", query, one_more(page.size)).await?;
        let albums = items.iter().map(rows::album).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(albums, page.size, |album| album.id))
    }
}

/// The entries of an album in lists.
pub(super) fn listings(album: &Album) -> Vec<Key> {
    let created = table_keys::place(album.created_at, album.id.as_uuid());
    match album.trashed {
        None => vec![
            Key::index(table_keys::albums_of(album.owner), &*created),
            Key::index(table_keys::albums_titled(album.owner, &album.title.key()), &*created),
        ],
        Some(trashed) => {
            let place = table_keys::place(trashed.at, album.id.as_uuid());
            vec![Key::index(table_keys::trashed_albums_of(album.owner), place)]
        }
    }
}

/// The place of an entry in a list of albums.
fn cursor(item: &Item) -> Result<AlbumCursor, RepositoryError> {
    rows::reading("entry of a list", item, SK, || {
        let (at, id) = table_keys::read_place(rows::text_of(item, SK)?).ok_or("its key is no place")?;
        Ok(AlbumCursor { at, id: AlbumId::from_uuid(id) })
    })
}

/// The places of an album by rank, behind one of them.
fn by_rank(owner: UserId, album: AlbumId, after: Option<&RankCursor>) -> Query {
    match after {
        None => Query::partition(table_keys::ranks_of(owner, album)),
        Some(after) => Query::new(Table::Index, None, "#PK = :partition AND #SK > :after")
            .value(":partition", text(table_keys::ranks_of(owner, album)))
            .value(":after", text(table_keys::place_by_rank(&after.rank, after.photo))),
    }
}

fn rank_cursor(place: &Membership) -> RankCursor {
    RankCursor { rank: place.rank.clone(), photo: place.photo }
}
