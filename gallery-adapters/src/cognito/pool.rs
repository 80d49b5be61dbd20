//! The user pool, and what the gallery asks of it.

use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, AuthFlowType, ChallengeNameType, MessageActionType};
use gallery_domain::ports::{BackendFailure, Clock, IdentityError};
use gallery_domain::{EmailAddress, InvalidValue, Password, UserId};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use super::failure::{ASKING, failure, identity_error, is_absent, not_set};
use super::settings::CognitoSettings;
use super::tokens::Tokens;

/// A user pool, as one of its app clients.
pub(super) struct Pool {
    client: Client,
    pool: String,
    client_id: String,
    client_secret: SecretString,
    tokens: Tokens,
}

/// What Cognito gives whoever knows a password. It opens nothing in the gallery.
pub(super) struct AccessToken(SecretString);

impl Pool {
    pub(super) fn new(settings: &CognitoSettings, config: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: Client::new(config),
            pool: settings.pool.clone(),
            client_id: settings.client_id.clone(),
            client_secret: settings.client_secret.clone(),
            tokens: Tokens::new(settings, config.endpoint_url(), clock),
        }
    }

    /// Checks a password. Without a user, that of nobody, who is asked for all the same.
    pub(super) async fn check(&self, user: Option<UserId>, password: &Password) -> Result<AccessToken, IdentityError> {
        let name = name(user.unwrap_or(UserId::from_uuid(Uuid::nil())));
        // What Cognito takes for a malformed request is a wrong password like any other.
        let (text, is_possible) = match acceptable(password) {
            Ok(()) => (password.expose(), true),
            Err(_) => ("-", false),
        };
        let answered = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.pool)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", &name)
            .auth_parameters("PASSWORD", text)
            .auth_parameters("SECRET_HASH", self.secret_hash(&name))
            .send()
            .await
            .map_err(|error| identity_error("check a password", &error))?;
        if !is_possible || user.is_none() {
            return Err(IdentityError::WrongCredentials);
        }
        match (answered.authentication_result.and_then(|result| result.access_token), answered.challenge_name) {
            (Some(token), _) => {
                self.tokens.verify(&token, &name).await?;
                Ok(AccessToken(token.into()))
            }
            // A password that an administrator gave for once: the link for forgotten ones sets another.
            (None, Some(ChallengeNameType::NewPasswordRequired)) => Err(IdentityError::WrongCredentials),
            (None, challenge) => {
                let asked = challenge.as_ref().map_or("nothing", ChallengeNameType::as_str);
                let words = format!(
                    "the user pool asks for more than a password ({asked}): turn multi-factor authentication off"
                );
                Err(BackendFailure::permanent(ASKING.backend, "check a password", words).into())
            }
        }
    }

    /// Sets a user's password, and makes the user if the pool has none. `email` is the address if it is known to be theirs.
    pub(super) async fn set_password(
        &self,
        user: UserId,
        email: Option<&EmailAddress>,
        password: &Password,
    ) -> Result<(), IdentityError> {
        acceptable(password).map_err(IdentityError::UnacceptablePassword)?;
        let set = || {
            let request = self.client.admin_set_user_password().user_pool_id(&self.pool).username(name(user));
            request.password(password.expose()).permanent(true).send()
        };
        match set().await {
            Ok(_) => return Ok(()),
            Err(error) if is_absent(&error) => self.create(user, email, password).await?,
            Err(error) => return Err(not_set("set a password", &error)),
        }
        set().await.map(drop).map_err(|error| not_set("set a password", &error))
    }

    /// Puts another password in the place of one that was checked.
    pub(super) async fn change_password(
        &self,
        token: &AccessToken,
        old: &Password,
        new: &Password,
    ) -> Result<(), IdentityError> {
        acceptable(new).map_err(IdentityError::UnacceptablePassword)?;
        let request = self.client.change_password().access_token(token.0.expose_secret());
        let changed = request.previous_password(old.expose()).proposed_password(new.expose()).send().await;
        changed.map(drop).map_err(|error| identity_error("change a password", &error))
    }

    /// Notes that an address is the user's.
    pub(super) async fn note_email(&self, user: UserId, email: &EmailAddress) -> Result<(), BackendFailure> {
        let request = self.client.admin_update_user_attributes().user_pool_id(&self.pool).username(name(user));
        let noted = request.set_user_attributes(Some(verified(email)?)).send().await;
        noted.map(drop).map_err(|error| failure("note an address", &error))
    }

    /// Ends all that Cognito itself has open for the user.
    pub(super) async fn sign_out_everywhere(&self, user: UserId) -> Result<(), BackendFailure> {
        match self.client.admin_user_global_sign_out().user_pool_id(&self.pool).username(name(user)).send().await {
            Err(error) if !is_absent(&error) => Err(failure("sign out everywhere", &error)),
            _ => Ok(()),
        }
    }

    /// Removes a user. Removing an absent one succeeds.
    pub(super) async fn delete(&self, user: UserId) -> Result<(), BackendFailure> {
        match self.client.admin_delete_user().user_pool_id(&self.pool).username(name(user)).send().await {
            Err(error) if !is_absent(&error) => Err(failure("delete a user", &error)),
            _ => Ok(()),
        }
    }

    /// Asks for nobody, which takes as long as asking for somebody.
    pub(super) async fn ask_for_nobody(&self) -> Result<(), BackendFailure> {
        let nobody = name(UserId::from_uuid(Uuid::nil()));
        match self.client.admin_get_user().user_pool_id(&self.pool).username(nobody).send().await {
            Err(error) if !is_absent(&error) => Err(failure("look for a user", &error)),
            _ => Ok(()),
        }
    }

    /// What is wrong with how the pool is set up, in words that say what to mend.
    pub(super) async fn faults(&self) -> Result<Vec<String>, BackendFailure> {
        let mut faults = Vec::new();
        let asked = self.client.describe_user_pool_client().user_pool_id(&self.pool).client_id(&self.client_id);
        let asked = asked.send().await.map_err(|error| failure("describe the app client", &error))?;
        let client = asked.user_pool_client();
        let flows = client.map(|client| client.explicit_auth_flows()).unwrap_or_default();
        if !flows.iter().any(|flow| flow.as_str() == ADMIN_FLOW) {
            faults.push(format!("the app client does not allow {ADMIN_FLOW}: allow it, and no other flow"));
        }
        match client.and_then(|client| client.client_secret()) {
            None => faults.push(
                "the app client has no secret: make one that has, so that nobody else can pass for the gallery"
                    .to_owned(),
            ),
            Some(secret) if secret != self.client_secret.expose_secret() => {
                faults.push("the app client has another secret: set GALLERY_COGNITO_CLIENT_SECRET to it".to_owned());
            }
            Some(_) => {}
        }
        let hides =
            client.and_then(|client| client.prevent_user_existence_errors()).map(|hides| hides.as_str().to_owned());
        if hides.as_deref() != Some("ENABLED") {
            faults.push("the app client tells who exists: set PreventUserExistenceErrors to ENABLED".to_owned());
        }
        let asked = self.client.describe_user_pool().user_pool_id(&self.pool).send().await;
        let asked = asked.map_err(|error| failure("describe the user pool", &error))?;
        let Some(pool) = asked.user_pool() else { return Ok(faults) };
        if !pool.admin_create_user_config().is_some_and(|config| config.allow_admin_create_user_only()) {
            faults.push(
                "anybody can sign up at the user pool, past the gallery: set AllowAdminCreateUserOnly".to_owned(),
            );
        }
        if !pool.username_attributes().is_empty() {
            faults.push(
                "the user pool takes addresses for names: the gallery needs one without UsernameAttributes".to_owned(),
            );
        }
        if pool.mfa_configuration().is_some_and(|mfa| mfa.as_str() == "ON") {
            faults.push(
                "the user pool asks everybody for a second factor, which the gallery cannot: turn it off".to_owned(),
            );
        }
        if let Some(policy) = pool.policies().and_then(|policies| policies.password_policy()) {
            let kinds = policy.require_lowercase()
                || policy.require_numbers()
                || policy.require_symbols()
                || policy.require_uppercase();
            if kinds || policy.minimum_length().unwrap_or_default() > 15 {
                faults.push(
                    "the user pool's password policy refuses passwords that the gallery takes: a length of 15 and no kinds of characters".to_owned(),
                );
            }
        }
        Ok(faults)
    }

    async fn create(
        &self,
        user: UserId,
        email: Option<&EmailAddress>,
        password: &Password,
    ) -> Result<(), IdentityError> {
        let request = self.client.admin_create_user().user_pool_id(&self.pool).username(name(user));
        let attributes = email.map(verified).transpose()?;
        // Cognito mails nothing: the gallery's own mails say what there is to say.
        let request = request.message_action(MessageActionType::Suppress).set_user_attributes(attributes);
        // For once, until it is set for good: Cognito would make one itself, and not always one that the pool takes.
        let request = request.temporary_password(password.expose());
        match request.send().await {
            Ok(_) => Ok(()),
            // Another request of the same user was quicker.
            Err(error) if error.as_service_error().is_some_and(|error| error.is_username_exists_exception()) => Ok(()),
            Err(error) => Err(not_set("create a user", &error)),
        }
    }

    /// Proves that the gallery asks: the HMAC of the user's name and the client's id by the client's secret.
    fn secret_hash(&self, name: &str) -> String {
        let secret = self.client_secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        mac.update(name.as_bytes());
        mac.update(self.client_id.as_bytes());
        data_encoding::BASE64.encode(&mac.finalize().into_bytes())
    }
}

