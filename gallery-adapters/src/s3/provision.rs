//! How a bucket has to be set up, and setting it up: for those who do not do so by a template.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, BucketLocationConstraint, BucketVersioningStatus,
    CorsConfiguration, CorsRule, CreateBucketConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, PublicAccessBlockConfiguration, VersioningConfiguration,
};
use gallery_domain::BlobArea;
use gallery_domain::ports::BackendFailure;
use serde_json::{Value, json};

use super::S3Blobs;
use super::failure::{answer, failure};

/// A setting of the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    /// Nobody can make anything public.
    PublicAccessBlocked,
    /// Nobody is answered without TLS.
    TlsOnly,
    /// What is overwritten or deleted by mistake can be brought back.
    Versioning,
    /// What nobody needs any more goes by itself.
    Lifecycle,
    /// The gallery's page, and no other, may send and fetch bytes.
    Cors,
}

impl Setting {
    const ALL: [Self; 5] = [Self::PublicAccessBlocked, Self::TlsOnly, Self::Versioning, Self::Lifecycle, Self::Cors];

    /// What is done to set it.
    const fn step(self) -> &'static str {
        match self {
            Self::PublicAccessBlocked => "block public access to the bucket",
            Self::TlsOnly => "refuse what comes to the bucket without TLS",
            Self::Versioning => "keep versions in the bucket",
            Self::Lifecycle => "let uploads that nobody looked into go after a day, and old versions after a month",
            Self::Cors => "allow the gallery's page, and no other, to send and fetch bytes",
        }
    }
}

/// How a setting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Right,
    Wrong,
    /// The server has no such setting, or it makes no sense there.
    NotThere,
}

impl S3Blobs {
    /// Makes the bucket, if it is not there, and sets it up: public access blocked, TLS only, versions, a lifecycle, and CORS for pages of these origins.
    /// What is right already, and what others have set there, stays. Answers in words what was done; or would be, if it is only `pretended`.
    ///
    /// # Errors
    ///
    /// AWS refuses or is out of reach; says what to mend. What was done until then is done.
    pub async fn provision(&self, origins: &[String], pretended: bool) -> Result<Vec<String>, BackendFailure> {
        let mut steps = Vec::new();
        let is_missing = self.is_missing().await?;
        if is_missing {
            if !pretended {
                self.make_bucket().await?;
            }
            steps.push(format!("make the bucket {}", self.bucket));
        }
        for setting in Setting::ALL {
            let state = match (is_missing && pretended, setting) {
                (true, Setting::TlsOnly) if !self.speaks_tls => State::NotThere,
                (true, _) => State::Wrong,
                (false, _) => self.state(setting, origins).await?,
            };
            if state == State::Wrong {
                if !pretended {
                    self.set(setting, origins).await?;
                }
                steps.push(setting.step().to_owned());
            }
        }
        Ok(steps)
    }

    async fn is_missing(&self) -> Result<bool, BackendFailure> {
        match self.client.head_bucket().bucket(&self.bucket).send().await {
            Ok(_) => Ok(false),
            Err(error) if matches!(answer(&error), Some((404, _))) => Ok(true),
            Err(error) => Err(failure("open", &error)),
        }
    }

