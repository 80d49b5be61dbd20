//! Which adapters a gallery uses: from the environment, parsed once.
//!
//! | variable | schemes | default |
//! |---|---|---|
//! | `GALLERY_DATA` | (a folder) | `gallery-data` |
//! | `GALLERY_STORE` | `sqlite:PATH`, `postgres://…`, `dynamodb://TABLE?region=…`, `memory:` | `sqlite:` and `gallery.db` in the data folder |
//! | `GALLERY_BLOBS` | `file:PATH`, `s3://BUCKET/PREFIX`, `memory:` | `file:` and `blobs` in the data folder |
//! | `GALLERY_IDENTITY` | `password:`, `cognito://POOL?client_id=…` | `password:` |
//! | `GALLERY_COGNITO_CLIENT_SECRET` | (the secret of that app client) | |
//! | `GALLERY_MAIL` | `outbox:PATH`, `smtp://…`, `smtps://…`, `ses:?from=…` | `outbox:` and `outbox` in the data folder |
//! | `GALLERY_PUBLIC_URL` | (the address people open) | the local one |
//!
//! What is kept in `memory:` is gone when the process ends: for tests and demonstrations.
//! An empty variable counts as absent. A scheme that this build lacks is an error that names those it has.

#[cfg(feature = "dynamodb")]
mod dynamodb_settings;
#[cfg(feature = "postgres")]
mod postgres_settings;

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

#[cfg(feature = "dynamodb")]
pub use self::dynamodb_settings::DynamoDbSettings;
#[cfg(feature = "postgres")]
pub use self::postgres_settings::{PasswordChoice, PostgresSettings};
#[cfg(feature = "cognito")]
use crate::cognito::CognitoSettings;
#[cfg(feature = "ses")]
use crate::mail::SesSettings;
#[cfg(feature = "smtp")]
use crate::mail::SmtpSettings;
#[cfg(feature = "s3")]
use crate::s3::S3Settings;

/// Which adapters a gallery uses, and where its things are. `Debug` and `Display` show no secrets.
#[derive(Clone, Debug)]
pub struct GalleryConfig {
    /// The folder for what a gallery on one machine keeps; the key that signs URLs is always there.
    pub data: PathBuf,
    /// Where people open the gallery: links in mails start with it. `None` if the environment does not say.
    pub public_url: Option<Url>,
    /// Keeps users, photos, albums.
    pub store: StoreChoice,
    /// Keeps the bytes of photos.
    pub blobs: BlobsChoice,
    /// Proves who people are.
    pub identity: IdentityChoice,
    /// Sends mail.
    pub mail: MailChoice,
}

/// Which store keeps users, photos, albums.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreChoice {
    /// `sqlite:PATH`
    #[cfg(feature = "sqlite")]
    Sqlite(PathBuf),
    /// `postgres://…` or `postgresql://…`
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresSettings>),
    /// `dynamodb://TABLE?region=…`
    #[cfg(feature = "dynamodb")]
    DynamoDb(Box<DynamoDbSettings>),
    /// `memory:`
    #[cfg(feature = "memory")]
    Memory,
}

/// Which store keeps the bytes of photos.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobsChoice {
    /// `file:PATH`
    #[cfg(feature = "filesystem")]
    Files(PathBuf),
    /// `s3://BUCKET/PREFIX`
    #[cfg(feature = "s3")]
    S3(S3Settings),
    /// `memory:`
    #[cfg(feature = "memory")]
    Memory,
}

/// What proves who people are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum IdentityChoice {
    /// `password:`, built in, kept in the store.
    #[cfg(feature = "password-identity")]
    Password,
    /// `cognito://POOL?client_id=…`, a user pool.
    #[cfg(feature = "cognito")]
    Cognito(Box<CognitoSettings>),
}

