//! Who people are: passwords, confirmation of e-mail addresses, sessions.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::{BackendFailure, RepositoryError};
use crate::{Client, EmailAddress, InvalidValue, Password, SecretToken, Session, SessionId, UserId};

/// Proves who people are. The gallery keeps its own [users](crate::User) and says to whom an identity belongs.
///
/// No answer of [`log_in`](Self::log_in), [`confirm`](Self::confirm) or [`reset_password`](Self::reset_password) tells, by word or by
/// time taken, whether an account exists.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait IdentityProvider: Debug + Send + Sync + 'static {
    /// Begins an identity whose e-mail address is not confirmed yet, and mails a code. The password counts once a code is confirmed, and not before. A
    /// second time for the same user, a new code takes the place of the old one; if the password is another, none of them will count:
    /// nobody can tell which is that of whoever reads the mail, and a stranger must not choose it. They set one as if they had
    /// [forgotten](Self::forgot_password) it.
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;

    /// Does the work of [`register`](Self::register) for an address that has an account: checks the password against the rules and spends the
    /// same time, but keeps nothing, and mails that there is an account already.
    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;

    /// Begins an identity that counts as confirmed, without a mail: for the operator at the console. Codes mailed before stop working.
    async fn register_confirmed(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError>;

    /// Mails a new confirmation code; the one before stops working. `user` is whoever waits for the confirmation of this address. Without
    /// one nothing is mailed, and nobody is told.
    async fn resend_code(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError>;

    /// Confirms an e-mail address with the code mailed to it; whose it is. From then on the password counts that they signed up with. Each code
    /// works once, at that address only, for a day at most, and no longer than it takes to mistype it a hundred times.
    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError>;

    /// Logs in. `user` is whoever has this address, if anybody may log in with it at all. A wrong password and an address without a user are
    /// answered alike. A log-in with the password from before a change that ends meanwhile leaves no session.
    ///
    /// Guessing is slowed down by the [origin](Client::origin) that it comes from. However much is guessed elsewhere, nobody is kept out.
    async fn log_in(
        &self,
        user: Option<UserId>,
        email: &EmailAddress,
        password: &Password,
        client: &Client,
    ) -> Result<LogIn, IdentityError>;

    /// The live session that a token opens. A session ends when it is not used for [`Session::IDLE`], and after [`Session::ABSOLUTE`] however much it
    /// is used.
    async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError>;

    /// Checks the password of somebody who is logged in, before something grave.
    async fn verify_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError>;

    /// The user's live sessions, last created first.
    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError>;

    /// Ends a session of the user. Ending an absent one, or another user's, succeeds and changes nothing.
    async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), IdentityError>;

    /// Ends every session of the user, but for the one named.
    async fn end_sessions(&self, user: UserId, except: Option<SessionId>) -> Result<(), IdentityError>;

    /// Mails a link to set a new password; the one before stops working. `user` is whoever has this address. Without one nothing is mailed, and
    /// nobody is told.
    async fn forgot_password(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError>;

    /// Sets a new password with what was mailed, and ends every session; whose it is. What was mailed works once, at that address only, and for a
    /// day at most. A password that is refused, or a failure before the new password counts, leaves it good. However many wrong ones are tried,
    /// the right one works. What was guessed from where the `client` is delays nobody there any more.
    async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
        client: &Client,
    ) -> Result<UserId, IdentityError>;

    /// Sets a new password after checking the old one, and ends every session but the one named. Of several at once with the same old password
    /// one is accepted, and one that began before another password was set is not.
    async fn change_password(
        &self,
        user: UserId,
        email: &EmailAddress,
        old: &Password,
        new: &Password,
        keep: Option<SessionId>,
    ) -> Result<(), IdentityError>;

    /// Removes an identity with its password, sessions and codes. Removing an absent one succeeds.
    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError>;
}

/// A session that was just opened, and the token that opens it: the only time that it is seen.
#[derive(Clone, Debug)]
pub struct LogIn {
    /// The session.
    pub session: Session,
    /// Its token.
    pub token: SecretToken,
}

/// How an identity provider's method can end, other than well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The password does not meet the rules.
    #[error("the password {0}")]
    UnacceptablePassword(InvalidValue),

    /// The address or the password is wrong.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,

    /// The code is wrong, expired or used up.
    #[error("the code is wrong, has expired or was used already")]
    WrongCode,

    /// Too many attempts.
    #[error("too many attempts")]
    Throttled {
        /// How long to wait.
        retry_after: Duration,
    },

    /// The backend failed.
    #[error(transparent)]
    Backend(#[from] BackendFailure),
}

impl From<RepositoryError> for IdentityError {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::Backend(failure) => Self::Backend(failure),
            other => Self::Backend(BackendFailure::permanent("identity", "keep credentials", other)),
        }
    }
}
