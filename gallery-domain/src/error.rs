//! What a use case can end in.

use std::time::Duration;

use crate::ports::{BackendFailure, BlobError, IdentityError, ImageError, RepositoryError};
use crate::{InvalidField, PhotoId, Revision};

/// What a use case can end in, other than well. Each says what the caller can do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GalleryError {
    /// The request holds values that are refused: mend the fields and send it again.
    #[error("the request holds values that are not accepted")]
    Invalid(Vec<InvalidField>),

    /// There is no such thing, or it is somebody else's: nobody is told which.
    #[error("there is no such {0}")]
    NotFound(&'static str),

    /// It was changed by someone else since it was read: read it again, then repeat the change.
    #[error("it was changed since you read it: read it again and repeat your change")]
    Stale {
        /// The revision that it has now, where known.
        current: Option<Revision>,
    },

    /// The request contradicts what is there.
    #[error("{0}")]
    Conflict(String),

    /// The owner has a photo of the very same bytes.
    #[error("you already have this photo")]
    Duplicate(PhotoId),

    /// No log-in, or one that has ended: log in.
    #[error("log in first: there is no session, or it has ended")]
    Unauthenticated,

    /// The e-mail address or the password is wrong; which one is nobody's business.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,

    /// The one-time code is wrong, expired or used up.
    #[error("the code is wrong, has expired or was used already: ask for a new one")]
    WrongCode,

    /// The account is full.
    #[error("your account is full: remove photos for good or ask for more space")]
    OverQuota,

    /// Too many attempts: wait.
    #[error("too many attempts: wait a little, then try again")]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },

    /// A backend is down, slow or out of order: try again.
    #[error("{}", what_is_wrong_with(.0))]
    Unavailable(#[source] BackendFailure),

    /// Something is wrong inside the gallery; trying again will not help.
    #[error("something is wrong inside the gallery")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl GalleryError {
    /// One refused field.
    pub fn invalid(field: InvalidField) -> Self {
        Self::Invalid(vec![field])
    }
}

impl From<InvalidField> for GalleryError {
    fn from(field: InvalidField) -> Self {
        Self::invalid(field)
    }
}

impl From<BackendFailure> for GalleryError {
    fn from(failure: BackendFailure) -> Self {
        // An outage is over one day, though not by itself.
        let is_over_one_day = failure.is_transient() || failure.outage.is_some();
        if is_over_one_day { Self::Unavailable(failure) } else { Self::Internal(Box::new(failure)) }
    }
}

impl From<RepositoryError> for GalleryError {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Backend(failure) => failure.into(),
            RepositoryError::Stale => Self::Stale { current: None },
            RepositoryError::AlreadyExists => Self::Conflict("it exists already".into()),
            RepositoryError::OverQuota => Self::OverQuota,
            RepositoryError::Corrupt { .. } => Self::Internal(Box::new(error)),
        }
    }
}

impl From<BlobError> for GalleryError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Backend(failure) => failure.into(),
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<ImageError> for GalleryError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Backend(failure) => failure.into(),
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<IdentityError> for GalleryError {
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::UnacceptablePassword(invalid) => invalid.in_field("/password").into(),
            IdentityError::WrongCredentials => Self::WrongCredentials,
            IdentityError::WrongCode => Self::WrongCode,
            IdentityError::Throttled { retry_after } => Self::Throttled { retry_after },
            IdentityError::Backend(failure) => failure.into(),
        }
    }
}

fn what_is_wrong_with(failure: &BackendFailure) -> String {
    match failure.outage {
        Some(outage) => outage.to_string(),
        None => "the gallery cannot do this right now: try again in a moment".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Outage;

    #[test]
    fn an_outage_is_told_in_its_own_words_and_nothing_of_its_cause() {
        let failure = || BackendFailure::permanent("sqlite", "photo insert", "/srv/gallery.db: no space left");
        assert!(matches!(GalleryError::from(failure()), GalleryError::Internal(_)));
        for outage in [Outage::DiskFull, Outage::ReadOnly] {
            let error = GalleryError::from(failure().because_of(outage));
            assert!(matches!(error, GalleryError::Unavailable(_)));
            assert_eq!(error.to_string(), outage.to_string());
        }
        let passing = GalleryError::from(BackendFailure::transient("sqlite", "photo insert", "busy"));
        assert_eq!(passing.to_string(), "the gallery cannot do this right now: try again in a moment");
    }
}
