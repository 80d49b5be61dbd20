//! The search language: what a person types, what it means, and what of it an index can answer.
//!
//! # The language
//!
//! | clause | finds photos |
//! |---|---|
//! | `sunset beach` | with all of the words, in title, description, tags or file name |
//! | `bea*` | with a word that starts so. The last word of a query, if plain and not quoted, is always taken so: a person may still be typing it. A space after it changes nothing, as nobody sees one |
//! | `"new york"` | with all the words between the quotes, whole; a word in quotes is never the beginning of one |
//! | `lake OR sea` | with either; `OR` binds tighter than the space between clauses: `a b OR c` is a and (b or c) |
//! | `-blurred` | without the word; before `"…"`, without all the words at once. Also before every clause below |
//! | `tag:beach`, `tag:"new york"`, `tag:bea*` | with exactly this tag, or with one that starts so |
//! | `title:lake`, `description:"new york"`, `title:la*` | with all the words in the title, or in the description |
//! | `before:2024`, `before:2024-06`, `before:2024-06-15` | taken earlier than the first day of that time |
//! | `after:2024`, `after:2024-06`, `after:2024-06-15` | taken on the first day of that time or later, so that `after:2024-06 before:2024-07` is June |
//! | `in:Holidays`, `in:"Summer 2024"` | in the album of this title or id; more than one: in all of them |
//! | `is:favourite` (or `favorite`) | marked as a favourite |
//! | `type:jpeg` (or `jpg`, `png`, `webp`, `gif`, `heic`) | of this type; more than one, with or without `OR`: of any of them |
//!
//! - `OR` joins words, `tag:`, `title:` and `description:` in any mixture, or `type:` with `type:`; nothing else.
//! - A word that the [terms](crate::terms) cut into several, such as `état-major` or 東京都, asks for all of them.
//! - The extension of a photo's file after a plain word is passed over, since photos are indexed without: `IMG_1234.jpg` is `IMG_1234`.
//! - `name:` with another name than those above is no field; `12:30` is two words. Punctuation alone is passed over.
//! - Between quotes, `\"` is a quote and `\\` a backslash. Typographic quotes serve as well.
//! - A query has at most [`MAX_QUERY_CHARS`] characters, [`MAX_CLAUSES`] clauses and [`MAX_QUERY_TERMS`] terms.
//!
//! # For stores
//!
//! A store answers [`SearchQuery::index_plan`] from its index of [`PhotoTerms::all`], narrows by whatever columns it has, and drops
//! what [`SearchQuery::matches`] refuses. The plan never loses a photo that matches.
//!
//! That holds while the index says of every photo just what its terms are. If it may lag behind the photos, it may say too much in
//! [`IndexPlan::all`], as `matches` has the last word on that; but it must not leave out a term that a photo has got, and must not be
//! asked for [`IndexPlan::none`]: a posting that is left of a removed tag would hide the photo from those who exclude the tag.
//!
//! ```
//! use gallery_domain::search::SearchQuery;
//! use gallery_domain::terms::PhotoTerms;
//! use jiff::civil::date;
//!
//! let query = SearchQuery::parse("lake OR sea tag:holidays -title:draft after:2024").expect("a good query");
//! let photo = PhotoTerms::of("By the lake", "", ["Holidays"].into_iter(), "IMG_1234");
//! assert!(query.matches(&photo, false, "jpeg", date(2024, 6, 15), |_album| false));
//! assert!(!query.matches(&photo, false, "jpeg", date(2023, 6, 15), |_album| false));
//! assert_eq!(query.to_string(), "lake OR sea tag:holidays -title:draft after:2024-01-01");
//! ```

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;

use crate::terms::{PhotoTerms, Term, fold, sought_words, tag_key};

/// The most characters of a query, as it is typed and in its [canonical form](SearchQuery#canonical-form).
pub const MAX_QUERY_CHARS: usize = 500;

/// The most clauses of a query; each alternative of an `OR` is one.
pub const MAX_CLAUSES: usize = 20;

/// The most terms a query asks for or excludes. Only languages without spaces come near, as their text is sought by pairs of characters.
pub const MAX_QUERY_TERMS: usize = 40;

/// The short names of types that `type:` knows.
pub const MEDIA_TYPES: [&str; 5] = ["gif", "heic", "jpeg", "png", "webp"];

/// A parsed query: conditions that all have to hold.
///
/// # Canonical form
///
/// `Display` writes a query so that it parses back to the same query, in a spelling that says all that the parser understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    all: Vec<AnyOf>,
    none: Vec<Vec<Atom>>,
    taken: DateRange,
    albums: Vec<String>,
    not_albums: Vec<String>,
    favourite: Option<bool>,
    media_types: BTreeSet<&'static str>,
    not_media_types: BTreeSet<&'static str>,
}

/// Alternatives, of which one has to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnyOf {
    /// Each holds when all of its atoms do. Neither list is ever empty.
    pub alternatives: Vec<Vec<Atom>>,
}

/// One term that a photo may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Atom {
    /// The term; for [`Field::Tag`], with its `#`.
    pub term: Term,
    /// Whether a longer term that starts with it will do.
    pub prefix: bool,
    /// Where the term has to stand.
    pub field: Field,
}

/// Where a term has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// As a word, anywhere.
    Any,
    /// As a word of the title.
    Title,
    /// As a word of the description.
    Description,
    /// As a tag.
    Tag,
}

/// Days from `from` on and before `until`; open where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DateRange {
    /// The first day.
    pub from: Option<Date>,
    /// The day after the last.
    pub until: Option<Date>,
}

impl DateRange {
    /// Whether a day lies within.
    pub fn contains(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day < until)
    }
}

