//! Photos in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use gallery_domain::ports::{AlbumScope, Discrepancy, PhotoRepository, RepositoryError};
use gallery_domain::search::SearchQuery;
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{
    MonthCount, Page, PageRequest, Photo, PhotoCursor, PhotoId, PhotoState, Quota, Revision, Sha256Digest, Tag,
    TagCount, Task, UserId, Work,
};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};
use uuid::Uuid;

use super::error::failed;
use super::rows::{self, photo_columns};
use super::term_query::after_prefix;
use super::{SqliteStore, photo_audit, photo_index, photo_search, user_repository, work_queue};

/// The place before every photo: later than all times, and an id higher than all others.
pub(super) const FIRST_PLACE: (i64, Uuid) = (i64::MAX, Uuid::max());

/// Photos in SQLite.
#[derive(Debug)]
pub(super) struct SqlitePhotoRepository {
    store: SqliteStore,
}

impl SqlitePhotoRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }

    /// A page of a list whose statement takes the owner, the place after which to go on, and how many to answer with.
    async fn list(
        &self,
        operation: &'static str,
        statement: &'static str,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
        key: impl Fn(&Photo) -> PhotoCursor,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        let (at, id) = place(page.after);
        let rows = sqlx::query(statement)
            .bind(owner.as_uuid())
            .bind(at)
            .bind(id)
            .bind(one_more(page.size.get()))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed(operation))?;
        Ok(Page::from_overfull(rows::photos(&rows)?, page.size, key))
    }
}

