//! `GALLERY_STORE=postgres://…`, parsed.

use std::fmt;
use std::str::FromStr;

use gallery_domain::InvalidValue;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use url::Url;

use crate::postgres::PostgresOptions;

/// Which PostgreSQL database, and how: `postgres://user:password@host:port/database?sslmode=verify-full`.
///
/// What the URL leaves out comes from `PGHOST`, `PGUSER` and their kind, and a password from `~/.pgpass`, as with PostgreSQL's own programs.
/// User, password and database are percent-encoded. The parameters:
///
/// | name | means |
/// |---|---|
/// | `sslmode` | `verify-full`: TLS with a server that proves its name, which is the default for a server on another machine; `verify-ca`: that proves who vouches for it; `require`: TLS with anybody; `prefer`: also without; `disable`: without |
/// | `sslrootcert` | a file of certificates to trust beside those of the system, such as the bundle of Amazon RDS |
/// | `sslcert`, `sslkey` | files of the client's own certificate and key |
/// | `host`, `user` | for a server on this machine, as in `postgres:///gallery?host=/run/postgresql&user=ada`: the folder of its socket, and who |
/// | `password` | in place of a password before the host, with the feature `aws`: `secretsmanager:NAME` or `secretsmanager:ARN` for one that AWS Secrets Manager keeps, fetched anew when it was changed; `iam` for tokens of AWS IAM, which go over TLS alone |
/// | `region` | where in AWS that is; else what the ARN or the server's name says, or else AWS's own settings |
/// | `max_connections` | how many connections there may be at the same time |
/// | `proxy` | `true` behind a proxy that shares connections among clients, such as RDS Proxy: the server is to remember no statements |
#[derive(Clone)]
pub struct PostgresSettings {
    url: SecretString,
    connect: PgConnectOptions,
    ssl_mode: &'static str,
    password: PasswordChoice,
    options: PostgresOptions,
}

/// Where the password of a database comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordChoice {
    /// The URL, the environment or `~/.pgpass`; or there is none.
    Own,
    /// `password=secretsmanager:NAME`
    #[cfg(feature = "aws")]
    SecretsManager {
        /// The secret's name or ARN.
        secret: String,
        /// Where it is, if the URL says so.
        region: Option<String>,
        /// Whether the secret says who logs in, because the URL does not.
        names_user: bool,
    },
    /// `password=iam`
    #[cfg(feature = "aws")]
    Iam {
        /// Where the server is, if the URL says so.
        region: Option<String>,
    },
}

impl PostgresSettings {
    /// How to reach the database.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// Where the password comes from.
    pub fn password(&self) -> &PasswordChoice {
        &self.password
    }

    /// How the store uses it.
    pub fn options(&self) -> PostgresOptions {
        self.options
    }
}

impl FromStr for PostgresSettings {
    type Err = InvalidValue;

    /// No error repeats a value: it may be a password. The files that the URL names have to be there.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "postgres" | "postgresql") && !url.cannot_be_a_base())
            .ok_or_else(|| {
                invalid(
                    "is not a URL such as postgres://user:password@db.example.org/gallery: in a user name or password, write `/` as %2F, \
                     `#` as %23, `?` as %3F and `@` as %40",
                )
            })?;
        if url.fragment().is_some() || url.path().trim_start_matches('/').contains('/') {
            return Err(invalid(
                "has something behind the database's name: in a user name or password, write `/` as %2F and `#` as %23",
            ));
        }
        let parameters = Parameters::of(&url)?;
        // Ours are not the driver's, which would log what it does not know.
        let mut known = url.clone();
        known.set_query(None);
        let connect: PgConnectOptions = known.as_str().parse().map_err(|_| invalid("cannot be understood"))?;
        let connect = parameters.apply_to(connect);
        parameters.check_files()?;
        let password = parameters.password_choice(&url, &connect)?;
        let ssl_mode = match &parameters.ssl_mode {
            Some(mode) => SslMode::named(mode)?,
            None if std::env::var_os("PGSSLMODE").is_some() => SslMode::of(connect.get_ssl_mode()),
            None if is_local(&connect) && !goes_over_tls_alone(&password) => SslMode::of(PgSslMode::Prefer),
            None => SslMode::of(PgSslMode::VerifyFull),
        };
        let encrypts = matches!(ssl_mode.mode, PgSslMode::VerifyFull | PgSslMode::VerifyCa | PgSslMode::Require);
        if goes_over_tls_alone(&password) && (!encrypts || connect.get_socket().is_some()) {
            return Err(invalid(
                "has `password=iam`, and such a token goes over TLS alone: leave `sslmode` out, or set it to `verify-full`, `verify-ca` or \
                 `require`, and name a server rather than a socket",
            ));
        }
        let mut options = PostgresOptions::default();
        if let Some(connections) = &parameters.max_connections {
            options.max_connections = connections
                .parse()
                .ok()
                .filter(|connections| *connections > 0)
                .ok_or_else(|| invalid("has a `max_connections` that is not a number above 0"))?;
        }
        match parameters.proxy.as_deref() {
            None | Some("false") => {}
            Some("true") => options.persistent_statements = false,
            Some(_) => return Err(invalid("has a `proxy` that is neither `true` nor `false`")),
        }
        Ok(Self {
            url: text.into(),
            connect: connect.ssl_mode(ssl_mode.mode),
            ssl_mode: ssl_mode.name,
            password,
            options,
        })
    }
}

