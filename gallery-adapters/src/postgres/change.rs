//! How statements are run, alone or together as a change, and what is done when the server does not play along.
//!
//! - A statement that may be run twice, a read or a write that changes nothing the second time, is [repeated](PostgresStore::repeat) on another
//!   connection when its own broke.
//! - Everything else is a [change](PostgresStore::change): one transaction, tried anew as a whole as long as it is certain that it was undone.
//!   Where the connection broke while the commit was on its way, the server is asked what became of the transaction.
//!
//! Trying anew ends after [`retry_for`](super::PostgresOptions::retry_for); the pauses in between grow, and are random, so that those who got
//! in each other's way do not meet again.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gallery_domain::UserId;
use gallery_domain::ports::RepositoryError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sqlx::query::{Query, QueryAs, QueryScalar};
use sqlx::{FromRow, Postgres};

use super::error::{PostgresFailure, Remedy, failed, remedy, transient};
use super::{PostgresOptions, PostgresStore};

/// How much longer than one statement everything on one connection may take, before the connection is taken for dead. A server that can be
/// reached ends a statement itself.
const GRACE: Duration = Duration::from_secs(2);

/// The first pause before trying anew; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(4);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A connection in use, by statements that may borrow what lives for `'env`.
pub(super) struct Session<'env> {
    connection: PoolConnection<Postgres>,
    persistent: bool,
    in_transaction: bool,
    environment: PhantomData<&'env ()>,
}

/// Statements at work.
pub(super) type Running<'s, T> = BoxFuture<'s, Result<T, Interruption>>;

/// Why statements were not run to their end.
pub(super) enum Interruption {
    /// They gave the answer.
    Answer(RepositoryError),
    /// One failed.
    Failure(sqlx::Error),
}

/// How a change ended that was not made, as far as is known.
enum Unmade<T> {
    /// What was read is an answer; nothing was written.
    Answer(RepositoryError),
    /// It was undone.
    Undone(sqlx::Error),
    /// The connection broke while the commit was on its way.
    Unknown { value: T, transaction: Transaction, error: sqlx::Error },
}

/// A transaction as the server knows it.
struct Transaction {
    id: String,
    /// When it began by the server's clock, as the server writes it.
    began: String,
}

