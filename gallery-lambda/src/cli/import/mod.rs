//! `gallery import`.

mod folder;
mod report;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use futures_util::StreamExt;
use gallery_domain::ports::{BackendFailure, Retry};
use gallery_domain::services::{Imported, NewAlbum, NewPhoto, PhotoPatch, Place, Policy};
use gallery_domain::{
    Actor, AlbumId, AlbumTitle, Description, EmailAddress, FileName, GalleryError, Photo, PhotoId, Sha256Digest,
    TakenAt, Timestamp,
};
use tokio::sync::mpsc;

use self::folder::{Candidate, Found};
use self::report::{Outcome, Report};
use super::checksums;
use super::console::{self, explain};
use super::interruption::Interruption;
use super::opened::Opened;
use crate::worker::{Stop, take_up_forgotten};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folders, or single files
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Whose photos these are; may be left out while there is one account only
    #[arg(long, value_name = "EMAIL")]
    user: Option<EmailAddress>,
    /// An album to put all photos into, or `from-folders`: one album for each folder. An album of that title is used again
    #[arg(long, value_name = "TITLE")]
    album: Option<AlbumChoice>,
    /// Take the time at which a file was last changed (UTC) where the camera left none
    #[arg(long)]
    use_mtime: bool,
    /// One JSON object for each file that is not simply new or known, and one for the summary
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug)]
enum AlbumChoice {
    FromFolders,
    Titled(AlbumTitle),
}

impl FromStr for AlbumChoice {
    type Err = gallery_domain::InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "from-folders" { Ok(Self::FromFolders) } else { AlbumTitle::parse(text).map(Self::Titled) }
    }
}

