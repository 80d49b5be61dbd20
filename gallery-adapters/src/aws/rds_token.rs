//! A token of IAM in the place of a database's password: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use gallery_domain::Timestamp;
use gallery_domain::ports::Clock;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::database::{about_credentials, no_credentials, no_region};
use crate::database_password::{DatabaseLogin, PasswordError, PasswordSource};

/// How long RDS takes a token, at most.
const GOOD_FOR: Duration = Duration::from_secs(900);

/// Makes a token for one user of one server. It is signed here: nobody is asked for it but for credentials.
pub struct RdsToken {
    server: Server,
    region: Option<String>,
    credentials: Option<SharedCredentialsProvider>,
    clock: Arc<dyn Clock>,
}

/// Whom a token is for. The host has to be the server's own name at RDS: a token for an alias is refused.
struct Server {
    host: String,
    port: u16,
    user: String,
}

impl RdsToken {
    /// Tokens for the server, port and user of a connection.
    pub fn new(config: &SdkConfig, connect: &PgConnectOptions, clock: Arc<dyn Clock>) -> Self {
        let server = Server {
            host: connect.get_host().to_owned(),
            port: connect.get_port(),
            user: connect.get_username().to_owned(),
        };
        let region = config.region().map(|region| region.as_ref().to_owned());
        Self { server, region, credentials: config.credentials_provider(), clock }
    }
}

#[async_trait]
impl PasswordSource for RdsToken {
    async fn fetch(&self) -> Result<DatabaseLogin, PasswordError> {
        let region = self.region.as_deref().ok_or_else(no_region)?;
        let provider = self.credentials.as_ref().ok_or_else(no_credentials)?;
        let credentials = provider.provide_credentials().await.map_err(|error| {
            let what = about_credentials(&error);
            what.unwrap_or_else(|| PasswordError::transient("the AWS credentials cannot be had")).because_of(error)
        })?;
        let now = self.clock.now();
        let millis = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
        let token = self.server.token(region, &credentials, UNIX_EPOCH + millis);
        let token = token.map_err(|error| PasswordError::permanent("no token can be signed").because_of(error))?;
        // What is signed with credentials ends with them.
        let credentials_end = credentials.expiry().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        let credentials_end =
            credentials_end.map(|end| Timestamp::from_millis(i64::try_from(end.as_millis()).unwrap_or(i64::MAX)));
        let good_until = now.plus(GOOD_FOR);
        let good_until = credentials_end.map_or(good_until, |end| end.min(good_until));
        Ok(DatabaseLogin { user: None, password: token.into(), good_until: Some(good_until) })
    }

    fn name(&self) -> &str {
        "IAM"
    }
}

impl fmt::Debug for RdsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RdsToken")
            .field("host", &self.server.host)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// The URL of a request to log in, signed in its query, without its scheme.
    fn token(
        &self,
        region: &str,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(GOOD_FOR);
        let identity = credentials.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name("rds-db")
            .time(now)
            .settings(settings)
            .build()?;
        let mut url = Url::parse(&format!("https://{}:{}/", self.host, self.port))?;
        url.query_pairs_mut().append_pair("Action", "connect").append_pair("DBUser", &self.user);
        let request = SignableRequest::new("GET", url.as_str(), std::iter::empty(), SignableBody::Bytes(&[]))?;
        let (signed, _) = sign(request, &parameters.into())?.into_parts();
        for (name, value) in signed.into_parts().1 {
            url.query_pairs_mut().append_pair(name, &value);
        }
        let query = url.query().unwrap_or_default().replace('+', "%20");
        Ok(format!("{}:{}/?{query}", self.host, self.port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(port: u16, user: &str) -> Server {
        Server { host: "prod-instance.us-east-1.rds.amazonaws.com".to_owned(), port, user: user.to_owned() }
    }

    /// As the SDK of AWS for RDS makes it: <https://docs.rs/aws-sdk-rds/1.159.0/src/aws_sdk_rds/auth_token.rs.html>, in its test.
    #[test]
    fn a_token_is_the_one_that_the_sdk_of_rds_makes() {
        let now = UNIX_EPOCH + Duration::from_secs(1_724_709_600);
        let credentials = Credentials::new("akid", "secret", None, None, "test");
        assert_eq!(
            server(3306, "peccy").token("us-east-1", &credentials, now).unwrap(),
            "prod-instance.us-east-1.rds.amazonaws.com:3306/?Action=connect&DBUser=peccy&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
             X-Amz-Credential=akid%2F20240826%2Fus-east-1%2Frds-db%2Faws4_request&X-Amz-Date=20240826T220000Z&X-Amz-Expires=900&\
             X-Amz-SignedHeaders=host&X-Amz-Signature=dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89"
        );
    }

    /// As paws, the SDK for R, makes it in its test, but for the order.
    #[test]
    fn the_session_of_a_role_is_signed_as_well() {
        let now = UNIX_EPOCH + Duration::from_secs(1_735_689_601);
        let credentials = Credentials::new("AKIA", "SECRET", Some("SESSION".to_owned()), None, "test");
        let token = server(3306, "mysqlUser").token("us-west-2", &credentials, now).unwrap();
        assert!(token.contains("&X-Amz-Security-Token=SESSION"), "{token}");
        let signature = "X-Amz-Signature=4e4ce10c7b3710decae757df60ba2519348dcb4db802f15646dce1bf5e17c3ed";
        assert!(token.contains(signature), "{token}");
    }

    #[test]
    fn what_is_odd_in_a_token_is_percent_encoded() {
        let credentials = Credentials::new("akid", "secret", Some("a/b+c=".to_owned()), None, "test");
        let token = server(443, "a b+c&d").token("eu-central-1", &credentials, UNIX_EPOCH).unwrap();
        let beginning = "prod-instance.us-east-1.rds.amazonaws.com:443/?Action=connect&DBUser=a%20b%2Bc%26d&";
        assert!(token.starts_with(beginning), "{token}");
        assert!(token.contains("&X-Amz-Security-Token=a%2Fb%2Bc%3D"), "{token}");
    }
}
