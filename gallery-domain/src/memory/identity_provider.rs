//! An identity in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::ports::{Clock, IdGenerator, IdentityError, IdentityProvider, LogIn, Mail, Mailer, SessionRepository};
use crate::{Client, EmailAddress, InvalidValue, Password, SecretToken, Session, SessionId, Timestamp, UserId};

/// The simplest provider that keeps the port's promises, but for the time that answers take: passwords in plain, and codes that anybody who
/// has it can read. **For tests and demonstrations only**. It slows nobody down.
///
/// Sessions go to a repository. The text of a mail is the code or the token that it brings, and nothing else.
#[derive(Debug)]
pub struct MemoryIdentity {
    sessions: Arc<dyn SessionRepository>,
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    known: Mutex<Known>,
}

/// All that is kept, sessions aside.
#[derive(Debug, Default)]
struct Known {
    passwords: BTreeMap<UserId, KnownPassword>,
    codes: BTreeMap<EmailAddress, Code>,
    links: BTreeMap<EmailAddress, Link>,
    /// Counts passwords that were set, so that each has a number of its own.
    last_set: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownPassword {
    text: String,
    set: u64,
}

#[derive(Debug)]
struct Code {
    user: UserId,
    text: String,
    /// What counts once the code is confirmed.
    password: Option<String>,
    expires_at: Timestamp,
    tries_left: u32,
}

#[derive(Debug)]
struct Link {
    user: UserId,
    token: String,
    expires_at: Timestamp,
}

impl Known {
    fn set_password(&mut self, user: UserId, text: String) {
        self.last_set += 1;
        self.passwords.insert(user, KnownPassword { text, set: self.last_set });
    }

    /// Whose link it is, if it works.
    fn link(&self, email: &EmailAddress, token: &str, now: Timestamp) -> Result<UserId, IdentityError> {
        let link = self.links.get(email).filter(|link| link.token == token && now < link.expires_at);
        link.map(|link| link.user).ok_or(IdentityError::WrongCode)
    }
}

impl MemoryIdentity {
    /// How long a code works.
    pub const CODE_WORKS_FOR: Duration = Duration::from_secs(10 * 60);
    /// How many wrong tries a code stands.
    pub const CODE_TRIES: u32 = 5;
    /// How long a link to set a new password works.
    pub const LINK_WORKS_FOR: Duration = Duration::from_secs(30 * 60);
    /// The fewest characters of a password: the only rule.
    pub const SHORTEST_PASSWORD: usize = 15;

    /// An identity that knows nobody.
    pub fn new(
        sessions: Arc<dyn SessionRepository>,
        mailer: Arc<dyn Mailer>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        Self { sessions, mailer, clock, ids, known: Mutex::default() }
    }

    /// The code that was mailed last to an address, if it was not used.
    pub fn code(&self, email: &EmailAddress) -> Option<String> {
        self.known().codes.get(email).map(|code| code.text.clone())
    }

    /// The token of the link that was mailed last to an address, if it was not used.
    pub fn reset_token(&self, email: &EmailAddress) -> Option<String> {
        self.known().links.get(email).map(|link| link.token.clone())
    }

    /// Whether nothing at all is kept, sessions aside.
    pub fn is_empty(&self) -> bool {
        let known = self.known();
        known.passwords.is_empty() && known.codes.is_empty() && known.links.is_empty()
    }

    /// A caller that panicked cannot have left a change half done: nothing is called while the lock is held.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn secret(&self) -> String {
        SecretToken::from_random(&self.ids.new_secret()).expose().to_owned()
    }

    async fn mail(&self, to: &EmailAddress, subject: &str, text: String) -> Result<(), IdentityError> {
        Ok(self.mailer.send(&Mail { to: to.clone(), subject: subject.to_owned(), text }).await?)
    }

    /// Mails a code in place of the one before, with the password that it brings by what the one before would have brought.
    async fn mail_code(
        &self,
        user: UserId,
        email: &EmailAddress,
        password: impl FnOnce(Option<&Code>) -> Option<String> + Send,
    ) -> Result<(), IdentityError> {
        let text = self.secret();
        let expires_at = self.clock.now().plus(Self::CODE_WORKS_FOR);
        {
            let mut known = self.known();
            let password = password(known.codes.get(email).filter(|before| before.user == user));
            let code = Code { user, text: text.clone(), password, expires_at, tries_left: Self::CODE_TRIES };
            known.codes.insert(email.clone(), code);
        }
        self.mail(email, "confirm", text).await
    }

    /// The password of a user, if this is it.
    fn verified(&self, user: UserId, password: &Password) -> Result<KnownPassword, IdentityError> {
        let known = self.known().passwords.get(&user).cloned();
        known.filter(|known| known.text == password.expose()).ok_or(IdentityError::WrongCredentials)
    }
}

fn acceptable(password: &Password) -> Result<String, IdentityError> {
    if password.expose().chars().count() < MemoryIdentity::SHORTEST_PASSWORD {
        return Err(IdentityError::UnacceptablePassword(InvalidValue::new("is shorter than 15 characters")));
    }
    Ok(password.expose().to_owned())
}

