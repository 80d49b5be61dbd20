//! Files that are made to hurt, sent to a server that has to stay well.

use std::io;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::client::Client;
use crate::photos;
use crate::program::{Server, create_user, run};

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_fail_with_a_reason_and_the_server_stays_well() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    for (name, media_type, bytes, told) in [
        ("text.jpg", "image/jpeg", b"Dear diary, this is holiday.jpg".to_vec(), "text"),
        ("bomb.png", "image/png", photos::png_that_claims(65_535, 65_535), "maller"),
        ("film.gif", "image/gif", photos::gif_of(4_000, 4_000, 100_000), "pictures"),
        ("header.jpg", "image/jpeg", photos::jpeg(1, 400)[..200].to_vec(), "again"),
    ] {
        let id = ada.upload_as(name, media_type, &bytes).await;
        let failure = ada.failed(&id).await;
        assert!(failure["detail"].as_str().unwrap().contains(told), "{name}: {failure}");
    }
    // Half a picture is better than none, and says that it is one.
    let whole = photos::jpeg(3, 900);
    let id = ada.upload("half.jpg", &whole[..whole.len() / 2]).await;
    let photo = ada.ready(&id).await;
    assert_eq!((&photo["width"], &photo["damaged"]), (&900.into(), &true.into()), "{photo}");

    let id = ada.upload("photo.jpg", &photos::jpeg(4, 400)).await;
    ada.ready(&id).await;
    let peak = most_memory_of(server.pid());
    assert!(peak < 512 << 10, "it took {peak} KiB");
    assert!(server.stop().success());
    run(&data, &["verify", "--hash"]).well();
}

/// The most memory that a process has had, in KiB.
fn most_memory_of(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_101_mebibytes_is_refused_wherever_it_is_sent() {
    const MEBIBYTES: usize = 101;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let body = || {
        let chunks = (0..MEBIBYTES).map(|_| Ok::<_, io::Error>(vec![b' '; 1 << 20]));
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))
    };
    // An upload that goes on beyond what was announced, with its length said and without.
    for length in [Some(MEBIBYTES << 20), None] {
        let status = ada.status_of_body_for_an_upload(&photos::jpeg(1, 200), length, body()).await;
        assert!(status.is_none_or(|status| status.is_client_error()), "{status:?}");
    }
    // A document far beyond what any is.
    let status = ada.status_of_body(Method::POST, "/photos", body()).await;
    assert!(status.is_none_or(|status| status == StatusCode::PAYLOAD_TOO_LARGE), "{status:?}");
    // Announced, it is refused before a byte is sent.
    let announced = json!({
        "fileName": "huge.jpg", "contentType": "image/jpeg", "size": MEBIBYTES << 20, "sha256": "0".repeat(64),
    });
    let (status, answer) = ada.call(Method::POST, "/photos", Some(announced)).await;
    assert!(status.is_client_error() && answer["errors"][0]["pointer"] == "/size", "{status} {answer}");

    let peak = most_memory_of(server.pid());
    assert!(peak < 256 << 10, "it took {peak} KiB");
    let id = ada.upload("photo.jpg", &photos::jpeg(1, 200)).await;
    ada.ready(&id).await;
    assert!(server.stop().success());
    run(&data, &["verify", "--hash"]).well();
}
