//! Photos.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use gallery_domain::services::{Added, PhotoList};
use gallery_domain::{Actor, BlobKey, PageRequest, Photo, PhotoId, PhotoState};

use super::blobs::look_into;
use super::render;
use crate::cursor::List;
use crate::problem::Problem;
use crate::request::{Id, IdempotencyKey, Json, Parameters};
use crate::session_auth::Authenticated;
use crate::wire::Listed;
use crate::{Shared, etag, wire};

/// Announce an upload
///
/// Answers how to send the bytes, straight to where they are kept. A repetition with the same `Idempotency-Key`, or of the same bytes before they came,
/// answers the same photo.
#[utoipa::path(post, path = "/photos", operation_id = "addphoto", tag = "photos", request_body = wire::NewPhoto,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition harmless")),
    responses(
        (status = 201, description = "Upload the bytes as `upload` says; without it this very request was answered before, and they have come since", body = wire::AddedPhoto, headers(("ETag" = String, description = "Its revision"), ("Location" = String, description = "The photo"))),
        (status = 200, description = "These bytes are there already, in the photo `duplicateOf`", body = wire::AddedPhoto)))]
pub(super) async fn add(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    IdempotencyKey(key): IdempotencyKey,
    Json(new): Json<wire::NewPhoto>,
) -> Result<impl IntoResponse, Problem> {
    let (status, photo, upload) = match app.gallery.photos.add(&actor, &new, key.as_deref()).await? {
        Added::Expected(photo, ticket) => (StatusCode::CREATED, photo, Some(wire::Upload::from(ticket))),
        Added::Repeated(photo) => (StatusCode::CREATED, photo, None),
        Added::Duplicate(photo) => (StatusCode::OK, photo, None),
    };
    // Relative to the address of this call, wherever the router is mounted.
    let location = [(header::LOCATION, format!("photos/{}", photo.id))];
    let duplicate_of = (status == StatusCode::OK).then(|| photo.id.to_string());
    let rendered = wire::Photo::new(&photo, app.gallery.photos.urls(&photo).await?);
    let body = wire::AddedPhoto { photo: rendered, upload, duplicate_of };
    Ok((status, etag::of(photo.revision), location, axum::Json(body)))
}

/// Ask which files are there already
///
/// Before a folder is sent. Answers those that are.
#[utoipa::path(post, path = "/photos/check", operation_id = "checkuploads", tag = "photos", request_body = wire::UploadCheck,
    responses((status = 200, description = "Those that are there", body = wire::Page<wire::KnownContent>)))]
pub(super) async fn check_uploads(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Json(contents): Json<wire::UploadCheck>,
) -> Result<axum::Json<wire::Page<wire::KnownContent>>, Problem> {
    let known = app.gallery.photos.check_uploads(&actor, &contents).await?;
    let known = known
        .iter()
        .map(|(sha256, photo)| wire::KnownContent { sha256: sha256.to_string(), photo_id: photo.to_string() })
        .collect();
    Ok(axum::Json(wire::Page::whole(known)))
}

/// List photos
///
/// Latest taken first; the photos of an album in its own order.
#[utoipa::path(get, path = "/photos", operation_id = "getphotos", tag = "photos", params(wire::PhotoListing),
    responses((status = 200, description = "A page of photos", body = wire::Page<wire::Photo>)))]
pub(super) async fn list(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Parameters(wanted): Parameters<wire::PhotoListing>,
) -> Result<axum::Json<wire::Page<wire::Photo>>, Problem> {
    let (photos, next) = match wanted.what {
        Listed::Album(album) => {
            let list = List::new(actor.user(), &format!("photos of album {album}"));
            let page = app.gallery.albums.photos(&actor, album, wanted.paging.of(&list)?).await?;
            (page.items, page.next.map(|place| list.cursor(&place)))
        }
        Listed::List(kind) => {
            let list = List::new(actor.user(), list_name(kind));
            let page = wanted.paging.of(&list)?;
            let page = PageRequest { after: page.after.or(wanted.start), ..page };
            let page = app.gallery.photos.list(&actor, kind, page).await?;
            (page.items, page.next.map(|place| list.cursor(&place)))
        }
    };
    Ok(axum::Json(wire::Page { items: render(&app.gallery, &photos).await?, next }))
}

