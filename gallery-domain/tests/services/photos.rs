//! Adding, changing and deleting photos.

use std::sync::Arc;

use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, KEY, World, file, title};

#[tokio::test]
async fn the_same_bytes_twice_are_one_photo() {
    let world = World::new();
    let ada = world.person("ada").await;
    let cat = world.photo(&ada.actor, "cat").await;
    let (new, bytes) = file("cat");
    match world.gallery.ingest.import(&ada.actor, &new, bytes).await.expect("import") {
        Imported::Duplicate(photo) => assert_eq!(photo.id, cat.id),
        other => panic!("{other:?}"),
    }
    match world.gallery.photos.add(&ada.actor, &new, None).await.expect("announcement") {
        Added::Duplicate(photo) => assert_eq!(photo.id, cat.id),
        other => panic!("{other:?}"),
    }
    let bob = world.person("bob").await;
    assert_ne!(world.photo(&bob.actor, "cat").await.id, cat.id, "somebody else's is another photo");
}

#[tokio::test]
async fn an_announced_upload_is_resumed_with_a_new_ticket() {
    let world = World::new();
    let ada = world.person("ada").await;
    let first = world.announced(&ada.actor, "cat").await;
    world.clock.advance(HOUR);
    match world.gallery.photos.add(&ada.actor, &file("cat").0, None).await.expect("announcement") {
        Added::Expected(photo, ticket) => {
            assert_eq!(photo.id, first.id);
            assert!(ticket.expires_at > world.clock_now());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_idempotency_key_gives_the_same_photo_again_and_no_other() {
    let world = World::new();
    let ada = world.person("ada").await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        match world.gallery.photos.add(&ada.actor, &file("cat").0, Some(KEY)).await.expect("announcement") {
            Added::Expected(photo, _) => ids.push(photo.id),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ids[0], ids[1]);
    match world.gallery.photos.add(&ada.actor, &file("dog").0, Some(KEY)).await {
        Err(GalleryError::Invalid(fields)) => assert_eq!(fields.len(), 1),
        other => panic!("{other:?}"),
    }
    let bob = world.person("bob").await;
    world.gallery.photos.add(&bob.actor, &file("dog").0, Some(KEY)).await.expect("it is not his key's request");
    world.clock.advance(DAY);
    world.gallery.photos.add(&ada.actor, &file("dog").0, Some(KEY)).await.expect("the key was forgotten");
}

#[tokio::test]
async fn no_more_fits_than_the_quota_and_purging_makes_room() {
    let quota = Quota { photos: 2, ..Quota::default() };
    let world = World::with_policy(Policy { quota, ..Policy::default() });
    let ada = world.person("ada").await;
    let cat = world.photo(&ada.actor, "cat").await;
    world.photo(&ada.actor, "dog").await;
    let full = world.gallery.photos.add(&ada.actor, &file("cow").0, None).await;
    assert!(matches!(full, Err(GalleryError::OverQuota)));
    world.gallery.photos.trash(&ada.actor, cat.id, None).await.expect("trash");
    let full = world.gallery.photos.add(&ada.actor, &file("cow").0, None).await;
    assert!(matches!(full, Err(GalleryError::OverQuota)), "what is in the trash counts");
    world.gallery.photos.purge(&ada.actor, cat.id, None).await.expect("purge");
    world.photo(&ada.actor, "cow").await;
}

#[tokio::test]
async fn a_file_without_bytes_or_with_too_many_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    for bytes in [0, Policy::default().largest_upload + 1] {
        let mut new = file("cat").0;
        new.original.bytes = bytes;
        let outcome = world.gallery.photos.add(&ada.actor, &new, None).await;
        assert!(matches!(outcome, Err(GalleryError::Invalid(_))), "{bytes}: {outcome:?}");
    }
}

#[tokio::test]
async fn the_trash_gives_back_what_it_took_until_it_is_emptied() {
    let world = World::new();
    let ada = world.person("ada").await;
    let photos = &world.gallery.photos;
    let cat = world.photo(&ada.actor, "cat").await;
    let visible = photos.purge(&ada.actor, cat.id, None).await;
    assert!(matches!(visible, Err(GalleryError::Conflict(_))), "only from the trash");
    photos.trash(&ada.actor, cat.id, None).await.expect("trash");
    world.pass(30 * DAY - HOUR).await;
    assert!(photos.restore(&ada.actor, cat.id, None).await.expect("restore").is_visible());
    world.pass(40 * DAY).await;
    photos.get(&ada.actor, cat.id).await.expect("once restored it stays");
    photos.trash(&ada.actor, cat.id, None).await.expect("trash");
    world.pass(30 * DAY).await;
    assert!(matches!(photos.get(&ada.actor, cat.id).await, Err(GalleryError::NotFound(_))));
    assert_eq!(world.blobs(ada.actor.user()).await, []);
}

#[tokio::test]
async fn a_photo_is_not_restored_beside_another_of_the_same_bytes() {
    let world = World::new();
    let ada = world.person("ada").await;
    let first = world.photo(&ada.actor, "cat").await;
    world.gallery.photos.trash(&ada.actor, first.id, None).await.expect("trash");
    let second = world.photo(&ada.actor, "cat").await;
    match world.gallery.photos.restore(&ada.actor, first.id, None).await {
        Err(GalleryError::Duplicate(id)) => assert_eq!(id, second.id),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_change_of_what_was_changed_meanwhile_is_refused() {
    let world = World::new();
    let ada = world.person("ada").await;
    let photos = &world.gallery.photos;
    let cat = world.photo(&ada.actor, "cat").await;
    let seen = Some(cat.revision);
    let changed = photos.update(&ada.actor, cat.id, &title("Tom"), seen).await.expect("it is as it was seen");
    let outcomes = [
        photos.update(&ada.actor, cat.id, &title("Kitty"), seen).await.map(drop),
        photos.trash(&ada.actor, cat.id, seen).await,
        photos.restore(&ada.actor, cat.id, seen).await.map(drop),
    ];
    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(GalleryError::Stale { current }) if current == Some(changed.revision)),
            "{outcome:?}"
        );
    }
    photos.trash(&ada.actor, cat.id, Some(changed.revision)).await.expect("trash");
    let purge = photos.purge(&ada.actor, cat.id, seen).await;
    assert!(matches!(purge, Err(GalleryError::Stale { .. })));
    assert_eq!(photos.get(&ada.actor, cat.id).await.expect("it is there").details.title.as_str(), "Tom");
}

#[tokio::test]
async fn a_change_of_many_says_what_came_of_each() {
    let world = World::new();
    let (ada, bob) = (world.person("ada").await, world.person("bob").await);
    let (cat, dog) = (world.photo(&ada.actor, "cat").await, world.photo(&ada.actor, "dog").await);
    let others = world.photo(&bob.actor, "cow").await;
    world.gallery.photos.trash(&ada.actor, dog.id, None).await.expect("trash");
    let ids = [cat.id, others.id, dog.id];
    let outcomes = world.gallery.photos.bulk(&ada.actor, &ids, &BulkAction::Purge).await.expect("an answer for each");
    assert_eq!(outcomes.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids);
    assert!(matches!(outcomes[0].1, Err(GalleryError::Conflict(_))), "it is not in the trash");
    assert!(matches!(outcomes[1].1, Err(GalleryError::NotFound(_))), "it is not hers");
    assert!(outcomes[2].1.is_ok());
    assert!(world.find(bob.actor.user(), others.id).await.is_some_and(|photo| photo.is_visible()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_editors_at_once_lose_nothing() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let cat = world.photo(&ada.actor, "cat").await;
    let editors = (0..64).map(|editor| {
        let (world, actor, id) = (world.clone(), ada.actor, cat.id);
        tokio::spawn(async move {
            let (photos, mut successes) = (&world.gallery.photos, 0);
            for edit in 0..50 {
                let seen = photos.get(&actor, id).await.expect("it is there").revision;
                // Lets others come between reading and writing.
                tokio::task::yield_now().await;
                match photos.update(&actor, id, &title(&format!("{editor} {edit}")), Some(seen)).await {
                    Ok(_) => successes += 1,
                    Err(GalleryError::Stale { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
            successes
        })
    });
    let mut successes = 0;
    for editor in editors.collect::<Vec<_>>() {
        successes += editor.await.expect("no editor panics");
    }
    assert!(successes >= 50, "one at a time always gets through");
    let revision = world.gallery.photos.get(&ada.actor, cat.id).await.expect("it is there").revision;
    assert_eq!(revision.get(), cat.revision.get() + successes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_announce_the_same_bytes_at_once_one_makes_the_photo() {
    let world = Arc::new(World::new());
    let ada = world.person("ada").await;
    let mut ids = std::collections::BTreeSet::new();
    let announcements = (0..32).map(|_| {
        let (world, actor) = (world.clone(), ada.actor);
        tokio::spawn(async move { world.announced(&actor, "cat").await.id })
    });
    for announcement in announcements.collect::<Vec<_>>() {
        ids.insert(announcement.await.expect("no announcement panics"));
    }
    assert_eq!(ids.len(), 1);
}
