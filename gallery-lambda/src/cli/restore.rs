//! `gallery restore`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use gallery_domain::services::VerifyOptions;
use serde_json::json;
use walkdir::WalkDir;

use super::checksums::{self, Listed};
use super::console::{count, say};
use super::opened::{LOCK_FILE, Opened, configure, lock_alone, make_private_folder};
use super::verify::verify;

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The folder that `gallery backup` made
    src: PathBuf,
    /// Remove what the data folder holds first
    #[arg(long)]
    force: bool,
    /// One JSON object for each fault, and one for the summary
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let config = configure(data)?;
    let in_data =
        config.store.file() == Some(&*data.join(DATABASE)) && config.blobs.folder() == Some(&*data.join("blobs"));
    if !in_data {
        bail!(
            "a backup is restored into one folder: unset GALLERY_STORE and GALLERY_BLOBS, and name the folder with --data"
        );
    }
    let (arguments, target) = (arguments.clone(), data.to_owned());
    let json = arguments.json;
    let files = tokio::task::spawn_blocking(move || restore(&arguments, &target)).await??;
    let opened = Opened::open(config).await?;
    // Every byte was compared on its way; this sees that the backup was a sound gallery.
    let summary = verify(&opened, VerifyOptions::default(), json).await?;
    opened.close().await;
    if json {
        say(json!({ "summary": { "photos": summary.photos, "files": files, "faults": summary.faults } }))?;
    } else {
        let (photos, files) = (count(summary.photos, "photo"), count(files, "file"));
        say(format_args!("{photos} in {files}, checked by hash: {}", data.display()))?;
    }
    Ok(if summary.faults > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

const DATABASE: &str = "gallery.db";

/// Copies a backup, after it was found whole, into the data folder. How many files that were.
fn restore(arguments: &Arguments, data: &Path) -> anyhow::Result<u64> {
    let src = &arguments.src;
    let files = check(src)?;
    make_private_folder(data)?;
    let _alone = lock_alone(data)?;
    let entries: Vec<_> = fs::read_dir(data)?.collect::<Result<_, _>>()?;
    let entries: Vec<_> = entries.iter().filter(|entry| entry.file_name() != OsStr::new(LOCK_FILE)).collect();
    if !entries.is_empty() && !arguments.force {
        bail!(
            "{} is not empty: name another folder with --data, or have what is in it removed with --force",
            data.display()
        );
    }
    for entry in entries {
        let path = entry.path();
        let removed = if entry.file_type()?.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.with_context(|| format!("cannot remove {}", path.display()))?;
    }
    // The database comes last: without it a restore that was cut short is no gallery.
    let mut database = None;
    for listed in checksums::read(src)? {
        let listed = listed?;
        if listed.path == Path::new(DATABASE) {
            database = Some(listed);
        } else {
            checksums::copy(&listed, src, data)?;
        }
    }
    let database: Listed = database.with_context(|| format!("{} holds no {DATABASE}", src.display()))?;
    checksums::copy(&database, src, data)?;
    for entry in WalkDir::new(data) {
        let entry = entry?;
        if entry.file_type().is_dir() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    Ok(files)
}

/// Compares every file of a backup with its hash before anything is touched. How many there are.
fn check(src: &Path) -> anyhow::Result<u64> {
    let (mut files, mut damaged) = (0, 0);
    for listed in checksums::read(src)? {
        let listed = listed?;
        let problem = match File::open(src.join(&listed.path)).and_then(checksums::of) {
            Ok((sha256, _)) if sha256 == listed.sha256 => {
                files += 1;
                continue;
            }
            Ok(_) => "has other bytes than when the backup was made".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        damaged += 1;
        eprintln!("{}: {problem}", listed.path.display());
    }
    if damaged > 0 {
        bail!("the backup is damaged in {}; nothing was restored", count(damaged, "file"));
    }
    Ok(files)
}
