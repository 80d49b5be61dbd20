//! The built-in identity: passwords, e-mail codes and sessions, kept in the gallery's own store.
//!
//! What a caller who is not logged in can learn is the same whether or not an account exists, by word and by time: the same hashes are computed,
//! mail that only an account gets is sent behind the answer, and sign-up and "forgot password" answer no sooner than
//! [`PasswordIdentity::ANSWER_AFTER`]. Limits here count by account; limits by network address are the caller's.

mod codes;
mod hasher;
mod mails;
mod rules;

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::ports::{
    BackendFailure, Clock, CredentialRepository, IdGenerator, IdentityError, IdentityProvider, LogIn, Mailer,
    RateLimiter, SessionRepository,
};
use gallery_domain::{
    ClientLabel, CodePurpose, CodeTry, Credential, Decision, EmailAddress, OneTimeCode, Password, PasswordHash,
    SecretToken, Session, SessionId, Sha256Digest, Throttle, ThrottleKey, UserId,
};
use tokio_util::task::TaskTracker;
use url::Url;
use uuid::Uuid;

use self::hasher::{PasswordHasher, Verdict};

/// What the built-in identity needs of the world.
#[derive(Clone, Debug)]
pub struct IdentityPorts {
    /// Keeps password hashes and codes.
    pub credentials: Arc<dyn CredentialRepository>,
    /// Keeps sessions.
    pub sessions: Arc<dyn SessionRepository>,
    /// Counts attempts.
    pub rate_limiter: Arc<dyn RateLimiter>,
    /// Sends codes and links.
    pub mailer: Arc<dyn Mailer>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes session ids, tokens and codes.
    pub ids: Arc<dyn IdGenerator>,
}

/// Identity by password.
#[derive(Debug)]
pub struct PasswordIdentity {
    ports: IdentityPorts,
    site: Url,
    hasher: PasswordHasher,
    background: TaskTracker,
}

impl PasswordIdentity {
    /// How long a code that confirms an address works.
    pub const CODE_WORKS_FOR: Duration = Duration::from_secs(10 * 60);
    /// How many wrong tries a code stands.
    pub const CODE_TRIES: u32 = 5;
    /// How long a link to set a new password works.
    pub const RESET_LINK_WORKS_FOR: Duration = Duration::from_secs(30 * 60);
    /// Sign-up, "send the code again" and "forgot password" take this long at least, so that the time they take tells nothing.
    pub const ANSWER_AFTER: Duration = Duration::from_millis(100);

    /// Sets up the identity. Links in mails start with `site`, whatever a request says of hosts.
    pub fn new(ports: IdentityPorts, site: Url) -> Self {
        Self { ports, site, hasher: PasswordHasher::new(), background: TaskTracker::new() }
    }

    /// Waits for the mails that are being sent behind answers: before the program ends.
    pub async fn settle(&self) {
        self.background.close();
        self.background.wait().await;
        self.background.reopen();
    }
}

