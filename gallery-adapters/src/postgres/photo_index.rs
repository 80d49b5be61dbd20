//! The index of terms: what of a photo stands in it.
//!
//! A photo's terms are a `tsvector` beside it, which is compared with a `tsquery`, and rows of `photo_term` once it is in the timeline, which
//! the triggers keep. Both hold the domain's terms as they are: nothing in PostgreSQL cuts or folds words.

use gallery_domain::Photo;

/// The terms of a photo as its row repeats them.
pub(super) fn terms(photo: &Photo) -> Vec<String> {
    photo.terms().all().iter().map(|term| term.as_str().to_owned()).collect()
}

/// A term as the language of `tsquery` writes it, whatever it holds.
pub(super) fn quoted(term: &str) -> String {
    format!("'{}'", term.replace('\\', "\\\\").replace('\'', "''"))
}
