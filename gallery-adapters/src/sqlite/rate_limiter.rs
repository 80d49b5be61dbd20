//! Counted attempts in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{RateLimiter, RepositoryError};
use gallery_domain::{Decision, Throttle, ThrottleKey, ThrottleState, Timestamp};

use super::SqliteStore;
use super::error::failed;

/// Counted attempts in SQLite.
#[derive(Debug)]
pub(super) struct SqliteRateLimiter {
    store: SqliteStore,
}

impl SqliteRateLimiter {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl RateLimiter for SqliteRateLimiter {
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError> {
        let failed = failed("throttle attempt");
        let mut change = self.store.begin("throttle attempt").await?;
        let stored: Option<(u32, i64)> = sqlx::query_as("SELECT attempts, until_millis FROM throttle WHERE key = ?1")
            .bind(key.as_str())
            .fetch_optional(&mut *change)
            .await
            .map_err(&failed)?;
        let state = stored.map(|(attempts, until_millis)| ThrottleState { attempts, until_millis }).unwrap_or_default();
        let (next, decision) = throttle.decide(state, now);
        if next == state {
            return Ok(decision);
        }
        sqlx::query(
            "INSERT INTO throttle (key, attempts, until_millis, forgettable_at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (key) DO UPDATE SET attempts = excluded.attempts, until_millis = excluded.until_millis, \
             forgettable_at = excluded.forgettable_at",
        )
        .bind(key.as_str())
        .bind(next.attempts)
        .bind(next.until_millis)
        .bind(throttle.forgettable_at(next).as_millis())
        .execute(&mut *change)
        .await
        .map_err(&failed)?;
        change.commit().await.map_err(&failed)?;
        Ok(decision)
    }

    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError> {
        sqlx::query("DELETE FROM throttle WHERE key = ?1")
            .bind(key.as_str())
            .execute(&self.store.writer)
            .await
            .map_err(failed("throttle reset"))?;
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let removed = sqlx::query(
            "DELETE FROM throttle WHERE key IN \
             (SELECT key FROM throttle WHERE forgettable_at < ?1 ORDER BY forgettable_at LIMIT ?2)",
        )
        .bind(now.as_millis())
        .bind(limit)
        .execute(&self.store.writer)
        .await
        .map_err(failed("throttle remove expired"))?;
        Ok(removed.rows_affected())
    }
}
