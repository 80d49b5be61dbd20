//! Photos in PostgreSQL.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{AlbumScope, Discrepancy, PhotoRepository, RepositoryError};
use gallery_domain::search::SearchQuery;
use gallery_domain::{
    MonthCount, Page, PageRequest, Photo, PhotoCursor, PhotoId, PhotoState, Quota, Revision, Sha256Digest, Tag,
    TagCount, Task, UserId, Work,
};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

use super::change::{Interruption, Session};
use super::rows::{self, photo_columns};
use super::{PostgresStore, photo_audit, photo_index, photo_search, term_query, user_repository, work_queue};

/// The place before every photo: later than all times, and an id higher than all others.
pub(super) const FIRST_PLACE: (i64, Uuid) = (i64::MAX, Uuid::max());

/// Photos in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresPhotoRepository {
    store: PostgresStore,
}

impl PostgresPhotoRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
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
        let rows = self
            .store
            .repeat(operation, |session| {
                async move {
                    let statement = session
                        .query(statement)
                        .bind(owner.as_uuid())
                        .bind(at)
                        .bind(id)
                        .bind(one_more(page.size.get()));
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        Ok(Page::from_overfull(rows::photos(&rows)?, page.size, key))
    }
}

#[async_trait]
impl PhotoRepository for PostgresPhotoRepository {
    async fn insert(&self, photo: &Photo, quota: &Quota, work: &Work) -> Result<(), RepositoryError> {
        self.store
            .change("photo insert", Some(photo.owner), |session| {
                async move {
                    let usage = user_repository::usage(session, photo.owner).await?;
                    let statement = session.query(
                        "INSERT INTO gallery.photo (id, title, description, tags, tag_keys, favourite, taken_at, \
                         state, facts, failure, settled_at, trashed_at, trashed_with, revision, timeline_at, month, \
                         listed_in, holds_content, terms, words, owner_id, file_name, content_type, bytes, sha256, \
                         created_at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json, $10::json, $11, $12, $13, $14, $15, $16, \
                         $17, $18, array_to_tsvector($19), $20::json, $21, $22, $23, $24, $25, $26)",
                    );
                    bind_changing(statement, photo)
                        .bind(photo.owner.as_uuid())
                        .bind(photo.original.file_name.as_str())
                        .bind(photo.original.content_type.as_str())
                        .bind(rows::integer(photo.original.bytes))
                        .bind(photo.original.sha256.as_bytes().to_vec())
                        .bind(photo.created_at.as_millis())
                        .execute(session.connection())
                        .await?;
                    // Only now, so that whoever sends a photo again hears that it is there, not that there is no room for it.
                    if !usage.admits(photo.original.bytes, quota) {
                        return Err(RepositoryError::OverQuota.into());
                    }
                    work_queue::schedule(session, work).await
                }
                .boxed()
            })
            .await
    }

    async fn find(&self, owner: UserId, id: PhotoId) -> Result<Option<Photo>, RepositoryError> {
        self.store
            .repeat("photo find", |session| {
                async move {
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            photo_columns!(),
                            " FROM gallery.photo WHERE owner_id = $1 AND id = $2"
                        ))
                        .bind(owner.as_uuid())
                        .bind(id.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::photo)
            .transpose()
    }

    async fn find_many(&self, owner: UserId, ids: &[PhotoId]) -> Result<Vec<Photo>, RepositoryError> {
        let rows = self
            .store
            .repeat("photo find many", |session| {
                async move {
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            photo_columns!(),
                            " FROM gallery.photo WHERE owner_id = $1 AND id = ANY ($2)"
                        ))
                        .bind(owner.as_uuid())
                        .bind(ids.iter().map(PhotoId::as_uuid).collect::<Vec<_>>());
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        let found: HashMap<PhotoId, Photo> = rows::photos(&rows)?.into_iter().map(|photo| (photo.id, photo)).collect();
        Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
    }

    async fn find_by_content(&self, owner: UserId, contents: &[Sha256Digest]) -> Result<Vec<Photo>, RepositoryError> {
        rows::photos(
            &self
                .store
                .repeat("photo find by content", |session| {
                    async move {
                        let statement = session
                            .query(concat!(
                                "SELECT ",
                                photo_columns!(),
                                " FROM gallery.photo WHERE owner_id = $1 AND holds_content AND sha256 = ANY ($2)"
                            ))
                            .bind(owner.as_uuid())
                            .bind(contents.iter().map(|content| content.as_bytes().to_vec()).collect::<Vec<_>>());
                        Ok(statement.fetch_all(session.connection()).await?)
                    }
                    .boxed()
                })
                .await?,
        )
    }

    async fn replace(&self, photo: &Photo, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        self.store
            .change("photo replace", Some(photo.owner), |session| {
                async move {
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            photo_columns!(),
                            " FROM gallery.photo WHERE owner_id = $1 AND id = $2 AND revision = $3"
                        ))
                        .bind(photo.owner.as_uuid())
                        .bind(photo.id.as_uuid())
                        .bind(rows::integer(read_at.get()));
                    let stored = statement.fetch_optional(session.connection()).await?.ok_or(RepositoryError::Stale)?;
                    let old = rows::photo(&stored)?;
                    write(session, &Photo { original: old.original, created_at: old.created_at, ..photo.clone() })
                        .await?;
                    if let Some(work) = &work {
                        work_queue::schedule(session, work).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn remove(&self, owner: UserId, id: PhotoId) -> Result<(), RepositoryError> {
        self.store
            .change("photo remove", Some(owner), |session| {
                async move {
                    session
                        .query("DELETE FROM gallery.photo WHERE owner_id = $1 AND id = $2")
                        .bind(owner.as_uuid())
                        .bind(id.as_uuid())
                        .execute(session.connection())
                        .await?;
                    work_queue::cancel(session, &Task::Photo { owner, photo: id }).await
                }
                .boxed()
            })
            .await
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
                " FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'timeline' AND (timeline_at, \
                 id) < ($2, $3) ORDER BY timeline_at DESC, id DESC LIMIT $4"
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
                " FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'timeline' AND favourite AND \
                 (timeline_at, id) < ($2, $3) ORDER BY timeline_at DESC, id DESC LIMIT $4"
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
                " FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'trash' AND (trashed_at, id) < \
                 ($2, $3) ORDER BY trashed_at DESC, id DESC LIMIT $4"
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
                " FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'unfinished' AND (created_at, \
                 id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
            ),
            owner,
            page,
            |photo| PhotoCursor { at: photo.created_at, id: photo.id },
        )
        .await
    }

    async fn months(&self, owner: UserId) -> Result<Vec<MonthCount>, RepositoryError> {
        let rows = self
            .store
            .repeat("photo months", |session| {
                async move {
                    let statement = session
                        .query_as::<(String, i64)>(
                            "SELECT month, photos FROM gallery.month_count WHERE owner_id = $1 AND photos > 0 ORDER \
                             BY month DESC",
                        )
                        .bind(owner.as_uuid());
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
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
        let rows = self
            .store
            .repeat("photo tags", |session| {
                async move {
                    let statement = session
                        .query_as::<(Option<String>, i64)>(
                            "SELECT (SELECT photo.tags[array_position(photo.tag_keys, tag_count.key)] FROM \
                             gallery.photo_term JOIN gallery.photo ON photo.id = photo_term.photo_id WHERE \
                             photo_term.owner_id = $1 AND photo_term.term = '#' || tag_count.key ORDER BY \
                             photo_term.timeline_at DESC, photo_term.photo_id DESC LIMIT 1), photos FROM \
                             gallery.tag_count WHERE owner_id = $1 AND key >= $2 AND key < $3 AND photos > 0 ORDER \
                             BY key LIMIT $4",
                        )
                        .bind(owner.as_uuid())
                        .bind(key_prefix)
                        .bind(term_query::after_prefix(key_prefix))
                        .bind(i64::from(limit));
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        rows.into_iter()
            .map(|(spelling, photos)| {
                let spelling = spelling.unwrap_or_default();
                let tag = Tag::parse(&spelling).map_err(|source| RepositoryError::Corrupt {
                    what: format!("tag {spelling:?} of user {owner}"),
                    source: Box::new(source),
                })?;
                Ok(TagCount { tag, photos: rows::count(photos) })
            })
            .collect()
    }

    async fn all(&self, owner: UserId, page: PageRequest<PhotoId>) -> Result<Page<Photo, PhotoId>, RepositoryError> {
        let rows = self
            .store
            .repeat("photo all", |session| {
                async move {
                    // As a range of the index, which no other can take for its own: that of ids alone would lead past everybody else's.
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            photo_columns!(),
                            " FROM gallery.photo WHERE (owner_id, id) >= ($1, coalesce($2::uuid, $3)) AND (owner_id, id) <= ($1, $5) \
                             AND id IS DISTINCT FROM $2 ORDER BY owner_id, id LIMIT $4"
                        ))
                        .bind(owner.as_uuid())
                        .bind(page.after.map(|id| id.as_uuid()))
                        .bind(Uuid::nil())
                        .bind(one_more(page.size.get()))
                        .bind(Uuid::max());
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
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

/// Writes everything of a photo that can change.
pub(super) async fn write(session: &mut Session<'_>, photo: &Photo) -> Result<(), Interruption> {
    let statement = session.query(
        "UPDATE gallery.photo SET title = $2, description = $3, tags = $4, tag_keys = $5, \
         favourite = $6, taken_at = $7, state = $8, facts = $9::json, failure = $10::json, \
         settled_at = $11, trashed_at = $12, trashed_with = $13, revision = $14, timeline_at = \
         $15, month = $16, listed_in = $17, holds_content = $18, terms = array_to_tsvector($19), words = $20::json \
         WHERE id = $1",
    );
    bind_changing(statement, photo).execute(session.connection()).await?;
    Ok(())
}

type Statement = Query<'static, Postgres, PgArguments>;

/// Binds $1 to $20: the id, and everything that can change.
fn bind_changing(statement: Statement, photo: &Photo) -> Statement {
    let json = "numbers and texts can always be written as JSON";
    let (facts, failure, settled_at) = match &photo.state {
        PhotoState::Ready(facts) => (Some(serde_json::to_string(facts).expect(json)), None, None),
        PhotoState::Failed(failure) => (None, Some(serde_json::to_string(failure).expect(json)), None),
        PhotoState::Erasing { settled_at } => (None, None, Some(settled_at.as_millis())),
        PhotoState::Uploading | PhotoState::Processing => (None, None, None),
    };
    let (tags, tag_keys) = rows::tags_and_keys(&photo.details.tags);
    let terms = photo.terms();
    statement
        .bind(photo.id.as_uuid())
        .bind(photo.details.title.as_str().to_owned())
        .bind(photo.details.description.as_str().to_owned())
        .bind(tags)
        .bind(tag_keys)
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
        .bind(photo_index::lexemes(&terms))
        .bind(rows::terms_to_json(&terms))
}
