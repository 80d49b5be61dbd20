//! Identity by a user pool of Amazon Cognito: the pool keeps the passwords, the gallery everything else.
//!
//! What of it is whose:
//!
//! - **Passwords** are the pool's. The gallery keeps no hash of any; it asks the pool each time, and by its own credentials
//!   (`ADMIN_USER_PASSWORD_AUTH` with the app client's secret): whoever knows the client can neither sign up nor try a password past the gallery. The
//!   answer's access token has to be one that the pool signed for this client and this user, and is then forgotten: no token of Cognito's opens anything.
//! - **A user's name in the pool is their id in the gallery.** Their address is noted there once they have confirmed it.
//! - **Codes and links** are the gallery's own, by its own mails, as with the [built-in identity](crate::password_identity). Cognito's codes have 6 digits,
//!   so that strangers who try some can keep the owner from using theirs; the gallery's links have 256 bits.
//! - **Sessions** are the gallery's own, so that they are listed, and end at once.
//! - **Which password counts** is noted in the gallery's store as a random mark, where the built-in identity keeps the hash. The mark comes with the code
//!   that confirms an address, is another after each new password, and is compared around each log-in. So everything that the store promises of
//!   hashes holds here too: one of many codes, links or changes at once is accepted, and a log-in with an old password leaves no session.
//!
//! What Cognito decides: it slows down whoever guesses at one user's password by itself, from wherever they are, so that heavy guessing at an account that
//! gets past the gallery's own limits can delay its owner. A password that is changed in the pool by others than the gallery ends no session.

mod failure;
mod pool;
mod provision;
mod settings;
mod tokens;

use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use gallery_domain::ports::{BackendFailure, IdentityError, IdentityProvider, LogIn};
use gallery_domain::{
    Client, CodePurpose, Credential, EmailAddress, OneTimeCode, Password, PasswordHash, SecretToken, Session,
    SessionId, UserId,
};
use url::Url;
use uuid::Uuid;

use self::pool::{AccessToken, Pool};
pub use self::provision::{CreatedPool, create_pool};
pub use self::settings::CognitoSettings;
use crate::password_identity::limits::SIGN_UP_MAIL;
use crate::password_identity::{
    Background, CODE_ATTEMPTS, IdentityPorts, codes, mails, no_sooner_than_others, rules, too_many_at_once,
};
use crate::system::SystemClock;

/// Identity by a user pool.
#[derive(Debug)]
pub struct CognitoIdentity {
    ports: IdentityPorts,
    site: Url,
    pool: Pool,
    background: Background,
}

impl CognitoIdentity {
    /// Prepares to use a pool with the credentials and the region of `config`; it is first spoken to by [`check`](Self::check). Links in mails start with
    /// `site`, whatever a request says of hosts.
    pub fn new(settings: &CognitoSettings, config: &SdkConfig, ports: IdentityPorts, site: Url) -> Self {
        let pool = Pool::new(settings, config, ports.clock.clone());
        Self { ports, site, pool, background: Background::default() }
    }

    /// Looks whether the pool and its app client can be used as they are set up; what has to be mended, if anything.
    ///
    /// # Errors
    ///
    /// The pool cannot be asked: it is missing, or credentials are missing, wrong or lack a permission, or it is out of reach. Says what to mend.
    pub async fn check(&self) -> Result<Vec<String>, BackendFailure> {
        self.pool.faults().await
    }

    /// Waits for the mails that are being sent behind answers: before the program ends.
    pub async fn settle(&self) {
        self.background.settle().await;
    }
}

