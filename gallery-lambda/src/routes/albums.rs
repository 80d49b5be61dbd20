//! Albums.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use gallery_domain::services::{AlbumView, Deletion};
use gallery_domain::{AlbumCursor, AlbumId, GalleryError};

use crate::cursor::List;
use crate::problem::Problem;
use crate::request::{Id, IdempotencyKey, Json, Parameters};
use crate::session_auth::Authenticated;
use crate::{Shared, etag, wire};

/// Make an album
///
/// A repetition with the same `Idempotency-Key` answers the same album.
#[utoipa::path(post, path = "/albums", operation_id = "createalbum", tag = "albums", request_body = wire::NewAlbum,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses((status = 201, description = "The album", body = wire::Album, headers(("ETag" = String, description = "Its revision"), ("Location" = String, description = "The album")))))]
pub(super) async fn create(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<wire::NewAlbum>,
) -> Result<impl IntoResponse, Problem> {
    let view = app.gallery.albums.create(&actor, &new, key.as_deref()).await?;
    // Relative to the address of this call, wherever the router is mounted.
    let location = [(header::LOCATION, format!("albums/{}", view.entry.album.id))];
    Ok((StatusCode::CREATED, location, answer(&app, &view).await?))
}

/// List albums
///
/// Latest made first.
#[utoipa::path(get, path = "/albums", operation_id = "getalbums", tag = "albums", params(wire::AlbumListing),
    responses((status = 200, description = "A page of albums", body = wire::Page<wire::Album>)))]
pub(super) async fn list(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Parameters((trashed, paging)): Parameters<wire::AlbumListing>,
) -> Result<axum::Json<wire::Page<wire::Album>>, Problem> {
    let list = List::new(actor.user(), if trashed { "albums in the trash" } else { "albums" });
    let page = paging.of::<AlbumCursor>(&list)?;
    let page = match trashed {
        true => app.gallery.albums.trash(&actor, page).await?,
        false => app.gallery.albums.list(&actor, page).await?,
    };
    let mut items = Vec::with_capacity(page.items.len());
    for view in &page.items {
        items.push(render(&app, view).await?);
    }
    Ok(axum::Json(wire::Page { items, next: page.next.map(|place| list.cursor(&place)) }))
}

/// Get an album
///
/// Its photos are listed by `GET /photos?albumId=…`.
#[utoipa::path(get, path = "/albums/{id}", operation_id = "getalbum", tag = "albums",
    params(("id" = String, Path, description = "The album")),
    responses((status = 200, description = "The album", body = wire::Album, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn get(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
) -> Result<impl IntoResponse, Problem> {
    let view = app.gallery.albums.get(&actor, id).await?;
    answer(&app, &view).await
}

/// Change an album
#[utoipa::path(patch, path = "/albums/{id}", operation_id = "updatealbum", tag = "albums",
    params(("id" = String, Path, description = "The album"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    request_body = wire::AlbumPatch,
    responses((status = 200, description = "The album", body = wire::Album, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn update(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
    headers: HeaderMap,
    Json(patch): Json<wire::AlbumPatch>,
) -> Result<impl IntoResponse, Problem> {
    let view = app.gallery.albums.update(&actor, id, &patch, etag::if_match(&headers)?).await?;
    answer(&app, &view).await
}

/// Move an album to the trash
///
/// By default its photos go there with it, also out of other albums: `dryRun` counts them first.
#[utoipa::path(delete, path = "/albums/{id}", operation_id = "deletealbum", tag = "albums",
    params(("id" = String, Path, description = "The album"), wire::AlbumDeletion,
        ("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    responses((status = 200, description = "What was done, or would be", body = wire::DeletedAlbum)))]
pub(super) async fn delete(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
    Parameters((photos, dry_run)): Parameters<wire::AlbumDeletion>,
    headers: HeaderMap,
) -> Result<axum::Json<wire::DeletedAlbum>, Problem> {
    let if_match = etag::if_match(&headers)?;
    let Deletion { photos } = if dry_run {
        app.gallery.albums.preview_deletion(&actor, id, photos, if_match).await?
    } else {
        let deletion = app.gallery.albums.delete(&actor, id, photos, if_match).await?;
        (app.on_work)();
        deletion
    };
    Ok(axum::Json(wire::DeletedAlbum { photos, dry_run }))
}

/// Bring an album back from the trash
///
/// With the photos that went there with it.
#[utoipa::path(post, path = "/albums/{id}/restore", operation_id = "restorealbum", tag = "albums",
    params(("id" = String, Path, description = "The album"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    responses((status = 200, description = "The album", body = wire::Album, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn restore(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let view = app.gallery.albums.restore(&actor, id, etag::if_match(&headers)?).await?;
    (app.on_work)();
    answer(&app, &view).await
}

/// Put photos into an album
///
/// Or move them within it.
#[utoipa::path(put, path = "/albums/{id}/photos", operation_id = "addtoalbum", tag = "albums",
    params(("id" = String, Path, description = "The album"),
        ("If-Match" = Option<String>, Header, description = "The album's ETag that was read: refused if it is another by now")),
    request_body = wire::PhotosToAdd,
    responses((status = 200, description = "How many were not in it before", body = wire::PhotosMoved)))]
pub(super) async fn add_photos(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
    headers: HeaderMap,
    Json((photos, place)): Json<wire::PhotosToAdd>,
) -> Result<axum::Json<wire::PhotosMoved>, Problem> {
    let photos = app.gallery.albums.add_photos(&actor, id, &photos, place, etag::if_match(&headers)?).await?;
    Ok(axum::Json(wire::PhotosMoved { photos }))
}

/// Take photos out of an album
///
/// The photos themselves stay.
#[utoipa::path(delete, path = "/albums/{id}/photos", operation_id = "removefromalbum", tag = "albums",
    params(("id" = String, Path, description = "The album"),
        ("If-Match" = Option<String>, Header, description = "The album's ETag that was read: refused if it is another by now")),
    request_body = wire::PhotosToRemove,
    responses((status = 200, description = "How many were in it", body = wire::PhotosMoved)))]
pub(super) async fn remove_photos(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<AlbumId>,
    headers: HeaderMap,
    Json(photos): Json<wire::PhotosToRemove>,
) -> Result<axum::Json<wire::PhotosMoved>, Problem> {
    let photos = app.gallery.albums.remove_photos(&actor, id, &photos, etag::if_match(&headers)?).await?;
    Ok(axum::Json(wire::PhotosMoved { photos }))
}

async fn answer(app: &Shared, view: &AlbumView) -> Result<impl IntoResponse + use<>, Problem> {
    Ok((etag::of(view.entry.album.revision), axum::Json(render(app, view).await?)))
}

async fn render(app: &Shared, view: &AlbumView) -> Result<wire::Album, GalleryError> {
    let urls = match &view.cover {
        Some(cover) => app.gallery.photos.urls(cover).await?,
        None => None,
    };
    Ok(wire::Album::new(view, urls))
}