    async fn make_bucket(&self) -> Result<(), BackendFailure> {
        let region = self.client.config().region().map(|region| region.as_ref().to_owned());
        // The first of all regions is meant where none is named, and must not be.
        let place = region.filter(|region| region != "us-east-1").map(|region| {
            let region = BucketLocationConstraint::from(region.as_str());
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let made = self.client.create_bucket().bucket(&self.bucket).set_create_bucket_configuration(place).send().await;
        match made {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            Err(error) if error.code() == Some("BucketAlreadyExists") => {
                let words =
                    "the bucket belongs to somebody else: bucket names are unique in the whole world, choose another";
                Err(BackendFailure::permanent("s3", "make the bucket", words))
            }
            Err(error) => Err(failure("make the bucket", &error)),
        }
    }

    async fn state(&self, setting: Setting, origins: &[String]) -> Result<State, BackendFailure> {
        let right = match setting {
            Setting::PublicAccessBlocked => self.public_access().await?.map(|block| {
                let all = [
                    block.block_public_acls(),
                    block.ignore_public_acls(),
                    block.block_public_policy(),
                    block.restrict_public_buckets(),
                ];
                all == [Some(true); 4]
            }),
            // A server without TLS could be reached by nobody then.
            Setting::TlsOnly if !self.speaks_tls => None,
            Setting::TlsOnly => Some(has_statement(&self.policy().await?)),
            Setting::Versioning => {
                let versioning = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
                let status = there(versioning, "describe the bucket")?;
                status.map(|found| found.status() == Some(&BucketVersioningStatus::Enabled))
            }
            Setting::Lifecycle => {
                let ours = self.lifecycle_rules()?;
                self.lifecycle().await?.map(|rules| ours.iter().all(|our| rules.contains(our)))
            }
            Setting::Cors => {
                let ours = cors_rule(origins)?;
                self.cors().await?.map(|rules| rules.contains(&ours))
            }
        };
        Ok(match right {
            Some(true) => State::Right,
            Some(false) => State::Wrong,
            None => State::NotThere,
        })
    }

    async fn set(&self, setting: Setting, origins: &[String]) -> Result<(), BackendFailure> {
        let Self { client, bucket, .. } = self;
        match setting {
            Setting::PublicAccessBlocked => {
                let block = PublicAccessBlockConfiguration::builder()
                    .block_public_acls(true)
                    .ignore_public_acls(true)
                    .block_public_policy(true)
                    .restrict_public_buckets(true)
                    .build();
                let request = client.put_public_access_block().bucket(bucket).public_access_block_configuration(block);
                request.send().await.map(drop).map_err(|error| failure(SET, &error))
            }
            Setting::TlsOnly => {
                let policy = with_statement(self.policy().await?, bucket).to_string();
                let set = client.put_bucket_policy().bucket(bucket).policy(policy).send().await;
                set.map(drop).map_err(|error| failure(SET, &error))
            }
            Setting::Versioning => {
                let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
                let set = client.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await;
                set.map(drop).map_err(|error| failure(SET, &error))
            }
            Setting::Lifecycle => {
                let mut rules = self.lifecycle().await?.unwrap_or_default();
                let ours = self.lifecycle_rules()?;
                rules.retain(|rule| !ours.iter().any(|our| our.id() == rule.id()));
                rules.extend(ours);
                let rules =
                    BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(malformed)?;
                let request = client.put_bucket_lifecycle_configuration().bucket(bucket);
                let set = request.lifecycle_configuration(rules).send().await;
                set.map(drop).map_err(|error| failure(SET, &error))
            }
            Setting::Cors => {
                let mut rules = self.cors().await?.unwrap_or_default();
                rules.retain(|rule| rule.id() != Some(CORS_RULE));
                rules.push(cors_rule(origins)?);
                let rules = CorsConfiguration::builder().set_cors_rules(Some(rules)).build().map_err(malformed)?;
                let set = client.put_bucket_cors().bucket(bucket).cors_configuration(rules).send().await;
                set.map(drop).map_err(|error| failure(SET, &error))
            }
        }
    }

    async fn public_access(&self) -> Result<Option<PublicAccessBlockConfiguration>, BackendFailure> {
        let none = PublicAccessBlockConfiguration::builder().build();
        match self.client.get_public_access_block().bucket(&self.bucket).send().await {
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => Ok(Some(none)),
            asked => Ok(there(asked, DESCRIBE)?.map(|found| found.public_access_block_configuration.unwrap_or(none))),
        }
    }

    async fn policy(&self) -> Result<Value, BackendFailure> {
        match self.client.get_bucket_policy().bucket(&self.bucket).send().await {
            Ok(found) => serde_json::from_str(found.policy().unwrap_or("{}")).map_err(malformed),
            Err(error) if error.code() == Some("NoSuchBucketPolicy") => Ok(json!({})),
            Err(error) => Err(failure(DESCRIBE, &error)),
        }
    }

    async fn lifecycle(&self) -> Result<Option<Vec<LifecycleRule>>, BackendFailure> {
        match self.client.get_bucket_lifecycle_configuration().bucket(&self.bucket).send().await {
            Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Some(Vec::new())),
            asked => Ok(there(asked, DESCRIBE)?.map(|found| found.rules.unwrap_or_default())),
        }
    }

    async fn cors(&self) -> Result<Option<Vec<CorsRule>>, BackendFailure> {
        match self.client.get_bucket_cors().bucket(&self.bucket).send().await {
            Err(error) if error.code() == Some("NoSuchCORSConfiguration") => Ok(Some(Vec::new())),
            asked => Ok(there(asked, DESCRIBE)?.map(|found| found.cors_rules.unwrap_or_default())),
        }
    }

    /// One for uploads that nobody looked into, one for what else piles up. They are of this prefix, which others may share the bucket with.
    fn lifecycle_rules(&self) -> Result<Vec<LifecycleRule>, BackendFailure> {
        let place = self.prefix.trim_end_matches('/').replace('/', "-");
        let rule = |name: &str, prefix: String, old_versions: i32| {
            let aborted = AbortIncompleteMultipartUpload::builder().days_after_initiation(1).build();
            LifecycleRule::builder()
                .id(format!("gallery-{name}{}{place}", if place.is_empty() { "" } else { "-" }))
                .status(ExpirationStatus::Enabled)
                .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
                .abort_incomplete_multipart_upload(aborted)
                .noncurrent_version_expiration(
                    NoncurrentVersionExpiration::builder().noncurrent_days(old_versions).build(),
                )
        };
        let incoming = format!("{}{}/", self.prefix, BlobArea::Incoming.as_str());
        let incoming = rule("incoming", incoming, 1).expiration(LifecycleExpiration::builder().days(1).build());
        let rest = rule("old-versions", self.prefix.clone(), KEEP_OLD_VERSIONS_DAYS);
        let rest = rest.expiration(LifecycleExpiration::builder().expired_object_delete_marker(true).build());
        Ok(vec![incoming.build().map_err(malformed)?, rest.build().map_err(malformed)?])
    }
}

const DESCRIBE: &str = "describe the bucket";
const SET: &str = "set the bucket up";
const CORS_RULE: &str = "gallery";
/// As long as the trash keeps photos.
const KEEP_OLD_VERSIONS_DAYS: i32 = 30;
/// The statement of the policy that is the gallery's.
const TLS_STATEMENT: &str = "GalleryTlsOnly";

/// The headers are those of a presigned upload.
fn cors_rule(origins: &[String]) -> Result<CorsRule, BackendFailure> {
    let headers = ["content-type", "if-none-match", "x-amz-checksum-sha256", "x-amz-meta-sha256", "range"];
    let owned = |texts: &[&str]| Some(texts.iter().map(|text| (*text).to_owned()).collect());
    CorsRule::builder()
        .id(CORS_RULE)
        .set_allowed_origins(Some(origins.to_vec()))
        .set_allowed_methods(owned(&["GET", "HEAD", "PUT"]))
        .set_allowed_headers(owned(&headers))
        .set_expose_headers(owned(&["ETag", "Content-Range"]))
        .max_age_seconds(3_600)
        .build()
        .map_err(malformed)
}

/// Whether a policy refuses what comes without TLS, whoever wrote it.
fn has_statement(policy: &Value) -> bool {
    statements(policy).iter().any(|statement| {
        let insecure = &statement["Condition"]["Bool"]["aws:SecureTransport"];
        statement["Effect"] == "Deny" && (*insecure == "false" || *insecure == false)
    })
}

/// A policy with the statement that refuses what comes without TLS; the others stay.
fn with_statement(policy: Value, bucket: &str) -> Value {
    let mut statements = statements(&policy);
    statements.retain(|statement| statement["Sid"] != TLS_STATEMENT);
    statements.push(json!({
        "Sid": TLS_STATEMENT,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn statements(policy: &Value) -> Vec<Value> {
    match &policy["Statement"] {
        Value::Array(statements) => statements.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}

/// What was found; nothing if the server has no such setting.
fn there<T, E>(asked: Result<T, SdkError<E>>, operation: &'static str) -> Result<Option<T>, BackendFailure>
where
    E: ProvideErrorMetadata + Error + Debug + 'static,
{
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(answer(&error), Some((501, _) | (_, "NotImplemented" | "MethodNotAllowed"))) => Ok(None),
        Err(error) => Err(failure(operation, &error)),
    }
}

fn malformed(error: impl Error + Send + Sync + 'static) -> BackendFailure {
    BackendFailure::permanent("s3", SET, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_keeps_what_others_wrote_and_gets_one_statement_once() {
        let others = json!({ "Version": "2012-10-17", "Statement": { "Sid": "Others", "Effect": "Allow" } });
        assert!(!has_statement(&others) && !has_statement(&json!({})));
        let once = with_statement(others, "my-photos");
        let twice = with_statement(once.clone(), "my-photos");
        assert_eq!(once, twice);
        assert!(has_statement(&once));
        let sids: Vec<_> = statements(&once).iter().map(|statement| statement["Sid"].clone()).collect();
        assert_eq!(sids, ["Others", TLS_STATEMENT]);
        assert_eq!(statements(&once)[1]["Resource"][1], "arn:aws:s3:::my-photos/*");
    }
}
