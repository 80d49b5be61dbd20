//! What goes wrong outside of the program, and what it says then.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use reqwest::StatusCode;

use crate::client::Client;
use crate::photos;
use crate::program::{Server, create_user, gallery, place, run, said, terminate};

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
        &["verify", "--log", "a=b=c"],
        &["frobnicate"],
    ] {
        let refused = run(folder.path(), arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.err);
    }
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

#[test]
fn a_full_disk_fails_an_import_with_its_reason_and_keeps_nothing_of_the_photo() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let (small, large) = (folder.path().join("small.jpg"), folder.path().join("large.jpg"));
    std::fs::write(&small, photos::jpeg(1, 200)).unwrap();
    let mut bytes = photos::jpeg(2, 200);
    // What follows the end of the picture is no part of it, but of the file.
    bytes.resize(40 << 20, 0);
    std::fs::write(&large, &bytes).unwrap();
    let refused = said(limited(10 << 20, &data).arg("import").args([&small, &large]));
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("1 new") && refused.out.contains("1 failed"), "{}", refused.out);
    assert!(refused.out.contains("large.jpg: ") && refused.out.contains("disk"), "{}", refused.out);
    run(&data, &["verify", "--hash"]).well();
    let after = run(&data, &["import", small.to_str().unwrap(), large.to_str().unwrap()]).well();
    assert!(after.contains("1 new, 1 already there"), "{after}");
    run(&data, &["verify", "--hash"]).well();
}

/// The program where no file may grow beyond `bytes`: what it writes then fails, as on a full disk.
fn limited(bytes: usize, data: &std::path::Path) -> Command {
    let mut command = Command::new("sh");
    // POSIX counts blocks of 512 bytes. The signal is ignored, so that the write fails instead.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_gallery")]).stdin(Stdio::null());
    place(&mut command, data);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_answers_that_it_cannot_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let mut command = limited(10 << 20, &data);
    let server = Server::spawn(command.args(["serve", "--listen", "127.0.0.1:0"]), &data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let mut large = photos::jpeg(2, 200);
    large.resize(20 << 20, 0);
    assert!(matches!(
        ada.status_of_upload(&large).await,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::INTERNAL_SERVER_ERROR
    ));
    let id = ada.upload("small.jpg", &photos::jpeg(3, 200)).await;
    ada.ready(&id).await;
    assert!(server.stop().success());
    run(&data, &["verify", "--hash"]).well();
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
