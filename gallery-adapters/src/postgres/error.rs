//! What PostgreSQL's errors mean to a repository's caller.

use gallery_domain::ports::{BackendFailure, RepositoryError};

use crate::database_password::PasswordError;

/// The name under which this backend reports failures.
const BACKEND: &str = "postgres";

/// Why the database did not do what was asked, in words for whoever runs the gallery.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostgresFailure {
    #[error("the server cannot be reached: check that it runs, its address, and the network between")]
    Unreachable(#[source] sqlx::Error),
    #[error("the server is starting or stopping")]
    Stopping(#[source] sqlx::Error),
    #[error("a secure connection cannot be made: check sslmode, sslrootcert and the server's certificate")]
    Insecure(#[source] sqlx::Error),
    #[error("the connection's settings cannot be used: check the URL")]
    Settings(#[source] sqlx::Error),
    #[error("there is no good password for the database of GALLERY_STORE")]
    NoPassword(#[source] PasswordError),
    #[error("the server refused the login: check the user, the password and the server's pg_hba.conf")]
    LoginRefused(#[source] sqlx::Error),
    #[error("there is no such database on the server: create it")]
    NoDatabase(#[source] sqlx::Error),
    #[error("the role lacks a right: grant it, or use another role")]
    Forbidden(#[source] sqlx::Error),
    #[error("all connections of the gallery are in use, or the server cannot be reached or does not let in another")]
    NoConnection(#[source] sqlx::Error),
    #[error("the store is closed")]
    Closed(#[source] sqlx::Error),
    #[error("the database is busy with other changes")]
    Busy(#[source] sqlx::Error),
    #[error("the statement took longer than it may")]
    TooSlow(#[source] sqlx::Error),
    #[error("the server is read-only: it is a standby, or its database or role was set so")]
    ReadOnly(#[source] sqlx::Error),
    #[error("the server's disk is full: make room, then try again")]
    DiskFull(#[source] sqlx::Error),
    #[error("the server is out of memory or of another resource")]
    Overloaded(#[source] sqlx::Error),
    #[error("the server failed to read or write: check its disk and its log before anything else")]
    DiskFailed(#[source] sqlx::Error),
    #[error("the database is damaged: restore it from a backup")]
    Damaged(#[source] sqlx::Error),
    #[error("the schema is older than this program, or missing: run `gallery migrate-schema`")]
    OldSchema,
    #[error("the schema is not the one that this program expects: run `gallery migrate-schema`")]
    OtherSchema(#[source] sqlx::Error),
    #[error("the schema has version {0}, which this program does not know: use a newer one")]
    NewerSchema(i64),
    #[error("the schema could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("the connection broke while the change was being confirmed, and whether it was made cannot be told")]
    UnknownOutcome(#[source] sqlx::Error),
    #[error("the database refused the statement")]
    Other(#[source] sqlx::Error),
}

/// What can be done about an error before anybody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// What was under way was undone because of others: trying again can help.
    Again,
    /// The connection is of no use any more: another may be.
    Reconnect,
    /// The server that this connection leads to takes no changes: after a failover another does.
    OtherServer,
    /// Nothing.
    None,
}

impl Remedy {
    /// Whether the connection is to be closed.
    pub(super) const fn needs_another_connection(self) -> bool {
        matches!(self, Self::Reconnect | Self::OtherServer)
    }
}

/// Maps an error of an operation, such as `photo insert`. A uniqueness that the schema guards is an answer, not a failure.
pub(super) fn failed(operation: &'static str) -> impl Fn(sqlx::Error) -> RepositoryError {
    move |error| match error.as_database_error() {
        Some(database) if database.is_unique_violation() => RepositoryError::AlreadyExists,
        _ => backend_failure(operation, error).into(),
    }
}

/// Maps an error where no answer but a failure is possible.
pub(super) fn backend_failure(operation: &'static str, error: sqlx::Error) -> BackendFailure {
    use PostgresFailure as Failure;
    let error = match error {
        sqlx::Error::Configuration(cause) => match cause.downcast::<PasswordError>() {
            Ok(cause) if cause.is_transient() => return self::transient(operation, Failure::NoPassword(*cause)),
            Ok(cause) => return permanent(operation, Failure::NoPassword(*cause)),
            Err(cause) => sqlx::Error::Configuration(cause),
        },
        error => error,
    };
    let (transient, failure) = match code(&error).as_deref() {
        Some(code) => match (code, &code[..2]) {
            ("57P04" | "3D000", _) => (false, Failure::NoDatabase(error)),
            ("57014", _) => (true, Failure::TooSlow(error)),
            ("57P01" | "57P02" | "57P03" | "57P05", _) => (true, Failure::Stopping(error)),
            ("25006", _) => (true, Failure::ReadOnly(error)),
            ("25P03" | "25P04", _) => (true, Failure::TooSlow(error)),
            ("40001" | "40P01" | "55P03", _) => (true, Failure::Busy(error)),
            ("53100", _) => (true, Failure::DiskFull(error)),
            ("53300", _) => (true, Failure::NoConnection(error)),
            (_, "53") => (true, Failure::Overloaded(error)),
            (_, "08") => (true, Failure::Unreachable(error)),
            (_, "58") => (true, Failure::DiskFailed(error)),
            ("XX001" | "XX002", _) => (false, Failure::Damaged(error)),
            (_, "28") => (false, Failure::LoginRefused(error)),
            ("42501", _) => (false, Failure::Forbidden(error)),
            ("3F000" | "42703" | "42704" | "42883" | "42P01" | "42P10", _) => (false, Failure::OtherSchema(error)),
            _ => (false, Failure::Other(error)),
        },
        None => match &error {
            sqlx::Error::Io(cause) if is_about_certificate(cause) => (false, Failure::Insecure(error)),
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => {
                (true, Failure::Unreachable(error))
            }
            sqlx::Error::PoolTimedOut => (true, Failure::NoConnection(error)),
            sqlx::Error::PoolClosed => (false, Failure::Closed(error)),
            sqlx::Error::Tls(_) => (false, Failure::Insecure(error)),
            sqlx::Error::Configuration(_) => (false, Failure::Settings(error)),
            _ => (false, Failure::Other(error)),
        },
    };
    if transient { self::transient(operation, failure) } else { permanent(operation, failure) }
}

/// A failure that will not go away by itself.
pub(super) fn permanent(operation: &'static str, failure: PostgresFailure) -> BackendFailure {
    BackendFailure::permanent(BACKEND, operation, failure)
}

/// A failure that may pass.
pub(super) fn transient(operation: &'static str, failure: PostgresFailure) -> BackendFailure {
    BackendFailure::transient(BACKEND, operation, failure)
}

/// What can be done about an error.
pub(super) fn remedy(error: &sqlx::Error) -> Remedy {
    match code(error).as_deref() {
        Some("40001" | "40P01" | "55P03") => Remedy::Again,
        Some("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25P04") => Remedy::Reconnect,
        Some("25006") => Remedy::OtherServer,
        Some(code) if code.starts_with("08") => Remedy::Reconnect,
        Some(_) => Remedy::None,
        None => match error {
            sqlx::Error::Io(cause) if is_about_certificate(cause) => Remedy::None,
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => Remedy::Reconnect,
            _ => Remedy::None,
        },
    }
}

/// That there is no password to log in with, on the way through what runs statements.
pub(super) fn no_password(error: PasswordError) -> sqlx::Error {
    sqlx::Error::Configuration(Box::new(error))
}

/// Whether the server did not take the login: RDS says of a token that has ended what it says of a wrong password, or that it knows no such user.
pub(super) fn is_refusal_to_log_in(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("28P01" | "28000"))
}

/// Whether TLS failed because of who the server says it is, which the driver passes on as a failure to read.
fn is_about_certificate(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::InvalidData && error.to_string().contains("peer certificate")
}

/// The SQLSTATE of an error that the server reported: https://www.postgresql.org/docs/current/errcodes-appendix.html
fn code(error: &sqlx::Error) -> Option<String> {
    error
        .as_database_error()?
        .code()
        .filter(|code| code.len() == 5 && code.is_ascii())
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error;
    use std::fmt;

    use gallery_domain::ports::Retry;
    use sqlx::error::{DatabaseError, ErrorKind};

    use super::*;

    /// An error as a server reports it.
    #[derive(Debug)]
    struct Reported(&'static str);

    impl fmt::Display for Reported {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "state {}", self.0)
        }
    }

    impl Error for Reported {}

    impl DatabaseError for Reported {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn kind(&self) -> ErrorKind {
            if self.0 == "23505" { ErrorKind::UniqueViolation } else { ErrorKind::Other }
        }

        fn as_error(&self) -> &(dyn Error + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn Error + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn Error + Send + Sync + 'static> {
            self
        }
    }

    fn reported(state: &'static str) -> sqlx::Error {
        sqlx::Error::Database(Box::new(Reported(state)))
    }

    #[test]
    fn what_may_pass_is_worth_a_retry_and_says_what_it_is() {
        for (state, said) in [
            ("08006", "cannot be reached"),
            ("25006", "read-only"),
            ("25P03", "longer than it may"),
            ("40001", "busy"),
            ("40P01", "busy"),
            ("53100", "disk is full"),
            ("53200", "out of memory"),
            ("53300", "in use"),
            ("55P03", "busy"),
            ("57014", "longer than it may"),
            ("57P01", "starting or stopping"),
            ("57P03", "starting or stopping"),
            ("58030", "failed to read or write"),
        ] {
            let failure = backend_failure("photo find", reported(state));
            assert_eq!(failure.retry, Retry::After(std::time::Duration::from_secs(1)), "{state}");
            assert_eq!(failure.to_string(), "postgres: photo find failed");
            let cause = failure.source().unwrap();
            assert!(cause.to_string().contains(said), "{state}: {cause}");
            assert!(cause.source().unwrap().to_string().contains(state), "the cause is kept");
        }
    }

    #[test]
    fn what_somebody_has_to_mend_is_not_tried_again_and_says_how() {
        for (state, said) in [
            ("28P01", "refused the login"),
            ("3D000", "no such database"),
            ("42501", "lacks a right"),
            ("42P01", "gallery migrate-schema"),
            ("XX001", "damaged"),
            ("22021", "refused the statement"),
        ] {
            let failure = backend_failure("photo find", reported(state));
            assert_eq!(failure.retry, Retry::Never, "{state}");
            let cause = failure.source().unwrap().to_string();
            assert!(cause.contains(said), "{state}: {cause}");
            assert_eq!(remedy(&reported(state)), Remedy::None, "{state}");
        }
    }

    #[test]
    fn what_was_undone_is_tried_anew_and_what_is_lost_on_another_connection() {
        for state in ["40001", "40P01", "55P03"] {
            assert_eq!(remedy(&reported(state)), Remedy::Again, "{state}");
        }
        for state in ["08003", "08006", "57P01", "57P02", "57P03", "57P05", "25P03"] {
            assert_eq!(remedy(&reported(state)), Remedy::Reconnect, "{state}");
        }
        assert_eq!(remedy(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())), Remedy::Reconnect);
        assert_eq!(remedy(&reported("25006")), Remedy::OtherServer);
        for state in ["57014", "53100", "53300", "58030"] {
            assert_eq!(remedy(&reported(state)), Remedy::None, "{state}");
        }
        assert_eq!(remedy(&sqlx::Error::PoolTimedOut), Remedy::None);
    }

    #[test]
    fn only_a_uniqueness_that_is_hurt_means_that_something_exists() {
        assert!(matches!(failed("user insert")(reported("23505")), RepositoryError::AlreadyExists));
        assert!(matches!(failed("user insert")(reported("23514")), RepositoryError::Backend(_)));
    }
}
