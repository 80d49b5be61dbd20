//! What the API answers when it does not do what was asked: RFC 9457 problems.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use gallery_domain::ports::{BlobError, GatewayError, Retry};
use gallery_domain::{GalleryError, InvalidField, InvalidValue, PhotoId};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done, and what to do about it (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Problem {
    /// The kind of problem: a stable name for programs, such as `urn:gallery:problem:stale`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:gallery:problem:stale")]
    kind: Kind,
    /// The kind of problem in words.
    #[schema(value_type = String)]
    title: &'static str,
    /// The status code of the answer.
    status: u16,
    /// A sentence that says what was wrong and what to do.
    detail: String,
    /// Each field that was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
    /// The photo that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    duplicate_of: Option<PhotoId>,
    /// The revision that the thing has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_revision: Option<u64>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// A field that was refused.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// A JSON pointer into the body, such as `/tags/3`; or the name of a query parameter or header.
    pointer: String,
    /// Why: follows the name of the field, as in "is longer than 200 characters".
    detail: String,
}

/// The kinds of problems. Their names are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Invalid,
    MalformedBody,
    UnsupportedMediaType,
    NotFound,
    MethodNotAllowed,
    Stale,
    Conflict,
    Duplicate,
    Unauthenticated,
    WrongCredentials,
    WrongCode,
    Forbidden,
    OverQuota,
    TooLarge,
    LengthRequired,
    RangeNotSatisfiable,
    AlreadyUploaded,
    TooSlow,
    Throttled,
    Unavailable,
    Internal,
}

