//! Items to entities and back.

use std::collections::BTreeSet;
use std::error::Error;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use gallery_domain::ports::{IdempotencyClaim, RepositoryError};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{
    Album, AlbumEntry, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, ClientLabel, CodePurpose, Credential,
    Description, EmailAddress, FileName, OneTimeCode, Original, PasswordHash, PersonName, Photo, PhotoDetails, PhotoId,
    PhotoState, Quota, Revision, Session, SessionId, Sha256Digest, Tag, Tags, Task, ThrottleState, Timestamp, Title,
    TokenHash, Trashed, Usage, User, UserId, UserStatus,
};

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::error::corrupt;
use super::table_keys::{Item, PK};

/// Why an attribute is not what it should be.
pub(super) type Unreadable = Box<dyn Error + Send + Sync>;

/// An attribute and its value.
pub(super) type Attribute = (&'static str, AttributeValue);

/// The attribute that counts the changes of whatever has a revision.
pub(super) const REVISION: &str = "Revision";

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn bytes(value: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

pub(super) fn time_value(at: Timestamp) -> AttributeValue {
    number(at.as_millis())
}

/// The second from which on DynamoDB may forget an item: the first that lies wholly behind a time.
pub(super) fn ttl_value(at: Timestamp) -> AttributeValue {
    number(at.as_millis().div_euclid(1000) + 1)
}

pub(super) fn uuid_value(id: Uuid) -> AttributeValue {
    text(id.to_string())
}

pub(super) fn digest_value(digest: &Sha256Digest) -> AttributeValue {
    bytes(*digest.as_bytes())
}

pub(super) fn revision_value(revision: Revision) -> AttributeValue {
    number(revision.get())
}

/// A text that has to be there.
pub(super) fn text_of<'i>(item: &'i Item, name: &str) -> Result<&'i str, Unreadable> {
    optional_text(item, name)?.ok_or_else(|| lacking(name))
}

/// A text, if it is there.
pub(super) fn optional_text<'i>(item: &'i Item, name: &str) -> Result<Option<&'i str>, Unreadable> {
    item.get(name).map(|value| value.as_s().map(|text| &**text).map_err(|_| unlike(name, "a text"))).transpose()
}

/// A number that has to be there, of whichever type.
pub(super) fn number_of<T: std::str::FromStr>(item: &Item, name: &str) -> Result<T, Unreadable> {
    optional_number(item, name)?.ok_or_else(|| lacking(name))
}

/// A number, if it is there.
pub(super) fn optional_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<Option<T>, Unreadable> {
    let read = |value: &AttributeValue| value.as_n().ok().and_then(|digits| digits.parse().ok());
    item.get(name).map(|value| read(value).ok_or_else(|| unlike(name, "such a number"))).transpose()
}

pub(super) fn flag_of(item: &Item, name: &str) -> Result<bool, Unreadable> {
    let value = item.get(name).ok_or_else(|| lacking(name))?;
    value.as_bool().copied().map_err(|_| unlike(name, "yes or no"))
}

pub(super) fn bytes_of<'i>(item: &'i Item, name: &str) -> Result<&'i [u8], Unreadable> {
    let value = item.get(name).ok_or_else(|| lacking(name))?;
    value.as_b().map(|bytes| bytes.as_ref()).map_err(|_| unlike(name, "bytes"))
}

pub(super) fn time_of(item: &Item, name: &str) -> Result<Timestamp, Unreadable> {
    Ok(Timestamp::from_millis(number_of(item, name)?))
}

pub(super) fn uuid_of(item: &Item, name: &str) -> Result<Uuid, Unreadable> {
    Ok(text_of(item, name)?.parse()?)
}

pub(super) fn digest_of(item: &Item, name: &str) -> Result<Sha256Digest, Unreadable> {
    Ok(Sha256Digest::from_bytes(bytes_of(item, name)?.try_into()?))
}

