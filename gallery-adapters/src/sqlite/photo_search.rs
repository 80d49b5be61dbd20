//! Search in SQLite: where the photos to look at come from, in which order, and how many of them one request looks at.
//!
//! Each source gives candidates latest first; [`SearchQuery::matches`] has the last word on each, by the terms that are kept beside the
//! photo. A source that reads an index of the timeline's order is simply walked, of several albums side by side. The full-text index is
//! ordered by the second only, so that the photos of one second are read together and sorted; a second too crowded for that is walked
//! by the timeline's index instead.

use std::cmp::Reverse;
use std::collections::HashMap;

use gallery_domain::ports::{AlbumScope, RepositoryError};
use gallery_domain::search::{IndexPlan, SearchQuery};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{AlbumId, Page, PageRequest, Photo, PhotoCursor, PhotoId, Timestamp, UserId};
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::SqliteStore;
use super::error::failed;
use super::photo_index::{first_row, last_row, second_of, second_of_row, start_of_second};
use super::photo_repository::place;
use super::rows::{self, photo_columns};
use super::term_query::{TermQuery, term_query};

const OPERATION: &str = "photo search";

/// The most photos that one request looks at.
const LOOKED_AT: usize = 1000;

/// The fewest photos that are fetched at a time.
const CHUNK: usize = 64;

/// Whether a photo stands in the albums of a scope: ?1 holds the groups of which it has to be in one album each, ?2 the albums that it
/// must not be in. The albums lead, as a scope names few.
macro_rules! in_scope {
    () => {
        "(?1 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(?1) AS wanted WHERE NOT EXISTS ( \
             SELECT 1 FROM json_each(wanted.value) AS named CROSS JOIN album_photo AS placed \
             ON placed.album_id = unhex(named.value) AND placed.photo_id = photo.id))) \
         AND (?2 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(?2) AS named CROSS JOIN album_photo AS placed \
             ON placed.album_id = unhex(named.value) AND placed.photo_id = photo.id)) AS in_scope"
    };
}

/// The page of photos that a query matches.
pub(super) async fn search(
    store: &SqliteStore,
    owner: UserId,
    query: &SearchQuery,
    albums: &AlbumScope,
    page: PageRequest<PhotoCursor>,
) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
    if albums.within.iter().any(Vec::is_empty) {
        return Ok(Page::empty());
    }
    let Some(mut candidates) = Candidates::new(store, owner, query, albums, page.after).await? else {
        return Ok(Page::empty());
    };
    let mut found: Vec<Photo> = Vec::with_capacity(page.size.get() + 1);
    let mut budget = LOOKED_AT;
    let mut chunk = (page.size.get() + 1).max(CHUNK);
    while found.len() <= page.size.get() && !candidates.exhausted {
        if budget == 0 {
            return Ok(Page { items: found, next: candidates.after });
        }
        let looked_at = candidates.next(chunk.min(budget)).await?;
        budget = budget.saturating_sub(looked_at.fetched);
        found.extend(looked_at.matching);
        chunk *= 2;
    }
    Ok(Page::from_overfull(found, page.size, Photo::timeline_cursor))
}

/// Where candidates come from.
#[derive(Debug)]
enum Source {
    /// The full-text index, by a query in its language.
    Terms(String),
    /// The photos of some albums by time.
    Albums(Vec<AlbumId>),
    /// The favourites by time.
    Favourites,
    /// All visible photos by time.
    Timeline,
}

/// The candidates of a search, from where the last request stopped.
#[derive(Debug)]
struct Candidates<'a> {
    store: &'a SqliteStore,
    owner: UserId,
    query: &'a SearchQuery,
    plan: IndexPlan,
    source: Source,
    /// The scope as JSON: groups of albums, and albums.
    within: String,
    outside: String,
    /// The place up to which everything was looked at.
    after: Option<PhotoCursor>,
    /// The first moment that the query is about.
    from: Timestamp,
    /// The second that is walked because the index is too crowded there.
    crowded: Option<i64>,
    /// Whether there is nothing beyond.
    exhausted: bool,
}

/// Some candidates.
struct LookedAt {
    matching: Vec<Photo>,
    /// How many were read, so that the request's work is bounded.
    fetched: usize,
}

