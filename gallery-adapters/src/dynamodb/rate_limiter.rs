//! Counted attempts in DynamoDB.

use async_trait::async_trait;
use gallery_domain::ports::{RateLimiter, RepositoryError};
use gallery_domain::{Decision, Throttle, ThrottleKey, ThrottleState, Timestamp};

use super::DynamoDbStore;
use super::change::{Write, Written};
use super::idempotency_repository::remove_due;
use super::rows::{self, number, text, time_value, ttl_value};
use super::table_keys::{self, DUE_AT, DUE_LIST, Due, Item, PK, TTL};

/// Counted attempts in DynamoDB: an item for each key, replaced while it is as it was read.
#[derive(Debug)]
pub(super) struct DynamoDbRateLimiter {
    store: DynamoDbStore,
}

impl DynamoDbRateLimiter {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl RateLimiter for DynamoDbRateLimiter {
    async fn attempt(
        &self,
        key: &ThrottleKey,
        throttle: &Throttle,
        now: Timestamp,
    ) -> Result<Decision, RepositoryError> {
        const OPERATION: &str = "throttle attempt";
        let place = table_keys::throttle(key);
        let mut kept: Option<Item> = self.store.get(OPERATION, &place).await?;
        loop {
            let state = kept.as_ref().map(rows::throttle_state).transpose()?.unwrap_or_default();
            let (next, decision) = throttle.decide(state, now);
            if next == state {
                return Ok(decision);
            }
            let forgettable_at = throttle.forgettable_at(next);
            let mut attributes = vec![
                (DUE_LIST, text(Due::Throttle.list_of(&place))),
                (DUE_AT, time_value(forgettable_at)),
                (TTL, ttl_value(forgettable_at)),
            ];
            attributes.extend(rows::throttle_attributes(next));
            let write = as_read(Write::put(place.clone(), attributes), kept.is_some().then_some(state));
            // As many are in each other's way as the rule allows attempts: whoever comes after them is denied and writes nothing.
            match self.store.write(OPERATION, write).await? {
                Written::Done(_) => return Ok(decision),
                Written::Refused(other) => kept = other,
            }
        }
    }

    async fn reset(&self, key: &ThrottleKey) -> Result<(), RepositoryError> {
        self.store.write_always("throttle reset", Write::delete(table_keys::throttle(key))).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        remove_due(&self.store, "throttle remove expired", Due::Throttle, now, limit).await
    }
}

/// Only if the item is as it was read, or still is not there.
fn as_read(write: Write, state: Option<ThrottleState>) -> Write {
    match state {
        None => write.only_if(&format!("attribute_not_exists(#{PK})")),
        Some(state) => write
            .only_if("#Attempts = :attempts AND #UntilMillis = :until")
            .value(":attempts", number(state.attempts))
            .value(":until", number(state.until_millis)),
    }
}