#[async_trait]
impl IdentityProvider for CognitoIdentity {
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        meets_the_rules(password, email).await?;
        self.ports.count(SIGN_UP_MAIL, email).await?;
        for _ in 0..CODE_ATTEMPTS {
            let before = self.ports.waiting_code(user, email).await?;
            let is_first = before.of_user.is_none();
            // Nobody can tell who reads the mail of an address that was signed up with two passwords: then the code brings none.
            let mark = match &before.of_user {
                None => Some(self.new_mark()),
                Some(code) => self.mark_if_same(code, user, password).await?,
            };
            let Some(mail) = self.ports.set_code(user, email, mark, &before).await? else { continue };
            // Only whoever set the first code sets the password, before the code can be known to anybody: so that the mark stands for this password.
            if is_first && let Err(error) = self.pool.set_password(user, None, password).await {
                // Whoever signs up again is not to be taken for another.
                self.ports.credentials.remove(user).await?;
                return Err(error);
            }
            return Ok(self.ports.mailer.send(&mail).await?);
        }
        Err(too_many_at_once())
    }

    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        meets_the_rules(password, email).await?;
        self.ports.count(SIGN_UP_MAIL, email).await?;
        // Signing up asks the pool three times: to set the password, to make the user, and to set it then.
        for _ in 0..3 {
            self.pool.ask_for_nobody().await?;
        }
        Ok(self.ports.mailer.send(&mails::account_exists(email, &self.site)).await?)
    }

    async fn register_confirmed(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        meets_the_rules(password, email).await?;
        // A code that somebody else may have asked for must not bring another password afterwards.
        self.ports.credentials.remove(user).await?;
        self.pool.delete(user).await?;
        self.pool.set_password(user, Some(email), password).await?;
        self.put_mark(user).await
    }

    async fn resend_code(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        self.ports.resend_code(&self.background, user, email).await
    }

    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let hash = codes::hash(CodePurpose::ConfirmEmail, email, &codes::typed(code));
        let user = no_sooner_than_others(self.ports.try_code(CodePurpose::ConfirmEmail, email, &hash, None)).await?;
        if let Err(error) = self.pool.note_email(user, email).await {
            // It says nothing that the gallery's own store does not know.
            tracing::warn!(error = &error as &dyn Error, "a confirmed address was not noted in the user pool");
        }
        Ok(user)
    }

    async fn log_in(
        &self,
        user: Option<UserId>,
        email: &EmailAddress,
        password: &Password,
        client: &Client,
    ) -> Result<LogIn, IdentityError> {
        self.ports.count_guess(email, client).await?;
        let checked = self.verified(user, password).await?;
        let log_in = self.ports.open_session(checked.mark.user, client).await?;
        // A new password ends all sessions. One that was set since the old one was checked has not seen this session.
        let current = self.ports.credentials.find(checked.mark.user).await?;
        if current.is_none_or(|current| current.password != checked.mark.password) {
            self.ports.sessions.remove(log_in.session.user, log_in.session.id).await?;
            return Err(IdentityError::WrongCredentials);
        }
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
        self.ports.sessions.remove_all(user, except).await?;
        Ok(self.pool.sign_out_everywhere(user).await?)
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
            // First, and without a limit: nobody guesses 256 bits, so that no stranger can be in the owner's way.
            let kept = self.ports.live_link(email, &link).await?;
            meets_the_rules(password, email).await?;
            // Before, so that a crash in the middle leaves no session with a password that is no more; and after, for those opened meanwhile.
            self.ports.sessions.remove_all(kept.user, None).await?;
            let mark = self.new_mark();
            let user = self.ports.try_code(CodePurpose::ResetPassword, email, &link, Some(mark)).await?;
            if let Err(error) = self.pool.set_password(user, Some(email), password).await {
                self.give_back(&kept).await;
                return Err(error);
            }
            self.after_new_password(user, None).await?;
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
        let checked = self.verified(Some(user), old).await?;
        self.ports.forgive_checks(email).await;
        meets_the_rules(new, email).await?;
        // As when a link sets one.
        self.ports.sessions.remove_all(user, keep).await?;
        let next = self.marked(user);
        if !self.ports.credentials.replace(&next, &checked.mark.password).await? {
            // Another was set meanwhile, or is being set.
            return Err(IdentityError::WrongCredentials);
        }
        self.pool.change_password(&checked.token, old, new).await?;
        self.after_new_password(user, keep).await
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        self.ports.credentials.remove(user).await?;
        self.ports.sessions.remove_all(user, None).await?;
        self.pool.delete(user).await?;
        self.ports.forget_account(email).await
    }
}

/// What is wrong with how a pool and its app client are set up, and what to do about it.
///
/// # Errors
///
/// As of [`CognitoIdentity::check`].
pub async fn faults(settings: &CognitoSettings, config: &SdkConfig) -> Result<Vec<String>, BackendFailure> {
    Pool::new(settings, config, Arc::new(SystemClock)).faults().await
}

/// A password that was checked.
struct Checked {
    mark: Credential,
    token: AccessToken,
}

impl CognitoIdentity {
    /// Checks the password that counts. Without a user, the same is asked of the store and the pool, and comes to nothing.
    async fn verified(&self, user: Option<UserId>, password: &Password) -> Result<Checked, IdentityError> {
        let looked_up = user.unwrap_or(UserId::from_uuid(Uuid::nil()));
        // Before the pool is asked: a password that is set after this has another mark.
        let mark = self.ports.credentials.find(looked_up).await?.filter(|_| user.is_some());
        let token = self.pool.check(user, password).await?;
        let mark = mark.ok_or(IdentityError::WrongCredentials)?;
        Ok(Checked { mark, token })
    }

    /// The mark that another code for the same user brings: that of the code before it, if it is for the same password.
    async fn mark_if_same(
        &self,
        before: &OneTimeCode,
        user: UserId,
        password: &Password,
    ) -> Result<Option<PasswordHash>, IdentityError> {
        match self.pool.check(Some(user), password).await {
            Ok(_) => Ok(before.password.clone()),
            Err(IdentityError::WrongCredentials) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends what the old password had opened, also what it opened while the new one was set.
    async fn after_new_password(&self, user: UserId, keep: Option<SessionId>) -> Result<(), IdentityError> {
        self.put_mark(user).await?;
        self.ports.sessions.remove_all(user, keep).await?;
        Ok(self.pool.sign_out_everywhere(user).await?)
    }

    /// Makes a link good again whose password could not be set, unless another was mailed meanwhile.
    async fn give_back(&self, link: &OneTimeCode) {
        if let Err(error) = self.ports.credentials.replace_code(link, None).await {
            tracing::warn!(error = &error as &dyn Error, "a link that set no password is used up");
        }
    }

    async fn put_mark(&self, user: UserId) -> Result<(), IdentityError> {
        Ok(self.ports.credentials.put(&self.marked(user)).await?)
    }

    fn marked(&self, user: UserId) -> Credential {
        Credential { user, password: self.new_mark(), changed_at: self.ports.clock.now() }
    }

    /// Stands for a password in the store, and says nothing about it. It is no hash that the built-in identity could take for one.
    fn new_mark(&self) -> PasswordHash {
        let random = SecretToken::from_random(&self.ports.ids.new_secret());
        PasswordHash::from_phc(format!("cognito:{}", random.expose()))
    }
}

/// Refuses a password by the gallery's rules, which are the same whoever keeps it, and by what the pool takes.
async fn meets_the_rules(password: &Password, email: &EmailAddress) -> Result<(), IdentityError> {
    let (password, email) = (password.clone(), email.clone());
    // Looking for common passwords takes a while.
    let checked =
        tokio::task::spawn_blocking(move || rules::check(&password, &email).and_then(|()| pool::acceptable(&password)));
    match checked.await {
        Ok(checked) => checked.map_err(IdentityError::UnacceptablePassword),
        Err(gone) => Err(BackendFailure::transient("cognito", "look at a password", gone).into()),
    }
}
