//! What goes wrong outside of the program, and what it says then.

use std::net::TcpListener;

use crate::client::Client;
use crate::photos;
use crate::program::{Server, create_user, gallery, run, said, terminate};

#[test]
fn a_taken_port_is_said_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = run(folder.path(), &["serve", "--listen", &taken.local_addr().unwrap().to_string()]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("--listen 127.0.0.1:0"), "{}", refused.err);
}

#[test]
fn a_wrong_command_line_is_refused_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["--lissten", "127.0.0.1:0"][..],
        &["serve", "--listen", "8080"],
        &["import"],
        &["import", "x", "--user", "nobody"],
        &["user", "create", "ada@example.org"],
        &["--listen", "127.0.0.1:0", "verify"],
        &["--listen", "127.0.0.1:0", "serve"],
        &["--allow-origin", "https://photos.example.org", "serve"],
        &["--behind-proxy", "user", "list"],
        &["serve", "--allow-origin", "photos.example.org"],
        &["serve", "--allow-origin", "*"],
        &["verify", "--log", "a=b=c"],
        &["frobnicate"],
    ] {
        let refused = run(folder.path(), arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.err);
    }
}

#[test]
fn what_the_server_is_told_by_the_environment_is_checked_and_is_nothing_to_other_commands() {
    let folder = tempfile::tempdir().unwrap();
    create_user(folder.path(), "ada@example.org");
    for (variable, value) in [
        ("GALLERY_LISTEN", "8080"),
        ("GALLERY_ALLOWED_ORIGINS", "photos.example.org"),
        ("GALLERY_BEHIND_PROXY", "perhaps"),
    ] {
        for serve in [&[][..], &["serve"]] {
            let refused = said(gallery(folder.path()).args(serve).env(variable, value));
            assert_eq!(refused.code, Some(2), "{}", refused.err);
            assert!(refused.err.contains(variable), "{}", refused.err);
        }
        said(gallery(folder.path()).arg("verify").env(variable, value)).well();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_tells_the_server_where_to_listen_and_whom_to_let_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = gallery(folder.path());
    command.env("GALLERY_LISTEN", "127.0.0.1:0").env("GALLERY_BEHIND_PROXY", "1");
    let server = Server::spawn(command.env("GALLERY_ALLOWED_ORIGINS", "https://Photos.example.org/"), folder.path());
    assert!(!server.url.ends_with(":8080"), "{}", server.url);
    let request = reqwest::Client::new().get(format!("{}/api/healthz", server.url));
    let answer = request.header("origin", "https://photos.example.org").send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://photos.example.org");
    assert!(server.stop().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gallery_in_memory_is_tried_out_and_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = gallery(folder.path());
    command.env("GALLERY_STORE", "memory:").env("GALLERY_BLOBS", "memory:").args(["serve", "--listen", "127.0.0.1:0"]);
    let server = Server::spawn(&mut command, folder.path());
    let mut ada = Client::new(&server);
    ada.join("ada@example.org", folder.path()).await;
    let bytes = photos::jpeg(1, 300);
    let id = ada.upload("photo.jpg", &bytes).await;
    assert_eq!(ada.fetch(&ada.ready(&id).await["urls"]["original"]).await, bytes);
    assert!(server.stop().success());
    let server = Server::spawn(&mut command, folder.path());
    assert!(server.next_line().starts_with("It is empty"));
    assert!(server.stop().success());
}

#[test]
fn a_scheme_that_nobody_knows_is_named_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    for (variable, value, built) in [
        ("GALLERY_STORE", "mongodb://x", "`sqlite`"),
        ("GALLERY_BLOBS", "ftp://x", "`file`"),
        ("GALLERY_MAIL", "pigeon:x", "`outbox`"),
        ("GALLERY_IDENTITY", "oracle:", "`password`"),
    ] {
        let refused = said(gallery(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]).env(variable, value));
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains(variable) && refused.err.contains(built), "{}", refused.err);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Nobody, not even root, may make a folder in /proc.
    for data in [file.as_path(), &file.join("below"), "/proc/gallery".as_ref()] {
        let refused = run(data, &["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(refused.code, Some(1));
        let clear = refused.err.contains(data.to_str().unwrap()) && refused.err.contains("--data");
        assert!(clear && refused.out.is_empty(), "{}{}", refused.out, refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_after_the_wish_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let bytes = photos::jpeg(4, 800);
    let pid = server.pid();
    let id = ada.upload_with_a_pause(&bytes, move || terminate(pid)).await;
    assert!(server.end().success());
    let server = Server::start(&data);
    let ada = ada.at(&server);
    let photo = ada.ready(&id).await;
    assert_eq!(ada.fetch(&photo["urls"]["original"]).await, bytes);
}
