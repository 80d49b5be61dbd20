//! The page: its checks, its parts in Node, the whole of it in browsers against the program, and its pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow, bail};

use crate::{command, photos, seed, tools, workspace};

/// So many photos has the gallery that the page's budgets are held to.
const MANY: u64 = 10_000;

/// Installs what is missing, builds the program, and runs the checks and tests in `site`.
pub(crate) fn test(photos: &Path) -> Result<()> {
    tools::install_missing(&[&tools::NODE, &tools::NPM, &tools::CHROMIUM, &tools::FIREFOX])?;
    let site = workspace::root().join("site");
    install(&site)?;
    let program = build()?;
    let seeded = folder_in_memory()?;
    // The gallery of many photos is filled beside what does not need it.
    thread::scope(|scope| {
        let filled = scope.spawn(|| seed::fill(&program, seeded.path(), MANY));
        command::run(Command::new("npm").args(["run", "--silent", "check"]).current_dir(&site))?;
        for kind in ["unit", "static"] {
            run_tests(&site, kind, |node| node.env("GALLERY_TEST_BINARY", &program))?;
        }
        filled.join().map_err(|_| anyhow!("filling the gallery of many photos broke down"))?
    })?;
    run_tests(&site, "e2e", |node| {
        node.env("GALLERY_TEST_BINARY", &program)
            .env("GALLERY_TEST_PHOTOS", photos)
            .env("GALLERY_TEST_SEEDED", seeded.path())
    })
}

/// Makes the pictures in `docs/screenshots` anew.
pub(crate) fn screenshots(photo_folder: Option<PathBuf>) -> Result<()> {
    tools::install_missing(&[&tools::NODE, &tools::NPM, &tools::CHROMIUM])?;
    let site = workspace::root().join("site");
    install(&site)?;
    let program = build()?;
    let mut node = Command::new("node");
    node.arg("tools/screenshots.mjs").arg(workspace::root().join("docs/screenshots")).current_dir(&site);
    node.env("GALLERY_TEST_BINARY", program).env("GALLERY_TEST_PHOTOS", photos::gather(photo_folder)?);
    command::run(&mut node)
}

/// What the checks and tests of the page are written with. The page itself needs none of it.
fn install(site: &Path) -> Result<()> {
    command::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(site))
}

fn build() -> Result<PathBuf> {
    command::run(&mut command::cargo(["build", "--package", "gallery-lambda"]))?;
    workspace::program("debug")
}

/// A folder that is gone afterwards: in memory where this machine has such, for the thousands of small files in it are not what is tested.
fn folder_in_memory() -> Result<tempfile::TempDir> {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).context("cannot make a temporary folder")
}

fn run_tests(site: &Path, kind: &str, settings: impl Fn(&mut Command) -> &mut Command) -> Result<()> {
    let mut node = Command::new("node");
    // Two files at a time: much of what they do is waiting.
    node.args(["--test", "--test-concurrency=2"]).args(tests_in(&site.join("tests").join(kind))?).current_dir(site);
    command::run(settings(&mut node))
}

/// The test files of a folder, each by name: whether `node --test` takes a folder depends on its version.
fn tests_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".test.mjs") {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("there are no tests in {}", folder.display());
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_test_is_found_by_name() {
        let tests = workspace::root().join("site/tests");
        for kind in ["unit", "static", "e2e"] {
            let found = tests_in(&tests.join(kind)).unwrap();
            assert!(found.iter().all(|file| file.to_string_lossy().ends_with(".test.mjs")) && !found.is_empty());
        }
        assert!(tests_in(&tests).is_err(), "a folder without tests is a failure, not a success of nothing");
    }
}
