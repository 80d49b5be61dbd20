//! Photos.

use std::collections::BTreeMap;

use gallery_domain::ports::UploadTicket;
use gallery_domain::services::{self, BulkAction, PhotoList, PhotoUrls};
use gallery_domain::{
    AlbumId, Description, ExifSummary, FileName, InvalidField, InvalidValue, MediaType, Original, PhotoCursor,
    PhotoDetails, PhotoId, PhotoState, Sha256Digest, Tag, Tags, TakenAt, Title,
};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{flag, present};
use crate::problem::{Kind, Problem};
use crate::request::{Fields, Paging, Parse};

/// Announces an upload.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPhoto {
    /// What the file is called, without a path.
    #[schema(value_type = String, required, example = "IMG_1234.jpg")]
    file_name: Option<String>,
    /// `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
    #[schema(value_type = String, required, example = "image/jpeg")]
    content_type: Option<String>,
    /// Its bytes, at most 100 MiB.
    #[schema(value_type = u64, required, example = 2_400_000)]
    size: Option<u64>,
    /// The SHA-256 of its bytes: 64 hexadecimal digits.
    #[schema(value_type = String, required)]
    sha256: Option<String>,
    /// One line of at most 200 characters.
    title: Option<String>,
    /// At most 5,000 characters.
    description: Option<String>,
    /// At most 50 of at most 64 characters.
    tags: Option<Vec<String>>,
    /// An album to put it into.
    album_id: Option<String>,
}

impl Parse for NewPhoto {
    type Parsed = services::NewPhoto;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let file_name = fields.required("/fileName", self.file_name, |name| FileName::parse(&name));
        let content_type = fields.required("/contentType", self.content_type, |kind| kind.parse::<MediaType>());
        let bytes = fields.required("/size", self.size, Ok);
        let sha256 = fields.required("/sha256", self.sha256, |digest| digest.parse::<Sha256Digest>());
        let title = fields.optional("/title", self.title, |title| Title::parse(&title));
        let description = fields.optional("/description", self.description, |text| Description::parse(&text));
        let tags = tags(&mut fields, self.tags);
        let album = fields.optional("/albumId", self.album_id, |id| id.parse::<AlbumId>());
        let original = file_name.zip(content_type).zip(bytes.zip(sha256));
        fields.finish(original.map(|((file_name, content_type), (bytes, sha256))| services::NewPhoto {
            original: Original { file_name, content_type, bytes, sha256 },
            details: PhotoDetails {
                title: title.unwrap_or_default(),
                description: description.unwrap_or_default(),
                tags: tags.unwrap_or_default(),
                ..PhotoDetails::default()
            },
            album,
        }))
    }

    /// A file that is in order but for its type is no photo.
    fn refusal(fields: Vec<InvalidField>) -> Problem {
        match fields.as_slice() {
            [field] if field.field == "/contentType" => {
                let detail = "The file is not of a type that the gallery takes: send a JPEG, PNG, WebP or GIF.";
                Problem::new(Kind::UnsupportedMediaType, detail).with_fields(fields)
            }
            _ => Problem::invalid(fields),
        }
    }
}

/// Changes to a photo; a field that is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PhotoPatch {
    /// One line of at most 200 characters.
    title: Option<String>,
    /// At most 5,000 characters.
    description: Option<String>,
    /// In place of all others: at most 50 of at most 64 characters.
    tags: Option<Vec<String>>,
    /// Whether it is one of the best.
    favourite: Option<bool>,
    /// Local time, with its offset if that is known; `null` goes back to the file's own.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "2024-06-01T12:30:00+02:00")]
    taken_at: Option<Option<String>>,
}