/// What sends mail.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MailChoice {
    /// `outbox:PATH`
    #[cfg(feature = "outbox")]
    Outbox(PathBuf),
    /// `smtp://…` or `smtps://…`
    #[cfg(feature = "smtp")]
    Smtp(SmtpSettings),
    /// `ses:?from=…`
    #[cfg(feature = "ses")]
    Ses(SesSettings),
}

/// A variable that cannot be used. Says what to do, and repeats nothing of the value but its scheme: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {problem}")]
pub struct ConfigError {
    /// The environment variable.
    pub variable: &'static str,
    problem: String,
}

impl GalleryConfig {
    /// Where people open a gallery that was told nothing: its own machine.
    pub const LOCAL_URL: &str = "http://localhost:8080/";

    /// Reads the configuration of this process.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads the configuration from wherever `lookup` finds variables.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let lookup = |name| lookup(name).filter(|value| !value.trim().is_empty()).map(|value| value.trim().to_owned());
        let data = PathBuf::from(lookup(DATA).unwrap_or_else(|| DEFAULT_DATA.to_owned()));
        Ok(Self {
            public_url: lookup(PUBLIC_URL).map(|value| public_url(&value)).transpose()?,
            store: StoreChoice::parse(lookup(STORE), &data)?,
            blobs: BlobsChoice::parse(lookup(BLOBS), &data)?,
            identity: IdentityChoice::parse(lookup(IDENTITY), lookup(COGNITO_CLIENT_SECRET))?,
            mail: MailChoice::parse(lookup(MAIL), &data)?,
            data,
        })
    }

    /// The variables whose part is on this very machine, or in this process, with what each says: nothing for a program that starts anywhere, and may
    /// have others of its kind beside it.
    pub fn local_parts(&self) -> Vec<(&'static str, String)> {
        let Self { store, blobs, mail, .. } = self;
        [
            (STORE, store.is_local().then(|| store.to_string())),
            (BLOBS, blobs.is_local().then(|| blobs.to_string())),
            (MAIL, mail.folder().map(|_| mail.to_string())),
        ]
        .into_iter()
        .filter_map(|(variable, part)| Some((variable, part?)))
        .collect()
    }

    /// Where people open the gallery; on this machine unless the environment says otherwise.
    pub fn public_url(&self) -> Url {
        self.public_url.clone().unwrap_or_else(|| Url::parse(Self::LOCAL_URL).expect("the constant is a URL"))
    }
}

impl StoreChoice {
    /// Reads which store it is from wherever `lookup` finds variables, and nothing else: for a program that has only to do with the store.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let value = lookup(STORE).filter(|value| !value.trim().is_empty()).map(|value| value.trim().to_owned());
        Self::parse(value, Path::new(DEFAULT_DATA))
    }

    fn is_local(&self) -> bool {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => false,
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(_) => false,
            #[cfg(feature = "memory")]
            Self::Memory => true,
        }
    }

    /// The file that holds the store, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => Some(path),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(_) => None,
            #[cfg(feature = "memory")]
            Self::Memory => None,
        }
    }
}

impl BlobsChoice {
    fn is_local(&self) -> bool {
        match *self {
            #[cfg(feature = "filesystem")]
            Self::Files(_) => true,
            #[cfg(feature = "s3")]
            Self::S3(_) => false,
            #[cfg(feature = "memory")]
            Self::Memory => true,
        }
    }

    /// The folder that holds the blobs, if they are in one.
    pub fn folder(&self) -> Option<&Path> {
        match *self {
            #[cfg(feature = "filesystem")]
            Self::Files(ref path) => Some(path),
            #[cfg(feature = "s3")]
            Self::S3(_) => None,
            #[cfg(feature = "memory")]
            Self::Memory => None,
        }
    }
}

impl MailChoice {
    /// The folder that mails are put into, if they go no further.
    pub fn folder(&self) -> Option<&Path> {
        match *self {
            #[cfg(feature = "outbox")]
            Self::Outbox(ref path) => Some(path),
            #[cfg(feature = "smtp")]
            Self::Smtp(_) => None,
            #[cfg(feature = "ses")]
            Self::Ses(_) => None,
        }
    }
}

