//! Work that outlasts a request, in SQLite.

use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::ports::{RepositoryError, WorkQueue};
use gallery_domain::{ClaimedWork, Task, Timestamp, Work};
use sqlx::SqliteConnection;

use super::error::failed;
use super::rows::task_key;
use super::{SqliteStore, rows};

/// Work that outlasts a request, in SQLite.
#[derive(Debug)]
pub(super) struct SqliteWorkQueue {
    store: SqliteStore,
}

impl SqliteWorkQueue {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl WorkQueue for SqliteWorkQueue {
    async fn schedule(&self, work: &Work) -> Result<(), RepositoryError> {
        let failed = failed("work schedule");
        let mut connection = self.store.writer.acquire().await.map_err(&failed)?;
        schedule(&mut connection, work).await.map_err(&failed)
    }

    async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedWork>, RepositoryError> {
        let failed = failed("work claim");
        let mut change = self.store.begin("work claim").await?;
        let due = sqlx::query(
            "SELECT kind, owner_id, subject_id FROM work WHERE due_at <= ?1 \
             ORDER BY due_at, kind, owner_id, subject_id LIMIT ?2",
        )
        .bind(now.as_millis())
        .bind(limit.min(100))
        .fetch_all(&mut *change)
        .await
        .map_err(&failed)?;
        let mut claimed = Vec::with_capacity(due.len());
        for row in &due {
            let task = rows::task(row)?;
            let (kind, owner, subject) = task_key(&task);
            let (attempts, claim): (u32, i64) = sqlx::query_as(
                "UPDATE work SET due_at = ?4, attempts = attempts + 1, claim = random() \
                 WHERE kind = ?1 AND owner_id = ?2 AND subject_id = ?3 RETURNING attempts, claim",
            )
            .bind(kind)
            .bind(owner)
            .bind(subject)
            .bind(now.plus(lease).as_millis())
            .fetch_one(&mut *change)
            .await
            .map_err(&failed)?;
            claimed.push(ClaimedWork { task, attempts, claim: claim.cast_unsigned() });
        }
        change.commit().await.map_err(&failed)?;
        Ok(claimed)
    }

    async fn complete(&self, claimed: &ClaimedWork) -> Result<(), RepositoryError> {
        let (kind, owner, subject) = task_key(&claimed.task);
        sqlx::query("DELETE FROM work WHERE kind = ?1 AND owner_id = ?2 AND subject_id = ?3 AND claim = ?4")
            .bind(kind)
            .bind(owner)
            .bind(subject)
            .bind(claimed.claim.cast_signed())
            .execute(&self.store.writer)
            .await
            .map_err(failed("work complete"))?;
        Ok(())
    }

    async fn postpone(&self, claimed: &ClaimedWork, due_at: Timestamp) -> Result<(), RepositoryError> {
        let (kind, owner, subject) = task_key(&claimed.task);
        sqlx::query("UPDATE work SET due_at = ?5 WHERE kind = ?1 AND owner_id = ?2 AND subject_id = ?3 AND claim = ?4")
            .bind(kind)
            .bind(owner)
            .bind(subject)
            .bind(claimed.claim.cast_signed())
            .bind(due_at.as_millis())
            .execute(&self.store.writer)
            .await
            .map_err(failed("work postpone"))?;
        Ok(())
    }

    async fn cancel(&self, task: &Task) -> Result<(), RepositoryError> {
        let failed = failed("work cancel");
        let mut connection = self.store.writer.acquire().await.map_err(&failed)?;
        cancel(&mut connection, task).await.map_err(&failed)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError> {
        let due: Option<i64> = sqlx::query_scalar("SELECT min(due_at) FROM work")
            .fetch_one(&self.store.readers)
            .await
            .map_err(failed("work next due"))?;
        Ok(due.map(Timestamp::from_millis))
    }
}

/// Schedules work; in a transaction, together with the change that calls for it.
pub(super) async fn schedule(connection: &mut SqliteConnection, work: &Work) -> Result<(), sqlx::Error> {
    let (kind, owner, subject) = task_key(&work.task);
    sqlx::query(
        "INSERT INTO work (kind, owner_id, subject_id, due_at, attempts, claim) VALUES (?1, ?2, ?3, ?4, 0, NULL) \
         ON CONFLICT (kind, owner_id, subject_id) DO UPDATE SET due_at = excluded.due_at, attempts = 0, claim = NULL",
    )
    .bind(kind)
    .bind(owner)
    .bind(subject)
    .bind(work.due_at.as_millis())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the work on a task; in a transaction, together with what it was about.
pub(super) async fn cancel(connection: &mut SqliteConnection, task: &Task) -> Result<(), sqlx::Error> {
    let (kind, owner, subject) = task_key(task);
    sqlx::query("DELETE FROM work WHERE kind = ?1 AND owner_id = ?2 AND subject_id = ?3")
        .bind(kind)
        .bind(owner)
        .bind(subject)
        .execute(connection)
        .await?;
    Ok(())
}
