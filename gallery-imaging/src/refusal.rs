//! Why a file cannot become a photo, in words for its owner.

use gallery_domain::FailureKind;
use gallery_domain::ports::ImageError;
use libjpeg_turbo_rs::JpegError;

/// A file that cannot become a photo.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: FailureKind,
    detail: String,
}

impl Refusal {
    pub(super) fn not_a_photo(detail: impl Into<String>) -> Self {
        Self { kind: FailureKind::NotAPhoto, detail: detail.into() }
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self { kind: FailureKind::TooLarge, detail: detail.into() }
    }

    pub(super) fn damaged() -> Self {
        Self {
            kind: FailureKind::Damaged,
            detail: "This file is damaged: no picture could be read from it. \
                     Copy it from the camera or phone again, or open it in a photo program and save it as a new JPEG."
                .to_owned(),
        }
    }

    pub(super) fn of_rare_kind(what: &str) -> Self {
        Self {
            kind: FailureKind::Damaged,
            detail: format!(
                "This is {what}, which the gallery cannot read. Open it in a photo program and save it as an ordinary JPEG."
            ),
        }
    }
}

impl From<Refusal> for ImageError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { kind: refusal.kind, detail: refusal.detail }
    }
}

impl From<JpegError> for Refusal {
    fn from(error: JpegError) -> Self {
        tracing::debug!(%error, "a JPEG is refused");
        match error {
            JpegError::LimitExceeded { .. } | JpegError::AllocationFailed { .. } => Self::too_large(
                "This JPEG is stored in a way that takes too much work to open. \
                 Open it in a photo program and save it as an ordinary JPEG.",
            ),
            JpegError::Unsupported(_) => Self::of_rare_kind("a JPEG of a rare kind"),
            _ => Self::damaged(),
        }
    }
}

impl From<image::ImageError> for Refusal {
    fn from(error: image::ImageError) -> Self {
        tracing::debug!(%error, "a picture is refused");
        match error {
            image::ImageError::Limits(_) => Self::too_large(
                "This picture takes too much memory to open. Make it smaller in a photo program, then upload it again.",
            ),
            image::ImageError::Unsupported(_) => Self::of_rare_kind("a picture of a rare kind"),
            _ => Self::damaged(),
        }
    }
}
