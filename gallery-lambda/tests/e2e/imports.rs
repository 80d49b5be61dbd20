//! Imports of real photos, of duplicates, and with somebody at the terminal.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client::Client;
use crate::photos;
use crate::program::{Server, create_user, files, forget_settings, gallery, interrupted_when, run, said};
use crate::store::folder_of_files;

fn summary(said: &str) -> Value {
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    last["summary"].clone()
}

#[test]
fn two_hundred_photos_are_imported_and_every_byte_of_them_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let source = photos::folder_of_many(folder.path());
    let source = source.to_str().unwrap();
    let imported = run(&data, &["import", source, "--album", "from-folders", "--json"]).well();
    let counted = summary(&imported);
    let new = counted["new"].as_u64().unwrap();
    assert!(new >= 200 && counted["refused"] == 0 && counted["failed"] == 0, "{imported}");
    let verified = run(&data, &["verify", "--hash"]).well();
    assert!(verified.contains(&format!("1 user, {new} photos, ")), "{verified}");
    assert!(verified.ends_with(&format!("{} blobs: no fault found\n", 3 * new)), "{verified}");
    let again = summary(&run(&data, &["import", source, "--json"]).well());
    assert_eq!((&again["new"], &again["alreadyThere"]), (&0.into(), &new.into()), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_in_several_folders_is_in_the_album_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("Source"));
    create_user(&data, "ada@example.org");
    // More files than are looked at in one go, with the first photo in the first, in the second and in a later one.
    for (name, seeds) in [("a", 0..1), ("b", 0..2), ("c", 2..110), ("d", 0..1)] {
        std::fs::create_dir_all(source.join(name)).unwrap();
        for seed in seeds {
            std::fs::write(source.join(name).join(format!("{seed}.jpg")), photos::jpeg(seed, 64)).unwrap();
        }
    }
    let source = source.to_str().unwrap();
    let first = run(&data, &["import", source, "--album", "from-folders"]).well();
    assert!(first.contains("110 new, 0 already there, 2 duplicates"), "{first}");
    let again = run(&data, &["import", source, "--album", "from-folders"]).well();
    assert!(again.contains("0 new, 110 already there, 2 duplicates"), "{again}");

    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let albums = ada.get("/albums").await;
    let counts: BTreeMap<_, _> = albums["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|album| (album["title"].as_str().unwrap(), album["photoCount"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, BTreeMap::from([("a", 1), ("b", 2), ("c", 108), ("d", 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_camera_wrote_is_read_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let bytes = photos::with_exif(&photos::jpeg(1, 300), "Lovelace", "2024:02:29 12:34:56");
    let file = folder.path().join("photo.jpg");
    std::fs::write(&file, &bytes).unwrap();
    run(&data, &["import", file.to_str().unwrap()]).well();
    let server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let listed = ada.get("/photos").await;
    let photo = ada.get(&format!("/photos/{}", listed["items"][0]["id"].as_str().unwrap())).await;
    assert!(photo["takenAt"].as_str().unwrap().starts_with("2024-02-29T12:34:56"), "{photo}");
    assert_eq!(photo["exif"]["make"], "Lovelace", "{photo}");
    assert_eq!(ada.fetch(&photo["urls"]["original"]).await, bytes, "the original is kept byte for byte");
}

#[test]
fn ctrl_c_ends_an_import_with_130_and_another_goes_on() {
    const PHOTOS: u32 = 60;
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("Source"));
    create_user(&data, "ada@example.org");
    std::fs::create_dir(&source).unwrap();
    for n in 0..PHOTOS {
        std::fs::write(source.join(format!("{n}.jpg")), photos::jpeg(n, 600)).unwrap();
    }
    let begun = || !files(&data.join("blobs/original")).is_empty();
    let stopped = interrupted_when(gallery(&data).arg("import").arg(&source), begun);
    assert_eq!(stopped.code, Some(130), "{}{}", stopped.out, stopped.err);
    assert!(stopped.out.contains("Stopped before the end: run it again to go on."), "{}", stopped.out);
    let verified = run(&data, &["verify", "--hash"]).well();
    assert!(!verified.contains(&format!(" {PHOTOS} photos")), "{verified}");
    run(&data, &["import", source.to_str().unwrap()]).well();
    assert!(run(&data, &["verify", "--hash"]).well().contains(&format!(" {PHOTOS} photos")));
}

#[test]
fn a_bar_tells_somebody_at_a_terminal_how_far_it_is_and_nobody_else() {
    let folder = folder_of_files();
    let (data, source) = (folder.path().join("data"), folder.path().join("Source"));
    create_user(&data, "ada@example.org");
    std::fs::create_dir(&source).unwrap();
    for n in 0..12 {
        std::fs::write(source.join(format!("{n}.jpg")), photos::jpeg(n, 600)).unwrap();
    }
    let (source, backup) = (source.to_str().unwrap(), folder.path().join("backup"));
    let backup = backup.to_str().unwrap();
    for (arguments, bar) in [
        (&["import", source][..], "/12 files"),
        (&["backup", backup], "/12 photos"),
        (&["restore", backup, "--force"], " files"),
    ] {
        let shown = at_a_terminal(&data, arguments);
        assert!(shown.contains(bar) && shown.contains(" left"), "{arguments:?}: {shown:?}");
    }
    let quiet = run(&data, &["import", source]);
    assert_eq!((quiet.code, &*quiet.err), (Some(0), ""), "nothing is drawn where nobody looks");
}

/// What somebody sees who runs the program at a terminal, with all that is drawn over.
fn at_a_terminal(data: &Path, arguments: &[&str]) -> String {
    let words = [&[env!("CARGO_BIN_EXE_gallery")][..], arguments].concat();
    let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let mut script = Command::new("script");
    forget_settings(&mut script);
    script.args(["--quiet", "--return", "--command", &format!("stty cols 120; {line}"), "/dev/null"]);
    script.env("GALLERY_DATA", data).env("TERM", "xterm").stdin(Stdio::null());
    said(&mut script).well()
}
