//! What a check finds, and what it mends.

use gallery_domain::ports::*;
use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, scene};
use gallery_domain::conformance::use_cases::Scene;

#[tokio::test]
async fn a_sound_gallery_has_no_faults_and_is_counted() {
    let scene = scene().await;
    let options = VerifyOptions { hash: true, repair: false };
    let mut tell = |fault: &Fault| panic!("{}", fault.kind);
    let summary = scene.world.gallery.integrity.verify(options, &mut tell).await.expect("verify");
    let counted = (summary.users, summary.photos, summary.albums, summary.blobs, summary.faults);
    // Five ready photos of an original and two images each, and an upload.
    assert_eq!(counted, (1, 7, 3, 16, 0));
    assert!(summary.hashed_bytes > 0);
}

#[tokio::test]
async fn a_lost_image_is_named_and_made_anew() {
    let scene = scene().await;
    let (owner, photo) = (scene.actor().user(), scene.id("beach"));
    let key = BlobKey::derived(owner, photo, DerivedImage::Thumbnail);
    scene.world.ports.blobs.remove(std::slice::from_ref(&key)).await.expect("remove");
    let fault = FaultKind::MissingBlob { photo, key };
    assert_eq!(scene.world.faults(false).await, std::slice::from_ref(&fault));
    assert_eq!(scene.world.faults(true).await, [fault]);
    assert_eq!(scene.world.faults(false).await, []);
}

#[tokio::test]
async fn a_lost_original_is_named_and_cannot_be_mended() {
    let scene = scene().await;
    let beach = scene.photo("beach").await.expect("it is there");
    let key = BlobKey::original(beach.owner, beach.id, &beach.original.sha256);
    scene.world.ports.blobs.remove(std::slice::from_ref(&key)).await.expect("remove");
    let fault = FaultKind::MissingBlob { photo: beach.id, key };
    assert_eq!(scene.world.faults(true).await, std::slice::from_ref(&fault));
    assert_eq!(scene.world.faults(false).await, [fault]);
}

#[tokio::test]
async fn other_bytes_in_the_place_of_an_original_are_named() {
    let scene = scene().await;
    let beach = scene.photo("beach").await.expect("it is there");
    let key = BlobKey::original(beach.owner, beach.id, &beach.original.sha256);
    scene.world.ports.blobs.remove(std::slice::from_ref(&key)).await.expect("remove");
    let other = b"what somebody else wrote there";
    let info = BlobInfo { content_type: MediaType::Jpeg, bytes: other.len() as u64, sha256: Sha256Digest::of(other) };
    scene.world.ports.blobs.put(&key, &info, byte_stream(other.to_vec())).await.expect("put");
    assert_eq!(scene.world.faults(false).await, [FaultKind::WrongBytes { photo: beach.id, key }]);
}

#[tokio::test]
async fn bytes_that_differ_from_their_description_are_found_by_hashing() {
    let scene = scene().await;
    let beach = scene.photo("beach").await.expect("it is there");
    let key = BlobKey::original(beach.owner, beach.id, &beach.original.sha256);
    let ports = Ports { blobs: std::sync::Arc::new(Rotten::at(&scene, &key)), ..scene.world.ports.clone() };
    let gallery = Gallery::new(ports, Policy::default());
    for (hash, expected) in [(false, vec![]), (true, vec![FaultKind::WrongBytes { photo: beach.id, key }])] {
        let mut faults = Vec::new();
        let options = VerifyOptions { hash, repair: false };
        let mut tell = |fault: &Fault| faults.push(fault.kind.clone());
        gallery.integrity.verify(options, &mut tell).await.expect("verify");
        assert_eq!(faults, expected, "hash: {hash}");
    }
}

#[tokio::test]
async fn a_blob_that_belongs_to_nothing_is_named_and_removed() {
    let scene = scene().await;
    let owner = scene.actor().user();
    let nobodys = PhotoId::from_uuid(uuid::Uuid::from_u128(7));
    let bytes = b"left behind";
    let info = BlobInfo { content_type: MediaType::Jpeg, bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes) };
    let key = BlobKey::derived(owner, nobodys, DerivedImage::Preview);
    scene.world.ports.blobs.put(&key, &info, byte_stream(bytes.to_vec())).await.expect("put");
    let fault = FaultKind::OrphanBlob { key };
    assert_eq!(scene.world.faults(false).await, std::slice::from_ref(&fault));
    assert_eq!(scene.world.faults(true).await, [fault]);
    assert_eq!(scene.world.faults(false).await, []);
}

#[tokio::test]
async fn a_photo_whose_work_was_lost_is_named_and_set_going_again() {
    let scene = scene().await;
    let owner = scene.actor().user();
    for name in ["sent", "promised"] {
        let task = Task::Photo { owner, photo: scene.id(name) };
        scene.world.ports.repositories.work.cancel(&task).await.expect("cancel");
    }
    scene.world.pass(3 * DAY).await;
    let stuck = |name| FaultKind::Stuck { photo: scene.id(name), state: "uploading" };
    assert_eq!(scene.world.faults(false).await, [stuck("sent"), stuck("promised")]);
    assert_eq!(scene.world.faults(true).await.len(), 2);
    scene.world.pass(HOUR).await;
    assert_eq!(scene.world.faults(false).await, []);
}

