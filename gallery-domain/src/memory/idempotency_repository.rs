//! Requests that may be sent twice, in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{IdempotencyClaim, IdempotencyRepository, RepositoryError};
use crate::{Timestamp, UserId};

#[async_trait]
impl IdempotencyRepository for MemoryStore {
    async fn claim(
        &self,
        owner: UserId,
        key: &str,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<IdempotencyClaim, RepositoryError> {
        let mut state = self.lock();
        let place = (owner, key.to_owned());
        if let Some(first) = state.claims.get(&place).filter(|first| now < first.expires_at) {
            return Ok(first.clone());
        }
        state.claims.insert(place, claim.clone());
        Ok(claim.clone())
    }

    async fn remove_all(&self, owner: UserId) -> Result<(), RepositoryError> {
        self.lock().claims.retain(|(whose, _), _| *whose != owner);
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let mut state = self.lock();
        let expired = state.claims.iter().filter(|(_, claim)| claim.expires_at < now).map(|(place, _)| place.clone());
        let expired: Vec<_> = expired.take(limit as usize).collect();
        for place in &expired {
            state.claims.remove(place);
        }
        Ok(expired.len() as u64)
    }
}
