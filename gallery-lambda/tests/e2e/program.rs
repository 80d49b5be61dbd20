//! Runs the `gallery` program.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::store;

/// A command that knows nothing of the environment of the tests.
pub(crate) fn gallery(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gallery"));
    forget_settings(&mut command);
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    place(&mut command, data);
    command
}

/// Lets a command have its gallery in this folder, and in the store that the tests run on.
pub(crate) fn place(command: &mut Command, data: &Path) {
    command.env("GALLERY_DATA", data);
    if let Some(url) = store::url_for(data) {
        command.env("GALLERY_STORE", url);
    }
    command.envs(store::variables_for(data));
}

/// Keeps what the developer's own gallery is told from a command.
pub(crate) fn forget_settings(command: &mut Command) {
    for (variable, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GALLERY_")) {
        command.env_remove(variable);
    }
}

/// What a command that ended has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// What it said on stdout, if all went well.
    #[track_caller]
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }
}

/// Runs a command to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Said {
    said(gallery(data).args(arguments))
}

/// Runs any command to its end.
pub(crate) fn said(command: &mut Command) -> Said {
    said_by(command.output().expect("the program starts"))
}

fn said_by(output: Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub(crate) const PASSWORD: &str = "seven purple otters juggling";

/// Makes a confirmed account.
pub(crate) fn create_user(data: &Path, email: &str) {
    create_user_by(gallery(data), email);
}

/// The same by a command of one's own.
pub(crate) fn create_user_by(mut create: Command, email: &str) {
    create.args(["user", "create", email, "--name", "Ada Lovelace", "--password-stdin"]);
    let mut child = create.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{PASSWORD}").expect("the program reads the password");
    drop(stdin);
    assert!(child.wait().expect("the program ends").success());
}

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    lines: mpsc::Receiver<String>,
    log: PathBuf,
    /// Where it is, without a slash at the end.
    pub(crate) url: String,
}

impl Server {
    /// Starts a server on a free port, and waits until it says where it is.
    pub(crate) fn start(data: &Path) -> Self {
        Self::spawn(gallery(data).args(["serve", "--listen", "127.0.0.1:0"]), data)
    }

    /// The same with a command of one's own.
    pub(crate) fn spawn(command: &mut Command, data: &Path) -> Self {
        let log = data.with_extension("log");
        let stderr = File::options().create(true).append(true).open(&log).expect("the log can be written");
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Read to the end, also when nobody waits for it any more: the server must be able to write.
                let _ = sender.send(line);
            }
        });
        let mut server = Self { child, lines, log, url: String::new() };
        let line = server.next_line();
        let url = line.strip_prefix("Gallery is at ").expect("the first line is the address");
        server.url = url.trim_end_matches('/').to_owned();
        server
    }

    /// What it says next on stdout.
    pub(crate) fn next_line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(60)).expect("the server says one line more")
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(self) -> ExitStatus {
        terminate(self.pid());
        self.end()
    }

    /// Waits until a server that was asked to stop has.
    pub(crate) fn end(mut self) -> ExitStatus {
        self.child.wait().expect("the server ends")
    }

    /// Cuts it off, as a power failure would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server ends");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        File::open(&self.log).and_then(|mut file| file.read_to_string(&mut text)).expect("the log can be read");
        text
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("the server's last words:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
        }
    }
}

/// Sends SIGTERM.
pub(crate) fn terminate(pid: u32) {
    signal("-TERM", pid);
}

fn signal(name: &str, pid: u32) {
    let status = Command::new("kill").args([name, &pid.to_string()]).status().expect("kill is installed");
    assert!(status.success(), "the process can be asked to stop");
}

/// Runs a command, and presses Ctrl-C as soon as it is far enough. What it has said to the end.
pub(crate) fn interrupted_when(command: &mut Command, is_far_enough: impl Fn() -> bool) -> Said {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    while !(listens_to_ctrl_c(child.id()) && is_far_enough()) {
        assert!(child.try_wait().expect("it can be looked at").is_none(), "it ended before it was far enough");
        std::thread::sleep(Duration::from_millis(1));
    }
    signal("-INT", child.id());
    said_by(child.wait_with_output().expect("the program ends"))
}

/// Whether a process has a handler for SIGINT, the second of the signals in the mask that the kernel shows.
fn listens_to_ctrl_c(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 0b10 != 0)
}

/// Every file under a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flat_map(|entry| {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() { files(&path) } else { vec![path] }
        })
        .collect()
}
