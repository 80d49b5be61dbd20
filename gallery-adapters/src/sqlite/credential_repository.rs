//! Passwords and one-time codes in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{CredentialRepository, RepositoryError};
use gallery_domain::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};
use uuid::Uuid;

use super::error::failed;
use super::{SqliteStore, rows};

/// Passwords and one-time codes in SQLite.
#[derive(Debug)]
pub(super) struct SqliteCredentialRepository {
    store: SqliteStore,
}

impl SqliteCredentialRepository {
    pub(super) const fn new(store: SqliteStore) -> Self {
        Self { store }
    }
}

#[async_trait]
impl CredentialRepository for SqliteCredentialRepository {
    async fn put(&self, credential: &Credential) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO credential (user_id, password, changed_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (user_id) DO UPDATE SET password = excluded.password, changed_at = excluded.changed_at",
        )
        .bind(credential.user.as_uuid())
        .bind(credential.password.as_phc())
        .bind(credential.changed_at.as_millis())
        .execute(&self.store.writer)
        .await
        .map_err(failed("credential put"))?;
        Ok(())
    }

    async fn find(&self, user: UserId) -> Result<Option<Credential>, RepositoryError> {
        sqlx::query("SELECT user_id, password, changed_at FROM credential WHERE user_id = ?1")
            .bind(user.as_uuid())
            .fetch_optional(&self.store.readers)
            .await
            .map_err(failed("credential find"))?
            .as_ref()
            .map(rows::credential)
            .transpose()
    }

    async fn rehash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, RepositoryError> {
        let rehashed = sqlx::query("UPDATE credential SET password = ?3 WHERE user_id = ?1 AND password = ?2")
            .bind(user.as_uuid())
            .bind(old.as_phc())
            .bind(new.as_phc())
            .execute(&self.store.writer)
            .await
            .map_err(failed("credential rehash"))?;
        Ok(rehashed.rows_affected() > 0)
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO one_time_code (purpose, address, user_id, hash, expires_at, tries_left) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (purpose, address) DO UPDATE SET user_id = excluded.user_id, hash = excluded.hash, \
             expires_at = excluded.expires_at, tries_left = excluded.tries_left",
        )
        .bind(code.purpose.as_str())
        .bind(code.address.as_str())
        .bind(code.user.as_uuid())
        .bind(code.hash.as_bytes().to_vec())
        .bind(code.expires_at.as_millis())
        .bind(code.tries_left)
        .execute(&self.store.writer)
        .await
        .map_err(failed("code put"))?;
        Ok(())
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        let failed = failed("code try");
        let mut change = self.store.begin("code try").await?;
        let accepted: Option<Uuid> = sqlx::query_scalar(
            "DELETE FROM one_time_code \
             WHERE purpose = ?1 AND address = ?2 AND hash = ?3 AND expires_at > ?4 AND tries_left > 0 RETURNING user_id",
        )
        .bind(purpose.as_str())
        .bind(address.as_str())
        .bind(hash.as_bytes().to_vec())
        .bind(now.as_millis())
        .fetch_optional(&mut *change)
        .await
        .map_err(&failed)?;
        if accepted.is_none() {
            sqlx::query(
                "UPDATE one_time_code SET tries_left = tries_left - 1 \
                 WHERE purpose = ?1 AND address = ?2 AND tries_left > 0",
            )
            .bind(purpose.as_str())
            .bind(address.as_str())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        }
        change.commit().await.map_err(&failed)?;
        Ok(accepted.map_or(CodeTry::Refused, |user| CodeTry::Accepted(UserId::from_uuid(user))))
    }

    async fn remove(&self, user: UserId) -> Result<(), RepositoryError> {
        let failed = failed("credential remove");
        let mut change = self.store.begin("credential remove").await?;
        sqlx::query("DELETE FROM credential WHERE user_id = ?1")
            .bind(user.as_uuid())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        sqlx::query("DELETE FROM one_time_code WHERE user_id = ?1")
            .bind(user.as_uuid())
            .execute(&mut *change)
            .await
            .map_err(&failed)?;
        change.commit().await.map_err(&failed)
    }
}
