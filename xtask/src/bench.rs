//! The benchmarks: their figures stand in `docs/benchmarks.md`.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use crate::{cold_start, command, photos, postgres, workspace};

/// Where the plans of PostgreSQL stand.
const PLANS: &str = "docs/postgres-plans.md";

/// What is measured. The file is `NAME.rs` in the folder `benches` of a crate.
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
    /// Pages and changes on PostgreSQL, at 1,000,000 photos.
    Postgres,
    /// The API's function on AWS Lambda, from its start to its first answer, beside one with boto3.
    ColdStart,
}

/// How the benchmarks are run.
pub(crate) struct Settings {
    /// Where the photos for tests are kept.
    pub(crate) photos: Option<PathBuf>,
    /// How many photos a large gallery has.
    pub(crate) count: Option<u64>,
    /// Whether the plans of PostgreSQL are written down, rather than its times.
    pub(crate) plans: bool,
}

/// Runs one benchmark, or all in order.
pub(crate) fn run(only: Option<Benchmark>, settings: &Settings) -> Result<()> {
    let chosen = match &only {
        Some(benchmark) => std::slice::from_ref(benchmark),
        None => Benchmark::value_variants(),
    };
    for benchmark in chosen {
        if let Benchmark::ColdStart = benchmark {
            cold_start::run()?;
            continue;
        }
        let mut bench = command::cargo(["bench", "--package", benchmark.package(), "--bench", benchmark.name()]);
        if let Some(count) = settings.count {
            bench.env("GALLERY_BENCH_PHOTOS", count.to_string());
        }
        match benchmark {
            Benchmark::Import => {
                bench.env("GALLERY_TEST_PHOTOS", photos::gather(settings.photos.clone())?);
            }
            Benchmark::Postgres => {
                bench.args(["--no-default-features", "--features", "postgres"]);
                postgres::name_programs(&mut bench)?;
                if settings.plans {
                    bench.env("GALLERY_BENCH_PLANS", workspace::root().join(PLANS));
                }
            }
            Benchmark::List | Benchmark::Http | Benchmark::Enumeration | Benchmark::ColdStart => {}
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
            Self::Postgres => "postgres",
            Self::ColdStart => "cold-start",
        }
    }

    /// The crate that it is in.
    fn package(self) -> &'static str {
        match self {
            Self::List | Self::Http | Self::Import | Self::Enumeration | Self::ColdStart => "gallery-lambda",
            Self::Postgres => "gallery-adapters",
        }
    }
}
