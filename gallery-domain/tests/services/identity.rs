//! Identities for tests: passwords in plain, codes that a test can read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use gallery_domain::ports::{
    Clock, IdGenerator, IdentityError, IdentityProvider, LogIn, Mail, Mailer, SessionRepository,
};
use gallery_domain::{ClientLabel, EmailAddress, InvalidValue, Password, SecretToken, Session, SessionId, UserId};

/// The simplest provider that keeps the port's promises. Sessions go to the store, so that a test can count them there.
#[derive(Debug)]
pub(crate) struct PlainIdentity {
    pub(crate) sessions: Arc<dyn SessionRepository>,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) known: Mutex<Known>,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    passwords: BTreeMap<UserId, String>,
    /// With the password that counts once the code is confirmed.
    codes: BTreeMap<EmailAddress, (UserId, String, Option<String>)>,
    resets: BTreeMap<EmailAddress, (UserId, String)>,
}

impl PlainIdentity {
    /// The code that was mailed last to an address, if it was not used.
    pub(crate) fn code(&self, email: &EmailAddress) -> Option<String> {
        self.known().codes.get(email).map(|(_, code, _)| code.clone())
    }

    /// The reset token that was mailed last to an address, if it was not used.
    pub(crate) fn reset_token(&self, email: &EmailAddress) -> Option<String> {
        self.known().resets.get(email).map(|(_, token)| token.clone())
    }

    /// Whether anything at all is kept.
    pub(crate) fn is_empty(&self) -> bool {
        let known = self.known();
        known.passwords.is_empty() && known.codes.is_empty() && known.resets.is_empty()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secret(&self) -> String {
        SecretToken::from_random(&self.ids.new_secret()).expose().to_owned()
    }

    async fn mail(&self, to: &EmailAddress, subject: &str) -> Result<(), IdentityError> {
        let mail = Mail { to: to.clone(), subject: subject.to_owned(), text: String::new() };
        Ok(self.mailer.send(&mail).await?)
    }
}

fn acceptable(password: &Password) -> Result<String, IdentityError> {
    if password.expose().chars().count() < 15 {
        return Err(IdentityError::UnacceptablePassword(InvalidValue::new("is shorter than 15 characters")));
    }
    Ok(password.expose().to_owned())
}

#[async_trait]
impl IdentityProvider for PlainIdentity {
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        let (password, code) = (acceptable(password)?, self.secret());
        {
            let mut known = self.known();
            let before = known.codes.get(email).filter(|(waiting, ..)| *waiting == user);
            let same = before.is_none_or(|(_, _, before)| before.as_ref() == Some(&password));
            known.codes.insert(email.clone(), (user, code, same.then_some(password)));
        }
        self.mail(email, "confirm").await
    }

    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        acceptable(password)?;
        self.mail(email, "you have an account").await
    }

    async fn register_confirmed(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        let password = acceptable(password)?;
        let mut known = self.known();
        known.codes.remove(email);
        known.passwords.insert(user, password);
        Ok(())
    }

    async fn resend_code(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        let Some(user) = user else { return Ok(()) };
        let code = self.secret();
        {
            let mut known = self.known();
            let before = known.codes.get(email).filter(|(waiting, ..)| *waiting == user);
            let password = before.and_then(|(_, _, password)| password.clone());
            known.codes.insert(email.clone(), (user, code, password));
        }
        self.mail(email, "confirm").await
    }

    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let mut known = self.known();
        match known.codes.get(email) {
            Some((user, right, password)) if right == code => {
                let (user, password) = (*user, password.clone());
                known.codes.remove(email);
                known.passwords.extend(password.map(|password| (user, password)));
                Ok(user)
            }
            _ => Err(IdentityError::WrongCode),
        }
    }

    async fn log_in(
        &self,
        user: Option<UserId>,
        _email: &EmailAddress,
        password: &Password,
        client: &ClientLabel,
    ) -> Result<LogIn, IdentityError> {
        let right = |user: &UserId| self.known().passwords.get(user).is_some_and(|known| known == password.expose());
        let user = user.filter(right).ok_or(IdentityError::WrongCredentials)?;
        let (now, token) = (self.clock.now(), SecretToken::from_random(&self.ids.new_secret()));
        let session = Session {
            id: SessionId::from_uuid(self.ids.new_id(now)),
            user,
            token: token.hash(),
            client: client.clone(),
            created_at: now,
            last_seen_at: now,
        };
        self.sessions.insert(&session).await?;
        Ok(LogIn { session, token })
    }

    async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError> {
        let session = self.sessions.find_by_token(&token.hash()).await?;
        Ok(session.filter(|session| session.is_live(self.clock.now())))
    }

    async fn verify_password(
        &self,
        user: UserId,
        _email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        match self.known().passwords.get(&user) {
            Some(known) if known == password.expose() => Ok(()),
            _ => Err(IdentityError::WrongCredentials),
        }
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError> {
        Ok(self.sessions.list(user).await?)
    }

    async fn end_session(&self, user: UserId, session: SessionId) -> Result<(), IdentityError> {
        Ok(self.sessions.remove(user, session).await?)
    }

    async fn end_sessions(&self, user: UserId, except: Option<SessionId>) -> Result<(), IdentityError> {
        Ok(self.sessions.remove_all(user, except).await?)
    }

    async fn forgot_password(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        let Some(user) = user else { return Ok(()) };
        let token = self.secret();
        self.known().resets.insert(email.clone(), (user, token));
        self.mail(email, "reset").await
    }

    async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
    ) -> Result<UserId, IdentityError> {
        let password = acceptable(password)?;
        let user = {
            let mut known = self.known();
            match known.resets.get(email) {
                Some((user, right)) if right == token => {
                    let user = *user;
                    known.resets.remove(email);
                    known.passwords.insert(user, password);
                    user
                }
                _ => return Err(IdentityError::WrongCode),
            }
        };
        self.sessions.remove_all(user, None).await?;
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
        let new = acceptable(new)?;
        self.known().passwords.insert(user, new);
        Ok(self.sessions.remove_all(user, keep).await?)
    }

    async fn remove(&self, user: UserId, email: &EmailAddress) -> Result<(), IdentityError> {
        self.sessions.remove_all(user, None).await?;
        let mut known = self.known();
        known.passwords.remove(&user);
        known.codes.remove(email);
        known.resets.remove(email);
        Ok(())
    }
}
