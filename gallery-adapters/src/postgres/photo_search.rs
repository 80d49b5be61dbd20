//! Search in PostgreSQL: where the photos to look at come from, in which order, and how many of them one request looks at.
//!
//! Each source gives candidates latest first, from an index in that order; the server leaves out those whose terms or albums do not match, and
//! [`SearchQuery::matches`] has the last word on the others. Of several clauses, the one is walked whose photos lie farthest apart.

use std::collections::HashMap;

use futures_util::FutureExt;
use gallery_domain::ports::{AlbumScope, RepositoryError};
use gallery_domain::search::{MEDIA_TYPES, SearchQuery};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{AlbumId, Page, PageRequest, Photo, PhotoCursor, PhotoId, Timestamp, UserId};
use jiff::civil::Date;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::PostgresStore;
use super::change::{Interruption, Session};
use super::photo_repository::place;
use super::rows::{self, photo_columns};
use super::term_query;

const OPERATION: &str = "photo search";

/// The most photos that one request looks at.
const LOOKED_AT: usize = 1000;

/// The fewest photos that are looked at at a time, once the first did not fill the page.
const CHUNK: usize = 64;

/// How many entries of the index cost as much as looking at one photo.
const ENTRIES_A_PHOTO: usize = 16;

/// How many of a clause's photos are counted to tell how far they lie apart.
const SPACING: i64 = 64;

/// Looks at candidates, which are places of the timeline: $2 is the owner, ($3, $4) the place after which they begin, $5 the time before which
/// they do not go, and $6 how many they are. $7 is what their terms have to match, $8 whether they have to be favourites or not, $9 and $10
/// groups of albums, by number, of which they have to be in one each of $11, $12 albums that they must not be in, and $13 the types of which
/// they have to have one.
///
/// What a query does not ask for costs no look at anything: most ask for no albums.
///
/// Each row says how many were looked at and which was the last; beside that stands a photo that matches, if there is any.
macro_rules! looking_at {
    ($candidates:literal) => {
        concat!(
            "WITH candidate (timeline_at, id) AS MATERIALIZED (",
            $candidates,
            ") SELECT (SELECT count(*) FROM candidate) AS looked_at, last.timeline_at AS last_at, last.id AS last_id, matching.* \
             FROM (SELECT timeline_at, id FROM candidate ORDER BY timeline_at, id LIMIT 1) AS last \
             LEFT JOIN LATERAL (SELECT ",
            photo_columns!(),
            ", photo.words::text FROM candidate JOIN gallery.photo ON photo.id = candidate.id \
              WHERE photo.owner_id = $2 AND photo.listed_in = 'timeline' \
              AND coalesce(photo.terms @@ (SELECT $7::text::tsquery), true) AND coalesce(photo.favourite = $8, true) \
              AND ($13::text[] IS NULL OR photo.facts ->> 'media_type' = ANY ($13)) \
              AND ($11::bigint = 0 OR (SELECT count(DISTINCT named.part) FROM unnest($9::bigint[], $10::uuid[]) AS named (part, album_id) \
                   JOIN gallery.album_photo AS placed ON placed.album_id = named.album_id AND placed.photo_id = photo.id) = $11) \
              AND (cardinality($12::uuid[]) = 0 OR NOT EXISTS (SELECT 1 FROM gallery.album_photo AS placed \
                   WHERE placed.album_id = ANY ($12) AND placed.photo_id = photo.id))) AS matching ON true"
        )
    };
}

/// The page of photos that a query matches.
pub(super) async fn search(
    store: &PostgresStore,
    owner: UserId,
    query: &SearchQuery,
    albums: &AlbumScope,
    page: PageRequest<PhotoCursor>,
) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
    if albums.within.iter().any(Vec::is_empty) {
        return Ok(Page::empty());
    }
    store
        .repeat(OPERATION, |session| {
            async move {
                let mut candidates = Candidates::new(session, owner, query, albums, page.after).await?;
                let mut found: Vec<Photo> = Vec::with_capacity(page.size.get() + 1);
                let wanted = page.size.get() + 1;
                let (mut budget, mut looked_at, mut chunk) = (LOOKED_AT, 0, wanted);
                while found.len() < wanted && !candidates.exhausted {
                    if budget == 0 {
                        return Ok(Page { items: found, next: candidates.after });
                    }
                    let next = candidates.next(session, chunk.min(budget)).await?;
                    budget = budget.saturating_sub(next.cost);
                    looked_at += next.looked_at;
                    found.extend(next.matching);
                    // As many as will fill the page, and some more, if matches lie no farther apart than they did.
                    let enough = wanted.saturating_sub(found.len()) * looked_at / found.len().max(1) * 5 / 4;
                    chunk = enough.clamp(CHUNK, CHUNK.max(chunk * 4));
                }
                Ok(Page::from_overfull(found, page.size, Photo::timeline_cursor))
            }
            .boxed()
        })
        .await
}

