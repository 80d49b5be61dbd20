//! Rows to entities and back.

use std::error::Error;

use gallery_domain::ports::{IdempotencyClaim, RepositoryError};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{
    Album, AlbumEntry, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, ClaimedWork, ClientLabel, CodePurpose,
    Credential, Description, EmailAddress, FileName, Membership, OneTimeCode, Original, PasswordHash, PersonName,
    Photo, PhotoDetails, PhotoId, PhotoState, Quota, Rank, Revision, Session, SessionId, Sha256Digest, Tag, Tags, Task,
    Timestamp, Title, TokenHash, Trashed, User, UserId, UserStatus,
};
use sqlx::postgres::PgRow;
use sqlx::{ColumnIndex, Decode, Postgres, Row, Type};
use uuid::Uuid;

/// The columns that [`photo`] reads.
macro_rules! photo_columns {
    () => {
        "photo.id, photo.owner_id, photo.file_name, photo.content_type, photo.bytes, photo.sha256, photo.title, \
         photo.description, photo.tags, photo.tag_keys, photo.favourite, photo.taken_at, photo.state, photo.facts::text, photo.failure::text, \
         photo.settled_at, photo.trashed_at, photo.trashed_with, photo.created_at, photo.revision"
    };
}
pub(super) use photo_columns;

/// The columns that [`album`] and [`album_entry`] read.
macro_rules! album_columns {
    () => {
        "album.id, album.owner_id, album.title, album.description, album.cover, album.trashed_at, \
         album.trashed_photos, album.created_at, album.revision, album.photo_count"
    };
}
pub(super) use album_columns;

/// The columns that [`user`] reads.
macro_rules! user_columns {
    () => {
        "id, email, name, status, quota_bytes, quota_photos, quota_pending_uploads, created_at, revision"
    };
}
pub(super) use user_columns;

/// The columns that [`session`] reads.
macro_rules! session_columns {
    () => {
        "id, user_id, token, client, created_at, last_seen_at"
    };
}
pub(super) use session_columns;

type Unreadable = Box<dyn Error + Send + Sync>;

pub(super) fn photo(row: &PgRow) -> Result<Photo, RepositoryError> {
    let read = || -> Result<Photo, Unreadable> {
        let state = match row.try_get("state")? {
            "uploading" => PhotoState::Uploading,
            "processing" => PhotoState::Processing,
            "ready" => PhotoState::Ready(serde_json::from_str(row.try_get("facts")?)?),
            "failed" => PhotoState::Failed(serde_json::from_str(row.try_get("failure")?)?),
            "erasing" => PhotoState::Erasing { settled_at: time(row, "settled_at")? },
            other => return Err(format!("there is no state {other:?}").into()),
        };
        let trashed = match row.try_get::<Option<i64>, _>("trashed_at")? {
            Some(at) => Some(Trashed {
                at: Timestamp::from_millis(at),
                with_album: row.try_get::<Option<Uuid>, _>("trashed_with")?.map(AlbumId::from_uuid),
            }),
            None => None,
        };
        Ok(Photo {
            id: PhotoId::from_uuid(row.try_get("id")?),
            owner: UserId::from_uuid(row.try_get("owner_id")?),
            original: Original {
                file_name: FileName::from_stored(row.try_get("file_name")?),
                content_type: row.try_get::<&str, _>("content_type")?.parse()?,
                bytes: row.try_get::<i64, _>("bytes")?.try_into()?,
                sha256: digest(row, "sha256")?,
            },
            details: PhotoDetails {
                title: Title::from_stored(row.try_get("title")?),
                description: Description::from_stored(row.try_get("description")?),
                tags: tags(row.try_get("tags")?, row.try_get("tag_keys")?)?,
                favourite: row.try_get("favourite")?,
                taken_at: row.try_get::<Option<&str>, _>("taken_at")?.map(str::parse).transpose()?,
            },
            state,
            trashed,
            created_at: time(row, "created_at")?,
            revision: revision(row)?,
        })
    };
    read().map_err(|source| corrupt("photo", row, "id", source))
}

/// The terms that are kept beside a photo, with where they stand.
pub(super) fn terms(row: &PgRow) -> Result<PhotoTerms, RepositoryError> {
    let read = || -> Result<PhotoTerms, Unreadable> { Ok(serde_json::from_str(row.try_get("words")?)?) };
    read().map_err(|source| corrupt("terms of photo", row, "id", source))
}

pub(super) fn terms_to_json(terms: &PhotoTerms) -> String {
    serde_json::to_string(terms).expect("texts can always be written as JSON")
}

