//! Import, verify, backup, restore and accounts from the command line.

use std::path::Path;

use serde_json::Value;

use crate::client::Client;
use crate::photos;
use crate::program::{Server, create_user, files, run};
use crate::store::folder_of_files;

/// A folder with 4 photos, a copy of one of them, a text that calls itself a photo, half a photo, and a note.
fn holiday(folder: &Path) -> String {
    let rome = folder.join("Rome");
    std::fs::create_dir_all(&rome).unwrap();
    for n in 0..4 {
        let to = if n < 2 { folder } else { &rome };
        std::fs::write(to.join(format!("{n}.jpg")), photos::jpeg(n, 400)).unwrap();
    }
    std::fs::write(rome.join("copy of 0.jpg"), photos::jpeg(0, 400)).unwrap();
    std::fs::write(folder.join("text.jpg"), "no photo").unwrap();
    std::fs::write(folder.join("notes.txt"), "buy milk").unwrap();
    let half = photos::jpeg(9, 400);
    std::fs::write(folder.join("half.jpg"), &half[..300]).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[test]
fn a_folder_is_imported_once_with_its_albums_and_what_is_refused_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    create_user(&data, "ada@example.org");

    let first = run(&data, &["import", &holiday, "--album", "from-folders"]).well();
    assert!(first.contains("4 new, 0 already there, 1 duplicate, 2 refused, 1 skipped (1 .txt)"), "{first}");
    assert!(first.contains("copy of 0.jpg: the same as") && first.contains("text.jpg: it is not a photo"), "{first}");
    assert!(first.lines().any(|line| line.starts_with("refused: ") && line.contains("half.jpg")), "{first}");

    let second = lines(&run(&data, &["import", &holiday, "--album", "from-folders", "--json"]).well());
    let summary = &second.last().unwrap()["summary"];
    assert_eq!((&summary["new"], &summary["alreadyThere"]), (&0.into(), &4.into()), "{summary}");
    assert_eq!(summary["skipped"][".txt"], 1);

    let verified = run(&data, &["verify", "--hash"]).well();
    assert_eq!(verified, "1 user, 4 photos, 2 albums, 12 blobs: no fault found\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn albums_from_folders_hold_their_photos_and_times_of_files_are_taken_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    create_user(&data, "ada@example.org");
    run(&data, &["import", &holiday, "--album", "from-folders", "--use-mtime"]).well();
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let albums = ada.get("/albums").await;
    let mut titles: Vec<_> = albums["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|album| (album["title"].as_str().unwrap(), &album["photoCount"]))
        .collect();
    titles.sort_by_key(|(title, _)| *title);
    assert_eq!(titles, [("Holiday", &2.into()), ("Rome", &3.into())]);
    for photo in ada.get("/photos").await["items"].as_array().unwrap() {
        assert!(photo["takenAt"].is_string(), "{photo}");
    }
}

#[test]
fn importing_without_an_account_says_how_to_make_one() {
    let folder = folder_of_files();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    let nothing = run(&data, &["import", &holiday]);
    assert_eq!(nothing.code, Some(1));
    assert!(nothing.err.contains("there is no gallery in"), "{}", nothing.err);
    create_user(&data, "ada@example.org");
    create_user(&data, "bob@example.org");
    let whose = run(&data, &["import", &holiday]);
    assert!(whose.code == Some(1) && whose.err.contains("--user EMAIL"), "{}", whose.err);
    let nobody = run(&data, &["import", &holiday, "--user", "eve@example.org"]);
    assert!(nobody.code == Some(1) && nobody.err.contains("there is no account eve@example.org"), "{}", nobody.err);
    run(&data, &["import", &holiday, "--user", "bob@example.org"]).well();
}

#[test]
fn accounts_are_made_listed_and_erased() {
    let folder = tempfile::tempdir().unwrap();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    create_user(&data, "ada@example.org");
    run(&data, &["import", &holiday]).well();
    let listed = lines(&run(&data, &["user", "list", "--json"]).well());
    assert_eq!((listed[0]["email"].as_str(), &listed[0]["photos"]), (Some("ada@example.org"), &4.into()));
    let unsure = run(&data, &["user", "erase", "ada@example.org"]);
    assert!(unsure.code == Some(1) && unsure.err.contains("--yes"), "{}", unsure.err);
    run(&data, &["user", "erase", "ada@example.org", "--yes"]).well();
    assert_eq!(run(&data, &["user", "list"]).well(), "");
    assert_eq!(files(&data.join("blobs")), [] as [std::path::PathBuf; 0]);
}

#[test]
fn a_weak_password_is_refused_with_its_reason() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let mut create = crate::program::gallery(folder.path());
    create.args(["user", "create", "ada@example.org", "--name", "Ada", "--password-stdin"]);
    create.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = create.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"short\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("password") && error.contains("15") && !error.contains("short\n"), "{error}");
}

#[test]
fn verify_names_each_fault_and_mends_what_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    create_user(&data, "ada@example.org");
    run(&data, &["import", &holiday]).well();
    std::fs::remove_file(&files(&data.join("blobs/derived"))[0]).unwrap();
    let found = run(&data, &["verify", "--json"]);
    assert_eq!(found.code, Some(1));
    let found = lines(&found.out);
    assert_eq!((&found[0]["fault"], &found[1]["summary"]["faults"]), (&"missing-blob".into(), &1.into()), "{found:?}");
    let mended = run(&data, &["verify", "--repair"]).well();
    assert!(mended.contains("1 fault found, 1 mended"), "{mended}");
    run(&data, &["verify", "--hash"]).well();

    // A changed byte is found by its hash, and cannot be mended.
    let original = &files(&data.join("blobs/original"))[0];
    let mut bytes = std::fs::read(original).unwrap();
    bytes[200] ^= 1;
    std::fs::write(original, bytes).unwrap();
    run(&data, &["verify"]).well();
    let damaged = run(&data, &["verify", "--hash", "--repair"]);
    assert!(damaged.code == Some(1) && damaged.out.contains("has other bytes than its own"), "{}", damaged.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_photos_come_and_go_is_a_whole_gallery() {
    let folder = folder_of_files();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let mut kept = Vec::new();
    for n in 0..10 {
        kept.push(ada.upload("kept.jpg", &photos::jpeg(n, 300)).await);
    }
    for id in &kept {
        ada.ready(id).await;
    }
    let (leave, mut told) = tokio::sync::watch::channel(());
    let coming_and_going = tokio::spawn({
        let ada = ada.clone();
        async move {
            for n in 100.. {
                let id = ada.upload("passing.jpg", &photos::jpeg(n, 300)).await;
                if n % 2 == 0 {
                    ada.ready(&id).await;
                    for action in ["trash", "purge"] {
                        let bulk = serde_json::json!({ "ids": [id], "action": action });
                        ada.call(reqwest::Method::POST, "/photos/bulk", Some(bulk)).await;
                    }
                }
                if told.has_changed().unwrap_or(true) {
                    told.mark_unchanged();
                    return n;
                }
            }
            unreachable!("the loop has no end")
        }
    });
    let backups: Vec<_> = (0..3).map(|n| folder.path().join(format!("backup {n}"))).collect();
    for backup in &backups {
        let (data, to) = (data.clone(), backup.to_str().unwrap().to_owned());
        let said = tokio::task::spawn_blocking(move || run(&data, &["backup", &to])).await.unwrap().well();
        assert!(said.contains("checked by hash"), "{said}");
    }
    leave.send_replace(());
    assert!(coming_and_going.await.unwrap() > 100);
    assert!(server.stop().success());

    for (n, backup) in backups.iter().enumerate() {
        let restored = folder.path().join(format!("restored {n}"));
        run(&restored, &["restore", backup.to_str().unwrap()]).well();
        run(&restored, &["verify", "--hash"]).well();
        let server = Server::start(&restored);
        let ada = ada.at(&server);
        for id in &kept {
            ada.ready(id).await;
        }
        assert!(!files(backup).iter().any(|file| file.to_string_lossy().contains("outbox")));
    }
}

#[test]
fn a_backup_is_never_overwritten_and_a_damaged_one_never_restored() {
    let folder = folder_of_files();
    let (data, holiday) = (folder.path().join("data"), holiday(&folder.path().join("Holiday")));
    let (backup, restored) = (folder.path().join("backup"), folder.path().join("restored"));
    let to = backup.to_str().unwrap();
    create_user(&data, "ada@example.org");
    run(&data, &["import", &holiday]).well();
    run(&data, &["backup", to]).well();
    let again = run(&data, &["backup", to]);
    assert!(again.code == Some(1) && again.err.contains("not empty"), "{}", again.err);

    run(&restored, &["restore", to]).well();
    let over = run(&restored, &["restore", to]);
    assert!(over.code == Some(1) && over.err.contains("--force"), "{}", over.err);
    run(&restored, &["restore", to, "--force"]).well();
    let serving = Server::start(&restored);
    let busy = run(&restored, &["restore", to, "--force"]);
    assert!(busy.code == Some(1) && busy.err.contains("stop it first"), "{}", busy.err);
    assert!(serving.stop().success());

    let blob = &files(&backup.join("blobs"))[0];
    let mut bytes = std::fs::read(blob).unwrap();
    bytes[0] ^= 1;
    std::fs::write(blob, bytes).unwrap();
    let damaged = run(&restored, &["restore", to, "--force"]);
    assert!(damaged.code == Some(1) && damaged.err.contains("nothing was restored"), "{}", damaged.err);
    run(&restored, &["verify", "--hash"]).well();
    let nothing = run(&restored, &["restore", &holiday, "--force"]);
    assert!(nothing.code == Some(1) && nothing.err.contains("is not a backup"), "{}", nothing.err);
}

#[test]
fn the_schema_of_a_file_is_told_and_has_nothing_left_to_do() {
    let folder = folder_of_files();
    let data = folder.path().join("data");
    let nothing = run(&data, &["migrate-schema", "--status"]);
    assert!(nothing.code == Some(1) && nothing.err.contains("there is no gallery in"), "{}", nothing.err);
    assert!(!data.exists());
    create_user(&data, "ada@example.org");
    let status = &lines(&run(&data, &["migrate-schema", "--status", "--json"]).well())[0]["summary"];
    assert!(
        !status["applied"].as_array().unwrap().is_empty() && status["pending"] == serde_json::json!([]),
        "{status}"
    );
    assert!(run(&data, &["migrate-schema"]).well().ends_with("nothing to do\n"));
    assert_eq!(run(&data, &["migrate-schema", "--status", "--dry-run"]).code, Some(2));
}

#[test]
fn the_api_document_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let document: Value = serde_json::from_str(&run(folder.path(), &["openapi"]).well()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["paths"]["/photos"]["post"]["operationId"], "addphoto");
}
