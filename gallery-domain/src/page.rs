//! Pages of lists: keyset pagination.

use crate::{AlbumId, InvalidValue, PhotoId, Rank, Timestamp};

/// How many items a page may hold: 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u8);

impl PageSize {
    /// The largest page.
    pub const MAX: Self = Self(100);

    /// A page size between 1 and 100.
    pub fn new(size: u32) -> Result<Self, InvalidValue> {
        match u8::try_from(size) {
            Ok(size @ 1..=100) => Ok(Self(size)),
            _ => Err(InvalidValue::new("is not between 1 and 100")),
        }
    }

    /// The number of items.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

/// Which page is wanted: at most `size` items, all strictly after the cursor in the list's order.
///
/// A cursor is the sort key of the last item seen, the same on every store. It need not belong to an item that still exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest<C> {
    /// The most items to answer with.
    pub size: PageSize,
    /// The sort key to go on after; `None` for the first page.
    pub after: Option<C>,
}

impl<C> PageRequest<C> {
    /// The first page.
    pub const fn first(size: PageSize) -> Self {
        Self { size, after: None }
    }

    /// The page after a cursor.
    pub const fn after(size: PageSize, cursor: C) -> Self {
        Self { size, after: Some(cursor) }
    }
}

/// Some items of a list.
///
/// A page may be shorter than asked for, even empty, and still not be the last: only `next: None` ends a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` at the end of the list.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page that ends its list before it began.
    pub const fn empty() -> Self {
        Self { items: Vec::new(), next: None }
    }

    /// Makes a page out of up to `size + 1` items in order: the one too many only tells that there is a next page.
    pub fn from_overfull(mut items: Vec<T>, size: PageSize, key: impl Fn(&T) -> C) -> Self {
        let more = items.len() > size.get();
        items.truncate(size.get());
        let next = if more { items.last().map(key) } else { None };
        Self { items, next }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U, C> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// A place in a list of photos ordered by a time, newest first; photos of the same time by id, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PhotoCursor {
    /// The time the list is ordered by: the timeline instant, or when a photo was trashed or created.
    pub at: Timestamp,
    /// Tells photos of the same time apart.
    pub id: PhotoId,
}

impl PhotoCursor {
    /// The place just before every photo earlier than `time`, and after all others: where a jump to a date starts.
    pub const fn before(time: Timestamp) -> Self {
        Self { at: time, id: PhotoId::from_uuid(uuid::Uuid::nil()) }
    }

    /// Whether `other` comes after this place: is earlier, or as early with a lower id.
    pub fn precedes(&self, other: &Self) -> bool {
        (other.at, other.id) < (self.at, self.id)
    }
}

/// A place in a list of albums: newest first, those of the same time by id, highest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlbumCursor {
    /// When the album was created, or trashed in the list of trashed albums.
    pub at: Timestamp,
    /// Tells albums of the same time apart.
    pub id: AlbumId,
}

/// A place among the photos of an album, in the album's own order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RankCursor {
    /// The rank of the last photo seen.
    pub rank: Rank,
    /// Tells photos of the same rank apart.
    pub photo: PhotoId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_size_is_between_1_and_100() {
        assert!(PageSize::new(0).is_err());
        assert_eq!(PageSize::new(100), Ok(PageSize::MAX));
        assert!(PageSize::new(101).is_err());
        assert!(PageSize::new(256).is_err());
    }

    #[test]
    fn one_item_too_many_tells_of_a_next_page() {
        let size = PageSize::new(2).unwrap();
        assert_eq!(Page::from_overfull(vec![1, 2, 3], size, |n| *n), Page { items: vec![1, 2], next: Some(2) });
        assert_eq!(Page::from_overfull(vec![1, 2], size, |n| *n), Page { items: vec![1, 2], next: None });
    }
}