/// Where candidates come from.
#[derive(Debug)]
enum Source {
    /// The photos of any of these terms by time.
    Terms(Vec<String>),
    /// The photos of any of these albums by time.
    Albums(Vec<Uuid>),
    /// The favourites by time.
    Favourites,
    /// All visible photos by time.
    Timeline,
}

/// The candidates of a search, from where the last request stopped.
#[derive(Debug)]
struct Candidates<'a> {
    owner: UserId,
    query: &'a SearchQuery,
    source: Source,
    /// What the terms of a photo have to match.
    terms: Option<String>,
    /// The scope: groups of albums by their number, how many groups, and albums.
    parts: Vec<i64>,
    within: Vec<Uuid>,
    groups: i64,
    outside: Vec<Uuid>,
    /// The types of which a photo has to have one, if the query says anything about types.
    types: Option<Vec<String>>,
    /// The place up to which everything was looked at.
    after: Option<PhotoCursor>,
    /// The first moment that the query is about.
    from: Timestamp,
    /// Whether there is nothing beyond.
    exhausted: bool,
}

/// Some candidates.
struct LookedAt {
    matching: Vec<Photo>,
    /// How many were looked at.
    looked_at: usize,
    /// What looking at them took, in photos, so that the request's work is bounded.
    cost: usize,
}

impl<'a> Candidates<'a> {
    async fn new(
        session: &mut Session<'_>,
        owner: UserId,
        query: &'a SearchQuery,
        albums: &AlbumScope,
        after: Option<PhotoCursor>,
    ) -> Result<Self, Interruption> {
        let taken = query.taken();
        // A page never starts earlier in the list than the query's last day.
        let newest = taken.until.map(|until| PhotoCursor::before(start_of(until)));
        let after = match (after, newest) {
            (Some(after), Some(newest)) if after.precedes(&newest) => Some(newest),
            (Some(after), _) => Some(after),
            (None, newest) => newest,
        };
        let from = taken.from.map_or(Timestamp::MIN, start_of);
        let (parts, within) = (0..)
            .zip(&albums.within)
            .flat_map(|(part, group)| group.iter().map(move |album| (part, album.as_uuid())))
            .unzip();
        Ok(Self {
            owner,
            query,
            source: Self::source(session, owner, query, albums, after, from).await?,
            terms: term_query::terms_query(&query.index_plan()),
            parts,
            within,
            groups: rows::integer(albums.within.len() as u64),
            outside: albums.outside.iter().map(AlbumId::as_uuid).collect(),
            types: types(query),
            after,
            from,
            exhausted: false,
        })
    }

    /// The source with the fewest candidates, as far as that can be told at once: a group of albums that one request can look through, else
    /// the terms, else a group of albums at any rate, else the favourites.
    async fn source(
        session: &mut Session<'_>,
        owner: UserId,
        query: &SearchQuery,
        albums: &AlbumScope,
        after: Option<PhotoCursor>,
        from: Timestamp,
    ) -> Result<Source, Interruption> {
        let smallest = Self::smallest_group(session, owner, albums).await?;
        if let Some((photos, albums)) = &smallest
            && *photos <= LOOKED_AT as u64
        {
            return Ok(Source::Albums(albums.clone()));
        }
        let sparsest = Self::sparsest(session, owner, query, after, from).await?;
        Ok(match (sparsest, smallest) {
            (Some(source), _) => source,
            (None, Some((_, albums))) => Source::Albums(albums),
            (None, None) if query.favourite() == Some(true) => Source::Favourites,
            (None, None) => Source::Timeline,
        })
    }

    /// Of the groups of albums that a photo has to be in one of each, the one with the fewest photos: how many, and the owner's albums in it.
    async fn smallest_group(
        session: &mut Session<'_>,
        owner: UserId,
        albums: &AlbumScope,
    ) -> Result<Option<(u64, Vec<Uuid>)>, Interruption> {
        if albums.within.is_empty() {
            return Ok(None);
        }
        let statement = session
            .query_as::<(Uuid, i64)>("SELECT id, photo_count FROM gallery.album WHERE owner_id = $1 AND id = ANY ($2)")
            .bind(owner.as_uuid())
            .bind(albums.within.iter().flatten().map(AlbumId::as_uuid).collect::<Vec<_>>());
        let sizes: HashMap<Uuid, i64> = statement.fetch_all(session.connection()).await?.into_iter().collect();
        let groups = albums.within.iter().map(|group| {
            let owned: Vec<Uuid> =
                group.iter().map(AlbumId::as_uuid).filter(|album| sizes.contains_key(album)).collect();
            (owned.iter().map(|album| rows::count(sizes[album])).sum::<u64>(), owned)
        });
        Ok(groups.min_by_key(|(photos, _)| *photos))
    }

