//! What of a search the full-text index is asked, so that it answers at once however many photos there are.
//!
//! FTS5 streams the photos that have a term, or one of several, in the order of their rows, from wherever the search stands. So it
//! does for the beginnings of terms that it keeps postings of, those of at most [`KEPT_BEGINNING`] characters. Two things take longer
//! the more photos there are: a longer beginning, whose postings it gathers before it answers; and an intersection or an exclusion of
//! which little comes out, as it passes over everything else. Therefore, by how many photos have each term:
//!
//! - A longer beginning is asked for as the terms that start so, if they are few; else as it stands, if their photos are few; else
//!   not at all.
//! - Clauses are asked for together if the rarest has few photos for it, else the rarest alone. Of terms that have to stand together within
//!   an alternative, the rarest is asked for.
//!
//! What the index is not asked, the search checks on each candidate.

use std::collections::HashMap;

use gallery_domain::UserId;
use gallery_domain::search::{IndexPlan, IndexTerm};
use sqlx::sqlite::SqlitePool;

use super::photo_index::{owner_token, quoted};
use super::rows;

/// The longest beginnings, in characters, of which the index keeps postings as of a term.
const KEPT_BEGINNING: usize = 4;

/// The most terms that are asked for in place of their beginning.
const SPELT_OUT: usize = 64;

/// The most postings that are gathered for one beginning, and the most terms of one whose photos are counted.
const GATHERED: u64 = 2_000;

/// The most postings that are passed over where nothing comes out: it takes about as long as looking at as many photos as one request
/// looks at.
const PASSED_OVER: u64 = 200_000;

/// What the index is asked for a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TermQuery {
    /// This, in the language of FTS5. Not more than so many photos come of it, as far as they were counted.
    Indexed { query: String, photos: u64 },
    /// Nothing: candidates have to come from elsewhere.
    Unindexed,
    /// Nothing, as no photo has the terms that are sought.
    Hopeless,
}

/// The photos that have a sought term, and how the index is asked for them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reach {
    /// How many; those that have several terms of one beginning are counted for each. `u64::MAX` if they are too many to count.
    photos: u64,
    by: By,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    /// One of these terms.
    Terms(Vec<String>),
    /// The beginning.
    Beginning,
    /// Not by the index.
    Nothing,
}

/// Counts the photos of the terms that a plan is about, and says what to ask for it.
pub(super) async fn term_query(
    readers: &SqlitePool,
    owner: UserId,
    plan: &IndexPlan,
) -> Result<TermQuery, sqlx::Error> {
    if plan.all.is_empty() {
        return Ok(TermQuery::Unindexed);
    }
    let mut sought: Vec<&IndexTerm> = Vec::new();
    for term in plan.all.iter().flatten().chain(&plan.none).flatten() {
        if !sought.contains(&term) {
            sought.push(term);
        }
    }
    let ranges: Vec<_> = sought.iter().map(|term| range_of(term)).collect();
    let first: Vec<(i64, String, i64)> = sqlx::query_as(FIRST_TERMS)
        .bind(owner.as_uuid())
        .bind(serde_json::to_string(&ranges).expect("texts can always be written as JSON"))
        .bind(rows::integer(SPELT_OUT as u64 + 1))
        .fetch_all(readers)
        .await?;
    let mut counted: Vec<Vec<(String, u64)>> = vec![Vec::new(); sought.len()];
    for (index, term, photos) in first {
        if let Some(counted) = usize::try_from(index).ok().and_then(|index| counted.get_mut(index)) {
            counted.push((term, rows::count(photos)));
        }
    }
    let mut reaches = HashMap::new();
    for ((term, range), counted) in sought.into_iter().zip(ranges).zip(counted) {
        let photos = if counted.len() > SPELT_OUT {
            count(readers, owner, &range).await?
        } else {
            counted.iter().map(|(_, photos)| photos).sum()
        };
        reaches.insert(term, reach(term, counted, photos));
    }
    Ok(asked(owner, plan, &reaches))
}

/// The photos of the terms within a range, if there are not too many to count.
async fn count(readers: &SqlitePool, owner: UserId, (from, until): &Range) -> Result<u64, sqlx::Error> {
    let (terms, photos): (i64, i64) = sqlx::query_as(COUNT_PHOTOS)
        .bind(owner.as_uuid())
        .bind(from)
        .bind(until)
        .bind(rows::integer(GATHERED + 1))
        .fetch_one(readers)
        .await?;
    Ok(if rows::count(terms) > GATHERED { u64::MAX } else { rows::count(photos) })
}

