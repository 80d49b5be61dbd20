//! Removing things for good.

use super::budget::Budget;
use super::{CHANGE_ATTEMPTS, Context};
use crate::ports::RepositoryError;
use crate::{
    BlobArea, BlobKey, GalleryError, PageRequest, PageSize, Photo, PhotoState, Task, Timestamp, UserId, UserStatus,
    Work,
};

/// Removes photos and accounts for good: first a tombstone, then the blobs, then the row, so that a crash at any step is continued.
#[derive(Clone, Debug)]
pub struct Erasure {
    context: Context,
}

/// Says of a photo as it is whether it may be removed for good, or why not.
pub(super) type MayGo<'a> = &'a (dyn Fn(&Photo) -> Result<(), GalleryError> + Send + Sync);

impl Erasure {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// Removes a photo for good, if it may go, which is asked of it as it is at that very moment. It is gone for its owner at once.
    pub(super) async fn erase_photo(&self, photo: Photo, may_go: MayGo<'_>) -> Result<(), GalleryError> {
        let photo = self.bury(photo, may_go).await?;
        if let Err(error) = self.continue_photo(&photo).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "erasing a photo will be continued later");
        }
        Ok(())
    }

    /// Goes on with a photo that has its tombstone. When to look again, if it is not done.
    pub(super) async fn continue_photo(&self, photo: &Photo) -> Result<Option<Timestamp>, GalleryError> {
        self.context.blobs.remove(&BlobKey::all_of(photo)).await?;
        if let PhotoState::Erasing { settled_at } = photo.state
            && self.context.now() < settled_at
        {
            return Ok(Some(settled_at));
        }
        self.context.repositories.photos.remove(photo.owner, photo.id).await?;
        Ok(None)
    }

    /// Goes on with a cancelled account: erases of what it holds as much as the budget allows. When to look again, if it is not done.
    ///
    /// An account that is gone already is looked at once more: a request that was under way when it was cancelled may have left something.
    pub(super) async fn continue_account(
        &self,
        user: UserId,
        budget: Budget,
    ) -> Result<Option<Timestamp>, GalleryError> {
        let repositories = &self.context.repositories;
        let account = repositories.users.find(user).await?;
        if account.as_ref().is_some_and(|account| account.status != UserStatus::Closing) {
            return Ok(None);
        }
        if account.is_none() {
            // A code that was being mailed while the account went.
            repositories.credentials.remove(user).await?;
        }
        if let Some(due_at) = self.erase_holdings(user, budget).await? {
            return Ok(Some(due_at));
        }
        let Some(account) = account else { return Ok(None) };
        self.context.identity.remove(user, &account.email).await?;
        // Last, for it is what tells that there is something to do; and with it the second look.
        let second_look = Work::new(Task::Account { owner: user }, self.settled_at());
        repositories.users.remove(user, Some(second_look)).await?;
        // The claim on this work is void now, so that completing it leaves the second look.
        Ok(None)
    }

    /// Forgets a sign-up that nobody confirmed.
    pub(super) async fn expire_unconfirmed(&self, user: UserId) -> Result<Option<Timestamp>, GalleryError> {
        let budget = Budget::of_worker(&self.context);
        let Some(account) = self.context.repositories.users.find(user).await? else {
            return self.continue_account(user, budget).await;
        };
        match account.status {
            UserStatus::Active => Ok(None),
            UserStatus::Closing => self.continue_account(user, budget).await,
            UserStatus::Unconfirmed => {
                let give_up_at = account.created_at.plus(self.context.policy().unconfirmed_retention);
                if self.context.now() < give_up_at {
                    return Ok(Some(give_up_at));
                }
                let mut closing = account.clone();
                closing.status = UserStatus::Closing;
                closing.revision = account.revision.next();
                match self.context.repositories.users.replace(&closing, account.revision, None).await {
                    Ok(()) => self.continue_account(user, budget).await,
                    Err(RepositoryError::Stale) => Ok(Some(self.context.now())),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }

    /// Erases what a user holds, the account itself aside, as far as the budget goes. When to look again, if there is more.
    async fn erase_holdings(&self, user: UserId, mut budget: Budget) -> Result<Option<Timestamp>, GalleryError> {
        let (repositories, now) = (&self.context.repositories, self.context.now());
        self.context.identity.end_sessions(user, None).await?;
        let mut later: Option<Timestamp> = None;
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let photos = repositories.photos.all(user, page).await?;
            for photo in photos.items {
                let waits_until = match photo.state {
                    // Its own work removes its blobs until then.
                    PhotoState::Erasing { settled_at } if now < settled_at => Some(settled_at),
                    _ if !budget.take() => return Ok(Some(now)),
                    _ => match self.bury(photo, &|_| Ok(())).await {
                        Ok(photo) => self.continue_photo(&photo).await?,
                        // Its own work was faster.
                        Err(GalleryError::NotFound(_)) => None,
                        Err(error) => return Err(error),
                    },
                };
                later = later.max(waits_until);
            }
            match photos.next {
                None => break,
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
            }
        }
        loop {
            let albums = repositories.albums.all(user, PageRequest::first(PageSize::MAX)).await?;
            for album in &albums.items {
                if !budget.take() {
                    return Ok(Some(now));
                }
                repositories.albums.remove(user, album.id).await?;
            }
            if albums.next.is_none() {
                break;
            }
        }
        repositories.idempotency.remove_all(user).await?;
        if later.is_some() {
            return Ok(later);
        }
        let is_done = self.nothing_is_left(user).await?;
        Ok((!is_done).then(|| now.plus(self.context.policy().lease)))
    }

    /// From when on nothing that is under way now can leave anything behind any more: no upload with a ticket, no request.
    fn settled_at(&self) -> Timestamp {
        let policy = self.context.policy();
        self.context.now().plus(policy.ticket_lifetime).plus(policy.lease)
    }

    /// Recounts what an account still has in each place. A residue is an error for the operator: it keeps the work open.
    async fn nothing_is_left(&self, user: UserId) -> Result<bool, GalleryError> {
        let one = PageSize::new(1).expect("1 is a page size");
        let repositories = &self.context.repositories;
        let mut residue: Vec<&str> = Vec::new();
        if !repositories.photos.all(user, PageRequest::first(one)).await?.items.is_empty() {
            residue.push("photos");
        }
        if !repositories.albums.all(user, PageRequest::first(one)).await?.items.is_empty() {
            residue.push("albums");
        }
        for area in BlobArea::ALL {
            let blobs = self.context.blobs.list(&area.of_owner(user), PageRequest::first(PageSize::MAX)).await?;
            if !blobs.items.is_empty() {
                residue.push(area.as_str());
                // No photo is left that they could belong to.
                self.context.blobs.remove(&blobs.items).await?;
            }
        }
        if !self.context.identity.sessions(user).await?.is_empty() {
            residue.push("sessions");
        }
        let account = repositories.users.find(user).await?;
        if account.is_none() && repositories.credentials.find(user).await?.is_some() {
            residue.push("credentials");
        }
        if repositories.users.usage(user).await? != crate::Usage::default() {
            residue.push("usage");
            repositories.photos.audit(user, true).await?;
        }
        if residue.is_empty() {
            return Ok(true);
        }
        tracing::error!(
            user = user.for_logs(),
            ?residue,
            "a cancelled account still has something left; it is removed and checked again"
        );
        Ok(false)
    }

    /// Writes the tombstone, with the work that follows it.
    async fn bury(&self, photo: Photo, may_go: MayGo<'_>) -> Result<Photo, GalleryError> {
        let photos = &self.context.repositories.photos;
        let mut current = photo;
        for _ in 0..CHANGE_ATTEMPTS {
            if current.is_erasing() {
                return Ok(current);
            }
            may_go(&current)?;
            let now = self.context.now();
            let settled_at = match current.state {
                PhotoState::Uploading | PhotoState::Processing => self.settled_at(),
                _ => now,
            };
            let mut buried = current.clone();
            buried.state = PhotoState::Erasing { settled_at };
            let work = Work::new(Task::Photo { owner: current.owner, photo: current.id }, now);
            buried.revision = current.revision.next();
            match photos.replace(&buried, current.revision, Some(work)).await {
                Ok(()) => return Ok(buried),
                Err(RepositoryError::Stale) => {
                    let found = photos.find(current.owner, current.id).await?;
                    current = found.ok_or(GalleryError::NotFound("photo"))?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(GalleryError::Stale { current: None })
    }
}
