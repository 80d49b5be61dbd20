//! What the workspace says about itself: its root, its manifests, cargo's metadata.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// The folder that holds the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    // Cargo says at run time which checkout it runs for: one target folder may serve several checkouts.
    let package =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

/// The program `gallery` of a profile, such as `debug`, once it is built.
pub(crate) fn program(profile: &str) -> Result<PathBuf> {
    let metadata = metadata()?;
    let target = metadata["target_directory"].as_str().context("cargo names its target folder")?;
    Ok(Path::new(target).join(profile).join("gallery"))
}

/// Reads a TOML file of the workspace.
pub(crate) fn toml_file(path: &str) -> Result<toml::Table> {
    let text = fs::read_to_string(root().join(path)).with_context(|| format!("cannot read {path}"))?;
    text.parse().with_context(|| format!("{path} is not TOML"))
}

/// What `cargo metadata` says of every package that any feature of the workspace reaches.
pub(crate) fn metadata() -> Result<Value> {
    let text = command::output(&mut command::cargo(["metadata", "--format-version=1", "--all-features", "--locked"]))?;
    serde_json::from_str(&text).context("cargo metadata is not JSON")
}

/// The names under which the workspace's own crates declare their dependencies, of every kind.
pub(crate) fn declared_dependencies(metadata: &Value) -> BTreeSet<&str> {
    list(metadata, "packages")
        .filter(|package| package["source"].is_null())
        .flat_map(|package| list(package, "dependencies"))
        .filter_map(|dependency| dependency["rename"].as_str().or(dependency["name"].as_str()))
        .collect()
}

/// The items of a list in JSON; none when there is no such list.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_root_holds_the_workspace() {
        assert!(toml_file("Cargo.toml").unwrap().contains_key("workspace"));
    }

    #[test]
    fn a_renamed_dependency_counts_under_its_new_name_and_other_packages_do_not_count() {
        let metadata = json!({"packages": [
            {"source": null, "dependencies": [{"name": "serde", "rename": null}, {"name": "gallery-site", "rename": "site"}]},
            {"source": "registry+…", "dependencies": [{"name": "libc", "rename": null}]},
        ]});
        let declared = declared_dependencies(&metadata);
        assert_eq!(declared, BTreeSet::from(["serde", "site"]));
    }
}
