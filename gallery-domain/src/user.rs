//! People with an account.

use serde::{Deserialize, Serialize};

use crate::identifier::identifier;
use crate::invalid::parse_text;
use crate::{EmailAddress, InvalidValue, Revision, Sha256Digest, Timestamp};

identifier! {
    /// Names a user, and so the owner of photos and albums.
    UserId
}

impl UserId {
    /// What logs say in place of the id: 16 hexadecimal digits, for each user the same everywhere.
    pub fn for_logs(&self) -> String {
        Sha256Digest::of(format!("log\n{self}").as_bytes()).to_string()[..16].to_owned()
    }
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its identity.
    pub id: UserId,
    /// Unique among all users, also those not confirmed yet and those being erased.
    pub email: EmailAddress,
    /// What the person wants to be called.
    pub name: PersonName,
    /// How far the account has come.
    pub status: UserStatus,
    /// What the account may hold.
    pub quota: Quota,
    /// When the person signed up.
    pub created_at: Timestamp,
    /// Counts the changes.
    pub revision: Revision,
}

/// How far an account has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// Signed up; the e-mail address is not confirmed yet.
    Unconfirmed,
    /// In use.
    Active,
    /// Cancelled: nobody gets in any more while everything is being erased.
    Closing,
}

/// What a person wants to be called: 1 to 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PersonName(String);

impl PersonName {
    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let text = parse_text(text, 100, &[])?;
        if text.is_empty() {
            return Err(InvalidValue::new("is empty: say what to call you"));
        }
        Ok(Self(text))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PersonName {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<PersonName> for String {
    fn from(name: PersonName) -> Self {
        name.0
    }
}

/// The most that an account may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Bytes of originals.
    pub bytes: u64,
    /// Photos in any state, those in the trash included.
    pub photos: u64,
    /// Uploads begun and not finished.
    pub pending_uploads: u64,
}

impl Default for Quota {
    /// 100 GiB, a million photos, 1,000 uploads at a time.
    fn default() -> Self {
        Self { bytes: 100 << 30, photos: 1_000_000, pending_uploads: 1_000 }
    }
}

/// What an account holds: always what counting its photos would give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes of originals, as declared when their upload began; until the photo is removed for good.
    pub bytes: u64,
    /// Photos in any state.
    pub photos: u64,
    /// Photos in the state [`Uploading`](crate::PhotoState::Uploading).
    pub pending_uploads: u64,
}

impl Usage {
    /// Whether one more upload of `bytes` stays within `quota`.
    pub fn admits(&self, bytes: u64, quota: &Quota) -> bool {
        self.bytes.saturating_add(bytes) <= quota.bytes
            && self.photos < quota.photos
            && self.pending_uploads < quota.pending_uploads
    }
}