pub(super) fn revision_of(item: &Item, name: &str) -> Result<Revision, Unreadable> {
    Ok(Revision::new(number_of(item, name)?))
}

/// A value that is kept as JSON in a text.
pub(super) fn json_of<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, Unreadable> {
    Ok(serde_json::from_str(text_of(item, name)?)?)
}

/// A count as the domain has it. One that went below zero, which only an audit should ever see, is none; and so is one that was never counted.
pub(super) fn count_of(item: &Item, name: &str) -> Result<u64, Unreadable> {
    Ok(u64::try_from(optional_number::<i128>(item, name)?.unwrap_or(0)).unwrap_or(0))
}

/// A value of a type that is written as one word, such as a status.
fn word_of<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, Unreadable> {
    let word = text_of(item, name)?;
    let deserializer = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(word);
    T::deserialize(deserializer).map_err(|_| format!("{name} is {word:?}, which there is not").into())
}

/// Reads an entity out of an item; what cannot be read is named with the item's own key.
pub(super) fn reading<T>(
    what: &str,
    item: &Item,
    key: &str,
    read: impl FnOnce() -> Result<T, Unreadable>,
) -> Result<T, RepositoryError> {
    read().map_err(|source| match item.get(key).and_then(|value| value.as_s().ok()) {
        Some(id) => corrupt(format!("{what} {id}"), source),
        None => corrupt(format!("{what} without a key"), source),
    })
}

fn lacking(name: &str) -> Unreadable {
    format!("there is no {name}").into()
}

fn unlike(name: &str, what: &str) -> Unreadable {
    format!("{name} is not {what}").into()
}

/// What of a user may change, and the id.
pub(super) fn user_attributes(user: &User) -> [Attribute; 9] {
    [
        ("UserID", uuid_value(user.id.as_uuid())),
        ("Email", text(user.email.as_str())),
        ("Name", text(user.name.as_str())),
        ("Status", text(user_status_name(user.status))),
        ("QuotaBytes", number(user.quota.bytes)),
        ("QuotaPhotos", number(user.quota.photos)),
        ("QuotaPendingUploads", number(user.quota.pending_uploads)),
        ("CreatedAt", time_value(user.created_at)),
        (REVISION, revision_value(user.revision)),
    ]
}

pub(super) fn user(item: &Item) -> Result<User, RepositoryError> {
    reading("user", item, "UserID", || {
        Ok(User {
            id: UserId::from_uuid(uuid_of(item, "UserID")?),
            email: text_of(item, "Email")?.parse()?,
            name: PersonName::parse(text_of(item, "Name")?)?,
            status: word_of(item, "Status")?,
            quota: Quota {
                bytes: number_of(item, "QuotaBytes")?,
                photos: number_of(item, "QuotaPhotos")?,
                pending_uploads: number_of(item, "QuotaPendingUploads")?,
            },
            created_at: time_of(item, "CreatedAt")?,
            revision: revision_of(item, REVISION)?,
        })
    })
}

pub(super) const fn user_status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Unconfirmed => "unconfirmed",
        UserStatus::Active => "active",
        UserStatus::Closing => "closing",
    }
}

/// The counters `Bytes`, `Photos` and `PendingUploads`.
pub(super) fn usage(item: &Item) -> Result<Usage, RepositoryError> {
    reading("usage of", item, PK, || {
        Ok(Usage {
            bytes: count_of(item, "Bytes")?,
            photos: count_of(item, "Photos")?,
            pending_uploads: count_of(item, "PendingUploads")?,
        })
    })
}

/// What is kept of a credential.
pub(super) fn credential_attributes(credential: &Credential) -> [Attribute; 3] {
    [
        ("UserID", uuid_value(credential.user.as_uuid())),
        ("Password", text(credential.password.as_phc())),
        ("ChangedAt", time_value(credential.changed_at)),
    ]
}

