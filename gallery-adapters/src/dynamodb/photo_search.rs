//! Search in DynamoDB: where the photos to look at come from, in which order, and how much of that one request reads.
//!
//! Each source streams places of the timeline, latest first: the postings of a clause's terms, the photos of a group of albums by time, the favourites, or
//! the timeline itself. Where several could be walked, the first places of each are read at the same time, and the one is walked whose photos lie farthest
//! apart. A posting says by its line of terms whether its photo may match, so that only such photos are read; the timeline holds copies of its photos.
//! [`SearchQuery::matches`] has the last word.

use std::collections::{HashMap, VecDeque};

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use gallery_domain::ports::{AlbumScope, RepositoryError};
use gallery_domain::search::{IndexPlan, SearchQuery};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{AlbumId, Page, PageRequest, Photo, PhotoCursor, PhotoId, Timestamp, UserId};
use jiff::civil::Date;

use super::DynamoDbStore;
use super::photo_repository::{cursor, one_more, posting};
use super::reading::Query;
use super::rows::{self, text};
use super::table_keys::{self, GAP, Item, Key, List, Table};
use super::term_query;

const OPERATION: &str = "photo search";

/// What one request reads, as a number of postings: some 200 read units.
const BUDGET: usize = 2000;

/// What reading an item by its key costs, in postings.
const COST_OF_AN_ITEM: usize = 8;

/// What reading a copy in the timeline costs, in postings.
const COST_OF_A_COPY: usize = 3;

/// The fewest candidates that are looked at at a time, once the first did not fill the page, and the most.
const CHUNKS: std::ops::RangeInclusive<usize> = 32..=200;

/// How many partitions or terms are asked at the same time.
const AT_ONCE: usize = 16;

/// The fewest entries that are asked for at a time where many streams are merged.
const FEWEST_ENTRIES: usize = 8;

/// The page of photos that a query matches.
pub(super) async fn search(
    store: &DynamoDbStore,
    owner: UserId,
    query: &SearchQuery,
    albums: &AlbumScope,
    page: PageRequest<PhotoCursor>,
) -> Result<Page<Photo, PhotoCursor>, RepositoryError> {
    if albums.within.iter().any(Vec::is_empty) {
        return Ok(Page::empty());
    }
    let wanted = one_more(page.size);
    let search = Search { store, owner, query, plan: query.index_plan(), albums, range: Range::of(query, page.after) };
    let mut source = search.source(wanted).await?;
    let mut found: Vec<Photo> = Vec::with_capacity(wanted);
    let (mut spent, mut chunk, mut last) = (0, wanted, None);
    while found.len() < wanted {
        if spent >= BUDGET {
            return Ok(Page { items: found, next: last });
        }
        let candidates = source.take(&search, chunk).await?;
        let Some(end) = candidates.last() else { break };
        last = Some(end.place);
        let (matching, cost) = search.matching(&source, candidates).await?;
        found.extend(matching);
        spent += cost;
        chunk = (chunk * 2).clamp(*CHUNKS.start(), *CHUNKS.end());
    }
    Ok(Page::from_overfull(found, page.size, Photo::timeline_cursor))
}

/// The part of the timeline that is searched.
#[derive(Clone, Copy, Debug)]
struct Range {
    /// The place behind which it begins.
    after: Option<PhotoCursor>,
    /// The first moment of it.
    from: Timestamp,
}

impl Range {
    fn of(query: &SearchQuery, after: Option<PhotoCursor>) -> Self {
        let taken = query.taken();
        // A page never starts earlier in the list than the query's last day.
        let newest = taken.until.map(|until| PhotoCursor::before(start_of(until)));
        let after = match (after, newest) {
            (Some(after), Some(newest)) if after.precedes(&newest) => Some(newest),
            (after, newest) => after.or(newest),
        };
        Self { after, from: taken.from.map_or(Timestamp::MIN, start_of) }
    }
}

