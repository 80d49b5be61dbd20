//! Work in memory.

use std::time::Duration;

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::ports::{RepositoryError, WorkQueue};
use crate::{ClaimedWork, Task, Timestamp, Work};

/// The most items that are claimed at a time.
const CLAIMED_AT_ONCE: u32 = 100;

/// An item of work.
pub(super) struct Scheduled {
    due_at: Timestamp,
    attempts: u32,
    /// The live claim, if somebody ever claimed it since it was scheduled.
    claim: Option<u64>,
}

#[async_trait]
impl WorkQueue for MemoryStore {
    async fn schedule(&self, work: &Work) -> Result<(), RepositoryError> {
        self.lock().schedule(work);
        Ok(())
    }

    async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedWork>, RepositoryError> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut due: Vec<(&Task, &mut Scheduled)> =
            state.work.iter_mut().filter(|(_, item)| item.due_at <= now).collect();
        due.sort_by_key(|(_, item)| item.due_at);
        let claimed = due.into_iter().take(limit.min(CLAIMED_AT_ONCE) as usize).map(|(task, item)| {
            state.last_claim += 1;
            *item = Scheduled {
                due_at: now.plus(lease),
                attempts: item.attempts.saturating_add(1),
                claim: Some(state.last_claim),
            };
            ClaimedWork { task: *task, attempts: item.attempts, claim: state.last_claim }
        });
        Ok(claimed.collect())
    }

    async fn complete(&self, claimed: &ClaimedWork) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        if state.claimed(claimed).is_some() {
            state.work.remove(&claimed.task);
        }
        Ok(())
    }

    async fn postpone(&self, claimed: &ClaimedWork, due_at: Timestamp) -> Result<(), RepositoryError> {
        if let Some(item) = self.lock().claimed(claimed) {
            item.due_at = due_at;
        }
        Ok(())
    }

    async fn cancel(&self, task: &Task) -> Result<(), RepositoryError> {
        self.lock().work.remove(task);
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError> {
        Ok(self.lock().work.values().map(|item| item.due_at).min())
    }
}

impl State {
    pub(super) fn schedule(&mut self, work: &Work) {
        self.work.insert(work.task, Scheduled { due_at: work.due_at, attempts: 0, claim: None });
    }

    /// The item of a claim that is not void.
    fn claimed(&mut self, claimed: &ClaimedWork) -> Option<&mut Scheduled> {
        self.work.get_mut(&claimed.task).filter(|item| item.claim == Some(claimed.claim))
    }
}
