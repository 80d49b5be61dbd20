//! Terms.
/// Fold.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}
/// Key.
pub fn tag_key(tag: &str) -> String {
    fold(tag)
}
/// Terms.
#[derive(Clone, Debug)]
pub struct PhotoTerms(Vec<String>);
impl PhotoTerms {
    /// Of.
    pub fn of<'a>(_t: &str, _d: &str, _tags: impl Iterator<Item = &'a str>, _f: &str) -> Self {
        Self(Vec::new())
    }
}
