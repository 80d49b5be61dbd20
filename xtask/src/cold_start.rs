//! How long the API's function takes from its start to its first answer, beside one that does nothing and one in Python.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::package::{self, Options, Store};
use crate::python::Package;
use crate::{command, workspace};

const BOTO3: Package =
    Package { name: "boto3-1.44.8", packages: &["boto3==1.44.8", "cryptography"], program: "python" };

/// How often each function is started.
const ROUNDS: &str = "21";

/// Builds the artifact, measures, and prints a table for docs/benchmarks.md.
pub(crate) fn run() -> Result<()> {
    let python = BOTO3.program()?;
    let artifact = package::run(&Options { store: Store::Dynamodb, arch: None, rds_certificates: None })?;
    let mut build = command::cargo(["build", "--locked", "--profile=lambda", "--package=gallery-lambda"]);
    build.args(["--example=empty_function", "--no-default-features", "--features=lambda"]);
    command::run(build.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1"))?;
    let built = package::target_folder()?.join("lambda");
    let folder = workspace::root().join("xtask/cold-start");

    let path = |path: &Path| path.display().to_string();
    let (gallery, nothing) = (path(&built.join("gallery-lambda")), path(&built.join("examples/empty_function")));
    let functions = BTreeMap::from([
        ("the gallery", json!({"command": [gallery], "status": 401, "reads": 1})),
        ("nothing, in Rust", json!({"command": [nothing], "status": 200, "reads": 0})),
        (
            "boto3",
            json!({"command": [path(&python), path(&folder.join("boto3_function.py"))], "status": 401, "reads": 1}),
        ),
    ]);
    let mut measure = Command::new(&python);
    measure.arg(folder.join("measure.py")).arg(ROUNDS).arg(serde_json::to_string(&functions)?);
    let measured = command::output(&mut measure)?;
    println!("| function | CPU | wall | memory |\n|---|---|---|---|");
    for line in measured.lines() {
        let row: Value = serde_json::from_str(line).context("the measurement is not JSON")?;
        let (name, figure) =
            (row["name"].as_str().unwrap_or_default(), |name: &str| row[name].as_f64().unwrap_or_default());
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {:.1} MiB |",
            figure("cpu_ms"),
            figure("wall_ms"),
            figure("memory_mib")
        );
    }
    let size = fs::metadata(&artifact.file)?.len() as f64 / f64::from(1 << 20);
    println!("\nThe artifact for DynamoDB has {size:.2} MiB.");
    Ok(())
}
