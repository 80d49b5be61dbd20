//! Which user pool, and as which of its app clients.

use std::fmt;
use std::str::FromStr;

use gallery_domain::InvalidValue;
use secrecy::SecretString;
use url::Url;

use crate::aws::AwsPlace;

/// Which user pool, and as which of its app clients: `cognito://eu-central-1_AbCdEfGhI?client_id=1a2b3c…`, and an `endpoint` where it is not that of
/// AWS. The region is the one that the pool's id begins with, unless the URL says otherwise.
#[derive(Clone, Debug)]
pub struct CognitoSettings {
    /// The pool's id.
    pub pool: String,
    /// The app client's id.
    pub client_id: String,
    /// The app client's secret.
    pub client_secret: SecretString,
    /// Where the pool is.
    pub place: AwsPlace,
}

impl CognitoSettings {
    /// Reads the URL; the secret is not in it.
    ///
    /// # Errors
    ///
    /// What of the URL cannot be used. Nothing of it is repeated.
    pub fn new(url: &str, client_secret: SecretString) -> Result<Self, InvalidValue> {
        let Parsed { pool, client_id, place } = url.parse()?;
        Ok(Self { pool, client_id, client_secret, place })
    }

    /// The region of the pool.
    pub(super) fn region(&self) -> &str {
        self.place.region.as_deref().or_else(|| Some(self.pool.split_once('_')?.0)).unwrap_or_default()
    }
}

/// As the URL was written; without the client, which is half of a secret.
impl fmt::Display for CognitoSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cognito://{}{}", self.pool, self.place)
    }
}

struct Parsed {
    pool: String,
    client_id: String,
    place: AwsPlace,
}

impl FromStr for Parsed {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let example = "cognito://eu-central-1_AbCdEfGhI?client_id=1a2b3c4d5e";
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "cognito");
        let url = url.ok_or_else(|| invalid(format!("is not a URL such as {example}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(
                "has more than the pool before the `?`: the client's secret has a variable of its own",
            ));
        }
        let pool = url.host_str().unwrap_or_default().to_owned();
        // The pattern of the API: a region, and some letters and digits.
        let is_pool = pool.split_once('_').is_some_and(|(region, name)| {
            let plain =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            plain(region) && plain(name) && !name.contains('-')
        });
        if !is_pool || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(invalid(format!("names no user pool, as {example} does")));
        }
        let mut client_id = None;
        let mut place = AwsPlace::from_query(&url, |name, value| match name {
            "client_id" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                client_id = Some(value);
                Ok(())
            }
            "client_id" => Err(invalid("has a `client_id` that is none")),
            _ => {
                let known = "there are `client_id`, `region` and `endpoint`";
                Err(invalid(format!("has the unknown parameter `{name}`: {known}")))
            }
        })?;
        let client_id = client_id.ok_or_else(|| invalid("names no app client: add ?client_id=…"))?;
        if place.region.is_none() {
            place.region = pool.split_once('_').map(|(region, _)| region.to_owned());
        }
        Ok(Self { pool, client_id, place })
    }
}

fn invalid(reason: impl Into<String>) -> InvalidValue {
    InvalidValue::new(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_and_its_client_are_read_and_no_secret_is_shown() {
        let url = "cognito://eu-central-1_AbCdEfGhI?client_id=1a2b3c";
        let settings = CognitoSettings::new(url, "hunter2".into()).unwrap();
        assert_eq!((&*settings.pool, &*settings.client_id), ("eu-central-1_AbCdEfGhI", "1a2b3c"));
        assert_eq!(settings.region(), "eu-central-1");
        assert_eq!(settings.to_string(), "cognito://eu-central-1_AbCdEfGhI?region=eu-central-1");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_no_pool_is_refused_without_repeating_it() {
        for (text, part) in [
            ("cognito:", "names no user pool"),
            ("cognito://pool?client_id=a", "names no user pool"),
            ("cognito://eu-central-1_Ab/c?client_id=a", "names no user pool"),
            ("cognito://key:hunter2@eu-central-1_Ab?client_id=a", "a variable of its own"),
            ("cognito://eu-central-1_Ab", "names no app client"),
            ("cognito://eu-central-1_Ab?client_id=", "`client_id` that is none"),
            ("cognito://eu-central-1_Ab?client_id=a&client_secret=hunter2", "unknown parameter `client_secret`"),
        ] {
            let said = CognitoSettings::new(text, "x".into()).unwrap_err();
            assert!(said.reason().contains(part) && !said.reason().contains("hunter2"), "{text}: {said}");
        }
    }
}
