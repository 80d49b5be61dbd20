//! The servers that `GALLERY_TEST_S3` and `GALLERY_TEST_MINISTACK` name.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::hash::{BuildHasher, Hasher, RandomState};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use gallery_adapters::aws::AwsPlace;
#[cfg(feature = "s3")]
use gallery_adapters::s3::{S3Blobs, S3Settings};
use url::Url;

/// Where the S3 is: a URL with a key and its secret, that may do everything.
pub(crate) const S3: &str = "GALLERY_TEST_S3";
/// Where the MiniStack is.
pub(crate) const MINISTACK: &str = "GALLERY_TEST_MINISTACK";
/// The region of all that tests make.
pub(crate) const REGION: &str = "eu-central-1";
/// The bucket that tests share, each under a prefix of its own.
pub(crate) const BUCKET: &str = "gallery-tests";

/// A server, and who one is there.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) endpoint: Url,
    pub(crate) key: String,
    pub(crate) secret: String,
}

impl Server {
    /// The server that a variable names.
    pub(crate) fn named(variable: &str) -> Self {
        let url = std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} names no server: run `cargo xtask test`, or `cargo xtask aws -- cargo test …`, which start one")
        });
        let mut endpoint = Url::parse(&url).expect("the variable holds a URL such as http://key:secret@127.0.0.1:8333");
        let (key, secret) = (endpoint.username().to_owned(), endpoint.password().unwrap_or_default().to_owned());
        endpoint.set_username("").and_then(|()| endpoint.set_password(None)).expect("an HTTP URL can do without");
        Self { endpoint, key, secret }
    }

    /// The same, as somebody else.
    pub(crate) fn by(&self, key: &str, secret: &str) -> Self {
        Self { key: key.to_owned(), secret: secret.to_owned(), ..self.clone() }
    }

    /// What clients of the server are made from.
    pub(crate) async fn config(&self) -> SdkConfig {
        let place = AwsPlace { region: Some(REGION.to_owned()), endpoint: Some(self.endpoint.clone()) };
        let credentials = Credentials::new(&self.key, &self.secret, None, None, "test");
        let credentials = SharedCredentialsProvider::new(credentials);
        place.load().await.to_builder().credentials_provider(credentials).build()
    }
}

/// A name that no other test has.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{:016x}", RandomState::new().build_hasher().finish())
}

/// An empty place in the bucket of a server.
#[cfg(feature = "s3")]
pub(crate) async fn empty_place(server: &Server) -> S3Blobs {
    let config = server.config().await;
    make_bucket(&config, BUCKET).await;
    S3Blobs::new(&settings(BUCKET, &unique("test")), &config)
}

#[cfg(feature = "s3")]
pub(crate) fn settings(bucket: &str, prefix: &str) -> S3Settings {
    format!("s3://{bucket}/{prefix}").parse().expect("the settings are right")
}

/// Makes a bucket, if it is not there.
#[cfg(feature = "s3")]
pub(crate) async fn make_bucket(config: &SdkConfig, bucket: &str) {
    use aws_sdk_s3::error::ProvideErrorMetadata;
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

    let builder = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    let client = aws_sdk_s3::Client::from_conf(builder.build());
    let place =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
    if let Err(error) = client.create_bucket().bucket(bucket).create_bucket_configuration(place).send().await {
        let known = ["BucketAlreadyOwnedByYou", "BucketAlreadyExists"];
        assert!(error.code().is_some_and(|code| known.contains(&code)), "the bucket cannot be made: {error:?}");
    }
}

/// A new user of a MiniStack, who may do nothing: key and secret. There is no client of IAM among what the gallery needs, and this is all of it.
pub(crate) async fn user_without_rights(server: &Server) -> (String, String) {
    let name = unique("nobody");
    let call = async |action: &str| {
        // The owner's signature is not looked at, only whose key it names.
        let scope = format!("{}/20240101/us-east-1/iam/aws4_request", server.key);
        let answer = reqwest::Client::new()
            .post(server.endpoint.clone())
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("Action={action}&UserName={name}&Version=2010-05-08"))
            .send()
            .await
            .expect("the server answers");
        assert!(answer.status().is_success(), "{action}: {answer:?}");
        answer.text().await.expect("the answer is text")
    };
    call("CreateUser").await;
    let answer = call("CreateAccessKey").await;
    let part = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).expect("the answer has it");
        rest.split_once("</").expect("it ends").0.to_owned()
    };
    (part("AccessKeyId"), part("SecretAccessKey"))
}
