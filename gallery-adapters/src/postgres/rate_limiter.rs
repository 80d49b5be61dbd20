//! Counted attempts in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{RateLimiter, RepositoryError};
use gallery_domain::{Decision, Throttle, ThrottleKey, ThrottleState, Timestamp};

use super::PostgresStore;
use super::change::Session;

/// Counted attempts in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresRateLimiter {
    store: PostgresStore,
}

impl PostgresRateLimiter {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl RateLimiter for PostgresRateLimiter {
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError> {
        self.store.change("throttle attempt", None, |session| { async move {
            // Also whoever comes first finds a row, and those who come at the same time wait for it.
            let fresh = ThrottleState::default();
            let (attempts, until_millis) = session
                .query_as::<(i64, i64)>(
                    "INSERT INTO gallery.throttle AS kept (key, attempts, until_millis, forgettable_at) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT (key) DO UPDATE SET attempts = kept.attempts RETURNING attempts, until_millis",
                )
                .bind(key.as_str())
                .bind(i64::from(fresh.attempts))
                .bind(fresh.until_millis)
                .bind(throttle.forgettable_at(fresh).as_millis())
                .fetch_one(session.connection())
                .await?;
            let state = ThrottleState { attempts: u32::try_from(attempts).unwrap_or(u32::MAX), until_millis };
            let (next, decision) = throttle.decide(state, now);
            if next != state {
                session
                    .query("UPDATE gallery.throttle SET attempts = $2, until_millis = $3, forgettable_at = $4 WHERE key = $1")
                    .bind(key.as_str())
                    .bind(i64::from(next.attempts))
                    .bind(next.until_millis)
                    .bind(throttle.forgettable_at(next).as_millis())
                    .execute(session.connection())
                    .await?;
            }
            Ok(decision)
        }.boxed() }).await
    }

    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError> {
        self.store
            .repeat("throttle reset", |session| {
                async move {
                    session
                        .query("DELETE FROM gallery.throttle WHERE key = $1")
                        .bind(key.as_str())
                        .execute(session.connection())
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        self.store
            .change("throttle remove expired", None, |session| {
                async move {
                    let removed = session
                        .query(
                            "DELETE FROM gallery.throttle WHERE key = ANY (ARRAY( \
                     SELECT key FROM gallery.throttle WHERE forgettable_at < $1 \
                     ORDER BY forgettable_at LIMIT $2 FOR UPDATE SKIP LOCKED))",
                        )
                        .bind(now.as_millis())
                        .bind(i64::from(limit))
                        .execute(session.connection())
                        .await?;
                    Ok(removed.rows_affected())
                }
                .boxed()
            })
            .await
    }
}
