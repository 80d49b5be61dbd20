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
//! | `L#owner#ALL` | photo | that the owner has such a photo |
//! | `L#owner#TIMELINE` | place in time | a copy of a visible photo |
//! | `L#owner#FAVOURITES`, `…#TRASH`, `…#UNFINISHED` | place in time | that a photo stands in this list |
//! | `H#owner` | SHA-256 | which photo holds this content |
//! | `S#owner` | term, a gap, place in time | a posting: that a visible photo has this term; with all of its terms, if they are not many |
//! | `M#owner` | month | how many visible photos stand in it |
//! | `G#owner` | key of a tag | how many visible photos have it, and one of them |
//! | `U#user` | `ALBUM#id` | an album, with its counts |
//! | `ALBUM#id` | `ALBUM` | that the album's id is taken |
//! | `L#owner#ALBUMS`, `…#ALBUMTRASH` | place in time | that an album stands in this list |
//! | `N#owner#SHA-256 of a title's key` | place in time | that an album outside the trash has this title |
//! | `P#owner` | photo, album | a photo's membership of an album: its rank, and when it is seen there |
//! | `A#owner#album#RANK` | rank, photo | a photo's place in an album |
//! | `A#owner#album#TIME` | place in time | that a visible photo stands in an album |
//!
//! Whatever has to be done or forgotten at a time stands in the index `ByDue` too: in one of [`DUE_LISTS`] lists of its kind, ordered by that time.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::{
    AlbumId, CodePurpose, EmailAddress, Month, PhotoId, Rank, SessionId, Sha256Digest, Task, ThrottleKey, Timestamp,
    TokenHash, UserId,
};
use uuid::Uuid;

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

/// The separator within a sort key between a term, which holds no control character, and a place. It comes before every other character of a term.
pub(super) const GAP: char = '\u{1F}';

/// The lists that an owner's photos stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum List {
    /// Every photo, by id.
    All,
    /// The visible photos, by their instants.
    Timeline,
    /// The visible favourites, by their instants.
    Favourites,
    /// Those in the trash, by when they came there.
    Trash,
    /// Those not finished, by when they were announced.
    Unfinished,
}

impl List {
    /// All lists.
    pub(super) const EVERY: [Self; 5] = [Self::All, Self::Timeline, Self::Favourites, Self::Trash, Self::Unfinished];

    /// The partition that is this list.
    pub(super) fn of(self, owner: UserId) -> String {
        format!("L#{owner}#{}", self.name())
    }

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::Timeline => "TIMELINE",
            Self::Favourites => "FAVOURITES",
            Self::Trash => "TRASH",
            Self::Unfinished => "UNFINISHED",
        }
    }
}

/// A place in a list by time: 15 digits of milliseconds since the year 1, and an id. Read backward, the latest comes first, and of one time the highest
/// id.
pub(super) fn place(at: Timestamp, id: Uuid) -> String {
    format!("{}#{id}", place_of_time(at))
}

/// What every [`place`] of a time begins with; it comes before all of them, and after those of earlier times.
pub(super) fn place_of_time(at: Timestamp) -> String {
    format!("{:015}", at.as_millis() - Timestamp::MIN.as_millis())
}

/// The last text that comes before a [`place`].
pub(super) fn before_place(at: Timestamp, id: Uuid) -> String {
    match id.as_u128().checked_sub(1) {
        Some(before) => place(at, Uuid::from_u128(before)),
        None => place_of_time(at),
    }
}

/// The time and the id of a [`place`].
pub(super) fn read_place(place: &str) -> Option<(Timestamp, Uuid)> {
    let (millis, id) = place.split_once('#')?;
    let millis: i64 = millis.parse().ok()?;
    Some((Timestamp::from_millis(millis + Timestamp::MIN.as_millis()), id.parse().ok()?))
}

pub(super) fn entry_in_all(owner: UserId, id: PhotoId) -> Key {
    Key::index(List::All.of(owner), id.to_string())
}

pub(super) fn entry(owner: UserId, list: List, at: Timestamp, id: PhotoId) -> Key {
    Key::index(list.of(owner), place(at, id.as_uuid()))
}

/// The partition of an owner's locks on contents.
pub(super) fn contents_of(owner: UserId) -> String {
    format!("H#{owner}")
}

