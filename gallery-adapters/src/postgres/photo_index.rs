//! The index of terms: what of a photo stands in it.
//!
//! A photo's terms are a `tsvector` beside it, which is compared with a `tsquery`, and rows of `photo_term` once it is in the timeline, which
//! the triggers keep. Both hold the domain's terms as they are: nothing in PostgreSQL cuts or folds words.

use gallery_domain::terms::PhotoTerms;

/// The terms of a photo as `array_to_tsvector` takes them.
pub(super) fn lexemes(terms: &PhotoTerms) -> Vec<String> {
    terms.all().iter().map(|term| term.as_str().to_owned()).collect()
}

/// A term as the language of `tsquery` writes it, whatever it holds.
pub(super) fn quoted(term: &str) -> String {
    format!("'{}'", term.replace('\\', "\\\\").replace('\'', "''"))
}