pub(super) fn credential(item: &Item) -> Result<Credential, RepositoryError> {
    reading("credential of user", item, "UserID", || {
        Ok(Credential {
            user: UserId::from_uuid(uuid_of(item, "UserID")?),
            password: PasswordHash::from_phc(text_of(item, "Password")?.to_owned()),
            changed_at: time_of(item, "ChangedAt")?,
        })
    })
}

/// What is kept of a code, beside what its key says.
pub(super) fn one_time_code_attributes(code: &OneTimeCode) -> Vec<Attribute> {
    let mut attributes = vec![
        ("UserID", uuid_value(code.user.as_uuid())),
        ("Hash", digest_value(&code.hash)),
        ("ExpiresAt", time_value(code.expires_at)),
        ("TriesLeft", number(code.tries_left)),
    ];
    attributes.extend(code.password.as_ref().map(|password| ("Password", text(password.as_phc()))));
    attributes
}

pub(super) fn one_time_code(
    item: &Item,
    purpose: CodePurpose,
    address: &EmailAddress,
) -> Result<OneTimeCode, RepositoryError> {
    reading("one-time code of user", item, "UserID", || {
        Ok(OneTimeCode {
            purpose,
            address: address.clone(),
            user: UserId::from_uuid(uuid_of(item, "UserID")?),
            hash: digest_of(item, "Hash")?,
            expires_at: time_of(item, "ExpiresAt")?,
            tries_left: number_of(item, "TriesLeft")?,
            password: optional_text(item, "Password")?.map(|phc| PasswordHash::from_phc(phc.to_owned())),
        })
    })
}

/// What is kept of a session, its end aside.
pub(super) fn session_attributes(session: &Session) -> [Attribute; 6] {
    [
        ("SessionID", uuid_value(session.id.as_uuid())),
        ("UserID", uuid_value(session.user.as_uuid())),
        ("Token", digest_value(session.token.as_digest())),
        ("Client", text(session.client.as_str())),
        ("CreatedAt", time_value(session.created_at)),
        ("LastSeenAt", time_value(session.last_seen_at)),
    ]
}

pub(super) fn session(item: &Item) -> Result<Session, RepositoryError> {
    reading("session", item, "SessionID", || {
        Ok(Session {
            id: SessionId::from_uuid(uuid_of(item, "SessionID")?),
            user: UserId::from_uuid(uuid_of(item, "UserID")?),
            token: TokenHash::from_digest(digest_of(item, "Token")?),
            client: ClientLabel::new(text_of(item, "Client")?),
            created_at: time_of(item, "CreatedAt")?,
            last_seen_at: time_of(item, "LastSeenAt")?,
        })
    })
}

/// What is kept of a claim.
pub(super) fn idempotency_claim_attributes(claim: &IdempotencyClaim) -> [Attribute; 3] {
    [
        ("Request", digest_value(&claim.request)),
        ("SubjectID", uuid_value(claim.id)),
        ("ExpiresAt", time_value(claim.expires_at)),
    ]
}

pub(super) fn idempotency_claim(item: &Item) -> Result<IdempotencyClaim, RepositoryError> {
    reading("idempotency claim for", item, "SubjectID", || {
        Ok(IdempotencyClaim {
            request: digest_of(item, "Request")?,
            id: uuid_of(item, "SubjectID")?,
            expires_at: time_of(item, "ExpiresAt")?,
        })
    })
}

/// What is kept of counted attempts.
pub(super) fn throttle_attributes(state: ThrottleState) -> [Attribute; 2] {
    [("Attempts", number(state.attempts)), ("UntilMillis", number(state.until_millis))]
}

pub(super) fn throttle_state(item: &Item) -> Result<ThrottleState, RepositoryError> {
    reading("attempts of", item, PK, || {
        Ok(ThrottleState { attempts: number_of(item, "Attempts")?, until_millis: number_of(item, "UntilMillis")? })
    })
}