    /// The terms of the clause whose photos lie farthest apart behind the place where the page begins, or the favourites if they do and are asked
    /// for; none if no clause can be walked.
    async fn sparsest(
        session: &mut Session<'_>,
        owner: UserId,
        query: &SearchQuery,
        after: Option<PhotoCursor>,
        from: Timestamp,
    ) -> Result<Option<Source>, Interruption> {
        let mut clauses = Vec::new();
        for clause in &query.index_plan().all {
            clauses.extend(term_query::terms_to_drive_from(session, owner, clause).await?);
        }
        let favourites = query.favourite() == Some(true);
        if clauses.is_empty() || (clauses.len() == 1 && !favourites) {
            return Ok(clauses.pop().map(Source::Terms));
        }
        let (numbers, terms): (Vec<i64>, Vec<String>) = (0..)
            .zip(&clauses)
            .flat_map(|(number, terms)| terms.iter().map(move |term| (number, term.clone())))
            .unzip();
        let (at, id) = place(after);
        let statement = session
            .query_as::<(i64, i64)>(SPACING_OF_CLAUSES)
            .bind(numbers)
            .bind(terms)
            .bind(owner.as_uuid())
            .bind(at)
            .bind(id)
            .bind(from.as_millis())
            .bind(SPACING - 1)
            .bind(favourites);
        let reached = statement.fetch_all(session.connection()).await?;
        let reach = |number: i64| reached.iter().find(|(reached, _)| *reached == number).map(|(_, at)| *at);
        // A clause without a term has no photo at all.
        let of_terms = (0..).zip(0..clauses.len()).map(|(number, place)| (reach(number).unwrap_or(i64::MIN), place));
        let Some((terms_reach, sparsest)) = of_terms.min() else { return Ok(None) };
        if reach(FAVOURITES).is_some_and(|reach| reach < terms_reach) {
            return Ok(Some(Source::Favourites));
        }
        Ok(Some(Source::Terms(clauses.swap_remove(sparsest))))
    }

    /// Looks at some more candidates, at most `limit`, and moves on behind them.
    async fn next(&mut self, session: &mut Session<'_>, limit: usize) -> Result<LookedAt, Interruption> {
        let owner = self.owner.as_uuid();
        // Where several terms or albums are merged, each gives as many candidates as are looked at.
        let (statement, merged) = match &self.source {
            Source::Terms(terms) => (session.query(SEARCH_TERMS).bind(terms.clone()), terms.len()),
            Source::Albums(albums) => (session.query(WALK_ALBUMS).bind(albums.clone()), albums.len()),
            Source::Favourites => (session.query(WALK_FAVOURITES).bind(owner), 1),
            Source::Timeline => (session.query(WALK_TIMELINE).bind(owner), 1),
        };
        let limit = limit.min((LOOKED_AT * ENTRIES_A_PHOTO / merged.max(1)).max(CHUNK));
        let (at, id) = place(self.after);
        let rows = statement
            .bind(owner)
            .bind(at)
            .bind(id)
            .bind(self.from.as_millis())
            .bind(rows::integer(limit as u64))
            .bind(self.terms.clone())
            .bind(self.query.favourite())
            .bind(self.parts.clone())
            .bind(self.within.clone())
            .bind(self.groups)
            .bind(self.outside.clone())
            .bind(self.types.clone())
            .fetch_all(session.connection())
            .await?;
        let Some(first) = rows.first() else {
            self.exhausted = true;
            return Ok(LookedAt { matching: Vec::new(), looked_at: 0, cost: merged });
        };
        let looked_at: i64 = rows::scalar("photo", first, "looked_at")?;
        let looked_at = usize::try_from(looked_at).unwrap_or(limit);
        self.exhausted = looked_at < limit;
        self.after = Some(PhotoCursor {
            at: Timestamp::from_millis(rows::scalar("photo", first, "last_at")?),
            id: PhotoId::from_uuid(rows::scalar("photo", first, "last_id")?),
        });
        Ok(LookedAt { matching: self.matching(&rows)?, looked_at, cost: looked_at + merged * limit / ENTRIES_A_PHOTO })
    }

    fn matching(&self, rows: &[PgRow]) -> Result<Vec<Photo>, RepositoryError> {
        let mut matching = Vec::with_capacity(rows.len());
        for row in rows {
            if row.try_get::<Option<Uuid>, _>("id").ok().flatten().is_some() {
                let photo = rows::photo(row)?;
                if self.matches(&photo, row)? {
                    matching.push(photo);
                }
            }
        }
        matching.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
        Ok(matching)
    }

