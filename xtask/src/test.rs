//! Everything that a change has to pass, in one command.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::postgres::Server;
use crate::{command, dependencies, dynamodb, page, photos, tidy, tools};

/// Installs what is missing, then runs the steps in order; stops at the first that fails.
pub(crate) fn run(photo_folder: Option<PathBuf>) -> Result<()> {
    step(1, "tools", || tools::install_missing(&[&tools::EXIFTOOL, &tools::GIT, &tools::CURL, &tools::JQ]))?;
    step(2, "formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step(3, "tidiness", tidy::check)?;
    step(4, "dependencies", dependencies::check)?;
    step(5, "lints", || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny=warnings"]))?;
    step(6, "documentation", || {
        let mut doc = command::cargo(["doc", "--no-deps", "--workspace", "--all-features"]);
        command::run(doc.env("RUSTDOCFLAGS", "--deny=warnings"))
    })?;
    let photos = step(7, "photos", || photos::gather(photo_folder))?;
    let test = |targets: &[&'static str]| {
        // Every failure is shown, not only those of the first binary that has one.
        let mut test = command::cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        // A server or a folder that is missing is a failure from here on, never a reason to leave a test out.
        test.args(targets).env("GALLERY_REQUIRE_BACKENDS", "all").env("GALLERY_TEST_PHOTOS", &photos);
        test
    };
    let server = step(8, "PostgreSQL", Server::start_usual)?;
    let tables = step(9, "DynamoDB", dynamodb::Server::start)?;
    step(10, "tests", || command::run(tables.tell(server.tell(&mut test(&[])))))?;
    step(11, "the API on SQLite", || command::run(test(&["--test=http"]).env(STORE, "sqlite")))?;
    step(12, "the API and the program on PostgreSQL", || {
        command::run(server.tell(test(&["--test=http", "--test=end_to_end"]).env(STORE, "postgres")))
    })?;
    step(13, "the API and the program on DynamoDB", || {
        let mut test = test(&["--test=http", "--test=end_to_end"]);
        // Some tests of the program are about PostgreSQL, whatever the others run on.
        command::run(tables.tell(server.tell(test.env(STORE, "dynamodb"))))?;
        tables.stop()?;
        server.stop()
    })?;
    step(14, "the page", || page::test(&photos))?;
    step(15, "the newest PostgreSQL", || {
        let server = Server::start_newest()?;
        let targets = ["--test=*postgres*", "--test=schema_upgrades", "--test=http", "--test=end_to_end"];
        command::run(server.tell(test(&targets).env(STORE, "postgres")))?;
        server.stop()
    })?;
    eprintln!("\ncargo xtask test: all {STEPS} steps passed");
    Ok(())
}

const STEPS: usize = 15;

/// Chooses the store that the tests of the API and of the program run on.
const STORE: &str = "GALLERY_TEST_STORE";

fn step<T>(number: usize, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("\n==> step {number} of {STEPS}: {name}");
    work().with_context(|| format!("cargo xtask test stopped at step {number} of {STEPS}, {name}"))
}

fn cargo(arguments: &[&'static str]) -> Result<()> {
    command::run(&mut command::cargo(arguments.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_failing_step_is_named_before_its_cause() {
        let error = step(2, "formatting", || -> Result<()> { bail!("a line is too long") }).unwrap_err();
        let error = format!("{error:#}");
        assert_eq!(error, "cargo xtask test stopped at step 2 of 15, formatting: a line is too long");
    }
}
