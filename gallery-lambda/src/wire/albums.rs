//! Albums.

use gallery_domain::services::{self, AlbumView, PhotoUrls, Place};
use gallery_domain::{AlbumPhotos, AlbumTitle, Description, InvalidField, InvalidValue, PhotoId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Urls, flag, present};
use crate::request::{Fields, Paging, Parse};

/// A new album.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewAlbum {
    /// 1 to 200 characters.
    #[schema(value_type = String, required, example = "Norway 2024")]
    title: Option<String>,
    /// At most 5,000 characters.
    description: Option<String>,
}

impl Parse for NewAlbum {
    type Parsed = services::NewAlbum;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let title = fields.required("/title", self.title, |title| AlbumTitle::parse(&title));
        let description = fields.optional("/description", self.description, |text| Description::parse(&text));
        let description = description.unwrap_or_default();
        fields.finish(title.map(|title| services::NewAlbum { title, description }))
    }
}

/// Changes to an album; a field that is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AlbumPatch {
    /// 1 to 200 characters.
    title: Option<String>,
    /// At most 5,000 characters.
    description: Option<String>,
    /// The photo that stands for it, one of its own; `null` goes back to the first.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    cover: Option<Option<String>>,
}

impl Parse for AlbumPatch {
    type Parsed = services::AlbumPatch;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let patch = services::AlbumPatch {
            title: fields.optional("/title", self.title, |title| AlbumTitle::parse(&title)),
            description: fields.optional("/description", self.description, |text| Description::parse(&text)),
            cover: fields.optional("/cover", self.cover, |id| id.map(|id| id.parse()).transpose()),
        };
        fields.finish(Some(patch))
    }
}

/// Which albums to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlbumListing {
    /// Items on a page: 1 to 100, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// The albums in the trash, last trashed first.
    #[param(value_type = Option<bool>)]
    trashed: Option<String>,
}

impl Parse for AlbumListing {
    type Parsed = (bool, Paging);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let trashed = fields.optional("trashed", self.trashed, flag).unwrap_or(false);
        let paging = Paging::parse(&mut fields, self.limit, self.after);
        fields.finish(Some((trashed, paging)))
    }
}

/// How to delete an album.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlbumDeletion {
    /// `delete`, the default: its photos go to the trash with it, also out of other albums. `keep`: they stay.
    photos: Option<String>,
    /// Only says what would be done.
    #[param(value_type = Option<bool>)]
    dry_run: Option<String>,
}

impl Parse for AlbumDeletion {
    type Parsed = (AlbumPhotos, bool);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let photos = fields.optional("photos", self.photos, |text| match text.as_str() {
            "delete" => Ok(AlbumPhotos::Delete),
            "keep" => Ok(AlbumPhotos::Keep),
            _ => Err(InvalidValue::new("is neither delete nor keep")),
        });
        let dry_run = fields.optional("dryRun", self.dry_run, flag).unwrap_or(false);
        fields.finish(Some((photos.unwrap_or_default(), dry_run)))
    }
}

/// Photos to put into an album.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PhotosToAdd {
    /// 1 to 100 photos, in the order that they shall stand in.
    #[schema(value_type = Vec<String>, required)]
    photo_ids: Option<Vec<String>>,
    /// Puts them, also those that stand in the album already, right before this photo, or at the `start`; left out: at the end, and those that stand
    /// in the album already stay where they are.
    before: Option<String>,
}

impl Parse for PhotosToAdd {
    type Parsed = (Vec<PhotoId>, Place);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let photos = fields.list("/photoIds", self.photo_ids, |id| id.parse());
        let place = fields.optional("/before", self.before, |text| match text.as_str() {
            "start" => Ok(Place::Start),
            id => id.parse().map(Place::Before),
        });
        fields.finish(photos.map(|photos| (photos, place.unwrap_or_default())))
    }
}

/// Photos to take out of an album.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PhotosToRemove {
    /// 1 to 100 photos.
    #[schema(value_type = Vec<String>, required)]
    photo_ids: Option<Vec<String>>,
}

impl Parse for PhotosToRemove {
    type Parsed = Vec<PhotoId>;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let photos = fields.list("/photoIds", self.photo_ids, |id| id.parse());
        fields.finish(photos)
    }
}

/// How many photos were put in or taken out.
#[derive(Serialize, ToSchema)]
pub(crate) struct PhotosMoved {
    /// How many.
    pub(crate) photos: u64,
}

/// What deleting an album does, or would do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedAlbum {
    /// How many photos go to the trash with it.
    pub(crate) photos: u64,
    /// Whether nothing was done.
    pub(crate) dry_run: bool,
}

/// An album.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Album {
    /// Its identity.
    id: String,
    /// What it is called.
    title: String,
    /// A text.
    description: String,
    /// Its photos that are ready and not in the trash.
    photo_count: u64,
    /// The photo that stands for it; none while it is empty.
    cover: Option<Cover>,
    /// When it was created (RFC 3339).
    created_at: String,
    /// When it was put into the trash (RFC 3339).
    trashed_at: Option<String>,
    /// Counts the changes: the number in the ETag.
    revision: u64,
}

/// The photo that stands for an album.
#[derive(Serialize, ToSchema)]
pub(crate) struct Cover {
    /// The photo.
    id: String,
    /// A ThumbHash in base64.
    placeholder: Option<String>,
    /// Pixels from left to right.
    width: Option<u32>,
    /// Pixels from top to bottom.
    height: Option<u32>,
    /// Where to fetch its images.
    urls: Option<Urls>,
}

impl Album {
    pub(crate) fn new(view: &AlbumView, cover_urls: Option<PhotoUrls>) -> Self {
        let album = &view.entry.album;
        let cover = view.cover.as_ref().map(|photo| Cover {
            id: photo.id.to_string(),
            placeholder: photo.facts().map(|facts| facts.placeholder.to_base64()),
            width: photo.facts().map(|facts| facts.width),
            height: photo.facts().map(|facts| facts.height),
            urls: cover_urls.map(Urls::from),
        });
        Self {
            id: album.id.to_string(),
            title: album.title.as_str().to_owned(),
            description: album.description.as_str().to_owned(),
            photo_count: view.entry.photo_count,
            cover,
            created_at: album.created_at.to_string(),
            trashed_at: album.trashed.map(|trashed| trashed.at.to_string()),
            revision: album.revision.get(),
        }
    }
}
