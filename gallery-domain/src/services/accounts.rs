//! Signing up, logging in, cancelling.

use std::time::Duration;

use futures_util::future::join;

use super::budget::Budget;
use super::{CHANGE_ATTEMPTS, Context, Erasure, ORIGIN_THROTTLE, check_revision};
use crate::ports::{IdentityError, LogIn, RepositoryError};
use crate::{
    Actor, Client, Decision, EmailAddress, GalleryError, Page, PageRequest, Password, PersonName, Revision,
    SecretToken, Session, SessionId, Task, ThrottleKey, Usage, User, UserId, UserStatus, Work,
};

/// Accounts and who is logged in to them.
#[derive(Clone, Debug)]
pub struct Accounts {
    context: Context,
    erasure: Erasure,
}

/// What a person says on signing up.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// Where the code is mailed to.
    pub email: EmailAddress,
    /// What they will log in with.
    pub password: Password,
    /// What to call them.
    pub name: PersonName,
}

/// A user and what they hold.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// What they hold.
    pub usage: Usage,
}

impl Accounts {
    /// Signing up takes this long at least: longer than its work, so that its time does not tell what there was to do.
    pub const SIGN_UP_TAKES: Duration = Duration::from_millis(400);

    pub(super) fn new(context: Context, erasure: Erasure) -> Self {
        Self { context, erasure }
    }

    /// Signs somebody up and mails them a code. Ends in the same way, and takes as long, whether or not the address has an account.
    pub async fn sign_up(&self, sign_up: &SignUp, client: &Client) -> Result<(), GalleryError> {
        self.throttle("sign-up", client).await?;
        // An address that is new costs writes that another does not.
        let answer_at = self.context.now().plus(Self::SIGN_UP_TAKES);
        let (done, ()) = join(self.begin_sign_up(sign_up), self.context.clock.sleep_until(answer_at)).await;
        done
    }

    async fn begin_sign_up(&self, sign_up: &SignUp) -> Result<(), GalleryError> {
        let identity = &self.context.identity;
        match self.unconfirmed_user(&sign_up.email, &sign_up.name).await? {
            Some(user) => identity.register(user.id, &user.email, &sign_up.password).await?,
            None => identity.register_again(&sign_up.email, &sign_up.password).await?,
        }
        Ok(())
    }

    /// Confirms an e-mail address with the code that was mailed to it; from then on its owner can log in.
    pub async fn confirm_email(&self, email: &EmailAddress, code: &str, client: &Client) -> Result<(), GalleryError> {
        self.throttle("confirm", client).await?;
        let user = self.context.identity.confirm(email, code).await?;
        self.change_user(user, None, |user| {
            if user.status == UserStatus::Unconfirmed {
                user.status = UserStatus::Active;
            }
        })
        .await
        .map_err(|error| match error {
            GalleryError::NotFound(_) => GalleryError::WrongCode,
            other => other,
        })?;
        Ok(())
    }

    /// Mails a new code to an address that waits for its confirmation; ends in the same way for any other.
    pub async fn resend_code(&self, email: &EmailAddress, client: &Client) -> Result<(), GalleryError> {
        self.throttle("resend", client).await?;
        let user = self.context.repositories.users.find_by_email(email).await?;
        let waiting = user.filter(|user| user.status == UserStatus::Unconfirmed);
        Ok(self.context.identity.resend_code(waiting.map(|user| user.id), email).await?)
    }

    /// Opens a session.
    pub async fn log_in(
        &self,
        email: &EmailAddress,
        password: &Password,
        client: &Client,
    ) -> Result<(User, LogIn), GalleryError> {
        self.throttle("log-in", client).await?;
        let user = self.active_user(email).await?;
        let log_in = self.context.identity.log_in(user.as_ref().map(|user| user.id), email, password, client).await?;
        let user = user.ok_or(GalleryError::WrongCredentials)?;
        Ok((user, log_in))
    }

