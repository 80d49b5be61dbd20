//! S3 on this machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::guard::Guard;
use crate::ports;

/// How often it is begun anew when another program took a port meanwhile.
const TRIES: usize = 3;

/// A server that speaks the protocol of S3. Dropping it stops it and removes what it kept.
#[derive(Debug)]
pub struct SeaweedFs {
    port: u16,
    _guard: Guard,
}

impl SeaweedFs {
    /// Whose key opens everything.
    pub const ACCESS_KEY: &str = "gallery-test-key";
    /// The secret that goes with the key.
    pub const SECRET_KEY: &str = "gallery-test-secret";

    /// A bucket that is there from the beginning.
    pub const BUCKET: &str = "gallery-tests";

    /// Starts the program `weed`.
    pub fn start(weed: &Path) -> Result<Self> {
        let mut tried = 1;
        loop {
            match Self::start_once(weed) {
                Err(error) if tried < TRIES && format!("{error:#}").contains("address already in use") => tried += 1,
                started => return started,
            }
        }
    }

    /// Where it is, with the key and its secret.
    pub fn url(&self) -> String {
        format!("http://{}:{}@127.0.0.1:{}", Self::ACCESS_KEY, Self::SECRET_KEY, self.port)
    }

    /// The port of 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn start_once(weed: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("gallery-seaweedfs-").tempdir()?;
        let [s3, s3_rpc, master, master_rpc, volume, volume_rpc, filer, filer_rpc, admin, admin_rpc] = ports::free()?;
        let mut server = Command::new(weed);
        server.arg("mini").arg(format!("-dir={}", folder.path().join("data").display()));
        server.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-admin.ui=false", "-webdav=false"]);
        server.arg(format!("-bucket={}", Self::BUCKET));
        server.args(["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
        for (name, port) in [
            ("s3.port", s3),
            ("s3.port.grpc", s3_rpc),
            ("master.port", master),
            ("master.port.grpc", master_rpc),
            ("volume.port", volume),
            ("volume.port.grpc", volume_rpc),
            ("filer.port", filer),
            ("filer.port.grpc", filer_rpc),
            ("admin.port", admin),
            ("admin.port.grpc", admin_rpc),
        ] {
            server.arg(format!("-{name}={port}"));
        }
        server.env("AWS_ACCESS_KEY_ID", Self::ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", Self::SECRET_KEY);
        // Without it the server asks its filer for a key that nobody has made yet.
        server.env("WEED_S3_SSE_KEY", "gallery-test");
        std::fs::create_dir(folder.path().join("data"))?;
        let log = folder.path().join("log");
        let is_ready = move || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("Press Ctrl+C"));
        let guard = Guard::start("SeaweedFS", folder, &server, s3, is_ready).context("cannot start SeaweedFS")?;
        Ok(Self { port: s3, _guard: guard })
    }
}
