//! The places of photos in albums: what is written when a photo comes into an album, moves in it, is seen in it or not any more, or goes.
//!
//! A place is a membership (by photo: `Rank`, and `Shown`, the instant at which it is seen, if it is), an entry by rank (which says by `Shown` whether it is
//! seen), and while it is seen an entry by time. The album's item counts its `Places`, and the `Photos` that are seen. Whatever changes them writes all of
//! that together, on the condition that the membership is as it was read: so that it can be repeated, each place counts once, and many albums can follow
//! a photo in several transactions, in any order.

use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::ports::RepositoryError;
use gallery_domain::{AlbumId, Membership, PhotoId, Rank, Timestamp, UserId};

use super::DynamoDbStore;
use super::change::Write;
use super::reading::Query;
use super::rows::{self, number, text, time_value};
use super::table_keys::{self, Item, SK};

/// A photo's place in an album, as its membership has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) photo: PhotoId,
    pub(super) album: AlbumId,
    pub(super) rank: Rank,
    /// When it is seen in the album; none if it is not.
    pub(super) shown: Option<Timestamp>,
}

impl Place {
    /// Reads a membership.
    pub(super) fn of(item: &Item) -> Result<Self, RepositoryError> {
        rows::reading("membership", item, SK, || {
            let key = rows::text_of(item, SK)?;
            let (photo, album) = table_keys::read_membership(key).ok_or("its key is none of a membership")?;
            Ok(Self {
                photo,
                album,
                rank: Rank::try_from(rows::text_of(item, "Rank")?.to_owned())?,
                shown: rows::optional_number(item, "Shown")?.map(Timestamp::from_millis),
            })
        })
    }

    /// What the album's owner sees of it.
    pub(super) fn membership(&self) -> Membership {
        Membership { photo: self.photo, rank: self.rank.clone() }
    }

    /// Only if the membership is still this one.
    fn guarding(&self, write: Write) -> Write {
        let write = write.only_if("#Rank = :rank_read").value(":rank_read", text(self.rank.as_str()));
        match self.shown {
            Some(at) => write.only_if("#Shown = :shown_read").value(":shown_read", time_value(at)),
            None => write.only_if("attribute_not_exists(#Shown)"),
        }
    }
}

/// Reads an entry by rank: the place, and whether it is seen.
pub(super) fn ranked(item: &Item) -> Result<(Membership, bool), RepositoryError> {
    rows::reading("place", item, SK, || {
        let photo = PhotoId::from_uuid(rows::uuid_of(item, "PhotoID")?);
        let rank = Rank::try_from(rows::text_of(item, "Rank")?.to_owned())?;
        Ok((Membership { photo, rank }, item.contains_key("Shown")))
    })
}

/// Puts a photo into an album. The album's count is not among these.
pub(super) fn entering(owner: UserId, place: &Place) -> Vec<Write> {
    let mut held = vec![("Rank", text(place.rank.as_str()))];
    held.extend(place.shown.map(|at| ("Shown", time_value(at))));
    let membership = Write::put(table_keys::membership(owner, place.photo, place.album), held).only_if_absent();
    let mut writes = vec![membership, entry_by_rank(owner, place)];
    writes.extend(place.shown.map(|at| Write::put(table_keys::time(owner, place.album, at, place.photo), [])));
    writes
}

/// Moves a photo within an album.
pub(super) fn moving(owner: UserId, place: &Place, to: &Rank) -> Vec<Write> {
    let moved = Place { rank: to.clone(), ..place.clone() };
    let membership = Write::update(table_keys::membership(owner, place.photo, place.album))
        .set("#Rank = :rank")
        .value(":rank", text(to.as_str()));
    vec![
        place.guarding(membership),
        Write::delete(table_keys::rank(owner, place.album, &place.rank, place.photo)),
        entry_by_rank(owner, &moved),
    ]
}

/// Takes a photo out of an album. The album's count is not among these.
pub(super) fn leaving(owner: UserId, place: &Place) -> Vec<Write> {
    let membership = Write::delete(table_keys::membership(owner, place.photo, place.album));
    let mut writes =
        vec![place.guarding(membership), Write::delete(table_keys::rank(owner, place.album, &place.rank, place.photo))];
    writes.extend(place.shown.map(|at| Write::delete(table_keys::time(owner, place.album, at, place.photo))));
    writes
}

/// Takes one photo out of an album, the count included.
pub(super) fn leaving_alone(owner: UserId, place: &Place) -> Vec<Write> {
    let mut writes = leaving(owner, place);
    writes.push(counting(owner, place.album, -1, if place.shown.is_some() { -1 } else { 0 }));
    writes
}

/// Has a photo be seen in an album, at this instant, or not any more; nothing if that is so. The count is among these.
pub(super) fn showing(owner: UserId, place: &Place, shown: Option<Timestamp>) -> Vec<Write> {
    if place.shown == shown {
        return Vec::new();
    }
    let membership = Write::update(table_keys::membership(owner, place.photo, place.album));
    let membership = match shown {
        Some(at) => membership.set("#Shown = :shown").value(":shown", time_value(at)),
        None => membership.unset("#Shown"),
    };
    let mut writes = vec![place.guarding(membership)];
    writes.extend(place.shown.map(|at| Write::delete(table_keys::time(owner, place.album, at, place.photo))));
    writes.extend(shown.map(|at| Write::put(table_keys::time(owner, place.album, at, place.photo), [])));
    let more = i64::from(shown.is_some()) - i64::from(place.shown.is_some());
    if more != 0 {
        writes.push(entry_by_rank(owner, &Place { shown, ..place.clone() }));
        writes.push(counting(owner, place.album, 0, more));
    }
    writes
}

/// Writes a place anew, with the photo seen at this instant or not. The count is not among these.
pub(super) fn mending(owner: UserId, place: &Place, shown: Option<Timestamp>) -> Vec<Write> {
    let membership = Write::update(table_keys::membership(owner, place.photo, place.album));
    let membership = match shown {
        Some(at) => membership.set("#Shown = :shown").value(":shown", time_value(at)),
        None => membership.unset("#Shown"),
    };
    let mut writes = vec![place.guarding(membership), entry_by_rank(owner, &Place { shown, ..place.clone() })];
    writes.extend(shown.map(|at| Write::put(table_keys::time(owner, place.album, at, place.photo), [])));
    writes
}

/// Counts places and photos that are seen in an album, if it is there.
pub(super) fn counting(owner: UserId, album: AlbumId, places: i64, photos: i64) -> Write {
    Write::update(table_keys::album(owner, album))
        .add("#Places :places, #Photos :photos")
        .value(":places", number(places))
        .value(":photos", number(photos))
        .only_if_present()
}

/// The entry by rank of a place.
pub(super) fn entry_by_rank(owner: UserId, place: &Place) -> Write {
    let mut held = vec![("PhotoID", rows::uuid_value(place.photo.as_uuid())), ("Rank", text(place.rank.as_str()))];
    held.extend(place.shown.map(|_| ("Shown", AttributeValue::Bool(true))));
    Write::put(table_keys::rank(owner, place.album, &place.rank, place.photo), held)
}

impl DynamoDbStore {
    /// All places of a photo.
    pub(super) async fn places_of(
        &self,
        operation: &'static str,
        owner: UserId,
        photo: PhotoId,
    ) -> Result<Vec<Place>, RepositoryError> {
        let query = Query::beginning(table_keys::memberships_of(owner), table_keys::memberships_of_photo(photo));
        self.query_all(operation, query).await?.iter().map(Place::of).collect()
    }
}
