//! What an import says while it goes on, and at its end.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::super::console::{count, say};
use super::super::progress::Progress;
use super::folder;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is a photo of the gallery now.
    New { bytes: u64 },
    /// It was there already.
    Known,
    /// The same bytes came before in this import, from this file.
    Duplicate(String),
    /// It cannot become a photo.
    Refused(String),
    /// Something went wrong that may go well another time.
    Failed(String),
}

pub(super) struct Report {
    json: bool,
    progress: Progress,
    began: Instant,
    new: u64,
    new_bytes: u64,
    known: u64,
    duplicates: u64,
    refused: u64,
    failed: u64,
    skipped: BTreeMap<String, u64>,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        Self {
            json,
            progress: Progress::new(json, "files"),
            began: Instant::now(),
            new: 0,
            new_bytes: 0,
            known: 0,
            duplicates: 0,
            refused: 0,
            failed: 0,
            skipped: BTreeMap::new(),
        }
    }

    /// Finds out beside the import how many files there are, so that the bar can tell the time left.
    pub(super) fn count_files_of(&self, paths: &[PathBuf]) {
        if !self.progress.is_shown() {
            return;
        }
        let (progress, paths) = (self.progress.clone(), paths.to_owned());
        tokio::task::spawn_blocking(move || {
            let files = paths.iter().flat_map(|path| folder::files(path)).count();
            progress.expect(files as u64);
        });
    }

    pub(super) fn skipped(&mut self, reason: String) {
        *self.skipped.entry(reason).or_default() += 1;
        self.progress.advance();
    }

    /// Counts a file, and says what its owner should know of it.
    pub(super) fn file(&mut self, path: &Path, outcome: Outcome) -> io::Result<()> {
        self.progress.advance();
        let path = path.display();
        let (kind, detail) = match outcome {
            Outcome::New { bytes } => {
                self.new += 1;
                self.new_bytes += bytes;
                return Ok(());
            }
            Outcome::Known => {
                self.known += 1;
                return Ok(());
            }
            Outcome::Duplicate(first) => {
                self.duplicates += 1;
                ("duplicate", format!("the same as {first}"))
            }
            Outcome::Refused(reason) => {
                self.refused += 1;
                ("refused", reason)
            }
            Outcome::Failed(reason) => {
                self.failed += 1;
                ("failed", reason)
            }
        };
        let json = self.json;
        self.progress.beside(|| {
            if json {
                say(json!({ "file": path.to_string(), "outcome": kind, "detail": detail }))
            } else {
                say(format_args!("{kind}: {path}: {detail}"))
            }
        })
    }

    /// Says what came of it all; whether something failed.
    pub(super) fn finish(&self, interrupted: bool) -> io::Result<bool> {
        self.progress.end();
        let seconds = self.began.elapsed().as_secs_f64();
        let skipped: u64 = self.skipped.values().sum();
        if self.json {
            say(json!({
                "summary": {
                    "new": self.new,
                    "newBytes": self.new_bytes,
                    "alreadyThere": self.known,
                    "duplicates": self.duplicates,
                    "refused": self.refused,
                    "failed": self.failed,
                    "skipped": self.skipped,
                    "seconds": seconds,
                    "interrupted": interrupted,
                }
            }))?;
            return Ok(self.failed > 0);
        }
        let mut line = format!("{} new, {} already there", self.new, self.known);
        if self.duplicates > 0 {
            line += &format!(", {}", count(self.duplicates, "duplicate"));
        }
        for (n, what) in [(self.refused, "refused"), (self.failed, "failed")] {
            if n > 0 {
                line += &format!(", {n} {what}");
            }
        }
        if skipped > 0 {
            let reasons: Vec<_> = self.skipped.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            line += &format!(", {skipped} skipped ({})", reasons.join(", "));
        }
        if self.new > 0 {
            let megabytes = self.new_bytes as f64 / 1e6;
            line += &format!(
                " in {seconds:.1} s ({:.1} photos/s, {:.1} MB/s)",
                self.new as f64 / seconds,
                megabytes / seconds
            );
        }
        say(line)?;
        if interrupted {
            say("Stopped before the end: run it again to go on.")?;
        }
        Ok(self.failed > 0)
    }
}
