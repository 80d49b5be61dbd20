//! Sessions in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{RepositoryError, SessionRepository};
use gallery_domain::{Session, SessionId, Timestamp, TokenHash, UserId};
use uuid::Uuid;

use super::error::failed;
use super::{SqliteStore, rows};

/// Sessions in SQLite.
#[derive(Debug)]
pub(super) struct SqliteSessionRepository {
    store: SqliteStore,
}

impl SqliteSessionRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl SessionRepository for SqliteSessionRepository {
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO session (id, user_id, token, client, created_at, last_seen_at, expires_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(session.id.as_uuid())
        .bind(session.user.as_uuid())
        .bind(session.token.as_digest().as_bytes().to_vec())
        .bind(session.client.as_str())
        .bind(session.created_at.as_millis())
        .bind(session.last_seen_at.as_millis())
        .bind(session.expires_at().as_millis())
        .execute(&self.store.writer)
        .await
        .map_err(failed("session insert"))?;
        Ok(())
    }

    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError> {
        sqlx::query("SELECT * FROM session WHERE token = ?1")
            .bind(token.as_digest().as_bytes().to_vec())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("session find by token"))?
            .as_ref()
            .map(rows::session)
            .transpose()
    }

    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError> {
        let failed = failed("session touch");
        let mut change = self.store.begin("session touch").await?;
        let row = sqlx::query("SELECT * FROM session WHERE id = ?1 AND user_id = ?2 AND last_seen_at < ?3")
            .bind(id.as_uuid())
            .bind(user.as_uuid())
            .bind(seen_at.as_millis())
            .fetch_optional(&mut *change)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(()) };
        let session = Session { last_seen_at: seen_at, ..rows::session(&row)? };
        sqlx::query("UPDATE session SET last_seen_at = ?2, expires_at = ?3 WHERE id = ?1")
            .bind(id.as_uuid())
            .bind(session.last_seen_at.as_millis())
            .bind(session.expires_at().as_millis())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        change.commit().await.map_err(&failed)
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError> {
        let rows = sqlx::query("SELECT * FROM session WHERE user_id = ?1 ORDER BY created_at DESC, id DESC LIMIT 1000")
            .bind(user.as_uuid())
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed("session list"))?;
        rows.iter().map(rows::session).collect()
    }

    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError> {
        sqlx::query("DELETE FROM session WHERE id = ?1 AND user_id = ?2")
            .bind(id.as_uuid())
            .bind(user.as_uuid())
            .execute(&self.store.writer)
            .await
            .map_err(failed("session remove"))?;
        Ok(())
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError> {
        sqlx::query("DELETE FROM session WHERE user_id = ?1 AND id IS NOT ?2")
            .bind(user.as_uuid())
            .bind(except.map(|id| -> Uuid { id.as_uuid() }))
            .execute(&self.store.writer)
            .await
            .map_err(failed("session remove all"))?;
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let removed = sqlx::query(
            "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        )
        .bind(now.as_millis())
        .bind(limit)
        .execute(&self.store.writer)
        .await
        .map_err(failed("session remove expired"))?;
        Ok(removed.rows_affected())
    }
}
