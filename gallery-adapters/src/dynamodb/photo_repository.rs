//! Photos in DynamoDB.

use async_trait::async_trait;
use gallery_domain::ports::{AlbumScope, Discrepancy, PhotoRepository, RepositoryError};
use gallery_domain::search::SearchQuery;
use gallery_domain::{
    MonthCount, Page, PageRequest, PageSize, Photo, PhotoCursor, PhotoId, Quota, Revision, Sha256Digest, Tag, TagCount,
    Task, UserId, Work,
};

use super::change::Write;
use super::photo_change::{Change, Kind};
use super::reading::Query;
use super::rows::{self, number, text};
use super::table_keys::{self, GAP, Item, Key, List, SK, Table};
use super::{DynamoDbStore, photo_audit, photo_index, photo_search, work_queue};

/// The longest sort key.
const LONGEST_KEY: usize = 1024;

/// How many postings of a tag are looked at to find its spelling, at a time.
const SPELLINGS: usize = 8;

/// Photos in DynamoDB: each in the table of photos by its id, and the timeline with a copy of those that are visible, so that a page of it is one query.
/// The other lists name the photos.
#[derive(Debug)]
pub(super) struct DynamoDbPhotoRepository {
    store: DynamoDbStore,
}

impl DynamoDbPhotoRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }

    fn change<'a>(
        &'a self,
        operation: &'static str,
        owner: UserId,
        id: PhotoId,
        kind: Kind<'a>,
        work: Option<Write>,
    ) -> Change<'a> {
        Change { store: &self.store, operation, owner, id, kind, work }
    }

    /// A page of a list that names its photos, latest first.
    async fn page_of(
        &self,
        operation: &'static str,
        list: List,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let entries =
            self.store.query_up_to(operation, latest_first(list.of(owner), page.after), one_more(page.size)).await?;
        let entries = entries.iter().map(cursor).collect::<Result<Vec<_>, _>>()?;
        let entries = Page::from_overfull(entries, page.size, |cursor| *cursor);
        let ids: Vec<PhotoId> = entries.items.iter().map(|cursor| cursor.id).collect();
        let photos = self.find_all(operation, owner, &ids).await?;
        // One that was changed since the list was read may be somewhere else by now.
        let stands = |(cursor, photo): (&PhotoCursor, Option<Photo>)| {
            photo.filter(|photo| photo_index::listed_at(photo, list) == Some(cursor.at))
        };
        Ok(Page { items: entries.items.iter().zip(photos).filter_map(stands).collect(), next: entries.next })
    }

    /// The owner's photos of these ids, each in its place.
    async fn find_all(
        &self,
        operation: &'static str,
        owner: UserId,
        ids: &[PhotoId],
    ) -> Result<Vec<Option<Photo>>, RepositoryError> {
        let items = self.store.photos(operation, owner, ids).await?;
        items.iter().map(|item| item.as_ref().map(rows::photo).transpose()).collect()
    }

    /// How a tag is spelt on the latest of its photos.
    async fn latest_spelling(
        &self,
        operation: &'static str,
        owner: UserId,
        key: &str,
    ) -> Result<Option<Tag>, RepositoryError> {
        let mut query =
            Query::beginning(table_keys::postings_of(owner), format!("#{key}{GAP}")).backward().limit(SPELLINGS);
        loop {
            let answer = self.store.query(operation, &query).await?;
            let ids =
                answer.items.iter().map(|item| Ok(posting(item)?.1.id)).collect::<Result<Vec<_>, RepositoryError>>()?;
            let photos = self.find_all(operation, owner, &ids).await?;
            if let Some(tag) = photos.iter().flatten().find_map(|photo| photo_index::spelling(photo, key)) {
                return Ok(Some(tag.clone()));
            }
            match answer.next {
                Some(next) => query = query.after(Some(next)),
                None => return Ok(None),
            }
        }
    }
}

