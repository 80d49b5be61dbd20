//! The process between a test and its server. It waits for the server to end, and for a signal's name on its standard input; and when
//! that is closed without one, because whoever held it is gone, it stops the server and removes the cluster's folder.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};

use anyhow::{Context, Result};

use crate::user::User;

/// `$1` is the cluster's folder; the rest is the command, whose one process gets the signal.
const SCRIPT: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
{
    read -r signal <&3 || : >"$folder/abandoned"
    kill -"${signal:-INT}" "$program"
} 2>/dev/null &
watch=$!
exec 3<&-
wait "$program"
status=$?
kill "$watch" 2>/dev/null
[ ! -e "$folder/abandoned" ] || rm -rf "$folder"
exit $status
"#;

/// How a server is told to end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ending {
    /// Clients are cut off, and everything is brought to rest: `SIGINT`.
    Fast,
    /// As in a crash: what was committed is recovered at the next start: `SIGQUIT`.
    Immediate,
}

/// A running server, or another program of a cluster.
#[derive(Debug)]
pub(crate) struct Guard {
    process: Child,
    input: Option<ChildStdin>,
}

impl Guard {
    /// Starts a program for the cluster in this folder. What it says is added to the log.
    pub(crate) fn start(user: User, folder: &Path, program: &Command, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log)?;
        let mut shell = user.command("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(folder).arg(program.get_program()).args(program.get_args());
        shell.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        // Ctrl-C at a terminal is for whoever started this: the server shall be stopped once, and in order.
        shell.process_group(0).current_dir("/");
        let mut process = shell.spawn().context("cannot start sh")?;
        let input = process.stdin.take();
        Ok(Self { process, input })
    }

    /// Whether the program has ended by itself.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.try_wait()?)
    }

    /// Waits until the program has ended by itself.
    pub(crate) fn finish(mut self) -> Result<ExitStatus> {
        // Not `wait` alone, which closes the standard input.
        let input = self.input.take();
        let status = self.process.wait().context("cannot wait for a program to end")?;
        drop(input);
        Ok(status)
    }

    /// Ends the program, and waits until it has.
    pub(crate) fn end(mut self, how: Ending) -> Result<ExitStatus> {
        let signal = match how {
            Ending::Fast => "INT",
            Ending::Immediate => "QUIT",
        };
        if let Some(input) = &mut self.input {
            // A guard whose program has ended by itself listens no more.
            let _ = writeln!(input, "{signal}");
        }
        self.finish()
    }

    /// Leaves it alone, as a process does that is killed.
    #[cfg(test)]
    pub(crate) fn abandon(mut self) -> Child {
        drop(self.input.take());
        self.process
    }
}
