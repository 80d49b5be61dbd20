//! How often something may be tried.
//!
//! Guesses at a password are counted by account and origin, so that one stranger does not keep out an owner who is somewhere else. How often an
//! account is guessed at from anywhere is counted too, and refuses nobody by itself: it makes each origin wait sooner.

use std::time::Duration;

use gallery_domain::ports::IdentityError;
use gallery_domain::{Client, Decision, EmailAddress, Throttle, ThrottleKey};

use super::IdentityPorts;

/// Guesses at a password from one origin: a few without delay, then slower and slower, and never locked for good.
const GUESSING: Throttle =
    Throttle::Backoff { free: 5, first: Duration::from_secs(1), most: Duration::from_secs(15 * 60) };
/// Guesses at a password from anywhere: more than people need.
const GUESSING_ANYWHERE: Throttle = Throttle::Rate { burst: 100, every: Duration::from_secs(30) };
/// Guesses from one origin at an account that is guessed at from everywhere. The first is always looked at, so that nobody is locked out.
const BESIEGED: Throttle = APART;
/// 60 seconds apart.
const APART: Throttle = Throttle::Rate { burst: 1, every: Duration::from_secs(60) };
/// Never more than 5 within an hour.
const FIVE_AN_HOUR: Throttle = Throttle::Rate { burst: 5, every: Duration::from_secs(3600) };

/// How often an address is mailed for each reason; every limit has to allow it.
pub(crate) const SIGN_UP_MAIL: &[(&str, Throttle)] = &[("sign-up-mail-hour", FIVE_AN_HOUR)];
pub(crate) const CODE_MAIL: &[(&str, Throttle)] = &[("code-mail-minute", APART), ("code-mail-hour", FIVE_AN_HOUR)];
pub(crate) const RESET_MAIL: &[(&str, Throttle)] = &[("reset-mail-minute", APART), ("reset-mail-hour", FIVE_AN_HOUR)];

/// By account and origin.
const LOG_IN: &str = "log-in";
const LOG_IN_BESIEGED: &str = "log-in-besieged";
/// By account.
const LOG_IN_ANYWHERE: &str = "log-in-anywhere";
const PASSWORD: &str = "password";

impl IdentityPorts {
    /// Counts a mail to an address.
    pub(crate) async fn count(
        &self,
        limits: &[(&'static str, Throttle)],
        email: &EmailAddress,
    ) -> Result<(), IdentityError> {
        for (kind, throttle) in limits {
            self.allow(&ThrottleKey::account(kind, email), throttle).await?;
        }
        Ok(())
    }

    /// Counts a guess at the password of somebody who is not logged in.
    pub(crate) async fn count_guess(&self, email: &EmailAddress, client: &Client) -> Result<(), IdentityError> {
        let origin = client.origin.as_deref();
        self.allow(&ThrottleKey::account_from(LOG_IN, email, origin), &GUESSING).await?;
        match self.attempt(&ThrottleKey::account(LOG_IN_ANYWHERE, email), &GUESSING_ANYWHERE).await? {
            Decision::Allowed => Ok(()),
            Decision::Denied { .. } => {
                self.allow(&ThrottleKey::account_from(LOG_IN_BESIEGED, email, origin), &BESIEGED).await
            }
        }
    }

    /// Counts a guess at the password of somebody who is logged in: apart, so that a stranger's guessing never delays them.
    pub(crate) async fn count_check(&self, email: &EmailAddress) -> Result<(), IdentityError> {
        self.allow(&ThrottleKey::account(PASSWORD, email), &GUESSING).await
    }

    /// Forgets the guesses from one origin, which was somebody's who knows the password now.
    pub(crate) async fn forgive_guesses(&self, email: &EmailAddress, client: &Client) {
        let kinds = [LOG_IN, LOG_IN_BESIEGED];
        self.forgive(kinds.map(|kind| ThrottleKey::account_from(kind, email, client.origin.as_deref()))).await;
    }

    /// Forgets the guesses of whoever was logged in.
    pub(crate) async fn forgive_checks(&self, email: &EmailAddress) {
        self.forgive([ThrottleKey::account(PASSWORD, email)]).await;
    }

    /// Forgets all that is counted by account alone. What is counted by origin too cannot be listed, and is forgotten within an hour.
    pub(crate) async fn forget_account(&self, email: &EmailAddress) -> Result<(), IdentityError> {
        let mail_limits = [SIGN_UP_MAIL, CODE_MAIL, RESET_MAIL].into_iter().flatten().map(|(kind, _)| *kind);
        for kind in [LOG_IN_ANYWHERE, PASSWORD].into_iter().chain(mail_limits) {
            self.rate_limiter.reset(&ThrottleKey::account(kind, email)).await?;
        }
        Ok(())
    }

    /// What was done is done: whoever did it may have to wait the next time, which is no reason to fail.
    async fn forgive(&self, keys: impl IntoIterator<Item = ThrottleKey> + Send) {
        for key in keys {
            if let Err(error) = self.rate_limiter.reset(&key).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "attempts could not be forgotten");
            }
        }
    }

    async fn allow(&self, key: &ThrottleKey, throttle: &Throttle) -> Result<(), IdentityError> {
        match self.attempt(key, throttle).await? {
            Decision::Allowed => Ok(()),
            Decision::Denied { retry_after } => Err(IdentityError::Throttled { retry_after }),
        }
    }

    async fn attempt(&self, key: &ThrottleKey, throttle: &Throttle) -> Result<Decision, IdentityError> {
        Ok(self.rate_limiter.attempt(key, throttle, self.clock.now()).await?)
    }
}
