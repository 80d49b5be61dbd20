//! The tests of the page: its parts in Node, and the whole of it in a browser against the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, tools, workspace};

/// Installs what is missing, builds the program, and runs the tests in `site/tests`.
pub(crate) fn test(photos: &Path) -> Result<()> {
    tools::install_missing(&[&tools::NODE, &tools::NPM, &tools::CHROMIUM])?;
    let site = workspace::root().join("site");
    command::run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&site))?;
    command::run(&mut command::cargo(["build", "--package", "gallery-lambda"]))?;
    let metadata = workspace::metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo names its target folder")?;
    let program = Path::new(target).join("debug/gallery");
    for kind in ["unit", "e2e"] {
        let mut node = Command::new("node");
        node.arg("--test").args(tests_in(&site.join("tests").join(kind))?).current_dir(&site);
        command::run(node.env("GALLERY_TEST_BINARY", &program).env("GALLERY_TEST_PHOTOS", photos))?;
    }
    Ok(())
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
        let found = tests_in(&tests.join("e2e")).unwrap();
        assert!(found.iter().all(|file| file.to_string_lossy().ends_with(".test.mjs")) && !found.is_empty());
        assert!(tests_in(&tests).is_err(), "a folder without tests is a failure, not a success of nothing");
    }
}
