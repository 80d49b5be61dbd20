//! Sessions in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{RepositoryError, SessionRepository};
use gallery_domain::{Session, SessionId, Timestamp, TokenHash, UserId};

use super::rows::session_columns;
use super::{PostgresStore, change, rows};

/// Sessions in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresSessionRepository {
    store: PostgresStore,
}

impl PostgresSessionRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl SessionRepository for PostgresSessionRepository {
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError> {
        self.store
            .change("session insert", None, |on| {
                async move {
                    on.query(
                "INSERT INTO gallery.session (id, user_id, token, client, created_at, last_seen_at, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(session.id.as_uuid())
            .bind(session.user.as_uuid())
            .bind(session.token.as_digest().as_bytes().to_vec())
            .bind(session.client.as_str())
            .bind(session.created_at.as_millis())
            .bind(session.last_seen_at.as_millis())
            .bind(session.expires_at().as_millis())
            .execute(on.connection())
            .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError> {
        self.store
            .repeat("session find by token", |on| {
                async move {
                    let statement = on
                        .query(concat!("SELECT ", session_columns!(), " FROM gallery.session WHERE token = $1"))
                        .bind(token.as_digest().as_bytes().to_vec());
                    Ok(statement.fetch_optional(on.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::session)
            .transpose()
    }

    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError> {
        self.store.repeat("session touch", |on| { async move {
            let statement = on
                .query(concat!("SELECT ", session_columns!(), " FROM gallery.session WHERE id = $1 AND user_id = $2"))
                .bind(id.as_uuid())
                .bind(user.as_uuid());
            let Some(row) = statement.fetch_optional(on.connection()).await? else { return Ok(()) };
            let session = Session { last_seen_at: seen_at, ..rows::session(&row)? };
            on.query("UPDATE gallery.session SET last_seen_at = $2, expires_at = $3 WHERE id = $1 AND last_seen_at < $2")
                .bind(id.as_uuid())
                .bind(session.last_seen_at.as_millis())
                .bind(session.expires_at().as_millis())
                .execute(on.connection())
                .await?;
            Ok(())
        }.boxed() }).await
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError> {
        self.store
            .repeat("session list", |on| {
                async move {
                    let statement = on
                        .query(concat!(
                            "SELECT ",
                            session_columns!(),
                            " FROM gallery.session WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1000"
                        ))
                        .bind(user.as_uuid());
                    Ok(statement.fetch_all(on.connection()).await?)
                }
                .boxed()
            })
            .await?
            .iter()
            .map(rows::session)
            .collect()
    }

    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError> {
        self.store
            .repeat("session remove", |on| {
                async move {
                    on.query("DELETE FROM gallery.session WHERE id = $1 AND user_id = $2")
                        .bind(id.as_uuid())
                        .bind(user.as_uuid())
                        .execute(on.connection())
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError> {
        self.store
            .repeat("session remove all", |on| {
                async move {
                    on.query("DELETE FROM gallery.session WHERE user_id = $1 AND id IS DISTINCT FROM $2")
                        .bind(user.as_uuid())
                        .bind(except.map(|id| id.as_uuid()))
                        .execute(on.connection())
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        self.store.change("session remove expired", None, |on| { async move {
            let removed = on
                .query(
                    "DELETE FROM gallery.session WHERE id = ANY (ARRAY( \
                     SELECT id FROM gallery.session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
                )
                .bind(now.as_millis())
                .bind(i64::from(limit))
                .execute(on.connection())
                .await?;
            Ok(removed.rows_affected())
        }.boxed() }).await
    }
}