impl PostgresStore {
    /// Runs statements that may be run twice.
    pub(super) async fn repeat<'env, T: Send>(
        &self,
        operation: &'static str,
        run: impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T> + Send + Sync,
    ) -> Result<T, RepositoryError> {
        self.run_until_it_ends(operation, None, run).await
    }

    /// Runs reads that see what the store holds at one moment.
    pub(super) async fn snapshot<'env, T: Send>(
        &self,
        operation: &'static str,
        run: impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T> + Send + Sync,
    ) -> Result<T, RepositoryError> {
        self.run_until_it_ends(operation, Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), run).await
    }

    /// Runs statements as one change. Those on an owner's photos or albums name the owner, whose changes come one after the other.
    pub(super) async fn change<'env, T: Send>(
        &self,
        operation: &'static str,
        owner: Option<UserId>,
        run: impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T> + Send + Sync,
    ) -> Result<T, RepositoryError> {
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let error = match self.run_and_commit(owner, &run).await {
                Ok(value) => return Ok(value),
                Err(Unmade::Answer(answer)) => return Err(answer),
                Err(Unmade::Undone(error)) => error,
                Err(Unmade::Unknown { value, transaction, error }) => match self.was_committed(&transaction).await {
                    Some(true) => return Ok(value),
                    Some(false) => error,
                    None => return Err(transient(operation, PostgresFailure::UnknownOutcome(error)).into()),
                },
            };
            if !tries.another_after(&error).await {
                return Err(failed(operation)(error));
            }
        }
    }

    /// The same store without limits of time, for work that grows with what an owner has.
    pub(super) fn unhurried(&self) -> Self {
        let options = PostgresOptions { statement_timeout: Duration::MAX, ..self.options };
        Self { options, ..self.clone() }
    }

    async fn run_until_it_ends<'env, T: Send>(
        &self,
        operation: &'static str,
        begin: Option<&'static str>,
        run: impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T> + Send + Sync,
    ) -> Result<T, RepositoryError> {
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let error = match self.run(begin, &run).await {
                Ok(value) => return Ok(value),
                Err(Interruption::Answer(answer)) => return Err(answer),
                Err(Interruption::Failure(error)) => error,
            };
            if !tries.another_after(&error).await {
                return Err(failed(operation)(error));
            }
        }
    }

    async fn run<'env, T>(
        &self,
        begin: Option<&'static str>,
        run: &impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T>,
    ) -> Result<T, Interruption> {
        let mut session = self.session().await?;
        let ended = self.in_time(async {
            let Some(begin) = begin else { return run(&mut session).await };
            session.begin(begin).await?;
            let ended = run(&mut session).await;
            session.end("COMMIT", ended).await
        });
        let ended = ended.await;
        session.judge(&ended);
        ended
    }

    async fn run_and_commit<'env, T>(
        &self,
        owner: Option<UserId>,
        run: &impl for<'s> Fn(&'s mut Session<'env>) -> Running<'s, T>,
    ) -> Result<T, Unmade<T>> {
        let mut session = self.session().await?;
        let made = self.in_time(async {
            session.begin("BEGIN").await?;
            let transaction = Transaction::identify(&mut session, owner).await?;
            match run(&mut session).await {
                Ok(value) => Ok((transaction, value)),
                interrupted => session.end("ROLLBACK", interrupted).await.map(|value| (transaction, value)),
            }
        });
        let made = made.await;
        session.judge(&made);
        let (transaction, value) = made?;
        let committed = self.in_time(session.end("COMMIT", Ok(()))).await;
        session.judge(&committed);
        match committed {
            Ok(()) => Ok(value),
            Err(Interruption::Failure(error)) if remedy(&error) == Remedy::Reconnect => {
                Err(Unmade::Unknown { value, transaction, error })
            }
            Err(undone) => Err(undone.into()),
        }
    }

    async fn session<'env>(&self) -> Result<Session<'env>, sqlx::Error> {
        Ok(Session {
            connection: self.acquire().await?,
            persistent: self.options.persistent_statements,
            in_transaction: false,
            environment: PhantomData,
        })
    }

    /// What became of a transaction whose commit was not confirmed; none if that cannot be told.
    async fn was_committed(&self, transaction: &Transaction) -> Option<bool> {
        let mut tries = Tries::new(self.options.retry_for);
        loop {
            let error = match self.run(None, &|session: &mut Session<'_>| transaction.status(session).boxed()).await {
                Ok(Status::Ended { committed }) => return committed,
                // Its process has yet to notice that nobody listens.
                Ok(Status::InProgress) => sqlx::Error::PoolTimedOut,
                Err(Interruption::Failure(error)) => error,
                Err(Interruption::Answer(_)) => return None,
            };
            if !tries.after_a_pause(Remedy::Again).await {
                tracing::warn!(%error, "what became of a change cannot be told");
                return None;
            }
        }
    }

    /// Waits no longer than a server that can be reached would take.
    async fn in_time<T>(&self, run: impl Future<Output = Result<T, Interruption>>) -> Result<T, Interruption> {
        match tokio::time::timeout(self.options.statement_timeout.saturating_add(GRACE), run).await {
            Ok(ended) => ended,
            Err(_) => Err(Interruption::Failure(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))),
        }
    }
}

