//! Search in SQLite: where the photos to look at come from, in which order, and how many of them one request looks at.
//!
//! Each source gives candidates latest first; [`SearchQuery::matches`] has the last word on each. A source that reads an index of the
//! timeline's order is simply walked. The full-text index is ordered by the second only, so that the photos of one second are read
//! together and sorted; a second too crowded for that is walked by the timeline's index instead.

use gallery_domain::ports::{AlbumScope, RepositoryError};
use gallery_domain::search::{IndexPlan, IndexTerm, SearchQuery};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{AlbumId, Page, PageRequest, Photo, PhotoCursor, Timestamp, UserId};
use jiff::civil::Date;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::SqliteStore;
use super::error::failed;
use super::photo_index::{first_row, last_row, owner_token, quoted, second_of, second_of_row, start_of_second};
use super::photo_repository::place;
use super::rows::{self, photo_columns};

const OPERATION: &str = "photo search";

/// The most photos that one request looks at.
const LOOKED_AT: usize = 1000;

/// The fewest photos that are fetched at a time.
const CHUNK: usize = 64;

/// Whether a photo stands in the albums of a scope: ?1 holds the groups of which it has to be in one album each, ?2 the albums that it
/// must not be in. The albums lead, as a scope names few.
macro_rules! in_scope {
    () => {
        "NOT EXISTS (SELECT 1 FROM json_each(?1) AS wanted WHERE NOT EXISTS ( \
             SELECT 1 FROM json_each(wanted.value) AS named CROSS JOIN album_photo AS placed \
             ON placed.album_id = unhex(named.value) AND placed.photo_id = photo.id)) \
         AND NOT EXISTS (SELECT 1 FROM json_each(?2) AS named CROSS JOIN album_photo AS placed \
             ON placed.album_id = unhex(named.value) AND placed.photo_id = photo.id) AS in_scope"
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
    let mut candidates = Candidates::new(store, owner, query, albums, page.after).await?;
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
    /// The photos of an album by time.
    Album(AlbumId),
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
    async fn new(
        store: &'a SqliteStore,
        owner: UserId,
        query: &'a SearchQuery,
        albums: &AlbumScope,
        after: Option<PhotoCursor>,
    ) -> Result<Self, RepositoryError> {
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
        Ok(Self {
            store,
            owner,
            query,
            source: Self::source(store, owner, query, albums).await?,
            within: serde_json::to_string(&groups).expect("texts can always be written as JSON"),
            outside: rows::ids_to_json(albums.outside.iter().map(AlbumId::as_uuid)),
            after,
            from: taken.from.map_or(Timestamp::MIN, start_of),
            crowded: None,
            exhausted: false,
        })
    }

    /// The source with the fewest candidates, as far as that can be told at once: an album that one request can look through, else
    /// the terms, else an album at any rate, else the favourites.
    async fn source(
        store: &SqliteStore,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
    ) -> Result<Source, RepositoryError> {
        let terms = terms_query(owner, &query.index_plan());
        let single = albums.within.iter().filter_map(|group| <[AlbumId; 1]>::try_from(group.as_slice()).ok());
        let candidates = rows::ids_to_json(single.map(|[album]| album.as_uuid()));
        let smallest: Option<(Uuid, i64)> = if albums.within.is_empty() {
            None
        } else {
            sqlx::query_as(
                "SELECT album.id, album.photo_count FROM json_each(?2) AS named \
                 CROSS JOIN album ON album.id = unhex(named.value) WHERE album.owner_id = ?1",
            )
            .bind(owner.as_uuid())
            .bind(candidates)
            .fetch_all(&store.readers)
            .await
            .map_err(failed(OPERATION))?
            .into_iter()
            .min_by_key(|(_, photos): &(Uuid, i64)| *photos)
        };
        Ok(match (smallest, terms) {
            (Some((_, photos)), Some(terms)) if rows::count(photos) > LOOKED_AT as u64 => Source::Terms(terms),
            (Some((album, _)), _) => Source::Album(AlbumId::from_uuid(album)),
            (None, Some(terms)) => Source::Terms(terms),
            (None, None) if query.favourite() == Some(true) => Source::Favourites,
            (None, None) => Source::Timeline,
        })
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
            (Source::Album(album), _) => self.next_of_walk(WALK_ALBUM, album.as_uuid(), limit).await,
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
            let photo = rows::photo(row)?;
            self.after = Some(photo.timeline_cursor());
            if self.matches(&photo, rows::scalar("photo", row, "in_scope")?) {
                matching.push(photo);
            }
        }
        Ok(LookedAt { matching, fetched: rows.len() })
    }

    /// Looks at whole seconds of photos, of which those of the first may stand before the place reached.
    fn look_at_sorted(&self, rows: &[SqliteRow]) -> Result<LookedAt, RepositoryError> {
        let mut matching = Vec::new();
        for row in rows {
            let photo = rows::photo(row)?;
            let ahead = self.after.is_none_or(|after| after.precedes(&photo.timeline_cursor()));
            if ahead && self.matches(&photo, rows::scalar("photo", row, "in_scope")?) {
                matching.push(photo);
            }
        }
        matching.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
        Ok(LookedAt { matching, fetched: rows.len() })
    }

    fn matches(&self, photo: &Photo, in_scope: bool) -> bool {
        let Some(facts) = photo.facts() else { return false };
        let media_type = facts.media_type.short_name();
        let day = photo.timeline_instant().to_utc().date();
        // The scope is what the query's albums stand for, so within it every `in:` holds and no `-in:` does.
        let in_album = |album: &str| self.query.albums().iter().any(|wanted| wanted == album);
        // Cutting a photo's texts into terms costs more than all the rest, and many a filter asks for none.
        let asks_for_terms = !self.query.all().is_empty() || !self.query.none().is_empty();
        let terms = if asks_for_terms { photo.terms() } else { PhotoTerms::default() };
        in_scope && photo.is_visible() && self.query.matches(&terms, photo.details.favourite, media_type, day, in_album)
    }
}

