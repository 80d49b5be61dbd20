//! Every repository on a PostgreSQL server, 15 or later: what a gallery needs that runs in several processes, or on Lambda.
//!
//! - Each change is one transaction, on whichever connection is free. Those that touch photos or albums begin with a lock on their owner, so
//!   that the changes of one owner follow each other as in the embedded store; those of different owners do not wait for each other.
//! - What a server does to a connection, a request need not notice: whatever was certainly undone is tried anew within a time, and where the
//!   answer to a commit was lost, the server is asked what became of it. `change` says how.
//! - Statements are static text, and name the schema, so that no search path matters; a list of values goes in as one array.

mod album_repository;
mod change;
mod credential_repository;
mod error;
mod idempotency_repository;
mod photo_audit;
mod photo_index;
mod photo_repository;
mod photo_search;
mod rate_limiter;
mod rows;
mod schema;
mod session_repository;
mod term_query;
mod user_repository;
mod work_queue;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gallery_domain::ports::Repositories;
use secrecy::ExposeSecret;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Postgres};

use self::album_repository::PostgresAlbumRepository;
use self::credential_repository::PostgresCredentialRepository;
use self::error::{is_refusal_to_log_in, no_password};
use self::idempotency_repository::PostgresIdempotencyRepository;
use self::photo_repository::PostgresPhotoRepository;
use self::rate_limiter::PostgresRateLimiter;
use self::session_repository::PostgresSessionRepository;
use self::user_repository::PostgresUserRepository;
use self::work_queue::PostgresWorkQueue;
use crate::database_password::{DatabaseLogin, Passwords};

/// How long an idle connection may take to answer when it is tried out. One that went dead unnoticed never does.
const TRIED_OUT_IN: Duration = Duration::from_secs(1);

/// How a [`PostgresStore`] uses its server.
#[derive(Clone, Copy, Debug)]
pub struct PostgresOptions {
    /// How many connections there may be at the same time.
    pub max_connections: u32,
    /// How long a request waits for a free connection, or for the server to let in another.
    pub acquire_timeout: Duration,
    /// How long a statement may take. Audits are not bound by it.
    pub statement_timeout: Duration,
    /// For how long a change that was undone, or a connection that was lost, is tried anew.
    pub retry_for: Duration,
    /// How long a connection may lie idle before it is tried out on its next use.
    pub trusted_for: Duration,
    /// How long a connection may lie idle before it is closed; for ever if there is none.
    pub idle_timeout: Option<Duration>,
    /// How old a connection may get before it is replaced; as old as it likes if there is none.
    pub max_lifetime: Option<Duration>,
    /// Whether the server is to remember statements, and the limits of time are set on the connection. Both tie a connection to its session:
    /// say `false` behind a proxy that shares connections among clients, such as RDS Proxy, and set the limits on the role instead.
    pub persistent_statements: bool,
}

impl Default for PostgresOptions {
    /// For a server that runs for long: ten connections, five seconds for a connection, fifteen for a statement, five for trying anew.
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(15),
            retry_for: Duration::from_secs(5),
            trusted_for: Duration::from_secs(5),
            idle_timeout: Some(Duration::from_secs(600)),
            max_lifetime: Some(Duration::from_secs(1800)),
            persistent_statements: true,
        }
    }
}

impl PostgresOptions {
    /// For a process that handles one request at a time and is frozen in between: one connection, which is tried out on every use, as nobody
    /// knows how long it lay idle, and which is never looked after between uses.
    pub fn for_lambda() -> Self {
        Self {
            max_connections: 1,
            trusted_for: Duration::ZERO,
            idle_timeout: None,
            max_lifetime: None,
            ..Self::default()
        }
    }
}

/// A store on a PostgreSQL server. Clones share its connections.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    connect: Arc<PgConnectOptions>,
    passwords: Option<Arc<Passwords>>,
    options: PostgresOptions,
}

