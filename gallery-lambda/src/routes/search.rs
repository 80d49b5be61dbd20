//! Search and tags.

use axum::extract::State;
use gallery_domain::Actor;

use super::render;
use crate::cursor::List;
use crate::problem::Problem;
use crate::request::{Json, Parameters};
use crate::session_auth::Authenticated;
use crate::wire::ParsedSearch;
use crate::{Shared, wire};

/// Search
///
/// Latest taken first. A page may be short, even empty, and not be the last.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search", params(wire::SearchParameters),
    responses((status = 200, description = "A page of photos", body = wire::Page<wire::Photo>)))]
pub(super) async fn by_url(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Parameters(search): Parameters<wire::SearchParameters>,
) -> Result<axum::Json<wire::Page<wire::Photo>>, Problem> {
    find(&app, &actor, &search).await
}

/// Search, with the query in the body
///
/// The same as by URL, where no proxy writes down what is searched for.
#[utoipa::path(post, path = "/search", operation_id = "searchbybody", tag = "search", request_body = wire::Search,
    responses((status = 200, description = "A page of photos", body = wire::Page<wire::Photo>)))]
pub(super) async fn by_body(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Json(search): Json<wire::Search>,
) -> Result<axum::Json<wire::Page<wire::Photo>>, Problem> {
    find(&app, &actor, &search).await
}

/// List tags
///
/// In alphabetical order with how many photos carry each: for completion.
#[utoipa::path(get, path = "/tags", operation_id = "gettags", tag = "search", params(wire::TagListing),
    responses((status = 200, description = "The tags", body = wire::Page<wire::TagCount>)))]
pub(super) async fn tags(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Parameters((prefix, limit)): Parameters<wire::TagListing>,
) -> Result<axum::Json<wire::Page<wire::TagCount>>, Problem> {
    let tags = app.gallery.photos.tags(&actor, &prefix, limit.get() as u32).await?;
    Ok(axum::Json(wire::Page::whole(tags.into_iter().map(wire::TagCount::from).collect())))
}

async fn find(
    app: &Shared,
    actor: &Actor,
    search: &ParsedSearch,
) -> Result<axum::Json<wire::Page<wire::Photo>>, Problem> {
    let list = List::new(actor.user(), &format!("search {}", search.text));
    let page = app.gallery.search.search(actor, &search.query, search.paging.of(&list)?).await?;
    let next = page.next.map(|place| list.cursor(&place));
    Ok(axum::Json(wire::Page { items: render(&app.gallery, &page.items).await?, next }))
}