/// One line: what was chosen.
impl fmt::Display for GalleryConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, blobs, identity, mail, .. } = self;
        write!(f, "{STORE}={store} {BLOBS}={blobs} {IDENTITY}={identity} {MAIL}={mail}")
    }
}

impl fmt::Display for StoreChoice {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(ref path) => write!(_f, "sqlite:{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Postgres(ref settings) => write!(_f, "{settings}"),
            #[cfg(feature = "dynamodb")]
            Self::DynamoDb(ref settings) => write!(_f, "{settings}"),
            #[cfg(feature = "memory")]
            Self::Memory => _f.write_str("memory:"),
        }
    }
}

impl fmt::Display for BlobsChoice {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "filesystem")]
            Self::Files(ref path) => write!(_f, "file:{}", path.display()),
            #[cfg(feature = "s3")]
            Self::S3(ref settings) => write!(_f, "{settings}"),
            #[cfg(feature = "memory")]
            Self::Memory => _f.write_str("memory:"),
        }
    }
}

impl fmt::Display for IdentityChoice {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "password-identity")]
            Self::Password => _f.write_str("password:"),
            #[cfg(feature = "cognito")]
            Self::Cognito(ref settings) => write!(_f, "{settings}"),
        }
    }
}

impl fmt::Display for MailChoice {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            #[cfg(feature = "outbox")]
            Self::Outbox(ref path) => write!(_f, "outbox:{}", path.display()),
            #[cfg(feature = "smtp")]
            Self::Smtp(ref settings) => write!(_f, "smtp server {settings}"),
            #[cfg(feature = "ses")]
            Self::Ses(ref settings) => write!(_f, "{settings}"),
        }
    }
}

const DEFAULT_DATA: &str = "gallery-data";
pub(crate) const DATA: &str = "GALLERY_DATA";
pub(crate) const STORE: &str = "GALLERY_STORE";
pub(crate) const BLOBS: &str = "GALLERY_BLOBS";
pub(crate) const IDENTITY: &str = "GALLERY_IDENTITY";
pub(crate) const MAIL: &str = "GALLERY_MAIL";
const COGNITO_CLIENT_SECRET: &str = "GALLERY_COGNITO_CLIENT_SECRET";
const PUBLIC_URL: &str = "GALLERY_PUBLIC_URL";

/// The schemes that a variable knows of. Only those with `true` are in this build.
struct Schemes {
    variable: &'static str,
    known: &'static [(&'static str, bool)],
}

const STORES: Schemes = Schemes {
    variable: STORE,
    known: &[
        ("sqlite", cfg!(feature = "sqlite")),
        ("memory", cfg!(feature = "memory")),
        ("postgres", cfg!(feature = "postgres")),
        ("postgresql", cfg!(feature = "postgres")),
        ("dynamodb", cfg!(feature = "dynamodb")),
    ],
};
const BLOB_STORES: Schemes = Schemes {
    variable: BLOBS,
    known: &[
        ("file", cfg!(feature = "filesystem")),
        ("memory", cfg!(feature = "memory")),
        ("s3", cfg!(feature = "s3")),
    ],
};
const IDENTITIES: Schemes = Schemes {
    variable: IDENTITY,
    known: &[("password", cfg!(feature = "password-identity")), ("cognito", cfg!(feature = "cognito"))],
};
const MAILERS: Schemes = Schemes {
    variable: MAIL,
    known: &[
        ("outbox", cfg!(feature = "outbox")),
        ("smtp", cfg!(feature = "smtp")),
        ("smtps", cfg!(feature = "smtp")),
        ("ses", cfg!(feature = "ses")),
    ],
};

