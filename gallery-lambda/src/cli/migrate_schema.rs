//! `gallery migrate-schema`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use gallery_adapters::connect::ConnectedStore;
use gallery_adapters::schema::SchemaStatus;
use serde_json::json;

use super::console::{count, say};
use super::opened::{configure_existing, lock_for_use};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Arguments {
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "status")]
    dry_run: bool,
    /// Say how far the schema is, and do nothing; exits with 1 unless it is up to date
    #[arg(long)]
    status: bool,
    /// One JSON object: the versions that the store has, has yet to get, and has from a newer program; and those it got just now
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let config = configure_existing(data)?;
    // Others may use the store meanwhile; only another gallery's file shall not be put in its place.
    let _in_use = config.store.file().map(|_| lock_for_use(data)).transpose()?;
    let store = ConnectedStore::open(&config.store).await?;
    let migrated = if arguments.dry_run || arguments.status { Vec::new() } else { store.migrate_schema().await? };
    let status = store.schema_status().await?;
    store.close().await;
    say(if arguments.json { as_json(&status, &migrated).to_string() } else { in_words(&status, &migrated) })?;
    let is_current = status.pending.is_empty() && status.unknown.is_empty();
    Ok(if arguments.status && !is_current { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn as_json(status: &SchemaStatus, migrated: &[i64]) -> serde_json::Value {
    let SchemaStatus { applied, pending, unknown } = status;
    json!({ "summary": { "applied": applied, "pending": pending, "unknown": unknown, "migrated": migrated } })
}

fn in_words(status: &SchemaStatus, migrated: &[i64]) -> String {
    let SchemaStatus { applied, pending, unknown } = status;
    let version = match applied.last() {
        Some(version) => format!("the schema has version {version}"),
        None => "there is no schema yet".to_owned(),
    };
    let step = |versions: &[i64]| {
        let names: Vec<_> = versions.iter().map(i64::to_string).collect();
        format!("{} ({})", count(versions.len() as u64, "migration"), names.join(", "))
    };
    match (unknown.as_slice(), pending.as_slice(), migrated) {
        ([.., newest], _, _) => {
            format!("{version}, and {newest} of a newer program: use that one")
        }
        (_, [], []) => format!("{version}: nothing to do"),
        (_, [], done) => format!("{version}: {} applied", step(done)),
        (_, missing, _) => format!("{version}: {} to apply; `gallery migrate-schema` does it", step(missing)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(applied: &[i64], pending: &[i64], unknown: &[i64], migrated: &[i64]) -> String {
        let status = SchemaStatus { applied: applied.to_vec(), pending: pending.to_vec(), unknown: unknown.to_vec() };
        in_words(&status, migrated)
    }

    #[test]
    fn each_state_of_a_schema_is_said_with_what_to_do() {
        assert_eq!(
            words(&[], &[1, 2], &[], &[]),
            "there is no schema yet: 2 migrations (1, 2) to apply; `gallery migrate-schema` does it"
        );
        assert_eq!(words(&[1, 2], &[], &[], &[2]), "the schema has version 2: 1 migration (2) applied");
        assert_eq!(words(&[1, 2], &[], &[], &[]), "the schema has version 2: nothing to do");
        assert_eq!(words(&[1], &[], &[3], &[]), "the schema has version 1, and 3 of a newer program: use that one");
    }
}