#[async_trait]
impl IdentityProvider for PasswordIdentity {
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        no_sooner(Self::ANSWER_AFTER, async {
            let hash = self.hasher.check_and_hash(password, email).await?;
            self.count(SIGN_UP_MAIL, email).await?;
            self.sign_up(user, email, password, hash).await
        })
        .await
    }

    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        no_sooner(Self::ANSWER_AFTER, async {
            self.hasher.check_and_hash(password, email).await?;
            self.count(SIGN_UP_MAIL, email).await?;
            // Signing up compares the password with the one of a sign-up before it.
            self.hasher.verify(None, password).await?;
            Ok(self.ports.mailer.send(&mails::account_exists(email, &self.site)).await?)
        })
        .await
    }

    async fn register_confirmed(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        let hash = self.hasher.check_and_hash(password, email).await?;
        // A code that somebody else may have asked for must not bring another password afterwards.
        self.ports.credentials.remove(user).await?;
        self.ports.put_password(user, hash).await
    }

    async fn resend_code(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        self.count(CODE_MAIL, email).await?;
        let (ports, email) = (self.ports.clone(), email.clone());
        self.behind_the_answer(async move {
            match user {
                Some(user) => ports.mail_code_again(user, &email).await,
                None => Ok(()),
            }
        })
        .await;
        Ok(())
    }

    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let code = codes::typed(code);
        self.ports.try_code(CodePurpose::ConfirmEmail, email, &code).await
    }

    async fn log_in(
        &self,
        user: Option<UserId>,
        email: &EmailAddress,
        password: &Password,
        client: &ClientLabel,
    ) -> Result<LogIn, IdentityError> {
        let attempts = [(ThrottleKey::account("log-in", email), GUESSING)];
        self.allow(&attempts).await?;
        let credential = self.verified(user, password).await?;
        let log_in = self.open_session(credential, client).await?;
        self.ports.rate_limiter.reset(&attempts[0].0).await?;
        Ok(log_in)
    }

    async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError> {
        let now = self.ports.clock.now();
        let session = self.ports.sessions.find_by_token(&token.hash()).await?;
        let Some(mut session) = session.filter(|session| session.is_live(now)) else { return Ok(None) };
        if now.since(session.last_seen_at) >= Session::TOUCH_EVERY {
            match self.ports.sessions.touch(session.user, session.id, now).await {
                Ok(()) => session.last_seen_at = now,
                // The session is good all the same, and the next request notes it.
                Err(error) => tracing::warn!(error = &error as &dyn Error, "the use of a session was not noted"),
            }
        }
        Ok(Some(session))
    }

    async fn verify_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        // Counted apart from log-ins, so that a stranger's guessing never delays somebody who is logged in.
        let attempts = [(ThrottleKey::account("password", email), GUESSING)];
        self.allow(&attempts).await?;
        self.verified(Some(user), password).await?;
        Ok(self.ports.rate_limiter.reset(&attempts[0].0).await?)
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError> {
        let now = self.ports.clock.now();
        let mut sessions = self.ports.sessions.list(user).await?;
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
    }

    async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), IdentityError> {
        Ok(self.ports.sessions.remove(user, session).await?)
    }

    async fn end_sessions(&self, user: UserId, except: Option<SessionId>) -> Result<(), IdentityError> {
        Ok(self.ports.sessions.remove_all(user, except).await?)
    }

    async fn forgot_password(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        self.count(RESET_MAIL, email).await?;
        let (ports, site, email) = (self.ports.clone(), self.site.clone(), email.clone());
        self.behind_the_answer(async move {
            match user {
                Some(user) => ports.mail_reset_link(user, &email, &site).await,
                None => Ok(()),
            }
        })
        .await;
        Ok(())
    }

    async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
    ) -> Result<UserId, IdentityError> {
        self.allow(&[(ThrottleKey::account("reset", email), RESETTING)]).await?;
        // Hashed before the token is looked at: a wrong one costs as much time, and a bad password leaves the token good.
        let hash = self.hasher.check_and_hash(password, email).await?;
        let user = self.ports.try_code(CodePurpose::ResetPassword, email, token).await?;
        self.ports.put_password(user, hash).await?;
        self.ports.sessions.remove_all(user, None).await?;
        self.ports.rate_limiter.reset(&ThrottleKey::account("log-in", email)).await?;
        Ok(user)
    }

    async fn change_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        old: &Password,
        new: &Password,
        keep: Option<SessionId>,
    ) -> Result<(), IdentityError> {
        self.verify_password(user, email, old).await?;
        let hash = self.hasher.check_and_hash(new, email).await?;
        self.ports.put_password(user, hash).await?;
        Ok(self.ports.sessions.remove_all(user, keep).await?)
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        self.ports.credentials.remove(user).await?;
        self.ports.sessions.remove_all(user, None).await?;
        let mail_limits = [SIGN_UP_MAIL, CODE_MAIL, RESET_MAIL].into_iter().flatten().map(|(kind, _)| *kind);
        for kind in ["log-in", "password", "reset"].into_iter().chain(mail_limits) {
            self.ports.rate_limiter.reset(&ThrottleKey::account(kind, email)).await?;
        }
        Ok(())
    }
}

/// Guesses at a password: a few without delay, then slower and slower, and never locked for good.
const GUESSING: Throttle =
    Throttle::Backoff { free: 5, first: Duration::from_secs(1), most: Duration::from_secs(15 * 60) };
