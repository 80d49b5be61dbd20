//! The built-in identity: passwords, e-mail codes and sessions, kept in the gallery's own store.
//!
//! What a caller who is not logged in can learn is the same whether or not an account exists, by word and by time: the same hashes are computed,
//! mail that only an account gets is sent behind the answer, and whatever does not compute a hash either way answers no sooner than
//! [`PasswordIdentity::ANSWER_AFTER`]. Limits here count by account, and guesses at a password by account and origin; limits of an origin for all
//! accounts together are the caller's.

mod background;
pub(crate) mod codes;
mod hasher;
pub(crate) mod limits;
pub(crate) mod mails;
pub(crate) mod rules;
mod sessions;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gallery_domain::ports::{
    BackendFailure, Clock, CredentialRepository, IdGenerator, IdentityError, IdentityProvider, LogIn, Mail, Mailer,
    RateLimiter, SessionRepository,
};
use gallery_domain::{
    Client, CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, Password, PasswordHash, SecretToken, Session,
    SessionId, Sha256Digest, UserId,
};
use url::Url;
use uuid::Uuid;

pub(crate) use self::background::Background;
use self::hasher::{PasswordHasher, Verdict};
use self::limits::{CODE_MAIL, RESET_MAIL, SIGN_UP_MAIL};

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
    background: Background,
}

impl PasswordIdentity {
    /// How long a code that confirms an address works.
    pub const CODE_WORKS_FOR: Duration = Duration::from_secs(10 * 60);
    /// How many wrong tries a code stands.
    pub const CODE_TRIES: u32 = 5;
    /// How long a link to set a new password works.
    pub const RESET_LINK_WORKS_FOR: Duration = Duration::from_secs(30 * 60);
    /// Codes and links, asked for and tried, take this long at least, so that the time they take tells nothing.
    pub const ANSWER_AFTER: Duration = Duration::from_millis(100);

    /// Sets up the identity. Links in mails start with `site`, whatever a request says of hosts.
    pub fn new(ports: IdentityPorts, site: Url) -> Self {
        Self { ports, site, hasher: PasswordHasher::new(), background: Background::default() }
    }

    /// Waits for the mails that are being sent behind answers: before the program ends.
    pub async fn settle(&self) {
        self.background.settle().await;
    }
}

#[async_trait]
impl IdentityProvider for PasswordIdentity {
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        let hash = self.hasher.check_and_hash(password, email).await?;
        self.ports.count(SIGN_UP_MAIL, email).await?;
        self.sign_up(user, email, password, hash).await
    }

    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        self.hasher.check_and_hash(password, email).await?;
        self.ports.count(SIGN_UP_MAIL, email).await?;
        // Signing up compares the password with the one of a sign-up before it.
        self.hasher.verify(None, password).await?;
        Ok(self.ports.mailer.send(&mails::account_exists(email, &self.site)).await?)
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
        self.ports.resend_code(&self.background, user, email).await
    }

    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let hash = codes::hash(CodePurpose::ConfirmEmail, email, &codes::typed(code));
        // A wrong try costs a write where a code waits, and none where none does.
        no_sooner_than_others(self.ports.try_code(CodePurpose::ConfirmEmail, email, &hash, None)).await
    }

    async fn log_in(
        &self,
        user: Option<UserId>,
        email: &EmailAddress,
        password: &Password,
        client: &Client,
    ) -> Result<LogIn, IdentityError> {
        self.ports.count_guess(email, client).await?;
        let credential = self.verified(user, password).await?;
        let log_in = self.open_session(&credential, password, client).await?;
        self.ports.forgive_guesses(email, client).await;
        Ok(log_in)
    }

    async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError> {
        self.ports.authenticate(token).await
    }

    async fn verify_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        self.ports.count_check(email).await?;
        self.verified(Some(user), password).await?;
        self.ports.forgive_checks(email).await;
        Ok(())
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError> {
        self.ports.live_sessions(user).await
    }

    async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), IdentityError> {
        Ok(self.ports.sessions.remove(user, session).await?)
    }

    async fn end_sessions(&self, user: UserId, except: Option<SessionId>) -> Result<(), IdentityError> {
        Ok(self.ports.sessions.remove_all(user, except).await?)
    }

    async fn forgot_password(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        self.ports.forgot_password(&self.background, user, email, &self.site).await
    }

    async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
        client: &Client,
    ) -> Result<UserId, IdentityError> {
        let link = codes::hash(CodePurpose::ResetPassword, email, token);
        no_sooner_than_others(async {
            // First, and without a limit: nobody guesses 256 bits, so that no stranger can be in the owner's way, and a wrong one costs no hash.
            let user = self.ports.live_link(email, &link).await?.user;
            let hash = self.hasher.check_and_hash(password, email).await?;
            // Before, so that a crash in the middle leaves no session with a password that is no more; and after, for those opened meanwhile.
            self.ports.sessions.remove_all(user, None).await?;
            self.ports.try_code(CodePurpose::ResetPassword, email, &link, Some(hash)).await?;
            self.ports.sessions.remove_all(user, None).await?;
            self.ports.forgive_guesses(email, client).await;
            self.ports.forgive_checks(email).await;
            Ok(user)
        })
        .await
    }

    async fn change_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        old: &Password,
        new: &Password,
        keep: Option<SessionId>,
    ) -> Result<(), IdentityError> {
        self.ports.count_check(email).await?;
        let mut checked = self.verified(Some(user), old).await?;
        self.ports.forgive_checks(email).await;
        let hash = self.hasher.check_and_hash(new, email).await?;
        // As when a link sets one.
        self.ports.sessions.remove_all(user, keep).await?;
        let new = Credential { user, password: hash, changed_at: self.ports.clock.now() };
        while !self.ports.credentials.replace(&new, &checked.password).await? {
            // Another was set meanwhile, or it was just hashed anew.
            checked = self.verified(Some(user), old).await?;
        }
        Ok(self.ports.sessions.remove_all(user, keep).await?)
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        self.ports.credentials.remove(user).await?;
        self.ports.sessions.remove_all(user, None).await?;
        self.ports.forget_account(email).await
    }
}