pub(super) fn photos(rows: &[PgRow]) -> Result<Vec<Photo>, RepositoryError> {
    rows.iter().map(photo).collect()
}

pub(super) fn album(row: &PgRow) -> Result<Album, RepositoryError> {
    let read = || -> Result<Album, Unreadable> {
        let trashed = match row.try_get::<Option<i64>, _>("trashed_at")? {
            Some(at) => Some(AlbumTrashed {
                at: Timestamp::from_millis(at),
                photos: match row.try_get("trashed_photos")? {
                    "delete" => AlbumPhotos::Delete,
                    "keep" => AlbumPhotos::Keep,
                    other => return Err(format!("there is no fate {other:?} of an album's photos").into()),
                },
            }),
            None => None,
        };
        Ok(Album {
            id: AlbumId::from_uuid(row.try_get("id")?),
            owner: UserId::from_uuid(row.try_get("owner_id")?),
            title: AlbumTitle::parse(row.try_get("title")?)?,
            description: Description::parse(row.try_get("description")?)?,
            cover: row.try_get::<Option<Uuid>, _>("cover")?.map(PhotoId::from_uuid),
            trashed,
            created_at: time(row, "created_at")?,
            revision: revision(row)?,
        })
    };
    read().map_err(|source| corrupt("album", row, "id", source))
}

pub(super) fn album_entry(row: &PgRow) -> Result<AlbumEntry, RepositoryError> {
    let photo_count = scalar::<i64>("album count", row, "photo_count")?;
    Ok(AlbumEntry { album: album(row)?, photo_count: count(photo_count) })
}

pub(super) const fn album_photos_name(photos: AlbumPhotos) -> &'static str {
    match photos {
        AlbumPhotos::Delete => "delete",
        AlbumPhotos::Keep => "keep",
    }
}

pub(super) fn membership(row: &PgRow) -> Result<Membership, RepositoryError> {
    let read = || -> Result<Membership, Unreadable> {
        let rank: String = row.try_get("rank")?;
        Ok(Membership { photo: PhotoId::from_uuid(row.try_get("photo_id")?), rank: Rank::try_from(rank)? })
    };
    read().map_err(|source| corrupt("place of photo", row, "photo_id", source))
}

pub(super) fn user(row: &PgRow) -> Result<User, RepositoryError> {
    let read = || -> Result<User, Unreadable> {
        Ok(User {
            id: UserId::from_uuid(row.try_get("id")?),
            email: row.try_get::<&str, _>("email")?.parse()?,
            name: PersonName::parse(row.try_get("name")?)?,
            status: match row.try_get("status")? {
                "unconfirmed" => UserStatus::Unconfirmed,
                "active" => UserStatus::Active,
                "closing" => UserStatus::Closing,
                other => return Err(format!("there is no status {other:?}").into()),
            },
            quota: Quota {
                bytes: row.try_get::<i64, _>("quota_bytes")?.cast_unsigned(),
                photos: row.try_get::<i64, _>("quota_photos")?.cast_unsigned(),
                pending_uploads: row.try_get::<i64, _>("quota_pending_uploads")?.cast_unsigned(),
            },
            created_at: time(row, "created_at")?,
            revision: revision(row)?,
        })
    };
    read().map_err(|source| corrupt("user", row, "id", source))
}

pub(super) const fn user_status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Unconfirmed => "unconfirmed",
        UserStatus::Active => "active",
        UserStatus::Closing => "closing",
    }
}

pub(super) fn credential(row: &PgRow) -> Result<Credential, RepositoryError> {
    let read = || -> Result<Credential, Unreadable> {
        Ok(Credential {
            user: UserId::from_uuid(row.try_get("user_id")?),
            password: PasswordHash::from_phc(row.try_get("password")?),
            changed_at: time(row, "changed_at")?,
        })
    };
    read().map_err(|source| corrupt("credential of user", row, "user_id", source))
}

pub(super) fn one_time_code(
    row: &PgRow,
    purpose: CodePurpose,
    address: &EmailAddress,
) -> Result<OneTimeCode, RepositoryError> {
    let read = || -> Result<OneTimeCode, Unreadable> {
        Ok(OneTimeCode {
            purpose,
            address: address.clone(),
            user: UserId::from_uuid(row.try_get("user_id")?),
            hash: digest(row, "hash")?,
            expires_at: time(row, "expires_at")?,
            tries_left: row.try_get::<i64, _>("tries_left")?.try_into()?,
            password: row.try_get::<Option<String>, _>("password")?.map(PasswordHash::from_phc),
        })
    };
    read().map_err(|source| corrupt("one-time code of user", row, "user_id", source))
}

