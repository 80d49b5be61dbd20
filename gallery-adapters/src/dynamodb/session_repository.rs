//! Sessions in DynamoDB.

use std::cmp::Reverse;

use async_trait::async_trait;
use gallery_domain::ports::{RepositoryError, SessionRepository};
use gallery_domain::{ClientLabel, Session, SessionId, Timestamp, TokenHash, UserId};

use super::DynamoDbStore;
use super::change::{Transacted, Write};
use super::reading::Query;
use super::rows::{self, digest_value, text, time_value, ttl_value, uuid_value};
use super::table_keys::{self, DUE_AT, DUE_LIST, Due, Item, PK, SESSIONS_OF_USER, SK, TTL};
use super::work_queue::due_before;

/// The most sessions that are listed.
const LISTED: usize = 1_000;

/// Sessions in DynamoDB: each by its token's hash, which is what every request asks for; an entry of the user, and an item that takes the id.
///
/// The entry is removed last, and what a session is opened with first: whatever is left by somebody who was cut off opens nothing, and is removed by
/// whoever removes the user's sessions next, or forgotten by DynamoDB itself.
#[derive(Debug)]
pub(super) struct DynamoDbSessionRepository {
    store: DynamoDbStore,
}

impl DynamoDbSessionRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }

    /// Removes sessions, whose entries say of which tokens they are.
    async fn remove_these(&self, operation: &'static str, entries: &[Entry]) -> Result<(), RepositoryError> {
        let opened = entries.iter().map(|entry| Write::delete(table_keys::session(&entry.token)));
        let locks = entries.iter().map(|entry| Write::delete(table_keys::session_lock(entry.id)));
        let listed = entries.iter().map(|entry| Write::delete(table_keys::session_of_user(entry.user, entry.id)));
        self.store.write_batches(operation, opened.chain(locks).collect()).await?;
        self.store.write_batches(operation, listed.collect()).await
    }

    async fn entries(&self, operation: &'static str, user: UserId) -> Result<Vec<Entry>, RepositoryError> {
        let query = Query::beginning(table_keys::of_user(user), SESSIONS_OF_USER);
        let found = self.store.query_all(operation, query).await?;
        found.iter().map(|item| Entry::read(user, item)).collect()
    }
}

#[async_trait]
impl SessionRepository for DynamoDbSessionRepository {
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError> {
        let key = table_keys::session(&session.token);
        let mut attributes = vec![
            (DUE_LIST, text(Due::Session.list_of(&key))),
            (DUE_AT, time_value(session.expires_at())),
            (TTL, ttl_value(session.expires_at())),
        ];
        attributes.extend(rows::session_attributes(session));
        // However much it is used, nothing of it is needed after this.
        let gone = ttl_value(session.created_at.plus(Session::ABSOLUTE));
        let entry = [
            ("Token", digest_value(session.token.as_digest())),
            ("CreatedAt", time_value(session.created_at)),
            (TTL, gone.clone()),
        ];
        let writes = vec![
            Write::put(key, attributes).only_if_absent(),
            Write::put(table_keys::session_lock(session.id), [(TTL, gone)]).only_if_absent(),
            Write::put(table_keys::session_of_user(session.user, session.id), entry),
        ];
        match self.store.transact("session insert", writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(RepositoryError::AlreadyExists),
        }
    }

    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError> {
        let found = self.store.get("session find by token", &table_keys::session(token)).await?;
        found.as_ref().map(rows::session).transpose()
    }

    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError> {
        const OPERATION: &str = "session touch";
        let Some(item) = self.store.get(OPERATION, &table_keys::session_of_user(user, id)).await? else {
            return Ok(());
        };
        let entry = Entry::read(user, &item)?;
        let end = entry.end_if_seen_at(seen_at);
        let write = Write::update(table_keys::session(&entry.token))
            .only_if("#SessionID = :id AND #LastSeenAt < :seen_at")
            .set("#LastSeenAt = :seen_at")
            .set(format!("#{DUE_AT} = :end"))
            .set(format!("#{TTL} = :ttl"))
            .value(":id", uuid_value(id.as_uuid()))
            .value(":seen_at", time_value(seen_at))
            .value(":end", time_value(end))
            .value(":ttl", ttl_value(end));
        // Refused if it was used later, or is gone.
        self.store.write(OPERATION, write).await.map(drop)
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError> {
        const OPERATION: &str = "session list";
        let mut entries = self.entries(OPERATION, user).await?;
        entries.sort_unstable_by_key(|entry| Reverse((entry.created_at, entry.id)));
        entries.truncate(LISTED);
        let keys: Vec<_> = entries.iter().map(|entry| table_keys::session(&entry.token)).collect();
        let found = self.store.get_many(OPERATION, &keys).await?;
        found.iter().flatten().map(rows::session).collect()
    }

    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError> {
        const OPERATION: &str = "session remove";
        match self.store.get(OPERATION, &table_keys::session_of_user(user, id)).await? {
            Some(item) => self.remove_these(OPERATION, &[Entry::read(user, &item)?]).await,
            None => Ok(()),
        }
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError> {
        const OPERATION: &str = "session remove all";
        let mut entries = self.entries(OPERATION, user).await?;
        entries.retain(|entry| Some(entry.id) != except);
        self.remove_these(OPERATION, &entries).await
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        const OPERATION: &str = "session remove expired";
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut removed = 0;
        for due in due_before(&self.store, OPERATION, Due::Session, now.as_millis(), limit).await? {
            if removed == limit {
                break;
            }
            let Some(item) = self.store.get(OPERATION, &due.key).await? else { continue };
            let session = rows::session(&item)?;
            // Not if it was used in between.
            let write = Write::delete(due.key).only_if(&format!("#{DUE_AT} < :now")).value(":now", time_value(now));
            if self.store.write(OPERATION, write).await?.is_done() {
                let entry =
                    Entry { user: session.user, id: session.id, token: session.token, created_at: session.created_at };
                self.remove_these(OPERATION, &[entry]).await?;
                removed += 1;
            }
        }
        Ok(removed as u64)
    }
}

/// What a user's list of sessions holds of one.
struct Entry {
    user: UserId,
    id: SessionId,
    token: TokenHash,
    created_at: Timestamp,
}

impl Entry {
    fn read(user: UserId, item: &Item) -> Result<Self, RepositoryError> {
        rows::reading("entry of a session of", item, PK, || {
            let id = rows::text_of(item, SK)?.trim_start_matches(SESSIONS_OF_USER).parse()?;
            Ok(Self {
                user,
                id: SessionId::from_uuid(id),
                token: TokenHash::from_digest(rows::digest_of(item, "Token")?),
                created_at: rows::time_of(item, "CreatedAt")?,
            })
        })
    }

    /// When the session ends, if this is its last use.
    fn end_if_seen_at(&self, seen_at: Timestamp) -> Timestamp {
        let &Self { user, id, token, created_at } = self;
        Session { id, user, token, client: ClientLabel::default(), created_at, last_seen_at: seen_at }.expires_at()
    }
}