    /// Who acts, by the token they sent.
    pub async fn authenticate(&self, token: &SecretToken) -> Result<Actor, GalleryError> {
        let session = self.context.identity.authenticate(token).await?.ok_or(GalleryError::Unauthenticated)?;
        // The account is asked each time: cancelling it ends every session at once, whatever became of the sessions themselves.
        match self.context.repositories.users.find(session.user).await? {
            Some(user) if user.status == UserStatus::Active => Ok(Actor::new(user.id, Some(session.id))),
            _ => Err(GalleryError::Unauthenticated),
        }
    }

    /// Ends the session that the actor acts in.
    pub async fn log_out(&self, actor: &Actor) -> Result<(), GalleryError> {
        match actor.session() {
            Some(session) => self.end_session(actor, session).await,
            None => Ok(()),
        }
    }

    /// The actor's live sessions, last created first.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<Session>, GalleryError> {
        Ok(self.context.identity.sessions(actor.user()).await?)
    }

    /// Ends one of the actor's sessions.
    pub async fn end_session(&self, actor: &Actor, session: SessionId) -> Result<(), GalleryError> {
        Ok(self.context.identity.end_session(actor.user(), session).await?)
    }

    /// Mails a link to set a new password; ends in the same way whether or not the address has an account.
    pub async fn forgot_password(&self, email: &EmailAddress, client: &Client) -> Result<(), GalleryError> {
        self.throttle("forgot", client).await?;
        let user = self.active_user(email).await?;
        Ok(self.context.identity.forgot_password(user.map(|user| user.id), email).await?)
    }

    /// Sets a new password with what was mailed. Every session ends.
    pub async fn reset_password(
        &self,
        email: &EmailAddress,
        token: &str,
        password: &Password,
        client: &Client,
    ) -> Result<(), GalleryError> {
        self.throttle("reset", client).await?;
        self.context.identity.reset_password(email, token, password, client).await?;
        Ok(())
    }

    /// The actor's account.
    pub async fn account(&self, actor: &Actor) -> Result<Account, GalleryError> {
        let users = &self.context.repositories.users;
        let user = users.find(actor.user()).await?.ok_or(GalleryError::Unauthenticated)?;
        let usage = users.usage(user.id).await?;
        Ok(Account { user, usage })
    }

    /// Changes what the actor is called.
    pub async fn rename(
        &self,
        actor: &Actor,
        name: &PersonName,
        if_match: Option<Revision>,
    ) -> Result<Account, GalleryError> {
        self.change_user(actor.user(), if_match, |user| user.name = name.clone()).await?;
        self.account(actor).await
    }

    /// Sets a new password. Every session but the actor's own ends.
    pub async fn change_password(&self, actor: &Actor, old: &Password, new: &Password) -> Result<(), GalleryError> {
        let user = self.account(actor).await?.user;
        self.context
            .identity
            .change_password(user.id, &user.email, old, new, actor.session())
            .await
            .map_err(|error| field_of_password(error, "/oldPassword", "/newPassword"))
    }

    /// Cancels the account: everybody is logged out of it at once, and all that was in it is erased, what is not
    /// done by the time this returns by the [`Worker`](super::Worker).
    pub async fn cancel(&self, actor: &Actor, password: &Password) -> Result<(), GalleryError> {
        let user = self.account(actor).await?.user;
        self.context
            .identity
            .verify_password(user.id, &user.email, password)
            .await
            .map_err(|error| field_of_password(error, "/password", "/password"))?;
        self.close(user.id).await
    }

    /// Closes and erases an account without asking its owner: for the operator at the console.
    pub async fn close(&self, user: UserId) -> Result<(), GalleryError> {
        let work = Work::new(Task::Account { owner: user }, self.context.now());
        self.change_user_with_work(user, None, Some(work), |user| user.status = UserStatus::Closing).await?;
        // The tombstone and its work are written: whatever fails from here on, the worker does.
        if let Err(error) = self.erasure.continue_account(user, Budget::of_request(&self.context)).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "erasing an account will be continued later");
        }
        Ok(())
    }

    /// Makes an account that needs no confirmation: for the operator at the console.
    pub async fn create_confirmed(&self, sign_up: &SignUp) -> Result<User, GalleryError> {
        let exists = || GalleryError::Conflict("an account with this e-mail address exists already".into());
        let user = self.unconfirmed_user(&sign_up.email, &sign_up.name).await?.ok_or_else(exists)?;
        self.context.identity.register_confirmed(user.id, &user.email, &sign_up.password).await?;
        self.change_user(user.id, None, |user| user.status = UserStatus::Active).await
    }

    /// Acts for a user without a log-in: for the operator at the console.
    pub async fn act_for(&self, email: &EmailAddress) -> Result<Actor, GalleryError> {
        let user = self.active_user(email).await?.ok_or(GalleryError::NotFound("account"))?;
        Ok(Actor::new(user.id, None))
    }

    /// All users by id: for the operator at the console.
    pub async fn list(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, GalleryError> {
        Ok(self.context.repositories.users.all(page).await?)
    }

    async fn active_user(&self, email: &EmailAddress) -> Result<Option<User>, GalleryError> {
        let user = self.context.repositories.users.find_by_email(email).await?;
        Ok(user.filter(|user| user.status == UserStatus::Active))
    }

    /// The user who waits for confirmation of this address, made if there is none; `None` if it is confirmed or being erased.
    async fn unconfirmed_user(&self, email: &EmailAddress, name: &PersonName) -> Result<Option<User>, GalleryError> {
        let users = &self.context.repositories.users;
        for _ in 0..CHANGE_ATTEMPTS {
            if let Some(user) = users.find_by_email(email).await? {
                if user.status != UserStatus::Unconfirmed {
                    return Ok(None);
                }
                return self.change_user(user.id, None, |user| user.name = name.clone()).await.map(Some);
            }
            let now = self.context.now();
            let user = User {
                id: UserId::from_uuid(self.context.ids.new_id(now)),
                email: email.clone(),
                name: name.clone(),
                status: UserStatus::Unconfirmed,
                quota: self.context.policy().quota,
                created_at: now,
                revision: Revision::FIRST,
            };
            // Before the user, so that no unconfirmed user can be left without it.
            let give_up_at = now.plus(self.context.policy().unconfirmed_retention);
            let task = Task::Account { owner: user.id };
            self.context.repositories.work.schedule(&Work::new(task, give_up_at)).await?;
            match users.insert(&user).await {
                Ok(()) => return Ok(Some(user)),
                // Another has signed up meanwhile, or this very call has and its reply was lost, so the work stays: it ends by itself
                // where it finds no user.
                Err(RepositoryError::AlreadyExists) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    async fn change_user(
        &self,
        id: UserId,
        if_match: Option<Revision>,
        change: impl Fn(&mut User) + Send + Sync,
    ) -> Result<User, GalleryError> {
        self.change_user_with_work(id, if_match, None, change).await
    }

    async fn change_user_with_work(
        &self,
        id: UserId,
        if_match: Option<Revision>,
        work: Option<Work>,
        change: impl Fn(&mut User) + Send + Sync,
    ) -> Result<User, GalleryError> {
        let users = &self.context.repositories.users;
        for _ in 0..CHANGE_ATTEMPTS {
            let before = users.find(id).await?.ok_or(GalleryError::NotFound("account"))?;
            check_revision(before.revision, if_match)?;
            let mut user = before.clone();
            change(&mut user);
            if user == before && work.is_none() {
                return Ok(user);
            }
            user.revision = before.revision.next();
            match users.replace(&user, before.revision, work).await {
                Ok(()) => return Ok(user),
                Err(RepositoryError::Stale) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }

    async fn throttle(&self, kind: &'static str, client: &Client) -> Result<(), GalleryError> {
        let Some(origin) = &client.origin else { return Ok(()) };
        let key = ThrottleKey::origin(kind, origin);
        match self.context.repositories.rate_limiter.attempt(&key, &ORIGIN_THROTTLE, self.context.now()).await? {
            Decision::Allowed => Ok(()),
            Decision::Denied { retry_after } => Err(GalleryError::Throttled { retry_after }),
        }
    }
}

/// Says in which field a password was wrong or refused: who is logged in already may know.
fn field_of_password(error: IdentityError, current: &str, chosen: &str) -> GalleryError {
    match error {
        IdentityError::WrongCredentials => crate::InvalidValue::new("is not your password").in_field(current).into(),
        IdentityError::UnacceptablePassword(invalid) => invalid.in_field(chosen).into(),
        other => other.into(),
    }
}
