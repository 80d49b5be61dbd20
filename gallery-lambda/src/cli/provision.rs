//! `gallery provision`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_adapters::doctor::provision;

use super::console::say;
use super::opened::configure;

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// Make a user pool of this name, and print the variables by which a gallery uses it, its secret among them
    #[cfg(feature = "cognito")]
    #[arg(long, value_name = "NAME")]
    user_pool: Option<String>,
}

pub(super) async fn run(_arguments: &Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    #[cfg(feature = "cognito")]
    if let Some(name) = &_arguments.user_pool {
        make_user_pool(name).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let config = configure(data)?;
    let done = provision(&config).await?;
    if done.is_empty() {
        say(format!("Nothing of {config} has to be set up."))?;
    }
    for line in done {
        say(line)?;
    }
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
