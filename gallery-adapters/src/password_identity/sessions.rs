//! Sessions, kept in the store: the same whatever proves who somebody is.

use std::error::Error;

use gallery_domain::ports::{IdentityError, LogIn};
use gallery_domain::{Client, SecretToken, Session, SessionId, UserId};

use super::IdentityPorts;

impl IdentityPorts {
    /// Opens a session.
    pub(crate) async fn open_session(&self, user: UserId, client: &Client) -> Result<LogIn, IdentityError> {
        let now = self.clock.now();
        let token = SecretToken::from_random(&self.ids.new_secret());
        let session = Session {
            id: SessionId::from_uuid(self.ids.new_id(now)),
            user,
            token: token.hash(),
            client: client.label.clone(),
            created_at: now,
            last_seen_at: now,
        };
        self.sessions.insert(&session).await?;
        Ok(LogIn { session, token })
    }

    /// The live session that a token opens.
    pub(crate) async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError> {
        let now = self.clock.now();
        let session = self.sessions.find_by_token(&token.hash()).await?;
        let Some(mut session) = session.filter(|session| session.is_live(now)) else { return Ok(None) };
        if now.since(session.last_seen_at) >= Session::TOUCH_EVERY {
            match self.sessions.touch(session.user, session.id, now).await {
                Ok(()) => session.last_seen_at = now,
                // The session is good all the same, and the next request notes it.
                Err(error) => tracing::warn!(error = &error as &dyn Error, "the use of a session was not noted"),
            }
        }
        Ok(Some(session))
    }

    /// The user's live sessions, last created first.
    pub(crate) async fn live_sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError> {
        let now = self.clock.now();
        let mut sessions = self.sessions.list(user).await?;
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }
}
