//! Every repository in two tables of DynamoDB: what a gallery needs that runs on Lambda, and that nobody has to keep running.
//!
//! - Everything that a port answers is read from the tables themselves, as of now. Only `ByDue`, an index by time, may lag
//!   behind, and what it says is looked at in the table before anything is done.
//! - There is no scan. Each list is a partition, or an index, in its own order.
//! - What DynamoDB does to a request need not be noticed: `change` says how.

mod album_places;
mod album_repository;
mod change;
mod credential_repository;
mod error;
mod idempotency_repository;
mod photo_audit;
mod photo_change;
mod photo_index;
mod photo_repository;
mod photo_search;
mod rate_limiter;
mod reading;
mod rows;
mod schema;
mod session_repository;
mod table_keys;
mod term_query;
mod user_repository;
mod work_queue;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The SDK whose client's configuration [`DynamoDbStore::new`] takes.
pub use aws_sdk_dynamodb as sdk;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use gallery_domain::ports::Repositories;

use self::album_repository::DynamoDbAlbumRepository;
use self::credential_repository::DynamoDbCredentialRepository;
use self::idempotency_repository::DynamoDbIdempotencyRepository;
use self::photo_repository::DynamoDbPhotoRepository;
use self::rate_limiter::DynamoDbRateLimiter;
pub use self::schema::{ProvisionStep, TableNames};
use self::session_repository::DynamoDbSessionRepository;
use self::table_keys::Table;
use self::user_repository::DynamoDbUserRepository;
use self::work_queue::DynamoDbWorkQueue;

/// How a [`DynamoDbStore`] uses its tables.
#[derive(Clone, Copy, Debug)]
pub struct DynamoDbOptions {
    /// How long a request waits for its answer before it is taken for lost.
    pub answer_timeout: Duration,
    /// For how long a request that was not done, or may not have been, is tried anew.
    pub retry_for: Duration,
}

impl Default for DynamoDbOptions {
    /// Three seconds for an answer, ten for trying anew.
    fn default() -> Self {
        Self { answer_timeout: Duration::from_secs(3), retry_for: Duration::from_secs(10) }
    }
}

/// A store in tables of DynamoDB. Clones share its connections.
#[derive(Clone)]
pub struct DynamoDbStore {
    client: Client,
    tables: Arc<TableNames>,
    options: DynamoDbOptions,
}

impl DynamoDbStore {
    /// A store in these tables, which are asked for on first use.
    ///
    /// Of the client's configuration, retries and the time for an answer are set here: a retry has to know what may have become of the request before.
    pub fn new(config: Builder, tables: TableNames, options: DynamoDbOptions) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(options.answer_timeout)
            .operation_attempt_timeout(options.answer_timeout)
            .build();
        let config = config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { client: Client::from_conf(config), tables: Arc::new(tables), options }
    }

    /// The ports that this store implements.
    pub fn repositories(&self) -> Repositories {
        let store = || self.clone();
        Repositories {
            photos: Arc::new(DynamoDbPhotoRepository::new(store())),
            albums: Arc::new(DynamoDbAlbumRepository::new(store())),
            users: Arc::new(DynamoDbUserRepository::new(store())),
            credentials: Arc::new(DynamoDbCredentialRepository::new(store())),
            sessions: Arc::new(DynamoDbSessionRepository::new(store())),
            idempotency: Arc::new(DynamoDbIdempotencyRepository::new(store())),
            rate_limiter: Arc::new(DynamoDbRateLimiter::new(store())),
            work: Arc::new(DynamoDbWorkQueue::new(store())),
        }
    }

    /// The tables.
    pub fn tables(&self) -> &TableNames {
        &self.tables
    }

    fn table_name(&self, table: Table) -> &str {
        match table {
            Table::Photos => &self.tables.photos,
            Table::Index => &self.tables.index,
        }
    }

    fn table_named(&self, name: &str) -> Table {
        if name == self.tables.photos { Table::Photos } else { Table::Index }
    }
}

/// Says which tables.
impl fmt::Debug for DynamoDbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbStore")
            .field("tables", &self.tables)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
