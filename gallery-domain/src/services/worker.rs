//! Work that outlasts a request.

use std::time::Duration;

use super::{Albums, Context, Erasure, Ingest};
use crate::ports::ImageError;
use crate::{ClaimedWork, GalleryError, Photo, PhotoState, Task, Timestamp, Work};

/// Takes up work that is due. Locally a task of the server runs it, on AWS a schedule does; several may run at once.
#[derive(Clone, Debug)]
pub struct Worker {
    context: Context,
    ingest: Ingest,
    albums: Albums,
    erasure: Erasure,
}

/// What a run of the worker came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerReport {
    /// Items taken up.
    pub claimed: u64,
    /// Items that are done for good.
    pub completed: u64,
    /// Items that failed and will be tried again.
    pub failed: u64,
}

/// The longest time between two tries of what fails.
const LONGEST_RETRY: Duration = Duration::from_secs(3600);

/// The time before what a backend could not do for a photo is tried again.
const OUTAGE_RETRY: Duration = Duration::from_secs(60);

impl Worker {
    pub(super) fn new(context: Context, ingest: Ingest, albums: Albums, erasure: Erasure) -> Self {
        Self { context, ingest, albums, erasure }
    }

    /// Takes up to `limit` items of work that are due, one after the other.
    pub async fn run_due(&self, limit: u32) -> Result<WorkerReport, GalleryError> {
        let queue = &self.context.repositories.work;
        let mut report = WorkerReport::default();
        while report.claimed < u64::from(limit) {
            // One at a time: an item whose turn comes late must not lose its lease while it waits.
            let claimed = queue.claim(self.context.now(), self.context.policy().lease, 1).await?;
            let Some(work) = claimed.into_iter().next() else { break };
            report.claimed += 1;
            self.give_up_on_what_never_ended(&work).await?;
            match self.attend(&work).await {
                Ok(None) => {
                    queue.complete(&work).await?;
                    report.completed += 1;
                }
                Ok(Some(due_at)) => queue.postpone(&work, due_at).await?,
                Err(error) => {
                    report.failed += 1;
                    self.retry_later(&work, &error).await?;
                }
            }
        }
        Ok(report)
    }

    /// Forgets what expired: sessions, idempotency keys, counted attempts. A bounded part a call.
    pub async fn tidy_up(&self) -> Result<(), GalleryError> {
        const LIMIT: u32 = 1_000;
        let (now, repositories) = (self.context.now(), &self.context.repositories);
        repositories.sessions.remove_expired(now, LIMIT).await?;
        repositories.idempotency.remove_expired(now, LIMIT).await?;
        repositories.rate_limiter.remove_expired(now, LIMIT).await?;
        Ok(())
    }

    /// How long there is nothing to do, at most `most`.
    pub async fn idle_time(&self, most: Duration) -> Result<Duration, GalleryError> {
        let next = self.context.repositories.work.next_due().await?;
        Ok(next.map_or(most, |due_at| due_at.since(self.context.now()).min(most)))
    }

    /// How long the work that has waited longest has been due; zero if none is.
    pub async fn overdue(&self) -> Result<Duration, GalleryError> {
        let next = self.context.repositories.work.next_due().await?;
        Ok(next.map_or(Duration::ZERO, |due_at| self.context.now().since(due_at)))
    }

    /// Does what a task's subject calls for by its state. When to look again, if it is not done.
    async fn attend(&self, work: &ClaimedWork) -> Result<Option<Timestamp>, GalleryError> {
        match work.task {
            Task::Album { owner, album } => self.albums.attend(owner, album).await,
            Task::Account { owner } => self.erasure.expire_unconfirmed(owner).await,
            Task::Photo { owner, photo: id } => {
                let Some(photo) = self.context.repositories.photos.find(owner, id).await? else {
                    return self.ingest.attend(owner, id).await;
                };
                let retention = self.context.policy().trash_retention;
                let end = match (&photo.state, photo.trashed) {
                    (PhotoState::Erasing { .. }, _) => return self.erasure.continue_photo(&photo).await,
                    (PhotoState::Ready(_), Some(trashed)) => trashed.at.plus(retention),
                    (PhotoState::Failed(_), _) => {
                        self.ingest.attend(owner, id).await?;
                        photo.created_at.plus(retention)
                    }
                    _ => return self.ingest.attend(owner, id).await,
                };
                if self.context.now() < end {
                    return Ok(Some(end));
                }
                // Leaves work of its own behind, which voids this claim. One that was brought back meanwhile stays, and has no end.
                let may_go = |photo: &Photo| match photo.is_visible() {
                    true => Err(GalleryError::Stale { current: Some(photo.revision) }),
                    false => Ok(()),
                };
                match self.erasure.erase_photo(photo, &may_go).await {
                    Ok(()) => Ok(None),
                    Err(GalleryError::Stale { .. }) => Ok(Some(self.context.now())),
                    Err(error) => Err(error),
                }
            }
        }
    }

    async fn retry_later(&self, work: &ClaimedWork, error: &GalleryError) -> Result<(), GalleryError> {
        tracing::warn!(
            task = work.task.for_logs(),
            attempts = work.attempts,
            error = error as &dyn std::error::Error,
            "work failed and will be tried again"
        );
        let (queue, now) = (&self.context.repositories.work, self.context.now());
        let delay = Duration::from_secs(1 << work.attempts.min(16)).min(LONGEST_RETRY);
        match work.task {
            Task::Photo { owner, photo } if is_of_the_picture(error) => {
                if work.attempts >= self.context.policy().ingest_attempts {
                    self.ingest.give_up(owner, photo).await?;
                }
                Ok(queue.postpone(work, now.plus(delay)).await?)
            }
            // What a backend cannot do, as when its disk is full, says nothing about the photo: it is no attempt, however long it lasts.
            Task::Photo { .. } => Ok(queue.schedule(&Work::new(work.task, now.plus(OUTAGE_RETRY))).await?),
            Task::Album { .. } | Task::Account { .. } => Ok(queue.postpone(work, now.plus(delay)).await?),
        }
    }

    /// Gives up a photo that was taken up again and again without an end, not even an error: looking into it kills the process.
    async fn give_up_on_what_never_ended(&self, work: &ClaimedWork) -> Result<(), GalleryError> {
        match work.task {
            Task::Photo { owner, photo } if work.attempts > self.context.policy().ingest_attempts => {
                self.ingest.give_up(owner, photo).await
            }
            _ => Ok(()),
        }
    }
}

/// Whether it was the picture that could not be looked into, and not a backend that something could not be read from or written to.
fn is_of_the_picture(error: &GalleryError) -> bool {
    matches!(error, GalleryError::Internal(cause) if cause.is::<ImageError>())
}
