//! Users in DynamoDB.

use async_trait::async_trait;
use gallery_domain::ports::{RepositoryError, UserRepository};
use gallery_domain::{EmailAddress, Page, PageRequest, Revision, Task, Usage, User, UserId, Work};

use super::change::{Transacted, Write, Written};
use super::reading::Query;
use super::rows::{self, text};
use super::table_keys::{self, PK, SK, USERS};
use super::{DynamoDbStore, work_queue};

/// Users in DynamoDB: the profile, an item that takes the e-mail address, and an entry in the list of users. What a user's photos come to is counted in
/// an item of its own, so that uploads and the profile never wait for each other.
#[derive(Debug)]
pub(super) struct DynamoDbUserRepository {
    store: DynamoDbStore,
}

impl DynamoDbUserRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl UserRepository for DynamoDbUserRepository {
    async fn insert(&self, user: &User) -> Result<(), RepositoryError> {
        let profile = Write::put(table_keys::profile(user.id), rows::user_attributes(user)).only_if_absent();
        let entry = Write::put(table_keys::user_entry(user.id), []);
        match self.store.transact("user insert", vec![profile, takes_address(user), entry]).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(_) => Err(RepositoryError::AlreadyExists),
        }
    }

    async fn find(&self, id: UserId) -> Result<Option<User>, RepositoryError> {
        let found = self.store.get("user find", &table_keys::profile(id)).await?;
        found.as_ref().map(rows::user).transpose()
    }

    async fn find_by_email(&self, email: &EmailAddress) -> Result<Option<User>, RepositoryError> {
        let Some(lock) = self.store.get("user find by email", &table_keys::email_lock(email)).await? else {
            return Ok(None);
        };
        let id = rows::reading("owner of the address", &lock, PK, || rows::uuid_of(&lock, "UserID"))?;
        // Whoever changed the address or left in between has it no more.
        Ok(self.find(UserId::from_uuid(id)).await?.filter(|user| user.email == *email))
    }

    async fn replace(&self, user: &User, read_at: Revision, work: Option<Work>) -> Result<(), RepositoryError> {
        const OPERATION: &str = "user replace";
        let changed = changed_profile(user, read_at);
        let same_address = changed.clone().only_if("#Email = :email");
        let refused_of = match work {
            None => match self.store.write(OPERATION, same_address).await? {
                Written::Done(_) => return Ok(()),
                Written::Refused(old) => old,
            },
            Some(work) => {
                match self.store.transact(OPERATION, vec![same_address, work_queue::schedule(&work)]).await? {
                    Transacted::Done => return Ok(()),
                    Transacted::Refused(refusals) => refusals.item(0).cloned(),
                }
            }
        };
        let Some(old) = refused_of.as_ref().map(rows::user).transpose()?.filter(|old| old.revision == read_at) else {
            return Err(RepositoryError::Stale);
        };

        let changed = changed.only_if("#Email = :old").value(":old", text(old.email.as_str()));
        let frees_address = Write::delete(table_keys::email_lock(&old.email));
        let mut writes = vec![changed, takes_address(user), frees_address];
        writes.extend(work.as_ref().map(work_queue::schedule));
        match self.store.transact(OPERATION, writes).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(refusals) if refusals.has(0) => Err(RepositoryError::Stale),
            Transacted::Refused(_) => Err(RepositoryError::AlreadyExists),
        }
    }

    async fn remove(&self, id: UserId, work: Option<Work>) -> Result<(), RepositoryError> {
        const OPERATION: &str = "user remove";
        let task = Task::Account { owner: id };
        self.store.tidy_counters_of(id).await?;
        loop {
            let kept = self.find(id).await?;
            let profile = Write::delete(table_keys::profile(id));
            let mut writes = match &kept {
                Some(user) => vec![
                    profile.only_if("#Email = :email").value(":email", text(user.email.as_str())),
                    Write::delete(table_keys::email_lock(&user.email)),
                ],
                None => vec![profile.only_if_absent()],
            };
            writes.push(Write::delete(table_keys::user_entry(id)));
            writes.push(Write::delete(table_keys::usage(id)));
            match &work {
                Some(work) => {
                    writes.push(work_queue::schedule(work));
                    if work.task != task {
                        writes.push(work_queue::cancel(&task));
                    }
                }
                None => writes.push(work_queue::cancel(&task)),
            }
            // Refused if the address was changed in between, or the user came or went: then that is read again.
            if self.store.transact(OPERATION, writes).await?.is_done() {
                return Ok(());
            }
        }
    }

    async fn usage(&self, id: UserId) -> Result<Usage, RepositoryError> {
        let found = self.store.get("user usage", &table_keys::usage(id)).await?;
        Ok(found.as_ref().map(rows::usage).transpose()?.unwrap_or_default())
    }

    async fn all(&self, page: PageRequest<UserId>) -> Result<Page<User, UserId>, RepositoryError> {
        const OPERATION: &str = "user all";
        let after = page.after.map(|id| table_keys::user_entry(id).attributes());
        let query = Query::partition(USERS).after(after);
        let entries = self.store.query_up_to(OPERATION, query, page.size.get() + 1).await?;
        let ids: Result<Vec<UserId>, _> = entries
            .iter()
            .map(|entry| {
                rows::reading("entry in the list of users", entry, SK, || rows::uuid_of(entry, SK))
                    .map(UserId::from_uuid)
            })
            .collect();
        let page = Page::from_overfull(ids?, page.size, |id| *id);
        let keys: Vec<_> = page.items.iter().map(|id| table_keys::profile(*id)).collect();
        let profiles = self.store.get_many(OPERATION, &keys).await?;
        // Whoever left in between is not there any more.
        let users: Result<Vec<User>, _> = profiles.iter().flatten().map(rows::user).collect();
        Ok(Page { items: users?, next: page.next })
    }
}

/// The write that takes a user's address, unless it is somebody's.
fn takes_address(user: &User) -> Write {
    let id = rows::uuid_value(user.id.as_uuid());
    Write::put(table_keys::email_lock(&user.email), [("UserID", id)]).only_if_absent()
}

/// The write of whatever may change of a user who is there with this revision.
fn changed_profile(user: &User, read_at: Revision) -> Write {
    let mut write = Write::update(table_keys::profile(user.id)).at_revision(read_at);
    for (name, value) in rows::user_attributes(user) {
        if !["UserID", "CreatedAt"].contains(&name) {
            let place = format!(":{}", name.to_lowercase());
            write = write.set(format!("#{name} = {place}")).value(&place, value);
        }
    }
    write
}
