//! Cursors as clients see them: opaque, and good only for the list and the person they were made for.

use data_encoding::BASE64URL_NOPAD;
use gallery_domain::{
    AlbumCursor, AlbumId, InvalidValue, PhotoCursor, PhotoId, Rank, RankCursor, Sha256Digest, Timestamp, UserId,
};

/// A list that is read page by page: whose it is, which, and with what parameters.
#[derive(Clone, Debug)]
pub(crate) struct List {
    binding: [u8; BINDING],
}

/// A place in a list, as bytes.
pub(crate) trait Place: Sized {
    /// Writes the place down.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// Bytes of the hash that binds a cursor to its list. It is no signature: a cursor opens nothing that its reader may not see anyway,
/// and the binding is there to tell a mix-up from a page.
const BINDING: usize = 8;
const TIME_AND_ID: usize = 8 + 16;

impl List {
    /// The list of a user; the name holds the parameters that change what is listed.
    pub(crate) fn new(user: UserId, name: &str) -> Self {
        let hash = Sha256Digest::of(format!("cursor 1\n{user}\n{name}").as_bytes());
        let mut binding = [0; BINDING];
        binding.copy_from_slice(&hash.as_bytes()[..BINDING]);
        Self { binding }
    }

    /// The cursor of a place.
    pub(crate) fn cursor(&self, place: &impl Place) -> String {
        let mut bytes = self.binding.to_vec();
        bytes.extend(place.to_bytes());
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The place of a cursor that was made by [`cursor`](Self::cursor) for this list.
    pub(crate) fn place<P: Place>(&self, cursor: &str) -> Result<P, InvalidValue> {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
        let place = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&self.binding)).and_then(P::from_bytes);
        place.ok_or_else(|| {
            InvalidValue::new(
                "is not a cursor of this list: send what the page before gave as next, with the same parameters",
            )
        })
    }
}

impl Place for PhotoCursor {
    fn to_bytes(&self) -> Vec<u8> {
        time_and_id(self.at, self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, id) = split_time_and_id(bytes)?;
        Some(Self { at, id: PhotoId::from_uuid(id) })
    }
}

impl Place for AlbumCursor {
    fn to_bytes(&self) -> Vec<u8> {
        time_and_id(self.at, self.id.as_uuid())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, id) = split_time_and_id(bytes)?;
        Some(Self { at, id: AlbumId::from_uuid(id) })
    }
}

impl Place for RankCursor {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.photo.as_uuid().as_bytes().to_vec();
        bytes.extend(self.rank.as_str().as_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (id, rank) = bytes.split_at_checked(16)?;
        let rank = Rank::try_from(String::from_utf8(rank.to_vec()).ok()?).ok()?;
        Some(Self { rank, photo: PhotoId::from_uuid(uuid::Uuid::from_slice(id).ok()?) })
    }
}

fn time_and_id(at: Timestamp, id: uuid::Uuid) -> Vec<u8> {
    let mut bytes = at.as_millis().to_be_bytes().to_vec();
    bytes.extend(id.as_bytes());
    bytes
}

fn split_time_and_id(bytes: &[u8]) -> Option<(Timestamp, uuid::Uuid)> {
    let bytes: &[u8; TIME_AND_ID] = bytes.try_into().ok()?;
    let (at, id) = bytes.split_first_chunk::<8>()?;
    Some((Timestamp::from_millis(i64::from_be_bytes(*at)), uuid::Uuid::from_slice(id).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn a_cursor_comes_back_as_its_place() {
        let photo = PhotoId::from_uuid(uuid::Uuid::from_u128(9));
        let list = List::new(user(1), "photos");
        let place = PhotoCursor { at: Timestamp::from_millis(-5), id: photo };
        assert_eq!(list.place(&list.cursor(&place)), Ok(place));
        let place = RankCursor { rank: Rank::between(None, None).unwrap(), photo };
        assert_eq!(list.place(&list.cursor(&place)), Ok(place));
    }

    #[test]
    fn a_cursor_is_good_for_its_own_list_and_person_only() {
        let place = PhotoCursor::before(Timestamp::from_millis(0));
        let cursor = List::new(user(1), "photos").cursor(&place);
        assert!(List::new(user(2), "photos").place::<PhotoCursor>(&cursor).is_err());
        assert!(List::new(user(1), "trash").place::<PhotoCursor>(&cursor).is_err());
        for text in ["", "A", "not base64!", "é", &cursor[..8], &format!("{cursor}AAAA")] {
            assert!(List::new(user(1), "photos").place::<PhotoCursor>(text).is_err(), "{text}");
        }
    }
}