/// What of a query an index of [`PhotoTerms::all`] can answer.
///
/// A photo that [matches](SearchQuery::matches) the query is always [admitted](Self::admits), so a store may look at nothing else. An
/// admitted photo need not match.
///
/// For FTS5, an [`IndexTerm`] is a quoted string, with `*` after it for a prefix; for PostgreSQL, a quoted lexeme, with `:*`; each
/// level of lists is joined by the operators for and, or, and. For a store of postings, a clause with one alternative is a list to
/// drive from or to intersect with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexPlan {
    /// Clauses that all have to hold; of each clause, one alternative; of the alternative, all terms. Empty where the query asks for
    /// no term: then the timeline has to be walked, whatever is in `none`.
    pub all: Vec<Vec<Vec<IndexTerm>>>,
    /// Photos that have all terms of one of these are out. Exclusions within a title or a description are not here: the index does
    /// not know where a word stands.
    pub none: Vec<Vec<IndexTerm>>,
}

/// A term to look up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IndexTerm {
    /// The term.
    pub term: Term,
    /// Whether every term that starts with it is meant.
    pub prefix: bool,
}

impl IndexPlan {
    /// Whether a photo of these terms is in the plan's answer.
    pub fn admits(&self, terms: &PhotoTerms) -> bool {
        let has_all =
            |wanted: &Vec<IndexTerm>| wanted.iter().all(|wanted| has(terms.all(), &wanted.term, wanted.prefix));
        self.all.iter().all(|clause| clause.iter().any(has_all)) && !self.none.iter().any(has_all)
    }
}

impl Atom {
    /// Whether a photo of these terms has it.
    pub fn holds(&self, terms: &PhotoTerms) -> bool {
        let among = match self.field {
            Field::Any | Field::Tag => terms.all(),
            Field::Title => terms.in_title(),
            Field::Description => terms.in_description(),
        };
        has(among, &self.term, self.prefix)
    }

    fn for_index(&self) -> IndexTerm {
        IndexTerm { term: self.term.clone(), prefix: self.prefix }
    }
}

