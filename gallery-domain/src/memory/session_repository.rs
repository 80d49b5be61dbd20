//! Sessions in memory.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{RepositoryError, SessionRepository};
use crate::{Session, SessionId, Timestamp, TokenHash, UserId};

/// The most sessions that are listed.
const LISTED: usize = 1_000;

#[async_trait]
impl SessionRepository for MemoryStore {
    async fn insert(&self, session: &Session) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        if state.sessions.values().any(|kept| kept.id == session.id || kept.token == session.token) {
            return Err(RepositoryError::AlreadyExists);
        }
        state.sessions.insert(session.id, session.clone());
        Ok(())
    }

    async fn find_by_token(&self, token: &TokenHash) -> Result<Option<Session>, RepositoryError> {
        Ok(self.lock().sessions.values().find(|session| session.token == *token).cloned())
    }

    async fn touch(&self, user: UserId, id: SessionId, seen_at: Timestamp) -> Result<(), RepositoryError> {
        if let Some(session) = self.lock().sessions.get_mut(&id).filter(|session| session.user == user) {
            session.last_seen_at = session.last_seen_at.max(seen_at);
        }
        Ok(())
    }

    async fn list(&self, user: UserId) -> Result<Vec<Session>, RepositoryError> {
        let state = self.lock();
        let mut sessions: Vec<&Session> = state.sessions.values().filter(|session| session.user == user).collect();
        sessions.sort_unstable_by_key(|session| Reverse((session.created_at, session.id)));
        Ok(sessions.into_iter().take(LISTED).cloned().collect())
    }

    async fn remove(&self, user: UserId, id: SessionId) -> Result<(), RepositoryError> {
        self.lock().sessions.retain(|_, session| session.id != id || session.user != user);
        Ok(())
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionId>) -> Result<(), RepositoryError> {
        self.lock().sessions.retain(|_, session| session.user != user || Some(session.id) == except);
        Ok(())
    }

    async fn remove_expired(&self, now: Timestamp, limit: u32) -> Result<u64, RepositoryError> {
        let mut state = self.lock();
        let ended = state.sessions.values().filter(|session| session.expires_at() < now).map(|session| session.id);
        let ended: Vec<SessionId> = ended.take(limit as usize).collect();
        for id in &ended {
            state.sessions.remove(id);
        }
        Ok(ended.len() as u64)
    }
}
