//! The `gallery` program: the local server, and what an operator does at the console.
//!
//! It exits with 0 when all went well, with 1 when something failed or faults were found, with 2 when it was called wrongly, and with
//! 130 when it was interrupted before it was done.

mod apart;
mod backup;
mod checksums;
mod console;
mod doctor;
mod import;
mod interruption;
mod logging;
mod migrate_schema;
mod openapi;
mod opened;
mod progress;
mod provision;
mod replacement;
mod restore;
mod serve;
mod settings;
mod user;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use self::settings::Settings;

/// Runs the program with the arguments and the environment of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::of_this_process() {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    if let Err(error) = logging::start(cli.global.log.as_deref(), cli.is_serve()) {
        error.exit();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return console::fail(&anyhow::Error::new(error).context("cannot start")),
    };
    let outcome = runtime.block_on(cli.execute());
    // Reading a password or decoding a photo may go on in the background: nothing of it is worth waiting for.
    runtime.shutdown_background();
    outcome.unwrap_or_else(|error| match error.downcast::<clap::Error>() {
        Ok(error) => error.exit(),
        Err(error) => console::fail(&error),
    })
}

/// A gallery for your photos. Without a command it serves.
#[derive(Debug, Parser)]
#[command(name = "gallery", version)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    serve: settings::Arguments,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Global {
    /// The folder that holds the gallery; it is made if it is absent.
    #[arg(long, global = true, value_name = "DIR", env = "GALLERY_DATA", default_value = "gallery-data")]
    data: PathBuf,
    /// How much to log on stderr: error, warn, info, debug, trace, or filters such as `info,sqlx=debug`. Else RUST_LOG says so.
    #[arg(long, global = true, value_name = "LEVEL")]
    log: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gallery's page and API (what happens without a command, too)
    Serve(settings::Arguments),
    /// Add the photos of a folder and of all folders in it
    Import(import::Arguments),
    /// Check that everything is there and as it should be
    Verify(verify::Arguments),
    /// Copy the whole gallery to a new folder, also while it serves
    Backup(backup::Arguments),
    /// Bring a gallery back from a backup
    Restore(restore::Arguments),
    /// Bring the store's schema up to date, or say how far it is
    MigrateSchema(migrate_schema::Arguments),
    /// Look at every part that the environment names, and say what is wrong and what to do about it
    Doctor(doctor::Arguments),
    /// Make and set up what is missing on AWS: tables of DynamoDB, a bucket; as often as one likes
    Provision(provision::Arguments),
    /// Make, list and erase accounts
    #[command(subcommand)]
    User(user::Command),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
}

impl Cli {
    fn of_this_process() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        settings::refuse_before_a_command(&matches)?;
        Self::from_arg_matches(&matches)
    }

    fn is_serve(&self) -> bool {
        matches!(self.command, Some(Command::Serve(_)) | None)
    }

    async fn execute(self) -> anyhow::Result<ExitCode> {
        let data = &self.global.data;
        match self.command {
            None => serve::run(Settings::of_this_process(self.serve)?, data).await,
            Some(Command::Serve(arguments)) => serve::run(Settings::of_this_process(arguments)?, data).await,
            Some(Command::Import(arguments)) => import::run(&arguments, data).await,
            Some(Command::Verify(arguments)) => verify::run(arguments, data).await,
            Some(Command::Backup(arguments)) => backup::run(&arguments, data).await,
            Some(Command::Restore(arguments)) => restore::run(&arguments, data).await,
            Some(Command::MigrateSchema(arguments)) => migrate_schema::run(arguments, data).await,
            Some(Command::Doctor(arguments)) => doctor::run(arguments, data).await,
            Some(Command::Provision(arguments)) => provision::run(&arguments, data).await,
            Some(Command::User(command)) => user::run(command, data).await,
            Some(Command::Openapi) => openapi::run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}

/// The example of the README is compiled with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