/// List the months of the timeline
///
/// Latest first, with how many photos each holds: for a scrubber.
#[utoipa::path(get, path = "/photos/timeline", operation_id = "gettimeline", tag = "photos",
    responses((status = 200, description = "The months that hold photos", body = wire::Page<wire::Month>)))]
pub(super) async fn timeline(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
) -> Result<axum::Json<wire::Page<wire::Month>>, Problem> {
    let months = app.gallery.photos.months(&actor).await?;
    let months = months.iter().map(|count| wire::Month { month: count.month.to_string(), photos: count.photos });
    Ok(axum::Json(wire::Page::whole(months.collect())))
}

/// Get a photo
#[utoipa::path(get, path = "/photos/{id}", operation_id = "getphoto", tag = "photos",
    params(("id" = String, Path, description = "The photo")),
    responses((status = 200, description = "The photo", body = wire::PhotoInFull, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn get(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<PhotoId>,
) -> Result<impl IntoResponse, Problem> {
    let photo = app.gallery.photos.get(&actor, id).await?;
    // Bytes that go past the gallery tell nobody that they have come: whoever sent them asks for the photo until it is ready.
    let passes_by = app.settings.look_into_uploads && app.gateway.is_none();
    if passes_by && photo.state == PhotoState::Uploading {
        look_into(&app, &BlobKey::incoming(photo.owner, photo.id));
    }
    in_full(&app, &actor, &photo).await
}

/// Change a photo
#[utoipa::path(patch, path = "/photos/{id}", operation_id = "updatephoto", tag = "photos",
    params(("id" = String, Path, description = "The photo"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    request_body = wire::PhotoPatch,
    responses((status = 200, description = "The photo", body = wire::PhotoInFull, headers(("ETag" = String, description = "Its revision")))))]
pub(super) async fn update(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<PhotoId>,
    headers: HeaderMap,
    Json(patch): Json<wire::PhotoPatch>,
) -> Result<impl IntoResponse, Problem> {
    let photo = app.gallery.photos.update(&actor, id, &patch, etag::if_match(&headers)?).await?;
    in_full(&app, &actor, &photo).await
}

/// Move a photo to the trash
///
/// It can be brought back for 30 days. An upload that never became a photo is removed for good.
#[utoipa::path(delete, path = "/photos/{id}", operation_id = "deletephoto", tag = "photos",
    params(("id" = String, Path, description = "The photo"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read: refused if it is another by now")),
    responses((status = 204, description = "It is in the trash")))]
pub(super) async fn delete(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Id(id): Id<PhotoId>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    app.gallery.photos.trash(&actor, id, etag::if_match(&headers)?).await?;
    (app.on_work)();
    Ok(StatusCode::NO_CONTENT)
}

/// Do one thing to many photos
///
/// Answers for each; one that is refused keeps no other from being done.
#[utoipa::path(post, path = "/photos/bulk", operation_id = "bulk", tag = "photos", request_body = wire::Bulk,
    responses((status = 200, description = "What came of it for each", body = wire::BulkResults)))]
pub(super) async fn bulk(
    State(app): State<Shared>,
    Authenticated(actor): Authenticated,
    Json((ids, action)): Json<wire::Bulk>,
) -> Result<axum::Json<wire::BulkResults>, Problem> {
    let outcomes = app.gallery.photos.bulk(&actor, &ids, &action).await?;
    (app.on_work)();
    let results =
        outcomes.into_iter().map(|(id, outcome)| wire::BulkResult::new(id, outcome.map_err(Problem::from))).collect();
    Ok(axum::Json(wire::BulkResults { results }))
}

async fn in_full(app: &Shared, actor: &Actor, photo: &Photo) -> Result<impl IntoResponse + use<>, Problem> {
    let albums = app.gallery.photos.albums_of(actor, photo.id).await?;
    let body = wire::PhotoInFull {
        photo: wire::Photo::new(photo, app.gallery.photos.urls(photo).await?),
        albums: albums.iter().map(ToString::to_string).collect(),
        exif: photo.facts().map(|facts| wire::Exif::from(&facts.exif)),
    };
    Ok((etag::of(photo.revision), axum::Json(body)))
}

/// What a cursor of the list is bound to.
fn list_name(list: PhotoList) -> &'static str {
    match list {
        PhotoList::Timeline => "photos by time taken",
        PhotoList::Favourites => "favourite photos",
        PhotoList::Trash => "photos in the trash",
        PhotoList::Unfinished => "unfinished photos",
    }
}
