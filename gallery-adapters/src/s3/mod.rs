//! Blobs in a bucket of S3, or of a server that speaks its protocol.
//!
//! A blob is an object of the same name under a prefix. It is written with `If-None-Match: *`, so that a key never changes what it holds, and with its
//! SHA-256, which S3 compares with the bytes; the hash stays with the object as its checksum and, where S3 keeps none of a whole object, as
//! metadata. Clients upload and download at the bucket itself, by presigned URLs whose signature covers all of that.
//!
//! Servers that list keys by folders, such as SeaweedFS, put `a/b` before `a-b`, and S3 does not. For the keys that the gallery makes both are the
//! same order.

mod body;
mod failure;
mod parts;
mod presigned;
mod provision;
mod settings;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream as SdkByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, Delete, MetadataDirective, ObjectIdentifier};
use bytes::Bytes;
use futures_util::stream;
use gallery_domain::ports::{BackendFailure, Blob, BlobError, BlobInfo, BlobStore, ByteStream, byte_stream};
use gallery_domain::{BlobArea, BlobKey, Page, PageRequest, Sha256Digest};

use self::body::Checked;
use self::failure::{answer, failure, is_absent, not_kept};
pub use self::settings::S3Settings;
use crate::aws::ANSWERS_WITHIN;

/// A blob store in a bucket.
#[derive(Clone)]
pub struct S3Blobs {
    client: Client,
    bucket: String,
    prefix: String,
    speaks_tls: bool,
    parts_from: u64,
    part: usize,
}

impl S3Blobs {
    /// Blobs of at least so many bytes are sent in parts.
    pub const IN_PARTS_FROM: u64 = 100 << 20;

    /// Prepares to use a bucket with the credentials and the region of `config`; it is first spoken to by [`check`](Self::check).
    pub fn new(settings: &S3Settings, config: &SdkConfig) -> Self {
        let mut builder = aws_sdk_s3::config::Builder::from(config);
        if config.endpoint_url().is_some() {
            // Servers other than AWS rarely have a host name for each bucket.
            builder = builder.force_path_style(true);
        }
        Self {
            client: Client::from_conf(builder.build()),
            bucket: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
            speaks_tls: config.endpoint_url().is_none_or(|endpoint| endpoint.starts_with("https:")),
            parts_from: Self::IN_PARTS_FROM,
            part: parts::PART,
        }
    }

    /// The same with smaller parts, of blobs that are smaller: for servers behind which less is allowed, and for tests. S3 itself wants parts of 5 MiB
    /// at least.
    #[must_use]
    pub fn in_parts(mut self, from: u64, part: usize) -> Self {
        (self.parts_from, self.part) = (from, part.max(1));
        self
    }

    /// Looks whether the bucket is there and can be listed.
    ///
    /// # Errors
    ///
    /// Says what to mend: a bucket that is missing or in another region, credentials that are missing, wrong or lack a permission, a server that
    /// is out of reach.
    pub async fn check(&self) -> Result<(), BackendFailure> {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix).max_keys(1).send().await;
        listed.map(drop).map_err(|error| failure("open", &error))
    }

    fn object(&self, key: &BlobKey) -> String {
        format!("{}{key}", self.prefix)
    }

    async fn put_whole(&self, key: &BlobKey, info: &BlobInfo, body: SdkByteStream) -> Result<(), BlobError> {
        let length = i64::try_from(info.bytes).map_err(|error| BackendFailure::permanent("s3", "put", error))?;
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(self.object(key))
            .if_none_match("*")
            .content_length(length)
            .content_type(info.content_type.as_str())
            .set_cache_control(cache_control(key))
            .checksum_sha256(info.sha256.to_base64())
            .metadata(SHA256, info.sha256.to_string())
            .body(body)
            .customize()
            .config_override(with_time_for(info.bytes))
            .send()
            .await
            .map(drop)
            .map_err(|error| not_kept("put", &error))
    }

    async fn head_object(&self, key: &BlobKey) -> Result<Option<HeadObjectOutput>, BackendFailure> {
        let request = self.client.head_object().bucket(&self.bucket).key(self.object(key));
        match request.checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(head) => Ok(Some(head)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(failure("head", &error)),
        }
    }
}

/// Shows the bucket, and nothing of credentials.
impl fmt::Debug for S3Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Blobs").field("bucket", &self.bucket).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

