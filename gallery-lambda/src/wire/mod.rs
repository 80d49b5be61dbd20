//! The only JSON types. What comes in is parsed into the domain's values here; what goes out is made from them here.

mod accounts;
mod albums;
mod photos;
mod search;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

pub(crate) use self::accounts::*;
pub(crate) use self::albums::*;
pub(crate) use self::photos::*;
pub(crate) use self::search::*;

/// Some items of a list. A page may be shorter than asked for, even empty; only `next: null` ends a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Page<T: ToSchema> {
    /// The items, in the list's order.
    pub(crate) items: Vec<T>,
    /// What to send as `after` for the next page.
    pub(crate) next: Option<String>,
}

impl<T: ToSchema> Page<T> {
    /// A list that is answered in one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// How the gallery does.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`
    pub(crate) status: &'static str,
    /// The version of the gallery.
    pub(crate) version: String,
}

/// Tells a field that is `null` from one that is left out.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// `true` or `false` in a query.
fn flag(text: String) -> Result<bool, gallery_domain::InvalidValue> {
    text.parse().map_err(|_| gallery_domain::InvalidValue::new("is neither true nor false"))
}