impl PostgresStore {
    /// A store on a server that is connected to on first use. Has to be called within a Tokio runtime, unless the options set no time at which
    /// connections are closed.
    pub fn new(connect: PgConnectOptions, options: PostgresOptions) -> Self {
        let mut connect = connect.application_name("gallery");
        if options.persistent_statements {
            let limit = options.statement_timeout.as_millis().to_string();
            // Longer than any statement: whoever holds a transaction open for so long without asking for anything is gone.
            let idle = options.statement_timeout.saturating_mul(2).as_millis().to_string();
            connect = connect.options([("statement_timeout", limit), ("idle_in_transaction_session_timeout", idle)]);
            // Each list has an index in its order. Where the server thinks that few rows match, it may collect and sort them instead, and
            // where it is mistaken, that takes long.
            connect = connect.options([("enable_bitmapscan", "off")]);
            // Room for every statement of this adapter.
            connect = connect.statement_cache_capacity(200);
        }
        let trusted_for = options.trusted_for;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(options.acquire_timeout)
            .idle_timeout(options.idle_timeout)
            .max_lifetime(options.max_lifetime)
            .test_before_acquire(false)
            .before_acquire(move |connection, metadata| {
                Box::pin(async move {
                    if metadata.idle_for < trusted_for {
                        return Ok(true);
                    }
                    match tokio::time::timeout(TRIED_OUT_IN, connection.ping()).await {
                        Ok(answered) => answered.map(|()| true),
                        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
                    }
                })
            })
            .connect_lazy_with(connect.clone());
        Self { pool, connect: Arc::new(connect), passwords: None, options }
    }

    /// The same store with passwords from elsewhere than its connection's options: fetched on first use, before each one ends, and once more when
    /// the server refuses one, because it may have been changed.
    pub fn with_passwords(self, passwords: Passwords) -> Self {
        Self { passwords: Some(Arc::new(passwords)), ..self }
    }

    /// The ports that this store implements.
    pub fn repositories(&self) -> Repositories {
        let store = || self.clone();
        Repositories {
            photos: Arc::new(PostgresPhotoRepository::new(store())),
            albums: Arc::new(PostgresAlbumRepository::new(store())),
            users: Arc::new(PostgresUserRepository::new(store())),
            credentials: Arc::new(PostgresCredentialRepository::new(store())),
            sessions: Arc::new(PostgresSessionRepository::new(store())),
            idempotency: Arc::new(PostgresIdempotencyRepository::new(store())),
            rate_limiter: Arc::new(PostgresRateLimiter::new(store())),
            work: Arc::new(PostgresWorkQueue::new(store())),
        }
    }

    /// A connection of the pool, a new one with the password that is good now.
    async fn acquire(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let Some(passwords) = &self.passwords else { return self.pool.acquire().await };
        let renewed = |login: &DatabaseLogin| self.pool.set_connect_options(self.connect_as(login));
        let login = match passwords.current(renewed).await {
            Ok(login) => login,
            // Whoever is connected needs no password.
            Err(error) if self.pool.size() > 0 => {
                return match self.pool.acquire().await {
                    Err(refused) if is_refusal_to_log_in(&refused) => Err(no_password(error)),
                    acquired => acquired,
                };
            }
            Err(error) => return Err(no_password(error)),
        };
        match self.pool.acquire().await {
            Err(refused) if is_refusal_to_log_in(&refused) => {
                match passwords.instead_of(&login, renewed).await.map_err(no_password)? {
                    Some(_) => match self.pool.acquire().await {
                        Err(refused) if is_refusal_to_log_in(&refused) => Err(no_password(passwords.refused(refused))),
                        acquired => acquired,
                    },
                    None => Err(no_password(passwords.refused(refused))),
                }
            }
            acquired => acquired,
        }
    }

    /// A connection past the pool, with these options beside the store's own.
    async fn connect(&self, adapt: impl Fn(PgConnectOptions) -> PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
        let Some(passwords) = &self.passwords else { return adapt(self.connect.as_ref().clone()).connect().await };
        let renewed = |login: &DatabaseLogin| self.pool.set_connect_options(self.connect_as(login));
        let login = passwords.current(renewed).await.map_err(no_password)?;
        match adapt(self.connect_as(&login)).connect().await {
            Err(refused) if is_refusal_to_log_in(&refused) => {
                match passwords.instead_of(&login, renewed).await.map_err(no_password)? {
                    Some(login) => adapt(self.connect_as(&login)).connect().await,
                    None => Err(no_password(passwords.refused(refused))),
                }
            }
            connected => connected,
        }
    }

    fn connect_as(&self, login: &DatabaseLogin) -> PgConnectOptions {
        let connect = self.connect.as_ref().clone().password(login.password.expose_secret());
        match &login.user {
            Some(user) => connect.username(user),
            None => connect,
        }
    }

    /// Waits for what is under way and closes the connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Says where the server is, and never the password.
impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("host", &self.connect.get_host())
            .field("port", &self.connect.get_port())
            .field("database", &self.connect.get_database())
            .field("user", &self.connect.get_username())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
