//! Requests that may be sent twice, in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{IdempotencyClaim, IdempotencyRepository, RepositoryError};
use gallery_domain::{Timestamp, UserId};

use super::error::failed;
use super::{SqliteStore, rows};

/// Requests that may be sent twice, in SQLite.
#[derive(Debug)]
pub(super) struct SqliteIdempotencyRepository {
    store: SqliteStore,
}

impl SqliteIdempotencyRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl IdempotencyRepository for SqliteIdempotencyRepository {
    async fn claim(
        &self,
        owner: UserId,
        key: &str,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<IdempotencyClaim, RepositoryError> {
        let failed = failed("idempotency claim");
        let mut change = self.store.begin("idempotency claim").await?;
        let first = sqlx::query(
            "SELECT request, subject_id, expires_at FROM idempotency_key \
             WHERE owner_id = ?1 AND key = ?2 AND expires_at > ?3",
        )
        .bind(owner.as_uuid())
        .bind(key)
        .bind(now.as_millis())
        .fetch_optional(&mut *change)
        .await
        .map_err(&failed)?;
        if let Some(first) = first {
            return rows::idempotency_claim(&first);
        }
        sqlx::query(
            "INSERT INTO idempotency_key (owner_id, key, request, subject_id, expires_at) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (owner_id, key) DO UPDATE SET request = excluded.request, subject_id = excluded.subject_id, \
             expires_at = excluded.expires_at",
        )
        .bind(owner.as_uuid())
        .bind(key)
        .bind(claim.request.as_bytes().to_vec())
        .bind(claim.id)
        .bind(claim.expires_at.as_millis())
        .execute(&mut *change)
        .await
        .map_err(&failed)?;
        change.commit().await.map_err(&failed)?;
        Ok(claim.clone())
    }

    async fn remove_all(&self, owner: UserId) -> Result<(), RepositoryError> {
        sqlx::query("DELETE FROM idempotency_key WHERE owner_id = ?1")
            .bind(owner.as_uuid())
            .execute(&self.store.writer)
            .await
            .map_err(failed("idempotency remove all"))?;
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let removed = sqlx::query(
            "DELETE FROM idempotency_key WHERE (owner_id, key) IN \
             (SELECT owner_id, key FROM idempotency_key WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
        )
        .bind(now.as_millis())
        .bind(limit)
        .execute(&self.store.writer)
        .await
        .map_err(failed("idempotency remove expired"))?;
        Ok(removed.rows_affected())
    }
}