impl<'a> Candidates<'a> {
    /// None if there can be no candidates.
    async fn new(
        store: &'a SqliteStore,
        owner: UserId,
        query: &'a SearchQuery,
        albums: &AlbumScope,
        after: Option<PhotoCursor>,
    ) -> Result<Option<Self>, RepositoryError> {
        let plan = query.index_plan();
        let Some(source) = source(store, owner, query, &plan, albums).await? else { return Ok(None) };
        let taken = query.taken();
        // A page never starts earlier in the list than the query's last day.
        let newest = taken.until.map(|until| PhotoCursor::before(start_of(until)));
        let after = match (after, newest) {
            (Some(after), Some(newest)) if after.precedes(&newest) => Some(newest),
            (Some(after), _) => Some(after),
            (None, newest) => newest,
        };
        let groups: Vec<Vec<String>> = albums
            .within
            .iter()
            .map(|group| group.iter().map(|album| album.as_uuid().simple().to_string()).collect())
            .collect();
        Ok(Some(Self {
            store,
            owner,
            query,
            plan,
            source,
            within: serde_json::to_string(&groups).expect("texts can always be written as JSON"),
            outside: rows::ids_to_json(albums.outside.iter().map(AlbumId::as_uuid)),
            after,
            from: taken.from.map_or(Timestamp::MIN, start_of),
            crowded: None,
            exhausted: false,
        }))
    }

    /// Looks at some more candidates, about `limit`, and moves on behind them.
    async fn next(&mut self, limit: usize) -> Result<LookedAt, RepositoryError> {
        match (&self.source, self.crowded) {
            (Source::Terms(terms), None) => self.next_of_terms(&terms.clone(), limit).await,
            (Source::Terms(_), Some(second)) => {
                let rows = self
                    .walk(WALK_TIMELINE, self.owner.as_uuid(), start_of_second(second).max(self.from), limit)
                    .await?;
                let looked_at = self.look_at(&rows)?;
                if rows.len() < limit {
                    self.crowded = None;
                    self.after = Some(PhotoCursor::before(start_of_second(second)));
                    self.exhausted = start_of_second(second) <= self.from;
                }
                Ok(looked_at)
            }
            (Source::Albums(albums), _) => self.next_of_albums(&albums.clone(), limit).await,
            (Source::Favourites, _) => self.next_of_walk(WALK_FAVOURITES, self.owner.as_uuid(), limit).await,
            (Source::Timeline, _) => self.next_of_walk(WALK_TIMELINE, self.owner.as_uuid(), limit).await,
        }
    }

    async fn next_of_walk(
        &mut self,
        statement: &'static str,
        of: Uuid,
        limit: usize,
    ) -> Result<LookedAt, RepositoryError> {
        let rows = self.walk(statement, of, self.from, limit).await?;
        self.exhausted = rows.len() < limit;
        self.look_at(&rows)
    }

    /// Walks several albums side by side. A photo that stands in more than one is looked at once.
    async fn next_of_albums(&mut self, albums: &[AlbumId], limit: usize) -> Result<LookedAt, RepositoryError> {
        let mut placed = Vec::new();
        for album in albums {
            for row in self.walk(WALK_ALBUM, album.as_uuid(), self.from, limit).await? {
                placed.push((cursor(&row)?, row));
            }
        }
        let fetched = placed.len();
        placed.sort_by_key(|(cursor, _)| Reverse((cursor.at, cursor.id)));
        placed.dedup_by_key(|(cursor, _)| *cursor);
        // What of one album lies behind the last of these, another's rows may have to come before.
        placed.truncate(limit);
        self.exhausted = placed.len() < limit;
        let rows: Vec<SqliteRow> = placed.into_iter().map(|(_, row)| row).collect();
        Ok(LookedAt { fetched, ..self.look_at(&rows)? })
    }

