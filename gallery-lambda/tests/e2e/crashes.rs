//! `kill -9` at any moment: what was acknowledged is there afterwards, and nothing is left that belongs to nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::sync::Mutex;

use crate::client::{Client, Gone};
use crate::photos;
use crate::program::{PASSWORD, Server, create_user, files, gallery, run};
use crate::store::{let_work_come_due, rows_left};

/// Random numbers of a seed (xorshift64*), which a failed run prints so that it can be had again with `GALLERY_TEST_SEED`.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let given = std::env::var("GALLERY_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one("gallery")) | 1;
        println!("GALLERY_TEST_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// How many kills each of these tests makes: `GALLERY_TEST_KILLS` for long runs.
fn kills() -> u64 {
    std::env::var("GALLERY_TEST_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(8)
}

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged {
    /// Photos, with the seed of their bytes.
    uploaded: BTreeMap<String, u32>,
    purged: BTreeSet<String>,
    next_seed: u32,
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_and_deletions_survive_kill_9() {
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let mut server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let acknowledged = Mutex::new(Acknowledged::default());
    for _ in 0..kills() {
        let here = ada.at(&server);
        let (pause, before) = (Duration::from_millis(dice.below(900)), acknowledged.lock().await.next_seed);
        let cut_off = async {
            // A kill before anything was acknowledged would prove nothing.
            while acknowledged.lock().await.next_seed <= before + 1 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(pause).await;
            server.kill();
        };
        tokio::join!(upload_and_purge(&here, &acknowledged), cut_off);
        server = Server::start(&data);
    }
    let ada = ada.at(&server);
    let acknowledged = acknowledged.into_inner();
    assert!(!acknowledged.uploaded.is_empty() && !acknowledged.purged.is_empty());
    for (id, seed) in &acknowledged.uploaded {
        let photo = ada.ready(id).await;
        assert_eq!(ada.fetch(&photo["urls"]["original"]).await, photos::jpeg(*seed, 320), "the bytes of {id}");
    }
    for id in &acknowledged.purged {
        assert_eq!(ada.call(Method::GET, &format!("/photos/{id}"), None).await.0, StatusCode::NOT_FOUND, "{id}");
    }
    assert!(server.stop().success());
    run(&data, &["verify", "--hash"]).well();
    println!("{} uploads and {} deletions were acknowledged", acknowledged.uploaded.len(), acknowledged.purged.len());
}

/// Uploads photos and removes every third for good, until the server is gone.
async fn upload_and_purge(ada: &Client, acknowledged: &Mutex<Acknowledged>) {
    let _: Result<(), Gone> = async {
        loop {
            let seed = {
                let mut acknowledged = acknowledged.lock().await;
                acknowledged.next_seed += 1;
                acknowledged.next_seed
            };
            let id = ada.try_upload("photo.jpg", &photos::jpeg(seed, 320)).await?;
            acknowledged.lock().await.uploaded.insert(id.clone(), seed);
            if seed % 3 == 0 {
                // From here on it may be gone or not: an answer that never came says nothing.
                acknowledged.lock().await.uploaded.remove(&id);
                ada.try_call(Method::DELETE, &format!("/photos/{id}"), None).await?;
                let purge = json!({ "ids": [id], "action": "purge" });
                let (_, answer) = ada.try_call(Method::POST, "/photos/bulk", Some(purge)).await?;
                // A photo that was not ready yet was removed for good at once.
                if matches!(answer["results"][0]["status"].as_u64(), Some(204 | 404)) {
                    acknowledged.lock().await.purged.insert(id);
                }
            }
        }
    }
    .await;
}

#[test]
fn an_import_goes_on_after_kill_9() {
    const PHOTOS: u32 = 40;
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let (data, source) = (folder.path().join("data"), folder.path().join("Source"));
    create_user(&data, "ada@example.org");
    let source = self::source(PHOTOS, 800, &source);
    for _ in 0..kills() {
        let mut import = gallery(&data);
        import.arg("import").arg(&source).args(["--album", "from-folders"]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + dice.below(500)));
        import.kill().unwrap();
        import.wait().unwrap();
    }
    run(&data, &["import", &source, "--album", "from-folders"]).well();
    let verified = run(&data, &["verify", "--hash"]).well();
    assert_eq!(verified, format!("1 user, {PHOTOS} photos, 1 album, {} blobs: no fault found\n", 3 * PHOTOS));
    let again = run(&data, &["import", &source]).well();
    assert!(again.starts_with(&format!("0 new, {PHOTOS} already there")), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_account_is_erased_by_the_next_server_after_kill_9() {
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for n in 0..kills() {
        let email = format!("ada{n}@example.org");
        create_user(&data, &email);
        let source = source(12, 200, &folder.path().join(format!("Source {n}")));
        run(&data, &["import", &source, "--album", "from-folders"]).well();
        let server = Server::start(&data);
        let mut ada = Client::new(&server);
        ada.log_in(&email).await;
        let pause = Duration::from_millis(dice.below(250));
        let cut_off = async {
            tokio::time::sleep(pause).await;
            server.kill();
        };
        let cancel = json!({ "password": PASSWORD });
        let (cancelled, ()) = tokio::join!(ada.try_call(Method::DELETE, "/account", Some(cancel.clone())), cut_off);
        let acknowledged = cancelled.is_ok_and(|(status, _)| status.is_success());

        // Nobody but this server erases what is left.
        let_work_come_due(&data).await;
        let server = Server::start(&data);
        let ada = ada.at(&server);
        let (status, answer) = ada.call(Method::GET, "/account", None).await;
        match status {
            StatusCode::UNAUTHORIZED => {}
            // The wish to cancel was lost before it was heard.
            StatusCode::OK if !acknowledged => {
                assert!(ada.call(Method::DELETE, "/account", Some(cancel)).await.0.is_success());
            }
            _ => panic!("{status} {answer}"),
        }
        eventually("nothing is left but the work to look again", async || {
            rows_left(&data).await.keys().all(|table| table == "work") && files(&data.join("blobs")).is_empty()
        })
        .await;
        assert!(server.stop().success());
        assert_eq!(run(&data, &["user", "list"]).well(), "");
    }
    // A second look, when no upload can come in any more.
    let_work_come_due(&data).await;
    let server = Server::start(&data);
    eventually("no row is left", async || rows_left(&data).await.is_empty()).await;
    assert!(server.stop().success());
    assert_eq!(run(&data, &["verify"]).well(), "0 users, 0 photos, 0 albums, 0 blobs: no fault found\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_goes_with_all_its_photos_or_stays_with_all_of_them_after_kill_9() {
    const PHOTOS: usize = 60;
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    create_user(&data, "ada@example.org");
    let source = source(PHOTOS as u32, 64, &folder.path().join("Album"));
    run(&data, &["import", &source, "--album", "from-folders"]).well();
    let mut server = Server::start(&data);
    let mut ada = Client::new(&server);
    ada.log_in("ada@example.org").await;
    let listed = ada.get("/albums").await;
    let album = format!("/albums/{}", listed["items"][0]["id"].as_str().unwrap());
    let photos = async |ada: &Client, trashed: bool| {
        let page = ada.get(&format!("/photos?trashed={trashed}&limit=100")).await;
        page["items"].as_array().unwrap().len()
    };
    for _ in 0..kills() {
        let here = ada.at(&server);
        let pause = Duration::from_millis(dice.below(60));
        let cut_off = async {
            tokio::time::sleep(pause).await;
            server.kill();
        };
        let (deleted, ()) = tokio::join!(here.try_call(Method::DELETE, &album, None), cut_off);
        let acknowledged = deleted.is_ok_and(|(status, _)| status.is_success());

        let_work_come_due(&data).await;
        server = Server::start(&data);
        let here = ada.at(&server);
        let is_deleted = here.get(&album).await["trashedAt"].is_string();
        assert!(is_deleted || !acknowledged);
        let in_trash = if is_deleted { PHOTOS } else { 0 };
        // This server finishes what the one before it began.
        eventually("all photos follow their album", async || photos(&here, true).await == in_trash).await;
        assert_eq!(photos(&here, false).await, PHOTOS - in_trash);
        if is_deleted {
            let restored = here.call(Method::POST, &format!("{album}/restore"), None).await;
            assert!(restored.0.is_success(), "{restored:?}");
        }
        eventually("all photos come back", async || photos(&here, false).await == PHOTOS).await;
        assert_eq!(here.get(&album).await["photoCount"], PHOTOS);
    }
    assert!(server.stop().success());
    assert!(run(&data, &["verify", "--hash"]).well().contains("no fault found"));
}

/// A folder of photos of a width.
fn source(photos: u32, width: u32, folder: &Path) -> String {
    std::fs::create_dir(folder).unwrap();
    for n in 0..photos {
        std::fs::write(folder.join(format!("{n}.jpg")), photos::jpeg(n, width)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

/// Waits until something holds, for as long as a busy machine may need.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it never came about that {what}");
}