/// The URL says it all.
impl PartialEq for PostgresSettings {
    fn eq(&self, other: &Self) -> bool {
        self.url.expose_secret() == other.url.expose_secret()
    }
}

impl Eq for PostgresSettings {}

/// Shows no password.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("database", &format_args!("{self}"))
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// Server, port, database, and how safely.
impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connect = &self.connect;
        let database = connect.get_database().unwrap_or_else(|| connect.get_username());
        match connect.get_socket() {
            Some(folder) => write!(f, "postgres:///{database}?host={}", folder.display())?,
            None => {
                let (host, port) = (connect.get_host(), connect.get_port());
                write!(f, "postgres://{host}:{port}/{database}?sslmode={}", self.ssl_mode)?;
            }
        }
        match self.password {
            PasswordChoice::Own => Ok(()),
            #[cfg(feature = "aws")]
            PasswordChoice::SecretsManager { .. } => f.write_str("&password=secretsmanager"),
            #[cfg(feature = "aws")]
            PasswordChoice::Iam { .. } => f.write_str("&password=iam"),
        }
    }
}

/// The URL's parameters, each at most once.
#[derive(Default)]
struct Parameters {
    ssl_mode: Option<String>,
    ssl_root_cert: Option<String>,
    ssl_cert: Option<String>,
    ssl_key: Option<String>,
    host: Option<String>,
    user: Option<String>,
    password: Option<String>,
    region: Option<String>,
    max_connections: Option<String>,
    proxy: Option<String>,
}

impl Parameters {
    fn of(url: &Url) -> Result<Self, InvalidValue> {
        let mut found = Self::default();
        for (name, value) in url.query_pairs() {
            let place = match &*name {
                "sslmode" => &mut found.ssl_mode,
                "sslrootcert" => &mut found.ssl_root_cert,
                "sslcert" => &mut found.ssl_cert,
                "sslkey" => &mut found.ssl_key,
                "host" if value.starts_with('/') => &mut found.host,
                "host" => {
                    return Err(invalid("has a `host` that is not a folder: a server's name goes before the database"));
                }
                "user" => &mut found.user,
                "password" => &mut found.password,
                "region" => &mut found.region,
                "max_connections" => &mut found.max_connections,
                "proxy" => &mut found.proxy,
                _ => {
                    return Err(invalid(format!(
                        "has the unknown parameter `{name}`: there are `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host`, `user`, \
                         `password`, `region`, `max_connections` and `proxy`"
                    )));
                }
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(invalid(format!("has the parameter `{name}` twice")));
            }
        }
        if found.ssl_cert.is_some() != found.ssl_key.is_some() {
            return Err(invalid("needs both `sslcert` and `sslkey`, or neither"));
        }
        if found.region.is_some() && found.password.is_none() {
            return Err(invalid("has a `region`, which says where `password` is: add that, or remove it"));
        }
        Ok(found)
    }