pub(super) async fn run(arguments: &Arguments, data: &Path) -> anyhow::Result<ExitCode> {
    for path in &arguments.paths {
        std::fs::metadata(path).with_context(|| format!("cannot import {}", path.display()))?;
    }
    let opened = Opened::existing(data).await?;
    let actor = opened.actor(arguments.user.as_ref()).await?;
    let interruption = Interruption::listen()?;
    let report = Report::new(arguments.json);
    report.count_files_of(&arguments.paths);
    // What an import before this one was cut off at.
    let stop = {
        let mut interruption = interruption.clone();
        Stop::when(async move { interruption.wanted().await })
    };
    take_up_forgotten(&opened.gallery, Some(actor.user()), &stop).await?;
    let mut import = Import {
        opened: &opened,
        actor,
        album: arguments.album.as_ref(),
        use_mtime: arguments.use_mtime,
        interruption,
        report,
        albums: BTreeMap::new(),
        seen: BTreeMap::new(),
        failures_in_a_row: 0,
    };
    let ended = import.all(&arguments.paths).await;
    let interrupted = import.interruption.is_wanted();
    let failed = import.report.finish(interrupted)?;
    ended?;
    opened.close().await;
    Ok(match (interrupted, failed) {
        (true, _) => ExitCode::from(console::INTERRUPTED),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// How many files are hashed and compared with the gallery at a time: as many as one question to it may name.
const BATCH: usize = 100;
/// After as many failures without a success between them something is wrong with more than a file.
const HOPELESS: u32 = 5;

struct Import<'a> {
    opened: &'a Opened,
    actor: Actor,
    album: Option<&'a AlbumChoice>,
    use_mtime: bool,
    interruption: Interruption,
    report: Report,
    albums: BTreeMap<String, AlbumId>,
    seen: BTreeMap<Sha256Digest, Seen>,
    failures_in_a_row: u32,
}

/// A file whose bytes came up before in this import.
struct Seen {
    path: PathBuf,
    /// The photo of its bytes, unless they were refused.
    photo: Option<PhotoId>,
}

impl Import<'_> {
    async fn all(&mut self, paths: &[PathBuf]) -> anyhow::Result<()> {
        let (sender, mut found) = mpsc::channel(2 * BATCH);
        let paths = paths.to_owned();
        let walk = tokio::task::spawn_blocking(move || {
            let files = paths.iter().flat_map(|path| folder::files(path));
            for file in files {
                if sender.blocking_send(folder::look_at(file)).is_err() {
                    break;
                }
            }
        });
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(found) = found.recv().await {
            match found {
                Found::Candidate(candidate) => batch.push(candidate),
                Found::Skipped { reason } => self.report.skipped(reason),
                Found::Refused { path, reason } => self.report.file(&path, Outcome::Refused(reason))?,
                Found::Failed { path, reason } => self.report.file(&path, Outcome::Failed(reason))?,
            }
            if batch.len() == BATCH {
                self.batch(std::mem::take(&mut batch)).await?;
            }
            if self.interruption.is_wanted() {
                return Ok(());
            }
        }
        walk.await?;
        self.batch(batch).await
    }

    /// Imports what of some files is new. The hashes come first, so that a file that is known is read once, and not sent anywhere.
    async fn batch(&mut self, candidates: Vec<Candidate>) -> anyhow::Result<()> {
        let hashed = futures_util::stream::iter(candidates).map(hash).buffered(cores()).collect::<Vec<_>>().await;
        let mut files: BTreeMap<Sha256Digest, Candidate> = BTreeMap::new();
        let mut again = Vec::new();
        for (candidate, digest) in hashed {
            match digest {
                Ok(digest) => {
                    match self.seen.get(&digest).map(|seen| &seen.path).or(files.get(&digest).map(|it| &it.path)) {
                        Some(first) => {
                            self.report.file(&candidate.path, Outcome::Duplicate(first.display().to_string()))?;
                            again.push((candidate, digest));
                        }
                        None => drop(files.insert(digest, candidate)),
                    }
                }
                Err(error) => self.report.file(&candidate.path, Outcome::Failed(error.to_string()))?,
            }
        }
        let contents: Vec<_> = files.keys().copied().collect();
        let known = self.opened.gallery.photos.check_uploads(&self.actor, &contents).await.map_err(explain)?;
        let mut placed: Vec<(PathBuf, String, PhotoId)> = Vec::new();
        let mut new = Vec::new();
        for (digest, candidate) in files {
            match known.get(&digest) {
                Some(photo) => {
                    self.report.file(&candidate.path, Outcome::Known)?;
                    self.seen.insert(digest, Seen { path: candidate.path.clone(), photo: Some(*photo) });
                    placed.push((candidate.path, candidate.folder, *photo));
                }
                None => new.push((candidate, digest)),
            }
        }
        new.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        let (opened, actor, use_mtime) = (self.opened, self.actor, self.use_mtime);
        let interruption = self.interruption.clone();
        let mut outcomes = futures_util::stream::iter(new)
            .map(|(candidate, digest)| {
                let interruption = interruption.clone();
                async move {
                    if interruption.is_wanted() {
                        return None;
                    }
                    let outcome = import(opened, &actor, &candidate, digest, use_mtime).await;
                    Some((candidate, digest, outcome))
                }
            })
            .buffer_unordered(cores());
        while let Some(outcome) = outcomes.next().await {
            let Some((candidate, digest, outcome)) = outcome else { continue };
            let photo = match &outcome {
                Ok(Imported::New(photo) | Imported::Duplicate(photo)) => Some(photo.id),
                _ => None,
            };
            let outcome = match outcome {
                Ok(Imported::New(photo)) => Outcome::New { bytes: photo.original.bytes },
                Ok(Imported::Duplicate(_)) => Outcome::Known,
                Ok(Imported::Refused(failure)) => Outcome::Refused(failure.detail),
                Err(NotImported::Refused(reason)) => Outcome::Refused(reason),
                Err(NotImported::Failed(error)) => {
                    self.failures_in_a_row += 1;
                    if self.failures_in_a_row >= HOPELESS {
                        return Err(error.context("stopped, for every file fails now; run it again to go on"));
                    }
                    Outcome::Failed(format!("{error:#}"))
                }
                Err(NotImported::Hopeless(error)) => return Err(error),
            };
            if matches!(outcome, Outcome::New { .. }) {
                self.failures_in_a_row = 0;
            }
            // What failed may go well with the next file of these bytes.
            if !matches!(outcome, Outcome::Failed(_)) {
                self.seen.insert(digest, Seen { path: candidate.path.clone(), photo });
            }
            self.report.file(&candidate.path, outcome)?;
            placed.extend(photo.map(|photo| (candidate.path, candidate.folder, photo)));
        }
        drop(outcomes);
        // A photo is in the album of every folder that holds it.
        for (candidate, digest) in again {
            let photo = self.seen.get(&digest).and_then(|seen| seen.photo);
            placed.extend(photo.map(|photo| (candidate.path, candidate.folder, photo)));
        }
        self.place(placed).await
    }

    /// Puts photos into their albums, in the order of their paths.
    async fn place(&mut self, mut photos: Vec<(PathBuf, String, PhotoId)>) -> anyhow::Result<()> {
        let Some(choice) = self.album else { return Ok(()) };
        photos.sort();
        let mut by_title: BTreeMap<String, (AlbumTitle, Vec<PhotoId>)> = BTreeMap::new();
        for (_, folder, photo) in photos {
            let title = match choice {
                AlbumChoice::Titled(title) => title.clone(),
                AlbumChoice::FromFolders => folder_title(&folder),
            };
            by_title.entry(title.key()).or_insert_with(|| (title, Vec::new())).1.push(photo);
        }
        for (key, (title, photos)) in by_title {
            let album = match self.albums.get(&key) {
                Some(album) => *album,
                None => {
                    let album = self.album_titled(title).await?;
                    self.albums.insert(key, album);
                    album
                }
            };
            self.opened
                .gallery
                .albums
                .add_photos(&self.actor, album, &photos, Place::End, None)
                .await
                .map_err(explain)
                .context("cannot put photos into their album")?;
        }
        Ok(())
    }

    async fn album_titled(&self, title: AlbumTitle) -> anyhow::Result<AlbumId> {
        let albums = &self.opened.gallery.albums;
        if let Some(album) = albums.named(&self.actor, &title).await.map_err(explain)? {
            return Ok(album);
        }
        let new = NewAlbum { title, description: Description::default() };
        Ok(albums.create(&self.actor, &new, None).await.map_err(explain)?.entry.album.id)
    }
}

/// Why a file did not become a photo.
enum NotImported {
    /// It cannot become one.
    Refused(String),
    /// It could, but something went wrong.
    Failed(anyhow::Error),
    /// Something is wrong with more than this file.
    Hopeless(anyhow::Error),
}

impl From<io::Error> for NotImported {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

async fn import(
    opened: &Opened,
    actor: &Actor,
    candidate: &Candidate,
    digest: Sha256Digest,
    use_mtime: bool,
) -> Result<Imported, NotImported> {
    let path = candidate.path.clone();
    let limit = Policy::default().largest_upload;
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
        io::Result::Ok(bytes)
    })
    .await
    .map_err(io::Error::other)??;
    let name = candidate.path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let name = FileName::parse(&name).map_err(|invalid| NotImported::Refused(format!("the file's name {invalid}")))?;
    let new = NewPhoto::plain(name, candidate.media_type, bytes.len() as u64, digest);
    let bytes = bytes::Bytes::from(bytes);
    let mut tries = 0;
    let imported = loop {
        tries += 1;
        match opened.gallery.ingest.import(actor, &new, bytes.clone()).await {
            Ok(imported) => break imported,
            Err(GalleryError::Stale { .. }) if tries < 3 => {}
            Err(GalleryError::Unavailable(BackendFailure { retry: Retry::After(pause), .. }))
                if tries < 3 && pause <= Duration::from_secs(2) =>
            {
                tokio::time::sleep(pause).await;
            }
            Err(error @ GalleryError::OverQuota) => return Err(NotImported::Hopeless(explain(error))),
            Err(error @ GalleryError::Invalid(_)) => return Err(NotImported::Refused(explain(error).to_string())),
            Err(error) => return Err(NotImported::Failed(explain(error))),
        }
    };
    match imported {
        Imported::New(photo) if use_mtime => Ok(Imported::New(with_time(opened, actor, photo, candidate).await?)),
        other => Ok(other),
    }
}

