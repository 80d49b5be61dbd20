//! `gallery doctor`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_adapters::doctor::{Finding, examine};
use serde_json::json;

use super::console::say;
use super::opened::{configure, lock_for_use, make_private_folder};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Arguments {
    /// One JSON object: each part with its variable and its faults
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let config = configure(data)?;
    make_private_folder(&config.data)?;
    let _in_use = lock_for_use(&config.data)?;
    let found = examine(&config).await;
    say(if arguments.json { as_json(&found).to_string() } else { in_words(&found) })?;
    let is_well = found.iter().all(|finding| finding.faults.is_empty());
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn as_json(found: &[Finding]) -> serde_json::Value {
    let parts = found
        .iter()
        .map(|Finding { variable, part, faults }| json!({ "variable": variable, "part": part, "faults": faults }));
    json!({ "parts": parts.collect::<Vec<_>>() })
}

fn in_words(found: &[Finding]) -> String {
    let lines = found.iter().flat_map(|Finding { variable, part, faults }| {
        let state = if faults.is_empty() { "well" } else { "to be mended" };
        let first = format!("{variable}={part}: {state}");
        std::iter::once(first).chain(faults.iter().map(|fault| format!("  {fault}")))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_said_with_its_faults() {
        let finding = |part: &str, faults: &[&str]| Finding {
            variable: "GALLERY_BLOBS",
            part: part.to_owned(),
            faults: faults.iter().map(|fault| (*fault).to_owned()).collect(),
        };
        let found = [finding("file:a", &[]), finding("s3://b", &["one thing", "another"])];
        assert_eq!(
            in_words(&found),
            "GALLERY_BLOBS=file:a: well\nGALLERY_BLOBS=s3://b: to be mended\n  one thing\n  another"
        );
        assert_eq!(as_json(&found)["parts"][1]["faults"][1], "another");
    }
}