#[async_trait]
impl IdentityProvider for MemoryIdentity {
    async fn register(&self, user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        let password = acceptable(password)?;
        self.mail_code(user, email, |before| match before {
            Some(before) if before.password.as_ref() != Some(&password) => None,
            _ => Some(password),
        })
        .await
    }

    async fn register_again(&self, email: &EmailAddress, password: &Password) -> Result<(), IdentityError> {
        acceptable(password)?;
        self.mail(email, "you have an account", String::new()).await
    }

    async fn register_confirmed(
        &self,
        user: UserId,
        _email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        let password = acceptable(password)?;
        let mut known = self.known();
        known.codes.retain(|_, code| code.user != user);
        known.links.retain(|_, link| link.user != user);
        known.set_password(user, password);
        Ok(())
    }

    async fn resend_code(&self, user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError> {
        let Some(user) = user else { return Ok(()) };
        self.mail_code(user, email, |before| before.and_then(|before| before.password.clone())).await
    }

    async fn confirm(&self, email: &EmailAddress, code: &str) -> Result<UserId, IdentityError> {
        let now = self.clock.now();
        let mut known = self.known();
        let kept = known.codes.get_mut(email).filter(|kept| kept.tries_left > 0 && now < kept.expires_at);
        let kept = kept.ok_or(IdentityError::WrongCode)?;
        if kept.text != code {
            kept.tries_left -= 1;
            return Err(IdentityError::WrongCode);
        }
        let (user, password) = (kept.user, kept.password.take());
        known.codes.remove(email);
        if let Some(password) = password {
            known.set_password(user, password);
        }
        Ok(user)
    }

    async fn log_in(
        &self,
        user: Option<UserId>,
        _email: &EmailAddress,
        password: &Password,
        client: &Client,
    ) -> Result<LogIn, IdentityError> {
        let user = user.ok_or(IdentityError::WrongCredentials)?;
        let checked = self.verified(user, password)?;
        let (now, token) = (self.clock.now(), SecretToken::from_random(&self.ids.new_secret()));
        let session = Session {
            id: SessionId::from_uuid(self.ids.new_id(now)),
            user,
            token: token.hash(),
            client: client.label.clone(),
            created_at: now,
            last_seen_at: now,
        };
        self.sessions.insert(&session).await?;
        // Whoever set another password meanwhile ended the sessions that there were then.
        let current = self.known().passwords.get(&user).cloned();
        if current != Some(checked) {
            self.sessions.remove(user, session.id).await?;
            return Err(IdentityError::WrongCredentials);
        }
        Ok(LogIn { session, token })
    }

    async fn authenticate(&self, token: &SecretToken) -> Result<Option<Session>, IdentityError> {
        let now = self.clock.now();
        let session = self.sessions.find_by_token(&token.hash()).await?;
        let Some(mut session) = session.filter(|session| session.is_live(now)) else { return Ok(None) };
        if now.since(session.last_seen_at) >= Session::TOUCH_EVERY {
            self.sessions.touch(session.user, session.id, now).await?;
            session.last_seen_at = now;
        }
        Ok(Some(session))
    }

    async fn verify_password(
        &self,
        user: UserId,
        _email: &EmailAddress,
        password: &Password,
    ) -> Result<(), IdentityError> {
        self.verified(user, password).map(drop)
    }

    async fn sessions(&self, user: UserId) -> Result<Vec<Session>, IdentityError> {
        let now = self.clock.now();
        let mut sessions = self.sessions.list(user).await?;
        sessions.retain(|session| session.is_live(now));
        Ok(sessions)
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
        let link = Link { user, token: token.clone(), expires_at: self.clock.now().plus(Self::LINK_WORKS_FOR) };
        self.known().links.insert(email.clone(), link);
        self.mail(email, "reset", token).await
    }

    async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
        _client: &Client,
    ) -> Result<UserId, IdentityError> {
        let now = self.clock.now();
        let user = self.known().link(email, token, now)?;
        let password = acceptable(password)?;
        self.sessions.remove_all(user, None).await?;
        {
            let mut known = self.known();
            known.link(email, token, now)?;
            known.links.remove(email);
            known.set_password(user, password);
        }
        self.sessions.remove_all(user, None).await?;
        Ok(user)
    }

    async fn change_password(
        &self,
        user: UserId,
        _email: &EmailAddress,
        old: &Password,
        new: &Password,
        keep: Option<SessionId>,
    ) -> Result<(), IdentityError> {
        let checked = self.verified(user, old)?;
        let new = acceptable(new)?;
        self.sessions.remove_all(user, keep).await?;
        {
            let mut known = self.known();
            if known.passwords.get(&user) != Some(&checked) {
                return Err(IdentityError::WrongCredentials);
            }
            known.set_password(user, new);
        }
        Ok(self.sessions.remove_all(user, keep).await?)
    }

    async fn remove(&self, user: UserId, _email: &EmailAddress) -> Result<(), IdentityError> {
        {
            let mut known = self.known();
            known.passwords.remove(&user);
            known.codes.retain(|_, code| code.user != user);
            known.links.retain(|_, link| link.user != user);
        }
        Ok(self.sessions.remove_all(user, None).await?)
    }
}