impl SearchQuery {
    /// Parses what a person typed, in the [language](self) of this module.
    ///
    /// ```
    /// use gallery_domain::search::SearchQuery;
    ///
    /// let query = SearchQuery::parse("Café tag:\"New York\" sun").expect("a good query");
    /// assert_eq!(query.to_string(), "cafe tag:\"new york\" sun*");
    ///
    /// let refused = SearchQuery::parse("lake before:June").expect_err("not a date");
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "before: does not understand its value: write a year, a month or a day, such as 2024, 2024-06 or 2024-06-15 (at character 6)"
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().nth(MAX_QUERY_CHARS).is_some() {
            return Err(QueryProblem::TooLong.at(MAX_QUERY_CHARS));
        }
        let mut query = Self::default();
        for chain in chains(text)? {
            query.add(chain)?;
        }
        if query == Self::default() {
            return Err(QueryProblem::Empty.at(0));
        }
        let terms = query.all.iter().flat_map(|any| &any.alternatives).chain(&query.none).flatten();
        if terms.count() > MAX_QUERY_TERMS {
            return Err(QueryProblem::TooManyTerms.at(0));
        }
        if query.to_string().chars().nth(MAX_QUERY_CHARS).is_some() {
            return Err(QueryProblem::TooLong.at(0));
        }
        Ok(query)
    }

    /// What a photo must have: one alternative of each.
    pub fn all(&self) -> &[AnyOf] {
        &self.all
    }

    /// What a photo must not have: all atoms of any of these. None of the lists is empty.
    pub fn none(&self) -> &[Vec<Atom>] {
        &self.none
    }

    /// The days on which a photo must have been taken, by the calendar of the timeline.
    pub fn taken(&self) -> DateRange {
        self.taken
    }

    /// The values of `in:`, as they were written: titles or ids of albums. A photo must be in all.
    pub fn albums(&self) -> &[String] {
        &self.albums
    }

    /// The values of `-in:`. A photo must be in none.
    pub fn not_albums(&self) -> &[String] {
        &self.not_albums
    }

    /// Whether a photo must be a favourite, or must not.
    pub fn favourite(&self) -> Option<bool> {
        self.favourite
    }

    /// The [short names](MEDIA_TYPES) of which a photo's type must be one, unless there are none.
    pub fn media_types(&self) -> &BTreeSet<&'static str> {
        &self.media_types
    }

    /// The [short names](MEDIA_TYPES) of which a photo's type must be none.
    pub fn not_media_types(&self) -> &BTreeSet<&'static str> {
        &self.not_media_types
    }

    /// Whether a photo is found by this query. This is what a search means; every store's answer has to agree with it.
    ///
    /// `media_type` is a short name such as `jpeg`; `day`, the day of the timeline it stands on; `in_album` tells whether the photo
    /// stands in an album that a value of `in:` names.
    pub fn matches(
        &self,
        terms: &PhotoTerms,
        favourite: bool,
        media_type: &str,
        day: Date,
        in_album: impl Fn(&str) -> bool,
    ) -> bool {
        self.matches_but_for_albums(terms, favourite, media_type, day)
            && self.albums.iter().all(|album| in_album(album))
            && !self.not_albums.iter().any(|album| in_album(album))
    }

    /// As [`matches`](Self::matches), for a store that has looked after `in:` and `-in:` itself.
    pub fn matches_but_for_albums(&self, terms: &PhotoTerms, favourite: bool, media_type: &str, day: Date) -> bool {
        let holds = |atoms: &Vec<Atom>| atoms.iter().all(|atom| atom.holds(terms));
        self.favourite.is_none_or(|wanted| wanted == favourite)
            && (self.media_types.is_empty() || self.media_types.contains(media_type))
            && !self.not_media_types.contains(media_type)
            && self.taken.contains(day)
            && self.all.iter().all(|any| any.alternatives.iter().any(holds))
            && !self.none.iter().any(holds)
    }

    /// What of it an index of terms can answer.
    ///
    /// ```
    /// use gallery_domain::search::SearchQuery;
    ///
    /// let plan = SearchQuery::parse("title:lake sea OR \"new york\" -tag:draft -title:old is:favourite")
    ///     .expect("a good query")
    ///     .index_plan();
    /// let terms = |terms: &Vec<gallery_domain::search::IndexTerm>| {
    ///     terms.iter().map(|sought| sought.term.to_string()).collect::<Vec<_>>()
    /// };
    /// let all: Vec<Vec<_>> = plan.all.iter().map(|clause| clause.iter().map(terms).collect()).collect();
    /// assert_eq!(all, [vec![vec!["lake"]], vec![vec!["sea"], vec!["new", "york"]]]);
    /// assert_eq!(plan.none.iter().map(terms).collect::<Vec<_>>(), [["#draft"]]);
    /// ```
    pub fn index_plan(&self) -> IndexPlan {
        let for_index = |atoms: &Vec<Atom>| atoms.iter().map(Atom::for_index).collect::<Vec<_>>();
        let mut plan = IndexPlan::default();
        for any in &self.all {
            match &any.alternatives[..] {
                // All terms of a lone alternative are clauses of their own, so that a store may drive from the rarest.
                [atoms] => {
                    for atom in atoms {
                        add_once(&mut plan.all, vec![vec![atom.for_index()]]);
                    }
                }
                alternatives => {
                    let mut clause = Vec::new();
                    for atoms in alternatives {
                        add_once(&mut clause, for_index(atoms));
                    }
                    add_once(&mut plan.all, clause);
                }
            }
        }
        for atoms in &self.none {
            if atoms.iter().all(|atom| matches!(atom.field, Field::Any | Field::Tag)) {
                add_once(&mut plan.none, for_index(atoms));
            }
        }
        plan
    }

    /// Adds the clauses that an `OR` joined, or one clause.
    fn add(&mut self, chain: Vec<Clause>) -> Result<(), QueryError> {
        let joined = chain.len() > 1;
        let (mut phrases, mut types, mut others) = (Vec::new(), Vec::new(), None);
        for clause in &chain {
            match &clause.condition {
                _ if joined && clause.negated => others = Some(clause.position),
                Condition::Phrase(atoms) if !clause.negated => phrases.push(atoms),
                Condition::MediaType(name) if !clause.negated => types.push(name),
                _ if joined => others = Some(clause.position),
                _ => {}
            }
        }
        let mixed = !phrases.is_empty() && !types.is_empty();
        if let Some(position) = others.or(mixed.then(|| chain[0].position)) {
            return Err(QueryProblem::NotInOr.at(position));
        }

        let mut alternatives = Vec::new();
        for clause in chain {
            let Clause { condition, negated, position } = clause;
            match (condition, negated) {
                // Punctuation alone asks for nothing.
                (Condition::Phrase(atoms), _) if atoms.is_empty() => {}
                (Condition::Phrase(atoms), false) => add_once(&mut alternatives, atoms),
                (Condition::Phrase(atoms), true) => add_once(&mut self.none, atoms),
                (Condition::MediaType(name), false) => {
                    self.media_types.insert(name);
                }
                (Condition::MediaType(name), true) => {
                    self.not_media_types.insert(name);
                }
                (Condition::Album(album), false) => add_once(&mut self.albums, album),
                (Condition::Album(album), true) => add_once(&mut self.not_albums, album),
                // What is not before a day is on it or after it.
                (Condition::Before(day), false) | (Condition::After(day), true) => {
                    let until = self.taken.until.map_or(day, |until| until.min(day));
                    self.taken.until = Some(until);
                }
                (Condition::After(day), false) | (Condition::Before(day), true) => {
                    self.taken.from = self.taken.from.max(Some(day));
                }
                (Condition::Favourite, _) => {
                    if self.favourite == Some(negated) {
                        return Err(QueryProblem::Contradiction.at(position));
                    }
                    self.favourite = Some(!negated);
                }
            }
        }
        if !alternatives.is_empty() {
            add_once(&mut self.all, AnyOf { alternatives });
        }
        Ok(())
    }
}

impl fmt::Display for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for any in &self.all {
            let alternatives: Vec<String> = any.alternatives.iter().map(|atoms| written(atoms, false)).collect();
            parts.push(alternatives.join(" OR "));
        }
        parts.extend(self.none.iter().map(|atoms| format!("-{}", written(atoms, false))));
        parts.extend(self.albums.iter().map(|album| format!("in:{}", quoted(album))));
        parts.extend(self.not_albums.iter().map(|album| format!("-in:{}", quoted(album))));
        match self.favourite {
            Some(true) => parts.push("is:favourite".to_owned()),
            Some(false) => parts.push("-is:favourite".to_owned()),
            None => {}
        }
        parts.extend(self.media_types.iter().map(|name| format!("type:{name}")));
        parts.extend(self.not_media_types.iter().map(|name| format!("-type:{name}")));
        parts.extend(self.taken.from.map(|day| format!("after:{day}")));
        parts.extend(self.taken.until.map(|day| format!("before:{day}")));

        // A bare word at the end would be read as the beginning of one.
        if let (Some(last), Some(any)) = (self.all.len().checked_sub(1), self.all.last())
            && parts.len() == self.all.len()
            && let Some((closing, before)) = any.alternatives.split_last()
        {
            let mut alternatives: Vec<String> = before.iter().map(|atoms| written(atoms, false)).collect();
            alternatives.push(written(closing, true));
            parts[last] = alternatives.join(" OR ");
        }
        f.write_str(&parts.join(" "))
    }
}

