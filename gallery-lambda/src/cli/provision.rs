//! `gallery provision`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_adapters::connect::ConnectedStore;
use serde_json::json;

use super::console::say;
use super::opened::configure;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Arguments {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object: what was done, or would be
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let config = configure(data)?;
    let store = ConnectedStore::open(&config.store).await?;
    let steps = store.provision(arguments.dry_run).await?;
    store.close().await;
    say(if arguments.json {
        as_json(arguments.dry_run, &steps).to_string()
    } else {
        in_words(arguments.dry_run, &steps)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(dry_run: bool, steps: &[String]) -> serde_json::Value {
    json!({ "summary": { "dry_run": dry_run, "steps": steps } })
}

fn in_words(dry_run: bool, steps: &[String]) -> String {
    let heading = match (dry_run, steps) {
        (_, []) => return "everything is there: nothing to do".to_owned(),
        (true, _) => "this would be done:",
        (false, _) => "this was done:",
    };
    let lines = steps.iter().map(|step| format!("\n  {step}"));
    std::iter::once(heading.to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_from_what_would_be() {
        let steps = ["create the table A".to_owned(), "create the table B".to_owned()];
        assert_eq!(in_words(true, &steps), "this would be done:\n  create the table A\n  create the table B");
        assert_eq!(in_words(false, &steps[..1]), "this was done:\n  create the table A");
        assert_eq!(in_words(false, &[]), "everything is there: nothing to do");
    }
}
