//! Packages through the clients of their registries, which check what they fetch: apt-get, npm, cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, tools};

/// Fetches and unpacks a Debian package, without installing it. Returns its folder and its version.
pub(crate) fn debian_package(name: &str, scratch: &Path) -> Result<(PathBuf, String)> {
    if !tools::is_on_path("apt-get") {
        bail!("there is no apt-get here to fetch it");
    }
    tools::with_fresh_lists(|| {
        let mut download = Command::new("apt-get");
        // The scratch folder belongs to this user alone, whom apt would otherwise leave for the download.
        download.args(["download", "--quiet", "-o", "APT::Sandbox::User=root", name]).current_dir(scratch);
        command::output(&mut download)
    })?;
    let archive = only_file(scratch, "deb")?;
    let mut show = Command::new("dpkg-deb");
    let version = command::output(show.arg("--field").arg(&archive).arg("Version"))?;
    let folder = scratch.join("unpacked");
    command::output(Command::new("dpkg-deb").arg("--extract").arg(&archive).arg(&folder))?;
    Ok((folder, version.trim().to_owned()))
}

/// Fetches and unpacks an npm package. Returns its folder and its version.
pub(crate) fn npm_package(name: &str, version: &str, scratch: &Path) -> Result<(PathBuf, String)> {
    tools::install_missing(&[&tools::NPM])?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", &format!("{name}@{version}")]).current_dir(scratch);
    command::output(&mut pack)?;
    let archive = only_file(scratch, "tgz")?;
    command::output(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(scratch))?;
    Ok((scratch.join("package"), version.to_owned()))
}

/// Fetches and unpacks a crate, by vendoring the dependencies of a package made for that. Returns its folder and its
/// version.
pub(crate) fn crate_package(name: &str, version: &str, scratch: &Path) -> Result<(PathBuf, String)> {
    let manifest = scratch.join("Cargo.toml");
    fs::write(&manifest, wanting_manifest(name, version))?;
    fs::create_dir(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    let mut vendor = command::cargo(["vendor", "--quiet", "--manifest-path"]);
    vendor.arg(&manifest).arg(scratch.join("vendor")).current_dir(scratch);
    command::output(&mut vendor)?;
    Ok((scratch.join("vendor").join(name), version.to_owned()))
}

/// A package that wants nothing but this crate; its own workspace, wherever it stands.
fn wanting_manifest(name: &str, version: &str) -> String {
    format!(
        "[package]\nname = \"wants-{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{name} = {{ version = \"={version}\", default-features = false }}\n\n[workspace]\n"
    )
}

/// The one file of a folder whose name ends like this.
fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let mut found = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == extension) && found.replace(path).is_some() {
            bail!("several .{extension} files were fetched where one was asked for");
        }
    }
    found.with_context(|| format!("no .{extension} file was fetched"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanting_manifest_pins_the_version() {
        let manifest: toml::Table = wanting_manifest("webp", "0.3.1").parse().unwrap();
        assert_eq!(manifest["dependencies"]["webp"]["version"].as_str(), Some("=0.3.1"));
        assert!(manifest.contains_key("workspace"));
    }

    #[test]
    fn one_fetched_file_is_expected_and_no_other_number() {
        let folder = tempfile::tempdir().unwrap();
        assert!(only_file(folder.path(), "deb").is_err());
        fs::write(folder.path().join("a.deb"), "").unwrap();
        fs::write(folder.path().join("a.txt"), "").unwrap();
        assert_eq!(only_file(folder.path(), "deb").unwrap(), folder.path().join("a.deb"));
        fs::write(folder.path().join("b.deb"), "").unwrap();
        assert!(only_file(folder.path(), "deb").is_err());
    }
}