impl StoreChoice {
    fn parse(value: Option<String>, data: &Path) -> Result<Self, ConfigError> {
        let _in_data = data.join("gallery.db");
        let value = STORES.value_or(value, "sqlite:")?;
        match STORES.split(&value)? {
            #[cfg(feature = "sqlite")]
            ("sqlite", rest) => Ok(Self::Sqlite(path_or(rest, _in_data))),
            #[cfg(feature = "postgres")]
            ("postgres" | "postgresql", _) => value
                .parse()
                .map(|settings| Self::Postgres(Box::new(settings)))
                .map_err(|invalid: gallery_domain::InvalidValue| STORES.error(invalid.reason())),
            #[cfg(feature = "dynamodb")]
            ("dynamodb", _) => value
                .parse()
                .map(|settings| Self::DynamoDb(Box::new(settings)))
                .map_err(|invalid: gallery_domain::InvalidValue| STORES.error(invalid.reason())),
            #[cfg(feature = "memory")]
            ("memory", "") => Ok(Self::Memory),
            #[cfg(feature = "memory")]
            ("memory", _) => Err(STORES.takes_nothing("memory")),
            (scheme, _) => Err(STORES.missing(scheme)),
        }
    }
}

impl BlobsChoice {
    fn parse(value: Option<String>, data: &Path) -> Result<Self, ConfigError> {
        let _in_data = data.join("blobs");
        let value = BLOB_STORES.value_or(value, "file:")?;
        match BLOB_STORES.split(&value)? {
            #[cfg(feature = "filesystem")]
            ("file", rest) => Ok(Self::Files(path_or(rest, _in_data))),
            #[cfg(feature = "s3")]
            ("s3", _) => value
                .parse()
                .map(Self::S3)
                .map_err(|invalid: gallery_domain::InvalidValue| BLOB_STORES.error(invalid.reason())),
            #[cfg(feature = "memory")]
            ("memory", "") => Ok(Self::Memory),
            #[cfg(feature = "memory")]
            ("memory", _) => Err(BLOB_STORES.takes_nothing("memory")),
            (scheme, _) => Err(BLOB_STORES.missing(scheme)),
        }
    }
}

impl IdentityChoice {
    fn parse(value: Option<String>, _secret: Option<String>) -> Result<Self, ConfigError> {
        let value = IDENTITIES.value_or(value, "password:")?;
        match IDENTITIES.split(&value)? {
            #[cfg(feature = "password-identity")]
            ("password", "") => Ok(Self::Password),
            #[cfg(feature = "password-identity")]
            ("password", _) => Err(IDENTITIES.takes_nothing("password")),
            #[cfg(feature = "cognito")]
            ("cognito", _) => {
                let missing = || ConfigError {
                    variable: COGNITO_CLIENT_SECRET,
                    problem: format!("is not set: it is the secret of the app client that {IDENTITY} names"),
                };
                let settings = CognitoSettings::new(&value, _secret.ok_or_else(missing)?.into());
                settings
                    .map(|settings| Self::Cognito(Box::new(settings)))
                    .map_err(|invalid| IDENTITIES.error(invalid.reason()))
            }
            (scheme, _) => Err(IDENTITIES.missing(scheme)),
        }
    }
}

impl MailChoice {
    fn parse(value: Option<String>, data: &Path) -> Result<Self, ConfigError> {
        let _in_data = data.join("outbox");
        let value = MAILERS.value_or(value, "outbox:")?;
        match MAILERS.split(&value)? {
            #[cfg(feature = "outbox")]
            ("outbox", rest) => Ok(Self::Outbox(path_or(rest, _in_data))),
            #[cfg(feature = "smtp")]
            ("smtp" | "smtps", _) => value
                .parse()
                .map(Self::Smtp)
                .map_err(|invalid: gallery_domain::InvalidValue| MAILERS.error(invalid.reason())),
            #[cfg(feature = "ses")]
            ("ses", _) => value
                .parse()
                .map(Self::Ses)
                .map_err(|invalid: gallery_domain::InvalidValue| MAILERS.error(invalid.reason())),
            (scheme, _) => Err(MAILERS.missing(scheme)),
        }
    }
}

