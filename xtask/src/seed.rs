//! A gallery with many photos: made-up pictures, imported as anybody imports a folder.

mod picture;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{command, workspace};

/// Who owns the photos, if the gallery is new.
const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "seventeen green umbrellas";

/// So many files lie on the disk at a time.
const BATCH: u64 = 5_000;

/// Builds the program and fills the gallery in a folder; run again, it goes on where it stopped.
pub(crate) fn run(data: &Path, count: u64) -> Result<()> {
    command::run(&mut command::cargo(["build", "--release", "--package", "gallery-lambda"]))?;
    let program = workspace::program("release")?;
    let start = Instant::now();
    fill(&program, data, count)?;
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("    {count} photos in {seconds:.0} s. To look at them:");
    eprintln!("    cargo run --release -- serve --data {}", data.display());
    eprintln!("    then log in as {EMAIL}, password: {PASSWORD}");
    Ok(())
}

/// Makes an account if there is none, and imports `count` pictures, a batch at a time.
pub(crate) fn fill(program: &Path, data: &Path, count: u64) -> Result<()> {
    if !data.join("gallery.db").exists() {
        create_account(program, data)?;
    }
    for first in (0..count).step_by(usize::try_from(BATCH)?) {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        for number in first..count.min(first + BATCH) {
            let file = folder.path().join(format!("IMG_{number:06}.jpg"));
            fs::write(&file, picture::jpeg(number, count)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        let mut import = Command::new(program);
        import.arg("import").arg(folder.path()).args(["--user", EMAIL, "--data"]).arg(data);
        command::run(&mut import)?;
    }
    Ok(())
}

/// The folder to fill where none is named: apart from a gallery of one's own.
pub(crate) fn usual_folder() -> PathBuf {
    workspace::root().join("target/seeded")
}

fn create_account(program: &Path, data: &Path) -> Result<()> {
    let mut create = Command::new(program);
    create.args(["user", "create", EMAIL, "--name", "Ada", "--password-stdin", "--data"]).arg(data);
    let mut running = create.stdin(Stdio::piped()).spawn().context("cannot start the gallery")?;
    running.stdin.take().context("it reads a password")?.write_all(PASSWORD.as_bytes())?;
    let status = running.wait()?;
    if !status.success() {
        bail!("no account was made in {}: {status}", data.display());
    }
    Ok(())
}