/// Why a query was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (at character {position})")]
pub struct QueryError {
    problem: QueryProblem,
    position: usize,
}

impl QueryError {
    /// What is wrong; its `Display` says it without the position.
    pub fn problem(&self) -> &QueryProblem {
        &self.problem
    }

    /// The character at which it is wrong, counted from 1.
    pub fn position(&self) -> usize {
        self.position
    }
}

/// What can be wrong with a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QueryProblem {
    /// Nothing is asked for.
    #[error("the query asks for nothing: give at least one word, such as beach, or a filter, such as is:favourite")]
    Empty,
    /// More than [`MAX_QUERY_CHARS`].
    #[error("the query is longer than {MAX_QUERY_CHARS} characters: leave out some words")]
    TooLong,
    /// More than [`MAX_CLAUSES`].
    #[error("the query has more than {MAX_CLAUSES} words and filters: leave some out")]
    TooManyClauses,
    /// More than [`MAX_QUERY_TERMS`].
    #[error("the query comes to more than {MAX_QUERY_TERMS} words and pairs of characters: shorten it")]
    TooManyTerms,
    /// A quote is opened and not closed.
    #[error("this quote is never closed: add a \" at the end of the quoted words")]
    UnterminatedQuote,
    /// A field without a value.
    #[error("{field}: has no value: write it right after the colon; to look for the word itself, put it in quotes")]
    MissingValue {
        /// The field's name.
        field: &'static str,
    },
    /// A field with a value that it does not know.
    #[error("{field}: does not understand its value: write {expected}")]
    UnknownValue {
        /// The field's name.
        field: &'static str,
        /// What it understands.
        expected: &'static str,
    },
    /// `OR` without something on both sides.
    #[error("OR needs a word on both sides, as in lake OR sea; to look for the word itself, put it in quotes")]
    DanglingOr,
    /// `OR` with something that it does not join.
    #[error(
        "OR joins words, tag:, title: and description:, or type: with type:, and nothing that is excluded: search for one after the other"
    )]
    NotInOr,
    /// Favourites and others at once.
    #[error("a photo cannot be a favourite and none: leave out one of the two")]
    Contradiction,
}

impl QueryProblem {
    /// The error at an index into the characters.
    fn at(self, index: usize) -> QueryError {
        QueryError { problem: self, position: index + 1 }
    }
}

/// A clause as it stands in the text.
struct Clause {
    condition: Condition,
    negated: bool,
    /// An index into the characters.
    position: usize,
}

enum Condition {
    /// All of the atoms; none if the text had no word.
    Phrase(Vec<Atom>),
    MediaType(&'static str),
    Album(String),
    Before(Date),
    After(Date),
    Favourite,
}

/// The fields by name; the names are folded.
const FIELDS: [&str; 8] = ["tag", "title", "description", "before", "after", "in", "is", "type"];

/// Extensions of photos' files, which no term keeps.
const EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "heic", "heif"];

/// The clauses of a text, in groups that `OR` joins.
fn chains(text: &str) -> Result<Vec<Vec<Clause>>, QueryError> {
    let mut reader = Reader { characters: text.chars().collect(), next: 0 };
    let mut chains: Vec<Vec<Clause>> = Vec::new();
    let (mut clauses, mut pending_or) = (0, None);
    while reader.skip_gap() {
        let position = reader.next;
        if reader.takes_or() {
            if chains.is_empty() || pending_or.is_some() {
                return Err(QueryProblem::DanglingOr.at(position));
            }
            pending_or = Some(position);
            continue;
        }
        clauses += 1;
        if clauses > MAX_CLAUSES {
            return Err(QueryProblem::TooManyClauses.at(position));
        }
        let clause = reader.clause()?;
        match (pending_or.take(), chains.last_mut()) {
            (Some(_), Some(chain)) => chain.push(clause),
            _ => chains.push(vec![clause]),
        }
    }
    match pending_or {
        Some(position) => Err(QueryProblem::DanglingOr.at(position)),
        None => Ok(chains),
    }
}

struct Reader {
    characters: Vec<char>,
    next: usize,
}