struct Search<'a> {
    store: &'a DynamoDbStore,
    owner: UserId,
    query: &'a SearchQuery,
    plan: IndexPlan,
    albums: &'a AlbumScope,
    range: Range,
}

/// A photo to look at.
struct Candidate {
    place: PhotoCursor,
    /// The line of its terms, if a posting told it.
    line: Option<String>,
    /// Its copy in the timeline.
    copy: Option<Item>,
}

/// What is walked.
#[derive(Clone, Debug)]
enum Walk {
    /// The photos of any of these terms.
    Terms(Vec<String>),
    /// The photos of the albums of this group of the scope.
    Albums(usize, Vec<AlbumId>),
    Favourites,
    Timeline,
}

/// Streams of places, merged.
struct Source {
    walk: Walk,
    streams: Vec<Stream>,
    /// The place that was given last: where streams meet, it comes but once.
    given: Option<PhotoCursor>,
}

/// Places of one partition, or of one term, latest first.
struct Stream {
    query: Query,
    read: VecDeque<Candidate>,
    exhausted: bool,
}

impl Search<'_> {
    /// The source with the fewest candidates, as far as the first of each tell.
    async fn source(&self, wanted: usize) -> Result<Source, RepositoryError> {
        let clauses = self.plan.all.iter();
        let clauses = clauses.map(|clause| term_query::terms_to_drive_from(self.store, OPERATION, self.owner, clause));
        let terms = try_join_all(clauses).await?;
        let mut walks: Vec<Walk> = terms.into_iter().flatten().map(Walk::Terms).collect();
        walks.extend(self.albums.within.iter().cloned().enumerate().map(|(group, albums)| Walk::Albums(group, albums)));
        walks.extend((self.query.favourite() == Some(true)).then_some(Walk::Favourites));
        let mut sources: Vec<Source> = walks.into_iter().map(|walk| Source::new(self, walk)).collect();
        match sources.len() {
            0 => return Ok(Source::new(self, Walk::Timeline)),
            1 => return Ok(sources.swap_remove(0)),
            _ => {}
        }
        try_join_all(sources.iter_mut().map(|source| source.fill(self, wanted))).await?;
        let newest = sources.iter().filter_map(Source::first).max_by_key(|place| place.at);
        let newest = newest.map_or(self.range.from, |place| place.at);
        let sparsest = (0..sources.len()).min_by(|a, b| {
            sources[*a].density(newest, self.range.from).total_cmp(&sources[*b].density(newest, self.range.from))
        });
        Ok(sources.swap_remove(sparsest.unwrap_or(0)))
    }

    /// The query for a stream whose sort keys are places behind a prefix.
    fn stream(&self, partition: String, prefix: &str) -> Query {
        let from = table_keys::place_of_time(self.range.from);
        let until = match self.range.after {
            Some(after) => table_keys::before_place(after.at, after.id.as_uuid()),
            // Behind every digit.
            None => "~".to_owned(),
        };
        let (from, until) = (format!("{prefix}{from}"), format!("{prefix}{until}"));
        // Nothing lies within a range that ends before it begins, and DynamoDB does not want to be asked for it.
        let until = until.max(from.clone());
        Query::new(Table::Index, None, "#PK = :partition AND #SK BETWEEN :from AND :until")
            .value(":partition", text(partition))
            .value(":from", text(from))
            .value(":until", text(until))
            .backward()
    }

    /// Those of the candidates that the query matches, and what it cost to tell.
    async fn matching(
        &self,
        source: &Source,
        candidates: Vec<Candidate>,
    ) -> Result<(Vec<Photo>, usize), RepositoryError> {
        let is_timeline = matches!(source.walk, Walk::Timeline);
        let mut cost = candidates.len() * if is_timeline { COST_OF_A_COPY } else { 1 };
        let may_match =
            |candidate: &Candidate| candidate.line.as_ref().is_none_or(|line| term_query::admits(&self.plan, line));
        let candidates: Vec<Candidate> = candidates.into_iter().filter(may_match).collect();
        let (places, copies): (Vec<PhotoCursor>, Vec<Option<Item>>) =
            candidates.into_iter().map(|candidate| (candidate.place, candidate.copy)).unzip();
        let items = if is_timeline {
            copies
        } else {
            let ids: Vec<PhotoId> = places.iter().map(|place| place.id).collect();
            cost += ids.len() * COST_OF_AN_ITEM;
            self.store.photos(OPERATION, self.owner, &ids).await?
        };
        let mut matching = Vec::new();
        for (place, item) in places.into_iter().zip(items) {
            let Some(item) = item else { continue };
            let photo = rows::photo(&item)?;
            // A posting or an entry may be left over from where the photo stood before.
            if photo.timeline_cursor() == place && self.matches(&photo, &item)? {
                matching.push(photo);
            }
        }
        cost += self.keep_those_in_scope(source, &mut matching).await?;
        Ok((matching, cost))
    }

    fn matches(&self, photo: &Photo, item: &Item) -> Result<bool, RepositoryError> {
        let Some(facts) = photo.facts().filter(|_| photo.is_visible()) else { return Ok(false) };
        let media_type = facts.media_type.short_name();
        let day = photo.timeline_instant().to_utc().date();
        // Many a filter asks for no terms.
        let asks_for_terms = !self.query.all().is_empty() || !self.query.none().is_empty();
        let terms = if asks_for_terms { rows::terms(item)? } else { PhotoTerms::default() };
        Ok(self.query.matches_but_for_albums(&terms, photo.details.favourite, media_type, day))
    }

    /// Drops photos outside the scope of albums; what it cost to tell.
    async fn keep_those_in_scope(&self, source: &Source, photos: &mut Vec<Photo>) -> Result<usize, RepositoryError> {
        let walked = match &source.walk {
            Walk::Albums(group, _) => Some(*group),
            _ => None,
        };
        let others = self.albums.within.iter().enumerate().filter(|(group, _)| Some(*group) != walked);
        let groups: Vec<&[AlbumId]> = others.map(|(_, group)| &**group).collect();
        let named = || groups.iter().copied().flatten().chain(&self.albums.outside);
        let pairs: Vec<(PhotoId, AlbumId)> =
            photos.iter().flat_map(|photo| named().map(|album| (photo.id, *album))).collect();
        if pairs.is_empty() {
            return Ok(0);
        }
        let keys: Vec<Key> =
            pairs.iter().map(|(photo, album)| table_keys::membership(self.owner, *photo, *album)).collect();
        let items = self.store.get_many(OPERATION, &keys).await?;
        let standing: HashMap<(PhotoId, AlbumId), bool> =
            pairs.into_iter().zip(items.iter().map(Option::is_some)).collect();
        photos.retain(|photo| {
            let stands_in = |album: &AlbumId| standing.get(&(photo.id, *album)).is_some_and(|stands| *stands);
            groups.iter().all(|group| group.iter().any(stands_in)) && !self.albums.outside.iter().any(stands_in)
        });
        Ok(keys.len() * COST_OF_AN_ITEM)
    }
}

