//! Programs that are released as Python packages, each in an environment of its own, which is kept.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, tools};

/// A program, and the packages that it needs, with their versions.
pub(crate) struct Package {
    /// What the environment is named, and changes with the packages.
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) program: &'static str,
}

impl Package {
    /// The program; fetched, if it is not there yet.
    pub(crate) fn program(&self) -> Result<PathBuf> {
        let kept = tools::cache_folder().join("python").join(self.name);
        let program = kept.join("bin").join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        tools::install_missing(&[&tools::PYTHON])?;
        eprintln!("    fetching {}", self.packages.join(", "));
        // An environment knows its own path, so it is made where it stays; what an interrupted run left is made anew.
        if kept.exists() {
            fs::remove_dir_all(&kept).with_context(|| format!("cannot remove {}", kept.display()))?;
        }
        let made = command::output(Command::new("python3").args(["-m", "venv"]).arg(&kept));
        made.context("cannot make a Python environment: is Debian's package python3-venv installed?")?;
        let mut pip = Command::new(kept.join("bin/pip"));
        command::output(pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(self.packages))?;
        if !program.is_file() {
            bail!("{} holds no program {}", self.packages.join(", "), self.program);
        }
        Ok(program)
    }
}
