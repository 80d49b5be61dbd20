//! A user pool made for a gallery.

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{
    AccountRecoverySettingType, AdminCreateUserConfigType, DeletionProtectionType, ExplicitAuthFlowsType,
    PasswordPolicyType, PreventUserExistenceErrorTypes, RecoveryOptionNameType, RecoveryOptionType, TimeUnitsType,
    TokenValidityUnitsType, UserPoolMfaType, UserPoolPolicyType,
};
use gallery_domain::ports::BackendFailure;
use secrecy::SecretString;

use super::failure::{ASKING, failure};

/// A user pool that was made, and its app client: what [`CognitoSettings`](super::CognitoSettings) needs.
#[derive(Clone, Debug)]
pub struct CreatedPool {
    /// The pool's id.
    pub pool: String,
    /// The app client's id.
    pub client_id: String,
    /// The app client's secret.
    pub client_secret: SecretString,
}

/// Makes a user pool as the gallery needs it, with an app client: nobody signs up there but by the gallery, and passwords have to be 15 characters, of
/// whatever kind. It is protected from being deleted by mistake.
///
/// # Errors
///
/// AWS refuses or is out of reach; says what to mend.
pub async fn create_pool(config: &SdkConfig, name: &str) -> Result<CreatedPool, BackendFailure> {
    let client = Client::new(config);
    let malformed = |error| BackendFailure::permanent(ASKING.backend, "make a user pool", error);
    // The gallery's own links are the way to a new password: Cognito's codes can be tried by anybody.
    let recovery = RecoveryOptionType::builder().priority(1).name(RecoveryOptionNameType::AdminOnly).build();
    let recovery = AccountRecoverySettingType::builder().recovery_mechanisms(recovery.map_err(malformed)?).build();
    let policy = PasswordPolicyType::builder()
        .minimum_length(15)
        .require_lowercase(false)
        .require_numbers(false)
        .require_symbols(false)
        .require_uppercase(false)
        .build();
    let made = client
        .create_user_pool()
        .pool_name(name)
        .policies(UserPoolPolicyType::builder().password_policy(policy).build())
        .admin_create_user_config(AdminCreateUserConfigType::builder().allow_admin_create_user_only(true).build())
        .account_recovery_setting(recovery)
        .mfa_configuration(UserPoolMfaType::Off)
        .deletion_protection(DeletionProtectionType::Active)
        .send()
        .await
        .map_err(|error| failure("make a user pool", &error))?;
    let missing = |what: &'static str| BackendFailure::permanent(ASKING.backend, "make a user pool", what);
    let pool = made.user_pool().and_then(|pool| pool.id()).ok_or_else(|| missing("the pool has no id"))?.to_owned();

    // The gallery forgets the tokens at once, so they need not live any longer than Cognito wants.
    let minutes = TokenValidityUnitsType::builder()
        .access_token(TimeUnitsType::Minutes)
        .id_token(TimeUnitsType::Minutes)
        .refresh_token(TimeUnitsType::Minutes)
        .build();
    let made = client
        .create_user_pool_client()
        .user_pool_id(&pool)
        .client_name(name)
        .generate_secret(true)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth)
        .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
        .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
        .access_token_validity(5)
        .id_token_validity(5)
        .refresh_token_validity(60)
        .token_validity_units(minutes)
        .enable_token_revocation(true)
        .send()
        .await
        .map_err(|error| failure("make an app client", &error))?;
    let made = made.user_pool_client();
    let client_id = made.and_then(|client| client.client_id()).ok_or_else(|| missing("the app client has no id"))?;
    let secret = made.and_then(|client| client.client_secret());
    let client_secret = secret.ok_or_else(|| missing("the app client has no secret"))?.to_owned().into();
    Ok(CreatedPool { pool, client_id: client_id.to_owned(), client_secret })
}
