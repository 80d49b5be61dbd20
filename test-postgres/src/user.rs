//! Who runs a server: it refuses root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The user that a cluster's processes and files belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum User {
    /// Whoever runs the test.
    Oneself,
    /// For root, somebody who may do nothing else on this machine.
    Nobody { user: u32, group: u32 },
}

impl User {
    /// Who can run the server of a cluster in this folder, which was just made.
    pub(crate) fn of_new(folder: &Path) -> Result<Self> {
        const ROOT: u32 = 0;
        if fs::metadata(folder)?.uid() != ROOT {
            return Ok(Self::Oneself);
        }
        let user = Self::Nobody { user: id("-u")?, group: id("-g")? };
        user.give(folder)?;
        Ok(user)
    }

    /// Lets the server have a file that belongs to whoever runs the test.
    pub(crate) fn give(self, file: &Path) -> Result<()> {
        match self {
            Self::Oneself => Ok(()),
            Self::Nobody { user, group } => {
                chown(file, Some(user), Some(group)).with_context(|| format!("cannot give {} away", file.display()))
            }
        }
    }

    /// A command that this user will run.
    pub(crate) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        if let Self::Nobody { user, group } = self {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A number of the user `nobody`, as `id` knows it.
fn id(which: &str) -> Result<u32> {
    let answer = Command::new("id").args([which, "nobody"]).output().context("cannot start id")?;
    match String::from_utf8_lossy(&answer.stdout).trim().parse() {
        Ok(number) => Ok(number),
        Err(_) => {
            bail!("PostgreSQL refuses root, and there is no user nobody here to run it: run this as somebody else")
        }
    }
}
