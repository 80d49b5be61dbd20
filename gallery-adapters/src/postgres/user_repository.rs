//! Users in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{RepositoryError, UserRepository};
use gallery_domain::{EmailAddress, Page, PageRequest, Revision, Task, Usage, User, UserId, Work};
use uuid::Uuid;

use super::change::{Interruption, Session};
use super::photo_repository::one_more;
use super::rows::user_columns;
use super::{PostgresStore, rows, work_queue};

/// Users in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresUserRepository {
    store: PostgresStore,
}

impl PostgresUserRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl UserRepository for PostgresUserRepository {
    async fn insert(&self, user: &User) -> Result<(), RepositoryError> {
        self.store.change("user insert", None, |session| { async move {
            session
                .query(
                    "INSERT INTO gallery.account (id, email, name, status, quota_bytes, quota_photos, quota_pending_uploads, \
                     created_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
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
                .execute(session.connection())
                .await?;
            Ok(())
        }.boxed() }).await
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        self.store
            .repeat("user find", |session| {
                async move {
                    let statement = session
                        .query(concat!("SELECT ", user_columns!(), " FROM gallery.account WHERE id = $1"))
                        .bind(id.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::user)
            .transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, RepositoryError> {
        self.store
            .repeat("user find by email", |session| {
                async move {
                    let statement = session
                        .query(concat!("SELECT ", user_columns!(), " FROM gallery.account WHERE email = $1"))
                        .bind(email.as_str());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::user)
            .transpose()
    }

    async fn replace(&self, user: &User, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        self.store.change("user replace", None, |session| { async move {
            let replaced = session
                .query(
                    "UPDATE gallery.account SET email = $2, name = $3, status = $4, quota_bytes = $5, quota_photos = $6, \
                     quota_pending_uploads = $7, revision = $8 WHERE id = $1 AND revision = $9",
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
                .execute(session.connection())
                .await?;
            if replaced.rows_affected() == 0 {
                return Err(RepositoryError::Stale.into());
            }
            if let Some(work) = &work {
                work_queue::schedule(session, work).await?;
            }
            Ok(())
        }.boxed() }).await
    }

    async fn remove(&self, id: UserId) -> Result<(), RepositoryError> {
        self.store
            .change("user remove", Some(id), |session| {
                async move {
                    let account = session.query("DELETE FROM gallery.account WHERE id = $1").bind(id.as_uuid());
                    account.execute(session.connection()).await?;
                    let usage = session.query("DELETE FROM gallery.usage WHERE owner_id = $1").bind(id.as_uuid());
                    usage.execute(session.connection()).await?;
                    work_queue::cancel(session, &Task::Account { owner: id }).await
                }
                .boxed()
            })
            .await
    }

    async fn usage(&self, id: UserId) -> Result<Usage, RepositoryError> {
        self.store.repeat("user usage", |session| async move { usage(session, id).await }.boxed()).await
    }

    async fn all(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, RepositoryError> {
        let rows = self
            .store
            .repeat("user all", |session| {
                async move {
                    let statement = session
                .query(concat!(
                    "SELECT ",
                    user_columns!(),
                    " FROM gallery.account WHERE id >= coalesce($1, $2) AND id IS DISTINCT FROM $1 ORDER BY id LIMIT $3"
                ))
                .bind(page.after.map(|id| id.as_uuid()))
                .bind(Uuid::nil())
                .bind(one_more(page.size.get()));
                    Ok(statement.fetch_all(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        let users = rows.iter().map(rows::user).collect::<Result<_, _>>()?;
        Ok(Page::from_overfull(users, page.size, |user: &User| user.id))
    }
}

/// What an owner's photos come to, as the triggers on photos keep it.
pub(super) async fn usage(session: &mut Session<'_>, owner: UserId) -> Result<Usage, Interruption> {
    let statement = session
        .query_as::<(i64, i64, i64)>("SELECT bytes, photos, pending_uploads FROM gallery.usage WHERE owner_id = $1")
        .bind(owner.as_uuid());
    let stored = statement.fetch_optional(session.connection()).await?;
    let (bytes, photos, pending_uploads) = stored.unwrap_or_default();
    Ok(Usage { bytes: rows::count(bytes), photos: rows::count(photos), pending_uploads: rows::count(pending_uploads) })
}