    /// The driver would take a file that is not there for a server that is not.
    fn check_files(&self) -> Result<(), InvalidValue> {
        let of_environment = |name: &str| std::env::var(name).ok();
        for (parameter, variable, file) in [
            ("sslrootcert", "PGSSLROOTCERT", &self.ssl_root_cert),
            ("sslcert", "PGSSLCERT", &self.ssl_cert),
            ("sslkey", "PGSSLKEY", &self.ssl_key),
        ] {
            let (named, file) = match file {
                Some(file) => (format!("its `{parameter}`"), Some(file.clone())),
                None => (format!("the variable {variable} beside it"), of_environment(variable)),
            };
            if let Some(file) = file.filter(|file| !file.starts_with("-----BEGIN"))
                && let Err(error) = std::fs::read(file)
            {
                let kind = error.kind();
                return Err(invalid(format!(
                    "cannot be used, for {named} names a file that cannot be read ({kind}): check its path"
                )));
            }
        }
        Ok(())
    }

    fn password_choice(&self, url: &Url, _connect: &PgConnectOptions) -> Result<PasswordChoice, InvalidValue> {
        let Some(password) = &self.password else { return Ok(PasswordChoice::Own) };
        let is_known = password == "iam" || password.starts_with("secretsmanager:");
        if !is_known {
            return Err(invalid(
                "has a `password` that is neither `secretsmanager:NAME` nor `iam`: a password itself goes before the host, as in \
                 postgres://user:password@host",
            ));
        }
        if url.password().is_some() {
            return Err(invalid("has a password before the host and another as `password`: remove one"));
        }
        #[cfg(not(feature = "aws"))]
        return Err(invalid(
            "has a `password` that comes from AWS, which is not in this build: build the gallery with `--features postgres,aws`",
        ));
        #[cfg(feature = "aws")]
        match password.strip_prefix("secretsmanager:") {
            Some("") => Err(invalid("has `password=secretsmanager:` without the name of a secret")),
            Some(secret) => Ok(PasswordChoice::SecretsManager {
                secret: secret.to_owned(),
                region: self.region.clone().or_else(|| region_of_secret(secret)),
                names_user: url.username().is_empty() && self.user.is_none(),
            }),
            None => Ok(PasswordChoice::Iam {
                region: self.region.clone().or_else(|| region_of_server(_connect.get_host())),
            }),
        }
    }

    fn apply_to(&self, mut connect: PgConnectOptions) -> PgConnectOptions {
        if let Some(folder) = &self.host {
            connect = connect.socket(folder);
        }
        if let Some(user) = &self.user {
            connect = connect.username(user);
        }
        if let Some(file) = &self.ssl_root_cert {
            connect = connect.ssl_root_cert(file);
        }
        if let (Some(certificate), Some(key)) = (&self.ssl_cert, &self.ssl_key) {
            connect = connect.ssl_client_cert(certificate).ssl_client_key(key);
        }
        connect
    }
}

/// A way of TLS, and its name.
struct SslMode {
    name: &'static str,
    mode: PgSslMode,
}

impl SslMode {
    fn of(mode: PgSslMode) -> Self {
        let name = match mode {
            PgSslMode::VerifyFull => "verify-full",
            PgSslMode::VerifyCa => "verify-ca",
            PgSslMode::Require => "require",
            PgSslMode::Prefer => "prefer",
            PgSslMode::Allow | PgSslMode::Disable => "disable",
        };
        Self { name, mode }
    }

    /// `allow` is left out: the driver takes it for `disable`.
    fn named(name: &str) -> Result<Self, InvalidValue> {
        use PgSslMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
        [VerifyFull, VerifyCa, Require, Prefer, Disable]
            .map(Self::of)
            .into_iter()
            .find(|known| known.name == name)
            .ok_or_else(|| {
                invalid(
                    "has an unknown `sslmode`: there are `verify-full`, `verify-ca`, `require`, `prefer` and `disable`",
                )
            })
    }
}

