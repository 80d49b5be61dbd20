//! Where a database's password comes from, if it comes from AWS.

use std::error::Error;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use gallery_domain::ports::Clock;

use super::{AwsPlace, RdsToken, SecretsManagerPassword};
use crate::config::{PasswordChoice, PostgresSettings};
use crate::database_password::{PasswordError, PasswordSource};

/// Region and credentials of this process; the region is this one, if there is one.
pub async fn sdk_config(region: Option<&str>) -> SdkConfig {
    AwsPlace { region: region.map(str::to_owned), endpoint: None }.load().await
}

/// Where the password of this database comes from; none if it does not come from AWS.
pub async fn password_source(settings: &PostgresSettings, clock: Arc<dyn Clock>) -> Option<Arc<dyn PasswordSource>> {
    match settings.password() {
        PasswordChoice::Own => None,
        PasswordChoice::SecretsManager { secret, region, names_user } => {
            let config = sdk_config(region.as_deref()).await;
            Some(Arc::new(SecretsManagerPassword::new(&config, secret, *names_user)))
        }
        PasswordChoice::Iam { region } => {
            let config = sdk_config(region.as_deref()).await;
            Some(Arc::new(RdsToken::new(&config, settings.connect_options(), clock)))
        }
    }
}

/// That there is no region to ask in.
pub(super) fn no_region() -> PasswordError {
    PasswordError::permanent("no AWS region is named: add the parameter `region` to GALLERY_STORE, or set AWS_REGION")
}

/// That nothing proves to AWS who this is.
pub(super) fn no_credentials() -> PasswordError {
    PasswordError::permanent(
        "there are no AWS credentials: give the machine or function a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    )
}

/// What is wrong with the credentials, if that is why something failed.
pub(super) fn about_credentials(error: &(dyn Error + 'static)) -> Option<PasswordError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(missing) = error.downcast_ref::<CredentialsError>() {
            return Some(match missing {
                CredentialsError::ProviderTimedOut(_) => PasswordError::transient(
                    "the AWS credentials did not arrive in time: check the way to whoever gives them",
                ),
                _ => no_credentials(),
            });
        }
        cause = error.source();
    }
    None
}
