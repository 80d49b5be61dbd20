//! Search and tags.

use gallery_domain::search::SearchQuery;
use gallery_domain::{InvalidField, InvalidValue, PageSize};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::request::{Fields, Paging, Parse};

/// A search.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Search {
    /// Words, `tag:`, `title:`, `description:`, `before:`, `after:`, `in:`, `is:favourite`, `type:`; `-` excludes, `OR` joins.
    #[schema(value_type = String, required, example = "beach tag:summer -rain")]
    query: Option<String>,
    /// Items on a page: 1 to 100, 50 if left out.
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// What the page before gave as `next`.
    after: Option<String>,
}

/// A search in a URL.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParameters {
    /// Words, `tag:`, `title:`, `description:`, `before:`, `after:`, `in:`, `is:favourite`, `type:`; `-` excludes, `OR` joins.
    #[param(value_type = String, required)]
    q: Option<String>,
    /// Items on a page: 1 to 100, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
}

/// A search, and its text, by which a cursor is bound to it.
pub(crate) struct ParsedSearch {
    pub(crate) query: SearchQuery,
    pub(crate) text: String,
    pub(crate) paging: Paging,
}

impl Parse for Search {
    type Parsed = ParsedSearch;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let query = fields.required("/query", self.query, query);
        let paging = Paging::parse_body(&mut fields, self.limit, self.after);
        fields.finish(query.map(|(query, text)| ParsedSearch { query, text, paging }))
    }
}

impl Parse for SearchParameters {
    type Parsed = ParsedSearch;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let query = fields.required("q", self.q, query);
        let paging = Paging::parse(&mut fields, self.limit, self.after);
        fields.finish(query.map(|(query, text)| ParsedSearch { query, text, paging }))
    }
}

/// Which tags to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TagListing {
    /// What the tags start with: at most 64 characters. All if left out.
    prefix: Option<String>,
    /// The most tags: 1 to 100, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
}

impl Parse for TagListing {
    type Parsed = (String, PageSize);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let prefix = fields.optional("prefix", self.prefix, |text| match text.chars().nth(64) {
            Some(_) => Err(InvalidValue::new("is longer than 64 characters")),
            None => Ok(text),
        });
        let limit = Paging::parse_size(&mut fields, self.limit);
        fields.finish(Some((prefix.unwrap_or_default(), limit)))
    }
}

/// A tag.
#[derive(Serialize, ToSchema)]
pub(crate) struct TagCount {
    /// The tag, in the spelling of one of its photos.
    tag: String,
    /// How many photos carry it.
    photos: u64,
}

impl From<gallery_domain::TagCount> for TagCount {
    fn from(count: gallery_domain::TagCount) -> Self {
        Self { tag: count.tag.as_str().to_owned(), photos: count.photos }
    }
}

fn query(text: String) -> Result<(SearchQuery, String), InvalidValue> {
    let query = SearchQuery::parse(&text).map_err(|error| InvalidValue::new(format!("is not understood: {error}")))?;
    Ok((query, text))
}