pub(super) fn content(owner: UserId, sha256: &Sha256Digest) -> Key {
    Key::index(contents_of(owner), sha256.to_string())
}

/// The partition of an owner's postings.
pub(super) fn postings_of(owner: UserId) -> String {
    format!("S#{owner}")
}

/// The sort key of a posting.
pub(super) fn posting(term: &str, at: Timestamp, id: PhotoId) -> String {
    format!("{term}{GAP}{}", place(at, id.as_uuid()))
}

/// The term of a posting's sort key, and the place.
pub(super) fn read_posting(posting: &str) -> Option<(&str, Timestamp, PhotoId)> {
    let (term, place) = posting.split_once(GAP)?;
    let (at, id) = read_place(place)?;
    Some((term, at, PhotoId::from_uuid(id)))
}

/// The partition of an owner's months.
pub(super) fn months_of(owner: UserId) -> String {
    format!("M#{owner}")
}

pub(super) fn month(owner: UserId, month: Month) -> Key {
    Key::index(months_of(owner), month.to_string())
}

/// The partition of an owner's tags.
pub(super) fn tags_of(owner: UserId) -> String {
    format!("G#{owner}")
}

pub(super) fn tag(owner: UserId, tag_key: &str) -> Key {
    Key::index(tags_of(owner), tag_key)
}

/// How the sort keys of [`album`] begin.
pub(super) const ALBUMS_OF_USER: &str = "ALBUM#";

pub(super) fn album(owner: UserId, id: AlbumId) -> Key {
    Key::index(of_user(owner), format!("{ALBUMS_OF_USER}{id}"))
}

pub(super) fn album_lock(id: AlbumId) -> Key {
    Key::index(format!("ALBUM#{id}"), "ALBUM")
}

/// The partition of the albums outside the trash, by when they were created.
pub(super) fn albums_of(owner: UserId) -> String {
    format!("L#{owner}#ALBUMS")
}

/// The partition of the albums in the trash, by when they came there.
pub(super) fn trashed_albums_of(owner: UserId) -> String {
    format!("L#{owner}#ALBUMTRASH")
}

/// The partition of the albums of a title outside the trash, by when they were created. A title's key may be longer than a key of DynamoDB.
pub(super) fn albums_titled(owner: UserId, title_key: &str) -> String {
    format!("N#{owner}#{}", Sha256Digest::of(title_key.as_bytes()))
}

/// The partition of an owner's photos' places in albums, by photo.
pub(super) fn memberships_of(owner: UserId) -> String {
    format!("P#{owner}")
}

/// How the sort keys of the [`membership`]s of a photo begin.
pub(super) fn memberships_of_photo(photo: PhotoId) -> String {
    format!("{photo}#")
}

pub(super) fn membership(owner: UserId, photo: PhotoId, album: AlbumId) -> Key {
    Key::index(memberships_of(owner), format!("{}{album}", memberships_of_photo(photo)))
}

/// The photo and the album of a [`membership`]'s sort key.
pub(super) fn read_membership(sort: &str) -> Option<(PhotoId, AlbumId)> {
    let (photo, album) = sort.split_once('#')?;
    Some((photo.parse().ok()?, album.parse().ok()?))
}

/// The partition of an album's places, by rank.
pub(super) fn ranks_of(owner: UserId, album: AlbumId) -> String {
    format!("A#{owner}#{album}#RANK")
}

pub(super) fn rank(owner: UserId, album: AlbumId, rank: &Rank, photo: PhotoId) -> Key {
    Key::index(ranks_of(owner, album), place_by_rank(rank, photo))
}

/// The partition of an album's visible photos, by their instants.
pub(super) fn times_of(owner: UserId, album: AlbumId) -> String {
    format!("A#{owner}#{album}#TIME")
}

pub(super) fn time(owner: UserId, album: AlbumId, at: Timestamp, photo: PhotoId) -> Key {
    Key::index(times_of(owner, album), place(at, photo.as_uuid()))
}