/// Shows no secret.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// The only flow that the gallery needs: passwords are checked by the server's own credentials, and by nobody who merely knows the client.
const ADMIN_FLOW: &str = "ALLOW_ADMIN_USER_PASSWORD_AUTH";

/// A user's name in the pool is their id in the gallery: it never changes, and says nothing about them.
fn name(user: UserId) -> String {
    user.to_string()
}

fn verified(email: &EmailAddress) -> Result<Vec<AttributeType>, BackendFailure> {
    [("email", email.as_str()), ("email_verified", "true")]
        .into_iter()
        .map(|(name, value)| AttributeType::builder().name(name).value(value).build())
        .collect::<Result<_, _>>()
        .map_err(|error| BackendFailure::permanent(ASKING.backend, "note an address", error))
}

/// Whether the API takes a password at all: its pattern is `[\S]+.*[\S]+`, of at most 256 characters.
pub(super) fn acceptable(password: &Password) -> Result<(), InvalidValue> {
    let text = password.expose();
    let has_edge = text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace);
    if text.is_empty() || has_edge {
        return Err(InvalidValue::new("begins or ends with a blank, which cannot be kept: leave that out"));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidValue::new("holds a control character, which cannot be kept: leave that out"));
    }
    if text.chars().count() > 256 {
        return Err(InvalidValue::new("is longer than 256 characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_api_would_take_for_a_malformed_request_is_refused_first() {
        for (text, is_good) in [
            ("seven quiet walruses", true),
            ("сім тихих моржів", true),
            (" seven quiet walruses", false),
            ("seven quiet walruses\u{a0}", false),
            ("seven\nquiet walruses", false),
            ("", false),
        ] {
            assert_eq!(acceptable(&Password::parse(text).unwrap()).is_ok(), is_good, "{text:?}");
        }
        assert!(acceptable(&Password::parse(&"ä".repeat(257)).unwrap()).is_err());
    }
}
