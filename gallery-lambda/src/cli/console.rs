//! What the program says, and how it says that something went wrong.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use gallery_domain::GalleryError;

use super::interruption::Interrupted;

/// What commands exit with when they were interrupted before they were done: 128 and the number of SIGINT, as shells have it.
pub(super) const INTERRUPTED: u8 = 130;

/// Writes a line to stdout.
pub(super) fn say(line: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Tells an error with its causes on stderr. When whoever read stdout has gone, as `head` does, there is nobody to tell and nothing wrong.
pub(super) fn fail(error: &anyhow::Error) -> ExitCode {
    let nobody_listens = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe);
    if nobody_listens {
        return ExitCode::SUCCESS;
    }
    // A closed stderr leaves nothing to say it with.
    let _ = writeln!(io::stderr(), "gallery: {error:#}");
    if error.is::<Interrupted>() { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
}

/// The error with the refused fields in its words: at the console nobody sees them otherwise.
pub(super) fn explain(error: GalleryError) -> anyhow::Error {
    match error {
        GalleryError::Invalid(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{} {}", field.field.trim_start_matches('/'), field.reason))
                .collect();
            anyhow::Error::msg(fields.join("; "))
        }
        other => anyhow::Error::new(other),
    }
}

/// Asks a question that is answered with y or n; no answer is a no. Without a terminal there is nobody to ask.
pub(super) fn confirm(question: &str) -> io::Result<Option<bool>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut err = io::stderr().lock();
    write!(err, "{question} [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")))
}

/// `1 photo`, `2 photos`.
pub(super) fn count(n: u64, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}