/// The sort key of a place by rank: the rank's digits and the photo, which come in the order of [`RankCursor`](gallery_domain::RankCursor). Of a rank of
/// more than [`PLAIN_DIGITS`], which nobody makes but may write, the rest is packed, as a sort key has 1,024 bytes at most.
pub(super) fn place_by_rank(rank: &Rank, photo: PhotoId) -> String {
    let digits = rank.as_str();
    match digits.split_at_checked(PLAIN_DIGITS) {
        Some((plain, rest)) if !rest.is_empty() => format!("{plain}~{}#{photo}", packed(rest)),
        _ => format!("{digits}#{photo}"),
    }
}

/// How many digits of a rank stand in a key as they are.
const PLAIN_DIGITS: usize = 640;

/// How many digits there are beyond, at most.
const PACKED_DIGITS: usize = 1024 - PLAIN_DIGITS;

/// Digits in six sevenths of their length, in the same order: each seven of them, with what comes before every digit where there are no more, are a
/// number that is written as six characters between 1 and 127. All are of one length, so that what follows does not matter.
fn packed(digits: &str) -> String {
    let value = |digit: Option<u8>| match digit {
        None => 0,
        Some(digit @ b'0'..=b'9') => u64::from(digit - b'0') + 1,
        Some(digit @ b'A'..=b'Z') => u64::from(digit - b'A') + 11,
        Some(digit) => u64::from(digit - b'a') + 37,
    };
    let digits = digits.as_bytes();
    let mut packed = String::with_capacity(PACKED_DIGITS / 7 * 6 + 6);
    for start in (0..PACKED_DIGITS).step_by(7) {
        let number = (start..start + 7).fold(0, |number, at| number * 63 + value(digits.get(at).copied()));
        for power in (0..6).rev() {
            let character = u8::try_from(number / 127_u64.pow(power) % 127).unwrap_or(0) + 1;
            packed.push(char::from(character));
        }
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_photo_says_where_it_is() {
        let id = PhotoId::from_uuid(Uuid::from_u128(0x018f_d3a2_5c00_7abc_8def_0123_4567_89ab));
        let item = photo(id).attributes();
        assert_eq!(item[PHOTO_ID], AttributeValue::S("018fd3a2-5c00-7abc-8def-0123456789ab".to_owned()));
        assert_eq!(item[CREATION_TIME], AttributeValue::N("1717242584064".to_owned()));
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

    #[test]
    fn places_come_in_the_order_of_times_and_ids() {
        let id = |n| Uuid::from_u128(n);
        let times = [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::from_millis(0), Timestamp::MAX];
        let places: Vec<String> =
            times.iter().flat_map(|at| [id(0), id(1), id(2), Uuid::max()].map(|id| place(*at, id))).collect();
        assert!(places.is_sorted(), "{places:?}");
        for (at, id) in [(Timestamp::MIN, id(0)), (Timestamp::from_millis(7), id(5)), (Timestamp::MAX, Uuid::max())] {
            assert_eq!(read_place(&place(at, id)), Some((at, id)));
            assert!(before_place(at, id) < place(at, id));
        }
        assert!(before_place(Timestamp::from_millis(7), id(0)) > place(Timestamp::from_millis(6), Uuid::max()));
        assert_eq!(before_place(Timestamp::MIN, id(2)), place(Timestamp::MIN, id(1)));
    }

    #[test]
    fn places_by_rank_come_in_the_order_of_ranks_and_fit_a_key() {
        let base = "V".repeat(PLAIN_DIGITS - 1);
        let mut ranks: Vec<Rank> = ["1", "10", "101", "11", "A", "Z", "a", "az", "z"]
            .iter()
            .flat_map(|end| {
                [String::new(), base.clone(), format!("{base}V"), format!("{base}VVVVVVVV"), "z".repeat(1000)]
                    .map(|start| format!("{start}{end}"))
            })
            .map(|text| Rank::try_from(text).unwrap())
            .collect();
        ranks.push(Rank::try_from("z".repeat(1024)).unwrap());
        ranks.push(Rank::try_from(format!("{}1", "0".repeat(1023))).unwrap());
        ranks.sort();
        let photo = PhotoId::from_uuid(Uuid::max());
        let keys: Vec<String> = ranks.iter().map(|rank| place_by_rank(rank, photo)).collect();
        assert!(keys.is_sorted_by(|a, b| a < b));
        assert!(keys.iter().all(|key| key.len() <= 1024));
    }
}