/// The task of an item of work.
pub(super) fn task(item: &Item) -> Result<Task, RepositoryError> {
    reading("work", item, PK, || json_of(item, "Task"))
}

pub(super) fn task_to_json(task: &Task) -> String {
    serde_json::to_string(task).expect("a task can always be written as JSON")
}

/// What is kept of a photo, wherever it is kept: in its own table, and in the timeline.
pub(super) fn photo_attributes(photo: &Photo) -> Vec<Attribute> {
    let json = "numbers and texts can always be written as JSON";
    let texts = |texts: &mut dyn Iterator<Item = &str>| AttributeValue::L(texts.map(text).collect());
    let mut attributes = vec![
        ("PhotoID", uuid_value(photo.id.as_uuid())),
        ("OwnerID", uuid_value(photo.owner.as_uuid())),
        ("FileName", text(photo.original.file_name.as_str())),
        ("ContentType", text(photo.original.content_type.as_str())),
        ("Bytes", number(photo.original.bytes)),
        ("SHA256", digest_value(&photo.original.sha256)),
        ("Title", text(photo.details.title.as_str())),
        ("Description", text(photo.details.description.as_str())),
        ("Tags", texts(&mut photo.details.tags.iter().map(Tag::as_str))),
        ("TagKeys", texts(&mut photo.details.tags.iter().map(Tag::key))),
        ("Favourite", AttributeValue::Bool(photo.details.favourite)),
        ("State", text(photo.state.name())),
        ("CreatedAt", time_value(photo.created_at)),
        ("Revision", revision_value(photo.revision)),
        ("Terms", text(serde_json::to_string(&photo.terms()).expect(json))),
    ];
    attributes.extend(photo.details.taken_at.map(|taken| ("TakenAt", text(taken.to_string()))));
    match &photo.state {
        PhotoState::Ready(facts) => attributes.push(("Facts", text(serde_json::to_string(facts).expect(json)))),
        PhotoState::Failed(failure) => attributes.push(("Failure", text(serde_json::to_string(failure).expect(json)))),
        PhotoState::Erasing { settled_at } => attributes.push(("SettledAt", time_value(*settled_at))),
        PhotoState::Uploading | PhotoState::Processing => {}
    }
    if let Some(trashed) = photo.trashed {
        attributes.push(("TrashedAt", time_value(trashed.at)));
        attributes.extend(trashed.with_album.map(|album| ("TrashedWith", uuid_value(album.as_uuid()))));
    }
    attributes
}

pub(super) fn photo(item: &Item) -> Result<Photo, RepositoryError> {
    reading("photo", item, "PhotoID", || {
        let state = match text_of(item, "State")? {
            "uploading" => PhotoState::Uploading,
            "processing" => PhotoState::Processing,
            "ready" => PhotoState::Ready(json_of(item, "Facts")?),
            "failed" => PhotoState::Failed(json_of(item, "Failure")?),
            "erasing" => PhotoState::Erasing { settled_at: time_of(item, "SettledAt")? },
            other => return Err(format!("there is no state {other:?}").into()),
        };
        let with_album = optional_text(item, "TrashedWith")?.map(str::parse).transpose()?;
        let trashed = optional_number(item, "TrashedAt")?
            .map(|at| Trashed { at: Timestamp::from_millis(at), with_album: with_album.map(AlbumId::from_uuid) });
        let tags = texts_of(item, "TagKeys")?.zip(texts_of(item, "Tags")?);
        Ok(Photo {
            id: PhotoId::from_uuid(uuid_of(item, "PhotoID")?),
            owner: UserId::from_uuid(uuid_of(item, "OwnerID")?),
            original: Original {
                file_name: FileName::from_stored(text_of(item, "FileName")?.to_owned()),
                content_type: text_of(item, "ContentType")?.parse()?,
                bytes: number_of(item, "Bytes")?,
                sha256: digest_of(item, "SHA256")?,
            },
            details: PhotoDetails {
                title: Title::from_stored(text_of(item, "Title")?.to_owned()),
                description: Description::from_stored(text_of(item, "Description")?.to_owned()),
                tags: Tags::new(tags.map(|(key, spelling)| Tag::from_stored(key.to_owned(), spelling.to_owned())))?,
                favourite: flag_of(item, "Favourite")?,
                taken_at: optional_text(item, "TakenAt")?.map(str::parse).transpose()?,
            },
            state,
            trashed,
            created_at: time_of(item, "CreatedAt")?,
            revision: revision_of(item, "Revision")?,
        })
    })
}

