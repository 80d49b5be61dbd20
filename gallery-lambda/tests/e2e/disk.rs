//! A disk of a test's own, whose galleries are in files: small enough to fill up, and parts of it can be made read-only while a program uses them.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::program::{Said, gallery, said};
use crate::store::folder_of_files;

/// A file system in memory that only the commands of this disk see: it is mounted in a mount namespace that a process of its own holds open,
/// in a user namespace where anybody may mount.
pub(crate) struct Disk {
    holder: Child,
    folder: TempDir,
}

impl Disk {
    /// A disk of so many mebibytes.
    pub(crate) fn of(mebibytes: u32) -> Self {
        let folder = folder_of_files();
        std::fs::create_dir(folder.path().join("disk")).unwrap();
        let script = format!("mount -t tmpfs -o size={mebibytes}m tmpfs \"$1\" && echo mounted && exec cat");
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]).arg(folder.path().join("disk"));
        // It ends when its stdin is closed, also when the test is killed.
        let mut holder = unshare.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare is installed");
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n", "user namespaces are needed to mount a small disk");
        Self { holder, folder }
    }

    /// A path on the disk.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("disk").join(name)
    }

    /// A command that sees the disk.
    pub(crate) fn command(&self, program: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--user", "--preserve-credentials", "--mount", "--target", &self.holder.id().to_string(), "--"]);
        inside.arg(program.get_program()).args(program.get_args()).stdin(Stdio::null());
        for (variable, value) in program.get_envs() {
            match value {
                Some(value) => inside.env(variable, value),
                None => inside.env_remove(variable),
            };
        }
        inside
    }

    /// The program on a data folder of the disk.
    pub(crate) fn gallery(&self, data: &Path) -> Command {
        self.command(&gallery(data))
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, data: &Path, arguments: &[&str]) -> Said {
        said(self.gallery(data).args(arguments))
    }

    /// Leaves no byte free.
    pub(crate) fn fill(&self) {
        // That this fails is its purpose.
        self.shell("head -c 1G /dev/zero > \"$1\"; test -s \"$1\"", &self.path("filling"));
    }

    /// Takes away what filled it.
    pub(crate) fn make_room(&self) {
        self.shell("rm \"$1\"", &self.path("filling"));
    }

    /// Lets nobody write to a folder any more, whoever they are.
    pub(crate) fn make_read_only(&self, folder: &Path) {
        self.shell("mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"", folder);
    }

    /// Undoes [`make_read_only`](Self::make_read_only).
    pub(crate) fn make_writable(&self, folder: &Path) {
        self.shell("umount \"$1\"", folder);
    }

    /// The names in a folder.
    pub(crate) fn names(&self, folder: &Path) -> String {
        self.shell("ls -A \"$1\"", folder)
    }

    fn shell(&self, script: &str, path: &Path) -> String {
        let mut sh = Command::new("sh");
        sh.args(["-c", script, "sh"]).arg(path);
        said(&mut self.command(&sh)).well()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}
