//! Which bucket, and where.

use std::fmt;
use std::str::FromStr;

use gallery_domain::{BlobKey, InvalidValue};
use url::Url;

use crate::aws::AwsPlace;

/// Which bucket, under what prefix, and where: `s3://BUCKET/PREFIX?region=eu-central-1&endpoint=http://127.0.0.1:8333`. Prefix and parameters may
/// be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket.
    pub bucket: String,
    /// What the keys of all blobs begin with: empty, or something that ends in `/`.
    pub prefix: String,
    /// Where the bucket is.
    pub place: AwsPlace,
}

impl FromStr for S3Settings {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| url.scheme() == "s3")
            .ok_or_else(|| invalid("is not a URL such as s3://my-photos?region=eu-central-1"))?;
        if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
            return Err(invalid(
                "has more than a bucket's name before the path: credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile or a role",
            ));
        }
        if url.fragment().is_some() {
            return Err(invalid("has something behind `#`"));
        }
        let bucket = url.host_str().unwrap_or_default().to_owned();
        if !is_bucket(&bucket) {
            return Err(invalid(
                "names no bucket: 3 to 63 lower-case letters, digits, dots and dashes, as in s3://my-photos?region=eu-central-1",
            ));
        }
        let prefix = match url.path().trim_matches('/') {
            "" => String::new(),
            // A prefix has the letters of a key, so that no part of it ever needs to be encoded.
            path if path.parse::<BlobKey>().is_ok() => format!("{path}/"),
            _ => {
                return Err(invalid(
                    "has a prefix that is not made of letters, digits, `-`, `_` and `.`, divided by `/`",
                ));
            }
        };
        let unknown = |name: &str, _| {
            Err(invalid(format!("has the unknown parameter `{name}`: there are `region` and `endpoint`")))
        };
        let place = AwsPlace::from_query(&url, unknown)?;
        Ok(Self { bucket, prefix, place })
    }
}

/// As it is written.
impl fmt::Display for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix, place } = self;
        let prefix = prefix.trim_end_matches('/');
        write!(f, "s3://{bucket}{}{prefix}{place}", if prefix.is_empty() { "" } else { "/" })
    }
}

/// The rules of general purpose buckets, as far as a letter or two go.
fn is_bucket(name: &str) -> bool {
    let ends_plainly = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        text.starts_with(plain) && text.ends_with(plain)
    };
    (3..=63).contains(&name.len())
        && ends_plainly(name)
        && !name.contains("..")
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}

fn invalid(reason: impl Into<String>) -> InvalidValue {
    InvalidValue::new(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_a_prefix_and_a_place_are_read_and_shown() {
        for (text, bucket, prefix) in [
            ("s3://my-photos", "my-photos", ""),
            ("s3://my-photos/?region=eu-central-1", "my-photos", ""),
            ("s3://my.photos.2/gallery/blobs/?region=eu-central-1", "my.photos.2", "gallery/blobs/"),
        ] {
            let settings: S3Settings = text.parse().unwrap();
            assert_eq!((settings.bucket.as_str(), settings.prefix.as_str()), (bucket, prefix));
            assert_eq!(settings.to_string().parse(), Ok(settings.clone()), "{settings}");
        }
        let local: S3Settings = "s3://my-photos/a?region=us-east-1&endpoint=http://127.0.0.1:8333".parse().unwrap();
        assert_eq!(local.to_string(), "s3://my-photos/a?region=us-east-1&endpoint=http://127.0.0.1:8333/");
    }

    #[test]
    fn what_is_no_bucket_is_refused_without_repeating_it() {
        for (text, part) in [
            ("s3:", "no bucket"),
            ("s3://My_Photos", "no bucket"),
            ("s3://ab", "no bucket"),
            ("s3://-photos", "no bucket"),
            ("s3://key:hunter2@my-photos", "credentials come from"),
            ("s3://my-photos/a b", "prefix"),
            ("s3://my-photos/a//b", "prefix"),
            ("s3://my-photos/a%2Fb", "prefix"),
            ("s3://my-photos?secret=hunter2", "unknown parameter `secret`"),
            ("s3://my-photos#hunter2", "behind `#`"),
        ] {
            let said = text.parse::<S3Settings>().map_or_else(|invalid| invalid.reason().to_owned(), |_| String::new());
            assert!(said.contains(part) && !said.contains("hunter2"), "{text}: {said}");
        }
    }
}
