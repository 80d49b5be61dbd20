//! Albums, and what their deletion does to photos.

use std::time::Duration;

use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, KEY, World, scene, title};
use gallery_domain::conformance::use_cases::{Fate, Scene};

#[tokio::test]
async fn deleting_an_album_takes_its_photos_out_of_other_albums_and_restoring_brings_back_just_those() {
    let scene = scene().await;
    let albums = &scene.world.gallery.albums;
    let foretold =
        albums.preview_deletion(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await.expect("preview");
    let deletion = albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await.expect("delete");
    assert_eq!((foretold, deletion.photos), (deletion, 2), "the photo in the trash does not count");
    let changed = [("beach", Fate::InTrash), ("castle", Fate::InTrash)];
    assert_eq!(scene.fates().await, Scene::fates_but(&changed));
    assert_eq!(albums.get(scene.actor(), scene.best).await.expect("best").entry.photo_count, 0);
    assert!(matches!(
        albums.photos(scene.actor(), scene.holiday, PageRequest::first(PageSize::MAX)).await,
        Err(GalleryError::NotFound(_))
    ));
    let view = albums.restore(scene.actor(), scene.holiday, None).await.expect("restore");
    assert_eq!(view.entry.photo_count, 2);
    assert_eq!(scene.fates().await, Scene::fates_but(&[]), "what was in the trash before is there still");
    assert_eq!(albums.get(scene.actor(), scene.best).await.expect("best").entry.photo_count, 1);
}

#[tokio::test]
async fn deleting_an_album_may_leave_its_photos_where_they_are() {
    let scene = scene().await;
    let albums = &scene.world.gallery.albums;
    let deletion = albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Keep, None).await.expect("delete");
    assert_eq!(deletion.photos, 0);
    assert_eq!(scene.fates().await, Scene::fates_but(&[]));
    scene.world.pass(40 * DAY).await;
    assert_eq!(scene.fate("beach").await, Fate::Visible);
    assert!(matches!(albums.get(scene.actor(), scene.holiday).await, Err(GalleryError::NotFound(_))));
}

#[tokio::test]
async fn a_photo_restored_on_its_own_is_not_trashed_again_by_its_album() {
    let scene = scene().await;
    scene.world.gallery.photos.restore(scene.actor(), scene.id("gone"), None).await.expect("restore");
    scene.world.gallery.albums.restore(scene.actor(), scene.autumn, None).await.expect("restore");
    scene.world.pass(40 * DAY).await;
    assert_eq!(scene.fate("gone").await, Fate::Visible);
}

#[tokio::test]
async fn a_photo_restored_on_its_own_outlives_its_album() {
    let scene = scene().await;
    scene.world.pass(HOUR).await;
    scene.world.gallery.photos.restore(scene.actor(), scene.id("gone"), None).await.expect("restore");
    scene.world.pass(70 * DAY).await;
    let album = scene.world.gallery.albums.get(scene.actor(), scene.autumn).await;
    assert!(matches!(album, Err(GalleryError::NotFound(_))));
    assert_eq!(scene.fate("gone").await, Fate::Visible);
}

#[tokio::test]
async fn photos_that_become_ready_after_their_album_was_deleted_follow_it_and_come_back_with_it() {
    let scene = scene().await;
    let (albums, ingest) = (&scene.world.gallery.albums, &scene.world.gallery.ingest);
    let (owner, sent) = (scene.actor().user(), scene.id("sent"));
    albums.add_photos(scene.actor(), scene.holiday, &[sent], Place::End, None).await.expect("added");
    albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await.expect("delete");
    ingest.uploaded(owner, sent).await.expect("it becomes ready");
    let gone = [("beach", Fate::InTrash), ("castle", Fate::InTrash), ("sent", Fate::InTrash)];
    assert_eq!(scene.fates().await, Scene::fates_but(&gone));
    albums.restore(scene.actor(), scene.holiday, None).await.expect("restore");
    assert_eq!(scene.fates().await, Scene::fates_but(&[("sent", Fate::Visible)]));
    albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Keep, None).await.expect("delete");
    scene.world.pass(HOUR).await;
    assert_eq!(scene.fate("sent").await, Fate::Visible, "an album that leaves its photos takes none");
}

#[tokio::test]
async fn photos_that_become_ready_after_their_album_was_deleted_without_them_stay() {
    let scene = scene().await;
    let albums = &scene.world.gallery.albums;
    albums.add_photos(scene.actor(), scene.holiday, &[scene.id("sent")], Place::End, None).await.expect("added");
    albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Keep, None).await.expect("delete");
    scene.world.gallery.ingest.uploaded(scene.actor().user(), scene.id("sent")).await.expect("it becomes ready");
    assert_eq!(scene.fates().await, Scene::fates_but(&[("sent", Fate::Visible)]));
}