impl Parse for PhotoPatch {
    type Parsed = services::PhotoPatch;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let patch = services::PhotoPatch {
            title: fields.optional("/title", self.title, |title| Title::parse(&title)),
            description: fields.optional("/description", self.description, |text| Description::parse(&text)),
            tags: tags(&mut fields, self.tags),
            favourite: self.favourite,
            taken_at: fields
                .optional("/takenAt", self.taken_at, |time| time.map(|time| time.parse::<TakenAt>()).transpose()),
        };
        fields.finish(Some(patch))
    }
}

/// Which contents are there already.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UploadCheck {
    /// At most 100 SHA-256 of files.
    #[schema(value_type = Vec<String>, required)]
    sha256: Option<Vec<String>>,
}

impl Parse for UploadCheck {
    type Parsed = Vec<Sha256Digest>;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let contents = fields.list("/sha256", self.sha256, |digest| digest.parse());
        fields.finish(contents)
    }
}

/// A content that is there already.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KnownContent {
    /// The SHA-256 that was asked for.
    pub(crate) sha256: String,
    /// The photo that has it.
    pub(crate) photo_id: String,
}

/// Which photos to list; without any parameter, all in the timeline.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PhotoListing {
    /// Items on a page: 1 to 100, 50 if left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    limit: Option<String>,
    /// What the page before gave as `next`.
    after: Option<String>,
    /// Only the photos of this album, in its own order.
    album_id: Option<String>,
    /// Only favourites.
    #[param(value_type = Option<bool>)]
    favourite: Option<String>,
    /// The photos in the trash, last trashed first.
    #[param(value_type = Option<bool>)]
    trashed: Option<String>,
    /// Uploads that are not finished, or failed.
    #[param(value_type = Option<bool>)]
    unfinished: Option<String>,
    /// Starts with the latest photo taken before a month or a day, such as `2024-06` or `2024-06-15`.
    before: Option<String>,
}

/// What a [`PhotoListing`] asks for.
pub(crate) struct ParsedListing {
    pub(crate) what: Listed,
    pub(crate) paging: Paging,
    /// Where to start, in place of a cursor.
    pub(crate) start: Option<PhotoCursor>,
}

/// What is listed.
pub(crate) enum Listed {
    Album(AlbumId),
    List(PhotoList),
}

impl Parse for PhotoListing {
    type Parsed = ParsedListing;

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let start = fields.optional("before", self.before, |text| start_before(&text));
        if start.is_some() && self.after.is_some() {
            fields.refuse(
                InvalidValue::new("cannot stand beside after: a cursor says where to go on").in_field("before"),
            );
        }
        let paging = Paging::parse(&mut fields, self.limit, self.after);
        let album = fields.optional("albumId", self.album_id, |id| id.parse::<AlbumId>());
        let mut what = album.map(Listed::Album);
        let flags = [
            ("favourite", self.favourite, PhotoList::Favourites),
            ("trashed", self.trashed, PhotoList::Trash),
            ("unfinished", self.unfinished, PhotoList::Unfinished),
        ];
        for (name, value, list) in flags {
            if fields.optional(name, value, flag) != Some(true) {
                continue;
            }
            if what.is_some() {
                let reason = "cannot be asked for together with another list: leave one out";
                fields.refuse(InvalidValue::new(reason).in_field(name));
            }
            what = Some(Listed::List(list));
        }
        let what = what.unwrap_or(Listed::List(PhotoList::Timeline));
        let timed = matches!(what, Listed::List(PhotoList::Timeline | PhotoList::Favourites));
        if start.is_some() && !timed {
            let reason = "goes with lists by time taken: leave it out for this one";
            fields.refuse(InvalidValue::new(reason).in_field("before"));
        }
        fields.finish(Some(ParsedListing { what, paging, start }))
    }
}

/// One thing to do to many photos.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bulk {
    /// 1 to 100 photos.
    #[schema(value_type = Vec<String>, required)]
    ids: Option<Vec<String>>,
    /// What to do.
    #[schema(value_type = BulkKind, required)]
    action: Option<String>,
    /// For `addTags` and `removeTags`.
    tags: Option<Vec<String>>,
    /// For `addToAlbum` and `removeFromAlbum`.
    album_id: Option<String>,
    /// For `favourite`: `true` if left out.
    favourite: Option<bool>,
}

