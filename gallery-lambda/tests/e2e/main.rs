//! The program as people use it: real processes, real files, HTTP over the loopback, and now and then a `kill -9`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod backups;
mod client;
#[cfg(all(feature = "cognito", feature = "ses"))]
mod cognito;
mod commands;
mod crashes;
mod disk;
mod disks;
#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "dynamodb")]
#[path = "../../../gallery-adapters/tests/dynamodb_server/mod.rs"]
mod dynamodb_server;
mod hostile;
mod imports;
mod journey;
#[cfg(all(feature = "postgres", feature = "aws"))]
mod passwords;
mod photos;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
#[path = "../../../gallery-adapters/tests/postgres_server/mod.rs"]
mod postgres_server;
mod program;
mod readme;
#[cfg(feature = "s3")]
mod s3;
#[cfg(all(feature = "postgres", feature = "aws"))]
#[path = "../../../gallery-adapters/tests/secrets_manager/mod.rs"]
mod secrets_manager;
mod store;
mod trouble;