/// Tries to set a new password, each of which costs a hash.
const RESETTING: Throttle = Throttle::Rate { burst: 10, every: Duration::from_secs(60) };
/// 60 seconds apart.
const APART: Throttle = Throttle::Rate { burst: 1, every: Duration::from_secs(60) };
/// Never more than 5 within an hour.
const FIVE_AN_HOUR: Throttle = Throttle::Rate { burst: 5, every: Duration::from_secs(3600) };

/// How often an address is mailed for each reason; every limit has to allow it.
const SIGN_UP_MAIL: &[(&str, Throttle)] = &[("sign-up-mail-hour", FIVE_AN_HOUR)];
const CODE_MAIL: &[(&str, Throttle)] = &[("code-mail-minute", APART), ("code-mail-hour", FIVE_AN_HOUR)];
const RESET_MAIL: &[(&str, Throttle)] = &[("reset-mail-minute", APART), ("reset-mail-hour", FIVE_AN_HOUR)];

/// How often a code is set anew whose place another took meanwhile.
const CODE_ATTEMPTS: u32 = 5;

/// Wrong tries that a reset link stands. Its 256 bits need no limit; a low one would let strangers use it up.
const RESET_TRIES: u32 = 1_000;

impl PasswordIdentity {
    async fn count(&self, limits: &[(&'static str, Throttle)], email: &EmailAddress) -> Result<(), IdentityError> {
        let limits: Vec<_> =
            limits.iter().map(|(kind, throttle)| (ThrottleKey::account(kind, email), *throttle)).collect();
        self.allow(&limits).await
    }

    async fn allow(&self, limits: &[(ThrottleKey, Throttle)]) -> Result<(), IdentityError> {
        for (key, throttle) in limits {
            let now = self.ports.clock.now();
            if let Decision::Denied { retry_after } = self.ports.rate_limiter.attempt(key, throttle, now).await? {
                return Err(IdentityError::Throttled { retry_after });
            }
        }
        Ok(())
    }

    /// The credential whose password this is. Without a user the same look-up and the same hash come to nothing.
    async fn verified(&self, user: Option<UserId>, password: &Password) -> Result<Credential, IdentityError> {
        let looked_up = user.unwrap_or(UserId::from_uuid(Uuid::nil()));
        let credential = self.ports.credentials.find(looked_up).await?.filter(|_| user.is_some());
        let verdict = self.hasher.verify(credential.as_ref().map(|credential| &credential.password), password).await?;
        match (credential, verdict) {
            (Some(credential), Verdict::Right) => Ok(credential),
            (Some(mut credential), Verdict::RightButOutdated) => {
                let hash = self.hasher.hash(password).await?;
                if self.ports.credentials.rehash(credential.user, &credential.password, &hash).await? {
                    credential.password = hash;
                }
                Ok(credential)
            }
            _ => Err(IdentityError::WrongCredentials),
        }
    }

    /// Mails a code that brings this password, unless somebody signed up for this user before with another one: nobody can tell then which of them
    /// reads the mail, and whoever confirms must not be given a password that is not their own. So the code brings none, and its mail says
    /// how to set one.
    async fn sign_up(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
        hash: PasswordHash,
    ) -> Result<(), IdentityError> {
        for _ in 0..CODE_ATTEMPTS {
            let before = self.ports.waiting_code(user, email).await?;
            let theirs = before.of_user.as_ref().map(|code| code.password.as_ref());
            let verdict = self.hasher.verify(theirs.flatten(), password).await?;
            let bring = (theirs.is_none() || verdict != Verdict::Wrong).then(|| hash.clone());
            if self.ports.mail_code(user, email, bring, &before).await? {
                return Ok(());
            }
        }
        Err(too_many_at_once())
    }

    async fn open_session(&self, credential: Credential, client: &ClientLabel) -> Result<LogIn, IdentityError> {
        let now = self.ports.clock.now();
        let token = SecretToken::from_random(&self.ports.ids.new_secret());
        let session = Session {
            id: SessionId::from_uuid(self.ports.ids.new_id(now)),
            user: credential.user,
            token: token.hash(),
            client: client.clone(),
            created_at: now,
            last_seen_at: now,
        };
        self.ports.sessions.insert(&session).await?;
        // A new password ends all sessions. One that was set since the old one was checked has not seen this session.
        let current = self.ports.credentials.find(credential.user).await?;
        if current.is_none_or(|current| current.changed_at != credential.changed_at) {
            self.ports.sessions.remove(session.user, session.id).await?;
            return Err(IdentityError::WrongCredentials);
        }
        Ok(LogIn { session, token })
    }

    /// Does what only an account needs without letting the caller feel it.
    async fn behind_the_answer(&self, work: impl Future<Output = Result<(), IdentityError>> + Send + 'static) {
        self.background.spawn(async move {
            if let Err(error) = work.await {
                tracing::warn!(error = &error as &dyn Error, "a mail that was asked for could not be sent");
            }
        });
        tokio::time::sleep(Self::ANSWER_AFTER).await;
    }
}

impl IdentityPorts {
    async fn put_password(&self, user: UserId, password: PasswordHash) -> Result<(), IdentityError> {
        Ok(self.credentials.put(&Credential { user, password, changed_at: self.clock.now() }).await?)
    }

    /// The code by which an address waits to be confirmed, also if it has expired.
    async fn waiting_code(&self, user: UserId, email: &EmailAddress) -> Result<WaitingCode, IdentityError> {
        let code = self.credentials.find_code(CodePurpose::ConfirmEmail, email).await?;
        Ok(WaitingCode { hash: code.as_ref().map(|code| code.hash), of_user: code.filter(|code| code.user == user) })
    }

    /// Sets a code in place of the one that was read, and mails it; `false` if there is another by now.
    async fn mail_code(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: Option<PasswordHash>,
        before: &WaitingCode,
    ) -> Result<bool, IdentityError> {
        let code = codes::new_code(&*self.ids);
        let mail = match &password {
            Some(_) => mails::confirmation(email, &code),
            None => mails::confirmation_without_password(email, &code),
        };
        let kept = OneTimeCode {
            purpose: CodePurpose::ConfirmEmail,
            address: email.clone(),
            user,
            hash: codes::hash(CodePurpose::ConfirmEmail, email, &code),
            expires_at: self.clock.now().plus(PasswordIdentity::CODE_WORKS_FOR),
            tries_left: PasswordIdentity::CODE_TRIES,
            password,
        };
        if !self.credentials.replace_code(&kept, before.hash).await? {
            return Ok(false);
        }
        self.mailer.send(&mail).await?;
        Ok(true)
    }

    /// Mails another code, which brings the password that the one before it would have brought.
    async fn mail_code_again(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        for _ in 0..CODE_ATTEMPTS {
            let before = self.waiting_code(user, email).await?;
            let password = before.of_user.as_ref().and_then(|code| code.password.clone());
            if self.mail_code(user, email, password, &before).await? {
                return Ok(());
            }
        }
        Err(too_many_at_once())
    }

    async fn mail_reset_link(&self, user: UserId, email: &EmailAddress, site: &Url) -> Result<(), IdentityError> {
        let token = SecretToken::from_random(&self.ids.new_secret());
        self.credentials
            .put_code(&OneTimeCode {
                purpose: CodePurpose::ResetPassword,
                address: email.clone(),
                user,
                hash: codes::hash(CodePurpose::ResetPassword, email, token.expose()),
                expires_at: self.clock.now().plus(PasswordIdentity::RESET_LINK_WORKS_FOR),
                tries_left: RESET_TRIES,
                password: None,
            })
            .await?;
        Ok(self.mailer.send(&mails::reset_link(email, site, &token)).await?)
    }

    async fn try_code(&self, purpose: CodePurpose, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let hash = codes::hash(purpose, email, code);
        match self.credentials.try_code(purpose, email, &hash, self.clock.now()).await? {
            CodeTry::Accepted(user) => Ok(user),
            CodeTry::Refused => Err(IdentityError::WrongCode),
        }
    }
}

/// What is known of an address that waits to be confirmed.
struct WaitingCode {
    /// By which the code is replaced, whoever it is about.
    hash: Option<Sha256Digest>,
    /// The code, if it is about the user who waits now.
    of_user: Option<OneTimeCode>,
}

fn too_many_at_once() -> IdentityError {
    BackendFailure::transient("password", "mail a code", "the address is signed up by many at once").into()
}

/// Answers when the work is done, but not before `least` has passed.
async fn no_sooner<T>(least: Duration, work: impl Future<Output = T>) -> T {
    let (done, ()) = futures_util::future::join(work, tokio::time::sleep(least)).await;
    done
}

#[cfg(test)]
mod tests;
