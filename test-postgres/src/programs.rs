//! Which PostgreSQL a cluster is made with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The oldest major version that the gallery runs on.
pub const OLDEST: u32 = 15;

/// Names, for tests that start servers of their own, the folder of PostgreSQL's programs.
pub const VARIABLE_OF_FOLDER: &str = "GALLERY_TEST_POSTGRES_BIN";

/// The programs `initdb` and `postgres` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The programs in this folder.
    pub fn at(folder: &Path) -> Result<Self> {
        let missing = ["initdb", "postgres"].into_iter().find(|program| !folder.join(program).is_file());
        if let Some(program) = missing {
            bail!("there is no {program} in {}", folder.display());
        }
        let server = folder.join("postgres");
        let answer = Command::new(&server).arg("--version").output();
        let answer = answer.with_context(|| format!("cannot start {}", server.display()))?;
        let said = String::from_utf8_lossy(&answer.stdout);
        let Some(major) = major_version(&said) else {
            let complaint = String::from_utf8_lossy(&answer.stderr);
            bail!("{} does not say its version: {said}{complaint}", server.display());
        };
        if major < OLDEST {
            bail!("{} is version {major}, and the gallery needs {OLDEST} or newer", server.display());
        }
        Ok(Self { folder: folder.to_owned(), major })
    }

    /// The newest that this machine has installed and the gallery can use: where Debian puts the server, or on the path.
    pub fn of_system() -> Option<Self> {
        let mut candidates: Vec<_> = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .filter_map(|version| Some(version.ok()?.path().join("bin")))
            .collect();
        candidates.extend(env::var_os("PATH").iter().flat_map(env::split_paths).filter_map(|folder| {
            // Some link the programs into a folder of the path, apart from the files that belong to them.
            folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned)
        }));
        candidates.iter().filter_map(|folder| Self::at(folder).ok()).max_by_key(|programs| programs.major)
    }

    /// What [`VARIABLE_OF_FOLDER`] names; an error that says how to run such tests where it names nothing.
    pub fn of_environment() -> Result<Self> {
        match env::var_os(VARIABLE_OF_FOLDER) {
            Some(folder) => Self::at(Path::new(&folder)).with_context(|| format!("{VARIABLE_OF_FOLDER} is wrong")),
            None => bail!(
                "this test starts PostgreSQL servers of its own: run it by `cargo xtask postgres -- cargo test …`, or name the folder \
                 of PostgreSQL's programs in {VARIABLE_OF_FOLDER}"
            ),
        }
    }

    /// The folder that holds them.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// The number in `postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)`, or in that of a version to come, such as `19devel`.
fn major_version(said: &str) -> Option<u32> {
    let version = said.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::tests::pretended_programs;

    #[test]
    fn the_major_version_is_read_as_each_packager_writes_it() {
        for (said, major) in [
            ("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18.4\n", Some(18)),
            ("postgres (PostgreSQL) 19devel\n", Some(19)),
            ("postgres: command not found\n", None),
        ] {
            assert_eq!(major_version(said), major, "{said}");
        }
    }

    #[test]
    fn a_version_that_is_too_old_and_a_folder_without_the_programs_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Programs::at(folder.path()).unwrap_err().to_string();
        assert!(missing.contains("no initdb"), "{missing}");
        let old = pretended_programs(folder.path(), "14.9", "exit 1").unwrap_err().to_string();
        assert!(old.contains("version 14") && old.contains("15 or newer"), "{old}");
    }
}