#[async_trait]
impl PhotoRepository for DynamoDbPhotoRepository {
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError> {
        let kind = Kind::Insert(photo, quota);
        self.change("photo insert", photo.owner, photo.id, kind, Some(work_queue::schedule(work))).run().await
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError> {
        Ok(self.find_all("photo find", owner, &[id]).await?.pop().flatten())
    }

    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError> {
        Ok(self.find_all("photo find many", owner, ids).await?.into_iter().flatten().collect())
    }

    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError> {
        const OPERATION: &str = "photo find by content";
        let locks: Vec<Key> = contents.iter().map(|sha256| table_keys::content(owner, sha256)).collect();
        let mut holders = Vec::new();
        for lock in self.store.get_many(OPERATION, &locks).await?.iter().flatten() {
            let holder = rows::reading("lock on content", lock, SK, || rows::uuid_of(lock, "PhotoID"))?;
            holders.push(PhotoId::from_uuid(holder));
        }
        holders.sort_unstable();
        holders.dedup();
        let photos = self.find_all(OPERATION, owner, &holders).await?.into_iter().flatten();
        Ok(photos.filter(|photo| photo.holds_content() && contents.contains(&photo.original.sha256)).collect())
    }

    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let kind = Kind::Replace(photo, read_at);
        let work = work.as_ref().map(work_queue::schedule);
        self.change("photo replace", photo.owner, photo.id, kind, work).run().await
    }

    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
        let work = work_queue::cancel(&Task::Photo { owner, photo: id });
        self.change("photo remove", owner, id, Kind::Remove, Some(work)).run().await
    }

    async fn timeline(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let query = latest_first(List::Timeline.of(owner), page.after);
        let items = self.store.query_up_to("photo timeline", query, one_more(page.size)).await?;
        let photos = items.iter().map(rows::photo).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(photos, page.size, Photo::timeline_cursor))
    }

    async fn favourites(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.page_of("photo favourites", List::Favourites, owner, page).await
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.page_of("photo trash", List::Trash, owner, page).await
    }

    async fn unfinished(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.page_of("photo unfinished", List::Unfinished, owner, page).await
    }

    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError> {
        let query = Query::partition(table_keys::months_of(owner)).backward();
        let mut months = Vec::new();
        for item in self.store.query_all("photo months", query).await? {
            let month = rows::reading("month", &item, SK, || {
                Ok(MonthCount { month: rows::text_of(&item, SK)?.parse()?, photos: rows::count_of(&item, "Photos")? })
            })?;
            months.extend((month.photos > 0).then_some(month));
        }
        Ok(months)
    }

    async fn search(
        &self,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        photo_search::search(&self.store, owner, query, albums, page).await
    }

    async fn tags(&self, owner: UserId, key_prefix: &str, limit: u32) -> Result<Vec<TagCount>, RepositoryError> {
        const OPERATION: &str = "photo tags";
        if limit == 0 || key_prefix.len() > LONGEST_KEY {
            return Ok(Vec::new());
        }
        let query = match key_prefix {
            "" => Query::partition(table_keys::tags_of(owner)),
            prefix => Query::beginning(table_keys::tags_of(owner), prefix),
        };
        // Those at zero are removed right away, so that hardly any is left out.
        let query = query.filter("#Photos > :zero").value(":zero", number(0)).limit(limit as usize);
        let counters = self.store.query_up_to(OPERATION, query, limit as usize).await?;
        let mut counted = Vec::new();
        for item in &counters {
            counted.push(rows::reading("tag", item, SK, || {
                let photo = PhotoId::from_uuid(rows::uuid_of(item, "PhotoID")?);
                Ok((rows::text_of(item, SK)?, photo, rows::count_of(item, "Photos")?))
            })?);
        }
        let spellers: Vec<PhotoId> = counted.iter().map(|(_, photo, _)| *photo).collect();
        let spellers = self.find_all(OPERATION, owner, &spellers).await?;
        let mut tags = Vec::new();
        for ((key, _, photos), speller) in counted.into_iter().zip(spellers) {
            let tag = match speller.as_ref().and_then(|photo| photo_index::spelling(photo, key)) {
                Some(tag) => Some(tag.clone()),
                None => self.latest_spelling(OPERATION, owner, key).await?,
            };
            // Without any, its last photo has just gone.
            tags.extend(tag.map(|tag| TagCount { tag, photos }));
        }
        Ok(tags)
    }

    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError> {
        const OPERATION: &str = "photo all";
        let query = match page.after {
            None => Query::partition(List::All.of(owner)),
            Some(after) => Query::new(Table::Index, None, "#PK = :partition AND #SK > :after")
                .value(":partition", text(List::All.of(owner)))
                .value(":after", text(after.to_string())),
        };
        let entries = self.store.query_up_to(OPERATION, query, one_more(page.size)).await?;
        let ids = entries.iter().map(id_in_all).collect::<Result<Vec<_>, _>>()?;
        let ids = Page::from_overfull(ids, page.size, |id| *id);
        let photos = self.find_all(OPERATION, owner, &ids.items).await?;
        Ok(Page { items: photos.into_iter().flatten().collect(), next: ids.next })
    }

    async fn audit(&self, owner: UserId, repair: bool) -> Result<Vec<Discrepancy>, RepositoryError> {
        photo_audit::audit(&self.store, owner, repair).await
    }
}

