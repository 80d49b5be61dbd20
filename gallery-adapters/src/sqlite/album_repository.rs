//! Albums in SQLite.

use std::collections::HashMap;

use async_trait::async_trait;
use gallery_domain::ports::{AlbumRepository, RepositoryError};
use gallery_domain::{
    Album, AlbumCursor, AlbumEntry, AlbumId, Membership, Page, PageRequest, Photo, PhotoId, RankCursor, Revision, Task,
    UserId, Work,
};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::error::failed;
use super::photo_repository::{FIRST_PLACE, one_more};
use super::rows::{self, album_columns, photo_columns};
use super::{SqliteStore, work_queue};

/// Albums in SQLite.
#[derive(Debug)]
pub(super) struct SqliteAlbumRepository {
    store: SqliteStore,
}

impl SqliteAlbumRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
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
        let rows = sqlx::query(statement)
            .bind(owner.as_uuid())
            .bind(at)
            .bind(id)
            .bind(one_more(page.size.get()))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed(operation))?;
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
    ) -> Result<Vec<SqliteRow>, RepositoryError> {
        // No rank is empty, so that everything comes after that one.
        let (rank, photo) =
            page.after.as_ref().map_or(("", Uuid::nil()), |cursor| (cursor.rank.as_str(), cursor.photo.as_uuid()));
        sqlx::query(statement)
            .bind(owner.as_uuid())
            .bind(album.as_uuid())
            .bind(rank)
            .bind(photo)
            .bind(one_more(page.size.get()))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed(operation))
    }
}

#[async_trait]
impl AlbumRepository for SqliteAlbumRepository {
    async fn insert(&self, album: &Album) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO album (id, owner_id, title, title_key, description, cover, trashed_at, trashed_photos, created_at, \
             revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
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
        .execute(&self.store.writer)
        .await
        .map_err(failed("album insert"))?;
        Ok(())
    }

