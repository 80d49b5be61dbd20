//! Who may do what.

use crate::{SessionId, UserId};

/// Somebody whose log-in was checked, and who may do anything with their own things.
///
/// Only [`Accounts`](crate::services::Accounts) makes one, out of a live session of an active account, or for the
/// operator of the gallery at its console; so a service that asks for an actor cannot be called without that check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    user: UserId,
    session: Option<SessionId>,
}

impl Actor {
    pub(crate) const fn new(user: UserId, session: Option<SessionId>) -> Self {
        Self { user, session }
    }

    /// Who it is, and so the owner of what they may touch.
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The session they act in; `None` for the operator at the console.
    pub const fn session(&self) -> Option<SessionId> {
        self.session
    }
}