    async fn next_of_terms(&mut self, terms: &str, limit: usize) -> Result<LookedAt, RepositoryError> {
        let highest = self.after.map_or(i64::MAX, highest_row_after);
        let mut rows = sqlx::query(SEARCH_TERMS)
            .bind(&self.within)
            .bind(&self.outside)
            .bind(terms)
            .bind(first_row(second_of(self.from)))
            .bind(highest)
            .bind(self.owner.as_uuid())
            .bind(rows::integer(limit as u64))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed(OPERATION))?;
        let fetched = rows.len();
        if let (true, Some(first), Some(last)) = (fetched == limit, rows.first(), rows.last()) {
            // The last second may go on behind what was fetched.
            let second = second_of_row(rows::scalar("photo", last, "row")?);
            if second == second_of_row(rows::scalar("photo", first, "row")?) {
                // What is later is not in the index's answer, and need not be walked.
                let start = PhotoCursor::before(start_of_second(second + 1));
                self.after = self.after.filter(|after| start.precedes(after)).or(Some(start));
                self.crowded = Some(second);
                return Ok(LookedAt { matching: Vec::new(), fetched });
            }
            let mut complete = Vec::with_capacity(fetched);
            for row in rows {
                if second_of_row(rows::scalar("photo", &row, "row")?) != second {
                    complete.push(row);
                }
            }
            rows = complete;
            let looked_at = self.look_at_sorted(&rows)?;
            self.after = Some(PhotoCursor::before(start_of_second(second + 1)));
            return Ok(LookedAt { fetched, ..looked_at });
        }
        self.exhausted = true;
        self.look_at_sorted(&rows)
    }

    /// The photos after the place reached and not before a time, in the order of the timeline, at most `limit`.
    async fn walk(
        &self,
        statement: &'static str,
        of: Uuid,
        from: Timestamp,
        limit: usize,
    ) -> Result<Vec<SqliteRow>, RepositoryError> {
        let (at, id) = place(self.after);
        sqlx::query(statement)
            .bind(&self.within)
            .bind(&self.outside)
            .bind(of)
            .bind(at)
            .bind(id)
            .bind(from.as_millis())
            .bind(rows::integer(limit as u64))
            .fetch_all(&self.store.readers)
            .await
            .map_err(failed(OPERATION))
    }

    /// Looks at photos that come in the order of the timeline, and moves behind the last of them.
    fn look_at(&mut self, rows: &[SqliteRow]) -> Result<LookedAt, RepositoryError> {
        let mut matching = Vec::new();
        for row in rows {
            self.after = Some(cursor(row)?);
            matching.extend(self.matching(row)?);
        }
        Ok(LookedAt { matching, fetched: rows.len() })
    }

    /// Looks at whole seconds of photos, of which those of the first may stand before the place reached.
    fn look_at_sorted(&self, rows: &[SqliteRow]) -> Result<LookedAt, RepositoryError> {
        let mut matching = Vec::new();
        for row in rows {
            let cursor = cursor(row)?;
            if self.after.is_none_or(|after| after.precedes(&cursor)) {
                matching.extend(self.matching(row)?);
            }
        }
        matching.sort_by_key(|photo| Reverse((photo.timeline_instant(), photo.id)));
        Ok(LookedAt { matching, fetched: rows.len() })
    }

    /// The photo of a row, if the query finds it. The cheapest tests come first, as of many candidates few may match.
    fn matching(&self, row: &SqliteRow) -> Result<Option<Photo>, RepositoryError> {
        if !rows::scalar::<bool>("photo", row, "in_scope")? {
            return Ok(None);
        }
        let asks_for_terms = !self.query.all().is_empty() || !self.query.none().is_empty();
        let terms = if asks_for_terms { rows::terms(row)? } else { PhotoTerms::default() };
        if !self.plan.admits(&terms) {
            return Ok(None);
        }
        let photo = rows::photo(row)?;
        let Some(facts) = photo.facts() else { return Ok(None) };
        let media_type = facts.media_type.short_name();
        let day = photo.timeline_instant().to_utc().date();
        let found =
            photo.is_visible() && self.query.matches_but_for_albums(&terms, photo.details.favourite, media_type, day);
        Ok(found.then_some(photo))
    }
}

/// The source with the fewest candidates, as far as that can be told at once; none if no photo can match. The favourites are taken to
/// be fewer than the photos of a frequent word.
async fn source(
    store: &SqliteStore,
    owner: UserId,
    query: &SearchQuery,
    plan: &IndexPlan,
    albums: &AlbumScope,
) -> Result<Option<Source>, RepositoryError> {
    let group = smallest_group(store, owner, albums).await?;
    if group.as_ref().is_some_and(|(_, group)| group.is_empty()) {
        return Ok(None);
    }
    let terms = term_query(&store.readers, owner, plan).await.map_err(failed(OPERATION))?;
    let favourites = query.favourite() == Some(true);
    Ok(Some(match (group, terms) {
        (_, TermQuery::Hopeless) => return Ok(None),
        (Some((most, _)), TermQuery::Indexed { query, photos }) if photos < most => Source::Terms(query),
        (Some((_, albums)), _) => Source::Albums(albums),
        (None, TermQuery::Indexed { query, photos }) if !(favourites && photos > LOOKED_AT as u64) => {
            Source::Terms(query)
        }
        (None, _) if favourites => Source::Favourites,
        (None, _) => Source::Timeline,
    }))
}

