//! Every format of a key, of both tables. Nothing else puts keys together or takes them apart.
//!
//! | partition | sort key | holds |
//! |---|---|---|
//! | `U#user` | `PROFILE` | the user |
//! | | `USAGE` | what the user's photos come to, in counters |
//! | | `CREDENTIAL` | the password's hash |
//! | | `CODE#purpose#address` | that there is a code about this user |
//! | | `SESSION#id` | by which token a session of the user is found |
//! | `USERS` | user | that there is such a user |
//! | `EMAIL#address` | `EMAIL` | whose the address is |
//! | `CODE#purpose#address` | `CODE` | a one-time code |
//! | `T#token's hash` | `SESSION` | a session |
//! | `SESSION#id` | `SESSION` | that the session's id is taken |
//! | `I#owner` | SHA-256 of a key | for what an idempotency key was claimed |
//! | `THROTTLE#key` | `THROTTLE` | counted attempts |
//! | `W#task's key` | `WORK` | work |
//!
//! Whatever has to be done or forgotten at a time stands in the index `ByDue` too: in one of [`DUE_LISTS`] lists of its kind, ordered by that time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::{
    CodePurpose, EmailAddress, PhotoId, SessionId, Sha256Digest, Task, ThrottleKey, TokenHash, UserId,
};

/// The attributes of an item, a key's among them.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The partition key of the index table.
pub(super) const PK: &str = "PK";
/// The sort key of the index table.
pub(super) const SK: &str = "SK";
/// The partition key of the photos' table.
pub(super) const PHOTO_ID: &str = "PhotoID";
/// The sort key of the photos' table.
pub(super) const CREATION_TIME: &str = "CreationTime";

/// The index of what has to be done or forgotten at a time.
pub(super) const BY_DUE: &str = "ByDue";
/// In which list of that index an item stands.
pub(super) const DUE_LIST: &str = "DueList";
/// When it has to be done or forgotten, in milliseconds.
pub(super) const DUE_AT: &str = "DueAt";
/// When DynamoDB itself may forget an item, in seconds.
pub(super) const TTL: &str = "TTL";

/// Over how many lists the things of a kind are spread: a list takes some 1,000 writes a second, and reading what is due asks each.
pub(super) const DUE_LISTS: u8 = 4;

/// One of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    /// `PhotoGallery`: photos.
    Photos,
    /// `PhotoGalleryIndex`: everything else.
    Index,
}

impl Table {
    /// The names of its partition key and its sort key.
    pub(super) const fn key_names(self) -> [&'static str; 2] {
        match self {
            Self::Photos => [PHOTO_ID, CREATION_TIME],
            Self::Index => [PK, SK],
        }
    }
}

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) table: Table,
    partition: String,
    /// Text, or the digits of a number in the photos' table.
    sort: String,
}

impl Key {
    /// A key of the index table.
    pub(super) fn index(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { table: Table::Index, partition: partition.into(), sort: sort.into() }
    }

    /// The attributes that are the key.
    pub(super) fn attributes(&self) -> Item {
        let [partition, sort] = self.table.key_names();
        let sort_value = match self.table {
            Table::Photos => AttributeValue::N(self.sort.clone()),
            Table::Index => AttributeValue::S(self.sort.clone()),
        };
        HashMap::from([
            (partition.to_owned(), AttributeValue::S(self.partition.clone())),
            (sort.to_owned(), sort_value),
        ])
    }

    /// The key of an item that was read from a table; `None` if it lacks one.
    pub(super) fn of(table: Table, item: &Item) -> Option<Self> {
        let [partition, sort] = table.key_names();
        let partition = item.get(partition)?.as_s().ok()?.clone();
        let sort = match item.get(sort)? {
            AttributeValue::S(sort) | AttributeValue::N(sort) => sort.clone(),
            _ => return None,
        };
        Some(Self { table, partition, sort })
    }

    /// The partition.
    pub(super) fn partition(&self) -> &str {
        &self.partition
    }

    /// The key within the partition.
    pub(super) fn sort(&self) -> &str {
        &self.sort
    }
}

/// A photo. Its creation time is the one inside its id, so that the id alone says where it is.
pub(super) fn photo(id: PhotoId) -> Key {
    let millis = id.as_uuid().as_u128() >> 80;
    Key { table: Table::Photos, partition: id.to_string(), sort: millis.to_string() }
}

/// The partition of the small things of a user.
pub(super) fn of_user(user: UserId) -> String {
    format!("U#{user}")
}

pub(super) fn profile(user: UserId) -> Key {
    Key::index(of_user(user), "PROFILE")
}

pub(super) fn usage(user: UserId) -> Key {
    Key::index(of_user(user), "USAGE")
}

/// The partition that lists all users. It is written when one comes or goes, and at no other time.
pub(super) const USERS: &str = "USERS";

