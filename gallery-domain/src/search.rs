//! Search.
/// Query.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchQuery {
    /// a
    pub albums: Vec<String>,
    /// b
    pub not_albums: Vec<String>,
}
