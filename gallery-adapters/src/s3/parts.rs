//! Blobs that are too large for one request.

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use gallery_domain::ports::{BackendFailure, BlobError, BlobInfo};
use gallery_domain::{BlobKey, Sha256Digest};

use super::body::Checked;
use super::failure::{failure, not_kept};
use super::{S3Blobs, SHA256, cache_control, with_time_for};

/// How many bytes a part has; it is held in memory, so that it can be sent again. With the 10,000 parts that S3 allows there is room for 150 GiB.
pub(super) const PART: usize = 16 << 20;

impl S3Blobs {
    /// Keeps a blob in parts. Nobody sees any of it before all of it is there.
    pub(super) async fn put_in_parts(&self, key: &BlobKey, info: &BlobInfo, bytes: Checked) -> Result<(), BlobError> {
        let object = self.object(key);
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(&object)
            .content_type(info.content_type.as_str())
            .set_cache_control(cache_control(key))
            .metadata(SHA256, info.sha256.to_string())
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send()
            .await
            .map_err(|error| failure("put", &error))?;
        let id = begun.upload_id().ok_or_else(|| no_answer("the upload in parts has no id"))?.to_owned();
        let kept = match self.send_parts(&object, &id, bytes).await {
            Ok(parts) => self.complete_parts(&object, &id, parts).await,
            Err(error) => Err(error),
        };
        if kept.is_err() {
            self.abort_parts(&object, &id).await;
        }
        kept
    }

    /// Begins an upload and gives it up: whoever may do that may write, and nobody sees anything of it.
    pub(super) async fn begin_and_abort(&self) -> Result<(), BackendFailure> {
        // No blob has a key with a `+`.
        let object = format!("{}incoming/+trying", self.prefix);
        let begun = self.client.create_multipart_upload().bucket(&self.bucket).key(&object).send().await;
        let begun = begun.map_err(|error| failure("try writing", &error))?;
        let id = begun.upload_id().ok_or_else(|| no_answer("the upload in parts has no id"))?;
        let aborted = self.client.abort_multipart_upload().bucket(&self.bucket).key(&object).upload_id(id).send().await;
        aborted.map(drop).map_err(|error| failure("abort parts", &error))
    }

    async fn send_parts(&self, object: &str, id: &str, mut bytes: Checked) -> Result<Vec<CompletedPart>, BlobError> {
        let mut parts = Vec::new();
        let mut left = Bytes::new();
        loop {
            let mut part = left;
            while part.len() < self.part && !bytes.is_at_its_end() {
                let more = bytes.gather(self.part - part.len()).await?;
                part = if part.is_empty() { more } else { [part, more].concat().into() };
            }
            left = part.split_off(part.len().min(self.part));
            if part.is_empty() {
                return Ok(parts);
            }
            let number = i32::try_from(parts.len() + 1).map_err(|_| no_answer("there are too many parts"))?;
            let checksum = Sha256Digest::of(&part).to_base64();
            let time = with_time_for(part.len() as u64);
            let sent = self
                .client
                .upload_part()
                .bucket(&self.bucket)
                .key(object)
                .upload_id(id)
                .part_number(number)
                .checksum_sha256(&checksum)
                .body(part.into())
                .customize()
                .config_override(time)
                .send()
                .await
                .map_err(|error| not_kept("put", &error))?;
            parts.push(
                CompletedPart::builder()
                    .part_number(number)
                    .set_e_tag(sent.e_tag().map(str::to_owned))
                    .checksum_sha256(checksum)
                    .build(),
            );
        }
    }

    async fn complete_parts(&self, object: &str, id: &str, parts: Vec<CompletedPart>) -> Result<(), BlobError> {
        self.client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(object)
            .upload_id(id)
            .if_none_match("*")
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send()
            .await
            .map(drop)
            .map_err(|error| not_kept("put", &error))
    }

    /// What cannot be given up now, the bucket's lifecycle gives up after a day.
    async fn abort_parts(&self, object: &str, id: &str) {
        let aborted = self.client.abort_multipart_upload().bucket(&self.bucket).key(object).upload_id(id).send().await;
        if let Err(error) = aborted {
            let failure = failure("abort parts", &error);
            tracing::warn!(error = &failure as &dyn std::error::Error, "an upload in parts was not given up");
        }
    }
}

fn no_answer(what: &'static str) -> BackendFailure {
    BackendFailure::permanent("s3", "put", what)
}
