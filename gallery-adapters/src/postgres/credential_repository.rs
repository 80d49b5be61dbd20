//! Passwords and one-time codes in PostgreSQL.

use async_trait::async_trait;
use futures_util::FutureExt;
use gallery_domain::ports::{CredentialRepository, RepositoryError};
use gallery_domain::{
    CodePurpose, CodeTry, Credential, EmailAddress, OneTimeCode, PasswordHash, Sha256Digest, Timestamp, UserId,
};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

use super::change::{Interruption, Session};
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
        self.store.repeat("credential put", |session| put(session, credential).boxed()).await
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

    async fn replace(&self, credential: &Credential, old: &PasswordHash) -> Result<bool, RepositoryError> {
        self.store
            .change("credential replace", None, |session| {
                async move {
                    let replaced = session
                        .query(
                            "UPDATE gallery.credential SET password = $3, changed_at = $4 WHERE user_id = $1 AND \
                             password = $2",
                        )
                        .bind(credential.user.as_uuid())
                        .bind(old.as_phc())
                        .bind(credential.password.as_phc())
                        .bind(credential.changed_at.as_millis())
                        .execute(session.connection())
                        .await?;
                    Ok(replaced.rows_affected() > 0)
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
                    let statement = session.query(
                        "INSERT INTO gallery.one_time_code (purpose, address, user_id, hash, expires_at, \
                         tries_left, password) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (purpose, \
                         address) DO UPDATE SET user_id = excluded.user_id, hash = excluded.hash, expires_at = \
                         excluded.expires_at, tries_left = excluded.tries_left, password = excluded.password",
                    );
                    bind_code(statement, code).execute(session.connection()).await?;
                    Ok(())
                }
                .boxed()
            })
            .await
    }

    async fn find_code(
        &self,
        purpose: CodePurpose,
        address: &EmailAddress,
    ) -> Result<Option<OneTimeCode>, RepositoryError> {
        let found = self
            .store
            .repeat("code find", |session| {
                async move {
                    let statement = session
                        .query(
                            "SELECT user_id, hash, expires_at, tries_left, password FROM gallery.one_time_code \
                             WHERE purpose = $1 AND address = $2",
                        )
                        .bind(purpose.as_str())
                        .bind(address.as_str());
                    Ok(statement.fetch_optional(session.connection()).await?)
                }
                .boxed()
            })
            .await?;
        found.map(|row| rows::one_time_code(&row, purpose, address)).transpose()
    }

    async fn replace_code(&self, code: &OneTimeCode, old: Option<Sha256Digest>) -> Result<bool, RepositoryError> {
        let replace = match old {
            None => {
                "INSERT INTO gallery.one_time_code (purpose, address, user_id, hash, expires_at, \
                 tries_left, password) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (purpose, \
                 address) DO NOTHING"
            }
            Some(_) => {
                "UPDATE gallery.one_time_code SET user_id = $3, hash = $4, expires_at = $5, tries_left \
                 = $6, password = $7 WHERE purpose = $1 AND address = $2 AND hash = $8"
            }
        };
        self.store
            .change("code replace", None, |session| {
                async move {
                    let mut statement = bind_code(session.query(replace), code);
                    if let Some(old) = old {
                        statement = statement.bind(old.as_bytes().to_vec());
                    }
                    Ok(statement.execute(session.connection()).await?.rows_affected() > 0)
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
        password: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<CodeTry, RepositoryError> {
        let password = &password;
        self.store
            .change("code try", None, |session| {
                async move {
                    // Takes the try away before it looks: of those who come at once, no more are looked at than
                    // there are tries.
                    let tried = session
                        .query_as::<(Uuid, bool, Option<String>)>(
                            "UPDATE gallery.one_time_code SET tries_left = tries_left - 1 WHERE purpose = $1 AND \
                             address = $2 AND tries_left > 0 RETURNING user_id, hash = $3 AND expires_at > $4, \
                             password",
                        )
                        .bind(purpose.as_str())
                        .bind(address.as_str())
                        .bind(hash.as_bytes().to_vec())
                        .bind(now.as_millis())
                        .fetch_optional(session.connection())
                        .await?;
                    let Some((user, true, brought)) = tried else { return Ok(CodeTry::Refused) };
                    let user = UserId::from_uuid(user);
                    if let Some(password) = password.clone().or_else(|| brought.map(PasswordHash::from_phc)) {
                        put(session, &Credential { user, password, changed_at: now }).await?;
                    }
                    session
                        .query("DELETE FROM gallery.one_time_code WHERE purpose = $1 AND address = $2")
                        .bind(purpose.as_str())
                        .bind(address.as_str())
                        .execute(session.connection())
                        .await?;
                    Ok(CodeTry::Accepted(user))
                }
                .boxed()
            })
            .await
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

async fn put(session: &mut Session<'_>, credential: &Credential) -> Result<(), Interruption> {
    session
        .query(
            "INSERT INTO gallery.credential (user_id, password, changed_at) VALUES ($1, $2, $3) ON \
             CONFLICT (user_id) DO UPDATE SET password = excluded.password, changed_at = \
             excluded.changed_at",
        )
        .bind(credential.user.as_uuid())
        .bind(credential.password.as_phc().to_owned())
        .bind(credential.changed_at.as_millis())
        .execute(session.connection())
        .await?;
    Ok(())
}

type Statement = Query<'static, Postgres, PgArguments>;

/// Binds $1 to $7: everything of a code.
fn bind_code(statement: Statement, code: &OneTimeCode) -> Statement {
    statement
        .bind(code.purpose.as_str())
        .bind(code.address.as_str().to_owned())
        .bind(code.user.as_uuid())
        .bind(code.hash.as_bytes().to_vec())
        .bind(code.expires_at.as_millis())
        .bind(i64::from(code.tries_left))
        .bind(code.password.as_ref().map(|password| password.as_phc().to_owned()))
}