/// What can be done to many photos.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BulkKind {
    Trash,
    Restore,
    Purge,
    AddTags,
    RemoveTags,
    AddToAlbum,
    RemoveFromAlbum,
    Favourite,
}

impl BulkKind {
    fn parse(text: &str) -> Result<Self, InvalidValue> {
        Self::deserialize(text.into_deserializer()).map_err(|error: serde::de::value::Error| {
            // What serde says of the value itself is left out: it quotes it.
            let message = error.to_string();
            let (_, expected) = message.rsplit_once("expected ").unwrap_or_default();
            InvalidValue::new(format!("is not known: expected {expected}"))
        })
    }

    /// The field that only some actions take.
    const fn field(self) -> Option<&'static str> {
        match self {
            Self::Trash | Self::Restore | Self::Purge => None,
            Self::AddTags | Self::RemoveTags => Some("/tags"),
            Self::AddToAlbum | Self::RemoveFromAlbum => Some("/albumId"),
            Self::Favourite => Some("/favourite"),
        }
    }
}

impl Parse for Bulk {
    type Parsed = (Vec<PhotoId>, BulkAction);

    fn parse(self) -> Result<Self::Parsed, Vec<InvalidField>> {
        let mut fields = Fields::default();
        let ids = fields.list("/ids", self.ids, |id| id.parse());
        let kind = fields.required("/action", self.action, |text| BulkKind::parse(&text));
        let given = [
            ("/tags", self.tags.is_some()),
            ("/albumId", self.album_id.is_some()),
            ("/favourite", self.favourite.is_some()),
        ];
        for (field, is_given) in given {
            if is_given && kind.is_some_and(|kind| kind.field() != Some(field)) {
                fields.refuse(InvalidValue::new("does not belong to this action: leave it out").in_field(field));
            }
        }
        let some_tags =
            |fields: &mut Fields| fields.required("/tags", self.tags, Ok).and_then(|given| tags(fields, Some(given)));
        let album = |fields: &mut Fields| fields.required("/albumId", self.album_id, |id| id.parse());
        let action = kind.and_then(|kind| match kind {
            BulkKind::Trash => Some(BulkAction::Trash),
            BulkKind::Restore => Some(BulkAction::Restore),
            BulkKind::Purge => Some(BulkAction::Purge),
            BulkKind::AddTags => some_tags(&mut fields).map(BulkAction::AddTags),
            BulkKind::RemoveTags => some_tags(&mut fields).map(BulkAction::RemoveTags),
            BulkKind::AddToAlbum => album(&mut fields).map(BulkAction::AddToAlbum),
            BulkKind::RemoveFromAlbum => album(&mut fields).map(BulkAction::RemoveFromAlbum),
            BulkKind::Favourite => Some(BulkAction::Favourite(self.favourite.unwrap_or(true))),
        });
        fields.finish(ids.zip(action))
    }
}

/// What came of a change to many photos.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkResults {
    /// One for each id, in the order they were given.
    pub(crate) results: Vec<BulkResult>,
}

/// What came of it for one photo.
#[derive(Serialize, ToSchema)]
pub(crate) struct BulkResult {
    /// The photo.
    id: String,
    /// 204, or the status of the problem.
    status: u16,
    /// Why it was left as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl BulkResult {
    pub(crate) fn new(id: PhotoId, outcome: Result<(), Problem>) -> Self {
        let problem = outcome.err();
        Self { id: id.to_string(), status: problem.as_ref().map_or(204, |problem| problem.status().as_u16()), problem }
    }
}

