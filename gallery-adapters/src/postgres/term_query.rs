//! What of a search the index of terms is asked, so that it answers at once however many photos there are.
//!
//! The index streams the photos of a term, latest first. Those of several terms are merged, which takes as long as there are terms: so a beginning
//! is asked for as the terms that start so, if they are few, and else not at all. Of several clauses one is walked, and the server compares each
//! of its photos with the whole query.

use gallery_domain::UserId;
use gallery_domain::search::{IndexPlan, IndexTerm};
use gallery_domain::terms::{MAX_TAG_KEY_CHARS, Term};

use super::change::{Interruption, Session};
use super::photo_index::quoted;

/// The most terms with a common beginning whose photos are merged. A beginning of more terms than that is as good as on every photo.
const MERGED_TERMS: usize = 128;

/// The plan in the language of `tsquery`; none if it says nothing about terms.
pub(super) fn terms_query(plan: &IndexPlan) -> Option<String> {
    let term = |sought: &IndexTerm| {
        let lexeme = quoted(sought.term.as_str());
        if sought.prefix { format!("{lexeme}:*") } else { lexeme }
    };
    let every = |terms: &Vec<IndexTerm>| joined(terms.iter().map(term), " & ");
    let any = |alternatives: &[Vec<IndexTerm>]| joined(alternatives.iter().map(every), " | ");
    let wanted = plan.all.iter().map(|clause| any(clause));
    let unwanted = plan.none.iter().map(|terms| format!("!{}", every(terms)));
    let conditions: Vec<String> = wanted.chain(unwanted).collect();
    (!conditions.is_empty()).then(|| conditions.join(" & "))
}

/// Terms such that each photo that the clause admits has one of them: for each alternative one of its terms, or those that begin as it does.
/// None if they are too many to be of use.
pub(super) async fn terms_to_drive_from(
    session: &mut Session<'_>,
    owner: UserId,
    clause: &[Vec<IndexTerm>],
) -> Result<Option<Vec<String>>, Interruption> {
    let mut terms = Vec::new();
    for alternative in clause {
        // A long term is a rare one, more often than not.
        let chosen = alternative.iter().max_by_key(|sought| (!sought.prefix, sought.term.as_str().len()));
        let Some(chosen) = chosen else { return Ok(None) };
        if chosen.prefix {
            terms.extend(terms_that_begin_with(session, owner, &chosen.term).await?);
        } else {
            terms.push(chosen.term.as_str().to_owned());
        }
        if terms.len() > MERGED_TERMS {
            return Ok(None);
        }
    }
    Ok(Some(terms))
}

/// The least text that is greater than every term or key of a tag with this prefix.
pub(super) fn after_prefix(prefix: &str) -> String {
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

/// The owner's terms that begin so, one more than are merged at most. Each is looked up behind the one before, as if there were an index of
/// terms without their photos.
pub(super) const TERMS_THAT_BEGIN: &str = "\
    WITH RECURSIVE begun (term) AS ( \
        (SELECT term FROM gallery.photo_term WHERE owner_id = $1 AND term >= $2 AND term < $3 ORDER BY term LIMIT 1) \
        UNION ALL \
        SELECT (SELECT next.term FROM gallery.photo_term AS next \
                WHERE next.owner_id = $1 AND next.term > begun.term AND next.term < $3 ORDER BY next.term LIMIT 1) \
        FROM begun WHERE begun.term IS NOT NULL) \
    SELECT term FROM begun WHERE term IS NOT NULL LIMIT $4";

async fn terms_that_begin_with(
    session: &mut Session<'_>,
    owner: UserId,
    beginning: &Term,
) -> Result<Vec<String>, Interruption> {
    let statement = session
        .query_scalar::<String>(TERMS_THAT_BEGIN)
        .bind(owner.as_uuid())
        .bind(beginning.as_str().to_owned())
        .bind(after_prefix(beginning.as_str()))
        .bind(MERGED_TERMS as i64 + 1);
    Ok(statement.fetch_all(session.connection()).await?)
}

fn joined(parts: impl Iterator<Item = String>, operator: &str) -> String {
    format!("({})", parts.collect::<Vec<_>>().join(operator))
}

#[cfg(test)]
mod tests {
    use gallery_domain::search::SearchQuery;

    use super::*;

    fn asked_for(query: &str) -> Option<String> {
        terms_query(&SearchQuery::parse(query).expect("a query").index_plan())
    }

    #[test]
    fn a_query_is_written_as_the_server_reads_it() {
        assert_eq!(
            asked_for("\"lake\" sea OR tag:\"new york\" su").as_deref(),
            Some("(('lake')) & (('sea') | ('#new york')) & (('su':*))")
        );
        assert_eq!(
            asked_for("\"lake\" -draft -\"old town\"").as_deref(),
            Some("(('lake')) & !('draft') & !('old' & 'town')")
        );
        assert_eq!(asked_for("-draft").as_deref(), Some("!('draft')"));
        assert_eq!(asked_for("is:favourite -title:old"), None);
    }

    #[test]
    fn quotes_and_backslashes_end_no_term() {
        assert_eq!(asked_for("\"don't\"").as_deref(), Some("(('don''t'))"));
        assert_eq!(asked_for("tag:\"a'b\\c\"").as_deref(), Some(r"(('#a''b\\c'))"));
    }

    #[test]
    fn the_end_of_a_prefix_comes_after_all_that_starts_so() {
        assert_eq!(after_prefix("ab"), "ac");
        assert_eq!(after_prefix("a\u{10FFFF}"), "b");
        assert_eq!(after_prefix("\u{D7FF}"), "\u{E000}");
        let longest = format!("#{}", char::MAX.to_string().repeat(MAX_TAG_KEY_CHARS));
        assert!(after_prefix("") > longest && after_prefix("\u{10FFFF}") > longest);
    }
}
