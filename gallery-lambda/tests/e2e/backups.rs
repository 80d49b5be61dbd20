//! Backups that must not harm the gallery, and restores that must not harm what they replace.

use std::path::{Path, PathBuf};

use crate::photos;
use crate::program::{create_user, files, gallery, interrupted_when, run};
use crate::store::folder_of_files;

/// A gallery of so many photos of so many mebibytes each.
fn gallery_of(count: u32, mebibytes: usize, folder: &Path) -> PathBuf {
    let (data, source) = (folder.join("data"), folder.join("Source"));
    create_user(&data, "ada@example.org");
    std::fs::create_dir(&source).unwrap();
    for n in 0..count {
        let mut bytes = photos::jpeg(n, 300);
        // What follows the end of the picture is no part of it, but of the file.
        bytes.resize(bytes.len().max(mebibytes << 20), 0);
        std::fs::write(source.join(format!("{n}.jpg")), bytes).unwrap();
    }
    run(&data, &["import", source.to_str().unwrap()]).well();
    data
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_backup_inside_the_gallery_is_neither_made_nor_restored() {
    let folder = folder_of_files();
    let data = gallery_of(2, 0, folder.path());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&data, &link).unwrap();
    for inside in [data.join("backup"), link.join("backup"), data.join("a/../b/backup"), data.join("blobs/backup")] {
        let refused = run(&data, &["backup", inside.to_str().unwrap()]);
        assert!(refused.code == Some(1) && refused.err.contains("is inside"), "{}{}", refused.out, refused.err);
    }
    assert_eq!(names(&data), ["blobs", "gallery.db", "lock", "outbox", "signing.key"]);

    // One that somebody put there.
    let outside = folder.path().join("backup");
    run(&data, &["backup", outside.to_str().unwrap()]).well();
    std::fs::rename(&outside, data.join("backup")).unwrap();
    for (inside, data) in [(data.join("backup"), &data), (link.join("backup"), &data), (data.join("backup"), &link)] {
        let refused = run(data, &["restore", inside.to_str().unwrap(), "--force"]);
        assert!(refused.code == Some(1) && refused.err.contains("lie in each other"), "{}", refused.err);
    }
    let around = run(&data.join("backup/data"), &["restore", data.join("backup").to_str().unwrap()]);
    assert!(around.code == Some(1) && around.err.contains("lie in each other"), "{}", around.err);
    assert!(run(&data, &["verify", "--hash"]).well().contains("2 photos"));
    std::fs::rename(data.join("backup"), &outside).unwrap();
    run(&data, &["restore", outside.to_str().unwrap(), "--force"]).well();
}

#[test]
fn ctrl_c_ends_backup_restore_and_verify_with_130_and_leaves_nothing_half_done() {
    let folder = folder_of_files();
    let data = gallery_of(3, 48, folder.path());
    let (backup, to) = (folder.path().join("backup"), folder.path().join("backups"));
    std::fs::create_dir(&to).unwrap();
    run(&data, &["backup", backup.to_str().unwrap()]).well();
    // SQLite keeps files of its own beside the database for as long as somebody has it open, or was stopped while it was.
    let lasting = || -> Vec<String> {
        names(&data).into_iter().filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
    };
    let before = lasting();

    let begun = || !names(&to).is_empty();
    let stopped = interrupted_when(gallery(&data).arg("backup").arg(to.join("backup")), begun);
    assert!(stopped.code == Some(130) && stopped.err.contains("stopped"), "{}{}", stopped.out, stopped.err);
    assert_eq!(names(&to), [""; 0], "no half backup is left");

    let stopped = interrupted_when(gallery(&data).args(["verify", "--hash"]), || true);
    assert!(stopped.code == Some(130) && stopped.out.is_empty(), "{}{}", stopped.out, stopped.err);

    let begun = || lasting() != before;
    let stopped = interrupted_when(gallery(&data).arg("restore").arg(&backup).arg("--force"), begun);
    assert!(stopped.code == Some(130) && stopped.out.is_empty(), "{}{}", stopped.out, stopped.err);
    assert_eq!(lasting(), before, "the gallery is as it was");
    assert!(run(&data, &["verify", "--hash"]).well().contains("3 photos"));
}

#[test]
fn a_restore_that_was_cut_off_at_its_last_step_is_finished_by_the_next_command() {
    let folder = folder_of_files();
    let data = gallery_of(2, 0, folder.path());
    let backup = folder.path().join("backup");
    run(&data, &["backup", backup.to_str().unwrap()]).well();
    create_user(&data, "bob@example.org");

    // What `kill -9` leaves of a restore between two renames: the old gallery is put aside, and half of the new one is in its place.
    let (aside, entering) = (data.join(".replaced"), data.join(".entering"));
    std::fs::create_dir(&aside).unwrap();
    for name in names(&data).iter().filter(|name| !["lock", ".replaced"].contains(&&***name)) {
        std::fs::rename(data.join(name), aside.join(name)).unwrap();
    }
    std::fs::rename(&backup, &entering).unwrap();
    std::fs::rename(entering.join("blobs"), data.join("blobs")).unwrap();
    let users = run(&data, &["user", "list"]).well();
    assert!(users.contains("ada@") && !users.contains("bob@"), "{users}");
    assert!(run(&data, &["verify", "--hash"]).well().contains("2 photos"));
    assert!(!aside.exists() && !entering.exists());
}

#[test]
fn a_backup_with_a_damaged_or_missing_file_replaces_nothing_and_every_such_file_is_named() {
    let folder = folder_of_files();
    let data = gallery_of(3, 0, folder.path());
    let backup = folder.path().join("backup");
    run(&data, &["backup", backup.to_str().unwrap()]).well();
    create_user(&data, "bob@example.org");
    let blobs = files(&backup.join("blobs"));
    std::fs::remove_file(&blobs[0]).unwrap();
    let mut bytes = std::fs::read(&blobs[1]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&blobs[1], bytes).unwrap();

    let refused = run(&data, &["restore", backup.to_str().unwrap(), "--force"]);
    assert!(refused.code == Some(1) && refused.err.contains("damaged in 2 files"), "{}", refused.err);
    for blob in &blobs[..2] {
        assert!(refused.err.contains(blob.file_name().unwrap().to_str().unwrap()), "{}", refused.err);
    }
    assert!(run(&data, &["user", "list"]).well().contains("bob@"), "the gallery is the one it was");
    run(&data, &["verify", "--hash"]).well();
}
