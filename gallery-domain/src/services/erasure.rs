//! Removing things for good.

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

/// How many photos of an account are erased in one go before the work is put back into the queue.
const CHUNK: usize = 500;

impl Erasure {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// Removes a photo for good. It is gone for its owner at once.
    pub(super) async fn erase_photo(&self, photo: Photo) -> Result<(), GalleryError> {
        let photo = self.bury(photo).await?;
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

    /// Goes on with a cancelled account: erases a chunk of what it holds. When to look again, if it is not done.
    pub(super) async fn continue_account(&self, user: UserId) -> Result<Option<Timestamp>, GalleryError> {
        let repositories = &self.context.repositories;
        let Some(account) = repositories.users.find(user).await? else { return Ok(None) };
        if account.status != UserStatus::Closing {
            return Ok(None);
        }
        self.context.identity.end_sessions(user, None).await?;
        let mut later: Option<Timestamp> = None;
        let (mut page, mut looked_at) = (PageRequest::first(PageSize::MAX), 0);
        loop {
            let photos = repositories.photos.all(user, page).await?;
            looked_at += photos.items.len();
            for photo in photos.items {
                let photo = self.bury(photo).await?;
                if let Some(due_at) = self.continue_photo(&photo).await? {
                    later = Some(later.map_or(due_at, |later| later.max(due_at)));
                }
            }
            match photos.next {
                None => break,
                Some(_) if looked_at >= CHUNK => return Ok(Some(self.context.now())),
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
            }
        }
        loop {
            let albums = repositories.albums.all(user, PageRequest::first(PageSize::MAX)).await?;
            for album in &albums.items {
                repositories.albums.remove(user, album.id).await?;
            }
            if albums.next.is_none() {
                break;
            }
        }
        if later.is_some() {
            return Ok(later);
        }
        if !self.nothing_is_left(user).await? {
            return Ok(Some(self.context.now().plus(self.context.policy().lease)));
        }
        repositories.idempotency.remove_all(user).await?;
        self.context.identity.remove(user, &account.email).await?;
        // Last, for it is what tells that there is something to do.
        repositories.users.remove(user).await?;
        Ok(None)
    }

    /// Forgets a sign-up that nobody confirmed.
    pub(super) async fn expire_unconfirmed(&self, user: UserId) -> Result<Option<Timestamp>, GalleryError> {
        let Some(account) = self.context.repositories.users.find(user).await? else { return Ok(None) };
        match account.status {
            UserStatus::Active => Ok(None),
            UserStatus::Closing => self.continue_account(user).await,
            UserStatus::Unconfirmed => {
                let give_up_at = account.created_at.plus(self.context.policy().unconfirmed_retention);
                if self.context.now() < give_up_at {
                    return Ok(Some(give_up_at));
                }
                let mut closing = account.clone();
                closing.status = UserStatus::Closing;
                closing.revision = account.revision.next();
                match self.context.repositories.users.replace(&closing, account.revision, None).await {
                    Ok(()) => self.continue_account(user).await,
                    Err(RepositoryError::Stale) => Ok(Some(self.context.now())),
                    Err(error) => Err(error.into()),
                }
            }
        }
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
        if repositories.users.usage(user).await? != crate::Usage::default() {
            residue.push("usage");
            repositories.photos.audit(user, true).await?;
        }
        if residue.is_empty() {
            return Ok(true);
        }
        tracing::error!(%user, ?residue, "a cancelled account still has something left; it is removed and checked again");
        Ok(false)
    }

    /// Writes the tombstone, with the work that follows it.
    async fn bury(&self, photo: Photo) -> Result<Photo, GalleryError> {
        let photos = &self.context.repositories.photos;
        let mut current = photo;
        for _ in 0..CHANGE_ATTEMPTS {
            if current.is_erasing() {
                return Ok(current);
            }
            let (now, policy) = (self.context.now(), self.context.policy());
            let settled_at = match current.state {
                PhotoState::Uploading | PhotoState::Processing => now.plus(policy.ticket_lifetime).plus(policy.lease),
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