    async fn find(&self, owner: UserId, id: AlbumId) -> Result<Option<AlbumEntry>, RepositoryError> {
        sqlx::query(concat!("SELECT ", album_columns!(), " FROM album WHERE id = ?2 AND owner_id = ?1"))
            .bind(owner.as_uuid())
            .bind(id.as_uuid())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("album find"))?
            .as_ref()
            .map(rows::album_entry)
            .transpose()
    }

    async fn find_by_title(&self, owner: UserId, title_key: &str) -> Result<Vec<AlbumId>, RepositoryError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM album WHERE owner_id = ?1 AND title_key = ?2 AND trashed_at IS NULL \
             ORDER BY created_at DESC, id DESC LIMIT 20",
        )
        .bind(owner.as_uuid())
        .bind(title_key)
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("album find by title"))?;
        Ok(ids.into_iter().map(AlbumId::from_uuid).collect())
    }

    async fn replace(&self, album: &Album, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let failed = failed("album replace");
        let mut change = self.store.begin("album replace").await?;
        let replaced = sqlx::query(
            "UPDATE album SET title = ?3, title_key = ?4, description = ?5, cover = ?6, trashed_at = ?7, \
             trashed_photos = ?8, revision = ?9 WHERE id = ?2 AND owner_id = ?1 AND revision = ?10",
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
        .execute(&mut *change)
        .await
        .map_err(&failed)?;
        if replaced.rows_affected() == 0 {
            return Err(RepositoryError::Stale);
        }
        if let Some(work) = work {
            work_queue::schedule(&mut change, &work).await.map_err(&failed)?;
        }
        change.commit().await.map_err(&failed)
    }

    async fn remove(&self, owner: UserId, id: AlbumId) -> Result<(), RepositoryError> {
        let failed = failed("album remove");
        let mut change = self.store.begin("album remove").await?;
        sqlx::query("DELETE FROM album WHERE id = ?2 AND owner_id = ?1")
            .bind(owner.as_uuid())
            .bind(id.as_uuid())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        work_queue::cancel(&mut change, &Task::Album { owner, album: id }).await.map_err(&failed)?;
        change.commit().await.map_err(&failed)
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
                " FROM album WHERE owner_id = ?1 AND trashed_at IS NULL AND (created_at, id) < (?2, ?3) \
                 ORDER BY created_at DESC, id DESC LIMIT ?4"
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
                " FROM album WHERE owner_id = ?1 AND trashed_at IS NOT NULL AND (trashed_at, id) < (?2, ?3) \
                 ORDER BY trashed_at DESC, id DESC LIMIT ?4"
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
        let rows = sqlx::query(concat!(
            "SELECT album.id AS album_id, ",
            photo_columns!(),
            " FROM json_each(?2) AS named CROSS JOIN album ON album.id = unhex(named.value) \
             CROSS JOIN photo ON photo.id = coalesce( \
                 (SELECT photo_id FROM album_photo \
                  WHERE album_id = album.id AND photo_id = album.cover AND visible = 1), \
                 (SELECT photo_id FROM album_photo WHERE album_id = album.id AND visible = 1 ORDER BY rank, photo_id LIMIT 1)) \
             WHERE album.owner_id = ?1"
        ))
        .bind(owner.as_uuid())
        .bind(rows::ids_to_json(albums.iter().map(AlbumId::as_uuid)))
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("album covers"))?;
        let covers: HashMap<AlbumId, Photo> = rows
            .iter()
            .map(|row| Ok((AlbumId::from_uuid(rows::scalar("cover", row, "album_id")?), rows::photo(row)?)))
            .collect::<Result<_, RepositoryError>>()?;
        Ok(albums.iter().filter_map(|id| Some((*id, covers.get(id)?.clone()))).collect())
    }

    async fn add_photos(&self, owner: UserId, album: AlbumId, places: &[Membership]) -> Result<u64, RepositoryError> {
        let failed = failed("album add photos");
        let photos = rows::ids_to_json(places.iter().map(|place| place.photo.as_uuid()));
        let places: Vec<(String, &str)> =
            places.iter().map(|place| (place.photo.as_uuid().simple().to_string(), place.rank.as_str())).collect();
        let mut change = self.store.begin("album add photos").await?;
        let before = standing(&mut change, album, &photos).await.map_err(&failed)?;
        sqlx::query(
            "INSERT INTO album_photo (album_id, photo_id, rank, visible, timeline_at) \
             SELECT album.id, photo.id, place.value ->> 1, photo.listed_in IS 'timeline', photo.timeline_at \
             FROM json_each(?3) AS place CROSS JOIN photo ON photo.id = unhex(place.value ->> 0) \
             CROSS JOIN album ON album.id = ?2 \
             WHERE photo.owner_id = ?1 AND album.owner_id = ?1 \
             ON CONFLICT (album_id, photo_id) DO UPDATE SET rank = excluded.rank",
        )
        .bind(owner.as_uuid())
        .bind(album.as_uuid())
        .bind(serde_json::to_string(&places).expect("texts can always be written as JSON"))
        .execute(&mut *change)
        .await
        .map_err(&failed)?;
        let after = standing(&mut change, album, &photos).await.map_err(&failed)?;
        change.commit().await.map_err(&failed)?;
        Ok(rows::count(after - before))
    }

    async fn remove_photos(&self, owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Result<u64, RepositoryError> {
        let removed = sqlx::query(
            "DELETE FROM album_photo WHERE album_id = ?2 AND photo_id IN (SELECT unhex(value) FROM json_each(?3)) \
             AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1)",
        )
        .bind(owner.as_uuid())
        .bind(album.as_uuid())
        .bind(rows::ids_to_json(photos.iter().map(PhotoId::as_uuid)))
        .execute(&self.store.writer)
        .await
        .map_err(failed("album remove photos"))?;
        Ok(removed.rows_affected())
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
                    " FROM album_photo CROSS JOIN photo ON photo.id = album_photo.photo_id \
                     WHERE album_photo.album_id = ?2 AND album_photo.visible = 1 \
                     AND (album_photo.rank, album_photo.photo_id) > (?3, ?4) \
                     AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1) \
                     ORDER BY album_photo.rank, album_photo.photo_id LIMIT ?5"
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
                "SELECT rank, photo_id FROM album_photo WHERE album_id = ?2 AND (rank, photo_id) > (?3, ?4) \
                 AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1) \
                 ORDER BY rank, photo_id LIMIT ?5",
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
        sqlx::query(
            "SELECT rank, photo_id FROM album_photo WHERE album_id = ?2 AND photo_id = ?3 \
             AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1)",
        )
        .bind(owner.as_uuid())
        .bind(album.as_uuid())
        .bind(photo.as_uuid())
        .fetch_optional(&self.store.readers)
        .await
        .map_err(failed("album member"))?
        .as_ref()
        .map(rows::membership)
        .transpose()
    }

    async fn last_member(&self, owner: UserId, album: AlbumId) -> Result<Option<Membership>, RepositoryError> {
        sqlx::query(
            "SELECT rank, photo_id FROM album_photo WHERE album_id = ?2 \
             AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1) \
             ORDER BY rank DESC, photo_id DESC LIMIT 1",
        )
        .bind(owner.as_uuid())
        .bind(album.as_uuid())
        .fetch_optional(&self.store.readers)
        .await
        .map_err(failed("album last member"))?
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
        sqlx::query(
            "SELECT rank, photo_id FROM album_photo WHERE album_id = ?2 AND (rank, photo_id) < (?3, ?4) \
             AND EXISTS (SELECT 1 FROM album WHERE id = ?2 AND owner_id = ?1) \
             ORDER BY rank DESC, photo_id DESC LIMIT 1",
        )
        .bind(owner.as_uuid())
        .bind(album.as_uuid())
        .bind(place.rank.as_str())
        .bind(place.photo.as_uuid())
        .fetch_optional(&self.store.readers)
        .await
        .map_err(failed("album member before"))?
        .as_ref()
        .map(rows::membership)
        .transpose()
    }

    async fn albums_of(&self, owner: UserId, photo: PhotoId) -> Result<Vec<AlbumId>, RepositoryError> {
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT album_id FROM album_photo WHERE photo_id = ?2 \
             AND EXISTS (SELECT 1 FROM photo WHERE id = ?2 AND owner_id = ?1) ORDER BY album_id LIMIT 1000",
        )
        .bind(owner.as_uuid())
        .bind(photo.as_uuid())
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("albums of a photo"))?;
        Ok(ids.into_iter().map(AlbumId::from_uuid).collect())
    }

    async fn all(&self, owner: UserId, page: PageRequest<AlbumId>) -> Result<Page<Album, AlbumId>, RepositoryError> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            album_columns!(),
            " FROM album WHERE owner_id = ?1 AND id > coalesce(?2, x'') ORDER BY id LIMIT ?3"
        ))
        .bind(owner.as_uuid())
        .bind(page.after.map(|id| id.as_uuid()))
        .bind(one_more(page.size.get()))
        .fetch_all(&self.store.readers)
        .await
        .map_err(failed("album all"))?;
        let albums = rows.iter().map(rows::album).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(albums, page.size, |album: &Album| album.id))
    }
}

fn rank_cursor(place: &Membership) -> RankCursor {
    RankCursor { rank: place.rank.clone(), photo: place.photo }
}

/// How many of some photos stand in an album.
async fn standing(connection: &mut SqliteConnection, album: AlbumId, photos: &str) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT count(*) FROM album_photo WHERE album_id = ?1 AND photo_id IN (SELECT unhex(value) FROM json_each(?2))",
    )
    .bind(album.as_uuid())
    .bind(photos)
    .fetch_one(connection)
    .await
}