impl Source {
    fn new(search: &Search<'_>, walk: Walk) -> Self {
        let owner = search.owner;
        let queries: Vec<Query> = match &walk {
            Walk::Terms(terms) => {
                let postings = |term: &String| search.stream(table_keys::postings_of(owner), &format!("{term}{GAP}"));
                terms.iter().map(postings).collect()
            }
            Walk::Albums(_, albums) => {
                let mut albums = albums.clone();
                albums.sort_unstable();
                albums.dedup();
                albums.iter().map(|album| search.stream(table_keys::times_of(owner, *album), "")).collect()
            }
            Walk::Favourites => vec![search.stream(List::Favourites.of(owner), "")],
            Walk::Timeline => vec![search.stream(List::Timeline.of(owner), "")],
        };
        let streams =
            queries.into_iter().map(|query| Stream { query, read: VecDeque::new(), exhausted: false }).collect();
        Self { walk, streams, given: None }
    }

    /// The next candidates, at most so many; none at the end.
    async fn take(&mut self, search: &Search<'_>, limit: usize) -> Result<Vec<Candidate>, RepositoryError> {
        let mut taken: Vec<Candidate> = Vec::new();
        while taken.len() < limit {
            // Only when it is known of each stream what comes next, is the latest of all known.
            if self.streams.iter().any(|stream| stream.read.is_empty() && !stream.exhausted) {
                self.fill(search, limit - taken.len()).await?;
            }
            let latest = self
                .streams
                .iter_mut()
                .filter(|stream| !stream.read.is_empty())
                .max_by_key(|stream| stream.read.front().map(|candidate| (candidate.place.at, candidate.place.id)));
            let Some(candidate) = latest.and_then(|stream| stream.read.pop_front()) else {
                // A stream may have read nothing and still not be at its end.
                if self.streams.iter().all(|stream| stream.exhausted) {
                    break;
                }
                continue;
            };
            if self.given.replace(candidate.place) != Some(candidate.place) {
                taken.push(candidate);
            }
        }
        Ok(taken)
    }

