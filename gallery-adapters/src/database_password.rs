//! Passwords of a database that are not in its URL: fetched when they are needed, and anew when they have ended.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::Timestamp;
use gallery_domain::ports::Clock;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;

/// How long a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A password that ends is replaced this long before, so that no log-in comes too late with it.
const EARLY: Duration = Duration::from_secs(300);

/// Who keeps the password of a database, or makes one.
#[async_trait]
pub trait PasswordSource: fmt::Debug + Send + Sync + 'static {
    /// How to log in from now on. Asks whoever keeps it, each time.
    async fn fetch(&self) -> Result<DatabaseLogin, PasswordError>;

    /// The source in words, such as "Secrets Manager".
    fn name(&self) -> &str;
}

/// How to log in to a database.
#[derive(Clone, Debug)]
pub struct DatabaseLogin {
    /// Who logs in; whom the URL names, if there is none.
    pub user: Option<String>,
    /// The password.
    pub password: SecretString,
    /// When the password ends; never by itself, if there is none.
    pub good_until: Option<Timestamp>,
}

/// Why there is no password, or none that the server takes. Says what to mend.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PasswordError {
    what: String,
    transient: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PasswordError {
    /// Something that somebody has to mend.
    pub fn permanent(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: false, source: None }
    }

    /// Something that may pass.
    pub fn transient(what: impl Into<String>) -> Self {
        Self { what: what.into(), transient: true, source: None }
    }

    /// The same, because of this.
    pub fn because_of(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether it may pass by itself.
    pub const fn is_transient(&self) -> bool {
        self.transient
    }
}

/// The login that a source gave last. Of many that need another at once, one fetches it and the others wait.
#[derive(Debug)]
pub struct Passwords {
    source: Arc<dyn PasswordSource>,
    clock: Arc<dyn Clock>,
    last: Mutex<Option<Arc<DatabaseLogin>>>,
}

impl Passwords {
    /// Passwords of this source, none of them fetched yet.
    pub fn new(source: Arc<dyn PasswordSource>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, last: Mutex::new(None) }
    }

    /// The login that is good now. `renewed` is told of each new one, before anybody gets it.
    pub(crate) async fn current(
        &self,
        renewed: impl FnOnce(&DatabaseLogin),
    ) -> Result<Arc<DatabaseLogin>, PasswordError> {
        let mut last = self.last.lock().await;
        let now = self.clock.now();
        let is_good_at = |login: &Arc<DatabaseLogin>, time| login.good_until.is_none_or(|end| time < end);
        match &*last {
            Some(login) if is_good_at(login, now.plus(EARLY)) => Ok(login.clone()),
            kept => match (self.fetch().await, kept) {
                (Ok(login), _) => {
                    renewed(&login);
                    Ok(last.insert(Arc::new(login)).clone())
                }
                // There is time left until the last one ends.
                (Err(_), Some(login)) if is_good_at(login, now) => Ok(login.clone()),
                (Err(error), _) => Err(error),
            },
        }
    }

    /// Another login in place of one that the server has refused. None if the source has no other.
    pub(crate) async fn instead_of(
        &self,
        refused: &Arc<DatabaseLogin>,
        renewed: impl FnOnce(&DatabaseLogin),
    ) -> Result<Option<Arc<DatabaseLogin>>, PasswordError> {
        let mut last = self.last.lock().await;
        match &*last {
            Some(login) if !Arc::ptr_eq(login, refused) => Ok(Some(login.clone())),
            _ => {
                let login = self.fetch().await?;
                let is_other =
                    login.user != refused.user || login.password.expose_secret() != refused.password.expose_secret();
                if !is_other {
                    return Ok(None);
                }
                renewed(&login);
                Ok(Some(last.insert(Arc::new(login)).clone()))
            }
        }
    }

    /// That the server takes no login which the source has.
    pub(crate) fn refused(&self, by_server: impl Into<Box<dyn Error + Send + Sync>>) -> PasswordError {
        let source = self.source.name();
        PasswordError::transient(format!(
            "the server refuses the login that {source} gives: this passes while the password is being changed; else check the user, and that \
             the server and {source} have the same password"
        ))
        .because_of(by_server)
    }

    async fn fetch(&self) -> Result<DatabaseLogin, PasswordError> {
        match tokio::time::timeout(PATIENCE, self.source.fetch()).await {
            Ok(fetched) => fetched,
            Err(_) => {
                let source = self.source.name();
                Err(PasswordError::transient(format!("{source} did not answer in time: check the way to it")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use gallery_domain::memory::ManualClock;

    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    /// Gives a new password, good for a quarter of an hour, each time it is asked; and none at all once that is set.
    #[derive(Debug)]
    struct Counting {
        clock: Arc<ManualClock>,
        asked: AtomicU32,
        silent_from: u32,
    }

    #[async_trait]
    impl PasswordSource for Counting {
        async fn fetch(&self) -> Result<DatabaseLogin, PasswordError> {
            let asked = self.asked.fetch_add(1, Ordering::SeqCst);
            if asked >= self.silent_from {
                return Err(PasswordError::transient("nobody answers"));
            }
            let good_until = Some(self.clock.now().plus(QUARTER));
            Ok(DatabaseLogin { user: None, password: format!("p{asked}").into(), good_until })
        }

        fn name(&self) -> &str {
            "the test"
        }
    }

    fn passwords(silent_from: u32) -> (Arc<ManualClock>, Passwords) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_000_000)));
        let source = Counting { clock: clock.clone(), asked: AtomicU32::new(0), silent_from };
        (clock.clone(), Passwords::new(Arc::new(source), clock))
    }

    async fn current(passwords: &Passwords) -> String {
        passwords.current(|_| ()).await.unwrap().password.expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_password_is_fetched_once_and_anew_well_before_it_ends() {
        let (clock, passwords) = passwords(u32::MAX);
        assert_eq!(current(&passwords).await, "p0");
        clock.advance(QUARTER - EARLY - Duration::from_millis(1));
        assert_eq!(current(&passwords).await, "p0");
        clock.advance(Duration::from_millis(1));
        assert_eq!(current(&passwords).await, "p1");
        assert_eq!(current(&passwords).await, "p1");
    }

    #[tokio::test]
    async fn the_last_one_is_used_to_its_end_while_there_is_no_other() {
        let (clock, passwords) = passwords(1);
        assert_eq!(current(&passwords).await, "p0");
        clock.advance(QUARTER - Duration::from_millis(1));
        assert_eq!(current(&passwords).await, "p0");
        clock.advance(Duration::from_millis(1));
        assert_eq!(passwords.current(|_| ()).await.unwrap_err().to_string(), "nobody answers");
    }

    #[tokio::test]
    async fn of_many_that_were_refused_one_fetches_another() {
        let (_, passwords) = passwords(u32::MAX);
        let refused = passwords.current(|_| ()).await.unwrap();
        for _ in 0..3 {
            let other = passwords.instead_of(&refused, |_| ()).await.unwrap().unwrap();
            assert_eq!(other.password.expose_secret(), "p1");
        }
    }

    #[tokio::test]
    async fn no_login_shows_its_password() {
        let (_, passwords) = passwords(u32::MAX);
        current(&passwords).await;
        assert!(!format!("{passwords:?}").contains("p0"));
    }
}