/// For each range of the JSON list ?2 its first terms, at most ?3, with how many photos have them.
const FIRST_TERMS: &str = "SELECT named.key, term_count.term, term_count.photos \
     FROM json_each(?2) AS named CROSS JOIN term_count \
     WHERE term_count.owner_id = ?1 AND term_count.term >= named.value ->> 0 AND term_count.term < coalesce( \
         (SELECT term FROM term_count AS further WHERE further.owner_id = ?1 AND further.term >= named.value ->> 0 \
             AND further.term < coalesce(named.value ->> 1, x'') ORDER BY further.term LIMIT 1 OFFSET ?3), \
         named.value ->> 1, x'')";

/// The terms from ?2 on and before ?3, at most ?4: how many there are, and how many photos have them.
const COUNT_PHOTOS: &str = "SELECT count(*), coalesce(sum(photos), 0) FROM \
     (SELECT photos FROM term_count WHERE owner_id = ?1 AND term >= ?2 AND term < coalesce(?3, x'') LIMIT ?4)";

/// Terms from the first on and before the second, if there is an end.
type Range = (String, Option<String>);

fn range_of(sought: &IndexTerm) -> Range {
    let term = sought.term.as_str();
    // No term holds a control character, so that nothing but the term itself lies before the term and one of them.
    let until = if sought.prefix { after_prefix(term) } else { Some(format!("{term}\u{1}")) };
    (term.to_owned(), until)
}

