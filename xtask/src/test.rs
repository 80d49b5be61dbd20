//! Everything that a change has to pass, in one command.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{command, dependencies, photos, tidy, tools};

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
    step(8, "tests", || {
        let mut test = command::cargo(["test", "--workspace", "--all-features"]);
        // A server or a folder that is missing is a failure from here on, never a reason to leave a test out.
        test.env("GALLERY_REQUIRE_BACKENDS", "all").env("GALLERY_TEST_PHOTOS", photos);
        command::run(&mut test)
    })?;
    eprintln!("\ncargo xtask test: all {STEPS} steps passed");
    Ok(())
}

const STEPS: usize = 8;

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
        assert_eq!(error, "cargo xtask test stopped at step 2 of 8, formatting: a line is too long");
    }
}
