//! What DynamoDB's errors mean to a repository's caller.

use std::error::Error;
use std::fmt;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use gallery_domain::ports::{BackendFailure, RepositoryError};

use crate::aws::failure::Asking;
use crate::config;

/// The name under which this backend reports failures.
const BACKEND: &str = "dynamodb";

const ASKING: Asking = Asking { backend: BACKEND, variable: config::STORE };

/// Why a request is given up, in words for whoever runs the gallery.
#[derive(Debug, thiserror::Error)]
pub(super) enum DynamoDbFailure {
    #[error(
        "others keep changing the same things, or the tables get more requests than they can take: try again later"
    )]
    Busy,
    #[error("the answer to a write was lost, and what became of it cannot be told")]
    UnknownOutcome,
    #[error("the table {table} is not the one that this program expects: {difference}")]
    OtherTable { table: String, difference: String },
    #[error("the table {0} is not there yet: try again in a minute")]
    NotReady(String),
    #[error("a definition of a table cannot be understood")]
    Definition(#[source] serde_json::Error),
    #[error("a request would be larger than DynamoDB takes")]
    TooLarge,
    #[error("a request lacks something")]
    Incomplete(#[source] aws_sdk_dynamodb::error::BuildError),
}

/// What can be done about an error before anybody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing was done, because of others: trying again can help.
    Again,
    /// Trying again can help, but it may have been done.
    AgainIfRepeatable,
    /// Nothing.
    None,
}

/// An error of a request, whichever it was.
#[derive(Debug)]
pub(super) struct Failed<E>(pub(super) SdkError<E, HttpResponse>);

impl<E: ProvideErrorMetadata + Error + fmt::Debug + Send + Sync + 'static> Failed<E> {
    /// What can be done about it.
    pub(super) fn remedy(&self) -> Remedy {
        const UNDONE: &[&str] = &[
            "ProvisionedThroughputExceededException",
            "ReplicatedWriteConflictException",
            "RequestLimitExceeded",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TransactionConflictException",
            "TransactionInProgressException",
        ];
        match &self.0 {
            SdkError::ServiceError(answered) => match answered.err().code() {
                Some(code) if UNDONE.contains(&code) => Remedy::Again,
                _ if answered.raw().status().as_u16() >= 500 => Remedy::AgainIfRepeatable,
                _ => Remedy::None,
            },
            // Of another kind is what the connection broke off in the middle of.
            SdkError::DispatchFailure(failure)
                if failure.is_io() || failure.is_timeout() || failure.as_other().is_some() =>
            {
                Remedy::AgainIfRepeatable
            }
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Remedy::AgainIfRepeatable,
            _ => Remedy::None,
        }
    }

    /// What the caller hears.
    pub(super) fn into_failure(self, operation: &'static str) -> BackendFailure {
        ASKING.failure(operation, &self.0, |code| {
            let advice = match code {
                "ResourceNotFoundException" => {
                    "there is no such table, or it lacks an index: run `gallery provision`, or check the table's name and the region in \
                     GALLERY_STORE"
                }
                "ResourceInUseException" => "the table is being made or removed: wait until it is there",
                "ItemCollectionSizeLimitExceededException" | "ValidationException" => {
                    "the tables are not those that this program expects: compare them by `gallery provision --dry-run`"
                }
                "LimitExceededException" => "the account has as many tables as it may have, or is making too many at once",
                _ => return None,
            };
            Some(advice.to_owned())
        })
    }
}

/// A failure that will not go away by itself.
pub(super) fn permanent(operation: &'static str, failure: DynamoDbFailure) -> BackendFailure {
    BackendFailure::permanent(BACKEND, operation, failure)
}

/// A failure that may pass.
pub(super) fn transient(operation: &'static str, failure: DynamoDbFailure) -> BackendFailure {
    BackendFailure::transient(BACKEND, operation, failure)
}

/// What the tables hold cannot be read.
pub(super) fn corrupt(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> RepositoryError {
    RepositoryError::Corrupt { what: what.into(), source: source.into() }
}