impl Schemes {
    /// What the variable says, or the default if this build has it.
    fn value_or(&self, value: Option<String>, default: &'static str) -> Result<String, ConfigError> {
        match value {
            Some(value) => Ok(value),
            None if self.has(default.trim_end_matches(':')) => Ok(default.to_owned()),
            None => Err(self.error(format!("is not set: {}", self.offer()))),
        }
    }

    /// The scheme, if this build has it, and what follows the colon.
    fn split<'a>(&self, value: &'a str) -> Result<(&'a str, &'a str), ConfigError> {
        match value.split_once(':') {
            Some((scheme, rest)) if self.has(scheme) => Ok((scheme, rest)),
            Some((scheme, _)) => Err(self.missing(scheme)),
            None => Err(self.error(format!("has no scheme, such as `{}:`: {}", self.known[0].0, self.offer()))),
        }
    }

    fn has(&self, scheme: &str) -> bool {
        self.known.contains(&(scheme, true))
    }

    fn missing(&self, scheme: &str) -> ConfigError {
        if self.known.iter().any(|(known, _)| *known == scheme) {
            self.error(format!("has the scheme `{scheme}`, which is not in this build: {}", self.offer()))
        } else {
            self.error(format!("has the scheme `{scheme}`, which does not exist: {}", self.offer()))
        }
    }

    #[cfg(any(feature = "memory", feature = "password-identity"))]
    fn takes_nothing(&self, scheme: &str) -> ConfigError {
        self.error(format!("has something behind `{scheme}:`, which takes nothing: remove it"))
    }

    fn offer(&self) -> String {
        let built: Vec<String> =
            self.known.iter().filter(|(_, built)| *built).map(|(scheme, _)| format!("`{scheme}`")).collect();
        match built.as_slice() {
            [] => "this build has no adapter for it, so build the gallery with the feature of one".to_owned(),
            [only] => format!("this build has {only}"),
            [first @ .., last] => format!("this build has {} and {last}", first.join(", ")),
        }
    }

    fn error(&self, problem: impl Into<String>) -> ConfigError {
        ConfigError { variable: self.variable, problem: problem.into() }
    }
}

/// The path behind a scheme; both `file:/srv/blobs` and `file:///srv/blobs` are usual.
#[cfg(any(feature = "sqlite", feature = "filesystem", feature = "outbox"))]
fn path_or(rest: &str, default: PathBuf) -> PathBuf {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() { default } else { PathBuf::from(path) }
}

