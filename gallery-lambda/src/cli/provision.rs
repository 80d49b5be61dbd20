//! `gallery provision`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_adapters::doctor::provision;
use serde_json::json;

use super::console::say;
use super::opened::{configure, make_private_folder};

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object: what was done, or would be
    #[arg(long)]
    json: bool,
    /// Make a user pool of this name, and print the variables by which a gallery uses it, its secret among them
    #[cfg(feature = "cognito")]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["dry_run", "json"])]
    user_pool: Option<String>,
}

pub(super) async fn run(arguments: &Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "cognito")]
    if let Some(name) = &arguments.user_pool {
        make_user_pool(name).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = configure(data)?;
    make_private_folder(&config.data)?;
    let steps = provision(&config, arguments.dry_run).await?;
    say(if arguments.json {
        as_json(arguments.dry_run, &steps).to_string()
    } else {
        in_words(arguments.dry_run, &steps)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Region, endpoint and credentials are those that AWS's own tools have.
#[cfg(feature = "cognito")]
async fn make_user_pool(name: &str) -> anyhow::Result<()> {
    use gallery_adapters::aws::AwsPlace;
    use gallery_adapters::cognito::create_pool;
    use secrecy::ExposeSecret;

    let made = create_pool(&AwsPlace::default().load().await, name).await?;
    say(format!("GALLERY_IDENTITY=cognito://{}?client_id={}", made.pool, made.client_id))?;
    say(format!("GALLERY_COGNITO_CLIENT_SECRET={}", made.client_secret.expose_secret()))?;
    Ok(())
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
