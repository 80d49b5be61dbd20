//! Passwords and one-time codes in DynamoDB.

use async_trait::async_trait;
use gallery_domain::ports::{CredentialRepository, RepositoryError};
use gallery_domain::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};

use super::DynamoDbStore;
use super::change::{Write, Written, random_token};
use super::reading::Query;
use super::rows::{self, digest_value, number, text, uuid_value};
use super::table_keys::{self, CODES_OF_USER, Key, PK, Table};

/// Passwords and one-time codes in DynamoDB: a code by its purpose and address, and an entry of the user whom it is about.
#[derive(Debug)]
pub(super) struct DynamoDbCredentialRepository {
    store: DynamoDbStore,
}

impl DynamoDbCredentialRepository {
    pub(super) const fn new(store: DynamoDbStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl CredentialRepository for DynamoDbCredentialRepository {
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError> {
        self.store.write_always("credential put", put(credential)).await
    }

    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError> {
        let found = self.store.get("credential find", &table_keys::credential(user)).await?;
        found.as_ref().map(rows::credential).transpose()
    }

    async fn replace(&self, credential: &Credential, old: &PasswordHash) -> Result<bool, RepositoryError> {
        let write = put(credential).only_if("#Password = :old").value(":old", text(old.as_phc()));
        Ok(self.store.write("credential replace", write).await?.is_done())
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        // A transaction, which is not done twice: a try in between would be given back.
        self.store.transact("code put", vec![put_code(code), put_entry(code)]).await.map(drop)
    }

    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError> {
        let found = self.store.get("code find", &table_keys::code(purpose, address)).await?;
        found.map(|item| rows::one_time_code(&item, purpose, address)).transpose()
    }

    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError> {
        let write = match old {
            None => put_code(code).only_if_absent(),
            Some(old) => put_code(code).only_if("#Hash = :old").value(":old", digest_value(&old)),
        };
        Ok(self.store.transact("code replace", vec![write, put_entry(code)]).await?.is_done())
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        password: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        const OPERATION: &str = "code try";
        let key = table_keys::code(purpose, address);
        // Takes the try away before it looks: of those who come at once, no more are looked at than there are tries.
        let take = Write::update(key.clone())
            .only_if("#TriesLeft > :none")
            .add("#TriesLeft :less")
            .value(":none", number(0))
            .value(":less", number(-1))
            .returning_new();
        let Written::Done(Some(item)) = self.store.write(OPERATION, take).await? else { return Ok(CodeTry::Refused) };
        let code = rows::one_time_code(&item, purpose, address)?;
        if code.hash != *hash || now >= code.expires_at {
            return Ok(CodeTry::Refused);
        }
        let put_as = rows::reading("one-time code of user", &item, "UserID", || rows::text_of(&item, PUT_AS))?;
        let mut writes = vec![
            Write::delete(key).only_if(&format!("#{PUT_AS} = :put_as")).value(":put_as", text(put_as)),
            Write::delete(table_keys::code_of_user(code.user, purpose, address)),
        ];
        if let Some(password) = password.or(code.password) {
            writes.push(put(&Credential { user: code.user, password, changed_at: now }));
        }
        // Refused if another try of it was accepted, or another code took its place.
        let accepted = self.store.transact(OPERATION, writes).await?.is_done();
        Ok(if accepted { CodeTry::Accepted(code.user) } else { CodeTry::Refused })
    }

    async fn remove(&self, user: UserId) -> Result<(), RepositoryError> {
        const OPERATION: &str = "credential remove";
        let entries =
            self.store.query_all(OPERATION, Query::beginning(table_keys::of_user(user), CODES_OF_USER)).await?;
        let mut last = vec![Write::delete(table_keys::credential(user))];
        for entry in entries {
            let entry = rows::reading("entry of a code of", &entry, PK, || {
                Key::of(Table::Index, &entry).ok_or_else(|| "there is no key".into())
            })?;
            // A code of that address may be about somebody else by now.
            let write = Write::delete(table_keys::code_of_entry(&entry))
                .only_if("#UserID = :user")
                .value(":user", uuid_value(user.as_uuid()));
            self.store.write(OPERATION, write).await?;
            last.push(Write::delete(entry));
        }
        self.store.write_batches(OPERATION, last).await
    }
}

/// Tells a code from another that takes its place, even one with the same hash.
const PUT_AS: &str = "PutAs";

fn put(credential: &Credential) -> Write {
    Write::put(table_keys::credential(credential.user), rows::credential_attributes(credential))
}

fn put_code(code: &OneTimeCode) -> Write {
    let mut attributes = rows::one_time_code_attributes(code);
    attributes.push((PUT_AS, text(random_token())));
    Write::put(table_keys::code(code.purpose, &code.address), attributes)
}

fn put_entry(code: &OneTimeCode) -> Write {
    Write::put(table_keys::code_of_user(code.user, code.purpose, &code.address), [])
}
