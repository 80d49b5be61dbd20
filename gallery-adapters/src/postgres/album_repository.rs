//! Albums in PostgreSQL.

use std::collections::HashMap;

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{AlbumRepository, RepositoryError};
use gallery_domain::{
    Album, AlbumCursor, AlbumEntry, AlbumId, Membership, Page, PageRequest, Photo, PhotoId, RankCursor, Revision, Task,
    UserId, Work,
};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::change::{Interruption, Session};
use super::photo_repository::{FIRST_PLACE, one_more};
use super::rows::{self, album_columns, photo_columns};
use super::{PostgresStore, work_queue};

/// Albums in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresAlbumRepository {
    store: PostgresStore,
}

impl PostgresAlbumRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }

    /// A page of a list whose statement takes the owner, the place after which to go on, and how many to answer with.
    async fn page_of_albums(
        &self,
        operation: &'static str,
        statement: &'static str,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
        key: impl Fn(&AlbumEntry) -> AlbumCursor,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        let (at, id) = page.after.map_or(FIRST_PLACE, |cursor| (cursor.at.as_millis(), cursor.id.as_uuid()));
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
        let entries = rows.iter().map(rows::album_entry).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(entries, page.size, key))
    }

    /// Rows of places of an album after a place, by a statement that takes the owner, the album, the place and how many.
    async fn places(
        &self,
        operation: &'static str,
        statement: &'static str,
        owner: UserId,
        album: AlbumId,
        page: &PageRequest<RankCursor>,
    ) -> Result<Vec<PgRow>, RepositoryError> {
        // No rank is empty, so that everything comes after that one.
        let (rank, photo) =
            page.after.as_ref().map_or(("", Uuid::nil()), |cursor| (cursor.rank.as_str(), cursor.photo.as_uuid()));
        self.store
            .repeat(operation, |session| {
                async move {
                    let statement = session
                        .query(statement)
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid())
                        .bind(rank)
                        .bind(photo)
                        .bind(one_more(page.size.get()));
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await
    }
}

#[async_trait]
impl AlbumRepository for PostgresAlbumRepository {
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError> {
        self.store
            .change("album insert", None, |session| {
                async move {
                    session
                        .query(
                            "INSERT INTO gallery.album (id, owner_id, title, title_key, description, cover, \
                             trashed_at, trashed_photos, created_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, \
                             $8, $9, $10)",
                        )
                        .bind(album.id.as_uuid())
                        .bind(album.owner.as_uuid())
                        .bind(album.title.as_str())
                        .bind(album.title.key())
                        .bind(album.description.as_str())
                        .bind(album.cover.map(|photo| photo.as_uuid()))
                        .bind(album.trashed.map(|trashed| trashed.at.as_millis()))
                        .bind(album.trashed.map(|trashed| rows::album_photos_name(trashed.photos)))
                        .bind(album.created_at.as_millis())
                        .bind(rows::integer(album.revision.get()))
                        .execute(session.connection())
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError> {
        self.store
            .repeat("album find", |session| {
                async move {
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            album_columns!(),
                            " FROM gallery.album WHERE id = $2 AND owner_id = $1"
                        ))
                        .bind(owner.as_uuid())
                        .bind(id.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::album_entry)
            .transpose()
    }

    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError> {
        let ids = self
            .store
            .repeat("album find by title", |session| {
                async move {
                    let statement = session
                        .query_scalar::<Uuid>(
                            "SELECT id FROM gallery.album WHERE owner_id = $1 AND title_key = $2 AND trashed_at IS \
                             NULL ORDER BY created_at DESC, id DESC LIMIT 20",
                        )
                        .bind(owner.as_uuid())
                        .bind(title_key);
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        Ok(ids.into_iter().map(AlbumId::from_uuid).collect())
    }

    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        self.store
            .change("album replace", Some(album.owner), |session| {
                async move {
                    let replaced = session
                        .query(
                            "UPDATE gallery.album SET title = $3, title_key = $4, description = $5, cover = $6, \
                             trashed_at = $7, trashed_photos = $8, revision = $9 WHERE id = $2 AND owner_id = $1 \
                             AND revision = $10",
                        )
                        .bind(album.owner.as_uuid())
                        .bind(album.id.as_uuid())
                        .bind(album.title.as_str())
                        .bind(album.title.key())
                        .bind(album.description.as_str())
                        .bind(album.cover.map(|photo| photo.as_uuid()))
                        .bind(album.trashed.map(|trashed| trashed.at.as_millis()))
                        .bind(album.trashed.map(|trashed| rows::album_photos_name(trashed.photos)))
                        .bind(rows::integer(album.revision.get()))
                        .bind(rows::integer(read_at.get()))
                        .execute(session.connection())
                        .await?;
                    if replaced.rows_affected() == 0 {
                        return Err(RepositoryError::Stale.into());
                    }
                    if let Some(work) = &work {
                        work_queue::schedule(session, work).await?;
                    }
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError> {
        self.store
            .change("album remove", Some(owner), |session| {
                async move {
                    session
                        .query("DELETE FROM gallery.album WHERE id = $2 AND owner_id = $1")
                        .bind(owner.as_uuid())
                        .bind(id.as_uuid())
                        .execute(session.connection())
                        .await?;
                    work_queue::cancel(session, &Task::Album { owner, album: id }).await
                }
                .boxed()
            })
            .await
    }

    async fn list(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        self.page_of_albums(
            "album list",
            concat!(
                "SELECT ",
                album_columns!(),
                " FROM gallery.album WHERE owner_id = $1 AND trashed_at IS NULL AND (created_at, id) < \
                 ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4"
            ),
            owner,
            page,
            |entry| entry.album.cursor(),
        )
        .await
    }

    async fn trash(
        &self,
        owner: UserId,
        page: PageRequest<AlbumCursor>,
    ) -> Result<Page<AlbumEntry, AlbumCursor>, RepositoryError> {
        self.page_of_albums(
            "album trash",
            concat!(
                "SELECT ",
                album_columns!(),
                " FROM gallery.album WHERE owner_id = $1 AND trashed_at IS NOT NULL AND (trashed_at, id) \
                 < ($2, $3) ORDER BY trashed_at DESC, id DESC LIMIT $4"
            ),
            owner,
            page,
            |entry| {
                let album = &entry.album;
                AlbumCursor { at: album.trashed.map_or(album.created_at, |trashed| trashed.at), id: album.id }
            },
        )
        .await
    }

    async fn covers(&self, owner: UserId, albums: &[AlbumId]) -> Result<Vec<(AlbumId, Photo)>, RepositoryError> {
        let rows = self
            .store
            .repeat("album covers", |session| {
                async move {
                    let statement = session
                        .query(concat!(
                            "SELECT album.id AS album_id, ",
                            photo_columns!(),
                            " FROM unnest($2::uuid[]) WITH ORDINALITY AS named (id, place) \
                             JOIN gallery.album ON album.id = named.id \
                             JOIN gallery.photo ON photo.id = coalesce( \
                                 (SELECT photo_id FROM gallery.album_photo \
                                  WHERE album_id = album.id AND photo_id = album.cover AND visible), \
                                 (SELECT photo_id FROM gallery.album_photo WHERE album_id = album.id AND visible \
                                  ORDER BY rank, photo_id LIMIT 1)) \
                             WHERE album.owner_id = $1 ORDER BY named.place"
                        ))
                        .bind(owner.as_uuid())
                        .bind(albums.iter().map(AlbumId::as_uuid).collect::<Vec<_>>());
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        rows.iter()
            .map(|row| Ok((AlbumId::from_uuid(rows::scalar("cover", row, "album_id")?), rows::photo(row)?)))
            .collect()
    }

    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError> {
        // A statement can write a place once only: of a photo that is named twice, the last rank holds.
        let places: HashMap<Uuid, &str> =
            places.iter().map(|place| (place.photo.as_uuid(), place.rank.as_str())).collect();
        let photos: Vec<Uuid> = places.keys().copied().collect();
        let ranks: Vec<String> = places.values().map(|rank| (*rank).to_owned()).collect();
        let (photos, ranks) = (&photos, &ranks);
        self.store
            .change("album add photos", Some(owner), |session| {
                async move {
                    let before = standing(session, album, photos).await?;
                    session
                        .query(
                            "INSERT INTO gallery.album_photo (album_id, photo_id, rank, visible, timeline_at) \
                             SELECT album.id, photo.id, place.rank, photo.listed_in IS NOT DISTINCT FROM \
                             'timeline', photo.timeline_at FROM unnest($3::uuid[], $4::text[]) AS place (photo_id, \
                             rank) JOIN gallery.photo ON photo.id = place.photo_id AND photo.owner_id = $1 JOIN \
                             gallery.album ON album.id = $2 AND album.owner_id = $1 ON CONFLICT (album_id, \
                             photo_id) DO UPDATE SET rank = excluded.rank",
                        )
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid())
                        .bind(photos)
                        .bind(ranks)
                        .execute(session.connection())
                        .await?;
                    let after = standing(session, album, photos).await?;
                    Ok(rows::count(after - before))
                }
                .boxed()
            })
            .await
    }

    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError> {
        self.store
            .change("album remove photos", Some(owner), |session| {
                async move {
                    let removed = session
                        .query(
                            "DELETE FROM gallery.album_photo WHERE album_id = $2 AND photo_id = ANY ($3) AND EXISTS \
                             (SELECT 1 FROM gallery.album WHERE id = $2 AND owner_id = $1)",
                        )
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid())
                        .bind(photos.iter().map(PhotoId::as_uuid).collect::<Vec<_>>())
                        .execute(session.connection())
                        .await?;
                    Ok(removed.rows_affected())
                }
                .boxed()
            })
            .await
    }

    async fn photos(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<(Membership, Photo), RankCursor>, RepositoryError> {
        let rows = self
            .places(
                "album photos",
                concat!(
                    "SELECT album_photo.rank, album_photo.photo_id, ",
                    photo_columns!(),
                    " FROM gallery.album_photo JOIN gallery.photo ON photo.id = album_photo.photo_id WHERE \
                     album_photo.album_id = $2 AND album_photo.visible AND (album_photo.rank, \
                     album_photo.photo_id) > ($3, $4) AND EXISTS (SELECT 1 FROM gallery.album WHERE id = $2 \
                     AND owner_id = $1) ORDER BY album_photo.rank, album_photo.photo_id LIMIT $5"
                ),
                owner,
                album,
                &page,
            )
            .await?;
        let photos = rows
            .iter()
            .map(|row| Ok((rows::membership(row)?, rows::photo(row)?)))
            .collect::<Result<_, RepositoryError>>()?;
        Ok(Page::from_overfull(photos, page.size, |(place, _): &(Membership, Photo)| rank_cursor(place)))
    }

    async fn members(
        &self,
        owner: UserId,
        album: AlbumId,
        page: PageRequest<RankCursor>,
    ) -> Result<Page<Membership, RankCursor>, RepositoryError> {
        let rows = self
            .places(
                "album members",
                "SELECT rank, photo_id FROM gallery.album_photo WHERE album_id = $2 AND (rank, \
                 photo_id) > ($3, $4) AND EXISTS (SELECT 1 FROM gallery.album WHERE id = $2 AND \
                 owner_id = $1) ORDER BY rank, photo_id LIMIT $5",
                owner,
                album,
                &page,
            )
            .await?;
        let members = rows.iter().map(rows::membership).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(members, page.size, rank_cursor))
    }

    async fn member(
        &self,
        owner: UserId,
        album: AlbumId,
        photo: PhotoId,
    ) -> Result<Option<Membership>, RepositoryError> {
        self.store
            .repeat("album member", |session| {
                async move {
                    let statement = session
                        .query(
                            "SELECT rank, photo_id FROM gallery.album_photo WHERE album_id = $2 AND photo_id = $3 \
                             AND EXISTS (SELECT 1 FROM gallery.album WHERE id = $2 AND owner_id = $1)",
                        )
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid())
                        .bind(photo.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::membership)
            .transpose()
    }

    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError> {
        self.store
            .repeat("album last member", |session| {
                async move {
                    let statement = session
                        .query(
                            "SELECT rank, photo_id FROM gallery.album_photo WHERE album_id = $2 AND EXISTS (SELECT \
                             1 FROM gallery.album WHERE id = $2 AND owner_id = $1) ORDER BY rank DESC, photo_id \
                             DESC LIMIT 1",
                        )
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::membership)
            .transpose()
    }

    async fn member_before(
        &self,
        owner: UserId,
        album: AlbumId,
        place: &RankCursor,
    ) -> Result<Option<Membership>, RepositoryError> {
        self.store
            .repeat("album member before", |session| {
                async move {
                    let statement = session
                        .query(
                            "SELECT rank, photo_id FROM gallery.album_photo WHERE album_id = $2 AND (rank, \
                             photo_id) < ($3, $4) AND EXISTS (SELECT 1 FROM gallery.album WHERE id = $2 AND \
                             owner_id = $1) ORDER BY rank DESC, photo_id DESC LIMIT 1",
                        )
                        .bind(owner.as_uuid())
                        .bind(album.as_uuid())
                        .bind(place.rank.as_str())
                        .bind(place.photo.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::membership)
            .transpose()
    }

    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError> {
        let ids = self
            .store
            .repeat("albums of a photo", |session| {
                async move {
                    let statement = session
                        .query_scalar::<Uuid>(
                            "SELECT album_id FROM gallery.album_photo WHERE photo_id = $2 AND EXISTS (SELECT 1 FROM \
                             gallery.photo WHERE id = $2 AND owner_id = $1) ORDER BY album_id LIMIT 1000",
                        )
                        .bind(owner.as_uuid())
                        .bind(photo.as_uuid());
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        Ok(ids.into_iter().map(AlbumId::from_uuid).collect())
    }

    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError> {
        let rows = self
            .store
            .repeat("album all", |session| {
                async move {
                    // As a range of the index, as for photos.
                    let statement = session
                        .query(concat!(
                            "SELECT ",
                            album_columns!(),
                            " FROM gallery.album WHERE (owner_id, id) >= ($1, coalesce($2::uuid, $3)) AND (owner_id, id) <= ($1, $5) \
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
        let albums = rows.iter().map(rows::album).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(albums, page.size, |album: &Album| album.id))
    }
}

fn rank_cursor(place: &Membership) -> RankCursor {
    RankCursor { rank: place.rank.clone(), photo: place.photo }
}

/// How many of some photos stand in an album.
async fn standing(session: &mut Session<'_>, album: AlbumId, photos: &[Uuid]) -> Result<i64, Interruption> {
    let statement = session
        .query_scalar::<i64>("SELECT count(*) FROM gallery.album_photo WHERE album_id = $1 AND photo_id = ANY ($2)")
        .bind(album.as_uuid())
        .bind(photos);
    Ok(statement.fetch_one(session.connection()).await?)
}