impl Session<'_> {
    async fn begin(&mut self, statement: &'static str) -> Result<(), Interruption> {
        self.in_transaction = true;
        sqlx::raw_sql(statement).execute(&mut *self.connection).await?;
        Ok(())
    }

    /// Ends a transaction, whose statements ended so or so.
    async fn end<T>(&mut self, statement: &'static str, ended: Result<T, Interruption>) -> Result<T, Interruption> {
        let statement = if ended.is_ok() { statement } else { "ROLLBACK" };
        // Nothing can be said on a connection that is lost.
        if !matches!(&ended, Err(Interruption::Failure(error)) if remedy(error).needs_another_connection()) {
            sqlx::raw_sql(statement).execute(&mut *self.connection).await?;
            self.in_transaction = false;
        }
        ended
    }

    /// Has the connection closed where it is of no more use.
    fn judge<T>(&mut self, ended: &Result<T, Interruption>) {
        if let Err(Interruption::Failure(error)) = ended
            && remedy(error).needs_another_connection()
        {
            self.connection.close_on_drop();
        }
    }

    /// A statement whose rows are read column by column.
    pub(super) fn query(&self, statement: &'static str) -> Query<'static, Postgres, PgArguments> {
        sqlx::query(statement).persistent(self.persistent)
    }

    /// A statement whose rows are tuples.
    pub(super) fn query_as<O>(&self, statement: &'static str) -> QueryAs<'static, Postgres, O, PgArguments>
    where
        O: for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_as(statement).persistent(self.persistent)
    }

    /// A statement whose rows are single values.
    pub(super) fn query_scalar<O>(&self, statement: &'static str) -> QueryScalar<'static, Postgres, O, PgArguments>
    where
        (O,): for<'r> FromRow<'r, PgRow>,
    {
        sqlx::query_scalar(statement).persistent(self.persistent)
    }

    /// What runs a statement.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// A transaction that was dropped half-way ends with its connection.
impl Drop for Session<'_> {
    fn drop(&mut self) {
        if self.in_transaction {
            self.connection.close_on_drop();
        }
    }
}

impl<T> From<sqlx::Error> for Unmade<T> {
    fn from(error: sqlx::Error) -> Self {
        Self::Undone(error)
    }
}

impl<T> From<Interruption> for Unmade<T> {
    fn from(interruption: Interruption) -> Self {
        match interruption {
            Interruption::Answer(answer) => Self::Answer(answer),
            Interruption::Failure(error) => Self::Undone(error),
        }
    }
}

impl From<sqlx::Error> for Interruption {
    fn from(error: sqlx::Error) -> Self {
        Self::Failure(error)
    }
}

impl From<RepositoryError> for Interruption {
    fn from(answer: RepositoryError) -> Self {
        Self::Answer(answer)
    }
}

/// What became of a transaction.
enum Status {
    /// It may still be committed.
    InProgress,
    /// It ended; how, if that is certain.
    Ended { committed: Option<bool> },
}

impl Transaction {
    /// Has the server give the transaction its number, behind every change of the owner that is under way.
    async fn identify(session: &mut Session<'_>, owner: Option<UserId>) -> Result<Self, Interruption> {
        const NUMBER: &str = "SELECT pg_current_xact_id()::text, now()::text";
        const LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
        if let Some(owner) = owner {
            session.query(LOCK).bind(lock_of(owner)).execute(session.connection()).await?;
        }
        let (id, began) = session.query_as::<(String, String)>(NUMBER).fetch_one(session.connection()).await?;
        Ok(Self { id, began })
    }

    /// Asks the server.
    ///
    /// A number is given out again if the server broke down before it was written down, and then "committed" may be said of somebody else's
    /// transaction. A server that recovers from a breakdown begins its statistics anew, so that the word counts only if they are older.
    async fn status(&self, session: &mut Session<'_>) -> Result<Status, Interruption> {
        const IN_THE_FUTURE: &str = "22023";
        let asked = session
            .query_as::<(Option<String>, bool)>(
                "SELECT pg_xact_status($1::text::xid8), \
                 coalesce((SELECT stats_reset < $2::text::timestamptz FROM pg_stat_bgwriter), false)",
            )
            .bind(self.id.clone())
            .bind(self.began.clone())
            .fetch_one(session.connection())
            .await;
        Ok(match asked {
            Ok((Some(status), unbroken)) => match status.as_str() {
                "in progress" => Status::InProgress,
                "committed" => Status::Ended { committed: unbroken.then_some(true) },
                _ => Status::Ended { committed: Some(false) },
            },
            Ok((None, _)) => Status::Ended { committed: None },
            Err(error)
                if error.as_database_error().and_then(|error| error.code()).as_deref() == Some(IN_THE_FUTURE) =>
            {
                Status::Ended { committed: Some(false) }
            }
            Err(error) => return Err(error.into()),
        })
    }
}

/// The key of the lock that orders an owner's changes. Owners that share one, which is next to impossible, only wait for each other.
fn lock_of(owner: UserId) -> i64 {
    let (high, low) = owner.as_uuid().as_u64_pair();
    (high ^ low).cast_signed()
}

/// How often, and for how long yet, something is tried anew.
struct Tries {
    end: Instant,
    pause: Duration,
    other_server: bool,
}

impl Tries {
    fn new(retry_for: Duration) -> Self {
        Self { end: Instant::now() + retry_for, pause: Duration::ZERO, other_server: false }
    }

    /// Whether to try anew after an error; waits before it says so.
    async fn another_after(&mut self, error: &sqlx::Error) -> bool {
        match remedy(error) {
            Remedy::None => false,
            // A second one that takes no changes is likely the only one.
            Remedy::OtherServer if std::mem::replace(&mut self.other_server, true) => false,
            remedy => self.after_a_pause(remedy).await,
        }
    }

    /// Waits, unless the time would be over by then. The first new connection is worth no waiting.
    async fn after_a_pause(&mut self, remedy: Remedy) -> bool {
        let pause = match remedy {
            Remedy::Reconnect | Remedy::OtherServer if self.pause.is_zero() => Duration::ZERO,
            _ => self.pause.max(FIRST_PAUSE).mul_f64(jitter()),
        };
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        if Instant::now() + pause > self.end {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// Between a half and one and a half.
fn jitter() -> f64 {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    0.5 + f64::from(random) / f64::from(u32::MAX)
}
