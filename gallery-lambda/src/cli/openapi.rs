//! `gallery openapi`.

use std::process::ExitCode;

use super::console::say;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    say(crate::openapi(env!("CARGO_PKG_VERSION")).to_pretty_json()?)?;
    Ok(ExitCode::SUCCESS)
}
