//! Counted attempts in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{RateLimiter, RepositoryError};
use crate::{Decision, Throttle, ThrottleKey, ThrottleState, Timestamp};

/// What is kept of a key.
#[derive(Clone, Copy)]
pub(super) struct Attempts {
    state: ThrottleState,
    forgettable_at: Timestamp,
}

#[async_trait]
impl RateLimiter for MemoryStore {
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError> {
        let mut kept = self.lock();
        let before = kept.attempts.get(key.as_str()).map(|attempts| attempts.state).unwrap_or_default();
        let (state, decision) = throttle.decide(before, now);
        let attempts = Attempts { state, forgettable_at: throttle.forgettable_at(state) };
        kept.attempts.insert(key.as_str().to_owned(), attempts);
        Ok(decision)
    }

    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError> {
        self.lock().attempts.remove(key.as_str());
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let mut kept = self.lock();
        let expired = kept.attempts.iter().filter(|(_, attempts)| attempts.forgettable_at < now);
        let expired: Vec<String> = expired.map(|(key, _)| key.clone()).take(limit as usize).collect();
        for key in &expired {
            kept.attempts.remove(key);
        }
        Ok(expired.len() as u64)
    }
}
