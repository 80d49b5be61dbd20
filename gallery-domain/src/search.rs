//! Search.
/// Query.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchQuery;
