//! Requests that may be sent twice, in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{IdempotencyClaim, IdempotencyRepository, RepositoryError};
use gallery_domain::{Timestamp, UserId};

use super::change::Session;
use super::{PostgresStore, rows};

/// Requests that may be sent twice, in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresIdempotencyRepository {
    store: PostgresStore,
}

impl PostgresIdempotencyRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl IdempotencyRepository for PostgresIdempotencyRepository {
    async fn claim(
        &self,
        owner: UserId,
        key: &str,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<IdempotencyClaim, RepositoryError> {
        // The second time, the first claim is found, which is the same.
        rows::idempotency_claim(
            &self
                .store
                .repeat("idempotency claim", |session| {
                    async move {
                        // An upsert waits for whoever has the key at this moment; a claim that still holds is written as it is, and told.
                        let statement = session
                .query(
                    "INSERT INTO gallery.idempotency_key AS held (owner_id, key, request, subject_id, expires_at) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner_id, key) DO UPDATE SET \
                     request = CASE WHEN held.expires_at > $6 THEN held.request ELSE excluded.request END, \
                     subject_id = CASE WHEN held.expires_at > $6 THEN held.subject_id ELSE excluded.subject_id END, \
                     expires_at = CASE WHEN held.expires_at > $6 THEN held.expires_at ELSE excluded.expires_at END \
                     RETURNING request, subject_id, expires_at",
                )
                .bind(owner.as_uuid())
                .bind(key)
                .bind(claim.request.as_bytes().to_vec())
                .bind(claim.id)
                .bind(claim.expires_at.as_millis())
                .bind(now.as_millis());
                        Ok(statement.fetch_one(session.connection()).await?)
                    }
                    .boxed()
                })
                .await?,
        )
    }

    async fn remove_all(&self, owner: UserId) -> Result<(), RepositoryError> {
        self.store
            .repeat("idempotency remove all", |session| {
                async move {
                    session
                        .query("DELETE FROM gallery.idempotency_key WHERE owner_id = $1")
                        .bind(owner.as_uuid())
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
            .change("idempotency remove expired", None, |session| {
                async move {
                    let removed = session
                        .query(
                            "DELETE FROM gallery.idempotency_key AS held USING ( \
                     SELECT owner_id, key FROM gallery.idempotency_key WHERE expires_at < $1 \
                     ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS expired \
                     WHERE held.owner_id = expired.owner_id AND held.key = expired.key",
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
