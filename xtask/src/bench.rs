//! The benchmarks of `gallery-lambda`: their figures stand in `docs/benchmarks.md`.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::{command, photos};

/// What is measured. The file is `gallery-lambda/benches/NAME.rs`.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Benchmark {
    /// A list page and a search page, in a small and in a large gallery.
    List,
    /// Requests a second, beside an empty axum program.
    Http,
    /// Photos imported a second, beside decoding and resizing alone.
    Import,
    /// Whether the time of an answer tells that an account exists.
    Enumeration,
}

/// Runs one benchmark, or all in order.
pub(crate) fn run(only: Option<Benchmark>, photo_folder: Option<PathBuf>) -> Result<()> {
    let chosen = match &only {
        Some(benchmark) => std::slice::from_ref(benchmark),
        None => Benchmark::value_variants(),
    };
    for benchmark in chosen {
        let mut bench = command::cargo(["bench", "--package", "gallery-lambda", "--bench", benchmark.name()]);
        if let Benchmark::Import = benchmark {
            bench.env("GALLERY_TEST_PHOTOS", photos::gather(photo_folder.clone())?);
        }
        command::run(&mut bench)?;
    }
    Ok(())
}

impl Benchmark {
    fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Http => "http",
            Self::Import => "import",
            Self::Enumeration => "enumeration",
        }
    }
}