    fn matches(&self, photo: &Photo, row: &PgRow) -> Result<bool, RepositoryError> {
        let Some(facts) = photo.facts() else { return Ok(false) };
        let media_type = facts.media_type.short_name();
        let day = photo.timeline_instant().to_utc().date();
        // Many a filter asks for no terms.
        let asks_for_terms = !self.query.all().is_empty() || !self.query.none().is_empty();
        let terms = if asks_for_terms { rows::terms(row)? } else { PhotoTerms::default() };
        let favourite = photo.details.favourite;
        Ok(photo.is_visible() && self.query.matches_but_for_albums(&terms, favourite, media_type, day))
    }
}

/// The number by which the favourites stand among the clauses.
const FAVOURITES: i64 = -1;

/// How far back the photo after $7 others of a clause lies behind the place ($4, $5), not before $6: of the clauses numbered in $1, whose terms are
/// in $2, and of the favourites if $8 says so. Of a clause of several terms, the term that is on the most photos says it.
pub(super) const SPACING_OF_CLAUSES: &str = "\
    SELECT sought.clause, max(coalesce((SELECT entry.timeline_at FROM gallery.photo_term AS entry \
        WHERE entry.owner_id = $3 AND entry.term = sought.term AND (entry.timeline_at, entry.photo_id) < ($4, $5) \
        AND entry.timeline_at >= $6 ORDER BY entry.timeline_at DESC, entry.photo_id DESC OFFSET $7 LIMIT 1), $6)) \
    FROM unnest($1::bigint[], $2::text[]) AS sought (clause, term) GROUP BY sought.clause \
    UNION ALL SELECT -1, coalesce((SELECT timeline_at FROM gallery.photo \
        WHERE owner_id = $3 AND listed_in = 'timeline' AND favourite AND (timeline_at, id) < ($4, $5) \
        AND timeline_at >= $6 ORDER BY timeline_at DESC, id DESC OFFSET $7 LIMIT 1), $6) WHERE $8";

/// The photos of the terms in $1.
pub(super) const SEARCH_TERMS: &str = looking_at!(
    "SELECT DISTINCT entry.timeline_at, entry.photo_id FROM unnest($1::text[]) AS sought (term) CROSS JOIN LATERAL ( \
         SELECT timeline_at, photo_id FROM gallery.photo_term \
         WHERE owner_id = $2 AND term = sought.term AND (timeline_at, photo_id) < ($3, $4) AND timeline_at >= $5 \
         ORDER BY timeline_at DESC, photo_id DESC LIMIT $6) AS entry \
     ORDER BY entry.timeline_at DESC, entry.photo_id DESC LIMIT $6"
);

/// The timeline of $1.
pub(super) const WALK_TIMELINE: &str = looking_at!(
    "SELECT timeline_at, id FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'timeline' \
     AND (timeline_at, id) < ($3, $4) AND timeline_at >= $5 ORDER BY timeline_at DESC, id DESC LIMIT $6"
);

/// The favourites of $1.
pub(super) const WALK_FAVOURITES: &str = looking_at!(
    "SELECT timeline_at, id FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'timeline' AND favourite \
     AND (timeline_at, id) < ($3, $4) AND timeline_at >= $5 ORDER BY timeline_at DESC, id DESC LIMIT $6"
);

/// The visible photos of the albums in $1.
pub(super) const WALK_ALBUMS: &str = looking_at!(
    "SELECT DISTINCT place.timeline_at, place.photo_id FROM unnest($1::uuid[]) AS named (album_id) CROSS JOIN LATERAL ( \
         SELECT timeline_at, photo_id FROM gallery.album_photo \
         WHERE album_id = named.album_id AND visible AND (timeline_at, photo_id) < ($3, $4) AND timeline_at >= $5 \
         ORDER BY timeline_at DESC, photo_id DESC LIMIT $6) AS place \
     ORDER BY place.timeline_at DESC, place.photo_id DESC LIMIT $6"
);

/// The names, as a photo's facts have them, of the types that a query leaves; none if it leaves all.
fn types(query: &SearchQuery) -> Option<Vec<String>> {
    let (wanted, unwanted) = (query.media_types(), query.not_media_types());
    if wanted.is_empty() && unwanted.is_empty() {
        return None;
    }
    let left = MEDIA_TYPES.iter().filter(|name| wanted.is_empty() || wanted.contains(*name));
    Some(left.filter(|name| !unwanted.contains(*name)).map(|name| format!("image/{name}")).collect())
}

/// The first moment of a day of the timeline.
fn start_of(day: Date) -> Timestamp {
    Timestamp::from_utc(day.to_datetime(jiff::civil::Time::midnight()))
}