/// How often a code is set anew whose place another took meanwhile.
pub(crate) const CODE_ATTEMPTS: u32 = 5;

/// Wrong tries that a reset link stands. A wrong link is refused before it is tried, unless another takes its place at that very moment.
const RESET_TRIES: u32 = 100;

impl PasswordIdentity {
    /// The credential whose password this is. Without a user the same look-up and the same hash come to nothing.
    async fn verified(&self, user: Option<UserId>, password: &Password) -> Result<Credential, IdentityError> {
        let looked_up = user.unwrap_or(UserId::from_uuid(Uuid::nil()));
        let credential = self.ports.credentials.find(looked_up).await?.filter(|_| user.is_some());
        let verdict = self.hasher.verify(credential.as_ref().map(|credential| &credential.password), password).await?;
        match (credential, verdict) {
            (Some(credential), Verdict::Right) => Ok(credential),
            (Some(mut credential), Verdict::RightButOutdated) => {
                let hash = self.hasher.hash(password).await?;
                let renewed = Credential { password: hash, ..credential.clone() };
                if self.ports.credentials.replace(&renewed, &credential.password).await? {
                    credential = renewed;
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
            if let Some(mail) = self.ports.set_code(user, email, bring, &before).await? {
                return Ok(self.ports.mailer.send(&mail).await?);
            }
        }
        Err(too_many_at_once())
    }

    async fn open_session(
        &self,
        credential: &Credential,
        password: &Password,
        client: &Client,
    ) -> Result<LogIn, IdentityError> {
        let log_in = self.ports.open_session(credential.user, client).await?;
        // A new password ends all sessions. One that was set since the old one was checked has not seen this session.
        let current = self.ports.credentials.find(credential.user).await?.map(|current| current.password);
        let is_still_right = match &current {
            Some(current) if *current == credential.password => true,
            // The same password may have been hashed anew.
            Some(current) => self.hasher.verify(Some(current), password).await? != Verdict::Wrong,
            None => false,
        };
        if !is_still_right {
            self.ports.sessions.remove(log_in.session.user, log_in.session.id).await?;
            return Err(IdentityError::WrongCredentials);
        }
        Ok(log_in)
    }
}

impl IdentityPorts {
    /// Mails another code to whoever waits for one, behind an answer that tells nobody whether anybody does.
    pub(crate) async fn resend_code(
        &self,
        background: &Background,
        user: Option<UserId>,
        email: &EmailAddress,
    ) -> Result<(), IdentityError> {
        self.count(CODE_MAIL, email).await?;
        let (ports, email) = (self.clone(), email.clone());
        background
            .behind_the_answer(async move {
                match user {
                    Some(user) => ports.mail_code_again(user, &email).await,
                    None => Ok(()),
                }
            })
            .await;
        Ok(())
    }

    /// Mails a link to set a new password to whoever has this address, behind an answer that tells nobody whether anybody does.
    pub(crate) async fn forgot_password(
        &self,
        background: &Background,
        user: Option<UserId>,
        email: &EmailAddress,
        site: &Url,
    ) -> Result<(), IdentityError> {
        self.count(RESET_MAIL, email).await?;
        let (ports, email, site) = (self.clone(), email.clone(), site.clone());
        background
            .behind_the_answer(async move {
                match user {
                    Some(user) => ports.mail_reset_link(user, &email, &site).await,
                    None => Ok(()),
                }
            })
            .await;
        Ok(())
    }

    async fn put_password(&self, user: UserId, password: PasswordHash) -> Result<(), IdentityError> {
        Ok(self.credentials.put(&Credential { user, password, changed_at: self.clock.now() }).await?)
    }

    /// The code by which an address waits to be confirmed, also if it has expired.
    pub(crate) async fn waiting_code(&self, user: UserId, email: &EmailAddress) -> Result<WaitingCode, IdentityError> {
        let code = self.credentials.find_code(CodePurpose::ConfirmEmail, email).await?;
        Ok(WaitingCode { hash: code.as_ref().map(|code| code.hash), of_user: code.filter(|code| code.user == user) })
    }

    /// Sets a code in place of the one that was read; the mail that brings it, or nothing if there is another code by now.
    pub(crate) async fn set_code(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: Option<PasswordHash>,
        before: &WaitingCode,
    ) -> Result<Option<Mail>, IdentityError> {
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
        Ok(self.credentials.replace_code(&kept, before.hash).await?.then_some(mail))
    }

    /// Mails another code, which brings the password that the one before it would have brought.
    pub(crate) async fn mail_code_again(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        for _ in 0..CODE_ATTEMPTS {
            let before = self.waiting_code(user, email).await?;
            let password = before.of_user.as_ref().and_then(|code| code.password.clone());
            if let Some(mail) = self.set_code(user, email, password, &before).await? {
                return Ok(self.mailer.send(&mail).await?);
            }
        }
        Err(too_many_at_once())
    }

    pub(crate) async fn mail_reset_link(
        &self,
        user: UserId,
        email: &EmailAddress,
        site: &Url,
    ) -> Result<(), IdentityError> {
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

    /// A link, if it works.
    pub(crate) async fn live_link(
        &self,
        email: &EmailAddress,
        link: &Sha256Digest,
    ) -> Result<OneTimeCode, IdentityError> {
        let kept = self.credentials.find_code(CodePurpose::ResetPassword, email).await?;
        let kept = kept.filter(|kept| kept.hash == *link && self.clock.now() < kept.expires_at);
        kept.ok_or(IdentityError::WrongCode)
    }

    pub(crate) async fn try_code(
        &self,
        purpose: CodePurpose,
        email: &EmailAddress,
        hash: &Sha256Digest,
        password: Option<PasswordHash>,
    ) -> Result<UserId, IdentityError> {
        match self.credentials.try_code(purpose, email, hash, password, self.clock.now()).await? {
            CodeTry::Accepted(user) => Ok(user),
            CodeTry::Refused => Err(IdentityError::WrongCode),
        }
    }
}

/// What is known of an address that waits to be confirmed.
pub(crate) struct WaitingCode {
    /// By which the code is replaced, whoever it is about.
    hash: Option<Sha256Digest>,
    /// The code, if it is about the user who waits now.
    pub(crate) of_user: Option<OneTimeCode>,
}

pub(crate) fn too_many_at_once() -> IdentityError {
    BackendFailure::transient("password", "mail a code", "the address is signed up by many at once").into()
}

/// Answers when the work is done, but not before [`PasswordIdentity::ANSWER_AFTER`] has passed.
pub(crate) async fn no_sooner_than_others<T>(work: impl Future<Output = T>) -> T {
    let (done, ()) = futures_util::future::join(work, tokio::time::sleep(PasswordIdentity::ANSWER_AFTER)).await;
    done
}

#[cfg(test)]
mod tests;
