//! Passwords and one-time codes of the built-in identity.

use std::fmt::Debug;

use async_trait::async_trait;

use super::RepositoryError;
use crate::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};

/// Keeps password hashes and one-time codes.
///
/// Nothing removes a code because it has expired: there are at most two of an address, they go with the user, and of a code to confirm an
/// address is still read, when it has expired, with which password somebody signed up.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CredentialRepository: Debug + Send + Sync + 'static {
    /// Sets a user's credential in place of any other.
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError>;

    /// The user's credential.
    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError>;

    /// Sets a user's credential in place of the one that has the hash `old`; unless by now there is another, or none. Whether it did.
    async fn replace(&self, credential: &Credential, old: &PasswordHash) -> Result<bool, RepositoryError>;

    /// Sets a code in place of any other of its purpose and address.
    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError>;

    /// The code of this purpose and address, also when it has expired or has no try left.
    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError>;

    /// Sets a code in place of the one of its purpose and address that has the hash `old`, or where there is none; unless by now there is
    /// another, one where there was none, or none where there was one. Whether it did.
    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError>;

    /// Tries a code: right, in time and with a try left, it is accepted and used up, and in the same write the password that comes with this
    /// try becomes the user's, changed at `now`, or if none does the one that the code brings; without either the user's stays as it is.
    /// Wrong, it costs a try. However many try at once, one at most is accepted, and no more wrong ones than there are tries are looked at.
    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        password: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError>;

    /// Removes a user's credential and codes. Removing absent ones succeeds.
    async fn remove(&self, user: UserId) -> Result<(), RepositoryError>;
}