    /// Reads on in each stream of which it is not known what comes next.
    async fn fill(&mut self, search: &Search<'_>, limit: usize) -> Result<(), RepositoryError> {
        let entries = match self.streams.len() {
            0 | 1 => limit,
            merged => (limit * 2 / merged).max(FEWEST_ENTRIES).min(limit),
        };
        let mut readings = Vec::new();
        for stream in &mut self.streams {
            if stream.read.is_empty() && !stream.exhausted {
                readings.push(stream.read_on(search, &self.walk, entries));
            }
        }
        stream::iter(readings).buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    fn first(&self) -> Option<PhotoCursor> {
        self.streams
            .iter()
            .filter_map(|stream| stream.read.front())
            .map(|candidate| candidate.place)
            .max_by_key(|place| place.at)
    }

    /// How many candidates there are in a millisecond, as far as those that were read tell.
    fn density(&self, newest: Timestamp, from: Timestamp) -> f64 {
        // Up to there every stream was read.
        let reached = self.streams.iter().filter(|stream| !stream.exhausted);
        let reached = reached.filter_map(|stream| stream.read.back()).map(|last| last.place.at).max().unwrap_or(from);
        let places = self.streams.iter().flat_map(|stream| &stream.read);
        let count = places.filter(|candidate| candidate.place.at >= reached).count();
        count as f64 / (newest.since(reached).as_millis() as f64 + 1.0)
    }
}

impl Stream {
    async fn read_on(&mut self, search: &Search<'_>, walk: &Walk, entries: usize) -> Result<(), RepositoryError> {
        let answer = search.store.query(OPERATION, &self.query.clone().limit(entries)).await?;
        for item in answer.items {
            let candidate = match walk {
                Walk::Terms(_) => {
                    let place = posting(&item)?.1;
                    let line = item.get("Terms").and_then(|line| line.as_s().ok()).cloned();
                    Candidate { place, line, copy: None }
                }
                Walk::Albums(..) | Walk::Favourites => Candidate { place: cursor(&item)?, line: None, copy: None },
                Walk::Timeline => Candidate { place: cursor(&item)?, line: None, copy: Some(item) },
            };
            self.read.push_back(candidate);
        }
        self.exhausted = answer.next.is_none();
        self.query = self.query.clone().after(answer.next);
        Ok(())
    }
}

/// The first moment of a day of the timeline.
fn start_of(day: Date) -> Timestamp {
    Timestamp::from_utc(day.to_datetime(jiff::civil::Time::midnight()))
}
