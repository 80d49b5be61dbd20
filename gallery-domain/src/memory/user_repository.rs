//! Users in memory.

use async_trait::async_trait;

use super::{MemoryStore, State};
use crate::ports::{RepositoryError, UserRepository};
use crate::{EmailAddress, Page, PageRequest, Revision, Task, Usage, User, UserId, Work};

#[async_trait]
impl UserRepository for MemoryStore {
    async fn insert(&self, user: &User) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        if state.users.contains_key(&user.id) || state.user_of(&user.email).is_some() {
            return Err(RepositoryError::AlreadyExists);
        }
        state.users.insert(user.id, user.clone());
        Ok(())
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        Ok(self.lock().users.get(&id).cloned())
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, RepositoryError> {
        Ok(self.lock().user_of(email).cloned())
    }

    async fn replace(&self, user: &User, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        let Some(old) = state.users.get(&user.id).filter(|old| old.revision == read_at) else {
            return Err(RepositoryError::Stale);
        };
        if state.user_of(&user.email).is_some_and(|other| other.id != user.id) {
            return Err(RepositoryError::AlreadyExists);
        }
        let new = User { created_at: old.created_at, ..user.clone() };
        state.users.insert(new.id, new);
        if let Some(work) = work {
            state.schedule(&work);
        }
        Ok(())
    }

    async fn remove(&self, id: UserId, work: Option<Work>) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        state.users.remove(&id);
        state.work.remove(&Task::Account { owner: id });
        if let Some(work) = work {
            state.schedule(&work);
        }
        Ok(())
    }

    async fn usage(&self, id: UserId) -> Result<Usage, RepositoryError> {
        Ok(self.lock().shelf(id).usage())
    }

    async fn all(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, RepositoryError> {
        let state = self.lock();
        let rest = state.users.values().filter(|user| page.after.is_none_or(|after| after < user.id));
        Ok(Page::from_overfull(rest.take(page.size.get() + 1).cloned().collect(), page.size, |user| user.id))
    }
}

impl State {
    fn user_of(&self, email: &EmailAddress) -> Option<&User> {
        self.users.values().find(|user| user.email == *email)
    }
}
