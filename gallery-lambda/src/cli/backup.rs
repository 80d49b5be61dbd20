//! `gallery backup`.
//!
//! A backup is a data folder of its own, with a list of its files and their hashes. It is made while others add and remove photos:
//!
//! 1. Uploads that nobody looked into yet are copied. So one that was acknowledged before the backup began cannot be missed, however
//!    quickly it becomes a photo.
//! 2. The store is copied as it is at one moment.
//! 3. The blobs of the photos in that copy are copied; blobs never change, so it does not matter when. New photos are not in the copy.
//! 4. A photo whose blobs are gone by then was removed for good meanwhile, as a look at the live store confirms: it is taken out of the copy.
//! 5. The copy is verified by reading every byte of it, and only then it gets its name.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use futures_util::StreamExt;
use gallery_adapters::filesystem::FileBlobs;
use gallery_domain::ports::{BlobError, BlobStore};
use gallery_domain::services::{VerifyOptions, VerifySummary};
use gallery_domain::{BlobArea, BlobKey, DerivedImage, PageRequest, PageSize, Photo, PhotoState, UserId};
use serde_json::json;

use super::apart::lies_in;
use super::checksums;
use super::console::{count, say};
use super::interruption::Interruption;
use super::opened::{LOCK_FILE, Opened, configure_copy, configure_existing};
use super::progress::Progress;
use super::verify::verify;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to make; it must not exist, or be empty
    dest: PathBuf,
    /// One JSON object for each fault, and one for the summary
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: &Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    let dest = std::path::absolute(&arguments.dest).context("the backup needs a folder")?;
    if !is_absent_or_empty(&dest)? {
        bail!("{} is there already and not empty: choose another folder for the backup", dest.display());
    }
    let (Some(parent), Some(_)) = (dest.parent(), dest.file_name()) else {
        bail!("{} cannot become a backup: choose another folder", dest.display());
    };
    let interruption = Interruption::listen()?;
    let config = configure_existing(data)?;
    if config.store.file().is_none() {
        bail!(
            "{} is no file that could be copied. Back up a PostgreSQL server with its own tools, as with `pg_dump --format=custom`, and tables of \
             DynamoDB with its backups; when that is done, copy {} and the signing.key in {}, so that no photo of the backup lacks its bytes",
            config.store,
            config.blobs,
            data.display()
        );
    }
    for folder in [Some(data), config.blobs.folder()].into_iter().flatten() {
        if lies_in(&dest, folder)? {
            bail!(
                "{} is inside {}, which it is to be a backup of: choose another folder, best on another disk",
                dest.display(),
                folder.display()
            );
        }
    }
    let live = Opened::open(config).await?;
    std::fs::create_dir_all(parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
    // Under its own name from the moment on that it is whole, so that nobody takes a part of a backup for one.
    let unfinished = tempfile::Builder::new()
        .prefix(".gallery-backup-")
        .tempdir_in(parent)
        .with_context(|| format!("cannot write to {}", parent.display()))?;
    let folder = unfinished.path();
    let copying = Copying { live: &live, progress: Progress::new(arguments.json, "photos"), interruption };
    let summary = copying.fill(folder, arguments.json).await?;
    copying.progress.end();
    let interruption = copying.interruption;
    live.close().await;
    let (files, bytes) = tokio::task::spawn_blocking({
        let (folder, interruption) = (folder.to_owned(), interruption.clone());
        move || {
            // Codes are nobody's business any more, and locks are of this machine.
            for passing in ["outbox", LOCK_FILE] {
                let path = folder.join(passing);
                if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
            }
            checksums::write(&folder, &interruption)
        }
    })
    .await??;
    match std::fs::remove_dir(&dest) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot replace the empty folder {}", dest.display()));
        }
        _ => {}
    }
    std::fs::rename(folder, &dest).with_context(|| format!("cannot name the backup {}", dest.display()))?;
    // It has another name by now: there is nothing left to clean up.
    let _ = unfinished.keep();
    std::fs::File::open(parent)?.sync_all()?;

    let photos = summary.photos;
    if arguments.json {
        let dest = dest.display().to_string();
        say(json!({
            "summary": { "backup": dest, "photos": photos, "files": files, "bytes": bytes, "faults": summary.faults }
        }))?;
    } else {
        let (photos, files) = (count(photos, "photo"), count(files, "file"));
        say(format_args!("{photos} in {files}, {} MiB, checked by hash: {}", bytes >> 20, dest.display()))?;
        if summary.faults > 0 {
            let faults = count(summary.faults, "fault");
            say(format_args!("The gallery has {faults}, and so has this backup: run `gallery verify --hash`."))?;
        }
    }
    Ok(if summary.faults > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// How many blobs are copied at once: each waits for the disk most of the time.
const AT_ONCE: usize = 8;

/// A backup under way.
struct Copying<'a> {
    live: &'a Opened,
    progress: Progress,
    interruption: Interruption,
}

