//! Passwords and one-time codes in memory.

use async_trait::async_trait;

use super::MemoryStore;
use crate::ports::{CredentialRepository, RepositoryError};
use crate::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};

#[async_trait]
impl CredentialRepository for MemoryStore {
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError> {
        self.lock().credentials.insert(credential.user, credential.clone());
        Ok(())
    }

    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError> {
        Ok(self.lock().credentials.get(&user).cloned())
    }

    async fn replace(&self, credential: &Credential, old: &PasswordHash) -> Result<bool, RepositoryError> {
        let mut state = self.lock();
        let kept = state.credentials.get_mut(&credential.user).filter(|kept| kept.password == *old);
        Ok(kept.map(|kept| *kept = credential.clone()).is_some())
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        self.lock().codes.insert((code.purpose, code.address.clone()), code.clone());
        Ok(())
    }

    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError> {
        Ok(self.lock().codes.get(&(purpose, address.clone())).cloned())
    }

    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError> {
        let mut state = self.lock();
        let place = (code.purpose, code.address.clone());
        let is_old = state.codes.get(&place).map(|kept| kept.hash) == old;
        if is_old {
            state.codes.insert(place, code.clone());
        }
        Ok(is_old)
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        password: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        let mut state = self.lock();
        let place = (purpose, address.clone());
        let Some(code) = state.codes.get_mut(&place).filter(|code| code.tries_left > 0 && now < code.expires_at) else {
            return Ok(CodeTry::Refused);
        };
        if code.hash != *hash {
            code.tries_left -= 1;
            return Ok(CodeTry::Refused);
        }
        let (user, password) = (code.user, password.or_else(|| code.password.clone()));
        state.codes.remove(&place);
        if let Some(password) = password {
            state.credentials.insert(user, Credential { user, password, changed_at: now });
        }
        Ok(CodeTry::Accepted(user))
    }

    async fn remove(&self, user: UserId) -> Result<(), RepositoryError> {
        let mut state = self.lock();
        state.credentials.remove(&user);
        state.codes.retain(|_, code| code.user != user);
        Ok(())
    }
}