/// The terms that are kept beside a photo.
pub(super) fn terms(item: &Item) -> Result<PhotoTerms, RepositoryError> {
    reading("terms of photo", item, "PhotoID", || json_of(item, "Terms"))
}

/// What is kept of an album, its counts aside.
pub(super) fn album_attributes(album: &Album) -> Vec<Attribute> {
    let mut attributes = vec![
        ("AlbumID", uuid_value(album.id.as_uuid())),
        ("OwnerID", uuid_value(album.owner.as_uuid())),
        ("Title", text(album.title.as_str())),
        ("Description", text(album.description.as_str())),
        ("CreatedAt", time_value(album.created_at)),
        ("Revision", revision_value(album.revision)),
    ];
    attributes.extend(album.cover.map(|cover| ("Cover", uuid_value(cover.as_uuid()))));
    if let Some(trashed) = album.trashed {
        let photos = match trashed.photos {
            AlbumPhotos::Delete => "delete",
            AlbumPhotos::Keep => "keep",
        };
        attributes.extend([("TrashedAt", time_value(trashed.at)), ("TrashedPhotos", text(photos))]);
    }
    attributes
}

pub(super) fn album(item: &Item) -> Result<Album, RepositoryError> {
    reading("album", item, "AlbumID", || {
        let trashed = match optional_number(item, "TrashedAt")? {
            Some(at) => Some(AlbumTrashed { at: Timestamp::from_millis(at), photos: word_of(item, "TrashedPhotos")? }),
            None => None,
        };
        Ok(Album {
            id: AlbumId::from_uuid(uuid_of(item, "AlbumID")?),
            owner: UserId::from_uuid(uuid_of(item, "OwnerID")?),
            title: AlbumTitle::parse(text_of(item, "Title")?)?,
            description: Description::parse(text_of(item, "Description")?)?,
            cover: optional_text(item, "Cover")?.map(str::parse).transpose()?.map(PhotoId::from_uuid),
            trashed,
            created_at: time_of(item, "CreatedAt")?,
            revision: revision_of(item, "Revision")?,
        })
    })
}

pub(super) fn album_entry(item: &Item) -> Result<AlbumEntry, RepositoryError> {
    let photo_count = reading("count of album", item, "AlbumID", || count_of(item, "Photos"))?;
    Ok(AlbumEntry { album: album(item)?, photo_count })
}

/// A list of texts.
pub(super) fn texts_of<'i>(item: &'i Item, name: &str) -> Result<impl Iterator<Item = &'i str>, Unreadable> {
    let values = item.get(name).ok_or_else(|| lacking(name))?.as_l().map_err(|_| unlike(name, "a list"))?;
    let texts: Result<Vec<&str>, Unreadable> = values
        .iter()
        .map(|value| value.as_s().map(|text| &**text).map_err(|_| unlike(name, "a list of texts")))
        .collect();
    Ok(texts?.into_iter())
}

/// A set of texts; none where there is no such attribute, as no set is empty.
pub(super) fn set_of(item: &Item, name: &str) -> Result<BTreeSet<String>, Unreadable> {
    match item.get(name) {
        None => Ok(BTreeSet::new()),
        Some(value) => {
            value.as_ss().map(|texts| texts.iter().cloned().collect()).map_err(|_| unlike(name, "a set of texts"))
        }
    }
}