#[async_trait]
impl BlobStore for S3Blobs {
    async fn put(&self, key: &BlobKey, info: &BlobInfo, bytes: ByteStream) -> Result<(), BlobError> {
        let mut bytes = Checked::new(bytes, *info);
        if info.bytes >= self.parts_from && info.bytes > 0 {
            return self.put_in_parts(key, info, bytes).await;
        }
        // What is small is held in memory: it can be sent again where a request fails, and is not sent at all if it is not what was described.
        let first = bytes.gather(IN_MEMORY).await?;
        if bytes.is_at_its_end() {
            return self.put_whole(key, info, first.into()).await;
        }
        let (body, verdict) = bytes.into_body(first);
        let kept = self.put_whole(key, info, body).await;
        // A request whose bytes turned out wrong was broken off, whatever the client calls that.
        verdict.take().map_or(kept, Err)
    }

    async fn try_writing(&self) -> Result<(), BlobError> {
        Ok(self.begin_and_abort().await?)
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError> {
        let head = self.head_object(key).await?;
        head.map(|head| described(&Description::from(&head)).ok_or(BlobError::Corrupt)).transpose()
    }

    async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Option<Blob>, BlobError> {
        let nothing_of_it = |info: Option<BlobInfo>| info.map(|info| Blob { info, bytes: byte_stream(Bytes::new()) });
        if range.as_ref().is_some_and(Range::is_empty) {
            return Ok(nothing_of_it(self.head(key).await?));
        }
        let request = self.client.get_object().bucket(&self.bucket).key(self.object(key));
        // Not every server counts further than a signed number.
        let last = |end: u64| end.min(i64::MAX as u64) - 1;
        let wanted =
            range.as_ref().map(|range| format!("bytes={}-{}", last(range.start.saturating_add(1)), last(range.end)));
        let got = match request.set_range(wanted).checksum_mode(ChecksumMode::Enabled).send().await {
            Ok(got) => got,
            Err(error) if is_absent(&error) => return Ok(None),
            // Nothing of the blob lies in the range.
            Err(error) if matches!(answer(&error), Some((416, _))) => return Ok(nothing_of_it(self.head(key).await?)),
            Err(error) => return Err(failure("get", &error).into()),
        };
        // Of a part of an object, S3 says neither the length nor the checksum of the whole.
        let description = Description {
            content_type: got.content_type(),
            bytes: match (&range, got.content_range()) {
                (None, _) => got.content_length().and_then(|length| length.try_into().ok()),
                (Some(_), range) => range.and_then(|range| range.rsplit_once('/')?.1.parse().ok()),
            },
            checksum: if range.is_none() { got.checksum_sha256() } else { None },
            kept: got.metadata().and_then(|metadata| metadata.get(SHA256)).map(String::as_str),
        };
        let info = match described(&description) {
            Some(info) => info,
            None => match self.head(key).await? {
                Some(info) => info,
                None => return Ok(None),
            },
        };
        Ok(Some(Blob { info, bytes: pieces(got.body) }))
    }

    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError> {
        for _ in 0..TRIES {
            let Some(head) = self.head_object(from).await? else { return Ok(false) };
            let info = described(&Description::from(&head)).ok_or(BlobError::Corrupt)?;
            let copied = self
                .client
                .copy_object()
                .bucket(&self.bucket)
                .key(self.object(to))
                .copy_source(format!("{}/{}", self.bucket, self.object(from)))
                .set_copy_source_if_match(head.e_tag().map(str::to_owned))
                .if_none_match("*")
                .metadata_directive(MetadataDirective::Replace)
                .metadata(SHA256, info.sha256.to_string())
                .content_type(info.content_type.as_str())
                .set_cache_control(cache_control(to))
                .checksum_algorithm(ChecksumAlgorithm::Sha256)
                .send()
                .await;
            match copied {
                Ok(_) => return Ok(true),
                Err(error) if is_absent(&error) => return Ok(false),
                // Either the target is taken, or the source became another since it was looked at.
                Err(error) if matches!(answer(&error), Some((412, _))) => {
                    if self.head_object(to).await?.is_some() {
                        return Ok(true);
                    }
                }
                // Another copy onto the same key at the same moment.
                Err(error) if matches!(answer(&error), Some((409, "ConditionalRequestConflict"))) => {}
                Err(error) => return Err(failure("copy", &error).into()),
            }
        }
        Err(BackendFailure::transient("s3", "copy", "the source was replaced again and again").into())
    }

    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError> {
        for keys in keys.chunks(MOST_REMOVED_AT_ONCE) {
            let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(self.object(key)).build());
            let objects: Result<Vec<_>, _> = objects.collect();
            let delete = objects.and_then(|objects| Delete::builder().set_objects(Some(objects)).quiet(true).build());
            let delete = delete.map_err(|error| BackendFailure::permanent("s3", "remove", error))?;
            let removed = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            let removed = removed.map_err(|error| failure("remove", &error))?;
            if let Some(stays) = removed.errors().iter().find(|error| error.code() != Some("NoSuchKey")) {
                let code = stays.code().unwrap_or("no code");
                let words = format!("{} of {} blobs stay ({code})", removed.errors().len(), keys.len());
                return Err(match code {
                    "AccessDenied" => {
                        BackendFailure::permanent("s3", "remove", format!("{words}: allow s3:DeleteObject"))
                    }
                    _ => BackendFailure::transient("s3", "remove", words),
                }
                .into());
            }
        }
        Ok(())
    }

    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError> {
        let mut found = Vec::new();
        if !begins_a_key(prefix) {
            return Ok(Page::from_overfull(found, page.size, BlobKey::clone));
        }
        let most = page.size.get() + 1;
        let mut after = page.after.as_ref().map(|key| self.object(key));
        let wanted = format!("{}{prefix}", self.prefix);
        loop {
            let listed = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(&wanted)
                .set_start_after(after.take())
                .max_keys(i32::try_from(most - found.len()).unwrap_or(i32::MAX))
                .send()
                .await
                .map_err(|error| failure("list", &error))?;
            let mut objects = listed.contents().iter().filter_map(|object| object.key());
            // What somebody else put there is no blob of the gallery's.
            found.extend(
                objects.clone().filter_map(|object| object.strip_prefix(&self.prefix)?.parse::<BlobKey>().ok()),
            );
            after = objects.next_back().map(str::to_owned);
            if found.len() >= most || after.is_none() || listed.is_truncated() != Some(true) {
                return Ok(Page::from_overfull(found, page.size, BlobKey::clone));
            }
        }
    }
}

