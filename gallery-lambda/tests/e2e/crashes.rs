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
        let pause = Duration::from_millis(20 + dice.below(900));
        let cut_off = async {
            tokio::time::sleep(pause).await;
            server.kill();
        };
        tokio::join!(upload_and_purge(&here, &acknowledged), cut_off);
        server = Server::start(&data);
    }
    let ada = ada.at(&server);
    let acknowledged = acknowledged.into_inner();
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
    std::fs::create_dir(&source).unwrap();
    for n in 0..PHOTOS {
        std::fs::write(source.join(format!("{n}.jpg")), photos::jpeg(n, 800)).unwrap();
    }
    for _ in 0..kills() {
        let mut import = gallery(&data);
        import.arg("import").arg(&source).args(["--album", "from-folders"]);
        let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(20 + dice.below(500)));
        import.kill().unwrap();
        import.wait().unwrap();
    }
    run(&data, &["import", source.to_str().unwrap(), "--album", "from-folders"]).well();
    let verified = run(&data, &["verify", "--hash"]).well();
    assert_eq!(verified, format!("1 user, {PHOTOS} photos, 1 album, {} blobs: no fault found\n", 3 * PHOTOS));
    let again = run(&data, &["import", source.to_str().unwrap()]).well();
    assert!(again.starts_with(&format!("0 new, {PHOTOS} already there")), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_account_stays_cancelled_and_is_erased_after_kill_9() {
    let mut dice = Dice::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for n in 0..kills() {
        let email = format!("ada{n}@example.org");
        create_user(&data, &email);
        let source = folder.path().join(format!("Source {n}"));
        std::fs::create_dir(&source).unwrap();
        for k in 0..12 {
            std::fs::write(source.join(format!("{k}.jpg")), photos::jpeg(k, 200)).unwrap();
        }
        run(&data, &["import", source.to_str().unwrap(), "--user", &email]).well();
        let server = Server::start(&data);
        let mut ada = Client::new(&server);
        ada.log_in(&email).await;
        let pause = Duration::from_millis(dice.below(250));
        let cut_off = async {
            tokio::time::sleep(pause).await;
            server.kill();
        };
        let cancel = ada.try_call(Method::DELETE, "/account", Some(json!({ "password": PASSWORD })));
        let (cancelled, ()) = tokio::join!(cancel, cut_off);
        if cancelled.is_ok_and(|(status, _)| status.is_success()) {
            let server = Server::start(&data);
            assert_eq!(ada.at(&server).call(Method::GET, "/account", None).await.0, StatusCode::UNAUTHORIZED);
            assert!(server.stop().success());
        }
        run(&data, &["verify"]).well();
        erase_what_is_left(&data, &email);
    }
    assert_eq!(files(&data.join("blobs")), [] as [std::path::PathBuf; 0]);
    assert_eq!(run(&data, &["verify"]).well(), "0 users, 0 photos, 0 albums, 0 blobs: no fault found\n");
}

fn erase_what_is_left(data: &Path, email: &str) {
    if run(data, &["user", "list"]).well().contains(email) {
        run(data, &["user", "erase", email, "--yes"]).well();
    }
    assert_eq!(run(data, &["user", "list"]).well(), "");
}
