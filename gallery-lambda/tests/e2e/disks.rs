//! Disks that are full or may not be written to.

use std::path::PathBuf;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;
use crate::disk::Disk;
use crate::photos;
use crate::program::{Server, create_user, create_user_by, run};
use crate::store::folder_of_files;

/// A photo of so many mebibytes: what follows the end of the picture is no part of it, but of the file.
fn large(seed: u32, mebibytes: usize) -> Vec<u8> {
    let mut bytes = photos::jpeg(seed, 200);
    bytes.resize(mebibytes << 20, 0);
    bytes
}

fn file(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_full_disk_fails_an_import_with_its_reason_and_keeps_nothing_of_the_photo() {
    let (disk, source) = (Disk::of(16), tempfile::tempdir().unwrap());
    let data = disk.path("data");
    create_user_by(disk.gallery(&data), "ada@example.org");
    let (small, large) = (file(&source, "small.jpg", &photos::jpeg(1, 200)), file(&source, "large.jpg", &large(2, 40)));
    let (small, large) = (small.to_str().unwrap(), large.to_str().unwrap());
    let refused = disk.run(&data, &["import", small, large]);
    assert_eq!(refused.code, Some(1), "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("1 new") && refused.out.contains("1 failed"), "{}", refused.out);
    assert!(refused.out.contains("large.jpg: ") && refused.out.contains("the disk is full"), "{}", refused.out);
    disk.run(&data, &["verify", "--hash"]).well();
    let after = disk.run(&data, &["import", small]).well();
    assert!(after.contains("0 new, 1 already there"), "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_disk_is_full_says_so_and_goes_on_when_there_is_room_again() {
    let disk = Disk::of(16);
    let data = disk.path("data");
    create_user_by(disk.gallery(&data), "ada@example.org");
    let server = Server::spawn(disk.gallery(&data).args(["serve", "--listen", "127.0.0.1:0"]), &data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let is_said = |logged: &str| {
        let lines = logged.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        lines.filter_map(|line| line["error"].as_str().map(str::to_owned)).any(|error| {
            // The advice, and below it what the operating system said.
            error.contains("the disk is full") && error.contains("No space left on device")
        })
    };

    // No room for the bytes.
    let (status, answer) = ada.answer_to_upload(&large(2, 20)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert!(is_said(&server.log()), "{}", server.log());
    let id = ada.upload("small.jpg", &photos::jpeg(3, 200)).await;
    ada.ready(&id).await;

    // No room for anything.
    disk.fill();
    let (mut status, mut answer) = (StatusCode::CREATED, Value::Null);
    // The store may have some room of its own left.
    for n in 0..2_000 {
        let album = json!({ "title": format!("Winter {n}"), "description": "x".repeat(2_000) });
        (status, answer) = ada.call(Method::POST, "/albums", Some(album)).await;
        if !status.is_success() {
            break;
        }
    }
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert_eq!(ada.get("/photos").await["items"].as_array().unwrap().len(), 1, "what is there can be seen");
    disk.make_room();
    let id = ada.upload("another.jpg", &photos::jpeg(4, 200)).await;
    ada.ready(&id).await;
    assert!(server.stop().success());
    disk.run(&data, &["verify", "--hash"]).well();
}

#[test]
fn a_restore_without_room_for_both_galleries_keeps_the_one_that_is_there() {
    let (disk, source) = (Disk::of(24), folder_of_files());
    let (elsewhere, backup) = (source.path().join("data"), source.path().join("backup"));
    create_user(&elsewhere, "bob@example.org");
    let photo = file(&source, "large.jpg", &large(1, 30));
    run(&elsewhere, &["import", photo.to_str().unwrap()]).well();
    run(&elsewhere, &["backup", backup.to_str().unwrap()]).well();

    let data = disk.path("data");
    create_user_by(disk.gallery(&data), "ada@example.org");
    let photo = file(&source, "small.jpg", &large(2, 2));
    disk.run(&data, &["import", photo.to_str().unwrap()]).well();
    let before = disk.names(&data);
    let refused = disk.run(&data, &["restore", backup.to_str().unwrap(), "--force"]);
    assert!(refused.code == Some(1) && refused.err.contains("No space left"), "{}{}", refused.out, refused.err);
    assert_eq!(disk.names(&data), before);
    assert!(disk.run(&data, &["user", "list"]).well().starts_with("ada@example.org"));
    assert!(disk.run(&data, &["verify", "--hash"]).well().contains("1 photo"));
}

#[test]
fn a_backup_that_finds_no_room_leaves_nothing_behind() {
    let (disk, source) = (Disk::of(8), folder_of_files());
    let data = source.path().join("data");
    create_user(&data, "ada@example.org");
    let photos: Vec<_> = (0..4).map(|n| file(&source, &format!("{n}.jpg"), &large(n, 4))).collect();
    for photo in &photos {
        run(&data, &["import", photo.to_str().unwrap()]).well();
    }
    let refused = disk.run(&data, &["backup", disk.path("backup").to_str().unwrap()]);
    assert!(refused.code == Some(1) && refused.err.contains("the disk is full"), "{}{}", refused.out, refused.err);
    assert_eq!(disk.names(&disk.path("")), "");
}

#[test]
fn a_folder_that_is_read_only_is_a_clear_error() {
    let disk = Disk::of(16);
    let data = disk.path("data");
    create_user_by(disk.gallery(&data), "ada@example.org");
    disk.make_read_only(&data);
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["verify"], &["user", "list"]] {
        let refused = disk.run(&data, arguments);
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.out);
        let clear = refused.err.contains(data.to_str().unwrap()) && refused.err.contains("Read-only file system");
        assert!(clear && refused.out.is_empty(), "{arguments:?}: {}{}", refused.out, refused.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_becomes_read_only_while_serving_stops_uploads_and_nothing_else() {
    let disk = Disk::of(16);
    let data = disk.path("data");
    create_user_by(disk.gallery(&data), "ada@example.org");
    let server = Server::spawn(disk.gallery(&data).args(["serve", "--listen", "127.0.0.1:0"]), &data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let id = ada.upload("before.jpg", &photos::jpeg(1, 200)).await;
    let photo = ada.ready(&id).await;

    disk.make_read_only(&data.join("blobs"));
    let (status, answer) = ada.answer_to_upload(&photos::jpeg(2, 200)).await;
    assert!(status.is_server_error() && answer["detail"].is_string(), "{status} {answer}");
    assert!(server.log().contains("the disk is mounted read-only"), "{}", server.log());
    assert_eq!(ada.fetch(&photo["urls"]["original"]).await, photos::jpeg(1, 200));
    let change = json!({ "title": "Still here" });
    assert_eq!(ada.call(Method::PATCH, &format!("/photos/{id}"), Some(change)).await.0, StatusCode::OK);

    disk.make_writable(&data.join("blobs"));
    let id = ada.upload("after.jpg", &photos::jpeg(3, 200)).await;
    ada.ready(&id).await;
    assert!(server.stop().success());
    disk.run(&data, &["verify", "--hash"]).well();
}
