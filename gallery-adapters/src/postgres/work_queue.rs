//! Work that outlasts a request, in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{RepositoryError, WorkQueue};
use gallery_domain::{ClaimedWork, Task, Timestamp, Work};

use super::change::{Interruption, Session};
use super::rows::task_key;
use super::{PostgresStore, rows};

/// Work that outlasts a request, in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresWorkQueue {
    store: PostgresStore,
}

impl PostgresWorkQueue {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl WorkQueue for PostgresWorkQueue {
    async fn schedule(&self, work: &Work) -> Result<(), RepositoryError> {
        // Not twice: a claim in between would be void for nothing.
        self.store.change("work schedule", None, |session| async move { schedule(session, work).await }.boxed()).await
    }

    async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedWork>, RepositoryError> {
        self.store.change("work claim", None, |session| { async move {
            // What somebody else claims at this moment is passed over rather than waited for.
            let rows = session
                .query(
                    "WITH due AS MATERIALIZED ( \
                     SELECT kind, owner_id, subject_id, due_at FROM gallery.work WHERE due_at <= $1 \
                     ORDER BY due_at, kind, owner_id, subject_id LIMIT $2 FOR UPDATE SKIP LOCKED), \
                     claimed AS (UPDATE gallery.work SET due_at = $3, attempts = work.attempts + 1, \
                     claim = hashtextextended(gen_random_uuid()::text, 0) FROM due \
                     WHERE work.kind = due.kind AND work.owner_id = due.owner_id AND work.subject_id = due.subject_id \
                     RETURNING work.kind, work.owner_id, work.subject_id, work.attempts, work.claim, due.due_at AS was_due_at) \
                     SELECT kind, owner_id, subject_id, attempts, claim FROM claimed \
                     ORDER BY was_due_at, kind, owner_id, subject_id",
                )
                .bind(now.as_millis())
                .bind(i64::from(limit.min(100)))
                .bind(now.plus(lease).as_millis())
                .fetch_all(session.connection())
                .await?;
            Ok(rows.iter().map(rows::claimed_work).collect::<Result<_, _>>()?)
        }.boxed() }).await
    }

    async fn complete(&self, claimed: &ClaimedWork) -> Result<(), RepositoryError> {
        let (kind, owner, subject) = task_key(&claimed.task);
        self.store
            .repeat("work complete", |session| {
                async move {
                    session
                .query("DELETE FROM gallery.work WHERE kind = $1 AND owner_id = $2 AND subject_id = $3 AND claim = $4")
                .bind(kind)
                .bind(owner)
                .bind(subject)
                .bind(claimed.claim.cast_signed())
                .execute(session.connection())
                .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn postpone(&self, claimed: &ClaimedWork, due_at: Timestamp) -> Result<(), RepositoryError> {
        let (kind, owner, subject) = task_key(&claimed.task);
        self.store
            .repeat("work postpone", |session| {
                async move {
                    session
                        .query(
                            "UPDATE gallery.work SET due_at = $5 \
                     WHERE kind = $1 AND owner_id = $2 AND subject_id = $3 AND claim = $4",
                        )
                        .bind(kind)
                        .bind(owner)
                        .bind(subject)
                        .bind(claimed.claim.cast_signed())
                        .bind(due_at.as_millis())
                        .execute(session.connection())
                        .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn cancel(&self, task: &Task) -> Result<(), RepositoryError> {
        // Not twice: what was scheduled in between would be lost.
        self.store.change("work cancel", None, |session| async move { cancel(session, task).await }.boxed()).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError> {
        let due = self
            .store
            .repeat("work next due", |session| {
                async move {
                    let statement =
                        session.query_scalar::<i64>("SELECT due_at FROM gallery.work ORDER BY due_at LIMIT 1");
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        Ok(due.map(Timestamp::from_millis))
    }
}

/// Schedules work; in a transaction, together with the change that calls for it.
pub(super) async fn schedule(session: &mut Session<'_>, work: &Work) -> Result<(), Interruption> {
    let (kind, owner, subject) = task_key(&work.task);
    session
        .query(
            "INSERT INTO gallery.work (kind, owner_id, subject_id, due_at, attempts, claim) VALUES ($1, $2, $3, $4, 0, NULL) \
             ON CONFLICT (kind, owner_id, subject_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0, claim = NULL",
        )
        .bind(kind)
        .bind(owner)
        .bind(subject)
        .bind(work.due_at.as_millis())
        .execute(session.connection())
        .await?;
    Ok(())
}

/// Removes the work on a task; in a transaction, together with what it was about.
pub(super) async fn cancel(session: &mut Session<'_>, task: &Task) -> Result<(), Interruption> {
    let (kind, owner, subject) = task_key(task);
    session
        .query("DELETE FROM gallery.work WHERE kind = $1 AND owner_id = $2 AND subject_id = $3")
        .bind(kind)
        .bind(owner)
        .bind(subject)
        .execute(session.connection())
        .await?;
    Ok(())
}
