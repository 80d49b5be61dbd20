//! What becomes of bytes that come, come late, come wrong, or never come; and of work that fails.

use std::time::Duration;

use futures_util::FutureExt;
use gallery_domain::ports::*;
use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, MINUTE, Person, World, file, file_of, scene};
use gallery_domain::conformance::use_cases::{Fate, Scene};

/// An upload that claims to be one file and is another, as a store would let through that checks no hashes.
async fn upload(world: &World, ada: &Person, announced: NewPhoto, sent: &[u8]) -> Photo {
    let photo = match world.gallery.photos.add(&ada.actor, &announced, None).await.expect("announcement") {
        Added::Expected(photo, _) => photo,
        other => panic!("{other:?}"),
    };
    let (content_type, sha256) = (MediaType::Jpeg, Sha256Digest::of(sent));
    let info = BlobInfo { content_type, bytes: sent.len() as u64, sha256 };
    let key = BlobKey::incoming(photo.owner, photo.id);
    world.ports.blobs.put(&key, &info, byte_stream(sent.to_vec())).await.expect("upload");
    world.gallery.ingest.uploaded(photo.owner, photo.id).await.expect("it is dealt with");
    world.find(photo.owner, photo.id).await.expect("its owner sees what became of it")
}

fn failure(photo: &Photo) -> FailureKind {
    match &photo.state {
        PhotoState::Failed(failure) => {
            assert!(failure.detail.ends_with('.') && failure.detail.len() > 20, "a sentence: {}", failure.detail);
            failure.kind
        }
        state => panic!("it is {}", state.name()),
    }
}

#[tokio::test]
async fn bytes_other_than_those_announced_fail_with_the_reason() {
    let world = World::new();
    let ada = world.person("ada").await;
    let photo = upload(&world, &ada, file("cat").0, &file("dog").1).await;
    assert_eq!(failure(&photo), FailureKind::ContentMismatch);
    assert_eq!(world.blobs(photo.owner).await, []);
}