impl Copying<'_> {
    /// Copies everything into a folder and verifies it. Nothing writes to the folder any more when this is over, however it ends.
    async fn fill(&self, folder: &Path, json: bool) -> anyhow::Result<VerifySummary> {
        let copy = self.begin(folder).await?;
        let filled = async {
            self.copy_blobs(&copy).await?;
            drop_leftovers(&copy).await?;
            verify(&copy, VerifyOptions { hash: true, repair: false }, json, &self.interruption).await
        };
        let filled = filled.await;
        copy.close().await;
        filled
    }

    /// Copies the uploads that wait, the store and the key, and opens the copy.
    async fn begin(&self, folder: &Path) -> anyhow::Result<Opened> {
        let live = self.live;
        let signing_key = live.config.data.join("signing.key");
        std::fs::copy(&signing_key, folder.join("signing.key"))
            .with_context(|| format!("cannot copy {}", signing_key.display()))?;
        let waiting = FileBlobs::open(folder.join("blobs"), live.ports().clock.now()).await?;
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let keys = live.ports().blobs.list("incoming/", page).await?;
            self.each(&keys.items, async |key| copy_blob(&*live.ports().blobs, &waiting, key).await.map(drop)).await?;
            match keys.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => break,
            }
        }
        live.connected.store.snapshot_to(&folder.join("gallery.db")).await?;
        Opened::open(configure_copy(folder)?).await.context("cannot open the copy")
    }

    /// Copies the blobs of every photo that the copied store holds.
    async fn copy_blobs(&self, copy: &Opened) -> anyhow::Result<()> {
        let (users, mut photos) = (all_users(copy).await?, 0);
        for user in &users {
            photos += copy.ports().repositories.users.usage(*user).await?.photos;
        }
        self.progress.expect(photos);
        for user in users {
            self.copy_blobs_of(user, copy).await?;
        }
        Ok(())
    }

    async fn copy_blobs_of(&self, owner: UserId, copy: &Opened) -> anyhow::Result<()> {
        let mut page = PageRequest::first(PageSize::MAX);
        loop {
            let photos = copy.ports().repositories.photos.all(owner, page).await?;
            self.each(&photos.items, async |photo| {
                copy_photo(photo, self.live, copy).await?;
                self.progress.advance();
                Ok(())
            })
            .await?;
            match photos.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => return Ok(()),
            }
        }
    }

    /// Copies several things at once, until one fails or somebody interrupts it. Those under way are finished in any case.
    async fn each<'t, T>(
        &self,
        things: &'t [T],
        copy: impl AsyncFn(&'t T) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let failed = Cell::new(false);
        let copied = futures_util::stream::iter(things.iter())
            .take_while(|_| std::future::ready(!failed.get() && !self.interruption.is_wanted()))
            .map(|thing| copy(thing))
            .buffer_unordered(AT_ONCE)
            .inspect(|copied| failed.set(failed.get() || copied.is_err()))
            .fold(Ok(()), async |first, next| first.and(next))
            .await;
        copied.and_then(|()| Ok(self.interruption.check()?))
    }
}

