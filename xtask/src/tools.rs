//! Programs that the tests need, and how to get them on Debian.

use std::env;
use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// A program, and the Debian package that brings it.
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
    needed_for: &'static str,
}

pub(crate) const EXIFTOOL: Tool = Tool {
    program: "exiftool",
    package: "libimage-exiftool-perl",
    needed_for: "a second opinion about the metadata of photos",
};

pub(crate) const CURL: Tool =
    Tool { program: "curl", package: "curl", needed_for: "the commands that the README tells people to type" };

pub(crate) const JQ: Tool = Tool { program: "jq", package: "jq", needed_for: "the JSON in those commands" };

pub(crate) const GIT: Tool = Tool { program: "git", package: "git", needed_for: "the list of the repository's files" };

pub(crate) const NODE: Tool = Tool { program: "node", package: "nodejs", needed_for: "the tests of the page" };

pub(crate) const CHROMIUM: Tool =
    Tool { program: "chromium", package: "chromium", needed_for: "the page as a browser shows it" };

pub(crate) const FIREFOX: Tool =
    Tool { program: "firefox-esr", package: "firefox-esr", needed_for: "the page as another browser shows it" };

pub(crate) const PYTHON: Tool = Tool {
    program: "python3",
    package: "python3-venv",
    needed_for: "servers that speak the protocols of AWS, which are released as Python packages",
};

pub(crate) const NPM: Tool =
    Tool { program: "npm", package: "npm", needed_for: "photos and PostgreSQL, which are released as npm packages" };

/// Installs the Debian packages of the programs that are not on the path.
///
/// # Errors
///
/// Says what to run by hand when this is not Debian, or nobody may install packages.
pub(crate) fn install_missing(tools: &[&Tool]) -> Result<()> {
    let missing: Vec<_> = tools.iter().filter(|tool| !is_on_path(tool.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    let reasons: Vec<_> = missing.iter().map(|tool| format!("{} ({})", tool.program, tool.needed_for)).collect();
    let reasons = reasons.join(", ");
    eprintln!("    missing: {reasons}");
    let by_hand = format!("apt-get install --yes {}", packages.join(" "));
    if !is_on_path("apt-get") {
        bail!("install {reasons}: there is no apt-get here to do it (on Debian: `{by_hand}`)");
    }

    let install = || {
        let mut words = vec!["install", "--yes", "--no-install-recommends"];
        words.extend(&packages);
        command::run(&mut as_root("apt-get", &words)?)
    };
    with_fresh_lists(install)
        .with_context(|| format!("cannot install {reasons}: run `{by_hand}` as root, then try again"))?;
    match missing.iter().find(|tool| !is_on_path(tool.program)) {
        Some(tool) => bail!("{} is installed, but there is still no {}", tool.package, tool.program),
        None => Ok(()),
    }
}

/// Does something with apt's package lists; where it fails, the lists may be old or missing: fetches them, and does it
/// once more.
pub(crate) fn with_fresh_lists<T>(action: impl Fn() -> Result<T>) -> Result<T> {
    action().or_else(|first| {
        eprintln!("    {first:#}");
        eprintln!("    the package lists may be old or missing: fetching them");
        command::run(&mut as_root("apt-get", &["update"])?)?;
        action()
    })
}

/// Whether one of the path's folders holds such a program.
pub(crate) fn is_on_path(program: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Whether this is run by root.
pub(crate) fn is_root() -> Result<bool> {
    Ok(command::output(Command::new("id").arg("-u"))?.trim() == "0")
}

/// The command as root: as it is for root, through sudo for others.
fn as_root(program: &str, words: &[&str]) -> Result<Command> {
    if is_root()? {
        let mut command = Command::new(program);
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        return Ok(command);
    }
    if !is_on_path("sudo") {
        bail!("this needs root, and there is no sudo: run `{program} {}` as root", words.join(" "));
    }
    let mut command = Command::new("sudo");
    if !std::io::stdin().is_terminal() {
        // Nobody is there to answer a question for the password.
        command.arg("--non-interactive");
    }
    command.arg("DEBIAN_FRONTEND=noninteractive").arg(program).args(words);
    Ok(command)
}

/// Where a user's programs keep what they can fetch again: `$XDG_CACHE_HOME`, `~/.cache`, or the folder for temporary
/// files where there is no home.
pub(crate) fn cache_folder() -> std::path::PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    match (set("XDG_CACHE_HOME"), set("HOME")) {
        (Some(cache), _) => Path::new(&cache).join("gallery"),
        (None, Some(home)) => Path::new(&home).join(".cache/gallery"),
        (None, None) => env::temp_dir().join(".cache/gallery"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_program_is_found_on_the_path_by_its_whole_name() {
        assert!(is_on_path("sh"));
        assert!(!is_on_path("a-program-that-nobody-has"));
    }

    #[test]
    fn lists_are_left_alone_where_the_first_attempt_succeeds() {
        let attempts = Cell::new(0);
        let counted = || {
            attempts.set(attempts.get() + 1);
            Ok(attempts.get())
        };
        assert_eq!(with_fresh_lists(counted).unwrap(), 1);
    }

    #[test]
    fn nothing_is_installed_where_nothing_is_missing() {
        let shell = Tool { program: "sh", package: "dash", needed_for: "this test" };
        install_missing(&[&shell]).unwrap();
    }
}
