//! Nobody but the server that the URL means gets the password, and what follows it: certificates of the test's own authority, and a server of
//! its own.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

use std::error::Error;
use std::path::{Path, PathBuf};

use gallery_adapters::config::PostgresSettings;
use gallery_adapters::postgres::PostgresStore;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use test_postgres::{Cluster, Programs};

/// Somebody who vouches for servers.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut about = CertificateParams::default();
        about.distinguished_name.push(DnType::CommonName, name);
        about.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(about, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes the certificate that clients have to trust.
    fn publish(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, self.0.pem()).unwrap();
        path
    }

    /// The certificate and the key of a server of this name.
    fn vouch_for(&self, host: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A server that calls itself `localhost`, and the files of two authorities: its own, and one that has nothing to do with it.
struct Scene {
    cluster: Cluster,
    own: PathBuf,
    other: PathBuf,
    _folder: TempDir,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (Authority::new("ours"), Authority::new("theirs"));
        let (certificate, key) = own.vouch_for("localhost");
        let mut cluster = Cluster::start(&Programs::of_environment().unwrap(), &[]).unwrap();
        let certificate = cluster.keep("server.crt", &certificate).unwrap();
        let key = cluster.keep("server.key", &key).unwrap();
        cluster.stop().unwrap();
        cluster
            .start_again(&[
                ("ssl", "on"),
                ("ssl_cert_file", certificate.to_str().unwrap()),
                ("ssl_key_file", key.to_str().unwrap()),
            ])
            .unwrap();
        Self {
            cluster,
            own: own.publish(folder.path(), "own.pem"),
            other: other.publish(folder.path(), "other.pem"),
            _folder: folder,
        }
    }

    fn settings(&self, host: &str, parameters: &str) -> PostgresSettings {
        let (password, port) = (self.cluster.password(), self.cluster.port());
        format!("postgres://postgres:{password}@{host}:{port}/postgres?{parameters}").parse().unwrap()
    }

    /// Whether what goes to the server is encrypted.
    async fn is_encrypted(&self, host: &str, parameters: &str) -> bool {
        let mut connection = self.settings(host, parameters).connect_options().connect().await.unwrap();
        let encrypted = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
        let encrypted = encrypted.fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        encrypted
    }

    /// What a store says that cannot use the server. It gives up at once: nothing becomes better by waiting.
    async fn refusal(&self, host: &str, parameters: &str) -> String {
        let settings = self.settings(host, parameters);
        let store = PostgresStore::new(settings.connect_options().clone(), settings.options());
        let refused = store.schema_status().await.unwrap_err();
        assert!(!refused.is_transient(), "{refused:?}");
        let mut said = refused.to_string();
        let mut cause = refused.source();
        while let Some(error) = cause {
            said = format!("{said}: {error}");
            cause = error.source();
        }
        assert!(!said.contains(self.cluster.password()), "{said}");
        said
    }
}

#[tokio::test]
async fn a_server_that_proves_its_name_is_spoken_to_and_no_other_is() {
    let mut scene = Scene::new();
    let (own, other) = (scene.own.display().to_string(), scene.other.display().to_string());

    let verified = format!("sslmode=verify-full&sslrootcert={own}");
    assert!(scene.is_encrypted("localhost", &verified).await);
    let settings = scene.settings("localhost", &verified);
    let store = PostgresStore::new(settings.connect_options().clone(), settings.options());
    assert!(!store.schema_status().await.unwrap().pending.is_empty(), "the store speaks to it as well");
    store.close().await;

    let stranger = scene.refusal("localhost", &format!("sslmode=verify-full&sslrootcert={other}")).await;
    let unknown = scene.refusal("localhost", "sslmode=verify-full").await;
    let misnamed = scene.refusal("127.0.0.1", &verified).await;
    for (said, cause) in [(stranger, "UnknownIssuer"), (unknown, "UnknownIssuer"), (misnamed, "not valid for name")] {
        assert!(said.contains("check sslmode, sslrootcert and the server's certificate"), "{said}");
        assert!(said.contains(cause), "{said}");
    }
    // By its authority alone it may have any name, and unverified it may be anybody.
    assert!(scene.is_encrypted("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={own}")).await);
    assert!(scene.is_encrypted("127.0.0.1", "sslmode=require").await);
    assert!(scene.is_encrypted("127.0.0.1", "").await, "encrypted where it can be");
    assert!(!scene.is_encrypted("127.0.0.1", "sslmode=disable").await);

    scene.cluster.stop().unwrap();
    scene.cluster.start_again(&[("ssl", "off")]).unwrap();
    for parameters in [&*verified, "sslmode=require"] {
        let plain = scene.refusal("localhost", parameters).await;
        assert!(plain.contains("does not support TLS"), "{plain}");
    }
    assert!(!scene.is_encrypted("localhost", "").await, "on this machine alone, where nobody listens");
}