/// The name under which an object's metadata keeps the hash.
const SHA256: &str = "sha256";
/// What is smaller than this is held in memory while it is sent.
const IN_MEMORY: usize = 1 << 20;
/// As many as S3 takes.
const MOST_REMOVED_AT_ONCE: usize = 1_000;
/// How often a copy is begun anew whose source became another.
const TRIES: usize = 8;

/// What an answer says of an object.
struct Description<'a> {
    content_type: Option<&'a str>,
    bytes: Option<u64>,
    /// S3's own, which it compared with the bytes.
    checksum: Option<&'a str>,
    /// The metadata.
    kept: Option<&'a str>,
}

impl<'a> From<&'a HeadObjectOutput> for Description<'a> {
    fn from(head: &'a HeadObjectOutput) -> Self {
        Self {
            content_type: head.content_type(),
            bytes: head.content_length().and_then(|length| length.try_into().ok()),
            checksum: head.checksum_sha256(),
            kept: head.metadata().and_then(|metadata| metadata.get(SHA256)).map(String::as_str),
        }
    }
}

/// `None` for an object that is no blob, or whose two hashes differ.
fn described(description: &Description<'_>) -> Option<BlobInfo> {
    // A checksum of parts, which ends in their number, says nothing of the whole.
    let checksum = description.checksum.and_then(|text| data_encoding::BASE64.decode(text.as_bytes()).ok());
    let checksum = checksum.and_then(|bytes| Some(Sha256Digest::from_bytes(bytes.try_into().ok()?)));
    let kept = description.kept.and_then(|text| text.parse::<Sha256Digest>().ok());
    if checksum.is_some() && kept.is_some() && checksum != kept {
        return None;
    }
    Some(BlobInfo {
        content_type: description.content_type?.parse().ok()?,
        bytes: description.bytes?,
        sha256: checksum.or(kept)?,
    })
}

/// A request that sends so many bytes is answered only when they have arrived. A body that does not get on at all, the SDK gives up by itself.
fn with_time_for(bytes: u64) -> aws_sdk_s3::config::Builder {
    let answered_within = ANSWERS_WITHIN + Duration::from_secs(bytes / SLOWEST_LINE);
    let timeouts = TimeoutConfig::builder().read_timeout(answered_within).build();
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts)
}

/// Bytes a second.
const SLOWEST_LINE: u64 = 256 << 10;

/// How long whoever fetched a blob may keep it. What just came in is for the gallery alone.
fn cache_control(key: &BlobKey) -> Option<String> {
    let is_incoming = key.as_str().split('/').next() == Some(BlobArea::Incoming.as_str());
    (!is_incoming).then(|| "private, max-age=31536000, immutable".to_owned())
}

/// Whether any key begins like this. Some servers take others, such as `../`, for something else.
fn begins_a_key(prefix: &str) -> bool {
    prefix.parse::<BlobKey>().is_ok() || format!("{prefix}a").parse::<BlobKey>().is_ok()
}

/// The client compares the bytes with the object's checksum on the way, where it has one of the whole.
fn pieces(body: SdkByteStream) -> ByteStream {
    Box::pin(stream::unfold(body, |mut body| async {
        let piece = body.next().await?;
        Some((piece.map_err(std::io::Error::other), body))
    }))
}