async fn all_users(copy: &Opened) -> anyhow::Result<Vec<UserId>> {
    let mut all = Vec::new();
    let mut page = PageRequest::first(PageSize::MAX);
    loop {
        let users = copy.ports().repositories.users.all(page).await?;
        all.extend(users.items.iter().map(|user| user.id));
        match users.next {
            Some(next) => page = PageRequest::after(PageSize::MAX, next),
            None => return Ok(all),
        }
    }
}

async fn copy_photo(photo: &Photo, live: &Opened, copy: &Opened) -> anyhow::Result<()> {
    let (owner, id) = (photo.owner, photo.id);
    let mut keys = vec![BlobKey::original(owner, id, &photo.original.sha256)];
    keys.extend(DerivedImage::ALL.map(|image| BlobKey::derived(owner, id, image)));
    match photo.state {
        PhotoState::Failed(_) | PhotoState::Erasing { .. } => return Ok(()),
        // First the upload: by the time that is gone, the original is there.
        PhotoState::Uploading | PhotoState::Processing => keys.insert(0, BlobKey::incoming(owner, id)),
        PhotoState::Ready(_) => {}
    }
    let mut complete = true;
    for key in &keys {
        complete &= copy_blob(&*live.ports().blobs, &*copy.ports().blobs, key).await?;
    }
    if complete || !matches!(photo.state, PhotoState::Ready(_)) {
        return Ok(());
    }
    let now = live.ports().repositories.photos.find(owner, id).await?;
    if now.is_none_or(|photo| photo.is_erasing()) {
        copy.ports().blobs.remove(&BlobKey::all_of(photo)).await?;
        copy.ports().repositories.photos.remove(owner, id).await?;
    }
    // Else the live gallery has lost a blob: verifying the copy tells.
    Ok(())
}

/// Removes uploads that were copied first and that the copied store does not wait for.
async fn drop_leftovers(copy: &Opened) -> anyhow::Result<()> {
    let mut page = PageRequest::first(PageSize::MAX);
    loop {
        let keys = copy.ports().blobs.list("incoming/", page).await?;
        let mut leftovers = Vec::new();
        for key in keys.items {
            let Some((BlobArea::Incoming, owner, id)) = key.subject() else { continue };
            let photo = copy.ports().repositories.photos.find(owner, id).await?;
            if !photo.is_some_and(|photo| matches!(photo.state, PhotoState::Uploading | PhotoState::Processing)) {
                leftovers.push(key);
            }
        }
        copy.ports().blobs.remove(&leftovers).await?;
        match keys.next {
            Some(next) => page = PageRequest::after(PageSize::MAX, next),
            None => return Ok(()),
        }
    }
}

/// Copies a blob, whose bytes are checked against its hash on the way; whether it was there, and whole.
async fn copy_blob(from: &dyn BlobStore, to: &dyn BlobStore, key: &BlobKey) -> anyhow::Result<bool> {
    let Some(blob) = from.get(key, None).await? else { return Ok(false) };
    match to.put(key, &blob.info, blob.bytes).await {
        Ok(()) | Err(BlobError::AlreadyExists) => Ok(true),
        Err(BlobError::Mismatch { reason }) => {
            // The key names its owner, which no log does.
            let photo = key.subject().map(|(_, _, photo)| tracing::field::display(photo));
            tracing::error!(photo, reason, "a blob is damaged and cannot be backed up");
            Ok(false)
        }
        Err(error) => Err(error).with_context(|| format!("cannot copy {key}")),
    }
}

fn is_absent_or_empty(folder: &Path) -> anyhow::Result<bool> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("cannot look into {}", folder.display())),
    }
}