/// The photo with the time of its file, if the camera left none.
async fn with_time(opened: &Opened, actor: &Actor, photo: Photo, candidate: &Candidate) -> Result<Photo, NotImported> {
    let (None, Some(modified)) = (photo.details.taken_at, candidate.modified) else { return Ok(photo) };
    let Ok(since_epoch) = modified.duration_since(std::time::UNIX_EPOCH) else { return Ok(photo) };
    let moment = Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX));
    let Ok(taken_at) = moment.to_string().parse::<TakenAt>() else { return Ok(photo) };
    let patch = PhotoPatch { taken_at: Some(Some(taken_at)), ..PhotoPatch::default() };
    let updated = opened.gallery.photos.update(actor, photo.id, &patch, None).await;
    updated.map_err(|error| NotImported::Failed(explain(error)))
}

async fn hash(candidate: Candidate) -> (Candidate, io::Result<Sha256Digest>) {
    let path = candidate.path.clone();
    let digest = tokio::task::spawn_blocking(move || Ok(checksums::of(File::open(path)?)?.0)).await;
    (candidate, digest.unwrap_or_else(|gone| Err(io::Error::other(gone))))
}

/// What the album of a folder is called; a path too long for a title keeps its end.
fn folder_title(folder: &str) -> AlbumTitle {
    const LONGEST: usize = 200;
    let plain: String = folder.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let skipped = plain.chars().count().saturating_sub(LONGEST);
    let end: String = plain.chars().skip(skipped).collect();
    AlbumTitle::parse(end.trim()).unwrap_or_else(|_| AlbumTitle::parse("Imported").expect("the constant is a title"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_name_makes_a_title() {
        assert_eq!(folder_title("2024 / Rome").as_str(), "2024 / Rome");
        assert_eq!(folder_title("a\nb").as_str(), "a b");
        assert_eq!(folder_title("").as_str(), "Imported");
        let long = folder_title(&format!("{}end", "é".repeat(500)));
        assert!(long.as_str().ends_with("end"));
    }
}
