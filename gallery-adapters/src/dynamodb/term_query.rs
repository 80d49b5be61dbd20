//! What of a search the postings are asked, so that it answers at once however many photos there are.
//!
//! A partition streams the photos of a term, latest first. Those of several terms are merged, which takes as many requests as there are terms: so a
//! beginning is asked for as the terms that start so, if they are few, and else not at all. Of several clauses one is walked, and each of its postings
//! says which other terms its photo has.

use gallery_domain::UserId;
use gallery_domain::ports::RepositoryError;
use gallery_domain::search::{IndexPlan, IndexTerm};
use gallery_domain::terms::MAX_TAG_KEY_CHARS;

use super::DynamoDbStore;
use super::reading::Query;
use super::rows::{self, text};
use super::table_keys::{self, GAP, SK, Table};

/// The most terms with a common beginning whose photos are merged. A beginning of more terms than that is as good as on every photo.
const MERGED_TERMS: usize = 64;

/// How many requests may be spent on finding out which terms those are.
const LEAPS: usize = 16;

/// How many postings each of them looks at.
const POSTINGS_A_LEAP: usize = 48;

/// Whether a photo may be in the plan's answer, by the line of its terms. What is excluded is not asked for, as a line may lag behind its photo.
pub(super) fn admits(plan: &IndexPlan, line: &str) -> bool {
    let has = |sought: &IndexTerm| {
        let mut wanted = format!("{GAP}{}", sought.term);
        if !sought.prefix {
            wanted.push(GAP);
        }
        line.contains(&wanted)
    };
    plan.all.iter().all(|clause| clause.iter().any(|alternative| alternative.iter().all(has)))
}

/// Terms such that each photo that the clause admits has one of them: for each alternative one of its terms, or those that begin as it does.
/// None if they are too many to be of use.
pub(super) async fn terms_to_drive_from(
    store: &DynamoDbStore,
    operation: &'static str,
    owner: UserId,
    clause: &[Vec<IndexTerm>],
) -> Result<Option<Vec<String>>, RepositoryError> {
    let mut terms = Vec::new();
    for alternative in clause {
        // A long term is a rare one, more often than not.
        let chosen = alternative.iter().max_by_key(|sought| (!sought.prefix, sought.term.as_str().len()));
        let Some(chosen) = chosen else { return Ok(None) };
        if chosen.prefix {
            match terms_that_begin_with(store, operation, owner, chosen.term.as_str()).await? {
                Some(begun) => terms.extend(begun),
                None => return Ok(None),
            }
        } else {
            terms.push(chosen.term.as_str().to_owned());
        }
        if terms.len() > MERGED_TERMS {
            return Ok(None);
        }
    }
    terms.sort_unstable();
    terms.dedup();
    Ok(Some(terms))
}

/// The least text that is greater than every term with this prefix.
fn after_prefix(prefix: &str) -> String {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return chars.into_iter().collect();
        }
    }
    // Longer than any of them is with its `#`.
    char::MAX.to_string().repeat(MAX_TAG_KEY_CHARS + 2)
}

/// The owner's terms that begin so, unless they are too many or it takes too long to tell. Each request looks at some postings, and the next leaps over
/// all others of the last term seen.
async fn terms_that_begin_with(
    store: &DynamoDbStore,
    operation: &'static str,
    owner: UserId,
    beginning: &str,
) -> Result<Option<Vec<String>>, RepositoryError> {
    let last = after_prefix(beginning);
    let mut first = beginning.to_owned();
    let mut terms: Vec<String> = Vec::new();
    for _ in 0..LEAPS {
        let query = Query::new(Table::Index, None, "#PK = :partition AND #SK BETWEEN :first AND :last")
            .value(":partition", text(table_keys::postings_of(owner)))
            .value(":first", text(&*first))
            .value(":last", text(&*last))
            .only("#SK")
            .limit(POSTINGS_A_LEAP);
        let answer = store.query(operation, &query).await?;
        for item in &answer.items {
            let posting = rows::reading("posting", item, SK, || rows::text_of(item, SK))?;
            let term = posting.split(GAP).next().unwrap_or_default();
            if terms.last().is_none_or(|last| last != term) {
                terms.push(term.to_owned());
            }
        }
        if answer.next.is_none() {
            return Ok(Some(terms));
        }
        if terms.len() > MERGED_TERMS {
            return Ok(None);
        }
        // The character after the gap: what comes next is behind all places of the term.
        first = format!("{} ", terms.last().map_or(beginning, |term| term));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use gallery_domain::search::SearchQuery;

    use super::*;

    fn admitted(query: &str, terms: &[&str]) -> bool {
        let line = format!("{GAP}{}{GAP}", terms.join(&GAP.to_string()));
        admits(&SearchQuery::parse(query).expect("a query").index_plan(), &line)
    }

    #[test]
    fn a_line_of_terms_says_whether_a_photo_may_match() {
        assert!(admitted("lake", &["lakeside"]));
        assert!(!admitted("\"lake\"", &["lakeside"]));
        assert!(admitted("\"lake\" sea OR tag:\"new york\"", &["#new york", "lake"]));
        assert!(!admitted("\"lake\" tag:york", &["#new york", "lake", "york"]));
        assert!(admitted("\"lake\" -sea", &["lake", "sea"]), "what is excluded is not asked for");
        assert!(!admitted("each", &["beach"]));
    }

    #[test]
    fn the_end_of_a_prefix_comes_after_all_that_starts_so() {
        assert_eq!(after_prefix("ab"), "ac");
        assert_eq!(after_prefix("a\u{10FFFF}"), "b");
        assert_eq!(after_prefix("\u{D7FF}"), "\u{E000}");
        assert!(after_prefix("\u{10FFFF}") > format!("#{}", char::MAX.to_string().repeat(MAX_TAG_KEY_CHARS)));
    }

    #[test]
    fn the_places_of_a_term_come_before_all_terms_that_go_on() {
        let last_place = format!("new{GAP}\u{10FFFF}");
        assert!(*last_place < *"new " && *"new " < *"new york");
    }
}
