//! What the server is told on the command line and, where that is silent, in the environment.

use std::ffi::OsString;

use clap::builder::{BoolishValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, Command, CommandFactory};

use crate::origins::{origin, origins};

/// What the server is told on the command line. The environment is asked by [`Settings::from_lookup`] and not by clap, which would ask it for
/// other commands, too, and refuse them for what is none of their business.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Arguments {
    /// Where to listen: HOST:PORT; the port 0 picks a free one [env: GALLERY_LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR", value_parser = host_and_port)]
    listen: Option<String>,
    /// A web origin whose pages may call the API with a bearer token, such as https://photos.example.org; may be given more than once
    /// [env: GALLERY_ALLOWED_ORIGINS, separated by commas]
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Take the last address in X-Forwarded-For for the client's: only behind a proxy that sets it [env: GALLERY_BEHIND_PROXY]
    #[arg(long)]
    behind_proxy: bool,
}

/// How the server is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) listen: String,
    pub(super) allowed_origins: Vec<String>,
    pub(super) behind_proxy: bool,
}

impl Settings {
    /// What the arguments say, else the environment of this process, else the defaults.
    pub(super) fn of_this_process(arguments: Arguments) -> Result<Self, clap::Error> {
        Self::from_lookup(arguments, |name| std::env::var_os(name))
    }

    fn from_lookup(arguments: Arguments, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, clap::Error> {
        let lookup = |name| lookup(name).filter(|value| !value.to_string_lossy().trim().is_empty());
        let text = |name| match lookup(name) {
            Some(value) => value.into_string().map(Some).map_err(|_| refused(name, "it is not UTF-8")),
            None => Ok(None),
        };
        let listen = match (arguments.listen, text("GALLERY_LISTEN")?) {
            (Some(listen), _) => listen,
            (None, Some(listen)) => {
                host_and_port(listen.trim()).map_err(|reason| refused("GALLERY_LISTEN", &reason))?
            }
            (None, None) => "127.0.0.1:8080".to_owned(),
        };
        let allowed_origins = match (arguments.allow_origin, text("GALLERY_ALLOWED_ORIGINS")?) {
            (given, Some(list)) if given.is_empty() => {
                origins(&list).map_err(|reason| refused("GALLERY_ALLOWED_ORIGINS", &reason))?
            }
            (given, _) => given,
        };
        let behind_proxy = match lookup("GALLERY_BEHIND_PROXY") {
            Some(value) if !arguments.behind_proxy => BoolishValueParser::new()
                .parse_ref(&command(), None, &value)
                .map_err(|_| refused("GALLERY_BEHIND_PROXY", "expected true or false, 1 or 0"))?,
            _ => arguments.behind_proxy,
        };
        Ok(Self { listen, allowed_origins, behind_proxy })
    }
}

/// Refuses what of these arguments stands before a command, where it would be lost.
pub(super) fn refuse_before_a_command(matches: &clap::ArgMatches) -> Result<(), clap::Error> {
    let given = Arguments::augment_args(Command::new("serve"))
        .get_arguments()
        .filter(|argument| matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine))
        .find_map(|argument| argument.get_long().map(str::to_owned));
    match (given, matches.subcommand_name()) {
        (Some(option), Some("serve")) => {
            let problem =
                format!("--{option} stands before `serve`: put it behind, as in `gallery serve --{option} …`");
            Err(command().error(ErrorKind::ArgumentConflict, problem))
        }
        (Some(option), Some(_)) => {
            let problem = format!("--{option} is for `gallery serve`: leave it out");
            Err(command().error(ErrorKind::ArgumentConflict, problem))
        }
        _ => Ok(()),
    }
}

fn command() -> Command {
    super::Cli::command()
}

fn refused(variable: &str, reason: &str) -> clap::Error {
    command().error(ErrorKind::ValueValidation, format!("{variable}: {reason}"))
}

fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("expected HOST:PORT, such as 127.0.0.1:8080".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(arguments: Arguments, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let value = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Settings::from_lookup(arguments, value).map_err(|error| error.to_string())
    }

    #[test]
    fn an_address_has_a_host_and_a_port() {
        for good in ["127.0.0.1:0", "localhost:8080", "[::1]:80"] {
            assert!(host_and_port(good).is_ok(), "{good}");
        }
        for bad in ["8080", ":8080", "localhost", "localhost:http", "localhost:70000"] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_no_more() {
        for (text, origin_of_it) in [
            ("https://photos.example.org", "https://photos.example.org"),
            ("https://Photos.Example.org/", "https://photos.example.org"),
            ("https://photos.example.org:443", "https://photos.example.org"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(origin_of_it));
        }
        for bad in [
            "photos.example.org",
            "*",
            "https://*",
            "",
            "https://",
            "ftp://photos.example.org",
            "https://photos.example.org/app",
            "https://ada@photos.example.org",
            "https://photos.example.org?x",
            "null",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_defaults() {
        let plain = Settings { listen: "127.0.0.1:8080".into(), allowed_origins: Vec::new(), behind_proxy: false };
        assert_eq!(settings(Arguments::default(), &[]), Ok(plain.clone()));
        assert_eq!(settings(Arguments::default(), &[("GALLERY_LISTEN", ""), ("GALLERY_BEHIND_PROXY", " ")]), Ok(plain));
        let environment = [
            ("GALLERY_LISTEN", "[::1]:80"),
            ("GALLERY_ALLOWED_ORIGINS", "https://a.example, https://b.example"),
            ("GALLERY_BEHIND_PROXY", "1"),
        ];
        let of_environment = settings(Arguments::default(), &environment).unwrap();
        assert_eq!(of_environment.listen, "[::1]:80");
        assert_eq!(of_environment.allowed_origins, ["https://a.example", "https://b.example"]);
        assert!(of_environment.behind_proxy);
        let arguments = Arguments {
            listen: Some("127.0.0.1:0".into()),
            allow_origin: vec!["https://c.example".into()],
            behind_proxy: true,
        };
        let both = settings(arguments, &[("GALLERY_BEHIND_PROXY", "no"), environment[0], environment[1]]).unwrap();
        assert_eq!((&*both.listen, both.behind_proxy), ("127.0.0.1:0", true));
        assert_eq!(both.allowed_origins, ["https://c.example"]);
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named() {
        for (variable, value) in [
            ("GALLERY_LISTEN", "8080"),
            ("GALLERY_ALLOWED_ORIGINS", "https://a.example,photos.example.org"),
            ("GALLERY_BEHIND_PROXY", "perhaps"),
        ] {
            let refusal = settings(Arguments::default(), &[(variable, value)]).unwrap_err();
            assert!(refusal.contains(variable), "{refusal}");
        }
    }
}