/// Whether the password must not be sent in the clear, even on this machine: RDS would not take it.
fn goes_over_tls_alone(password: &PasswordChoice) -> bool {
    match password {
        PasswordChoice::Own => false,
        #[cfg(feature = "aws")]
        PasswordChoice::SecretsManager { .. } => false,
        #[cfg(feature = "aws")]
        PasswordChoice::Iam { .. } => true,
    }
}

/// The region in an ARN, such as `arn:aws:secretsmanager:eu-central-1:123456789012:secret:gallery-AbCdEf`.
#[cfg(feature = "aws")]
fn region_of_secret(secret: &str) -> Option<String> {
    let region = secret.strip_prefix("arn:")?.split(':').nth(2)?;
    (!region.is_empty()).then(|| region.to_owned())
}

/// The region in the name that RDS gives a server or a proxy, such as `gallery.abcdefghijkl.eu-central-1.rds.amazonaws.com`.
#[cfg(feature = "aws")]
fn region_of_server(host: &str) -> Option<String> {
    let (name, _) = host.split_once(".rds.amazonaws.com")?;
    Some(name.rsplit_once('.')?.1.to_owned())
}

/// Whether what is sent stays on this machine.
fn is_local(connect: &PgConnectOptions) -> bool {
    let host = connect.get_host().trim_matches(['[', ']']);
    let address = host.parse::<std::net::IpAddr>();
    connect.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|address| address.is_loopback())
}