#[tokio::test]
async fn a_photo_that_has_just_begun_to_be_erased_is_not_stuck_however_old_it_is() {
    let scene = scene().await;
    scene.world.pass(20 * DAY).await;
    scene.world.plan.break_down("remove blobs");
    scene.world.shaky.photos.purge(scene.actor(), scene.id("old"), None).await.expect("it has its tombstone");
    assert_eq!(scene.world.faults(false).await, []);
    scene.world.clock.advance(3 * DAY);
    let stuck = FaultKind::Stuck { photo: scene.id("old"), state: "erasing" };
    assert_eq!(scene.world.faults(false).await, [stuck]);
}

#[tokio::test]
async fn an_image_of_other_bytes_than_it_says_is_found_by_hashing_and_made_anew() {
    let scene = scene().await;
    let key = BlobKey::derived(scene.actor().user(), scene.id("beach"), DerivedImage::Preview);
    let ports = Ports { blobs: std::sync::Arc::new(Rotten::at(&scene, &key)), ..scene.world.ports.clone() };
    let mut faults = Vec::new();
    let mut tell = |fault: &Fault| faults.push((fault.kind.clone(), fault.repaired));
    let options = VerifyOptions { hash: true, repair: true };
    Gallery::new(ports, Policy::default()).integrity.verify(options, &mut tell).await.expect("verify");
    assert_eq!(faults, [(FaultKind::WrongBytes { photo: scene.id("beach"), key }, true)]);
    assert_eq!(scene.world.faults(false).await, []);
}

#[tokio::test]
async fn what_others_do_meanwhile_is_no_fault_whenever_they_do_it() {
    let mut calls = 0;
    while calls == 0 || calls < verified_across_a_change(calls).await {
        calls += 1;
    }
    assert!(calls > 20, "a check of the scene makes {calls} calls");
}

/// Checks a gallery in which a photo is erased, one is uploaded and one begins to be uploaded right before a call of the check; how many calls it made.
async fn verified_across_a_change(call: usize) -> usize {
    let scene = scene().await;
    let (world, actor, old) = (scene.world.clone(), *scene.actor(), scene.id("old"));
    scene.world.plan.visit(
        call,
        Box::pin(async move {
            world.gallery.photos.purge(&actor, old, None).await.expect("it is erased");
            world.photo(&actor, "meanwhile").await;
            world.announced(&actor, "about to come").await;
        }),
    );
    let mut tell = |fault: &Fault| panic!("at call {call}: {}", fault.kind);
    let options = VerifyOptions { hash: true, repair: false };
    scene.world.shaky.integrity.verify(options, &mut tell).await.expect("verify");
    scene.world.plan.calls().len()
}

#[tokio::test]
async fn damaged_files_are_named_and_the_check_goes_on() {
    let scene = scene().await;
    let beach = scene.photo("beach").await.expect("it is there");
    let original = BlobKey::original(beach.owner, beach.id, &beach.original.sha256);
    let image = BlobKey::derived(beach.owner, beach.id, DerivedImage::Thumbnail);
    for (key, repaired) in [(original, false), (image, true)] {
        let ports = Ports {
            blobs: std::sync::Arc::new(Rotten { damaged: true, ..Rotten::at(&scene, &key) }),
            ..scene.world.ports.clone()
        };
        let mut faults = Vec::new();
        let mut tell = |fault: &Fault| faults.push((fault.kind.clone(), fault.repaired));
        let options = VerifyOptions { hash: false, repair: true };
        let summary =
            Gallery::new(ports, Policy::default()).integrity.verify(options, &mut tell).await.expect("verify");
        assert_eq!(faults, [(FaultKind::WrongBytes { photo: beach.id, key }, repaired)]);
        assert_eq!(summary.photos, 7);
    }
}

/// Blobs of which one has other bytes than it says.
#[derive(Debug)]
struct Rotten {
    blobs: std::sync::Arc<dyn BlobStore>,
    key: BlobKey,
    /// Whether not even its description can be read.
    damaged: bool,
}

impl Rotten {
    fn at(scene: &Scene, key: &BlobKey) -> Self {
        Self { blobs: scene.world.ports.blobs.clone(), key: key.clone(), damaged: false }
    }
}

#[async_trait::async_trait]
impl BlobStore for Rotten {
    async fn put(&self, key: &BlobKey, info: &BlobInfo, bytes: ByteStream) -> Result<(), BlobError> {
        self.blobs.put(key, info, bytes).await
    }

    async fn try_writing(&self) -> Result<(), BlobError> {
        self.blobs.try_writing().await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError> {
        if self.damaged && *key == self.key {
            return Err(BlobError::Corrupt);
        }
        self.blobs.head(key).await
    }

    async fn get(&self, key: &BlobKey, range: Option<std::ops::Range<u64>>) -> Result<Option<Blob>, BlobError> {
        if self.damaged && *key == self.key {
            return Err(BlobError::Corrupt);
        }
        let blob = self.blobs.get(key, range).await?;
        let rot = |blob: Blob| Blob { bytes: byte_stream(vec![0; 46]), ..blob };
        Ok(if *key == self.key { blob.map(rot) } else { blob })
    }

    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError> {
        self.blobs.copy(from, to).await
    }

    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError> {
        self.blobs.remove(keys).await
    }

    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError> {
        self.blobs.list(prefix, page).await
    }
}
