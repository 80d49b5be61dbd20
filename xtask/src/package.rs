//! The artifacts that AWS Lambda runs: one for each store and kind of machine.

use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::{command, workspace};

/// Which artifact.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// The store that the functions use.
    #[arg(long, value_enum, default_value_t = Store::Dynamodb)]
    pub(crate) store: Store,
    /// For which machines; this one's when left out.
    #[arg(long, value_enum)]
    pub(crate) arch: Option<Architecture>,
    /// The certificates of Amazon RDS, which are packed beside the program: global-bundle.pem of `truststore.pki.rds.amazonaws.com`
    #[arg(long, value_name = "FILE")]
    pub(crate) rds_certificates: Option<PathBuf>,
}

/// Where photos, albums and accounts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    Dynamodb,
    Postgres,
}

/// A kind of machine, as AWS Lambda names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Architecture {
    Arm64,
    #[value(name = "x86_64")]
    X86_64,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dynamodb => "dynamodb",
            Self::Postgres => "postgres",
        })
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        })
    }
}

/// An artifact that was made.
pub(crate) struct Artifact {
    pub(crate) file: PathBuf,
    pub(crate) architecture: Architecture,
}

/// The newest symbols of the C library that Lambda's `provided.al2023` has.
const NEWEST_GLIBC: (u32, u32) = (2, 34);

/// How hard the artifact is compressed: as hard as can be.
const SMALLEST: i64 = 9;

/// Builds the program for AWS Lambda and packs it, and says how large it is.
pub(crate) fn run(options: &Options) -> Result<Artifact> {
    let host = Architecture::of_this_machine()?;
    let architecture = options.arch.unwrap_or(host);
    let features = format!("lambda-{}", options.store);
    let mut build = command::cargo(["build", "--locked", "--profile=lambda", "--package=gallery-lambda"]);
    build.args(["--bin=gallery-lambda", "--no-default-features", "--features", &features]);
    let mut place = target_folder()?;
    if architecture != host {
        let target = architecture.target();
        architecture.check_cross(target)?;
        build.args(["--target", target]).env(architecture.linker_variable(), architecture.linker());
        place.push(target);
    }
    // Else the cryptography of the AWS SDK gathers randomness from the jitter of the clock, for tens of milliseconds of each start.
    build.env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1");
    command::run(&mut build)?;

    let program = place.join("lambda/gallery-lambda");
    check_glibc(&program)?;
    let file = target_folder()?.join(format!("lambda-artifacts/gallery-{}-{architecture}.zip", options.store));
    pack(&program, options.rds_certificates.as_deref(), &file, SMALLEST)?;
    let size = |path: &Path| -> Result<f64> { Ok(fs::metadata(path)?.len() as f64 / f64::from(1 << 20)) };
    eprintln!("    {}: {:.2} MiB, {:.2} MiB unpacked", file.display(), size(&file)?, size(&program)?);
    Ok(Artifact { file, architecture })
}

