//! `gallery verify`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_domain::services::{Fault, FaultKind, VerifyOptions, VerifySummary};
use serde_json::json;

use super::console::{count, explain, say};
use super::interruption::{Interrupted, Interruption};
use super::opened::Opened;

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Arguments {
    /// Read every original and compare its hash, too
    #[arg(long)]
    hash: bool,
    /// Mend what can be mended without losing anything
    #[arg(long)]
    repair: bool,
    /// One JSON object for each fault, and one for the summary
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let opened = Opened::existing(data).await?;
    let options = VerifyOptions { hash: arguments.hash, repair: arguments.repair };
    let summary = verify(&opened, options, arguments.json, &Interruption::listen()?).await?;
    say(if arguments.json { summary_as_json(&summary).to_string() } else { summary_in_words(&summary) })?;
    opened.close().await;
    Ok(if summary.faults > summary.repaired { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Verifies, and says each fault on a line of its own. An interruption ends it wherever it is: whatever it mends is mended in one write.
pub(super) async fn verify(
    opened: &Opened,
    options: VerifyOptions,
    json: bool,
    interruption: &Interruption,
) -> anyhow::Result<VerifySummary> {
    let mut interruption = interruption.clone();
    let mut told = Ok(());
    let mut tell = |fault: &Fault| {
        let line = if json { fault_as_json(fault).to_string() } else { fault_in_words(fault) };
        if told.is_ok() {
            told = say(line);
        }
    };
    let summary = tokio::select! {
        summary = opened.gallery.integrity.verify(options, &mut tell) => summary.map_err(explain)?,
        () = interruption.wanted() => return Err(Interrupted.into()),
    };
    told?;
    Ok(summary)
}

fn fault_in_words(fault: &Fault) -> String {
    let mended = if fault.repaired { " (mended)" } else { "" };
    match fault.owner {
        Some(owner) => format!("user {owner}: {}{mended}", fault.kind),
        None => format!("{}{mended}", fault.kind),
    }
}

fn fault_as_json(fault: &Fault) -> serde_json::Value {
    let kind = match fault.kind {
        FaultKind::MissingBlob { .. } => "missing-blob",
        FaultKind::WrongBytes { .. } => "wrong-bytes",
        FaultKind::OrphanBlob { .. } => "orphan-blob",
        FaultKind::Count(_) => "count",
        FaultKind::Stuck { .. } => "stuck",
        _ => "other",
    };
    let owner = fault.owner.map(|owner| owner.to_string());
    json!({ "fault": kind, "owner": owner, "detail": fault.kind.to_string(), "repaired": fault.repaired })
}

fn summary_as_json(summary: &VerifySummary) -> serde_json::Value {
    json!({
        "summary": {
            "users": summary.users,
            "photos": summary.photos,
            "albums": summary.albums,
            "blobs": summary.blobs,
            "hashedBytes": summary.hashed_bytes,
            "faults": summary.faults,
            "repaired": summary.repaired,
        }
    })
}

fn summary_in_words(summary: &VerifySummary) -> String {
    let seen = format!(
        "{}, {}, {}, {}",
        count(summary.users, "user"),
        count(summary.photos, "photo"),
        count(summary.albums, "album"),
        count(summary.blobs, "blob")
    );
    match (summary.faults, summary.repaired) {
        (0, _) => format!("{seen}: no fault found"),
        (faults, 0) => format!("{seen}: {} found", count(faults, "fault")),
        (faults, repaired) => format!("{seen}: {} found, {repaired} mended", count(faults, "fault")),
    }
}
