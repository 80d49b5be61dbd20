//! A database's password in AWS Secrets Manager: <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_secret_json_structure.html>

use std::error::Error;
use std::fmt;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use serde_json::Value;

use super::database::{about_credentials, no_region};
use crate::database_password::{DatabaseLogin, PasswordError, PasswordSource};

/// Fetches a secret: JSON with a `password`, as RDS and its rotation write it, or nothing but the password.
pub struct SecretsManagerPassword {
    client: Client,
    secret: String,
    names_user: bool,
    has_region: bool,
}

impl SecretsManagerPassword {
    /// The secret of this name or ARN. Its `username` is who logs in, if `names_user` says so.
    pub fn new(config: &SdkConfig, secret: &str, names_user: bool) -> Self {
        let has_region = config.region().is_some();
        Self { client: Client::new(config), secret: secret.to_owned(), names_user, has_region }
    }

    fn login(&self, text: &str) -> Result<DatabaseLogin, PasswordError> {
        let wrong = |how: &str| {
            PasswordError::permanent(format!(
                "the secret `{}` that GALLERY_STORE names {how}: store JSON such as {{\"username\":\"…\",\"password\":\"…\"}}, or the password alone",
                self.secret
            ))
        };
        // A password alone may be a number or a word that JSON knows; what begins an object is meant to be one.
        if !text.trim_start().starts_with('{') {
            return match text.trim_end_matches(['\r', '\n']) {
                "" => Err(wrong("is empty")),
                password => Ok(DatabaseLogin { user: None, password: password.into(), good_until: None }),
            };
        }
        // The parser's own error may repeat a part of the secret.
        let parsed: Value = serde_json::from_str(text).map_err(|_| wrong("is not well-formed JSON"))?;
        let field = |name: &str| parsed.get(name).and_then(Value::as_str).filter(|value| !value.is_empty());
        let password = field("password").ok_or_else(|| wrong("has no text as its `password`"))?;
        let user = field("username").filter(|_| self.names_user).map(str::to_owned);
        Ok(DatabaseLogin { user, password: password.into(), good_until: None })
    }

    fn unanswered(&self, error: SdkError<GetSecretValueError>) -> PasswordError {
        let secret = &self.secret;
        let permanent = |what: String| PasswordError::permanent(what);
        let failure = match (about_credentials(&error), error.code()) {
            (Some(failure), _) => failure,
            (None, Some("ResourceNotFoundException")) => permanent(format!(
                "Secrets Manager has no secret `{secret}`, or no value in it: check `password` and `region` in GALLERY_STORE"
            )),
            (None, Some("AccessDeniedException")) => permanent(format!(
                "Secrets Manager refuses to show the secret `{secret}`: allow this program's role `secretsmanager:GetSecretValue` on it, and \
                 `kms:Decrypt` on its key if that is not AWS's own"
            )),
            (None, Some("DecryptionFailure")) => permanent(format!(
                "the secret `{secret}` cannot be decrypted: see that its KMS key is there and this program's role may use it"
            )),
            (None, Some("InvalidRequestException")) => permanent(format!(
                "the secret `{secret}` is in no state to be read: if it is scheduled for deletion, restore it or name another in GALLERY_STORE"
            )),
            (None, Some("InvalidParameterException" | "ValidationException")) => {
                permanent(format!("`{secret}` is no name of a secret: check `password` in GALLERY_STORE"))
            }
            (
                None,
                Some(
                    "UnrecognizedClientException"
                    | "InvalidSignatureException"
                    | "ExpiredTokenException"
                    | "InvalidClientTokenId",
                ),
            ) => {
                permanent("AWS does not accept this program's credentials: renew them, and check the clock".to_owned())
            }
            (None, _) => PasswordError::transient(
                "Secrets Manager cannot be reached, or cannot answer now: check the way to it, such as a VPC endpoint, and `region` in GALLERY_STORE",
            ),
        };
        failure.because_of(said_by(&error))
    }
}

/// An error and its causes, as they say it themselves: the rest that it knows may hold the answer, and that the password.
fn said_by(error: &SdkError<GetSecretValueError>) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said = format!("{said}: {error}");
        cause = error.source();
    }
    said
}

#[async_trait]
impl PasswordSource for SecretsManagerPassword {
    async fn fetch(&self) -> Result<DatabaseLogin, PasswordError> {
        if !self.has_region {
            return Err(no_region());
        }
        let answer = self.client.get_secret_value().secret_id(&self.secret).send().await;
        let answer = answer.map_err(|error| self.unanswered(error))?;
        match answer.secret_string() {
            Some(text) => self.login(text),
            None => Err(PasswordError::permanent(format!(
                "the secret `{}` that GALLERY_STORE names holds bytes: store text",
                self.secret
            ))),
        }
    }

    fn name(&self) -> &str {
        "Secrets Manager"
    }
}

impl fmt::Debug for SecretsManagerPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManagerPassword").field("secret", &self.secret).finish_non_exhaustive()
    }
}