/// The owner's albums in that group of a scope which has the fewest photos, and how many those are at most; none without a group.
async fn smallest_group(
    store: &SqliteStore,
    owner: UserId,
    albums: &AlbumScope,
) -> Result<Option<(u64, Vec<AlbumId>)>, RepositoryError> {
    if albums.within.is_empty() {
        return Ok(None);
    }
    let named = rows::ids_to_json(albums.within.iter().flatten().map(AlbumId::as_uuid));
    let sizes: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT album.id, album.photo_count FROM json_each(?2) AS named \
         CROSS JOIN album ON album.id = unhex(named.value) WHERE album.owner_id = ?1",
    )
    .bind(owner.as_uuid())
    .bind(named)
    .fetch_all(&store.readers)
    .await
    .map_err(failed(OPERATION))?;
    let sizes: HashMap<AlbumId, u64> =
        sizes.into_iter().map(|(id, photos)| (AlbumId::from_uuid(id), rows::count(photos))).collect();
    let groups = albums.within.iter().map(|group| {
        let owned: Vec<AlbumId> = group.iter().copied().filter(|album| sizes.contains_key(album)).collect();
        (owned.iter().map(|album| sizes[album]).sum(), owned)
    });
    Ok(groups.min_by_key(|(photos, _)| *photos))
}

/// The place of a row's photo in the timeline.
fn cursor(row: &SqliteRow) -> Result<PhotoCursor, RepositoryError> {
    let at = Timestamp::from_millis(rows::scalar("photo", row, "timeline_at")?);
    Ok(PhotoCursor { at, id: PhotoId::from_uuid(rows::scalar("photo", row, "id")?) })
}

/// The full-text index in the order of its rows, at most ?7 between the rows ?4 and ?5.
pub(super) const SEARCH_TERMS: &str = concat!(
    "SELECT photo.row, photo.timeline_at, photo.terms, ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo_index CROSS JOIN photo ON photo.row = photo_index.rowid \
     WHERE photo_index MATCH ?3 AND photo_index.rowid BETWEEN ?4 AND ?5 AND photo.owner_id = ?6 \
     ORDER BY photo_index.rowid DESC LIMIT ?7"
);

/// The timeline after the place (?4, ?5), not before ?6.
pub(super) const WALK_TIMELINE: &str = concat!(
    "SELECT photo.timeline_at, photo.terms, ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo WHERE owner_id = ?3 AND listed_in = 'timeline' AND (timeline_at, id) < (?4, ?5) AND timeline_at >= ?6 \
     ORDER BY timeline_at DESC, id DESC LIMIT ?7"
);

/// The favourites after the place (?4, ?5), not before ?6.
pub(super) const WALK_FAVOURITES: &str = concat!(
    "SELECT photo.timeline_at, photo.terms, ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo WHERE owner_id = ?3 AND listed_in = 'timeline' AND favourite = 1 AND (timeline_at, id) < (?4, ?5) \
     AND timeline_at >= ?6 ORDER BY timeline_at DESC, id DESC LIMIT ?7"
);

/// The visible photos of the album ?3 by time after the place (?4, ?5), not before ?6.
pub(super) const WALK_ALBUM: &str = concat!(
    "SELECT photo.timeline_at, photo.terms, ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM album_photo CROSS JOIN photo ON photo.id = album_photo.photo_id \
     WHERE album_photo.album_id = ?3 AND album_photo.visible = 1 \
     AND (album_photo.timeline_at, album_photo.photo_id) < (?4, ?5) AND album_photo.timeline_at >= ?6 \
     ORDER BY album_photo.timeline_at DESC, album_photo.photo_id DESC LIMIT ?7"
);

/// The highest row that may hold a photo after a place: where all of the place's second is before it, one of the second before.
fn highest_row_after(place: PhotoCursor) -> i64 {
    let second = second_of(place.at);
    let done = place == PhotoCursor::before(start_of_second(second));
    last_row(if done { second - 1 } else { second })
}

/// The first moment of a day of the timeline.
fn start_of(day: Date) -> Timestamp {
    Timestamp::from_utc(day.to_datetime(jiff::civil::Time::midnight()))
}
