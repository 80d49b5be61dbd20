//! The process between a test and its server: it waits for the server to end, and for its own standard input to be closed, by whoever wants the server to
//! end or because they are gone; then it stops the server and removes its folder.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// `$1` is the server's folder; the rest is the command, whose one process is told to end, and killed where that does not help.
const SCRIPT: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{
    cat <&3 >/dev/null
    kill -TERM "$program"
    for wait in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.5
        kill -0 "$program" || break
    done
    kill -KILL "$program"
} 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
rm -rf "$folder"
exit $status
"#;

/// How long a server may need to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running server, and the folder that it is in.
#[derive(Debug)]
pub(crate) struct Guard {
    process: Child,
    input: Option<ChildStdin>,
    folder: TempDir,
}

impl Guard {
    /// Starts a server in a folder, and waits until it listens on a port and `is_ready` says so.
    pub(crate) fn start(
        name: &str,
        folder: TempDir,
        server: &Command,
        port: u16,
        is_ready: impl Fn() -> bool,
    ) -> Result<Self> {
        let log = File::create(folder.path().join("log"))?;
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(folder.path()).arg(server.get_program()).args(server.get_args());
        shell.envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).current_dir(folder.path());
        // Ctrl-C at a terminal is for whoever started this: the server is stopped by them.
        shell.process_group(0);
        let mut process = shell.spawn().context("cannot start sh")?;
        let input = process.stdin.take();
        let mut guard = Self { process, input, folder };
        let end = Instant::now() + PATIENCE;
        while !(TcpStream::connect(("127.0.0.1", port)).is_ok() && is_ready()) {
            if let Some(status) = guard.process.try_wait()? {
                bail!("{name} did not start: {status}\n{}", guard.last_words());
            }
            if Instant::now() > end {
                bail!("{name} did not become ready in time\n{}", guard.last_words());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(guard)
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.input.take());
        if let Err(error) = self.process.wait() {
            eprintln!("cannot wait for a server to end: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports;

    /// Serves until it is told to end.
    fn server(port: u16) -> Command {
        let mut server = Command::new("perl");
        server.args(["-MIO::Socket::INET", "-e"]).arg(format!(
            "$| = 1; $SIG{{TERM}} = sub {{ exit 0 }}; print $$; my $s = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => {port}, \
             Listen => 5) or die; close $_ while $_ = $s->accept; sleep 1 while 1"
        ));
        server
    }

    fn is_alive(process: &str) -> bool {
        Command::new("kill").args(["-0", process]).stderr(Stdio::null()).status().unwrap().success()
    }

    #[test]
    fn a_server_ends_with_its_guard_and_its_folder_is_removed() {
        let [port] = ports::free().unwrap();
        let guard = Guard::start("it", tempfile::tempdir().unwrap(), &server(port), port, || true).unwrap();
        let folder = guard.folder.path().to_owned();
        let process = fs::read_to_string(folder.join("log")).unwrap();
        assert!(is_alive(&process));
        drop(guard);
        assert!(!is_alive(&process) && !folder.exists());
    }

    #[test]
    fn a_server_whose_test_was_killed_ends_too() {
        let [port] = ports::free().unwrap();
        let mut guard = Guard::start("it", tempfile::tempdir().unwrap(), &server(port), port, || true).unwrap();
        let folder = guard.folder.path().to_owned();
        let process = fs::read_to_string(folder.join("log")).unwrap();
        // As the system does with what a killed process had open.
        drop(guard.input.take());
        for _ in 0..200 {
            if !is_alive(&process) && !folder.exists() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the server goes on");
    }

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_its_last_words() {
        let [port] = ports::free().unwrap();
        let mut server = Command::new("sh");
        server.args(["-c", "echo the moon is in the wrong house >&2; sleep 0.2; exit 1"]);
        let error = Guard::start("it", tempfile::tempdir().unwrap(), &server, port, || true).unwrap_err().to_string();
        assert!(error.contains("it did not start"), "{error}");
    }
}
