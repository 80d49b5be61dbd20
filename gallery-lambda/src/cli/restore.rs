//! `gallery restore`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use gallery_domain::services::{VerifyOptions, VerifySummary};
use serde_json::json;
use walkdir::WalkDir;

use super::apart::lies_in;
use super::checksums;
use super::console::{count, say};
use super::interruption::Interruption;
use super::opened::{LOCK_FILE, Opened, configure, configure_copy, lock_alone, make_private_folder};
use super::progress::Progress;
use super::replacement::{self, Replacement};
use super::verify::verify;

#[derive(Clone, Debug, Args)]
pub(super) struct Arguments {
    /// The folder that `gallery backup` made
    src: PathBuf,
    /// Replace what the data folder holds, once the backup was found whole; until then both need room on the disk
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
    let src = &arguments.src;
    if lies_in(src, data)? || lies_in(data, src)? {
        bail!(
            "{} and {} lie in each other: restore into another folder with --data, or move the backup away first",
            src.display(),
            data.display()
        );
    }
    let interruption = Interruption::listen()?;
    // What is no backup is refused before anything is made.
    drop(checksums::read(src)?);
    make_private_folder(data)?;
    let alone = lock_alone(data)?;
    replacement::finish(data).context("cannot finish a restore that was cut off")?;
    if !replacement::others(data)?.is_empty() && !arguments.force {
        bail!(
            "{} is not empty: name another folder with --data, or have what is in it replaced with --force",
            data.display()
        );
    }
    let new = Replacement::begin(data).with_context(|| format!("cannot write to {}", data.display()))?;
    let files = copy(src, new.folder(), arguments.json, &interruption).await?;
    let summary = look_into(new.folder(), arguments.json, &interruption).await?;
    new.commit().with_context(|| format!("cannot replace what is in {}", data.display()))?;
    drop(alone);
    if arguments.json {
        say(json!({ "summary": { "photos": summary.photos, "files": files, "faults": summary.faults } }))?;
    } else {
        let (photos, files) = (count(summary.photos, "photo"), count(files, "file"));
        say(format_args!("{photos} in {files}, checked by hash: {}", data.display()))?;
    }
    Ok(if summary.faults > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

const DATABASE: &str = "gallery.db";

/// Copies every file of a backup, comparing it with its hash on the way. How many files there are.
async fn copy(src: &Path, to: &Path, json: bool, interruption: &Interruption) -> anyhow::Result<u64> {
    let (src, to, interruption) = (src.to_owned(), to.to_owned(), interruption.clone());
    let copied = move || {
        let progress = Progress::new(json, "files");
        progress.expect(checksums::read(&src)?.count() as u64);
        let (mut files, mut damaged, mut has_database) = (0, 0, false);
        for listed in checksums::read(&src)? {
            interruption.check()?;
            let listed = listed?;
            match checksums::copy(&listed, &src, &to)? {
                Ok(()) => files += 1,
                Err(problem) => {
                    damaged += 1;
                    progress.beside(|| eprintln!("{}: {problem}", listed.path.display()));
                }
            }
            has_database |= listed.path == Path::new(DATABASE);
            progress.advance();
        }
        if damaged > 0 {
            bail!("the backup is damaged in {}; nothing was restored", count(damaged, "file"));
        }
        if !has_database {
            bail!("{} holds no {DATABASE}; nothing was restored", src.display());
        }
        Ok(files)
    };
    tokio::task::spawn_blocking(copied).await?
}

/// Opens a restored gallery where nobody else sees it, and verifies that it is a sound one; its bytes were compared when they were copied.
async fn look_into(folder: &Path, json: bool, interruption: &Interruption) -> anyhow::Result<VerifySummary> {
    let opened = Opened::open(configure_copy(folder)?).await.context("cannot open what the backup holds")?;
    let summary = verify(&opened, VerifyOptions::default(), json, interruption).await;
    opened.close().await;
    fs::remove_file(folder.join(LOCK_FILE))?;
    for entry in WalkDir::new(folder) {
        let entry = entry?;
        File::open(entry.path())?.sync_all()?;
    }
    summary
}
