//! Everything that a change has to pass, in one command.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::aws::Servers;
use crate::postgres::Server;
use crate::{command, dependencies, dynamodb, page, photos, serverless, template, tidy, tools};

/// Installs what is missing, then runs the steps in order; stops at the first that fails.
pub(crate) fn run(photo_folder: Option<PathBuf>) -> Result<()> {
    step(1, "tools", || tools::install_missing(&[&tools::EXIFTOOL, &tools::GIT, &tools::CURL, &tools::JQ]))?;
    step(2, "formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step(3, "tidiness", tidy::check)?;
    step(4, "dependencies", dependencies::check)?;
    step(5, "the template of the deployment", template::check)?;
    step(6, "lints", || cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "--deny=warnings"]))?;
    step(7, "documentation", || {
        let mut doc = command::cargo(["doc", "--no-deps", "--workspace", "--all-features"]);
        command::run(doc.env("RUSTDOCFLAGS", "--deny=warnings"))
    })?;
    let photos = step(8, "photos", || photos::gather(photo_folder))?;
    let usual = step(9, "PostgreSQL", Server::start_usual)?;
    let tables = step(10, "DynamoDB", dynamodb::Server::start)?;
    let aws = step(11, "other servers that speak the protocols of AWS", Servers::start)?;
    // Every step knows every server: a test of one store may start the program on another.
    let test = |postgres: &Server, store: Option<&str>, targets: &[&'static str]| {
        // Every failure is shown, not only those of the first binary that has one.
        let mut test = command::cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        // A server or a folder that is missing is a failure from here on, never a reason to leave a test out.
        test.args(targets).env("GALLERY_REQUIRE_BACKENDS", "all").env("GALLERY_TEST_PHOTOS", &photos);
        test.envs(store.map(|store| (STORE, store)));
        command::run(aws.tell(tables.tell(postgres.tell(&mut test))))
    };
    let program = ["--test=http", "--test=end_to_end"];
    step(12, "tests", || test(&usual, None, &[]))?;
    step(13, "the API on SQLite", || test(&usual, Some("sqlite"), &["--test=http"]))?;
    step(14, "the API and the program on PostgreSQL", || test(&usual, Some("postgres"), &program))?;
    step(15, "the API and the program on DynamoDB", || test(&usual, Some("dynamodb"), &program))?;
    step(16, "the page", || page::test(&photos))?;
    step(17, "the gallery as it is deployed", || serverless::test(&serverless::Options::default(), &usual))?;
    step(18, "the newest PostgreSQL", || {
        usual.stop()?;
        let newest = Server::start_newest()?;
        let stores = ["--test=*postgres*", "--test=schema_upgrades"];
        test(&newest, Some("postgres"), &[stores, program].concat())?;
        newest.stop()
    })?;
    tables.stop()?;
    eprintln!("\ncargo xtask test: all {STEPS} steps passed");
    Ok(())
}

const STEPS: usize = 18;

/// Chooses the store that the tests of the API and of the program run on.
const STORE: &str = "GALLERY_TEST_STORE";

fn step<T>(number: usize, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("\n==> step {number} of {STEPS}: {name}");
    let begun = Instant::now();
    let done = work().with_context(|| format!("cargo xtask test stopped at step {number} of {STEPS}, {name}"))?;
    eprintln!("    step {number} took {} s", begun.elapsed().as_secs());
    Ok(done)
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
        assert_eq!(error, "cargo xtask test stopped at step 2 of 18, formatting: a line is too long");
    }
}
