//! What went wrong at a service of AWS, in words, and whether trying again can help.

use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use gallery_domain::ports::{BackendFailure, Retry};

/// Which adapter asked, and which environment variable chose it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking {
    pub(crate) backend: &'static str,
    pub(crate) variable: &'static str,
}

/// What went wrong, in words of our own: those of a service may hold addresses and keys, and end up in logs.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Trouble(String);

impl Asking {
    /// The failure of an operation; `advice` knows what to do about the codes of this service.
    pub(crate) fn failure<E>(
        self,
        operation: &'static str,
        error: &SdkError<E, HttpResponse>,
        advice: impl FnOnce(&str) -> Option<String>,
    ) -> BackendFailure
    where
        E: ProvideErrorMetadata + Error + Debug + 'static,
    {
        let Self { backend, variable } = self;
        let permanent = |words: String| BackendFailure::permanent(backend, operation, Trouble(words));
        let transient = |words: String| BackendFailure::transient(backend, operation, Trouble(words));
        match error {
            SdkError::ServiceError(answered) => {
                let status = answered.raw().status().as_u16();
                let code = answered.err().code().unwrap_or("no code");
                if is_throttled(code, status) {
                    return slowed_down(transient(format!("the service asks to go slower ({code})")));
                }
                match advice(code).or_else(|| general_advice(code, variable)) {
                    Some(advice) => permanent(format!("{advice} ({code})")),
                    None if status >= 500 => transient(format!("the service is in trouble ({code}, status {status})")),
                    None => permanent(format!("the service refuses ({code}, status {status})")),
                }
            }
            SdkError::TimeoutError(_) => transient("the service did not answer in time".to_owned()),
            SdkError::ResponseError(_) => transient("the service's answer cannot be read".to_owned()),
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) => {
                let causes = causes(error);
                if speaks_of(&causes, &["credential", "identity"]) {
                    permanent(format!(
                        "there are no AWS credentials: give the gallery a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE \
                         (chosen by {variable})"
                    ))
                } else if speaks_of(&causes, &["region"]) {
                    permanent(format!("there is no AWS region: add ?region=… to {variable}, or set AWS_REGION"))
                } else if matches!(error, SdkError::DispatchFailure(_)) {
                    transient("the service cannot be reached: is the `endpoint` or the network right?".to_owned())
                } else {
                    permanent("the request cannot be made".to_owned())
                }
            }
            _ => transient("the service failed".to_owned()),
        }
    }
}

/// Codes that ask for patience, as the services and the protocol name them.
fn is_throttled(code: &str, status: u16) -> bool {
    let codes = [
        "BandwidthLimitExceeded",
        "LimitExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "TooManyRequestsException",
    ];
    status == 429 || codes.contains(&code)
}

fn slowed_down(mut failure: BackendFailure) -> BackendFailure {
    failure.retry = Retry::After(Duration::from_secs(5));
    failure
}

/// What every service of AWS can answer.
fn general_advice(code: &str, variable: &str) -> Option<String> {
    let words = match code {
        "AccessDenied" | "AccessDeniedException" | "NotAuthorized" | "UnauthorizedOperation" => {
            "the credentials lack a permission: allow the gallery's role what the README lists"
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => "the credentials have expired: renew them",
        "InvalidAccessKeyId" | "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidToken" => {
            "nobody has these credentials here: check AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN and the account"
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "the credentials do not go together: check AWS_SECRET_ACCESS_KEY"
        }
        "AuthorizationHeaderMalformed" | "PermanentRedirect" | "IllegalLocationConstraintException" => {
            return Some(format!("it is in another region: name that one by ?region=… in {variable}"));
        }
        "RequestTimeTooSkewed" | "RequestExpired" => "this machine's clock is wrong: set it",
        _ => return None,
    };
    Some(words.to_owned())
}

fn causes(error: &(dyn Error + 'static)) -> String {
    let mut words = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        words.push_str(&error.to_string().to_lowercase());
        words.push('\n');
        cause = error.source();
    }
    words
}

fn speaks_of(causes: &str, words: &[&str]) -> bool {
    words.iter().any(|word| causes.contains(word))
}