#[async_trait]
impl PhotoRepository for SqlitePhotoRepository {
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError> {
        let failed = failed("photo insert");
        let mut change = self.store.begin("photo insert").await?;
        let usage = user_repository::usage(&mut change, photo.owner).await.map_err(&failed)?;
        let row = photo_index::free_row(&mut change, photo_index::second_of(photo.timeline_instant()))
            .await
            .map_err(&failed)?;
        let statement = sqlx::query(
            "INSERT INTO photo (row, title, description, tags, favourite, taken_at, state, facts, failure, settled_at, \
             trashed_at, trashed_with, revision, timeline_at, month, listed_in, holds_content, terms, id, owner_id, file_name, \
             content_type, bytes, sha256, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, \
             ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
        );
        let terms = photo.terms();
        bind_changing(statement, row, photo, &terms)
            .bind(photo.id.as_uuid())
            .bind(photo.owner.as_uuid())
            .bind(photo.original.file_name.as_str())
            .bind(photo.original.content_type.as_str())
            .bind(rows::integer(photo.original.bytes))
            .bind(photo.original.sha256.as_bytes().to_vec())
            .bind(photo.created_at.as_millis())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        // Only now, so that whoever sends a photo again hears that it is there, not that there is no room for it.
        if !usage.admits(photo.original.bytes, quota) {
            return Err(RepositoryError::OverQuota);
        }
        if photo.is_visible() {
            photo_index::add(&mut change, row, photo.owner, &terms).await.map_err(&failed)?;
        }
        work_queue::schedule(&mut change, work).await.map_err(&failed)?;
        change.commit().await.map_err(&failed)
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError> {
        sqlx::query(concat!("SELECT ", photo_columns!(), " FROM photo WHERE owner_id = ?1 AND id = ?2"))
            .bind(owner.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("photo find"))?
            .as_ref()
            .map(rows::photo)
            .transpose()
    }

    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            photo_columns!(),
            " FROM photo WHERE owner_id = ?1 AND id IN (SELECT unhex(value) FROM json_each(?2))"
        ))
        .bind(owner.as_uuid())
        .bind(rows::ids_to_json(ids.iter().map(PhotoId::as_uuid)))
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("photo find many"))?;
        let found: HashMap<PhotoId, Photo> = rows::photos(&rows)?.into_iter().map(|photo| (photo.id, photo)).collect();
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError> {
        let contents = serde_json::to_string(contents).expect("texts can always be written as JSON");
        let rows = sqlx::query(concat!(
            "SELECT ",
            photo_columns!(),
            " FROM photo WHERE owner_id = ?1 AND holds_content = 1 AND sha256 IN (SELECT unhex(value) FROM json_each(?2))"
        ))
        .bind(owner.as_uuid())
        .bind(contents)
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("photo find by content"))?;
        rows::photos(&rows)
    }

    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let failed = failed("photo replace");
        let mut change = self.store.begin("photo replace").await?;
        let stored = sqlx::query(concat!(
            "SELECT photo.row, photo.terms, ",
            photo_columns!(),
            " FROM photo WHERE owner_id = ?1 AND id = ?2 AND revision = ?3"
        ))
        .bind(photo.owner.as_uuid())
        .bind(photo.id.as_uuid())
        .bind(rows::integer(read_at.get()))
        .fetch_optional(&mut *change)
        .await
        .map_err(&failed)?
        .ok_or(RepositoryError::Stale)?;
        let old = rows::photo(&stored)?;
        let old_row: i64 = rows::scalar("photo", &stored, "row")?;
        let photo = &Photo { original: old.original.clone(), created_at: old.created_at, ..photo.clone() };

        let second = photo_index::second_of(photo.timeline_instant());
        let row = if second == photo_index::second_of_row(old_row) {
            old_row
        } else {
            let row = photo_index::free_row(&mut change, second).await.map_err(&failed)?;
            move_to_row(&mut change, old_row, row, photo).await.map_err(&failed)?;
            row
        };
        let same_words = have_same_words(&old, photo);
        let terms = if same_words { rows::terms(&stored)? } else { photo.terms() };
        write(&mut change, row, photo, &terms).await.map_err(&failed)?;

        let same_entry = row == old_row && old.is_visible() == photo.is_visible() && same_words;
        if !same_entry {
            if old.is_visible() {
                photo_index::remove(&mut change, old_row).await.map_err(&failed)?;
            }
            if photo.is_visible() {
                photo_index::add(&mut change, row, photo.owner, &terms).await.map_err(&failed)?;
            }
        }
        if let Some(work) = work {
            work_queue::schedule(&mut change, &work).await.map_err(&failed)?;
        }
        change.commit().await.map_err(&failed)
    }

    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
        let failed = failed("photo remove");
        let mut change = self.store.begin("photo remove").await?;
        let row: Option<i64> = sqlx::query_scalar("DELETE FROM photo WHERE owner_id = ?1 AND id = ?2 RETURNING row")
            .bind(owner.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(&mut *change)
            .await
            .map_err(&failed)?;
        if let Some(row) = row {
            photo_index::remove(&mut change, row).await.map_err(&failed)?;
        }
        work_queue::cancel(&mut change, &Task::Photo { owner, photo: id }).await.map_err(&failed)?;
        change.commit().await.map_err(&failed)
    }

    async fn timeline(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.list(
            "photo timeline",
            concat!(
                "SELECT ",
                photo_columns!(),
                " FROM photo WHERE owner_id = ?1 AND listed_in = 'timeline' AND (timeline_at, id) < (?2, ?3) \
                 ORDER BY timeline_at DESC, id DESC LIMIT ?4"
            ),
            owner,
            page,
            Photo::timeline_cursor,
        )
        .await
    }

    async fn favourites(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.list(
            "photo favourites",
            concat!(
                "SELECT ",
                photo_columns!(),
                " FROM photo WHERE owner_id = ?1 AND listed_in = 'timeline' AND favourite = 1 \
                 AND (timeline_at, id) < (?2, ?3) ORDER BY timeline_at DESC, id DESC LIMIT ?4"
            ),
            owner,
            page,
            Photo::timeline_cursor,
        )
        .await
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.list(
            "photo trash",
            concat!(
                "SELECT ",
                photo_columns!(),
                " FROM photo WHERE owner_id = ?1 AND listed_in = 'trash' AND (trashed_at, id) < (?2, ?3) \
                 ORDER BY trashed_at DESC, id DESC LIMIT ?4"
            ),
            owner,
            page,
            |photo| PhotoCursor { at: photo.trashed.map_or(photo.created_at, |trashed| trashed.at), id: photo.id },
        )
        .await
    }

    async fn unfinished(
        &self,
        owner: UserId,
        page: PageRequest<PhotoCursor>,
    ) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
        self.list(
            "photo unfinished",
            concat!(
                "SELECT ",
                photo_columns!(),
                " FROM photo WHERE owner_id = ?1 AND listed_in = 'unfinished' AND (created_at, id) < (?2, ?3) \
                 ORDER BY created_at DESC, id DESC LIMIT ?4"
            ),
            owner,
            page,
            |photo| PhotoCursor { at: photo.created_at, id: photo.id },
        )
        .await
    }

    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT month, photos FROM month_count WHERE owner_id = ?1 AND photos > 0 ORDER BY month DESC",
        )
        .bind(owner.as_uuid())
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("photo months"))?;
        rows.into_iter()
            .map(|(month, photos)| {
                let month = month.parse().map_err(|source| RepositoryError::Corrupt {
                    what: format!("month {month:?} of user {owner}"),
                    source: Box::new(source),
                })?;
                Ok(MonthCount { month, photos: rows::count(photos) })
            })
            .collect()
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
        // A blob is greater than every text: the upper bound where there is none.
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT key, (SELECT spelling FROM photo_tag WHERE owner_id = ?1 AND key = tag_count.key LIMIT 1), photos \
             FROM tag_count WHERE owner_id = ?1 AND key >= ?2 AND key < coalesce(?3, x'') AND photos > 0 \
             ORDER BY key LIMIT ?4",
        )
        .bind(owner.as_uuid())
        .bind(key_prefix)
        .bind(after_prefix(key_prefix))
        .bind(limit)
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("photo tags"))?;
        let count =
            |(key, spelling, photos)| TagCount { tag: Tag::from_stored(key, spelling), photos: rows::count(photos) };
        Ok(rows.into_iter().map(count).collect())
    }

    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            photo_columns!(),
            " FROM photo WHERE owner_id = ?1 AND id > coalesce(?2, x'') ORDER BY id LIMIT ?3"
        ))
        .bind(owner.as_uuid())
        .bind(page.after.map(|id| id.as_uuid()))
        .bind(one_more(page.size.get()))
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("photo all"))?;
        Ok(Page::from_overfull(rows::photos(&rows)?, page.size, |photo| photo.id))
    }

    async fn audit(&self, owner: UserId, repair: bool) -> Result<Vec<Discrepancy>, RepositoryError> {
        photo_audit::audit(&self.store, owner, repair).await
    }
}