#[tokio::test]
async fn a_deletion_of_an_album_changed_meanwhile_is_refused() {
    let scene = scene().await;
    let albums = &scene.world.gallery.albums;
    let seen = albums.get(scene.actor(), scene.holiday).await.expect("holiday").entry.album.revision;
    let patch = AlbumPatch { title: AlbumTitle::parse("Sea").ok(), ..AlbumPatch::default() };
    albums.update(scene.actor(), scene.holiday, &patch, Some(seen)).await.expect("update");
    let deletion = albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, Some(seen)).await;
    assert!(matches!(deletion, Err(GalleryError::Stale { current: Some(_) })));
    assert_eq!(scene.fates().await, Scene::fates_but(&[]));
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_album_again_and_no_other() {
    let world = World::new();
    let ada = world.person("ada").await;
    let new = |text| NewAlbum { title: AlbumTitle::parse(text).expect("a title"), description: Description::default() };
    let first = world.gallery.albums.create(&ada.actor, &new("Sea"), Some(KEY)).await.expect("create");
    let again = world.gallery.albums.create(&ada.actor, &new("Sea"), Some(KEY)).await.expect("create");
    assert_eq!(first.entry, again.entry);
    let other = world.gallery.albums.create(&ada.actor, &new("Hills"), Some(KEY)).await;
    assert!(matches!(other, Err(GalleryError::Invalid(_))));
}

#[tokio::test]
async fn an_album_takes_only_its_owners_photos() {
    let scene = scene().await;
    let bob = scene.world.person("bob").await;
    let his = scene.world.photo(&bob.actor, "his").await.id;
    let albums = &scene.world.gallery.albums;
    let mixed = albums.add_photos(scene.actor(), scene.best, &[scene.id("dog"), his], Place::End, None).await;
    assert!(matches!(mixed, Err(GalleryError::Invalid(_))));
    let intruder = albums.add_photos(&bob.actor, scene.best, &[his], Place::End, None).await;
    assert!(matches!(intruder, Err(GalleryError::NotFound(_))));
    assert_eq!(albums.get(scene.actor(), scene.best).await.expect("best").entry.photo_count, 1);
}

#[tokio::test]
async fn the_worker_goes_on_with_the_deletion_of_an_album_of_5_000_photos() {
    const PHOTOS: usize = 5_000;
    let world = World::new();
    let ada = world.person("ada").await;
    let mut ids = Vec::with_capacity(PHOTOS);
    for number in 0..PHOTOS {
        ids.push(world.photo(&ada.actor, &number.to_string()).await.id);
    }
    let album = world.album(&ada.actor, "Everything", &ids).await;
    let alone = world.photo(&ada.actor, "in no album").await.id;
    let deletion = world.gallery.albums.delete(&ada.actor, album, AlbumPhotos::Delete, None).await.expect("delete");
    assert_eq!(deletion.photos, PHOTOS as u64);
    let visible = async || {
        let months = world.gallery.photos.months(&ada.actor).await.expect("months");
        months.iter().map(|month| month.photos).sum::<u64>()
    };
    let left = visible().await;
    assert!(left > 1, "the request itself is bounded");
    assert!(left < PHOTOS as u64, "but a person sees it begin");
    world.pass(HOUR).await;
    assert_eq!(visible().await, 1);
    world.gallery.photos.update(&ada.actor, alone, &title("still here"), None).await.expect("it stayed");
    world.gallery.albums.restore(&ada.actor, album, None).await.expect("restore");
    world.pass(HOUR).await;
    assert_eq!(visible().await, PHOTOS as u64 + 1);
}

#[tokio::test]
async fn a_request_that_deletes_an_album_takes_about_a_second_however_long_each_photo_takes() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut ids = Vec::new();
    for number in 0..300 {
        ids.push(world.photo(&ada.actor, &number.to_string()).await.id);
    }
    let album = world.album(&ada.actor, "Everything", &ids).await;
    let in_trash = async || {
        let page = PageRequest::first(PageSize::MAX);
        world.gallery.photos.list(&ada.actor, PhotoList::Trash, page).await.expect("trash").items.len()
    };
    let begin = world.clock_now();
    world.slow().albums.delete(&ada.actor, album, AlbumPhotos::Delete, None).await.expect("delete");
    assert!(world.clock_now().since(begin) < Duration::from_millis(1_200));
    assert!((50..150).contains(&in_trash().await), "{} photos", in_trash().await);
    let begin = world.clock_now();
    world.slow().albums.restore(&ada.actor, album, None).await.expect("restore");
    assert!(world.clock_now().since(begin) < Duration::from_millis(1_200));
    world.pass(HOUR).await;
    assert_eq!(in_trash().await, 0);
}