#[tokio::test]
async fn a_text_that_is_called_a_photo_fails_with_the_reason() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (new, bytes) = file_of("text", "no photo at all, just some words");
    let photo = upload(&world, &ada, new.clone(), &bytes).await;
    assert_eq!(failure(&photo), FailureKind::NotAPhoto);
    assert_eq!(world.blobs(photo.owner).await, []);
    match world.gallery.ingest.import(&ada.actor, &new, bytes).await.expect("import") {
        Imported::Refused(failure) => assert_eq!(failure.kind, FailureKind::NotAPhoto),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_is_served_as_what_it_is_whatever_it_was_called() {
    let world = World::new();
    let ada = world.person("ada").await;
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02", &[8; 40][..]].concat();
    let (new, bytes) = file_of("really a PNG", png);
    assert_eq!(new.original.content_type, MediaType::Jpeg);
    let photo = upload(&world, &ada, new, &bytes).await;
    assert_eq!(photo.facts().expect("it is ready").media_type, MediaType::Png);
    let original = BlobKey::original(photo.owner, photo.id, &photo.original.sha256);
    let info = world.ports.blobs.head(&original).await.expect("head").expect("it is there");
    let expected = BlobInfo { content_type: MediaType::Png, bytes: bytes.len() as u64, sha256: photo.original.sha256 };
    assert_eq!(info, expected);
    let incoming = BlobKey::incoming(photo.owner, photo.id);
    assert_eq!(world.ports.blobs.head(&incoming).await.expect("head"), None);
    assert_eq!(world.faults(false).await, []);
}

#[tokio::test]
async fn an_upload_that_never_comes_fails_after_a_day_and_is_forgotten_after_thirty() {
    let world = World::new();
    let ada = world.person("ada").await;
    let photo = world.announced(&ada.actor, "cat").await;
    world.pass(DAY - MINUTE).await;
    assert_eq!(world.find(photo.owner, photo.id).await.expect("it waits").state, PhotoState::Uploading);
    world.pass(MINUTE).await;
    assert_eq!(failure(&world.find(photo.owner, photo.id).await.expect("it is shown")), FailureKind::NeverUploaded);
    world.pass(30 * DAY).await;
    assert_eq!(world.find(photo.owner, photo.id).await, None);
}

#[tokio::test]
async fn bytes_that_came_without_anybody_telling_are_found_by_the_worker() {
    let scene = scene().await;
    scene.world.pass(DAY).await;
    assert_eq!(scene.fate("sent").await, Fate::Visible);
}

#[tokio::test]
async fn bytes_that_are_lost_before_they_are_looked_into_fail_with_the_reason() {
    let scene = scene().await;
    let sent = scene.photo("sent").await.expect("it was announced");
    scene.world.plan.break_down("process");
    scene.world.shaky.ingest.uploaded(sent.owner, sent.id).await.expect_err("looking into it fails");
    scene.world.ports.blobs.remove(&[BlobKey::incoming(sent.owner, sent.id)]).await.expect("remove");
    scene.world.pass(HOUR).await;
    assert_eq!(scene.fate("sent").await, Fate::Failed(FailureKind::NeverUploaded));
}

#[tokio::test]
async fn what_cannot_be_looked_into_is_tried_later_and_later_and_given_up_after_five_times() {
    let scene = scene().await;
    let world = &scene.world;
    let (owner, id) = (scene.actor().user(), scene.id("sent"));
    world.plan.break_down("process");
    world.shaky.ingest.uploaded(owner, id).await.expect_err("looking into it fails");
    let mut tried_at = Vec::new();
    let end = world.clock_now().plus(HOUR);
    while let Some(due_at) = world.ports.repositories.work.next_due().await.expect("next due")
        && due_at < end
    {
        world.clock.set(due_at.max(world.clock_now()));
        let before = world.plan.calls().iter().filter(|method| **method == "process").count();
        world.shaky.worker.run_due(1).await.expect("the worker runs");
        let after = world.plan.calls().iter().filter(|method| **method == "process").count();
        if after > before {
            tried_at.push(world.clock_now());
        }
    }
    let waits: Vec<Duration> = tried_at.windows(2).map(|two| two[1].since(two[0])).collect();
    assert_eq!(waits, [2, 4, 8, 16].map(Duration::from_secs));
    assert_eq!(scene.fate("sent").await, Fate::Failed(FailureKind::ProcessingFailed));
    assert!(!world.blobs(owner).await.contains(&BlobKey::incoming(owner, id)));
}

#[tokio::test]
async fn an_upload_waits_out_whatever_outage_of_a_backend_and_is_never_given_up_for_it() {
    for method in ["get", "copy", "put", "replace", "remove blobs"] {
        let scene = scene().await;
        let world = &scene.world;
        world.plan.break_down(method);
        world.shaky.ingest.uploaded(scene.actor().user(), scene.id("sent")).await.expect_err(method);
        let end = world.clock_now().plus(3 * HOUR);
        while world.clock_now() < end {
            world.shaky.worker.run_due(100).await.expect("the worker runs");
            world.clock.advance(MINUTE);
        }
        let photo = scene.photo("sent").await.expect("it waits");
        assert!(!matches!(photo.state, PhotoState::Failed(_)), "{method}: {:?}", photo.state);
        world.plan.mend();
        world.pass(DAY).await;
        assert_eq!(scene.fate("sent").await, Fate::Visible, "{method}");
    }
}

#[tokio::test]
async fn a_picture_that_kills_whoever_looks_into_it_is_given_up_after_five_times() {
    let scene = scene().await;
    let (world, owner, id) = (&scene.world, scene.actor().user(), scene.id("sent"));
    world.plan.kill_at("process");
    let killed = world.shaky.ingest.uploaded(owner, id).now_or_never();
    assert!(killed.is_none(), "the process was killed");
    let mut kills = 1;
    for _ in 0..20 {
        world.clock.advance(HOUR);
        kills += u32::from(world.shaky.worker.run_due(100).now_or_never().is_none());
    }
    assert_eq!(kills, 1 + Policy::default().ingest_attempts);
    assert_eq!(scene.fate("sent").await, Fate::Failed(FailureKind::ProcessingFailed));
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_imported_is_said_to_have_changed() {
    let world = World::new();
    let ada = world.person("ada").await;
    let (announced, changed) = (file("cat").0, file("dog").1);
    let error = world.gallery.ingest.import(&ada.actor, &announced, changed).await.expect_err("other bytes came");
    assert!(matches!(&error, GalleryError::Conflict(why) if why.contains("changed")), "{error}");
    let (new, bytes) = file("cat");
    let again = world.gallery.ingest.import(&ada.actor, &new, bytes).await.expect("the right bytes come");
    assert!(matches!(again, Imported::New(_)));
}

#[tokio::test]
async fn no_more_uploads_are_read_at_once_than_the_policy_says() {
    let world = World::with_policy(Policy { ingests_at_once: 1, ..Policy::default() });
    let ada = world.person("ada").await;
    let mut photos = Vec::new();
    for content in ["cat", "dog"] {
        let photo = world.announced(&ada.actor, content).await;
        world.send(&photo, content).await;
        photos.push(photo);
    }
    let reads = || world.plan.calls().iter().filter(|method| **method == "get").count();
    world.plan.kill_at("process");
    let mut at_it = Box::pin(world.shaky.ingest.uploaded(photos[0].owner, photos[0].id));
    assert!(at_it.as_mut().now_or_never().is_none(), "the first is being looked into");
    assert_eq!(reads(), 1);
    world.plan.mend();
    let mut waits = Box::pin(world.shaky.ingest.uploaded(photos[1].owner, photos[1].id));
    assert!(waits.as_mut().now_or_never().is_none(), "the second waits");
    assert_eq!(reads(), 1, "and its bytes are not in memory");
    drop(at_it);
    waits.await.expect("its turn has come");
    assert!(world.find(photos[1].owner, photos[1].id).await.expect("it is there").is_visible());
}

#[tokio::test]
async fn an_upload_that_comes_after_its_photo_was_erased_leaves_nothing() {
    let scene = scene().await;
    let promised = scene.photo("promised").await.expect("it was announced");
    scene.world.gallery.photos.trash(scene.actor(), promised.id, None).await.expect("it is erased");
    scene.world.send(&promised, "promised").await;
    scene.world.gallery.ingest.uploaded(promised.owner, promised.id).await.expect("nobody minds");
    scene.world.pass(HOUR).await;
    assert_eq!(scene.fate("promised").await, Fate::Gone);
    scene.world.send(&promised, "promised").await;
    scene.world.gallery.ingest.uploaded(promised.owner, promised.id).await.expect("nobody minds");
    assert!(!scene.world.blobs(promised.owner).await.contains(&BlobKey::incoming(promised.owner, promised.id)));
    scene.ends_well(&Scene::fates_but(&[("promised", Fate::Gone)])).await.expect("all is well");
}

#[tokio::test]
async fn an_upload_that_comes_after_its_photo_has_failed_leaves_nothing() {
    let scene = scene().await;
    scene.world.pass(DAY).await;
    let promised = scene.photo("promised").await.expect("it has failed");
    scene.world.send(&promised, "promised").await;
    scene.world.gallery.ingest.uploaded(promised.owner, promised.id).await.expect("nobody minds");
    assert!(!scene.world.blobs(promised.owner).await.contains(&BlobKey::incoming(promised.owner, promised.id)));
}

#[tokio::test]
async fn being_told_twice_of_an_upload_changes_nothing() {
    let scene = scene().await;
    let (owner, id) = (scene.actor().user(), scene.id("sent"));
    scene.world.gallery.ingest.uploaded(owner, id).await.expect("first");
    let first = scene.photo("sent").await;
    scene.world.gallery.ingest.uploaded(owner, id).await.expect("second");
    assert_eq!(scene.photo("sent").await, first);
    scene.ends_well(&Scene::fates_but(&[("sent", Fate::Visible)])).await.expect("all is well");
}