/// A photo.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Photo {
    /// Its identity.
    id: String,
    /// What the file was called.
    file_name: String,
    /// The type of its bytes, or what was announced before they were looked into.
    content_type: &'static str,
    /// Its bytes.
    size: u64,
    /// The SHA-256 of its bytes.
    sha256: String,
    /// One line.
    title: String,
    /// A text.
    description: String,
    /// Tags.
    tags: Vec<String>,
    /// Whether it is one of the best.
    favourite: bool,
    /// Local time, with the offset from UTC where the camera knew it: `2024-06-01T12:30:00` or `2024-06-01T12:30:00+02:00`.
    taken_at: Option<String>,
    /// When its upload was announced (RFC 3339).
    created_at: String,
    /// When it was put into the trash (RFC 3339).
    trashed_at: Option<String>,
    /// `uploading`, `processing`, `ready` or `failed`.
    state: &'static str,
    /// Why it failed.
    failure: Option<Failure>,
    /// Pixels from left to right, once it is ready.
    width: Option<u32>,
    /// Pixels from top to bottom, once it is ready.
    height: Option<u32>,
    /// A ThumbHash in base64: what to show while the thumbnail loads.
    placeholder: Option<String>,
    /// The file ended early or held errors, but a picture came out.
    damaged: bool,
    /// Where to fetch its images, once it is ready.
    urls: Option<Urls>,
    /// Counts the changes: the number in the ETag.
    revision: u64,
}

/// Why a photo failed.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Failure {
    /// `not-a-photo`, `damaged`, `too-large`, `content-mismatch`, `never-uploaded` or `processing-failed`.
    #[schema(value_type = String)]
    kind: gallery_domain::FailureKind,
    /// A sentence that says what was wrong and what to do.
    detail: String,
}

/// Where to fetch a photo's images: good for at least an hour, and the same for hours, so that browsers cache.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Urls {
    /// 320 px on the long edge.
    thumbnail: String,
    /// 1920 px on the long edge.
    preview: String,
    /// As it was uploaded, to be saved under its file name.
    original: String,
}

impl From<PhotoUrls> for Urls {
    fn from(urls: PhotoUrls) -> Self {
        Self { thumbnail: urls.thumbnail, preview: urls.preview, original: urls.original }
    }
}

impl Photo {
    pub(crate) fn new(photo: &gallery_domain::Photo, urls: Option<PhotoUrls>) -> Self {
        let (facts, details) = (photo.facts(), &photo.details);
        let failure = match &photo.state {
            PhotoState::Failed(failure) => Some(Failure { kind: failure.kind, detail: failure.detail.clone() }),
            _ => None,
        };
        Self {
            id: photo.id.to_string(),
            file_name: photo.original.file_name.as_str().to_owned(),
            content_type: facts.map_or(photo.original.content_type, |facts| facts.media_type).as_str(),
            size: photo.original.bytes,
            sha256: photo.original.sha256.to_string(),
            title: details.title.as_str().to_owned(),
            description: details.description.as_str().to_owned(),
            tags: details.tags.iter().map(|tag| tag.as_str().to_owned()).collect(),
            favourite: details.favourite,
            taken_at: details.taken_at.map(|time| time.to_string()),
            created_at: photo.created_at.to_string(),
            trashed_at: photo.trashed.map(|trashed| trashed.at.to_string()),
            state: photo.state.name(),
            failure,
            width: facts.map(|facts| facts.width),
            height: facts.map(|facts| facts.height),
            placeholder: facts.map(|facts| facts.placeholder.to_base64()),
            damaged: facts.is_some_and(|facts| facts.damaged),
            urls: urls.map(Urls::from),
            revision: photo.revision.get(),
        }
    }
}

/// A photo with all that is known of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PhotoInFull {
    #[serde(flatten)]
    pub(crate) photo: Photo,
    /// The albums that it stands in.
    pub(crate) albums: Vec<String>,
    /// What the camera wrote, once it is ready.
    pub(crate) exif: Option<Exif>,
}