pub(super) fn user_entry(user: UserId) -> Key {
    Key::index(USERS, user.to_string())
}

pub(super) fn email_lock(address: &EmailAddress) -> Key {
    Key::index(format!("EMAIL#{address}"), "EMAIL")
}

pub(super) fn credential(user: UserId) -> Key {
    Key::index(of_user(user), "CREDENTIAL")
}

pub(super) fn code(purpose: CodePurpose, address: &EmailAddress) -> Key {
    Key::index(format!("CODE#{}#{address}", purpose.as_str()), "CODE")
}

/// How the sort keys of [`code_of_user`] begin.
pub(super) const CODES_OF_USER: &str = "CODE#";

pub(super) fn code_of_user(user: UserId, purpose: CodePurpose, address: &EmailAddress) -> Key {
    // Its sort key is the partition of the code.
    Key::index(of_user(user), code(purpose, address).partition)
}

/// The code that an entry of a user is about.
pub(super) fn code_of_entry(entry: &Key) -> Key {
    Key::index(entry.sort(), "CODE")
}

pub(super) fn session(token: &TokenHash) -> Key {
    Key::index(format!("T#{}", token.as_digest()), "SESSION")
}

/// How the sort keys of [`session_of_user`] begin.
pub(super) const SESSIONS_OF_USER: &str = "SESSION#";

pub(super) fn session_of_user(user: UserId, id: SessionId) -> Key {
    Key::index(of_user(user), format!("{SESSIONS_OF_USER}{id}"))
}

pub(super) fn session_lock(id: SessionId) -> Key {
    Key::index(format!("SESSION#{id}"), "SESSION")
}

/// The partition of an owner's idempotency keys.
pub(super) fn claims_of(owner: UserId) -> String {
    format!("I#{owner}")
}

/// The client's key may be any text of any length, and is kept as its hash.
pub(super) fn claim(owner: UserId, key: &str) -> Key {
    Key::index(claims_of(owner), Sha256Digest::of(key.as_bytes()).to_string())
}

pub(super) fn throttle(key: &ThrottleKey) -> Key {
    Key::index(format!("THROTTLE#{}", key.as_str()), "THROTTLE")
}

pub(super) fn work(task: &Task) -> Key {
    Key::index(format!("W#{}", task.key()), "WORK")
}

/// What is listed by the time at which it has to be done or forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Work to be done.
    Work,
    /// Sessions to be forgotten.
    Session,
    /// Claimed idempotency keys to be forgotten.
    Claim,
    /// Counted attempts to be forgotten.
    Throttle,
}

impl Due {
    /// The list in which an item stands.
    pub(super) fn list_of(self, key: &Key) -> String {
        let [first, ..] = Sha256Digest::of(key.partition().as_bytes()).as_bytes().to_owned();
        self.list(first % DUE_LISTS)
    }

    /// All lists of this kind.
    pub(super) fn lists(self) -> impl Iterator<Item = String> {
        (0..DUE_LISTS).map(move |number| self.list(number))
    }

    fn list(self, number: u8) -> String {
        let kind = match self {
            Self::Work => "WORK",
            Self::Session => "SESSION",
            Self::Claim => "CLAIM",
            Self::Throttle => "THROTTLE",
        };
        format!("{kind}#{number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_id_of_a_photo_says_where_it_is() {
        let id = PhotoId::from_uuid(Uuid::from_u128(0x018f_d3a2_5c00_7abc_8def_0123_4567_89ab));
        let item = photo(id).attributes();
        assert_eq!(item[PHOTO_ID], AttributeValue::S("018fd3a2-5c00-7abc-8def-0123456789ab".to_owned()));
        assert_eq!(item[CREATION_TIME], AttributeValue::N("1717243632640".to_owned()));
        assert_eq!(Key::of(Table::Photos, &item), Some(photo(id)));
    }

    #[test]
    fn the_entry_of_a_code_leads_to_the_code() {
        let user = UserId::from_uuid(Uuid::from_u128(7));
        let address = "ada#1@example.org".parse().unwrap();
        let entry = code_of_user(user, CodePurpose::ConfirmEmail, &address);
        assert!(entry.sort().starts_with(CODES_OF_USER));
        assert_eq!(code_of_entry(&entry), code(CodePurpose::ConfirmEmail, &address));
    }

    #[test]
    fn each_thing_stands_in_one_of_the_lists_of_its_kind() {
        let lists: Vec<String> = Due::Work.lists().collect();
        let used: std::collections::BTreeSet<String> =
            (0..100).map(|n| Due::Work.list_of(&Key::index(format!("W#{n}"), "WORK"))).collect();
        assert_eq!(used.into_iter().collect::<Vec<_>>(), lists);
    }
}