pub(super) fn session(row: &PgRow) -> Result<Session, RepositoryError> {
    let read = || -> Result<Session, Unreadable> {
        Ok(Session {
            id: SessionId::from_uuid(row.try_get("id")?),
            user: UserId::from_uuid(row.try_get("user_id")?),
            token: TokenHash::from_digest(digest(row, "token")?),
            client: ClientLabel::new(row.try_get("client")?),
            created_at: time(row, "created_at")?,
            last_seen_at: time(row, "last_seen_at")?,
        })
    };
    read().map_err(|source| corrupt("session", row, "id", source))
}

pub(super) fn idempotency_claim(row: &PgRow) -> Result<IdempotencyClaim, RepositoryError> {
    let read = || -> Result<IdempotencyClaim, Unreadable> {
        Ok(IdempotencyClaim {
            request: digest(row, "request")?,
            id: row.try_get("subject_id")?,
            expires_at: time(row, "expires_at")?,
        })
    };
    read().map_err(|source| corrupt("idempotency claim for", row, "subject_id", source))
}

pub(super) fn claimed_work(row: &PgRow) -> Result<ClaimedWork, RepositoryError> {
    let read = || -> Result<ClaimedWork, Unreadable> {
        let owner = UserId::from_uuid(row.try_get("owner_id")?);
        let subject: Uuid = row.try_get("subject_id")?;
        let task = match row.try_get("kind")? {
            "photo" => Task::Photo { owner, photo: PhotoId::from_uuid(subject) },
            "album" => Task::Album { owner, album: AlbumId::from_uuid(subject) },
            "account" => Task::Account { owner },
            other => return Err(format!("there is no kind of work {other:?}").into()),
        };
        let attempts = row.try_get::<i64, _>("attempts")?.try_into()?;
        Ok(ClaimedWork { task, attempts, claim: row.try_get::<i64, _>("claim")?.cast_unsigned() })
    };
    read().map_err(|source| corrupt("work on", row, "subject_id", source))
}

/// The key of a task: its kind, its owner and what it is about.
pub(super) const fn task_key(task: &Task) -> (&'static str, Uuid, Uuid) {
    match task {
        Task::Photo { owner, photo } => ("photo", owner.as_uuid(), photo.as_uuid()),
        Task::Album { owner, album } => ("album", owner.as_uuid(), album.as_uuid()),
        Task::Account { owner } => ("account", owner.as_uuid(), owner.as_uuid()),
    }
}

/// Where a photo is listed; none while it is being erased, or was put into the trash unfinished.
pub(super) fn listed_in(photo: &Photo) -> Option<&'static str> {
    if photo.is_visible() {
        Some("timeline")
    } else if photo.is_in_trash() {
        Some("trash")
    } else if photo.is_unfinished() {
        Some("unfinished")
    } else {
        None
    }
}

/// The spellings of tags, and the key of each.
pub(super) fn tags_and_keys(tags: &Tags) -> (Vec<String>, Vec<String>) {
    tags.iter().map(|tag| (tag.as_str().to_owned(), tag.key().to_owned())).unzip()
}

/// A single column.
pub(super) fn scalar<'r, T>(what: &str, row: &'r PgRow, column: &str) -> Result<T, RepositoryError>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
    for<'n> &'n str: ColumnIndex<PgRow>,
{
    row.try_get(column).map_err(|source| RepositoryError::Corrupt { what: what.to_owned(), source: source.into() })
}

/// A count as the domain has it. One that went below zero, which only [an audit](gallery_domain::ports::PhotoRepository::audit)
/// should ever see, is none.
pub(super) fn count(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}

/// A number as PostgreSQL has it. It ends where files end long before.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn tags(spellings: Vec<String>, keys: Vec<String>) -> Result<Tags, Unreadable> {
    Ok(Tags::new(keys.into_iter().zip(spellings).map(|(key, spelling)| Tag::from_stored(key, spelling)))?)
}

fn digest(row: &PgRow, column: &str) -> Result<Sha256Digest, Unreadable> {
    let bytes: &[u8] = row.try_get(column)?;
    Ok(Sha256Digest::from_bytes(bytes.try_into()?))
}

fn time(row: &PgRow, column: &str) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

fn revision(row: &PgRow) -> Result<Revision, Unreadable> {
    Ok(Revision::new(row.try_get::<i64, _>("revision")?.try_into()?))
}

fn corrupt(what: &str, row: &PgRow, id: &str, source: Unreadable) -> RepositoryError {
    let what = match row.try_get::<Uuid, _>(id) {
        Ok(id) => format!("{what} {id}"),
        Err(_) => format!("{what} without an id"),
    };
    RepositoryError::Corrupt { what, source }
}