impl Kind {
    const fn row(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::Invalid => ("urn:gallery:problem:invalid", "Values that are not accepted", StatusCode::BAD_REQUEST),
            Self::MalformedBody => {
                ("urn:gallery:problem:malformed-body", "A body that cannot be read", StatusCode::BAD_REQUEST)
            }
            Self::UnsupportedMediaType => (
                "urn:gallery:problem:unsupported-media-type",
                "A type that is not accepted",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ),
            Self::NotFound => ("urn:gallery:problem:not-found", "Not found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("urn:gallery:problem:method-not-allowed", "Method not allowed", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::Stale => ("urn:gallery:problem:stale", "Changed since it was read", StatusCode::PRECONDITION_FAILED),
            Self::Conflict => ("urn:gallery:problem:conflict", "Contradicts what is there", StatusCode::CONFLICT),
            Self::Duplicate => ("urn:gallery:problem:duplicate", "You have this photo", StatusCode::CONFLICT),
            Self::Unauthenticated => ("urn:gallery:problem:unauthenticated", "Not logged in", StatusCode::UNAUTHORIZED),
            Self::WrongCredentials => {
                ("urn:gallery:problem:wrong-credentials", "Wrong e-mail address or password", StatusCode::UNAUTHORIZED)
            }
            Self::WrongCode => ("urn:gallery:problem:wrong-code", "Wrong code", StatusCode::BAD_REQUEST),
            Self::Forbidden => ("urn:gallery:problem:forbidden", "Refused", StatusCode::FORBIDDEN),
            Self::OverQuota => ("urn:gallery:problem:over-quota", "The account is full", StatusCode::PAYLOAD_TOO_LARGE),
            Self::TooLarge => ("urn:gallery:problem:too-large", "Too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::LengthRequired => {
                ("urn:gallery:problem:length-required", "Length required", StatusCode::LENGTH_REQUIRED)
            }
            Self::RangeNotSatisfiable => (
                "urn:gallery:problem:range-not-satisfiable",
                "Range not satisfiable",
                StatusCode::RANGE_NOT_SATISFIABLE,
            ),
            Self::AlreadyUploaded => {
                ("urn:gallery:problem:already-uploaded", "Uploaded before", StatusCode::PRECONDITION_FAILED)
            }
            Self::TooSlow => {
                ("urn:gallery:problem:too-slow", "The request came too slowly", StatusCode::REQUEST_TIMEOUT)
            }
            Self::Throttled => ("urn:gallery:problem:throttled", "Too many attempts", StatusCode::TOO_MANY_REQUESTS),
            Self::Unavailable => {
                ("urn:gallery:problem:unavailable", "Not possible right now", StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Internal => {
                ("urn:gallery:problem:internal", "Something is wrong inside", StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().0)
    }
}

impl Problem {
    /// A problem of a kind.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (_, title, status) = kind.row();
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            duplicate_of: None,
            current_revision: None,
            retry_after: None,
        }
    }

    /// Fields that were refused.
    pub(crate) fn invalid(fields: impl IntoIterator<Item = InvalidField>) -> Self {
        Self::new(Kind::Invalid, "The request holds values that are not accepted: mend the fields and send it again.")
            .with_fields(fields)
    }

    /// The same problem with the fields it is about.
    pub(crate) fn with_fields(mut self, fields: impl IntoIterator<Item = InvalidField>) -> Self {
        let fields = fields.into_iter().map(|field| FieldProblem { pointer: field.field, detail: field.reason });
        self.errors.extend(fields);
        self
    }

    /// What is absent and what is somebody else's are the same.
    pub(crate) fn not_found(what: &'static str) -> Self {
        GalleryError::NotFound(what).into()
    }

    /// Something broke for a reason that is not the client's.
    pub(crate) fn internal() -> Self {
        let detail = "Something is wrong inside the gallery. Trying again will not help; its operator finds the reason in the log.";
        Self::new(Kind::Internal, detail)
    }

    /// The status code of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        self.kind.row().2
    }
}

/// Every end of a use case, and what it is on HTTP.
impl From<GalleryError> for Problem {
    fn from(error: GalleryError) -> Self {
        let problem = |kind| Self::new(kind, sentence(&error.to_string()));
        match &error {
            GalleryError::Invalid(fields) => Self::invalid(fields.iter().cloned()),
            GalleryError::NotFound(_) => problem(Kind::NotFound),
            GalleryError::Stale { current } => {
                Self { current_revision: current.map(|revision| revision.get()), ..problem(Kind::Stale) }
            }
            GalleryError::Conflict(_) => problem(Kind::Conflict),
            GalleryError::Duplicate(photo) => Self { duplicate_of: Some(*photo), ..problem(Kind::Duplicate) },
            GalleryError::Unauthenticated => problem(Kind::Unauthenticated),
            GalleryError::WrongCredentials => problem(Kind::WrongCredentials),
            GalleryError::WrongCode => problem(Kind::WrongCode),
            GalleryError::OverQuota => problem(Kind::OverQuota),
            GalleryError::Throttled { retry_after } => {
                Self { retry_after: Some(*retry_after), ..problem(Kind::Throttled) }
            }
            GalleryError::Unavailable(failure) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a backend is down, slow or out of order");
                let retry_after = match failure.retry {
                    Retry::After(wait) => wait,
                    // Somebody has to mend it first.
                    Retry::Never => Duration::from_secs(60),
                };
                Self { retry_after: Some(retry_after), ..problem(Kind::Unavailable) }
            }
            // `Internal`, and what the domain may come to know later: never the client's fault.
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "a use case failed");
                Self::internal()
            }
        }
    }
}

/// Every end of a request under a signed URL, and what it is on HTTP.
impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        match error {
            GatewayError::NotSigned(_) | GatewayError::Expired => {
                Self::new(Kind::Forbidden, sentence(&error.to_string()))
            }
            GatewayError::NotFound => Self::not_found("blob"),
            GatewayError::Blob(BlobError::AlreadyExists) => {
                let detail = "The bytes of this photo have been uploaded before: there is no need to send them again.";
                Self::new(Kind::AlreadyUploaded, detail)
            }
            GatewayError::Blob(BlobError::Mismatch { .. }) => {
                let detail = "The bytes are not those that were announced: announce the file again with its own size, type and SHA-256.";
                let announced = InvalidValue::new("is not the SHA-256 of the bytes that came");
                Self::new(Kind::Invalid, detail).with_fields([announced.in_field("x-checksum-sha256")])
            }
            GatewayError::Blob(BlobError::Interrupted(_)) => {
                Self::new(Kind::TooSlow, "The bytes stopped coming before the end: send them again.")
            }
            GatewayError::Blob(BlobError::Backend(failure)) => GalleryError::from(failure).into(),
            other => GalleryError::Internal(Box::new(other)).into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, rounded up: whoever waits that long is let through.
            let seconds = wait.as_millis().div_ceil(1000).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX)));
        }
        response
    }
}

/// Errors are phrases; what people read is a sentence.
fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
