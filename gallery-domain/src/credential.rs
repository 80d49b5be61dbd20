//! Passwords and one-time codes of the built-in identity.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{EmailAddress, InvalidValue, Sha256Digest, Timestamp, UserId};

/// A password as a person typed it, normalised (NFKC). Not checked against any rule: that is up to who keeps it.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// The most bytes that are looked at; no rule of any identity provider admits as much.
    const MAX_BYTES: usize = 4096;

    /// Takes a password of any shape, but not one so long that handling it would be work.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidValue::new("is longer than 99 characters"));
        }
        Ok(Self(text.nfkc().collect::<String>().into()))
    }

    /// The password itself, to be hashed or checked and nothing else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A password's hash as a PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Wraps a PHC string.
    pub const fn from_phc(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string.
    pub fn as_phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// With what a user proves who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The user.
    pub user: UserId,
    /// The hash of the password.
    pub password: PasswordHash,
    /// When the password was set.
    pub changed_at: Timestamp,
}

/// What a one-time code is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodePurpose {
    /// Proves that the person who signed up reads the e-mail of that address.
    ConfirmEmail,
    /// Allows to set a new password.
    ResetPassword,
}

impl CodePurpose {
    /// The purpose's name, as stores keep it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfirmEmail => "confirm-email",
            Self::ResetPassword => "reset-password",
        }
    }
}

/// A code or token that was mailed and works once. There is at most one of each purpose for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeCode {
    /// What it is good for.
    pub purpose: CodePurpose,
    /// To whom it was mailed.
    pub address: EmailAddress,
    /// The user it is about.
    pub user: UserId,
    /// The hash of what was mailed, bound to purpose and address.
    pub hash: Sha256Digest,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// How many wrong tries it stands before it stops working.
    pub tries_left: u32,
    /// The hash of the password that becomes the user's when the code is accepted, and counts for nothing until then.
    pub password: Option<PasswordHash>,
}

/// What came of trying a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeTry {
    /// It was right. It is used up: nobody else gets this answer.
    Accepted(UserId),
    /// It was wrong, expired or used up, or there is none. Which of these is nobody's business.
    Refused,
}
