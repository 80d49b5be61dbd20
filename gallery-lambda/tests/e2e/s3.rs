//! The program with its blobs in a bucket: clients send and fetch bytes there, past the gallery.

use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode, Url};
use serde_json::json;

use crate::client::Client;
use crate::photos;
use crate::program::{PASSWORD, Server, gallery, said};

/// Where blobs are in this test: a prefix of its own, on the server that `GALLERY_TEST_S3` names.
struct Bucket {
    server: Url,
    prefix: String,
}

impl Bucket {
    fn new(data: &Path) -> Self {
        let url = std::env::var("GALLERY_TEST_S3").unwrap_or_else(|_| {
            panic!("GALLERY_TEST_S3 names no server: run `cargo xtask test`, or `cargo xtask aws -- cargo test …`, which start one")
        });
        // The folder's name is nobody else's.
        let name = data.parent().unwrap().file_name().unwrap().to_string_lossy();
        Self { server: Url::parse(&url).unwrap(), prefix: name.trim_start_matches('.').to_owned() }
    }

    /// The program, which keeps its blobs there.
    fn gallery(&self, data: &Path, bucket: &str) -> Command {
        let mut endpoint = self.server.clone();
        endpoint.set_username("").unwrap();
        endpoint.set_password(None).unwrap();
        let url = format!("s3://{bucket}/{}?region=eu-central-1&endpoint={endpoint}", self.prefix);
        let mut command = gallery(data);
        command.env("GALLERY_BLOBS", url);
        command.env("AWS_ACCESS_KEY_ID", self.server.username());
        command.env("AWS_SECRET_ACCESS_KEY", self.server.password().unwrap());
        command
    }

    fn origin(&self) -> String {
        self.server.origin().ascii_serialization()
    }
}

const BUCKET: &str = "gallery-tests";

#[tokio::test(flavor = "multi_thread")]
async fn photos_go_to_the_bucket_and_come_from_it_and_nothing_stays_behind() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let bucket = Bucket::new(&data);
    let server = Server::spawn(bucket.gallery(&data, BUCKET).args(["serve", "--listen", "127.0.0.1:0"]), &data);
    let mut ada = Client::new(&server);
    ada.join("ada@example.org", &data).await;

    let files = photos::some(3);
    for (name, bytes) in &files {
        let (id, upload) = ada.announce_as(name, "image/jpeg", bytes).await.unwrap();
        let answer = upload.body(bytes.clone()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        assert_eq!(answer.url().origin().ascii_serialization(), bucket.origin());
        let photo = ada.ready(&id).await;
        let original = &photo["urls"]["original"];
        assert!(original.as_str().unwrap().starts_with(&bucket.origin()), "{original}");
        assert_eq!(&ada.fetch(original).await, bytes, "the original is kept byte for byte");
        image::load_from_memory(&ada.fetch(&photo["urls"]["thumbnail"]).await).unwrap();
    }

    let page = reqwest::get(format!("{}/", server.url)).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert_eq!(policy.matches(&bucket.origin()).count(), 2, "the page may send bytes there, and show them: {policy}");

    assert_eq!(
        said(bucket.gallery(&data, BUCKET).args(["verify", "--hash"])).well(),
        "1 user, 3 photos, 0 albums, 9 blobs: no fault found\n"
    );
    let cancel = json!({ "password": PASSWORD });
    let (status, answer) = ada.call(Method::DELETE, "/account", Some(cancel)).await;
    assert!(status.is_success(), "{answer}");
    assert!(server.stop().success());
    assert_eq!(
        said(bucket.gallery(&data, BUCKET).arg("verify")).well(),
        "0 users, 0 photos, 0 albums, 0 blobs: no fault found\n"
    );
}

#[test]
fn a_bucket_that_is_not_there_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let bucket = Bucket::new(&data);
    let said = said(bucket.gallery(&data, "no-such-bucket-here").args(["serve", "--listen", "127.0.0.1:0"]));
    assert_eq!(said.code, Some(1), "{}", said.err);
    for part in ["GALLERY_BLOBS", "there is no such bucket", "gallery provision"] {
        assert!(said.err.contains(part), "{}", said.err);
    }
}

#[test]
fn a_bucket_is_set_up_and_found_well_by_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let bucket = Bucket::new(&data);
    let name = format!("gallery-{}", bucket.prefix.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let doctor = || said(bucket.gallery(&data, &name).arg("doctor"));

    let before = doctor();
    assert_eq!(before.code, Some(1), "{}", before.err);
    assert!(before.out.contains("there is no such bucket: create it by `gallery provision`"), "{}", before.out);
    let planned = said(bucket.gallery(&data, &name).args(["provision", "--dry-run"])).well();
    assert!(planned.starts_with("this would be done:\n"), "{planned}");
    let makes_it = format!("  make the bucket {name}\n");
    assert!(planned.contains(&makes_it), "{planned}");
    // A store may have something to say as well.
    for makes in [true, false] {
        let done = said(bucket.gallery(&data, &name).arg("provision")).well();
        assert_eq!(done.contains(&makes_it), makes, "{done}");
        assert!(makes || !done.contains("bucket"), "{done}");
    }
    let after = doctor().well();
    assert!(after.lines().count() == 4 && after.lines().all(|line| line.ends_with(": well")), "{after}");

    let mut stranger = bucket.gallery(&data, &name);
    let found = said(stranger.env("AWS_SECRET_ACCESS_KEY", "another").args(["doctor", "--json"]));
    assert_eq!(found.code, Some(1), "{}", found.err);
    let found: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    let fault = found["parts"][1]["faults"][0].as_str().unwrap();
    assert!(fault.contains("check AWS_SECRET_ACCESS_KEY"), "{fault}");
}