impl Reader {
    /// Passes over white space; whether anything follows.
    fn skip_gap(&mut self) -> bool {
        while self.peek().is_some_and(is_gap) {
            self.next += 1;
        }
        self.peek().is_some()
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.next).copied()
    }

    /// Passes over the next character if it is such a one.
    fn takes(&mut self, such: impl Fn(char) -> bool) -> bool {
        let takes = self.peek().is_some_and(such);
        self.next += usize::from(takes);
        takes
    }

    fn takes_or(&mut self) -> bool {
        let rest = &self.characters[self.next..];
        let takes = rest.starts_with(&['O', 'R']) && rest.get(2).copied().is_none_or(is_gap);
        self.next += if takes { 2 } else { 0 };
        takes
    }

    fn clause(&mut self) -> Result<Clause, QueryError> {
        let position = self.next;
        let negated = self.takes(|c| matches!(c, '-' | '\u{2212}' | '\u{FF0D}'));
        let condition = match self.takes_field() {
            Some(field) => self.condition(field, position)?,
            None => self.plain(negated)?,
        };
        Ok(Clause { condition, negated, position })
    }

    /// Passes over the name of a field and its colon.
    fn takes_field(&mut self) -> Option<&'static str> {
        let rest = &self.characters[self.next..];
        let colon = rest.iter().position(|&c| is_colon(c) || is_gap(c))?;
        if !is_colon(rest[colon]) {
            return None;
        }
        let name = fold(&rest[..colon].iter().collect::<String>());
        let field = FIELDS.into_iter().find(|field| *field == name)?;
        self.next += colon + 1;
        Some(field)
    }

    /// Words without a field.
    fn plain(&mut self, negated: bool) -> Result<Condition, QueryError> {
        let value = self.value()?;
        // A word with its extension is complete.
        if !value.quoted
            && let Some((stem, extension)) = value.text.rsplit_once('.')
            && EXTENSIONS.contains(&fold(extension).as_str())
        {
            let atoms = phrase(stem, value.prefix, Field::Any);
            if !atoms.is_empty() {
                return Ok(Condition::Phrase(atoms));
            }
        }
        let unfinished = !value.quoted && !negated && !self.skip_gap();
        Ok(Condition::Phrase(phrase(&value.text, value.prefix || unfinished, Field::Any)))
    }

    fn condition(&mut self, field: &'static str, position: usize) -> Result<Condition, QueryError> {
        let value = self.value()?;
        let text = value.text.trim();
        let missing = || QueryProblem::MissingValue { field }.at(position);
        if text.is_empty() {
            return Err(missing());
        }
        let expected = match field {
            "before" | "after" => "a year, a month or a day, such as 2024, 2024-06 or 2024-06-15",
            "in" => "the whole title of an album, in quotes if it has spaces, or its id",
            "is" => "is:favourite",
            _ => "jpeg, png, webp, gif or heic",
        };
        let unknown = || QueryProblem::UnknownValue { field, expected }.at(position);
        if value.prefix && !matches!(field, "tag" | "title" | "description") {
            return Err(unknown());
        }
        let day = || first_day(text).ok_or_else(unknown);
        let words = |field| match phrase(text, value.prefix, field) {
            atoms if atoms.is_empty() => Err(missing()),
            atoms => Ok(Condition::Phrase(atoms)),
        };
        match field {
            "tag" => match tag_key(text) {
                key if key.is_empty() => Err(missing()),
                key => {
                    Ok(Condition::Phrase(vec![Atom { term: Term::tag(&key), prefix: value.prefix, field: Field::Tag }]))
                }
            },
            "title" => words(Field::Title),
            "description" => words(Field::Description),
            "before" => Ok(Condition::Before(day()?)),
            "after" => Ok(Condition::After(day()?)),
            "in" => Ok(Condition::Album(text.to_owned())),
            "is" => match fold(text).as_str() {
                "favourite" | "favorite" => Ok(Condition::Favourite),
                _ => Err(unknown()),
            },
            _ => {
                let folded = fold(text);
                let name = match folded.as_str() {
                    "jpg" => "jpeg",
                    "heif" => "heic",
                    name => name,
                };
                let known = MEDIA_TYPES.into_iter().find(|known| *known == name);
                known.map(Condition::MediaType).ok_or_else(unknown)
            }
        }
    }

    /// A quoted text, or all up to the next white space; with the stars that follow it.
    fn value(&mut self) -> Result<Value, QueryError> {
        let start = self.next;
        let Some(quote) = self.peek().filter(|&c| is_quote(c)) else {
            while self.takes(|c| !is_gap(c)) {}
            let text: String = self.characters[start..self.next].iter().collect();
            let bare = text.trim_end_matches(is_star);
            return Ok(Value { prefix: bare.len() < text.len(), text: bare.to_owned(), quoted: false });
        };
        self.next += 1;
        let mut text = String::new();
        loop {
            let c = self.peek().ok_or_else(|| QueryProblem::UnterminatedQuote.at(start))?;
            self.next += 1;
            let escaped = self.peek().filter(|&next| c == '\\' && matches!(next, '"' | '\\'));
            match escaped {
                Some(escaped) => {
                    self.next += 1;
                    text.push(escaped);
                }
                // Straight quotes are closed by a straight one only, so that they may hold all others.
                None if c == '"' || quote != '"' && is_quote(c) => break,
                None if c.is_control() => text.push(' '),
                None => text.push(c),
            }
        }
        let mut prefix = false;
        while self.takes(is_star) {
            prefix = true;
        }
        Ok(Value { text, quoted: true, prefix })
    }
}

struct Value {
    text: String,
    quoted: bool,
    /// Whether a star followed.
    prefix: bool,
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn is_colon(c: char) -> bool {
    matches!(c, ':' | '\u{FF1A}')
}

fn is_star(c: char) -> bool {
    matches!(c, '*' | '\u{FF0A}')
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{201F}' | '\u{FF02}')
}

fn phrase(text: &str, prefix: bool, field: Field) -> Vec<Atom> {
    let mut atoms = Vec::new();
    for sought in sought_words(text, prefix) {
        let (term, prefix) = (Term::word(sought.word), sought.prefix);
        add_once(&mut atoms, Atom { term, prefix, field });
    }
    atoms
}

/// The first day of a year, a month or a day.
fn first_day(text: &str) -> Option<Date> {
    let folded = fold(text);
    let mut parts = folded.split('-');
    let mut number = |digits: usize| match parts.next() {
        None => Some(None),
        Some(part) if part.len() == digits && part.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Some(part.parse::<i16>().ok()?))
        }
        Some(_) => None,
    };
    let (year, month, day) = (number(4)??, number(2)?.unwrap_or(1), number(2)?.unwrap_or(1));
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Whether an ascending list has a term, or with `prefix` one that starts with it.
fn has(ascending: &[Term], term: &Term, prefix: bool) -> bool {
    let first = ascending.partition_point(|other| other < term);
    ascending.get(first).is_some_and(|other| other == term || prefix && other.as_str().starts_with(term.as_str()))
}