impl DynamoDbStore {
    /// The items of the owner's photos of these ids, each in its place.
    pub(super) async fn photos(
        &self,
        operation: &'static str,
        owner: UserId,
        ids: &[PhotoId],
    ) -> Result<Vec<Option<Item>>, RepositoryError> {
        let keys: Vec<Key> = ids.iter().map(|id| table_keys::photo(*id)).collect();
        let items = match &keys[..] {
            [key] => vec![self.get(operation, key).await?],
            keys => self.get_many(operation, keys).await?,
        };
        let owner = owner.to_string();
        let is_owners = |item: &Item| rows::text_of(item, "OwnerID").is_ok_and(|found| found == owner);
        Ok(items.into_iter().map(|item| item.filter(is_owners)).collect())
    }
}

/// A list by time, latest first, behind a place of it.
pub(super) fn latest_first(partition: String, after: Option<PhotoCursor>) -> Query {
    let query = match after {
        None => Query::partition(partition),
        Some(after) => Query::new(Table::Index, None, "#PK = :partition AND #SK < :after")
            .value(":partition", text(partition))
            .value(":after", text(table_keys::place(after.at, after.id.as_uuid()))),
    };
    query.backward()
}

/// One item more than the page has tells whether another page follows.
pub(super) const fn one_more(size: PageSize) -> usize {
    size.get() + 1
}

/// The place of an entry in a list by time.
pub(super) fn cursor(item: &Item) -> Result<PhotoCursor, RepositoryError> {
    rows::reading("entry of a list", item, SK, || {
        let (at, id) = table_keys::read_place(rows::text_of(item, SK)?).ok_or("its key is no place")?;
        Ok(PhotoCursor { at, id: PhotoId::from_uuid(id) })
    })
}

/// The photo of an entry in the list of all.
pub(super) fn id_in_all(item: &Item) -> Result<PhotoId, RepositoryError> {
    rows::reading("entry of a list", item, SK, || Ok(rows::text_of(item, SK)?.parse()?))
}

/// The term of a posting, and the place of its photo.
pub(super) fn posting(item: &Item) -> Result<(&str, PhotoCursor), RepositoryError> {
    rows::reading("posting", item, SK, || {
        let (term, at, id) =
            table_keys::read_posting(rows::text_of(item, SK)?).ok_or("its key is none of a posting")?;
        Ok((term, PhotoCursor { at, id }))
    })
}
