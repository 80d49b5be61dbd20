//! What Cognito's codes mean for whoever uses the gallery, and for its operator.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use gallery_domain::InvalidValue;
use gallery_domain::ports::{BackendFailure, IdentityError};

use crate::aws::failure::Asking;

pub(super) const ASKING: Asking = Asking { backend: "cognito", variable: crate::config::IDENTITY };

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// The password is wrong, or nobody has this name; which of them is nobody's business.
    WrongCredentials,
    /// The pool's own rules refuse the password.
    UnacceptablePassword,
    /// A code of Cognito's own is wrong or over.
    WrongCode,
    /// Too often.
    Throttled,
    /// The operator has to mend it.
    Mend(&'static str),
    /// It is something that every service can answer.
    Other,
}

/// What a code means. `message` is looked at only where one code has two meanings.
fn meaning(code: &str, message: &str) -> Meaning {
    match code {
        "NotAuthorizedException" if speaks_of_secret(message) => {
            Meaning::Mend("the app client's secret is wrong: check GALLERY_COGNITO_CLIENT_SECRET")
        }
        "NotAuthorizedException"
        | "UserNotFoundException"
        | "UserNotConfirmedException"
        | "PasswordResetRequiredException" => Meaning::WrongCredentials,
        "InvalidPasswordException" | "PasswordHistoryPolicyViolationException" => Meaning::UnacceptablePassword,
        "CodeMismatchException" | "ExpiredCodeException" => Meaning::WrongCode,
        "TooManyRequestsException" | "LimitExceededException" | "TooManyFailedAttemptsException" => Meaning::Throttled,
        "ResourceNotFoundException" => Meaning::Mend(
            "there is no such user pool, or it has no such app client: check GALLERY_IDENTITY and the region",
        ),
        "InvalidParameterException" if message.contains("flow") => Meaning::Mend(
            "the app client does not allow the flow ALLOW_ADMIN_USER_PASSWORD_AUTH: allow it, or let `gallery provision` do so",
        ),
        "InvalidParameterException" if message.contains("Username should be") => Meaning::Mend(
            "the user pool takes addresses for names: the gallery needs one that does not, see `gallery provision`",
        ),
        "UserLambdaValidationException" | "UnexpectedLambdaException" | "InvalidLambdaResponseException" => {
            Meaning::Mend("a Lambda trigger of the user pool refuses or fails: see its log")
        }
        "AccessDeniedException" => Meaning::Mend(
            "the credentials lack a permission: allow cognito-idp:Admin* and DescribeUserPool* on the user pool, as the README lists",
        ),
        "ForbiddenException" => Meaning::Mend("a firewall in front of the user pool refuses the gallery"),
        "FeatureUnavailableInTierException"
        | "InvalidUserPoolConfigurationException"
        | "MFAMethodNotFoundException"
        | "OperationNotEnabledException"
        | "UnsupportedOperationException"
        | "UnsupportedUserStateException" => Meaning::Mend(
            "the user pool is set up in a way that the gallery cannot use: let `gallery doctor` look at it",
        ),
        _ => Meaning::Other,
    }
}

/// The failure of an operation on the pool, for whoever asked the gallery.
pub(super) fn identity_error<E>(operation: &'static str, error: &SdkError<E>) -> IdentityError
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    match meaning_of(error) {
        Some(Meaning::WrongCredentials) => IdentityError::WrongCredentials,
        Some(Meaning::UnacceptablePassword) => IdentityError::UnacceptablePassword(InvalidValue::new(
            "does not meet the rules of the gallery's user pool: take another",
        )),
        Some(Meaning::WrongCode) => IdentityError::WrongCode,
        Some(Meaning::Throttled) => IdentityError::Throttled { retry_after: RETRY_AFTER },
        _ => failure(operation, error).into(),
    }
}

/// Why a password was not set: nobody is asked for one here, so that nothing says it is wrong.
pub(super) fn not_set<E>(operation: &'static str, error: &SdkError<E>) -> IdentityError
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    match identity_error(operation, error) {
        IdentityError::WrongCredentials | IdentityError::WrongCode => failure(operation, error).into(),
        other => other,
    }
}

/// The failure of an operation on the pool that has nothing to do with what somebody typed.
pub(super) fn failure<E>(operation: &'static str, error: &SdkError<E>) -> BackendFailure
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default().to_owned();
    ASKING.failure(operation, error, |code| match meaning(code, &message) {
        Meaning::Mend(words) => Some(words.to_owned()),
        _ => None,
    })
}

fn meaning_of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<Meaning> {
    let answered = error.as_service_error()?;
    Some(meaning(answered.code()?, answered.message().unwrap_or_default()))
}

/// Whether the pool says that it has no such user.
pub(super) fn is_absent<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("UserNotFoundException")
}

const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Cognito answers a wrong secret with the code of a wrong password.
fn speaks_of_secret(message: &str) -> bool {
    message.to_ascii_lowercase().replace('_', " ").contains("secret hash")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_tell_an_unknown_user_from_a_wrong_password() {
        for code in [
            "NotAuthorizedException",
            "UserNotFoundException",
            "UserNotConfirmedException",
            "PasswordResetRequiredException",
        ] {
            assert_eq!(meaning(code, "Incorrect username or password."), Meaning::WrongCredentials, "{code}");
        }
    }

    #[test]
    fn a_wrong_secret_is_the_operators_business_and_no_wrong_password() {
        for message in [
            "Unable to verify secret hash for client 1a2b3c",
            "Client 1a2b3c is configured with secret but SECRET_HASH was not received",
        ] {
            assert!(
                matches!(meaning("NotAuthorizedException", message), Meaning::Mend(words) if words.contains("SECRET"))
            );
        }
    }

    #[test]
    fn every_code_of_what_the_gallery_asks_means_something() {
        // The errors that the API's model names for the operations that are used, but for those of mail and text messages, which are not.
        for code in [
            "AccessDeniedException",
            "FeatureUnavailableInTierException",
            "ForbiddenException",
            "InvalidLambdaResponseException",
            "InvalidPasswordException",
            "InvalidUserPoolConfigurationException",
            "LimitExceededException",
            "NotAuthorizedException",
            "OperationNotEnabledException",
            "PasswordHistoryPolicyViolationException",
            "PasswordResetRequiredException",
            "ResourceNotFoundException",
            "TooManyFailedAttemptsException",
            "TooManyRequestsException",
            "UnexpectedLambdaException",
            "UnsupportedOperationException",
            "UnsupportedUserStateException",
            "UserLambdaValidationException",
            "UserNotConfirmedException",
            "UserNotFoundException",
        ] {
            assert_ne!(meaning(code, ""), Meaning::Other, "{code}");
        }
        assert_eq!(meaning("InternalErrorException", ""), Meaning::Other, "it may pass by itself");
    }
}
