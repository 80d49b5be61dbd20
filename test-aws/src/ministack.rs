//! Many services of AWS in one process.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::guard::Guard;
use crate::ports;

/// A server that speaks the protocols of many services, and enforces what they do: signatures, permissions, the codes of a user pool. Dropping it
/// stops it; it keeps everything in memory.
#[derive(Debug)]
pub struct MiniStack {
    port: u16,
    _guard: Guard,
}

impl MiniStack {
    /// The key of the account's owner, who may do everything.
    pub const ACCESS_KEY: &str = "test";
    /// The secret that goes with the key.
    pub const SECRET_KEY: &str = "test";

    /// Starts the program `ministack`.
    pub fn start(ministack: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gallery-ministack-").tempdir()?;
        let [port] = ports::free()?;
        let mut server = Command::new(ministack);
        // Without it any code and any signature is taken, and a test proves nothing.
        server.env("AUTH", "true").env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
        server.env("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", Self::SECRET_KEY);
        server.env("HOME", folder.path()).env("TMPDIR", folder.path());
        let log = folder.path().join("log");
        let is_ready = move || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("Ready"));
        let guard = Guard::start("MiniStack", folder, &server, port, is_ready).context("cannot start MiniStack")?;
        Ok(Self { port, _guard: guard })
    }

    /// Where it is, with the key and its secret.
    pub fn url(&self) -> String {
        format!("http://{}:{}@127.0.0.1:{}", Self::ACCESS_KEY, Self::SECRET_KEY, self.port)
    }

    /// The port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}
