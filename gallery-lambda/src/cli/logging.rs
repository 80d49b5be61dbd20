//! Logs on stderr: readable on a terminal, JSON lines anywhere else or with `GALLERY_LOG=json`.

use std::io::IsTerminal;

use clap::CommandFactory;
use clap::error::ErrorKind;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

use crate::log_lines::JsonLines;

/// Starts logging: as much as `level` says, else RUST_LOG, else what a server or a command is by default.
pub(super) fn start(level: Option<&str>, serving: bool) -> Result<(), clap::Error> {
    let default = if serving { "info" } else { "warn" };
    let (origin, directives) = match (level, std::env::var("RUST_LOG")) {
        (Some(level), _) => ("--log", level.to_owned()),
        (None, Ok(directives)) if !directives.is_empty() => ("RUST_LOG", directives),
        _ => ("", default.to_owned()),
    };
    let filter = EnvFilter::try_new(&directives).map_err(|error| {
        let problem = format!("{origin}: `{directives}` is not a log level or filter: {error}");
        super::Cli::command().error(ErrorKind::InvalidValue, problem)
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let readable = std::io::stderr().is_terminal() && std::env::var("GALLERY_LOG").as_deref() != Ok("json");
    if readable {
        log.with_target(false).init()
    } else {
        log.fmt_fields(JsonFields::new()).event_format(JsonLines).init()
    }
    Ok(())
}
