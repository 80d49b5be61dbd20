//! Requests that may be sent twice, in DynamoDB.

use async_trait::async_trait;
use gallery_domain::ports::{IdempotencyClaim, IdempotencyRepository, RepositoryError};
use gallery_domain::{Timestamp, UserId};

use super::DynamoDbStore;
use super::change::{Write, Written};
use super::reading::Query;
use super::rows::{self, text, time_value, ttl_value};
use super::table_keys::{self, DUE_AT, DUE_LIST, Due, Key, PK, SK, TTL, Table};
use super::work_queue::due_before;

/// Requests that may be sent twice, in DynamoDB: an item for each key of an owner.
#[derive(Debug)]
pub(super) struct DynamoDbIdempotencyRepository {
    store: DynamoDbStore,
}

impl DynamoDbIdempotencyRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl IdempotencyRepository for DynamoDbIdempotencyRepository {
    async fn claim(
        &self,
        owner: UserId,
        key: &str,
        claim: &IdempotencyClaim,
        now: Timestamp,
    ) -> Result<IdempotencyClaim, RepositoryError> {
        let key = table_keys::claim(owner, key);
        let mut attributes = vec![
            (DUE_LIST, text(Due::Claim.list_of(&key))),
            (DUE_AT, time_value(claim.expires_at)),
            (TTL, ttl_value(claim.expires_at)),
        ];
        attributes.extend(rows::idempotency_claim_attributes(claim));
        let write = Write::put(key, attributes)
            .only_if(&format!("attribute_not_exists(#{PK}) OR #ExpiresAt <= :now"))
            .value(":now", time_value(now));
        match self.store.write("idempotency claim", write).await? {
            Written::Refused(Some(first)) => rows::idempotency_claim(&first),
            Written::Refused(None) | Written::Done(_) => Ok(claim.clone()),
        }
    }

    async fn remove_all(&self, owner: UserId) -> Result<(), RepositoryError> {
        const OPERATION: &str = "idempotency remove all";
        let query = Query::partition(table_keys::claims_of(owner)).only(format!("#{PK}, #{SK}"));
        let found = self.store.query_all(OPERATION, query).await?;
        let keys = found.iter().filter_map(|item| Key::of(Table::Index, item));
        self.store.write_batches(OPERATION, keys.map(Write::delete).collect()).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        remove_due(&self.store, "idempotency remove expired", Due::Claim, now, limit).await
    }
}

/// Forgets up to a limit of the things of a kind that were to be forgotten before a time, and still are; how many. Each is one item.
pub(super) async fn remove_due(
    store: &DynamoDbStore,
    operation: &'static str,
    due: Due,
    time: Timestamp,
    limit: u32,
) -> Result<u64, RepositoryError> {
    let mut removed = 0;
    for entry in
        due_before(store, operation, due, time.as_millis(), usize::try_from(limit).unwrap_or(usize::MAX)).await?
    {
        if removed == u64::from(limit) {
            break;
        }
        let write = Write::delete(entry.key).only_if(&format!("#{DUE_AT} < :time")).value(":time", time_value(time));
        removed += u64::from(store.write(operation, write).await?.is_done());
    }
    Ok(removed)
}
