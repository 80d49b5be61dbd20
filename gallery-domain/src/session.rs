//! Sessions: that somebody is logged in somewhere.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::identifier::identifier;
use crate::{Sha256Digest, Timestamp, UserId};

identifier! {
    /// Names a session. It is no secret: it opens nothing.
    SessionId
}

/// That a user is logged in somewhere. Its token is known to that place only; here is just the token's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its identity, shown to the user to tell sessions apart.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The hash of its token.
    pub token: TokenHash,
    /// What logged in, as it called itself.
    pub client: ClientLabel,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// When it was last used, to within [`Session::TOUCH_EVERY`].
    pub last_seen_at: Timestamp,
}

impl Session {
    /// A session that is not used for 7 days ends.
    pub const IDLE: Duration = Duration::from_secs(7 * 24 * 3600);
    /// A session ends 30 days after the log-in however much it is used.
    pub const ABSOLUTE: Duration = Duration::from_secs(30 * 24 * 3600);
    /// How stale `last_seen_at` may get before a use of the session is written down.
    pub const TOUCH_EVERY: Duration = Duration::from_secs(3600);

    /// When it ends if it is not used before.
    pub fn expires_at(&self) -> Timestamp {
        self.last_seen_at.plus(Self::IDLE).min(self.created_at.plus(Self::ABSOLUTE))
    }

    /// Whether it still opens the account.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }
}

/// What logged in, such as a browser's user agent: at most 200 characters, cut and cleaned rather than refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientLabel(String);

impl ClientLabel {
    /// Keeps the first 200 characters and drops control characters.
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|c| !c.is_control()).take(200).collect())
    }

    /// The label.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who asks, before anybody knows who they are.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Where the request comes from, such as an IPv4 /24 or an IPv6 /56: what attempts are counted by. `None` at the console.
    pub origin: Option<String>,
    /// What it calls itself.
    pub label: ClientLabel,
}

/// A secret of 256 bits: what a session, or the link of a password reset, is opened with.
#[derive(Clone)]
pub struct SecretToken(SecretString);

impl SecretToken {
    /// Makes a token of 32 random bytes: 43 characters of URL-safe base64.
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        Self(data_encoding::BASE64URL_NOPAD.encode(bytes).into())
    }

    /// What a client sent as a token. Anything may stand in it; an unknown one just opens nothing.
    pub fn from_client(text: &str) -> Self {
        Self(text.into())
    }

    /// The token itself, to be sent to its owner and nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The hash by which a store knows it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256Digest::of(self.expose().as_bytes()))
    }
}

impl fmt::Debug for SecretToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretToken(…)")
    }
}

/// The SHA-256 of a secret token. A token has 256 random bits, so a fast hash hides it well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(Sha256Digest);

impl TokenHash {
    /// Wraps a hash that a store kept.
    pub const fn from_digest(digest: Sha256Digest) -> Self {
        Self(digest)
    }

    /// The hash.
    pub const fn as_digest(&self) -> &Sha256Digest {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_for_7_days_or_30_days_old() {
        let day = |n: u64| Timestamp::from_millis(0).plus(Duration::from_secs(n * 24 * 3600));
        let mut session = Session {
            id: SessionId::from_uuid(uuid::Uuid::nil()),
            user: UserId::from_uuid(uuid::Uuid::nil()),
            token: SecretToken::from_random(&[7; 32]).hash(),
            client: ClientLabel::default(),
            created_at: day(0),
            last_seen_at: day(0),
        };
        assert!(session.is_live(day(6)));
        assert!(!session.is_live(day(7)));
        session.last_seen_at = day(29);
        assert!(session.is_live(day(29)));
        assert!(!session.is_live(day(30)));
    }

    #[test]
    fn a_token_does_not_show_in_debug() {
        let token = SecretToken::from_random(&[7; 32]);
        assert_eq!(token.expose().len(), 43);
        assert!(!format!("{token:?}").contains(token.expose()));
    }
}
