//! Work that outlasts a request, in DynamoDB.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use gallery_domain::ports::{RepositoryError, WorkQueue};
use gallery_domain::{ClaimedWork, Task, Timestamp, Work};

use super::DynamoDbStore;
use super::change::{Write, Written};
use super::reading::Query;
use super::rows::{self, number, text, time_value};
use super::table_keys::{self, BY_DUE, DUE_AT, DUE_LIST, Due, Item, Key, PK, Table};

/// The most items that are claimed at a time.
const CLAIMED_AT_ONCE: usize = 100;

/// How many more are looked at than are to be claimed, as others may be faster. They are read with the first ones, at no cost.
const TAKEN_BY_OTHERS: usize = 8;

/// Work that outlasts a request, in DynamoDB: one item for a task. The index by due time says which may be due, and the item itself whether it is.
/// The index lags behind by moments, so that work may be found that much later.
#[derive(Debug)]
pub(super) struct DynamoDbWorkQueue {
    store: DynamoDbStore,
}

impl DynamoDbWorkQueue {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl WorkQueue for DynamoDbWorkQueue {
    async fn schedule(&self, work: &Work) -> Result<(), RepositoryError> {
        self.store.write_always("work schedule", schedule(work)).await
    }

    async fn claim(&self, now: Timestamp, lease: Duration, limit: u32) -> Result<Vec<ClaimedWork>, RepositoryError> {
        const OPERATION: &str = "work claim";
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).min(CLAIMED_AT_ONCE);
        let mut claimed = Vec::new();
        if limit == 0 {
            return Ok(claimed);
        }
        for entry in due_before(&self.store, OPERATION, Due::Work, now.as_millis() + 1, limit + TAKEN_BY_OTHERS).await?
        {
            if claimed.len() == limit {
                break;
            }
            let claim = random_claim();
            let write = Write::update(entry.key)
                .only_if(&format!("#{DUE_AT} <= :now"))
                .set(format!("#{DUE_AT} = :until"))
                .set("#Claim = :claim")
                .add("#Attempts :one")
                .value(":now", time_value(now))
                .value(":until", time_value(now.plus(lease)))
                .value(":claim", number(claim))
                .value(":one", number(1))
                .returning_new();
            // Refused if somebody else was faster, or it was scheduled again or cancelled.
            if let Written::Done(Some(item)) = self.store.write(OPERATION, write).await? {
                let attempts: i64 = rows::reading("work", &item, PK, || rows::number_of(&item, "Attempts"))?;
                let attempts = u32::try_from(attempts).unwrap_or(u32::MAX);
                claimed.push(ClaimedWork { task: rows::task(&item)?, attempts, claim });
            }
        }
        Ok(claimed)
    }

    async fn complete(&self, claimed: &ClaimedWork) -> Result<(), RepositoryError> {
        let write = while_claimed(Write::delete(table_keys::work(&claimed.task)), claimed);
        self.store.write("work complete", write).await.map(drop)
    }

    async fn postpone(&self, claimed: &ClaimedWork, due_at: Timestamp) -> Result<(), RepositoryError> {
        let write = Write::update(table_keys::work(&claimed.task))
            .set(format!("#{DUE_AT} = :due_at"))
            .value(":due_at", time_value(due_at));
        self.store.write("work postpone", while_claimed(write, claimed)).await.map(drop)
    }

    async fn cancel(&self, task: &Task) -> Result<(), RepositoryError> {
        self.store.write_always("work cancel", cancel(task)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, RepositoryError> {
        let firsts = try_join_all(Due::Work.lists().map(async |list| {
            let query = Query::new(Table::Index, Some(BY_DUE), format!("#{DUE_LIST} = :list"))
                .value(":list", text(list))
                .limit(1);
            self.store.query("work next due", &query).await
        }))
        .await?;
        let times: Result<Vec<Timestamp>, _> =
            firsts.iter().flat_map(|answer| &answer.items).map(|entry| Ok(entry_of(entry)?.due_at)).collect();
        times.map(|times| times.into_iter().min())
    }
}

/// The write that schedules work; in a transaction, together with the change that calls for it.
pub(super) fn schedule(work: &Work) -> Write {
    let key = table_keys::work(&work.task);
    let list = Due::Work.list_of(&key);
    Write::put(
        key,
        [
            ("Task", text(rows::task_to_json(&work.task))),
            ("Attempts", number(0)),
            (DUE_LIST, text(list)),
            (DUE_AT, time_value(work.due_at)),
        ],
    )
}

/// The write that removes the work on a task; in a transaction, together with what it was about.
pub(super) fn cancel(task: &Task) -> Write {
    Write::delete(table_keys::work(task))
}

/// An entry of the index by due time.
pub(super) struct DueEntry {
    pub(super) key: Key,
    pub(super) due_at: Timestamp,
}

/// Up to a limit of those that stand in the lists of a kind and are due before a time in milliseconds, first what is due first.
pub(super) async fn due_before(
    store: &DynamoDbStore,
    operation: &'static str,
    due: Due,
    millis: i64,
    limit: usize,
) -> Result<Vec<DueEntry>, RepositoryError> {
    let lists = try_join_all(due.lists().map(async |list| {
        let query = Query::new(Table::Index, Some(BY_DUE), format!("#{DUE_LIST} = :list AND #{DUE_AT} < :millis"))
            .value(":list", text(list))
            .value(":millis", number(millis));
        store.query_up_to(operation, query, limit).await
    }))
    .await?;
    let found: Result<Vec<DueEntry>, _> = lists.iter().flatten().map(entry_of).collect();
    let mut found = found?;
    found.sort_by_key(|entry| entry.due_at);
    Ok(found)
}

fn entry_of(entry: &Item) -> Result<DueEntry, RepositoryError> {
    rows::reading("entry of the index by due time", entry, PK, || {
        let key = Key::of(Table::Index, entry).ok_or("there is no key")?;
        Ok(DueEntry { key, due_at: rows::time_of(entry, DUE_AT)? })
    })
}

fn while_claimed(write: Write, claimed: &ClaimedWork) -> Write {
    write.only_if("#Claim = :claim").value(":claim", number(claimed.claim))
}

/// Tells a claim from every other: nobody has to count them.
fn random_claim() -> u64 {
    getrandom::u64().expect("the operating system has randomness")
}
