//! Passwords and one-time codes in SQLite.

use async_trait::async_trait;
use gallery_domain::ports::{CredentialRepository, RepositoryError};
use gallery_domain::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};
use sqlx::{Executor, Sqlite};
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
        put(&self.store.writer, credential).await.map_err(failed("credential put"))
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

    async fn replace(&self, credential: &Credential, old: &PasswordHash) -> Result<bool, RepositoryError> {
        let replaced =
            sqlx::query("UPDATE credential SET password = ?3, changed_at = ?4 WHERE user_id = ?1 AND password = ?2")
                .bind(credential.user.as_uuid())
                .bind(old.as_phc())
                .bind(credential.password.as_phc())
                .bind(credential.changed_at.as_millis())
                .execute(&self.store.writer)
                .await
                .map_err(failed("credential replace"))?;
        Ok(replaced.rows_affected() > 0)
    }

    async fn put_code(&self, code: &OneTimeCode) -> Result<(), RepositoryError> {
        sqlx::query(
            "INSERT INTO one_time_code (purpose, address, user_id, hash, expires_at, tries_left, password) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
             ON CONFLICT (purpose, address) DO UPDATE SET user_id = excluded.user_id, hash = excluded.hash, \
             expires_at = excluded.expires_at, tries_left = excluded.tries_left, password = excluded.password",
        )
        .bind(code.purpose.as_str())
        .bind(code.address.as_str())
        .bind(code.user.as_uuid())
        .bind(code.hash.as_bytes().to_vec())
        .bind(code.expires_at.as_millis())
        .bind(code.tries_left)
        .bind(code.password.as_ref().map(PasswordHash::as_phc))
        .execute(&self.store.writer)
        .await
        .map_err(failed("code put"))?;
        Ok(())
    }

    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError> {
        sqlx::query(
            "SELECT user_id, hash, expires_at, tries_left, password FROM one_time_code \
             WHERE purpose = ?1 AND address = ?2",
        )
        .bind(purpose.as_str())
        .bind(address.as_str())
        .fetch_optional(&self.store.readers)
        .await
        .map_err(failed("code find"))?
        .map(|row| rows::one_time_code(&row, purpose, address))
        .transpose()
    }

    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError> {
        let replace = match old {
            None => {
                "INSERT INTO one_time_code (purpose, address, user_id, hash, expires_at, tries_left, password) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (purpose, address) DO NOTHING"
            }
            Some(_) => {
                "UPDATE one_time_code SET user_id = ?3, hash = ?4, expires_at = ?5, tries_left = ?6, password = ?7 \
                 WHERE purpose = ?1 AND address = ?2 AND hash = ?8"
            }
        };
        let mut statement = sqlx::query(replace)
            .bind(code.purpose.as_str())
            .bind(code.address.as_str())
            .bind(code.user.as_uuid())
            .bind(code.hash.as_bytes().to_vec())
            .bind(code.expires_at.as_millis())
            .bind(code.tries_left)
            .bind(code.password.as_ref().map(PasswordHash::as_phc));
        if let Some(old) = old {
            statement = statement.bind(old.as_bytes().to_vec());
        }
        let replaced = statement.execute(&self.store.writer).await.map_err(failed("code replace"))?;
        Ok(replaced.rows_affected() > 0)
    }

    async fn try_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
        hash: &Sha256Digest,
        password: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        let failed = failed("code try");
        let mut change = self.store.begin("code try").await?;
        let accepted: Option<(Uuid, Option<String>)> = sqlx::query_as(
            "DELETE FROM one_time_code \
             WHERE purpose = ?1 AND address = ?2 AND hash = ?3 AND expires_at > ?4 AND tries_left > 0 \
             RETURNING user_id, password",
        )
        .bind(purpose.as_str())
        .bind(address.as_str())
        .bind(hash.as_bytes().to_vec())
        .bind(now.as_millis())
        .fetch_optional(&mut *change)
        .await
        .map_err(&failed)?;
        let tried = match accepted {
            Some((user, brought)) => {
                let user = UserId::from_uuid(user);
                if let Some(password) = password.or_else(|| brought.map(PasswordHash::from_phc)) {
                    put(&mut *change, &Credential { user, password, changed_at: now }).await.map_err(&failed)?;
                }
                CodeTry::Accepted(user)
            }
            None => {
                sqlx::query(
                    "UPDATE one_time_code SET tries_left = tries_left - 1 \
                     WHERE purpose = ?1 AND address = ?2 AND tries_left > 0",
                )
                .bind(purpose.as_str())
                .bind(address.as_str())
                .execute(&mut *change)
                .await
                .map_err(&failed)?;
                CodeTry::Refused
            }
        };
        change.commit().await.map_err(&failed)?;
        Ok(tried)
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

async fn put<'c>(store: impl Executor<'c, Database = Sqlite>, credential: &Credential) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO credential (user_id, password, changed_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (user_id) DO UPDATE SET password = excluded.password, changed_at = excluded.changed_at",
    )
    .bind(credential.user.as_uuid())
    .bind(credential.password.as_phc())
    .bind(credential.changed_at.as_millis())
    .execute(store)
    .await?;
    Ok(())
}
