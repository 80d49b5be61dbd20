//! A server's life: made, started, stopped, started again, gone.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use tempfile::TempDir;

use crate::guard::{Ending, Guard};
use crate::programs::Programs;
use crate::user::User;

/// How long a server may need to start or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server's settings, before those of a test. They ask more of a client than most servers do: nothing is sorted as its bytes are,
/// and the sessions' time zone is far from UTC. Data need not survive a power cut.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("max_connections", "200"),
    ("timezone", "<+0545>-05:45"),
    ("log_min_messages", "warning"),
];

/// A server in a temporary folder. Dropping it stops the server and removes the folder.
#[derive(Debug)]
pub struct Cluster {
    programs: Programs,
    settings: Vec<String>,
    password: String,
    port: u16,
    user: User,
    server: Option<Guard>,
    // The last to be dropped.
    folder: TempDir,
}

impl Cluster {
    /// Makes a cluster and starts its server, with these settings beside or instead of the usual ones.
    pub fn start(programs: &Programs, settings: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gallery-postgres-").tempdir()?;
        let user = User::of_new(folder.path())?;
        let settings =
            SETTINGS.iter().chain(settings).flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]);
        let mut cluster = Self {
            programs: programs.clone(),
            settings: settings.collect(),
            password: random_word()?,
            port: 0,
            user,
            server: None,
            folder,
        };
        cluster.initialise().with_context(|| cluster.said("cannot make a PostgreSQL cluster"))?;
        loop {
            match cluster.start_on(free_port()?) {
                Ok(()) => return Ok(cluster),
                // A port that is free now may be taken a moment later, when the server wants it.
                Err(error) if format!("{error:#}").contains("Address already in use") => {
                    fs::remove_file(cluster.log())?
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The URL of the database `postgres`, for its superuser.
    pub fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// The port of 127.0.0.1 that the server listens on, also after it was started again.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// A folder that goes with the cluster, for files that the server's settings name.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts a file that only the server may read into the cluster's [folder](Self::folder).
    pub fn keep(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        self.user.give(&path)?;
        Ok(path)
    }

    /// Stops the server: clients are cut off, and everything is brought to rest.
    pub fn stop(&mut self) -> Result<()> {
        self.end(Ending::Fast)
    }

    /// Stops the server as a crash does: it has to recover when it starts again.
    pub fn crash(&mut self) -> Result<()> {
        self.end(Ending::Immediate)
    }

    /// Starts a server that was stopped, on the same port, with these settings more or other.
    pub fn start_again(&mut self, settings: &[(&str, &str)]) -> Result<()> {
        self.settings.extend(settings.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]));
        self.start_on(self.port)
    }

    fn end(&mut self, how: Ending) -> Result<()> {
        let Some(server) = self.server.take() else { return Ok(()) };
        let status = server.end(how)?;
        match how {
            Ending::Fast if !status.success() => bail!(self.said(&format!("PostgreSQL did not end well: {status}"))),
            Ending::Fast | Ending::Immediate => Ok(()),
        }
    }

    fn initialise(&self) -> Result<()> {
        let password = self.keep("password", &self.password)?;
        let mut initdb = Command::new(self.programs.folder().join("initdb"));
        initdb.arg("--pgdata").arg(self.data()).arg("--pwfile").arg(&password).args([
            "--username=postgres",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            // Orders text as nobody's bytes are ordered, on every machine alike.
            "--locale=C",
            "--locale-provider=icu",
            "--icu-locale=und",
            "--no-sync",
        ]);
        let status = Guard::start(self.user, self.folder.path(), &initdb, &self.log())?.finish()?;
        if !status.success() {
            bail!("initdb failed: {status}");
        }
        fs::remove_file(password)?;
        Ok(())
    }

    fn start_on(&mut self, port: u16) -> Result<()> {
        if self.server.is_some() {
            bail!("the server runs already");
        }
        let mut postgres = Command::new(self.programs.folder().join("postgres"));
        postgres.arg("-D").arg(self.data()).args(&self.settings).args(["-c", &format!("port={port}")]);
        let mut server = Guard::start(self.user, self.folder.path(), &postgres, &self.log())?;
        let end = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if let Some(status) = server.ended()? {
                bail!(self.said(&format!("PostgreSQL did not start: {status}")));
            }
            if Instant::now() > end {
                let _ = server.end(Ending::Immediate);
                bail!(self.said("PostgreSQL did not become ready in time"));
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.port = port;
        self.server = Some(server);
        Ok(())
    }

    /// Whether the server says that it lets clients in: in the eighth line of this file, as `pg_ctl` has it.
    fn is_ready(&self) -> bool {
        let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        status.lines().nth(7).is_some_and(|status| ["ready", "standby"].contains(&status.trim_end()))
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What happened, and the last that the programs said.
    fn said(&self, what: &str) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        format!("{what}\n{}", lines[lines.len().saturating_sub(20)..].join("\n"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            // The test has its result by now; whoever reads its output should know all the same.
            eprintln!("{error:#}");
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").context("there is no free port")?.local_addr()?.port())
}

fn random_word() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("there is no randomness: {error}"))?;
    Ok(HEXLOWER.encode(&bytes))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Programs that do as those of PostgreSQL, as far as a cluster asks for it.
    pub(crate) fn pretended_programs(folder: &Path, version: &str, serve: &str) -> Result<Programs> {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        write("initdb", "mkdir \"$2\" && cp \"$4\" \"$2\"/superuser");
        let say_version = format!("[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) {version}' && exit");
        write("postgres", &format!("{say_version}\ndata=$2\n{serve}"));
        Programs::at(folder)
    }

    /// Serves until it is told to end in order, or at once. In Perl, for a shell cannot hear a signal that is ignored when it starts.
    const SERVING: &str = r#"exec perl -e '
        $| = 1;
        my $file = "$ARGV[0]/postmaster.pid";
        $SIG{INT} = sub { print "fast\n"; unlink $file; exit 0 };
        $SIG{QUIT} = sub { print "at once\n"; unlink $file; exit 2 };
        open(my $status, ">", $file) or die $!;
        print $status join("\n", $$, 2 .. 7, "ready   "), "\n";
        close $status;
        sleep 1 while 1;
    ' "$data""#;

    fn is_alive(process: &str) -> bool {
        Command::new("kill").args(["-0", process]).stderr(std::process::Stdio::null()).status().unwrap().success()
    }

    fn server_of(cluster: &Cluster) -> String {
        let status = fs::read_to_string(cluster.data().join("postmaster.pid")).unwrap();
        status.lines().next().unwrap().to_owned()
    }

    fn eventually(what: &str, holds: impl Fn() -> bool) {
        for _ in 0..1000 {
            if holds() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("{what} never came about");
    }

    #[test]
    fn a_server_is_stopped_started_again_and_gone_with_its_folder() {
        let programs = tempfile::tempdir().unwrap();
        let programs = pretended_programs(programs.path(), "15.1", SERVING).map(|found| (programs, found)).unwrap();
        let mut cluster = Cluster::start(&programs.1, &[("work_mem", "1MB")]).unwrap();
        let (folder, port, first) = (cluster.folder().to_owned(), cluster.port(), server_of(&cluster));
        assert!(
            is_alive(&first) && cluster.url().ends_with(&format!("@127.0.0.1:{port}/postgres")),
            "{}",
            cluster.url()
        );
        assert_eq!(fs::read_to_string(folder.join("data/superuser")).unwrap(), cluster.password());

        cluster.stop().unwrap();
        assert!(!is_alive(&first));
        cluster.start_again(&[]).unwrap();
        let second = server_of(&cluster);
        assert!(is_alive(&second) && cluster.port() == port);
        cluster.crash().unwrap();
        assert!(!is_alive(&second));
        assert_eq!(fs::read_to_string(cluster.log()).unwrap(), "fast\nat once\n");
        cluster.start_again(&[]).unwrap();
        let third = server_of(&cluster);
        drop(cluster);
        assert!(!is_alive(&third) && !folder.exists());
    }

    #[test]
    fn a_server_whose_test_was_killed_is_stopped_and_its_folder_removed() {
        let programs = tempfile::tempdir().unwrap();
        let found = pretended_programs(programs.path(), "15.1", SERVING).unwrap();
        let mut cluster = Cluster::start(&found, &[]).unwrap();
        let (folder, server) = (cluster.folder().to_owned(), server_of(&cluster));
        let mut guard = cluster.server.take().unwrap().abandon();
        eventually("the end of an abandoned server", || !is_alive(&server) && !folder.exists());
        guard.wait().unwrap();
    }

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_its_last_words() {
        let programs = tempfile::tempdir().unwrap();
        let found =
            pretended_programs(programs.path(), "15.1", "echo the moon is in the wrong house >&2; exit 1").unwrap();
        let error = format!("{:#}", Cluster::start(&found, &[]).unwrap_err());
        assert!(error.contains("did not start") && error.contains("wrong house"), "{error}");
    }
}
