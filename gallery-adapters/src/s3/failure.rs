//! What S3 says when it refuses, and what to do about it.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use gallery_domain::ports::{BackendFailure, BlobError};

use super::body::mismatch;
use crate::aws::failure::Asking;

const ASKING: Asking = Asking { backend: "s3", variable: crate::config::BLOBS };

pub(super) fn failure<E>(operation: &'static str, error: &SdkError<E>) -> BackendFailure
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    let variable = ASKING.variable;
    ASKING.failure(operation, error, |code| {
        Some(match code {
            "NoSuchBucket" => {
                format!("there is no such bucket: create it by `gallery provision`, or name another in {variable}")
            }
            "AccessDenied" | "AllAccessDisabled" | "Forbidden" => format!(
                "the credentials may not {}: allow it to the gallery's role, on the bucket that {variable} names",
                permission(operation)
            ),
            "PermanentRedirect" | "AuthorizationHeaderMalformed" | "TemporaryRedirect" => {
                format!("the bucket is in another region: name that one by ?region=… in {variable}")
            }
            "InvalidBucketName" => format!("{variable} names no possible bucket"),
            _ => return None,
        })
    })
}

/// Why a blob was not kept.
pub(super) fn not_kept<E>(operation: &'static str, error: &SdkError<E>) -> BlobError
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    match answer(error) {
        Some((412, _)) => BlobError::AlreadyExists,
        Some((400, "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch")) => {
            mismatch("the server counts another checksum".to_owned())
        }
        // Another write or delete of this key came at the same moment, says S3: try again.
        Some((409, "ConditionalRequestConflict")) => {
            BackendFailure::transient(ASKING.backend, operation, "the key is written by another at this moment").into()
        }
        _ => failure(operation, error).into(),
    }
}

/// Whether S3 says that the object is not there. A bucket that is not there is something else.
pub(super) fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    matches!(answer(error), Some((404, code)) if code != "NoSuchBucket")
}

/// The status and the code of an answer.
pub(super) fn answer<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<(u16, &str)> {
    let answered = error.as_service_error()?;
    Some((error.raw_response()?.status().as_u16(), answered.code().unwrap_or_default()))
}

/// What has to be allowed for an operation, by the names of policies.
fn permission(operation: &str) -> &'static str {
    match operation {
        "head" | "get" => "read: it needs s3:GetObject, and s3:ListBucket to tell what is absent",
        "list" | "open" => "list the bucket: it needs s3:ListBucket",
        "remove" => "delete: it needs s3:DeleteObject",
        "abort parts" => "give up an upload in parts: it needs s3:AbortMultipartUpload",
        _ => "write: it needs s3:PutObject and s3:GetObject",
    }
}