/// What the camera wrote into the file.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Exif {
    /// When the camera says the photo was taken.
    taken_at: Option<String>,
    /// The maker of the camera.
    make: Option<String>,
    /// The model of the camera.
    model: Option<String>,
    /// The lens.
    lens: Option<String>,
    /// Seconds.
    exposure_seconds: Option<f64>,
    /// The f-number.
    f_number: Option<f64>,
    /// ISO speed.
    iso: Option<u32>,
    /// Millimetres.
    focal_length_mm: Option<f64>,
    /// Where the photo was taken.
    position: Option<Position>,
}

/// A place on Earth (WGS 84).
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Position {
    /// Degrees north.
    latitude: f64,
    /// Degrees east.
    longitude: f64,
    /// Metres above sea level.
    altitude_m: Option<f64>,
}

impl From<&ExifSummary> for Exif {
    fn from(exif: &ExifSummary) -> Self {
        Self {
            taken_at: exif.taken_at.map(|time| time.to_string()),
            make: exif.make.clone(),
            model: exif.model.clone(),
            lens: exif.lens.clone(),
            exposure_seconds: exif.exposure_seconds,
            f_number: exif.f_number,
            iso: exif.iso,
            focal_length_mm: exif.focal_length_mm,
            position: exif.position.map(|place| Position {
                latitude: place.latitude,
                longitude: place.longitude,
                altitude_m: place.altitude_m,
            }),
        }
    }
}

/// What came of announcing an upload.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddedPhoto {
    /// The photo: the new one, or the one that is there already.
    pub(crate) photo: Photo,
    /// How to upload its bytes; left out where there is no need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upload: Option<Upload>,
    /// The photo that has these bytes already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duplicate_of: Option<String>,
}

/// How to upload bytes: one request with this method, URL and headers, and the bytes as its body.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Upload {
    /// The HTTP method.
    method: &'static str,
    /// The URL; one that starts with `/` is on the API's own origin.
    url: String,
    /// Headers that have to be sent just so.
    headers: BTreeMap<String, String>,
    /// After this the ticket is refused: announce the same file again for a new one (RFC 3339).
    expires_at: String,
}

impl From<UploadTicket> for Upload {
    fn from(ticket: UploadTicket) -> Self {
        Self {
            method: ticket.method,
            url: ticket.url,
            headers: ticket.headers.into_iter().collect(),
            expires_at: ticket.expires_at.to_string(),
        }
    }
}

/// A month of the timeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct Month {
    /// Such as `2024-06`.
    pub(crate) month: String,
    /// How many photos were taken in it.
    pub(crate) photos: u64,
}

fn tags(fields: &mut Fields, tags: Option<Vec<String>>) -> Option<Tags> {
    /// Spellings of one tag are one tag, so a few more than a photo may have can be sent; far more are refused unread.
    const MOST_SPELLINGS: usize = 10 * Tags::MAX;
    let tags = tags?;
    let parse = |fields: &mut Fields| -> Vec<Tag> {
        let tags = tags.iter().enumerate();
        tags.filter_map(|(index, tag)| fields.take(format!("/tags/{index}"), Tag::parse(tag))).collect()
    };
    let parsed = match tags.len() {
        0..=MOST_SPELLINGS => Tags::new(parse(fields)),
        _ => Err(InvalidValue::new("would be more than 50 tags on one photo")),
    };
    fields.take("/tags", parsed)
}

/// The place in the timeline before a month or a day.
fn start_before(text: &str) -> Result<PhotoCursor, InvalidValue> {
    let start = match text.len() {
        7 => format!("{text}-01T00:00:00"),
        10 => format!("{text}T00:00:00"),
        _ => String::new(),
    };
    let time: Result<TakenAt, _> = start.parse();
    let time = time.map_err(|_| InvalidValue::new("is neither a month nor a day: expected 2024-06 or 2024-06-15"))?;
    Ok(PhotoCursor::before(time.timeline_instant()))
}
