//! The places of photos in an album.

use std::collections::BTreeSet;

use futures_util::future::try_join;

use super::{CHANGE_ATTEMPTS, Context, Place};
use crate::ports::AlbumRepository;
use crate::{
    AlbumEntry, AlbumId, GalleryError, InvalidValue, Membership, Page, PageRequest, PageSize, PhotoId, Rank,
    RankCursor, UserId,
};

/// The order of one album.
///
/// Whoever writes places looks again afterwards whether those on either side still are where they were: they may have been
/// moved in the same moment. So of two who move neighbours at the same time at least one sees the other, and mends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlbumOrder<'a> {
    albums: &'a dyn AlbumRepository,
    owner: UserId,
    album: AlbumId,
}

/// The places on either side of where photos go; none at the start, at the end.
#[derive(Clone, Debug)]
struct Gap {
    before: Option<Membership>,
    next: Option<Membership>,
}

/// How many places are renewed at a time: a page has room for those beside them and for some that come among them meanwhile.
const STEP: usize = 90;

impl<'a> AlbumOrder<'a> {
    pub(super) fn of(context: &'a Context, owner: UserId, album: AlbumId) -> Self {
        Self { albums: &*context.repositories.albums, owner, album }
    }

    /// Puts photos, at most 100, into the album in the order given; how many were not there before. `entry` is the album as it was just now.
    pub(super) async fn put(&self, entry: &AlbumEntry, photos: &[PhotoId], place: Place) -> Result<u64, GalleryError> {
        let mut seen = match place {
            Place::End => self.standing(entry, photos).await?,
            Place::Before(_) | Place::Start => BTreeSet::new(),
        };
        let photos: Vec<PhotoId> = photos.iter().copied().filter(|photo| seen.insert(*photo)).collect();
        if photos.is_empty() {
            return Ok(0);
        }
        let mut added = 0;
        for _ in 0..CHANGE_ATTEMPTS {
            let gap = self.gap(place).await?;
            let Some(ranks) = gap.divide(photos.len()) else {
                self.widen(&gap).await?;
                continue;
            };
            added += self.albums.add_photos(self.owner, self.album, &places(&photos, ranks)).await?;
            if self.is_still(&gap, &photos).await? {
                return Ok(added);
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    /// Those of some photos that stand in the album.
    async fn standing(&self, entry: &AlbumEntry, photos: &[PhotoId]) -> Result<BTreeSet<PhotoId>, GalleryError> {
        let mut standing = BTreeSet::new();
        // Whichever takes fewer reads: an album of many pages is not read for a few photos.
        if entry.photo_count / PageSize::MAX.get() as u64 >= photos.len() as u64 {
            for photo in photos {
                standing.extend(self.albums.member(self.owner, self.album, *photo).await?.map(|member| member.photo));
            }
            return Ok(standing);
        }
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let members = self.members(page).await?;
            standing.extend(members.items.iter().map(|member| member.photo).filter(|photo| photos.contains(photo)));
            match members.next {
                Some(next) if standing.len() < photos.len() => page = PageRequest::after(PageSize::MAX, next),
                _ => return Ok(standing),
            }
        }
    }

    async fn gap(&self, place: Place) -> Result<Gap, GalleryError> {
        Ok(match place {
            Place::End => Gap { before: self.albums.last_member(self.owner, self.album).await?, next: None },
            Place::Start => {
                let first = PageRequest::first(PageSize::new(1).expect("1 is a page size"));
                Gap { before: None, next: self.members(first).await?.items.into_iter().next() }
            }
            Place::Before(photo) => {
                let next = self.albums.member(self.owner, self.album, photo).await?;
                let absent = || InvalidValue::new("is not a photo of this album").in_field("/before");
                let next = next.ok_or_else(absent)?;
                let before = self.albums.member_before(self.owner, self.album, &cursor(&next)).await?;
                Gap { before, next: Some(next) }
            }
        })
    }

    /// Makes room in a gap that has none: between photos of the same rank, else in the whole album.
    async fn widen(&self, gap: &Gap) -> Result<(), GalleryError> {
        if let Gap { before: Some(before), next: Some(next) } = gap
            && before.rank == next.rank
            && self.part(&next.rank).await?
        {
            return Ok(());
        }
        self.renew().await
    }

    /// Gives photos of the same rank, as adding them in the same moment brings about, ranks of their own; whether there was room for that.
    async fn part(&self, rank: &Rank) -> Result<bool, GalleryError> {
        let before_all = RankCursor { rank: rank.clone(), photo: PhotoId::from_uuid(uuid::Uuid::nil()) };
        let (before, page) = try_join(
            self.albums.member_before(self.owner, self.album, &before_all),
            self.albums.members(self.owner, self.album, PageRequest::after(PageSize::MAX, before_all.clone())),
        )
        .await?;
        let mut same = page.items;
        let others = same.split_off(same.iter().take_while(|member| member.rank == *rank).count());
        if others.is_empty() && page.next.is_some() {
            return Ok(false);
        }
        let gap = Gap { before, next: others.into_iter().next() };
        let Some(ranks) = gap.divide(same.len()) else { return Ok(false) };
        self.shift(gap, &same, ranks).await?;
        Ok(true)
    }

    /// Gives every photo of the album a short rank, in the same order.
    ///
    /// The new ranks lie above all old ones and are given from the end on: what has moved stands behind all that has not, so the order is the
    /// same after each step, and it does no harm if a crash makes one of them the last.
    async fn renew(&self) -> Result<(), GalleryError> {
        let mut members = Vec::new();
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let found = self.members(page).await?;
            members.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        let Some(last) = members.last() else { return Ok(()) };
        let no_room = || GalleryError::Internal("the ranks of an album have come to their end".into());
        let ranks = Rank::spread(Some(&last.rank), None, members.len()).ok_or_else(no_room)?;
        let (mut end, mut moved): (usize, Option<RankCursor>) = (members.len(), None);
        while end > 0 {
            let start = end.saturating_sub(STEP);
            // As they are now: some may have been taken out or put elsewhere since.
            let after = start.checked_sub(1).map(|before| cursor(&members[before]));
            let before = match &after {
                Some(after) => self.place_up_to(after).await?,
                None => None,
            };
            let page = self.members(PageRequest { size: PageSize::MAX, after }).await?;
            let mut run = page.items;
            let is_old = |member: &&Membership| moved.as_ref().is_none_or(|moved| cursor(member) < *moved);
            let others = run.split_off(run.iter().take_while(is_old).count());
            if others.is_empty() && page.next.is_some() {
                // Another has renewed them all meanwhile.
                return Ok(());
            }
            if let Some(first) = run.first() {
                let floor = if start == 0 { &last.rank } else { &ranks[start - 1] };
                let gap = Gap { before, next: others.into_iter().next() };
                let spread = Rank::spread(Some(floor), gap.next.as_ref().map(|next| &next.rank), run.len());
                let Some(spread) = spread else { return Ok(()) };
                moved = Some(RankCursor { rank: spread[0].clone(), photo: first.photo });
                if !self.shift(gap, &run, spread).await? {
                    // Another is at it.
                    return Ok(());
                }
            }
            end = start;
        }
        Ok(())
    }

    /// Gives neighbours new ranks in one write, in the same order, and has them stand between those on either side when it returns, with whoever
    /// was put among them meanwhile; whether these stayed where they were.
    async fn shift(&self, mut gap: Gap, run: &[Membership], ranks: Vec<Rank>) -> Result<bool, GalleryError> {
        let photos: Vec<PhotoId> = run.iter().map(|member| member.photo).collect();
        let places = places(&photos, ranks);
        self.albums.add_photos(self.owner, self.album, &places).await?;
        let found = self.between(&gap).await?;
        if self.is_still(&gap, &photos).await? {
            let strays = gap.strays(found, run, &places);
            if !strays.is_empty() {
                self.albums.add_photos(self.owner, self.album, &strays).await?;
            }
            return Ok(true);
        }
        for _ in 0..CHANGE_ATTEMPTS {
            for side in [&mut gap.before, &mut gap.next].into_iter().flatten() {
                if let Some(now) = self.albums.member(self.owner, self.album, side.photo).await? {
                    *side = now;
                }
            }
            let found = self.between(&gap).await?;
            let stands =
                found.iter().map(|member| member.photo).filter(|photo| photos.contains(photo)).eq(photos.clone());
            if !stands {
                let Some(ranks) = gap.divide(photos.len()) else { continue };
                self.albums.add_photos(self.owner, self.album, &self::places(&photos, ranks)).await?;
            }
            if self.is_still(&gap, &photos).await? {
                return Ok(false);
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    /// The first 100 places of a gap.
    async fn between(&self, gap: &Gap) -> Result<Vec<Membership>, GalleryError> {
        let after = gap.before.as_ref().map(cursor);
        let mut found = self.members(PageRequest { size: PageSize::MAX, after }).await?.items;
        if let Some(end) = gap.next.as_ref().map(cursor) {
            found.truncate(found.partition_point(|member| cursor(member) < end));
        }
        Ok(found)
    }

    /// Whether those on either side of a gap, others than some photos themselves, are where they were or gone.
    async fn is_still(&self, gap: &Gap, photos: &[PhotoId]) -> Result<bool, GalleryError> {
        for side in [&gap.before, &gap.next].into_iter().flatten().filter(|side| !photos.contains(&side.photo)) {
            let now = self.albums.member(self.owner, self.album, side.photo).await?;
            if now.is_some_and(|now| now.rank != side.rank) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The place at a cursor, else the one before.
    async fn place_up_to(&self, place: &RankCursor) -> Result<Option<Membership>, GalleryError> {
        match self.albums.member(self.owner, self.album, place.photo).await? {
            Some(member) if member.rank == place.rank => Ok(Some(member)),
            _ => Ok(self.albums.member_before(self.owner, self.album, place).await?),
        }
    }

    async fn members(&self, page: PageRequest<RankCursor>) -> Result<Page<Membership, RankCursor>, GalleryError> {
        Ok(self.albums.members(self.owner, self.album, page).await?)
    }
}

impl Gap {
    fn holds(&self, member: &Membership) -> bool {
        self.before.as_ref().is_none_or(|before| before.rank < member.rank)
            && self.next.as_ref().is_none_or(|next| member.rank < next.rank)
    }

    /// Where those belong that were put among a run of neighbours by their old ranks while these got new ones.
    fn strays(&self, mut found: Vec<Membership>, old: &[Membership], new: &[Membership]) -> Vec<Membership> {
        found.retain(|member| old.iter().all(|old| old.photo != member.photo));
        // Those between the old ranks and the new ones were put behind the run before it moved, or right before it since: what rank a put gives
        // in either case tells which.
        let is_beside = |member: &Membership| {
            old.last().is_some_and(|old| old.rank < member.rank)
                && new.first().is_some_and(|new| member.rank < new.rank)
        };
        let beside: Vec<&Rank> = found.iter().filter(|member| is_beside(member)).map(|member| &member.rank).collect();
        let (first, last) = (new.first().cloned(), old.last().cloned());
        let in_one = |gap: Self| gap.divide(beside.len()).is_some_and(|ranks| ranks.iter().eq(beside.iter().copied()));
        let right_before = in_one(Self { before: self.before.clone(), next: first });
        let right_behind = in_one(Self { before: last, next: self.next.clone() });
        if right_before && !right_behind {
            found.retain(|member| !is_beside(member));
        }
        let mut strays: Vec<Membership> = Vec::new();
        let mut stands_at = None;
        for stray in found {
            let at = old.partition_point(|member| cursor(member) < cursor(&stray));
            let before = match strays.last() {
                Some(last) if stands_at == Some(at) => Some(last),
                _ => at.checked_sub(1).map(|before| &new[before]).or(self.before.as_ref()),
            };
            let gap = Self { before: before.cloned(), next: new.get(at).or(self.next.as_ref()).cloned() };
            if gap.holds(&stray) {
                continue;
            }
            if let Some(rank) = gap.divide(1).and_then(|mut ranks| ranks.pop()) {
                strays.push(Membership { photo: stray.photo, rank });
                stands_at = Some(at);
            }
        }
        strays
    }

    /// Ranks at even distances in the gap, if it has room.
    fn divide(&self, count: usize) -> Option<Vec<Rank>> {
        Rank::spread(self.before.as_ref().map(|side| &side.rank), self.next.as_ref().map(|side| &side.rank), count)
    }
}

fn places(photos: &[PhotoId], ranks: Vec<Rank>) -> Vec<Membership> {
    photos.iter().zip(ranks).map(|(photo, rank)| Membership { photo: *photo, rank }).collect()
}

fn cursor(member: &Membership) -> RankCursor {
    RankCursor { rank: member.rank.clone(), photo: member.photo }
}