/// The full-text index in the order of its rows, at most ?7 between the rows ?4 and ?5.
pub(super) const SEARCH_TERMS: &str = concat!(
    "SELECT photo.row, ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo_index CROSS JOIN photo ON photo.row = photo_index.rowid \
     WHERE photo_index MATCH ?3 AND photo_index.rowid BETWEEN ?4 AND ?5 AND photo.owner_id = ?6 \
     ORDER BY photo_index.rowid DESC LIMIT ?7"
);

/// The timeline after the place (?4, ?5), not before ?6.
pub(super) const WALK_TIMELINE: &str = concat!(
    "SELECT ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo WHERE owner_id = ?3 AND listed_in = 'timeline' AND (timeline_at, id) < (?4, ?5) AND timeline_at >= ?6 \
     ORDER BY timeline_at DESC, id DESC LIMIT ?7"
);

/// The favourites after the place (?4, ?5), not before ?6.
pub(super) const WALK_FAVOURITES: &str = concat!(
    "SELECT ",
    photo_columns!(),
    ", ",
    in_scope!(),
    " FROM photo WHERE owner_id = ?3 AND listed_in = 'timeline' AND favourite = 1 AND (timeline_at, id) < (?4, ?5) \
     AND timeline_at >= ?6 ORDER BY timeline_at DESC, id DESC LIMIT ?7"
);

/// The visible photos of the album ?3 by time after the place (?4, ?5), not before ?6.
pub(super) const WALK_ALBUM: &str = concat!(
    "SELECT ",
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

/// The plan in the query language of FTS5; none if it says nothing about terms.
fn terms_query(owner: UserId, plan: &IndexPlan) -> Option<String> {
    let owner = owner_token(owner);
    let term = |sought: &IndexTerm| {
        let token = quoted(&format!("{owner}{}", sought.term.as_str()));
        if sought.prefix { format!("{token} *") } else { token }
    };
    let every = |terms: &Vec<IndexTerm>| joined(terms.iter().map(term), " AND ");
    let any = |alternatives: &[Vec<IndexTerm>]| joined(alternatives.iter().map(every), " OR ");
    let wanted = match &plan.all[..] {
        [] if plan.none.is_empty() => return None,
        [] => quoted(&owner),
        clauses => joined(clauses.iter().map(|clause| any(clause)), " AND "),
    };
    Some(if plan.none.is_empty() { wanted } else { format!("{wanted} NOT {}", any(&plan.none)) })
}

fn joined(parts: impl Iterator<Item = String>, operator: &str) -> String {
    format!("({})", parts.collect::<Vec<_>>().join(operator))
}

/// The first moment of a day of the timeline.
fn start_of(day: Date) -> Timestamp {
    Timestamp::from_utc(day.to_datetime(jiff::civil::Time::midnight()))
}
