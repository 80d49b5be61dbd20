//! What the adapters on AWS have in common: where a service is, how its client is set up, and how it fails.
//!
//! Region and credentials are found where AWS's own tools find them: in the environment, in `~/.aws`, or from the role of the machine or the function. No
//! setting of the gallery holds any credentials. `AWS_ENDPOINT_URL_S3` and its kind lead to other servers, as an `endpoint` does.

#[cfg(all(feature = "aws", feature = "postgres"))]
mod database;
#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
pub(crate) mod failure;
#[cfg(all(feature = "aws", feature = "postgres"))]
mod rds_token;
#[cfg(all(feature = "aws", feature = "postgres"))]
mod secrets_manager;

use std::fmt;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
use gallery_domain::InvalidValue;
use url::Url;

#[cfg(all(feature = "aws", feature = "postgres"))]
pub use self::database::{password_source, sdk_config};
#[cfg(all(feature = "aws", feature = "postgres"))]
pub use self::rds_token::RdsToken;
#[cfg(all(feature = "aws", feature = "postgres"))]
pub use self::secrets_manager::SecretsManagerPassword;

/// What every client of AWS speaks HTTPS with.
pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(TLS).build_https()
}

/// How long a connection to a service may take.
const CONNECTS_WITHIN: Duration = Duration::from_secs(3);
/// How long a service may take to answer a request that brings no long body. Without a bound, one that never answers would be waited for for ever.
pub(crate) const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// The TLS of everything else in the gallery.
pub(crate) const TLS: Provider = Provider::Rustls(CryptoMode::Ring);

/// Where a service is: its region, and its endpoint where that is not the one of AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsPlace {
    /// `None` if whatever AWS is set up with says it, such as `AWS_REGION`.
    pub region: Option<String>,
    /// Of a server that speaks the same protocol.
    pub endpoint: Option<Url>,
}

impl AwsPlace {
    /// Clients of services at this place are made from what comes back.
    pub async fn load(&self) -> SdkConfig {
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECTS_WITHIN).read_timeout(ANSWERS_WITHIN).build();
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).timeout_config(timeouts);
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint.as_str().trim_end_matches('/'));
        }
        loader.load().await
    }

    /// Takes `region` and `endpoint` out of a URL's query, and hands every other parameter to `other`.
    ///
    /// # Errors
    ///
    /// A parameter that is there twice, one that `other` refuses, or an endpoint that is not a URL.
    #[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
    pub(crate) fn from_query(
        url: &Url,
        mut other: impl FnMut(&str, String) -> Result<(), InvalidValue>,
    ) -> Result<Self, InvalidValue> {
        let mut place = Self::default();
        let mut seen = Vec::new();
        for (name, value) in url.query_pairs() {
            if seen.contains(&name) {
                return Err(InvalidValue::new(format!("has the parameter `{name}` twice")));
            }
            match &*name {
                "region" => place.region = Some(region(&value)?),
                "endpoint" => place.endpoint = Some(endpoint(&value)?),
                _ => other(&name, value.into_owned())?,
            }
            seen.push(name);
        }
        Ok(place)
    }

    /// The parameters of a URL that say this place.
    pub(crate) fn to_query(&self) -> Vec<(&'static str, String)> {
        let endpoint = self.endpoint.as_ref().map(|endpoint| ("endpoint", endpoint.to_string()));
        self.region.clone().map(|region| ("region", region)).into_iter().chain(endpoint).collect()
    }
}

/// `?region=…&endpoint=…`, or nothing.
impl fmt::Display for AwsPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, value)) in self.to_query().into_iter().enumerate() {
            write!(f, "{}{name}={value}", if n == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
fn region(text: &str) -> Result<String, InvalidValue> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if text.is_empty() || !is_plain {
        return Err(InvalidValue::new("has a `region` that is none, such as eu-central-1"));
    }
    Ok(text.to_owned())
}

#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
fn endpoint(text: &str) -> Result<Url, InvalidValue> {
    let is_bare = |url: &Url| {
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
    };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() && is_bare(&url) => Ok(url),
        _ => Err(InvalidValue::new("has an `endpoint` that is not a URL such as http://127.0.0.1:8333")),
    }
}

#[cfg(test)]
#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
mod tests {
    use super::*;

    fn place(query: &str) -> Result<AwsPlace, String> {
        let url = Url::parse(&format!("s3://bucket?{query}")).unwrap();
        let other = |name: &str, _| Err(InvalidValue::new(format!("has the unknown parameter `{name}`")));
        AwsPlace::from_query(&url, other).map_err(|invalid| invalid.reason().to_owned())
    }

    #[tokio::test]
    async fn a_service_that_never_answers_is_not_waited_for_for_ever() {
        let config = place("region=eu-central-1").unwrap().load().await;
        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.read_timeout(), Some(ANSWERS_WITHIN));
        assert_eq!(timeouts.connect_timeout(), Some(CONNECTS_WITHIN));
    }

    #[test]
    fn a_place_is_read_from_a_query_and_shown_as_one() {
        assert_eq!(place("").unwrap(), AwsPlace::default());
        let both = place("region=eu-central-1&endpoint=http%3A%2F%2F127.0.0.1%3A8333").unwrap();
        assert_eq!(both.to_string(), "?region=eu-central-1&endpoint=http://127.0.0.1:8333/");
        assert_eq!(AwsPlace::default().to_string(), "");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for (query, part) in [
            ("region=", "`region`"),
            ("region=Frankfurt%20am%20Main", "`region`"),
            ("endpoint=127.0.0.1:8333", "`endpoint`"),
            ("endpoint=ftp://127.0.0.1", "`endpoint`"),
            ("endpoint=http://key:hunter2@127.0.0.1", "`endpoint`"),
            ("region=a&region=b", "twice"),
            ("zone=a", "unknown parameter `zone`"),
        ] {
            let said = place(query).unwrap_err();
            assert!(said.contains(part) && !said.contains("hunter2"), "{said}");
        }
    }
}
