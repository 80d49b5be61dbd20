//! URLs by which clients send and fetch bytes at the bucket itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_sdk_s3::presigning::PresigningConfig;
use gallery_domain::ports::{BackendFailure, BlobInfo, DirectUpload, UploadTicket};
use gallery_domain::{BlobKey, PhotoId, Sha256Digest, Timestamp, UserId};
use url::Url;
use uuid::Uuid;

use super::failure::failure;
use super::{S3Blobs, SHA256};
use crate::disposition::content_disposition;

impl S3Blobs {
    /// Download URLs made within one such span of time are equal, so that browsers can cache: as long as the credentials are the same, for a
    /// URL names them.
    pub const SAME_URL_FOR: Duration = Duration::from_secs(6 * 3600);
    /// A download URL that was just made is good for at least this long, if the credentials are.
    pub const DOWNLOAD_FOR_AT_LEAST: Duration = Duration::from_secs(3600);

    /// The origin of all URLs, such as `https://my-photos.s3.eu-central-1.amazonaws.com`.
    pub async fn origin(&self, now: Timestamp) -> Result<String, BackendFailure> {
        let any =
            BlobKey::original(UserId::from_uuid(Uuid::nil()), PhotoId::from_uuid(Uuid::nil()), &Sha256Digest::of(b""));
        let url = Url::parse(&self.download_url(&any, None, now).await?);
        let url = url.map_err(|error| BackendFailure::permanent("s3", DOWNLOAD, error))?;
        Ok(url.origin().ascii_serialization())
    }
}

#[async_trait]
impl DirectUpload for S3Blobs {
    async fn upload_ticket(
        &self,
        key: &BlobKey,
        info: &BlobInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<UploadTicket, BackendFailure> {
        let length = i64::try_from(info.bytes).map_err(|error| BackendFailure::permanent("s3", TICKET, error))?;
        // What is set here is signed. A checksum algorithm must not be set too: its value would be another header, computed of no bytes.
        let signed = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.object(key))
            .content_length(length)
            .content_type(info.content_type.as_str())
            .checksum_sha256(info.sha256.to_base64())
            .if_none_match("*")
            .metadata(SHA256, info.sha256.to_string())
            .presigned(valid(now, expires_at.since(now), TICKET)?)
            .await
            .map_err(|error| failure(TICKET, &error))?;
        let headers = signed.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("host"));
        Ok(UploadTicket {
            method: "PUT",
            url: signed.uri().to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            expires_at,
        })
    }

    async fn download_url(
        &self,
        key: &BlobKey,
        download_name: Option<String>,
        now: Timestamp,
    ) -> Result<String, BackendFailure> {
        let span = i64::try_from(Self::SAME_URL_FOR.as_millis()).expect("the constant is some hours");
        let signed_at = Timestamp::from_millis(now.as_millis().div_euclid(span) * span);
        let signed = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.object(key))
            .response_content_disposition(content_disposition(download_name.as_deref()))
            .presigned(valid(signed_at, Self::SAME_URL_FOR + Self::DOWNLOAD_FOR_AT_LEAST, DOWNLOAD)?)
            .await
            .map_err(|error| failure(DOWNLOAD, &error))?;
        Ok(signed.uri().to_owned())
    }
}

const TICKET: &str = "sign an upload";
const DOWNLOAD: &str = "sign a download";

fn valid(from: Timestamp, time: Duration, operation: &'static str) -> Result<PresigningConfig, BackendFailure> {
    let from: SystemTime = UNIX_EPOCH + Duration::from_millis(u64::try_from(from.as_millis()).unwrap_or(0));
    PresigningConfig::builder()
        .start_time(from)
        .expires_in(time)
        .build()
        .map_err(|error| BackendFailure::permanent("s3", operation, error))
}
