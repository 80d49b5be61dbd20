//! A DynamoDB for the tests: dynoxide, whose behaviour and capacity figures follow those of the real one.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::{command, tools};

/// Names the server that tests make their tables on.
const VARIABLE: &str = "GALLERY_TEST_DYNAMODB";

/// The crate's version, as its registry has it.
const VERSION: &str = "3.2.0";

/// How long the server may need to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a program and ends it by its id: when a line or the end of the standard input comes, so also when whoever holds that is gone.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{ read -r _ <&3; kill "$program"; } 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
exit $status
"#;

/// A running server that keeps everything in memory. Dropping it stops it.
pub(crate) struct Server {
    guard: Child,
    port: u16,
}

impl Server {
    /// Starts it on a free port of 127.0.0.1; builds the program first if it is not there yet.
    pub(crate) fn start() -> Result<Self> {
        let program = program()?;
        // A port that is free now may be taken a moment later, when the server wants it.
        for _ in 0..5 {
            if let Some(server) = Self::start_on(&program, free_port()?)? {
                eprintln!("    DynamoDB (dynoxide {VERSION}) on port {} of 127.0.0.1", server.port);
                return Ok(server);
            }
        }
        bail!("dynoxide does not start: run `{} --port 8000` to see why", program.display())
    }

    fn start_on(program: &PathBuf, port: u16) -> Result<Option<Self>> {
        let mut shell = Command::new("sh");
        shell.args(["-c", GUARD, "sh"]).arg(program).args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        shell.args(["--log", "quiet"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Ctrl-C at a terminal is for whoever started this.
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        let mut server = Self { guard: shell.spawn().context("cannot start sh")?, port };
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if server.guard.try_wait()?.is_some() {
                return Ok(None);
            }
            if Instant::now() > end {
                bail!("dynoxide did not become ready in time");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(Some(server))
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets a command know of it.
    pub(crate) fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env(VARIABLE, self.url())
    }

    /// Stops it.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end().map(drop)
    }

    fn end(&mut self) -> Result<ExitStatus> {
        if let Some(mut input) = self.guard.stdin.take() {
            // A guard whose program has ended by itself listens no more.
            let _ = writeln!(input, "end");
        }
        self.guard.wait().context("cannot wait for dynoxide to end")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Runs a command with a server beside it; without a command, says where the server is and keeps it until Ctrl-C.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let server = Server::start()?;
    let Some((program, arguments)) = words.split_first() else {
        println!("export {VARIABLE}={}", server.url());
        eprintln!("    Ctrl-C stops it and forgets what it kept");
        loop {
            // The guard of the server sees this process end.
            thread::park();
        }
    };
    let outcome = command::run(server.tell(Command::new(program).args(arguments)));
    server.stop().and(outcome)
}

/// The program, built from its registry's source where it is not there yet, and kept.
fn program() -> Result<PathBuf> {
    let kept = tools::cache_folder().join("tools").join(format!("dynoxide-{VERSION}"));
    let program = kept.join("bin/dynoxide");
    if !program.is_file() {
        eprintln!("    building dynoxide {VERSION}, which takes some minutes, once");
        let scratch = tools::cache_folder().join("tools");
        fs::create_dir_all(&scratch).with_context(|| format!("cannot create {}", scratch.display()))?;
        let build = tempfile::Builder::new().prefix(".build-").tempdir_in(&scratch)?;
        let mut install = command::cargo(["install", "dynoxide-rs", "--version", VERSION, "--locked"]);
        install.args(["--no-default-features", "--features", "native-sqlite,http-server,cli", "--root"]).arg(&kept);
        install.arg("--target-dir").arg(build.path());
        command::run(&mut install)?;
    }
    Ok(program)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("there is no free port")?.local_addr()?.port())
}
