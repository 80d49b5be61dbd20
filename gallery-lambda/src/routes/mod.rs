//! A handler reads a request, calls a service, and writes the answer.

mod accounts;
mod albums;
mod blobs;
pub(crate) mod documentation;
mod health;
mod photos;
mod search;

use axum::middleware;
use gallery_domain::services::Gallery;
use gallery_domain::{GalleryError, Photo};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::middleware::within_a_minute;
use crate::problem::{Kind, Problem};
use crate::request::Mount;
use crate::{Shared, wire};

/// Every route of the API with its documentation.
pub(crate) fn documented() -> OpenApiRouter<Shared> {
    let short = OpenApiRouter::with_openapi(documentation::introduction())
        .routes(routes!(accounts::sign_up))
        .routes(routes!(accounts::confirm_email))
        .routes(routes!(accounts::resend_code))
        .routes(routes!(accounts::log_in))
        .routes(routes!(accounts::log_out))
        .routes(routes!(accounts::list_sessions))
        .routes(routes!(accounts::end_session))
        .routes(routes!(accounts::forgot_password))
        .routes(routes!(accounts::reset_password))
        .routes(routes!(accounts::get_account, accounts::update_account, accounts::cancel_account))
        .routes(routes!(accounts::change_password))
        .routes(routes!(photos::list, photos::add))
        .routes(routes!(photos::check_uploads))
        .routes(routes!(photos::timeline))
        .routes(routes!(photos::bulk))
        .routes(routes!(photos::get, photos::update, photos::delete))
        .routes(routes!(albums::list, albums::create))
        .routes(routes!(albums::get, albums::update, albums::delete))
        .routes(routes!(albums::restore))
        .routes(routes!(albums::add_photos, albums::remove_photos))
        .routes(routes!(search::by_url, search::by_body))
        .routes(routes!(search::tags))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .layer(middleware::from_fn(within_a_minute));
    // Bytes take as long as the line of whoever sends or fetches them.
    short.merge(OpenApiRouter::new().routes(routes!(blobs::upload, blobs::download)))
}

/// What is at no path.
pub(crate) async fn unknown_path(mount: Mount) -> Problem {
    nothing_here(&mount)
}

/// What a path is not asked for.
pub(crate) async fn unknown_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "This address does not take this method: the header Allow names those that it takes.",
    )
}

fn nothing_here(Mount(mount): &Mount) -> Problem {
    let overview = if cfg!(feature = "docs-page") { "docs/" } else { "openapi.json" };
    Problem::new(Kind::NotFound, format!("There is nothing at this address: see {mount}/{overview} for what there is."))
}

/// Photos as they are answered. Signing their URLs asks no store.
async fn render(gallery: &Gallery, photos: &[Photo]) -> Result<Vec<wire::Photo>, GalleryError> {
    let mut rendered = Vec::with_capacity(photos.len());
    for photo in photos {
        rendered.push(wire::Photo::new(photo, gallery.photos.urls(photo).await?));
    }
    Ok(rendered)
}