fn public_url(value: &str) -> Result<Url, ConfigError> {
    let error = |problem: &str| ConfigError { variable: PUBLIC_URL, problem: problem.to_owned() };
    let url = Url::parse(value).map_err(|_| error("is not a URL such as https://photos.example.org"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(error("does not start with https:// or http:// and a host"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(error("has more than a scheme, a host, a port and a path: remove the rest"));
    }
    Ok(url)
}

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<GalleryConfig, ConfigError> {
        GalleryConfig::from_lookup(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn refusal(variable: &'static str, value: &str) -> String {
        let error = config(&[(variable, value)]).unwrap_err();
        assert_eq!(error.variable, variable);
        error.to_string()
    }

    #[test]
    fn without_any_variable_everything_is_in_the_data_folder() {
        for variables in [&[][..], &[("GALLERY_STORE", ""), ("GALLERY_DATA", " ")]] {
            let config = config(variables).unwrap();
            assert_eq!(
                config.to_string(),
                "GALLERY_STORE=sqlite:gallery-data/gallery.db GALLERY_BLOBS=file:gallery-data/blobs \
                 GALLERY_IDENTITY=password: GALLERY_MAIL=outbox:gallery-data/outbox"
            );
            assert_eq!(config.public_url().as_str(), "http://localhost:8080/");
        }
        let elsewhere = config(&[("GALLERY_DATA", "/srv/photos")]).unwrap();
        assert_eq!(elsewhere.store, StoreChoice::Sqlite("/srv/photos/gallery.db".into()));
        assert_eq!(elsewhere.blobs, BlobsChoice::Files("/srv/photos/blobs".into()));
    }

    #[test]
    fn each_part_can_be_elsewhere() {
        let config = config(&[
            ("GALLERY_STORE", "sqlite:some/where.db"),
            ("GALLERY_BLOBS", "file:///mnt/blobs"),
            ("GALLERY_IDENTITY", "password:"),
            ("GALLERY_MAIL", "smtps://user:secret@mail.example.org?from=g@example.org"),
            ("GALLERY_PUBLIC_URL", "https://photos.example.org/gallery"),
        ])
        .unwrap();
        assert_eq!(config.store, StoreChoice::Sqlite("some/where.db".into()));
        assert_eq!(config.blobs, BlobsChoice::Files("/mnt/blobs".into()));
        assert!(matches!(config.mail, MailChoice::Smtp(_)));
        assert_eq!(config.public_url().as_str(), "https://photos.example.org/gallery");
    }

    #[test]
    fn neither_debug_nor_the_log_line_shows_a_secret() {
        let url = "smtp://user:hunter2@mail.example.org?from=g@example.org";
        let config = config(&[("GALLERY_MAIL", url)]).unwrap();
        for shown in [format!("{config:?}"), config.to_string()] {
            assert!(!shown.contains("hunter2") && !shown.contains("user"), "{shown}");
            assert!(shown.contains("mail.example.org"), "{shown}");
        }
    }

    #[test]
    fn a_scheme_that_does_not_exist_or_is_not_built_in_is_named_with_those_that_are() {
        let built: Vec<&str> = STORES.known.iter().filter(|(_, built)| *built).map(|(scheme, _)| *scheme).collect();
        let said = refusal("GALLERY_STORE", "pigeon:home");
        assert!(
            said.starts_with("GALLERY_STORE has the scheme `pigeon`, which does not exist: this build has `sqlite`")
        );
        assert!(built.iter().all(|scheme| said.contains(&format!("`{scheme}`"))), "{said}");
        let mailers =
            if cfg!(feature = "ses") { "`outbox`, `smtp`, `smtps` and `ses`" } else { "`outbox`, `smtp` and `smtps`" };
        assert_eq!(
            refusal("GALLERY_MAIL", "pigeon:home"),
            format!("GALLERY_MAIL has the scheme `pigeon`, which does not exist: this build has {mailers}")
        );
        for (variable, value, is_built_in) in [
            ("GALLERY_STORE", "postgres://user:hunter2@db/gallery", cfg!(feature = "postgres")),
            ("GALLERY_STORE", "dynamodb://hunter2?region=eu-central-1", cfg!(feature = "dynamodb")),
            ("GALLERY_BLOBS", "s3://bucket/prefix", cfg!(feature = "s3")),
            ("GALLERY_IDENTITY", "cognito://pool?client_id=hunter2", cfg!(feature = "cognito")),
            ("GALLERY_MAIL", "ses:", cfg!(feature = "ses")),
        ] {
            if is_built_in {
                continue;
            }
            let said = refusal(variable, value);
            let scheme = value.split(':').next().unwrap();
            assert!(said.contains(&format!("`{scheme}`, which is not in this build")), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn the_store_can_be_a_server_whose_password_is_shown_nowhere() {
        let config = config(&[("GALLERY_STORE", "postgresql://ada:hunter2@db.example.org/photos")]).unwrap();
        assert_eq!(config.store.file(), None);
        assert!(config.to_string().starts_with("GALLERY_STORE=postgres://db.example.org:5432/photos?"), "{config}");
        assert!(!format!("{config:?}").contains("hunter2"));
        let said = refusal("GALLERY_STORE", "postgres://ada:hunter2@db/photos?pasword=hunter2");
        assert!(said.contains("unknown parameter `pasword`") && !said.contains("hunter2"), "{said}");
    }

    #[cfg(feature = "dynamodb")]
    #[test]
    fn the_store_can_be_tables_whose_place_is_shown() {
        let config = config(&[("GALLERY_STORE", "dynamodb://Photos?region=eu-central-1")]).unwrap();
        assert_eq!(config.store.file(), None);
        let shown = "GALLERY_STORE=dynamodb://Photos?index=PhotosIndex&region=eu-central-1 ";
        assert!(config.to_string().starts_with(shown), "{config}");
        assert!(refusal("GALLERY_STORE", "dynamodb://key:hunter2@Photos").contains("credentials come from"));
    }

    #[cfg(feature = "s3")]
    #[test]
    fn blobs_can_be_in_a_bucket() {
        let url = "s3://my-photos/gallery?region=eu-central-1";
        let config = config(&[("GALLERY_BLOBS", url)]).unwrap();
        assert_eq!(config.blobs.folder(), None);
        assert!(config.to_string().contains(&format!("GALLERY_BLOBS={url} ")), "{config}");
        assert!(refusal("GALLERY_BLOBS", "s3://key:hunter2@my-photos").contains("credentials come from"));
    }

    #[cfg(feature = "cognito")]
    #[test]
    fn identities_can_be_in_a_user_pool_whose_secret_is_shown_nowhere() {
        let url = ("GALLERY_IDENTITY", "cognito://eu-central-1_AbCdEfGhI?client_id=1a2b3c");
        let config = config(&[url, ("GALLERY_COGNITO_CLIENT_SECRET", "hunter2")]).unwrap();
        assert!(config.to_string().contains("GALLERY_IDENTITY=cognito://eu-central-1_AbCdEfGhI"), "{config}");
        assert!(!format!("{config:?}").contains("hunter2"));
        let error = self::config(&[url]).unwrap_err();
        assert_eq!(error.variable, "GALLERY_COGNITO_CLIENT_SECRET");
        assert!(error.to_string().contains("is not set"), "{error}");
    }

    #[cfg(feature = "ses")]
    #[test]
    fn mail_can_go_over_ses() {
        let config = config(&[("GALLERY_MAIL", "ses:?from=gallery@example.org&region=eu-central-1")]).unwrap();
        assert!(config.to_string().ends_with("GALLERY_MAIL=ses:?region=eu-central-1"), "{config}");
        assert!(refusal("GALLERY_MAIL", "ses:").contains("says no sender"));
    }

    #[cfg(feature = "memory")]
    #[test]
    fn store_and_blobs_can_be_in_memory() {
        let config = config(&[("GALLERY_STORE", "memory:"), ("GALLERY_BLOBS", "memory:")]).unwrap();
        assert!(config.to_string().starts_with("GALLERY_STORE=memory: GALLERY_BLOBS=memory: "), "{config}");
        assert_eq!((config.store.file(), config.blobs.folder()), (None, None));
        for variable in ["GALLERY_STORE", "GALLERY_BLOBS"] {
            assert!(refusal(variable, "memory:somewhere").contains("has something behind `memory:`"));
        }
    }

    #[test]
    fn what_else_is_wrong_is_said_without_repeating_the_value() {
        for (variable, value, part) in [
            ("GALLERY_STORE", "gallery.db", "has no scheme, such as `sqlite:`"),
            ("GALLERY_IDENTITY", "password:hunter2", "has something behind `password:`"),
            ("GALLERY_MAIL", "smtp://user:hunter2@mail.example.org", "says no sender"),
            ("GALLERY_PUBLIC_URL", "photos.example.org", "is not a URL"),
            ("GALLERY_PUBLIC_URL", "ftp://photos.example.org", "does not start with"),
            ("GALLERY_PUBLIC_URL", "https://user:hunter2@photos.example.org", "has more than"),
            ("GALLERY_PUBLIC_URL", "https://photos.example.org/?x=hunter2", "has more than"),
        ] {
            let said = refusal(variable, value);
            assert!(said.starts_with(variable) && said.contains(part), "{said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