fn invalid(reason: impl Into<String>) -> InvalidValue {
    InvalidValue::new(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> PostgresSettings {
        url.parse().unwrap()
    }

    #[test]
    fn a_url_says_where_who_and_how() {
        let certificates = tempfile::NamedTempFile::new().unwrap();
        let settings = settings(&format!(
            "postgres://ada%40home:p%2Fw%23@db.example.org:6432/photo%20s?sslmode=verify-ca&sslrootcert={}&max_connections=3&proxy=true",
            certificates.path().display()
        ));
        let connect = settings.connect_options();
        assert_eq!((connect.get_host(), connect.get_port()), ("db.example.org", 6432));
        assert_eq!((connect.get_username(), connect.get_database()), ("ada@home", Some("photo s")));
        assert!(matches!(connect.get_ssl_mode(), PgSslMode::VerifyCa));
        assert_eq!(settings.options().max_connections, 3);
        assert!(!settings.options().persistent_statements);
    }

    #[test]
    fn a_server_elsewhere_has_to_prove_its_name_unless_the_url_says_otherwise() {
        for (url, shown) in [
            ("postgres://u@db.example.org/g", "postgres://db.example.org:5432/g?sslmode=verify-full"),
            ("postgresql://u@10.0.0.7:6000/g", "postgres://10.0.0.7:6000/g?sslmode=verify-full"),
            ("postgres://u@db.example.org/g?sslmode=disable", "postgres://db.example.org:5432/g?sslmode=disable"),
            ("postgres://u@localhost/g", "postgres://localhost:5432/g?sslmode=prefer"),
            ("postgres://u@127.0.0.1:5433/g", "postgres://127.0.0.1:5433/g?sslmode=prefer"),
            ("postgres://u@127.0.0.1/g?sslmode=require", "postgres://127.0.0.1:5432/g?sslmode=require"),
            ("postgres:///g?host=/run/postgresql&user=u", "postgres:///g?host=/run/postgresql"),
        ] {
            assert_eq!(settings(url).to_string(), shown);
        }
    }

    #[test]
    fn neither_debug_nor_display_shows_a_password() {
        let settings = settings("postgres://ada:hunter2@db.example.org/gallery?sslmode=require");
        for shown in [format!("{settings:?}"), settings.to_string()] {
            assert!(!shown.contains("hunter2") && !shown.contains("ada"), "{shown}");
            assert!(shown.contains("db.example.org"), "{shown}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_a_value() {
        for (url, part) in [
            ("postgres:hunter2", "is not a URL"),
            ("postgres://u:hunter2/x@db/g", "is not a URL"),
            ("postgres://u:hunter2@db/g/hunter2", "behind the database's name"),
            ("postgres://u:hunter2@db/g#hunter2", "behind the database's name"),
            ("postgres://u@db/g?sslmode=hunter2", "unknown `sslmode`"),
            ("postgres://u@db/g?sslmode=allow", "unknown `sslmode`"),
            ("postgres://u@db/g?max_connections=hunter2", "not a number above 0"),
            ("postgres://u@db/g?max_connections=0", "not a number above 0"),
            ("postgres://u@db/g?proxy=hunter2", "neither `true` nor `false`"),
            ("postgres://u@db/g?passwort=hunter2", "unknown parameter `passwort`"),
            ("postgres://u@db/g?host=hunter2", "not a folder"),
            ("postgres://u@db/g?proxy=true&proxy=true", "`proxy` twice"),
            ("postgres://u@db/g?sslcert=/a.pem", "both `sslcert` and `sslkey`"),
            (
                "postgres://u@db/g?sslrootcert=/hunter2.pem",
                "its `sslrootcert` names a file that cannot be read (entity not found)",
            ),
            ("postgres://u@db/g?sslrootcert=/", "its `sslrootcert` names a file that cannot be read"),
            (
                "postgres://u@db/g?sslcert=/hunter2.pem&sslkey=/hunter2.pem",
                "its `sslcert` names a file that cannot be read",
            ),
            ("postgres://u@db/g?password=hunter2", "neither `secretsmanager:NAME` nor `iam`"),
            ("postgres://u:hunter2@db/g?password=iam", "a password before the host and another"),
            ("postgres://u@db/g?region=hunter2", "a `region`, which says where `password` is"),
            #[cfg(not(feature = "aws"))]
            ("postgres://u@db/g?password=iam", "build the gallery with `--features postgres,aws`"),
            #[cfg(not(feature = "aws"))]
            ("postgres://u@db/g?password=secretsmanager:hunter2", "build the gallery with `--features postgres,aws`"),
            #[cfg(feature = "aws")]
            ("postgres://u@db/g?password=secretsmanager:", "without the name of a secret"),
            #[cfg(feature = "aws")]
            ("postgres://u@db/g?password=iam&sslmode=prefer", "over TLS alone"),
            #[cfg(feature = "aws")]
            ("postgres://u@db/g?password=iam&sslmode=disable", "over TLS alone"),
            #[cfg(feature = "aws")]
            ("postgres:///g?password=iam&host=/run/postgresql&user=u", "over TLS alone"),
        ] {
            let said = url.parse::<PostgresSettings>().unwrap_err().reason().to_owned();
            assert!(said.contains(part), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn a_password_may_be_in_secrets_manager_or_be_a_token_of_iam() {
        let secret = |secret: &str, region: Option<&str>, names_user| PasswordChoice::SecretsManager {
            secret: secret.to_owned(),
            region: region.map(str::to_owned),
            names_user,
        };
        let iam = |region: Option<&str>| PasswordChoice::Iam { region: region.map(str::to_owned) };
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf";
        for (url, password) in [
            ("postgres://db.example.org/g?password=secretsmanager:prod/gallery", secret("prod/gallery", None, true)),
            (
                "postgres://u@db.example.org/g?password=secretsmanager:g&region=eu-north-1",
                secret("g", Some("eu-north-1"), false),
            ),
            (
                &format!("postgres://db.example.org/g?user=u&password=secretsmanager:{arn}"),
                secret(arn, Some("eu-west-1"), false),
            ),
            ("postgres://u@g.abcdef.eu-south-1.rds.amazonaws.com/g?password=iam", iam(Some("eu-south-1"))),
            ("postgres://u@g.abcdef.cn-north-1.rds.amazonaws.com.cn/g?password=iam", iam(Some("cn-north-1"))),
            ("postgres://u@db.example.org/g?password=iam", iam(None)),
            ("postgres://u@localhost/g?password=iam&region=eu-north-1", iam(Some("eu-north-1"))),
        ] {
            let settings = settings(url);
            assert_eq!(*settings.password(), password, "{url}");
            let shown = settings.to_string();
            assert!(!shown.contains("prod") && shown.contains("sslmode=verify-full&password="), "{shown}");
        }
        let local = settings("postgres://u@localhost/g?password=secretsmanager:g").to_string();
        assert_eq!(local, "postgres://localhost:5432/g?sslmode=prefer&password=secretsmanager");
    }
}
