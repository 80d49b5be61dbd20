//! Users in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{RepositoryError, UserRepository};
use gallery_domain::{EmailAddress, Page, PageRequest, Revision, Task, Usage, User, UserId, Work};
use sqlx::SqliteConnection;

use super::error::failed;
use super::photo_repository::one_more;
use super::{SqliteStore, rows, work_queue};

/// Users in SQLite.
#[derive(Debug)]
pub(super) struct SqliteUserRepository {
    store: SqliteStore,
}

impl SqliteUserRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl UserRepository for SqliteUserRepository {
    async fn insert(&self, user: &User) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO account (id, email, name, status, quota_bytes, quota_photos, quota_pending_uploads, created_at, revision) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )
        .bind(user.id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.name.as_str())
        .bind(rows::user_status_name(user.status))
        // A quota may be the largest number there is, and is never computed with in SQL.
        .bind(user.quota.bytes.cast_signed())
        .bind(user.quota.photos.cast_signed())
        .bind(user.quota.pending_uploads.cast_signed())
        .bind(user.created_at.as_millis())
        .bind(rows::integer(user.revision.get()))
        .execute(&self.store.writer)
        .await
        .map_err(failed("user insert"))?;
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        sqlx::query("SELECT * FROM account WHERE id = ?1")
            .bind(id.as_uuid())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("user find"))?
            .as_ref()
            .map(rows::user)
            .transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, RepositoryError> {
        sqlx::query("SELECT * FROM account WHERE email = ?1")
            .bind(email.as_str())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("user find by email"))?
            .as_ref()
            .map(rows::user)
            .transpose()
    }

    async fn replace(&self, user: &User, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let failed = failed("user replace");
        let mut change = self.store.begin("user replace").await?;
        let replaced = sqlx::query(
            "UPDATE account SET email = ?2, name = ?3, status = ?4, quota_bytes = ?5, quota_photos = ?6, \
             quota_pending_uploads = ?7, revision = ?8 WHERE id = ?1 AND revision = ?9",
        )
        .bind(user.id.as_uuid())
        .bind(user.email.as_str())
        .bind(user.name.as_str())
        .bind(rows::user_status_name(user.status))
        .bind(user.quota.bytes.cast_signed())
        .bind(user.quota.photos.cast_signed())
        .bind(user.quota.pending_uploads.cast_signed())
        .bind(rows::integer(user.revision.get()))
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

    async fn remove(&self, id: UserId, work: Option<Work>) -> Result<(), RepositoryError> {
        let failed = failed("user remove");
        let mut change = self.store.begin("user remove").await?;
        sqlx::query("DELETE FROM account WHERE id = ?1")
            .bind(id.as_uuid())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        sqlx::query("DELETE FROM usage WHERE owner_id = ?1")
            .bind(id.as_uuid())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        work_queue::cancel(&mut change, &Task::Account { owner: id }).await.map_err(&failed)?;
        if let Some(work) = work {
            work_queue::schedule(&mut change, &work).await.map_err(&failed)?;
        }
        change.commit().await.map_err(&failed)
    }

    async fn usage(&self, id: UserId) -> Result<Usage, RepositoryError> {
        let failed = failed("user usage");
        let mut connection = self.store.readers.acquire().await.map_err(&failed)?;
        usage(&mut connection, id).await.map_err(&failed)
    }

    async fn all(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, RepositoryError> {
        let rows = sqlx::query("SELECT * FROM account WHERE id > coalesce(?1, x'') ORDER BY id LIMIT ?2")
            .bind(page.after.map(|id| id.as_uuid()))
            .bind(one_more(page.size.get()))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed("user all"))?;
        let users = rows.iter().map(rows::user).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(users, page.size, |user: &User| user.id))
    }
}

/// What an owner's photos come to, as the triggers on photos keep it.
pub(super) async fn usage(connection: &mut SqliteConnection, owner: UserId) -> Result<Usage, sqlx::Error> {
    let stored: Option<(i64, i64, i64)> =
        sqlx::query_as("SELECT bytes, photos, pending_uploads FROM usage WHERE owner_id = ?1")
            .bind(owner.as_uuid())
            .fetch_optional(connection)
            .await?;
    let (bytes, photos, pending_uploads) = stored.unwrap_or_default();
    Ok(Usage { bytes: rows::count(bytes), photos: rows::count(photos), pending_uploads: rows::count(pending_uploads) })
}
