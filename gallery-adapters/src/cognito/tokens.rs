//! The tokens by which a user pool says whom it let in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;
use gallery_domain::Timestamp;
use gallery_domain::ports::{BackendFailure, Clock};
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::failure::ASKING;
use super::settings::CognitoSettings;
use crate::aws::TLS;

/// Looks whether tokens are those of one user pool, made for one app client.
///
/// Only RS256 by a key that the pool itself publishes counts: whatever else a token says about keys, such as `jku` or `x5u`, is not looked at.
pub(super) struct Tokens {
    issuer: String,
    client_id: String,
    source: Arc<dyn KeySource>,
    clock: Arc<dyn Clock>,
    known: Mutex<Known>,
}

/// Where the pool publishes its keys.
#[async_trait]
trait KeySource: Send + Sync + 'static {
    async fn keys(&self) -> Result<Vec<u8>, BackendFailure>;
}

/// The keys as they were read last.
#[derive(Default)]
struct Known {
    keys: Vec<Jwk>,
    read_at: Option<Timestamp>,
}

/// What has to stand in a token.
#[derive(Deserialize)]
struct Claims {
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    token_use: String,
    client_id: String,
    username: String,
}

impl Tokens {
    /// A key that is not known is looked for this often at most, so that nobody can have the gallery ask the pool all the time.
    pub(super) const ASK_EVERY: Duration = Duration::from_secs(60);

    /// `endpoint` is where the pool is asked, if that is not AWS: its keys are published there, too.
    pub(super) fn new(settings: &CognitoSettings, endpoint: Option<&str>, clock: Arc<dyn Clock>) -> Self {
        let CognitoSettings { pool, client_id, .. } = settings;
        let issuer = format!("https://cognito-idp.{}.amazonaws.com/{pool}", settings.region());
        let published_at = match endpoint {
            Some(endpoint) => format!("{}/{pool}", endpoint.trim_end_matches('/')),
            None => issuer.clone(),
        };
        let url = format!("{published_at}/.well-known/jwks.json");
        let timeouts = HttpConnectorSettings::builder().connect_timeout(TIMEOUT).read_timeout(TIMEOUT).build();
        let connector = Connector::builder().connector_settings(timeouts).tls_provider(TLS).build();
        let source = Arc::new(Published { url, connector });
        Self { issuer, client_id: client_id.clone(), source, clock, known: Mutex::default() }
    }

    /// Looks whether the pool let in, just now and for this client, the user of this name.
    pub(super) async fn verify(&self, token: &str, name: &str) -> Result<(), BackendFailure> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| refused("it cannot be read"))?;
        if header.alg != Algorithm::RS256 {
            return Err(refused("it is signed by another algorithm than RS256"));
        }
        let id = header.kid.ok_or_else(|| refused("it names no key"))?;
        let key = self.key(&id).await?.ok_or_else(|| refused("the user pool has no such key"))?;
        let key = DecodingKey::from_jwk(&key).map_err(|_| refused("the user pool's key cannot be used"))?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // An access token names its client elsewhere, and the time comes from the gallery's clock.
        (validation.validate_aud, validation.validate_exp) = (false, false);
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation);
        let claims = claims.map_err(|_| refused("its signature, its issuer or its form is wrong"))?.claims;
        let now = self.clock.now().as_millis().div_euclid(1_000);
        if claims.exp <= now {
            return Err(refused("it has expired"));
        }
        if claims.nbf.is_some_and(|from| from > now + CLOCKS_DIFFER) {
            return Err(refused("it is not good yet"));
        }
        if claims.token_use != "access" || claims.client_id != self.client_id || claims.username != name {
            return Err(refused("it is for something or somebody else"));
        }
        Ok(())
    }

    /// A key of the pool's. One that is not known may be new: keys change.
    async fn key(&self, id: &str) -> Result<Option<Jwk>, BackendFailure> {
        let of_id = |keys: &[Jwk]| keys.iter().find(|key| key.common.key_id.as_deref() == Some(id)).cloned();
        // Held while the keys are read, so that many who wait for them ask once.
        let mut known = self.known.lock().await;
        if let Some(key) = of_id(&known.keys) {
            return Ok(Some(key));
        }
        let now = self.clock.now();
        if known.read_at.is_some_and(|read_at| now.since(read_at) < Self::ASK_EVERY) {
            return Ok(None);
        }
        let published = self.source.keys().await?;
        let published: JwkSet = serde_json::from_slice(&published)
            .map_err(|_| BackendFailure::transient(ASKING.backend, READ_KEYS, "the user pool's keys cannot be read"))?;
        *known = Known { keys: published.keys, read_at: Some(now) };
        Ok(of_id(&known.keys))
    }
}

/// Shows the pool.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

const READ_KEYS: &str = "read the keys of the user pool";
const TIMEOUT: Duration = Duration::from_secs(5);
/// Seconds by which two machines' clocks may differ.
const CLOCKS_DIFFER: i64 = 60;
/// More than any pool publishes.
const MOST_BYTES: usize = 100_000;

/// A file at a URL.
struct Published {
    url: String,
    connector: Connector,
}

#[async_trait]
impl KeySource for Published {
    async fn keys(&self) -> Result<Vec<u8>, BackendFailure> {
        let trouble = |words: String| BackendFailure::transient(ASKING.backend, READ_KEYS, words);
        let request = HttpRequest::get(&self.url).map_err(|error| trouble(error.to_string()))?;
        let answer = self.connector.call(request).await;
        let answer = answer.map_err(|_| trouble("the user pool's keys are out of reach".to_owned()))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(trouble(format!("the user pool's keys are not where they should be (status {status})")));
        }
        let mut body = ByteStream::new(answer.into_body());
        let mut bytes = Vec::new();
        while let Some(piece) =
            body.try_next().await.map_err(|_| trouble("the user pool's keys broke off".to_owned()))?
        {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MOST_BYTES {
                return Err(trouble("the user pool's keys have no end".to_owned()));
            }
        }
        Ok(bytes)
    }
}

/// Nobody but the pool, or who speaks in its place, has anything to do with that.
fn refused(why: &'static str) -> BackendFailure {
    BackendFailure::permanent(ASKING.backend, "verify a token", format!("the user pool's answer is no proof: {why}"))
}

#[cfg(test)]
mod tests;
