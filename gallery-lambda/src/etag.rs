//! Revisions as ETags: what was read, and whether it is still so.

use axum::http::{HeaderMap, HeaderValue, header};
use gallery_domain::{InvalidValue, Revision};

use crate::problem::Problem;

/// The `ETag` of a thing with this revision.
pub(crate) fn of(revision: Revision) -> [(header::HeaderName, HeaderValue); 1] {
    let tag = HeaderValue::from_str(&format!("\"{}\"", revision.get())).expect("digits and quotes are visible ASCII");
    [(header::ETAG, tag)]
}

/// The revision that a change is meant for; `None` if for any.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<Revision>, Problem> {
    let mut values = headers.get_all(header::IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let malformed = || {
        let reason = "is not one ETag: send the one that was read, such as \"3\" with its quotes, or *";
        Problem::invalid([InvalidValue::new(reason).in_field("If-Match")])
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let (weak, tag) = text.strip_prefix("W/").map_or((false, text), |tag| (true, tag));
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(malformed)?;
    if tag.contains('"') {
        return Err(malformed());
    }
    // A weak tag, or one that the gallery never gave, matches nothing: no thing has the revision 0.
    let canonical = tag.parse().ok().filter(|number: &u64| !weak && number.to_string() == tag);
    Ok(Some(Revision::new(canonical.unwrap_or(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &'static str) -> Result<Option<u64>, ()> {
        let headers = HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static(text))]);
        if_match(&headers).map(|revision| revision.map(Revision::get)).map_err(drop)
    }

    #[test]
    fn a_tag_that_was_given_comes_back_as_its_revision() {
        assert_eq!(parsed("\"7\""), Ok(Some(7)));
        assert_eq!(parsed("*"), Ok(None));
    }

    #[test]
    fn a_tag_that_was_never_given_matches_nothing() {
        for tag in ["W/\"7\"", "\"07\"", "\"abc\"", "\"\""] {
            assert_eq!(parsed(tag), Ok(Some(0)), "{tag}");
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for tag in ["7", "\"7", "\"7\", \"8\"", ""] {
            assert_eq!(parsed(tag), Err(()), "{tag}");
        }
    }
}