fn add_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// The clause that is parsed to these atoms; `closing` if nothing follows it.
fn written(atoms: &[Atom], closing: bool) -> String {
    let field = match atoms.first().map_or(Field::Any, |atom| atom.field) {
        Field::Any => "",
        Field::Title => "title:",
        Field::Description => "description:",
        Field::Tag => "tag:",
    };
    let words: Vec<&str> = atoms
        .iter()
        .map(|atom| match atom.field {
            Field::Tag => atom.term.as_str().trim_start_matches('#'),
            _ => atom.term.as_str(),
        })
        .collect();
    let text = words.join(" ");
    let prefix = atoms.last().is_some_and(|atom| atom.prefix);
    let bare = text.chars().all(char::is_alphanumeric) && (prefix || !closing || !field.is_empty());
    let text = if bare { text } else { quoted(&text) };
    format!("{field}{text}{}", if prefix { "*" } else { "" })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// A photo as searches see it.
    #[derive(Clone, Debug)]
    struct Shot {
        title: String,
        description: String,
        tags: Vec<String>,
        file_name: String,
        favourite: bool,
        media_type: &'static str,
        day: Date,
        albums: Vec<String>,
    }

    impl Shot {
        fn terms(&self) -> PhotoTerms {
            let tags = self.tags.iter().map(String::as_str);
            PhotoTerms::of(&self.title, &self.description, tags, &self.file_name)
        }

        fn is_found_by(&self, query: &SearchQuery) -> bool {
            let in_album = |album: &str| self.albums.iter().any(|title| title == album);
            query.matches(&self.terms(), self.favourite, self.media_type, self.day, in_album)
        }
    }

    fn shot() -> Shot {
        Shot {
            title: "Sunset at the lake".into(),
            description: "New house in York".into(),
            tags: vec!["Beach".into(), "New York".into()],
            file_name: "IMG_1234".into(),
            favourite: true,
            media_type: "jpeg",
            day: date(2024, 6, 15),
            albums: vec!["Summer 2024".into()],
        }
    }

    fn titled(title: &str) -> Shot {
        Shot { title: title.into(), ..shot() }
    }

    fn parsed(text: &str) -> SearchQuery {
        SearchQuery::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn assert_found(shot: &Shot, queries: &[&str]) {
        for text in queries {
            assert!(shot.is_found_by(&parsed(text)), "{text} should find {shot:?}");
        }
    }

    #[track_caller]
    fn assert_not_found(shot: &Shot, queries: &[&str]) {
        for text in queries {
            assert!(!shot.is_found_by(&parsed(text)), "{text} should not find {shot:?}");
        }
    }

    #[track_caller]
    fn problem(text: &str) -> (QueryProblem, usize) {
        match SearchQuery::parse(text) {
            Ok(query) => panic!("{text} was taken as {query}"),
            Err(error) => (error.problem().clone(), error.position()),
        }
    }

    #[test]
    fn all_words_have_to_be_there_wherever_they_stand() {
        assert_found(&shot(), &["sunset beach york 1234", "SUNSET", "  lake\u{3000}sunset\t"]);
        assert_not_found(&shot(), &["sunset moon", "moon sunset"]);
    }

    #[test]
    fn the_last_plain_word_and_starred_words_are_beginnings() {
        assert_found(&shot(), &["sun", "sun ", "lake sun ", "sun* lake", "\"at sun\"*", "moon OR sun"]);
        assert_not_found(&shot(), &["sun lake", "\"sun\"", "sun OR moon", "title:sun", "lake sun !"]);
    }

    #[test]
    fn quoted_words_are_whole_and_need_not_be_neighbours() {
        assert_found(&shot(), &["\"lake sunset\"", "“lake sunset”", "\"sunset\" lake"]);
        assert_not_found(&shot(), &["\"lake moon\"", "\"suns\" lake"]);
    }

    #[test]
    fn an_exclusion_takes_whole_words_unless_starred() {
        assert_found(&shot(), &["lake -sun", "-sun", "-\"lake moon\"", "lake -tag:new", "-title:beach"]);
        assert_not_found(&shot(), &["lake -sunset", "lake -sun*", "-\"lake sunset\"", "-tag:beach", "-title:lake"]);
    }

    #[test]
    fn or_binds_tighter_than_and() {
        assert_found(&shot(), &["moon OR lake sunset", "sunset moon OR lake", "moon OR tag:beach OR title:x"]);
        assert_not_found(&shot(), &["moon lake OR sunset", "moon OR stars lake"]);
        assert_eq!(parsed("a OR b c").all().len(), 2);
        assert_not_found(&titled("lake"), &["lake or sea"]);
    }

    #[test]
    fn fields_narrow() {
        assert_found(
            &shot(),
            &[
                "tag:beach",
                "TAG:BEACH",
                "tag:#beach",
                "tag:\"new york\"",
                "tag:new*",
                "tag：“new  york”",
                "title:lake",
                "title:\"lake sunset\"",
                "title:la*",
                "description:york",
                "tag:beach lake",
            ],
        );
        assert_not_found(
            &shot(),
            &["tag:bea", "tag:new", "tag:york", "tag:lake", "title:york", "description:lake", "title:beach"],
        );
    }

    #[test]
    fn another_name_before_a_colon_is_a_word() {
        assert_found(&titled("Meet at 12:30"), &["12:30", "at:12"]);
        assert_not_found(&titled("Meet at 12"), &["12:30"]);
    }

    #[test]
    fn dates_before_are_earlier_and_dates_after_include_their_first_day() {
        assert_found(
            &shot(),
            &[
                "before:2025",
                "before:2024-07",
                "before:2024-06-16",
                "after:2024",
                "after:2024-06",
                "after:2024-06-15",
                "after:2024-06 before:2024-07",
                "-before:2024-06-15",
                "-after:2024-06-16",
                "after:2020 after:2024-06",
            ],
        );
        assert_not_found(
            &shot(),
            &[
                "before:2024",
                "before:2024-06",
                "before:2024-06-15",
                "after:2025",
                "after:2024-07",
                "after:2024-06-16",
                "before:2025 before:2024-06",
                "after:2024-07 after:2020",
            ],
        );
    }

    #[test]
    fn albums_favourites_and_types_filter() {
        assert_found(
            &shot(),
            &[
                "in:\"Summer 2024\"",
                "-in:Winter",
                "is:favourite",
                "is:favorite",
                "type:jpg",
                "type:png OR type:JPEG",
                "-type:gif",
            ],
        );
        assert_not_found(
            &shot(),
            &[
                "in:Winter",
                "in:\"Summer 2024\" in:Winter",
                "-in:\"Summer 2024\"",
                "-is:favourite",
                "type:png",
                "-type:jpeg",
            ],
        );
    }

    #[test]
    fn photos_are_found_in_many_scripts() {
        for (title, query) in [
            ("Été à la plage", "ete"),
            ("Grüße aus Köln", "GRÜSSE koln"),
            ("Straße", "\"STRASSE\""),
            ("Ακρόπολη της Αθήνας", "ΑΘΗΝΑΣ ακρο"),
            ("Ёлка в Москве", "елка моск"),
            ("غروب الشمس", "الشم"),
            ("צה״ל בירושלים", "צה\"ל"),
            ("हिंदी में", "हिंदी"),
            ("ทะเลสวย", "เลส"),
            ("富士山に登る", "士山"),
            ("富士山に登る", "山 富士"),
            ("東京タワー", "\"タワー\""),
            ("ﾄｳｷｮｳ", "トウキョウ"),
            ("서울 야경", "서울"),
            ("北京的天空", "天空 \"京\""),
            ("L’état-major", "état-major"),
            ("Don't stop", "don’t"),
            ("ﬁnally", "fin"),
            ("ＦＵＬＬ　ＷＩＤＴＨ", "full width"),
            ("party 🎉", "🎉"),
        ] {
            assert_found(&titled(title), &[query]);
        }
        for (title, query) in [
            ("हद", "हिंदी"),
            ("か", "が"),
            ("京東", "東京"),
            ("état", "\"état-major\""),
            ("서울", "\"서\""),
            ("ทะเล", "เท"),
        ] {
            assert_not_found(&titled(title), &[query]);
        }
    }

    #[test]
    fn a_file_is_found_by_its_name_with_or_without_extension() {
        assert_found(&shot(), &["IMG_1234.jpg", "img_1234", "1234", "IMG_1234.HEIC lake", "IMG_12"]);
        assert_not_found(&shot(), &["IMG_1235.jpg", "IMG_12.jpg", "-IMG_1234.jpg"]);
        assert_found(&titled("beach.jpg"), &["beach.jpg", "jpg", ".jpg", "title:beach.jpg"]);
    }

    #[test]
    fn a_refused_query_says_what_and_where() {
        let missing = |field| QueryProblem::MissingValue { field };
        for (text, expected, position) in [
            ("", QueryProblem::Empty, 1),
            (" \n", QueryProblem::Empty, 1),
            ("?! - *", QueryProblem::Empty, 1),
            ("lake \"new york", QueryProblem::UnterminatedQuote, 6),
            ("été tag:\"a\\\"", QueryProblem::UnterminatedQuote, 9),
            ("a title: b", missing("title"), 3),
            ("tag:#", missing("tag"), 1),
            ("description:?!", missing("description"), 1),
            ("in:\" \"", missing("in"), 1),
            ("OR a", QueryProblem::DanglingOr, 1),
            ("a OR", QueryProblem::DanglingOr, 3),
            ("a OR OR b", QueryProblem::DanglingOr, 6),
            ("a OR -b", QueryProblem::NotInOr, 6),
            ("a OR is:favourite", QueryProblem::NotInOr, 6),
            ("a b OR type:png", QueryProblem::NotInOr, 3),
            ("is:favourite -is:favourite", QueryProblem::Contradiction, 14),
        ] {
            assert_eq!(problem(text), (expected, position), "{text}");
        }
        for text in [
            "before:June",
            "before:2024-13",
            "after:2024-02-30",
            "after:24",
            "after:2024-1-1",
            "before:2024-01-01-01",
            "before:2024*",
            "is:nice",
            "type:pdf",
            "in:Summer*",
        ] {
            let (problem, position) = problem(text);
            assert!(matches!(problem, QueryProblem::UnknownValue { .. }), "{text}: {problem}");
            assert_eq!(position, 1);
        }
    }

    #[test]
    fn a_query_has_limits() {
        assert!(SearchQuery::parse(&"x".repeat(MAX_QUERY_CHARS - 1)).is_ok());
        assert_eq!(problem(&"x".repeat(MAX_QUERY_CHARS + 1)), (QueryProblem::TooLong, 501));
        assert!(SearchQuery::parse(&"x ".repeat(MAX_CLAUSES)).is_ok());
        assert_eq!(problem(&"x ".repeat(MAX_CLAUSES + 1)), (QueryProblem::TooManyClauses, 41));
        assert_eq!(problem(&format!("a{}", " OR b".repeat(MAX_CLAUSES))).0, QueryProblem::TooManyClauses);
        let han: String = ('\u{4E00}'..).take(MAX_QUERY_TERMS + 2).collect();
        assert_eq!(problem(&han).0, QueryProblem::TooManyTerms);
        let expanding: String = (0..7).map(|n| format!("tag:{n}{} ", "ﷺ".repeat(7))).collect();
        assert_eq!(problem(&expanding), (QueryProblem::TooLong, 1));
    }

    #[test]
    fn a_canonical_query_says_what_was_understood() {
        for (text, canonical) in [
            ("  Lake   sun", "lake sun*"),
            ("lake \"sun\"", "lake \"sun\""),
            ("état-major x", "\"etat major\" x*"),
            ("東京都", "\"東京 京都\""),
            ("山 x", "山* x*"),
            ("a OR b -c is:favorite", "a OR b -c is:favourite"),
            ("a OR \"b\"", "a OR \"b\""),
            ("type:jpg type:gif x", "x* type:gif type:jpeg"),
            ("tag:\"12\\\" vinyl\"", "tag:\"12\\\" vinyl\""),
            ("before:2024 after:2023-05", "after:2023-05-01 before:2024-01-01"),
            ("-in:Summer title:A", "title:a -in:\"Summer\""),
        ] {
            let query = parsed(text);
            assert_eq!(query.to_string(), canonical, "{text}");
            assert_eq!(parsed(canonical), query, "{text}");
        }
    }

    #[test]
    fn the_plan_leaves_out_what_the_index_does_not_know() {
        let plan = parsed("-title:lake is:favourite").index_plan();
        assert_eq!(plan, IndexPlan::default());
        let plan = parsed("\"b a\" title:a a -title:x -\"c d\" -tag:e").index_plan();
        assert_eq!(plan.all.len(), 2, "b, and a once, though it is sought twice");
        assert_eq!(plan.none.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    }

    const VOCABULARY: [&str; 16] = [
        "sun",
        "sunset",
        "Été",
        "état-major",
        "東京",
        "東京都",
        "山",
        "ทะเล",
        "서울",
        "हिंदी",
        "IMG_1234",
        "don’t",
        "new york",
        "york",
        "🎉",
        "צה״ל",
    ];

    fn some_word() -> impl Strategy<Value = String> {
        proptest::sample::select(&VOCABULARY[..]).prop_map(str::to_owned)
    }

    fn some_text() -> impl Strategy<Value = String> {
        proptest::collection::vec(some_word(), 0..4).prop_map(|words| words.join(" "))
    }

    fn some_shot() -> impl Strategy<Value = Shot> {
        (
            some_text(),
            some_text(),
            proptest::collection::vec(some_word(), 0..3),
            some_word(),
            any::<bool>(),
            proptest::sample::select(&MEDIA_TYPES[..]),
            (2023i16..2026, 1i8..13, 1i8..29),
            proptest::collection::vec(some_word(), 0..2),
        )
            .prop_map(
                |(title, description, tags, file_name, favourite, media_type, (year, month, day), albums)| Shot {
                    title,
                    description,
                    tags,
                    file_name,
                    favourite,
                    media_type,
                    day: date(year, month, day),
                    albums,
                },
            )
    }

    /// Texts that are queries more often than not.
    fn some_query_text() -> impl Strategy<Value = String> {
        let value = (some_word(), any::<bool>(), any::<bool>()).prop_map(|(word, quote, star)| {
            let word = if quote { quoted(&word) } else { word };
            format!("{word}{}", if star { "*" } else { "" })
        });
        let fielded = (proptest::sample::select(&["", "", "tag:", "title:", "description:", "in:"][..]), value)
            .prop_map(|(field, value)| format!("{field}{value}"));
        let filter = proptest::sample::select(
            &["is:favourite", "type:jpeg", "type:png", "before:2025", "after:2024-06", "?!", "foo:bar", "a.jpg"][..],
        );
        let clause = (
            proptest::sample::select(&["", "", "", "-"][..]),
            prop_oneof![4 => fielded, 1 => filter.prop_map(str::to_owned)],
        )
            .prop_map(|(sign, clause)| format!("{sign}{clause}"));
        proptest::collection::vec((clause, proptest::sample::select(&[" ", " ", " ", " OR "][..])), 1..6)
            .prop_map(|parts| parts.into_iter().map(|(clause, gap)| clause + gap).collect::<String>() + "sun")
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_every_query_survives_being_written(
            text in prop_oneof![any::<String>(), some_query_text(), "[ab山ก\u{301}*:\"“\\\\ ORtag.#_'-]{0,24}"]
        ) {
            if let Ok(query) = SearchQuery::parse(&text) {
                let canonical = query.to_string();
                prop_assert_eq!(SearchQuery::parse(&canonical), Ok(query), "{}", canonical);
            }
        }

        #[test]
        fn a_word_in_any_script_survives_being_written(text in "(title:|tag:|in:|-|)\"?\\PC{1,12}\"?[*]?") {
            if let Ok(query) = SearchQuery::parse(&text) {
                let canonical = query.to_string();
                prop_assert_eq!(SearchQuery::parse(&canonical), Ok(query), "{}", canonical);
            }
        }

        #[test]
        fn the_plan_never_loses_a_photo_that_matches(text in some_query_text(), shot in some_shot()) {
            if let Ok(query) = SearchQuery::parse(&text)
                && shot.is_found_by(&query)
            {
                prop_assert!(query.index_plan().admits(&shot.terms()), "{}", query);
            }
        }

        #[test]
        fn a_photo_is_found_by_each_of_its_own_words(shot in some_shot(), quote in any::<bool>()) {
            for word in shot.tags.iter().chain([&shot.file_name]) {
                let text = if quote { quoted(word) } else { word.clone() };
                let query = SearchQuery::parse(&text).expect("a word is a query");
                prop_assert!(shot.is_found_by(&query), "{} in {:?}", query, shot.terms());
                prop_assert!(query.index_plan().admits(&shot.terms()));
            }
        }

        #[test]
        fn without_filters_and_fields_the_plan_says_all(words in proptest::collection::vec(some_word(), 1..4), shot in some_shot()) {
            let query = SearchQuery::parse(&words.join(" OR ")).expect("words are a query");
            prop_assert_eq!(query.index_plan().admits(&shot.terms()), shot.is_found_by(&query));
        }
    }
}