/// The least text that is greater than every text with this prefix; none if there is no such text.
pub(super) fn after_prefix(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// How photos of a term are asked for, when its first terms, and all of its photos, have been counted.
fn reach(sought: &IndexTerm, first: Vec<(String, u64)>, photos: u64) -> Reach {
    let by = if sought.prefix && sought.term.as_str().chars().count() <= KEPT_BEGINNING {
        By::Beginning
    } else if first.len() <= SPELT_OUT {
        By::Terms(first.into_iter().map(|(term, _)| term).collect())
    } else if photos <= GATHERED {
        By::Beginning
    } else {
        By::Nothing
    };
    Reach { photos, by }
}

/// What the index is asked for a plan, by the reach of each of its terms.
fn asked(owner: UserId, plan: &IndexPlan, reaches: &HashMap<&IndexTerm, Reach>) -> TermQuery {
    let owner = owner_token(owner);
    let mut clauses = Vec::new();
    for clause in &plan.all {
        let (mut queries, mut photos, mut possible) = (Vec::new(), 0_u64, false);
        for alternative in clause {
            let reached = || alternative.iter().map(|term| (term, &reaches[term]));
            if reached().any(|(_, reach)| reach.photos == 0) {
                continue;
            }
            possible = true;
            let rarest = reached().filter(|(_, reach)| reach.by != By::Nothing).min_by_key(|(_, reach)| reach.photos);
            queries.push(rarest.map(|(term, reach)| in_fts5(&owner, term, &reach.by)));
            photos = photos.saturating_add(rarest.map_or(0, |(_, reach)| reach.photos));
        }
        if !possible {
            return TermQuery::Hopeless;
        }
        // With one alternative that the index is not asked for, it cannot tell anything of the clause.
        if let Some(queries) = queries.into_iter().collect::<Option<Vec<_>>>() {
            clauses.push((photos, joined(queries, " OR ")));
        }
    }
    let Some((photos, rarest)) = clauses.iter().min_by_key(|(photos, _)| *photos).cloned() else {
        return TermQuery::Unindexed;
    };
    let excluded = plan.none.iter().filter_map(|terms| match &terms[..] {
        [term] => Some((term, &reaches[term])).filter(|(_, reach)| reach.photos > 0 && reach.by != By::Nothing),
        _ => None,
    });
    let excluded: Vec<String> = excluded.map(|(term, reach)| in_fts5(&owner, term, &reach.by)).collect();
    let parts = clauses.len() + excluded.len();
    if parts > 1 && photos.saturating_mul(parts as u64) > PASSED_OVER {
        return TermQuery::Indexed { query: rarest, photos };
    }
    let wanted = joined(clauses.into_iter().map(|(_, query)| query).collect(), " AND ");
    let query = if excluded.is_empty() { wanted } else { format!("({wanted} NOT {})", joined(excluded, " OR ")) };
    TermQuery::Indexed { query, photos }
}

fn in_fts5(owner: &str, sought: &IndexTerm, by: &By) -> String {
    let token = |term: &str| quoted(&format!("{owner}{term}"));
    match by {
        By::Terms(terms) => joined(terms.iter().map(|term| token(term)).collect(), " OR "),
        By::Beginning | By::Nothing => format!("{} *", token(sought.term.as_str())),
    }
}

fn joined(parts: Vec<String>, operator: &str) -> String {
    match <[String; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => format!("({})", parts.join(operator)),
    }
}

#[cfg(test)]
mod tests {
    use gallery_domain::search::SearchQuery;
    use uuid::Uuid;

    use super::*;

    const OWNER: UserId = UserId::from_uuid(Uuid::nil());

    /// What is asked for a query where so many photos have these terms, in short: without quotes, with `~` for the owner.
    fn asked_for(query: &str, counts: &[(&str, u64)]) -> String {
        let plan = SearchQuery::parse(query).expect("a query").index_plan();
        let sought = plan.all.iter().flatten().chain(&plan.none).flatten();
        let reaches = sought.map(|term| {
            let (from, until) = range_of(term);
            let within = |text: &str| text >= from.as_str() && until.as_deref().is_none_or(|until| text < until);
            let mut found: Vec<(String, u64)> = counts
                .iter()
                .filter(|(text, _)| within(text))
                .map(|(text, photos)| ((*text).to_owned(), *photos))
                .collect();
            let photos = found.iter().map(|(_, photos)| photos).sum();
            found.truncate(SPELT_OUT + 1);
            (term, reach(term, found, photos))
        });
        match asked(OWNER, &plan, &reaches.collect()) {
            TermQuery::Indexed { query, .. } => query.replace(&owner_token(OWNER), "~").replace('"', ""),
            other => format!("{other:?}"),
        }
    }

    /// More terms than are spelt out that start with `bright`, with this many photos each.
    fn bright(photos: u64) -> Vec<(&'static str, u64)> {
        let terms = (0..100).map(|n| &*Box::leak(format!("bright{n:03}").into_boxed_str()));
        terms.map(|term| (term, photos)).chain([("lake", 50_000)]).collect()
    }

    #[test]
    fn a_beginning_is_asked_for_as_the_terms_that_start_so() {
        let counts = [("beach", 90_000), ("beachball", 3), ("beaches", 40), ("bear", 7)];
        assert_eq!(asked_for("beach", &counts), "(~beach OR ~beachball OR ~beaches)");
        assert_eq!(asked_for("\"beach\"", &counts), "~beach");
        assert_eq!(asked_for("beachb", &counts), "~beachball");
    }

    #[test]
    fn a_short_beginning_stands_in_the_index_itself() {
        assert_eq!(asked_for("beac", &[("beach", 90_000), ("beaches", 4)]), "~beac *");
        assert_eq!(asked_for("b", &bright(900)), "~b *");
    }

    #[test]
    fn a_beginning_of_many_terms_is_asked_for_only_if_it_is_soon_gathered() {
        assert_eq!(asked_for("bright", &bright(20)), "~bright *");
        assert_eq!(asked_for("bright", &bright(21)), "Unindexed");
        assert_eq!(asked_for("lake bright", &bright(21)), "~lake");
        assert_eq!(asked_for("lake OR bright", &bright(21)), "Unindexed");
    }

    #[test]
    fn clauses_are_intersected_only_if_one_of_them_is_rare() {
        let counts = [("beach", 30_000), ("city", 80_000), ("out", 90_000)];
        assert_eq!(asked_for("\"beach\" \"city\" -out", &counts), "((~beach AND ~city) NOT ~out)");
        assert_eq!(asked_for("\"city\" \"out\" -beach", &counts), "~city");
        assert_eq!(asked_for("city OR beach out OR city", &counts), "(~city OR ~beach)");
    }

    #[test]
    fn of_terms_that_stand_together_the_rarest_is_asked_for() {
        let counts = [("new", 90_000), ("york", 300), ("sea", 4), ("old", 6)];
        assert_eq!(asked_for("\"new york\" OR \"sea\"", &counts), "(~york OR ~sea)");
        assert_eq!(asked_for("\"sea\" -\"new york\" -old", &counts), "(~sea NOT ~old)");
    }

    #[test]
    fn what_no_photo_has_is_not_asked_for() {
        assert_eq!(asked_for("\"beach\" moon", &[("beach", 9)]), "Hopeless");
        assert_eq!(asked_for("beach OR moon OR \"beach sun\"", &[("beach", 9)]), "~beach");
        assert_eq!(asked_for("\"beach\" -moon", &[("beach", 9)]), "~beach");
    }

    #[test]
    fn the_end_of_a_prefix_comes_after_all_that_starts_so() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_prefix("\u{D7FF}").as_deref(), Some("\u{E000}"));
        assert_eq!(after_prefix("\u{10FFFF}"), None);
    }
}