/// Packs a program as Lambda wants it. The same program makes the same file.
pub(crate) fn pack(program: &Path, certificates: Option<&Path>, to: &Path, level: i64) -> Result<()> {
    fs::create_dir_all(to.parent().context("an artifact has a folder")?)?;
    let mut zip = ZipWriter::new(File::create(to).with_context(|| format!("cannot write {}", to.display()))?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(DateTime::default());
    let mut add = |name: &str, file: &Path, mode: u32| -> Result<()> {
        zip.start_file(name, options.unix_permissions(mode))?;
        let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(zip.write_all(&bytes)?)
    };
    add("bootstrap", program, 0o755)?;
    if let Some(certificates) = certificates {
        add("rds-ca.pem", certificates, 0o644)?;
    }
    zip.finish()?;
    Ok(())
}

/// Where cargo builds.
pub(crate) fn target_folder() -> Result<PathBuf> {
    let metadata = workspace::metadata()?;
    Ok(metadata["target_directory"].as_str().context("cargo names its target folder")?.into())
}

impl Architecture {
    /// What this machine is.
    pub(crate) fn of_this_machine() -> Result<Self> {
        match (std::env::consts::OS, std::env::consts::ARCH) {
            ("linux", "x86_64") => Ok(Self::X86_64),
            ("linux", "aarch64") => Ok(Self::Arm64),
            (system, machine) => {
                bail!("artifacts for AWS Lambda are built on Linux, and this is {system} on {machine}")
            }
        }
    }

    fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }

    fn linker(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-linux-gnu-gcc",
            Self::X86_64 => "x86_64-linux-gnu-gcc",
        }
    }

    fn linker_variable(self) -> String {
        format!("CARGO_TARGET_{}_LINKER", self.target().to_uppercase().replace('-', "_"))
    }

    /// Whether this machine can build for the other kind.
    fn check_cross(self, target: &str) -> Result<()> {
        let mut rustc = Command::new("rustc");
        let library = command::output(rustc.args(["--print=target-libdir", "--target", target]))?;
        let has_linker = command::output(Command::new(self.linker()).arg("--version")).is_ok();
        if Path::new(library.trim()).is_dir() && has_linker {
            return Ok(());
        }
        bail!(
            "this machine cannot build for {self}: `rustup target add {target}` and `apt-get install {}` make it able to, or leave --arch out",
            self.linker().replace("-gcc", "").replace("aarch64", "gcc-aarch64").replace("x86_64", "gcc-x86-64")
        );
    }
}

/// Refuses a program that asks for more of the C library than Lambda has.
fn check_glibc(program: &Path) -> Result<()> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    match newest_glibc(&bytes) {
        Some((major, minor)) if (major, minor) > NEWEST_GLIBC => bail!(
            "the program asks for version {major}.{minor} of the C library, and AWS Lambda has {}.{}: build it on a system that is as old, such as Amazon \
             Linux 2023",
            NEWEST_GLIBC.0,
            NEWEST_GLIBC.1
        ),
        _ => Ok(()),
    }
}

/// The newest version among the names that a program has for what it takes from the C library.
fn newest_glibc(program: &[u8]) -> Option<(u32, u32)> {
    const MARK: &[u8] = b"GLIBC_";
    let version = |at: usize| {
        let rest = program.get(at + MARK.len()..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        let (major, minor) = std::str::from_utf8(rest.get(..end)?).ok()?.split_once('.')?;
        Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
    };
    let places = program.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK);
    places.filter_map(|(at, _)| version(at)).max()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_artifact_holds_the_program_as_lambda_starts_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("program"), "the program").unwrap();
        fs::write(path("certificates"), "whom to trust").unwrap();
        pack(&path("program"), Some(&path("certificates")), &path("a/one.zip"), 1).unwrap();
        pack(&path("program"), Some(&path("certificates")), &path("a/two.zip"), 1).unwrap();
        assert_eq!(fs::read(path("a/one.zip")).unwrap(), fs::read(path("a/two.zip")).unwrap());

        let mut zip = zip::ZipArchive::new(File::open(path("a/one.zip")).unwrap()).unwrap();
        assert!(zip.len() == 2 && zip.by_name("rds-ca.pem").is_ok());
        let mut bootstrap = zip.by_name("bootstrap").unwrap();
        assert_eq!(fs::Permissions::from_mode(bootstrap.unix_mode().unwrap()).mode() & 0o777, 0o755);
        let mut text = String::new();
        bootstrap.read_to_string(&mut text).unwrap();
        assert_eq!(text, "the program");
    }

    #[test]
    fn the_newest_symbols_of_the_c_library_are_found() {
        let program = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.4\0GLIBC_PRIVATE\0GLIBC_";
        assert_eq!(newest_glibc(program), Some((2, 34)));
        assert_eq!(newest_glibc(b"\x7fELF"), None);
    }
}