/// A place in a list of photos as its statement takes it.
pub(super) fn place(after: Option<PhotoCursor>) -> (i64, Uuid) {
    after.map_or(FIRST_PLACE, |cursor| (cursor.at.as_millis(), cursor.id.as_uuid()))
}

/// One item more than the page has tells whether another page follows.
pub(super) fn one_more(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX - 1) + 1
}

/// Puts a photo, whose time changed, where its time belongs. Month and time go with it, as the row's number has to agree with them.
pub(super) async fn move_to_row(
    change: &mut SqliteConnection,
    old_row: i64,
    row: i64,
    photo: &Photo,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE photo SET row = ?2, timeline_at = ?3, month = ?4 WHERE row = ?1")
        .bind(old_row)
        .bind(row)
        .bind(photo.timeline_instant().as_millis())
        .bind(photo.month().to_string())
        .execute(change)
        .await?;
    Ok(())
}

/// Writes everything of a photo that can change. What can not is left alone, and with it the indexes that hold it.
pub(super) async fn write(
    change: &mut SqliteConnection,
    row: i64,
    photo: &Photo,
    terms: &PhotoTerms,
) -> Result<(), sqlx::Error> {
    let statement = sqlx::query(
        "UPDATE photo SET title = ?2, description = ?3, tags = ?4, favourite = ?5, taken_at = ?6, state = ?7, facts = ?8, \
         failure = ?9, settled_at = ?10, trashed_at = ?11, trashed_with = ?12, revision = ?13, timeline_at = ?14, month = ?15, \
         listed_in = ?16, holds_content = ?17, terms = ?18 WHERE row = ?1",
    );
    bind_changing(statement, row, photo, terms).execute(change).await?;
    Ok(())
}

type Statement = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// Binds ?1 to ?18: the row, and everything that can change.
fn bind_changing(statement: Statement, row: i64, photo: &Photo, terms: &PhotoTerms) -> Statement {
    let json = "numbers and texts can always be written as JSON";
    let (facts, failure, settled_at) = match &photo.state {
        PhotoState::Ready(facts) => (Some(serde_json::to_string(facts).expect(json)), None, None),
        PhotoState::Failed(failure) => (None, Some(serde_json::to_string(failure).expect(json)), None),
        PhotoState::Erasing { settled_at } => (None, None, Some(settled_at.as_millis())),
        PhotoState::Uploading | PhotoState::Processing => (None, None, None),
    };
    statement
        .bind(row)
        .bind(photo.details.title.as_str().to_owned())
        .bind(photo.details.description.as_str().to_owned())
        .bind(rows::tags_to_json(&photo.details.tags))
        .bind(photo.details.favourite)
        .bind(photo.details.taken_at.map(|taken| taken.to_string()))
        .bind(photo.state.name())
        .bind(facts)
        .bind(failure)
        .bind(settled_at)
        .bind(photo.trashed.map(|trashed| trashed.at.as_millis()))
        .bind(photo.trashed.and_then(|trashed| trashed.with_album).map(|album| album.as_uuid()))
        .bind(rows::integer(photo.revision.get()))
        .bind(photo.timeline_instant().as_millis())
        .bind(photo.month().to_string())
        .bind(rows::listed_in(photo))
        .bind(photo.holds_content())
        .bind(rows::terms_to_json(terms))
}

/// Whether everything is the same that a photo's terms are made of.
fn have_same_words(old: &Photo, new: &Photo) -> bool {
    let (old, new) = (&old.details, &new.details);
    old.title == new.title && old.description == new.description && old.tags == new.tags
}
