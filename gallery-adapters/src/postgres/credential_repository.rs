//! Passwords and one-time codes in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{CredentialRepository, RepositoryError};
use gallery_domain::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};
use uuid::Uuid;

use super::change::Session;
use super::{PostgresStore, rows};

/// Passwords and one-time codes in PostgreSQL.
#[derive(Debug)]
pub(super) struct PostgresCredentialRepository {
    store: PostgresStore,
}

impl PostgresCredentialRepository {
    pub(super) const fn new(store: PostgresStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl CredentialRepository for PostgresCredentialRepository {
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError> {
        self.store.repeat("credential put", |session| { async move {
            session
                .query(
                    "INSERT INTO gallery.credential (user_id, password, changed_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (user_id) DO UPDATE SET password = excluded.password, changed_at = excluded.changed_at",
                )
                .bind(credential.user.as_uuid())
                .bind(credential.password.as_phc())
                .bind(credential.changed_at.as_millis())
                .execute(session.connection())
                .await?;
            Ok(())
        }.boxed() }).await
    }

    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError> {
        self.store
            .repeat("credential find", |session| {
                async move {
                    let statement = session
                        .query("SELECT user_id, password, changed_at FROM gallery.credential WHERE user_id = $1")
                        .bind(user.as_uuid());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?
            .as_ref()
            .map(rows::credential)
            .transpose()
    }

    async fn rehash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, RepositoryError> {
        self.store
            .change("credential rehash", None, |session| {
                async move {
                    let rehashed = session
                        .query("UPDATE gallery.credential SET password = $3 WHERE user_id = $1 AND password = $2")
                        .bind(user.as_uuid())
                        .bind(old.as_phc())
                        .bind(new.as_phc())
                        .execute(session.connection())
                        .await?;
                    Ok(rehashed.rows_affected() > 0)
                }
                .boxed()
            })
            .await
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        // Not twice: a try in between would be given back.
        self.store
            .change("code put", None, |session| {
                async move {
                    session
                .query(
                    "INSERT INTO gallery.one_time_code (purpose, address, user_id, hash, expires_at, tries_left) \
                     VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (purpose, address) DO UPDATE SET user_id = excluded.user_id, hash = excluded.hash, \
                     expires_at = excluded.expires_at, tries_left = excluded.tries_left",
                )
                .bind(code.purpose.as_str())
                .bind(code.address.as_str())
                .bind(code.user.as_uuid())
                .bind(code.hash.as_bytes().to_vec())
                .bind(code.expires_at.as_millis())
                .bind(i64::from(code.tries_left))
                .execute(session.connection())
                .await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        self.store.change("code try", None, |session| { async move {
            // Takes the try away before it looks, so that of those who come at once no more are looked at than there are tries.
            let tried = session
                .query_as::<(Uuid, bool)>(
                    "UPDATE gallery.one_time_code SET tries_left = tries_left - 1 \
                     WHERE purpose = $1 AND address = $2 AND tries_left > 0 RETURNING user_id, hash = $3 AND expires_at > $4",
                )
                .bind(purpose.as_str())
                .bind(address.as_str())
                .bind(hash.as_bytes().to_vec())
                .bind(now.as_millis())
                .fetch_optional(session.connection())
                .await?;
            let Some((user, true)) = tried else { return Ok(CodeTry::Refused) };
            session
                .query("DELETE FROM gallery.one_time_code WHERE purpose = $1 AND address = $2")
                .bind(purpose.as_str())
                .bind(address.as_str())
                .execute(session.connection())
                .await?;
            Ok(CodeTry::Accepted(UserId::from_uuid(user)))
        }.boxed() }).await
    }

    async fn remove(&self, user: UserId) -> Result<(), RepositoryError> {
        self.store
            .change("credential remove", None, |session| {
                async move {
                    let credential =
                        session.query("DELETE FROM gallery.credential WHERE user_id = $1").bind(user.as_uuid());
                    credential.execute(session.connection()).await?;
                    let codes =
                        session.query("DELETE FROM gallery.one_time_code WHERE user_id = $1").bind(user.as_uuid());
                    codes.execute(session.connection()).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }
}
