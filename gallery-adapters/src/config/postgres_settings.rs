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
/// | `max_connections` | how many connections there may be at the same time |
/// | `proxy` | `true` behind a proxy that shares connections among clients, such as RDS Proxy: the server is to remember no statements |
#[derive(Clone)]
pub struct PostgresSettings {
    url: SecretString,
    connect: PgConnectOptions,
    ssl_mode: &'static str,
    options: PostgresOptions,
}

impl PostgresSettings {
    /// How to reach the database.
    pub fn connect_options(&self) -> &PgConnectOptions {
        &self.connect
    }

    /// How the store uses it.
    pub fn options(&self) -> PostgresOptions {
        self.options
    }
}

impl FromStr for PostgresSettings {
    type Err = InvalidValue;

    /// No error repeats a value: it may be a password.
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
        let ssl_mode = match &parameters.ssl_mode {
            Some(mode) => SslMode::named(mode)?,
            None if std::env::var_os("PGSSLMODE").is_some() => SslMode::of(connect.get_ssl_mode()),
            None if is_local(&connect) => SslMode::of(PgSslMode::Prefer),
            None => SslMode::of(PgSslMode::VerifyFull),
        };
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
        Ok(Self { url: text.into(), connect: connect.ssl_mode(ssl_mode.mode), ssl_mode: ssl_mode.name, options })
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
            Some(folder) => write!(f, "postgres:///{database}?host={}", folder.display()),
            None => {
                let (host, port) = (connect.get_host(), connect.get_port());
                write!(f, "postgres://{host}:{port}/{database}?sslmode={}", self.ssl_mode)
            }
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
                "max_connections" => &mut found.max_connections,
                "proxy" => &mut found.proxy,
                _ => {
                    return Err(invalid(format!(
                        "has the unknown parameter `{name}`: there are `sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `host`, `user`, \
                         `max_connections` and `proxy`"
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
        Ok(found)
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
        let settings = settings(
            "postgres://ada%40home:p%2Fw%23@db.example.org:6432/photo%20s?sslmode=verify-ca&sslrootcert=/etc/rds.pem&max_connections=3&proxy=true",
        );
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
        ] {
            let said = url.parse::<PostgresSettings>().unwrap_err().reason().to_owned();
            assert!(said.contains(part), "{url}: {said}");
            assert!(!said.contains("hunter2"), "{url}: {said}");
        }
    }
}
