//! The project's automation: `cargo xtask test` runs everything that a change has to pass.
//!
//! What a step says about itself goes to standard error; the tools that it starts own standard output, so that
//! their closing lines reach whoever reads it as they were printed.

mod aws;
mod bench;
mod cold_start;
mod command;
mod dependencies;
mod deploy;
mod dynamodb;
mod fetch;
mod licences;
mod package;
mod page;
mod permissions;
mod photos;
mod postgres;
mod python;
mod seed;
mod serverless;
mod template;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks, tests and measures the gallery.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing, then run every check and every test; stops at the first failure.
    Test {
        /// Where the photos for tests are kept [default: the user's cache folder].
        #[arg(long, value_name = "DIR")]
        photos: Option<PathBuf>,
    },
    /// Gather real photos for tests from released packages, and check those that are there.
    Photos {
        /// Where to keep them [default: the user's cache folder].
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Start a PostgreSQL server for tests: until Ctrl-C, or beside a command such as `cargo test --package gallery-adapters`.
    Postgres {
        /// The newest version that is tested, rather than the one that this machine has.
        #[arg(long)]
        newest: bool,
        /// The command, which finds the server in GALLERY_TEST_POSTGRES.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Start servers that speak the protocols of AWS, for tests: until Ctrl-C, or beside a command such as `cargo test --package gallery-adapters`.
    #[command(visible_alias = "s3")]
    Aws {
        /// The command, which finds the servers in GALLERY_TEST_S3 and GALLERY_TEST_MINISTACK.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Start a DynamoDB server for tests: until Ctrl-C, or beside a command such as `cargo test --package gallery-adapters`.
    Dynamodb {
        /// The command, which finds the server in GALLERY_TEST_DYNAMODB.
        #[arg(last = true)]
        command: Vec<String>,
    },
    /// Fill a gallery with made-up photos, to see how it is with many: run again, it goes on where it stopped.
    Seed {
        /// How many photos it is to have.
        #[arg(long, value_name = "N", default_value_t = 10_000)]
        photos: u64,
        /// The folder of the gallery [default: target/seeded].
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Run the checks and tests of the page alone.
    Page {
        /// Where the photos for tests are kept [default: the user's cache folder].
        #[arg(long, value_name = "DIR")]
        photos: Option<PathBuf>,
    },
    /// Make the pictures of the page in docs/screenshots anew.
    Screenshots {
        /// Where the photos for tests are kept [default: the user's cache folder].
        #[arg(long, value_name = "DIR")]
        photos: Option<PathBuf>,
    },
    /// Check the template of the deployment: AWS's rules, what each role may do, and that it agrees with the schema.
    Template,
    /// Deploy the gallery in a server that plays AWS, and go through all of it.
    Serverless(serverless::Options),
    /// Build what AWS Lambda runs, and say how large it is.
    Package(package::Options),
    /// Deploy the gallery to an AWS account, or bring it up to date there: see deploy/README.md.
    Deploy(deploy::Options),
    /// Say what deleting a deployed gallery keeps, and delete the rest.
    Destroy(deploy::DestroyOptions),
    /// Check the files of the repository: sizes, unfinished work, stores side by side, unused dependencies.
    Tidy,
    /// Check what each crate may reach, and the licence and source of every dependency.
    Dependencies,
    /// Run one benchmark, or all of them.
    Bench {
        /// Which one; all of them when left out.
        benchmark: Option<bench::Benchmark>,
        /// Where the photos for tests are kept [default: the user's cache folder].
        #[arg(long, value_name = "DIR")]
        photos: Option<PathBuf>,
        /// How many photos a large gallery has: fewer for a quick look [default: 200,000, and 1,000,000 on PostgreSQL].
        #[arg(long, value_name = "N")]
        count: Option<u64>,
        /// Write down by which plans PostgreSQL answers, in docs/postgres-plans.md, rather than measure it.
        #[arg(long)]
        plans: bool,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Test { photos } => test::run(photos),
        Task::Photos { dir } => photos::gather(dir).map(drop),
        Task::Postgres { newest, command } => postgres::run(newest, &command),
        Task::Aws { command } => aws::run(&command),
        Task::Dynamodb { command } => dynamodb::run(&command),
        Task::Seed { photos, data } => seed::run(&data.unwrap_or_else(seed::usual_folder), photos),
        Task::Page { photos } => photos::gather(photos).and_then(|photos| page::test(&photos)),
        Task::Screenshots { photos } => page::screenshots(photos),
        Task::Template => template::check(),
        Task::Serverless(options) => serverless::run(&options),
        Task::Package(options) => package::run(&options).map(drop),
        Task::Deploy(options) => deploy::run(&options),
        Task::Destroy(options) => deploy::destroy(&options),
        Task::Tidy => tidy::check(),
        Task::Dependencies => dependencies::check(),
        Task::Bench { benchmark, photos, count, plans } => {
            bench::run(benchmark, &bench::Settings { photos, count, plans })
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
