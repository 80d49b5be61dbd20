//! What a [`PhotoRepository`](crate::ports::PhotoRepository) owes, search aside: that is in [`photo_search`](super::photo_search).

use std::time::Duration;

use futures_util::future::{join, join_all};

use super::expectations::{Succeeds, page_sizes, size, walk, winners};
use super::fixtures::{
    AMPLE, HOSTILE, RACERS, SCRIPTS, Things, append, assert_derived, change, keep, keep_album, keep_all, restore,
    states, trash, work_on,
};
use crate::ports::{Repositories, RepositoryError};
use crate::terms::tag_key;
use crate::{
    Month, PageRequest, PageSize, Photo, PhotoCursor, PhotoDetails, PhotoId, PhotoState, Position, Quota, Sha256Digest,
    Tag, Timestamp, Usage, UserId,
};

/// Runs each clause on photos as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! photo_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            photo_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                a_photo_is_found_as_it_was_inserted,
                a_photo_is_found_as_it_was_replaced,
                an_absent_photo_is_not_found,
                text_in_every_script_is_kept,
                hostile_text_is_kept,
                texts_of_the_greatest_length_are_kept,
                times_of_all_ages_are_kept,
                what_a_camera_measured_is_kept_to_the_last_bit,
                a_taken_id_is_refused,
                an_id_of_another_owner_is_refused_and_the_photo_unharmed,
                of_concurrent_inserts_of_an_id_one_wins,
                a_content_that_another_photo_holds_is_refused,
                of_concurrent_inserts_of_a_content_one_wins,
                two_owners_may_have_the_same_content,
                a_photo_that_holds_nothing_may_have_a_held_content,
                the_trash_releases_the_content,
                failing_releases_the_content,
                erasing_releases_the_content,
                removing_releases_the_content,
                a_restored_photo_holds_its_content_again,
                a_photo_is_not_restored_beside_another_that_holds_its_content,
                of_concurrent_restores_of_a_content_one_wins,
                a_holder_may_change_without_losing_its_content,
                a_quota_of_bytes_is_kept,
                a_quota_of_photos_is_kept,
                a_quota_of_pending_uploads_is_kept,
                photos_in_the_trash_count_towards_the_quota,
                concurrent_inserts_never_exceed_a_quota_of_photos,
                concurrent_inserts_never_exceed_a_quota_of_bytes,
                a_duplicate_is_told_before_the_quota,
                a_refused_insert_leaves_nothing,
                an_insert_schedules_its_work,
                a_replace_schedules_its_work,
                a_replace_without_work_leaves_the_work_that_is_there,
                a_refused_replace_changes_nothing,
                many_photos_are_found_in_the_order_asked,
                a_hundred_photos_are_found_at_once,
                photos_are_found_by_the_content_they_hold,
                a_replace_of_a_stale_revision_is_refused,
                a_replace_of_an_absent_photo_is_stale,
                of_concurrent_replaces_of_a_revision_one_wins,
                concurrent_edits_with_retries_are_all_kept,
                removing_an_absent_photo_succeeds,
                a_removed_photo_is_gone_from_everywhere,
                removing_cancels_the_work,
                a_removed_id_can_be_inserted_again,
                the_timeline_is_ordered_by_time_then_id,
                the_timeline_follows_the_wall_clock_whatever_the_offset,
                the_timeline_reaches_back_before_1970,
                the_timeline_starts_at_any_moment,
                the_timeline_holds_visible_photos_only,
                every_page_size_visits_each_photo_once,
                every_page_size_visits_each_photo_of_one_instant_once,
                paging_visits_each_photo_once_while_others_write,
                a_cursor_of_a_removed_photo_still_works,
                a_full_last_page_ends_the_list,
                a_photo_that_changes_its_time_changes_its_place,
                favourites_are_the_visible_favourites_latest_first,
                the_trash_is_ordered_by_when_photos_were_trashed,
                unfinished_photos_are_ordered_by_when_they_were_announced,
                lists_follow_a_photo_through_every_state,
                months_are_counted_latest_first,
                months_follow_the_wall_clock,
                tags_are_counted_in_the_order_of_their_keys,
                spellings_of_a_tag_count_as_one,
                tags_are_found_by_the_beginning_of_their_keys,
                tags_with_hostile_text_are_counted,
                no_more_tags_come_than_asked_for,
                counts_follow_every_transition,
                counts_survive_concurrent_changes,
                all_photos_come_by_id_whatever_their_state,
                an_audit_of_a_healthy_store_finds_nothing,
                a_repair_of_a_healthy_store_changes_nothing,
                no_photo_is_found_by_another_owner,
                no_list_holds_photos_of_another_owner,
                no_count_holds_photos_of_another_owner,
                no_photo_is_changed_by_another_owner,
                no_photo_is_removed_by_another_owner,
                quotas_are_kept_owner_by_owner,
            ]
        );
    };
}

/// Insert and find: every field of a photo, in every state, in the trash or not, comes back as it went in.
pub async fn a_photo_is_found_as_it_was_inserted(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for state in states() {
        for photo in [
            things.photo(owner).state(state.clone()),
            things.photo(owner).state(state.clone()).trashed(things.at(9)),
            things.photo(owner).title("Été").description("a\n\tb").tags(&["b", "A"]).favourite().state(state.clone()),
            things.photo(owner).taken("2024-02-29T23:59:59.999+05:45").state(state.clone()),
        ] {
            let photo = photo.build();
            keep(store, &photo).await;
            let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
            assert_eq!(found, Some(photo), "a photo comes back as it was inserted");
        }
    }
}

/// Replace and find: whatever may change comes back as it was written last.
pub async fn a_photo_is_found_as_it_was_replaced(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).uploading().build();
    keep(store, &photo).await;
    let with_album = Some(things.album_id());
    for state in states() {
        let changed = change(store, owner, photo.id, |photo| {
            photo.details = things.photo(owner).title("b").description("c").tags(&["x"]).favourite().build().details;
            photo.details.taken_at = "0001-01-01T00:00:00".parse().ok();
            photo.state = state;
            photo.trashed = Some(crate::Trashed { at: things.at(5), with_album });
        })
        .await;
        let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
        assert_eq!(found, Some(changed), "a photo comes back as it was replaced");
    }
    let changed = change(store, owner, photo.id, |photo| {
        photo.details = PhotoDetails::default();
        photo.state = PhotoState::Processing;
        photo.trashed = None;
    })
    .await;
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(changed), "what was taken away from a photo is gone");
}

/// A look-up of what is absent answers `None`.
pub async fn an_absent_photo_is_not_found(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let find = |id| store.photos.find(owner, id);
    assert_eq!(find(things.photo_id()).await.succeeds("finding a photo"), None, "an empty store has no photo");
    keep(store, &things.photo(owner).build()).await;
    assert_eq!(find(things.photo_id()).await.succeeds("finding a photo"), None, "a store has no other photo");
    let many = store.photos.find_many(owner, &[things.photo_id()]).await.succeeds("finding photos");
    assert!(many.is_empty(), "absent photos are left out");
    let many = store.photos.find_many(owner, &[]).await.succeeds("finding photos");
    assert!(many.is_empty(), "nothing asked is nothing found");
}

/// Titles, descriptions, tags and file names keep their text in every script.
pub async fn text_in_every_script_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for (text, word) in SCRIPTS {
        let photo = things
            .photo(owner)
            .title(text)
            .description(text)
            .tags(&[word, text])
            .file_name(&format!("{word}.jpg"))
            .build();
        keep(store, &photo).await;
        let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
        assert_eq!(found, Some(photo), "text is kept");
    }
    assert_derived(store, owner, "with text in many scripts").await;
}

/// No text is taken for anything else than text.
pub async fn hostile_text_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for text in HOSTILE {
        let mut photo = things.photo(owner).title(text).description(text);
        if Tag::parse(text).is_ok() {
            photo = photo.tags(&[text]);
        }
        if !text.contains(['/', '\\']) {
            photo = photo.file_name(text);
        }
        let photo = photo.build();
        keep(store, &photo).await;
        let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
        assert_eq!(found, Some(photo), "hostile text is kept");
    }
    assert_derived(store, owner, "with hostile text").await;
}

/// The longest title, description, file name and the most tags fit, in characters of four bytes.
pub async fn texts_of_the_greatest_length_are_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let long = |characters: usize| "🌅".repeat(characters);
    let tags: Vec<String> = (0..50).map(|n| format!("{n:02}{}", long(62))).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let photo =
        things.photo(owner).title(&long(200)).description(&long(5_000)).tags(&tags).file_name(&long(255)).build();
    keep(store, &photo).await;
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(photo), "the longest texts are kept");
    assert_derived(store, owner, "with the longest texts").await;
}

/// Times are kept to the millisecond, from the first year to the last, with and without an offset.
pub async fn times_of_all_ages_are_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for created_at in [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::from_millis(1), Timestamp::MAX] {
        for taken_at in [
            "0001-01-01T00:00:00",
            "1826-06-01T12:00:00+00:09",
            "1969-12-31T23:59:59.999Z",
            "2024-06-01T12:30:00.001-12:00",
            "9998-12-31T23:59:59.999+14:00",
        ] {
            let photo = things.photo(owner).created(created_at).taken(taken_at).build();
            keep(store, &photo).await;
            let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
            assert_eq!(found, Some(photo), "the times are kept");
        }
        keep(store, &things.photo(owner).created(created_at).build()).await;
    }
    assert_derived(store, owner, "with photos of all ages").await;
}

/// Places and exposures are kept as they were measured: a store that reads what it wrote a little off would differ from itself.
pub async fn what_a_camera_measured_is_kept_to_the_last_bit(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    // Each is read a bit off by a parser that is fast rather than right.
    for latitude in [-31.857_142_857_142_854, -31.142_857_142_857_146, -30.857_142_857_142_854, -29.857_142_857_142_854]
    {
        let mut photo = things.photo(owner).build();
        let PhotoState::Ready(facts) = &mut photo.state else { panic!("a photo of the fixtures is ready") };
        facts.exif.position = Some(Position { latitude, longitude: latitude * 5.0, altitude_m: Some(latitude / 3.0) });
        facts.exif.exposure_seconds = Some(-latitude / 7.0);
        keep(store, &photo).await;
        let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
        assert_eq!(found, Some(photo), "what was measured is kept");
    }
    assert_derived(store, owner, "with what was measured").await;
}

/// An id is given once.
pub async fn a_taken_id_is_refused(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).title("first").build();
    keep(store, &photo).await;
    let second = things.photo(owner).id(photo.id).title("second").build();
    let result = store.photos.insert(&second, &AMPLE, &work_on(&second, things.at(0))).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a second photo of one id is refused");
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(photo), "the first photo of an id stays");
    assert_derived(store, owner, "after an id was refused").await;
}

/// An id is given once among all owners.
pub async fn an_id_of_another_owner_is_refused_and_the_photo_unharmed(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    let photo = things.photo(owner).build();
    keep(store, &photo).await;
    let second = things.photo(other).id(photo.id).build();
    let result = store.photos.insert(&second, &AMPLE, &work_on(&second, things.at(0))).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "an id that another owner's photo has is refused");
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(photo), "the other owner's photo stays");
    assert_derived(store, other, "after an id was refused").await;
}

/// Two cannot both get an id.
pub async fn of_concurrent_inserts_of_an_id_one_wins(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let id = things.photo_id();
    let photos: Vec<Photo> = (0..RACERS).map(|n| things.photo(owner).id(id).title(&n.to_string()).build()).collect();
    let work = work_on(&photos[0], things.at(0));
    let results = join_all(photos.iter().map(|photo| store.photos.insert(photo, &AMPLE, &work))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} inserts of one id succeeds");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let found = store.photos.find(owner, id).await.succeeds("finding a photo");
    assert_eq!(found.as_ref(), Some(&photos[winner]), "the photo whose insert succeeded is there");
    assert_derived(store, owner, "after a race for an id").await;
}

/// Each content once.
pub async fn a_content_that_another_photo_holds_is_refused(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for (n, state) in [PhotoState::Uploading, PhotoState::Processing, states().swap_remove(2)].into_iter().enumerate() {
        let content = format!("content {n}");
        keep(store, &things.photo(owner).content(&content).state(state).build()).await;
        let second = things.photo(owner).content(&content).uploading().build();
        let result = store.photos.insert(&second, &AMPLE, &work_on(&second, things.at(0))).await;
        assert_refused!(result, RepositoryError::AlreadyExists, "a content that is held is refused");
        let found = store.photos.find(owner, second.id).await.succeeds("finding a photo");
        assert_eq!(found, None, "a refused photo is not kept");
    }
}

/// Two uploads of the same bytes at the same time cannot both be taken.
pub async fn of_concurrent_inserts_of_a_content_one_wins(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..RACERS).map(|_| things.photo(owner).content("same").uploading().build()).collect();
    let results = join_all(
        photos.iter().map(async |photo| store.photos.insert(photo, &AMPLE, &work_on(photo, things.at(0))).await),
    )
    .await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} inserts of one content succeeds");
    assert_derived(store, owner, "after a race for a content").await;
}

/// The lock on a content is an owner's own.
pub async fn two_owners_may_have_the_same_content(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    let photo = things.photo(owner).content("same").build();
    keep(store, &photo).await;
    keep(store, &things.photo(other).content("same").build()).await;
    let found = store.photos.find_by_content(owner, &[photo.original.sha256]).await.succeeds("finding by content");
    assert_eq!(found, [photo], "an owner finds only photos of their own by content");
}

/// Who does not hold a content is in nobody's way.
pub async fn a_photo_that_holds_nothing_may_have_a_held_content(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep(store, &things.photo(owner).content("same").build()).await;
    for state in states() {
        keep(store, &things.photo(owner).content("same").state(state).trashed(things.at(1)).build()).await;
    }
    for state in states().into_iter().skip(3) {
        keep(store, &things.photo(owner).content("same").state(state).build()).await;
    }
    assert_derived(store, owner, "with a content many times").await;
}

/// What was deleted may be uploaded again.
pub async fn the_trash_releases_the_content(store: &Repositories) {
    releases_the_content(store, |photo| trash(Timestamp::from_millis(0))(photo)).await;
}

/// What failed may be uploaded again.
pub async fn failing_releases_the_content(store: &Repositories) {
    releases_the_content(store, |photo| photo.state = states().swap_remove(3)).await;
}

/// What is being erased may be uploaded again.
pub async fn erasing_releases_the_content(store: &Repositories) {
    releases_the_content(store, |photo| photo.state = states().swap_remove(4)).await;
}

async fn releases_the_content(store: &Repositories, release: impl FnOnce(&mut Photo)) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).content("same").build();
    keep(store, &first).await;
    change(store, owner, first.id, release).await;
    let second = things.photo(owner).content("same").uploading().build();
    keep(store, &second).await;
    let found = store.photos.find_by_content(owner, &[first.original.sha256]).await.succeeds("finding by content");
    assert_eq!(found, [second], "the photo that took a released content holds it");
    assert_derived(store, owner, "after a content was released").await;
}

/// What is gone may be uploaded again.
pub async fn removing_releases_the_content(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).content("same").build();
    keep(store, &first).await;
    store.photos.remove(owner, first.id).await.succeeds("removing a photo");
    keep(store, &things.photo(owner).content("same").build()).await;
}

/// Coming back from the trash takes the lock again.
pub async fn a_restored_photo_holds_its_content_again(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).content("same").build();
    keep(store, &first).await;
    change(store, owner, first.id, trash(things.at(1))).await;
    change(store, owner, first.id, restore).await;
    let second = things.photo(owner).content("same").build();
    let result = store.photos.insert(&second, &AMPLE, &work_on(&second, things.at(0))).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a restored photo holds its content");
}

/// Restoring where the content was uploaded again meanwhile is refused.
pub async fn a_photo_is_not_restored_beside_another_that_holds_its_content(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).content("same").build();
    keep(store, &first).await;
    let trashed = change(store, owner, first.id, trash(things.at(1))).await;
    let second = things.photo(owner).content("same").build();
    keep(store, &second).await;
    let mut restored = Photo { revision: trashed.revision.next(), ..trashed.clone() };
    restore(&mut restored);
    let result = store.photos.replace(&restored, trashed.revision, Some(work_on(&restored, things.at(0)))).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "restoring beside a photo of the same content is refused");
    let found = store.photos.find(owner, first.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(trashed), "a photo that was not restored stays in the trash as it was");
    store.photos.remove(owner, second.id).await.succeeds("removing a photo");
    change(store, owner, first.id, restore).await;
    assert_derived(store, owner, "after a restore in the end").await;
}

/// Two restores at the same time cannot both take the lock.
pub async fn of_concurrent_restores_of_a_content_one_wins(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> =
        (0..RACERS).map(|_| things.photo(owner).content("same").trashed(things.at(1)).build()).collect();
    keep_all(store, &photos).await;
    let results = join_all(photos.iter().map(async |photo| {
        let mut restored = Photo { revision: photo.revision.next(), ..photo.clone() };
        restore(&mut restored);
        store.photos.replace(&restored, photo.revision, None).await
    }))
    .await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} photos of one content is restored");
    assert_derived(store, owner, "after a race to be restored").await;
}

/// A photo is not in its own way.
pub async fn a_holder_may_change_without_losing_its_content(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).content("same").uploading().build();
    keep(store, &first).await;
    change(store, owner, first.id, |photo| photo.state = PhotoState::Processing).await;
    change(store, owner, first.id, |photo| photo.state = states().swap_remove(2)).await;
    let second = things.photo(owner).content("same").build();
    let result = store.photos.insert(&second, &AMPLE, &work_on(&second, things.at(0))).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a photo that changed still holds its content");
}

/// Exactly as many bytes as the quota says, and not one more.
pub async fn a_quota_of_bytes_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { bytes: 100, ..AMPLE };
    insert_within(store, &things.photo(owner).bytes(60).build(), &quota).await.succeeds("inserting 60 of 100 bytes");
    let result = insert_within(store, &things.photo(owner).bytes(41).build(), &quota).await;
    assert_refused!(result, RepositoryError::OverQuota, "41 bytes more than 60 do not fit a quota of 100");
    insert_within(store, &things.photo(owner).bytes(40).build(), &quota).await.succeeds("inserting the other 40 bytes");
    let result = insert_within(store, &things.photo(owner).bytes(1).build(), &quota).await;
    assert_refused!(result, RepositoryError::OverQuota, "nothing fits a quota that is used up");
}

/// Exactly as many photos as the quota says.
pub async fn a_quota_of_photos_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { photos: 2, ..AMPLE };
    let first = things.photo(owner).build();
    insert_within(store, &first, &quota).await.succeeds("inserting the first of two photos");
    insert_within(store, &things.photo(owner).build(), &quota).await.succeeds("inserting the second of two photos");
    let third = things.photo(owner).build();
    let result = insert_within(store, &third, &quota).await;
    assert_refused!(result, RepositoryError::OverQuota, "a third photo does not fit a quota of two");
    store.photos.remove(owner, first.id).await.succeeds("removing a photo");
    insert_within(store, &third, &quota).await.succeeds("inserting a photo where one was removed");
}

/// Exactly as many uploads at a time as the quota says.
pub async fn a_quota_of_pending_uploads_is_kept(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { pending_uploads: 1, ..AMPLE };
    let first = things.photo(owner).uploading().build();
    insert_within(store, &first, &quota).await.succeeds("inserting the first upload");
    let second = things.photo(owner).uploading().build();
    let result = insert_within(store, &second, &quota).await;
    assert_refused!(result, RepositoryError::OverQuota, "a second upload does not fit a quota of one");
    change(store, owner, first.id, |photo| photo.state = PhotoState::Processing).await;
    insert_within(store, &second, &quota).await.succeeds("inserting an upload once the first has arrived");
}

/// The trash is no way round a quota.
pub async fn photos_in_the_trash_count_towards_the_quota(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { photos: 1, ..AMPLE };
    let first = things.photo(owner).build();
    insert_within(store, &first, &quota).await.succeeds("inserting the first photo");
    change(store, owner, first.id, trash(things.at(1))).await;
    change(store, owner, first.id, |photo| photo.state = states().swap_remove(4)).await;
    let result = insert_within(store, &things.photo(owner).build(), &quota).await;
    assert_refused!(result, RepositoryError::OverQuota, "a photo counts until it is removed for good");
}

async fn insert_within(store: &Repositories, photo: &Photo, quota: &Quota) -> Result<(), RepositoryError> {
    store.photos.insert(photo, quota, &work_on(photo, Timestamp::MAX)).await
}

/// However many come at the same time, no more than the quota get in.
pub async fn concurrent_inserts_never_exceed_a_quota_of_photos(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { photos: 10, pending_uploads: 10, ..AMPLE };
    let photos: Vec<Photo> = (0..RACERS).map(|_| things.photo(owner).uploading().build()).collect();
    let results = join_all(photos.iter().map(|photo| insert_within(store, photo, &quota))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::OverQuota));
    assert_eq!(won, 10, "10 of {RACERS} photos fit a quota of 10");
    assert_derived(store, owner, "after a race for a quota of photos").await;
}

/// The same of bytes.
pub async fn concurrent_inserts_never_exceed_a_quota_of_bytes(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { bytes: 1_000, ..AMPLE };
    let photos: Vec<Photo> = (0..RACERS).map(|_| things.photo(owner).bytes(99).build()).collect();
    let results = join_all(photos.iter().map(|photo| insert_within(store, photo, &quota))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::OverQuota));
    assert_eq!(won, 10, "10 of {RACERS} photos of 99 bytes fit a quota of 1,000 bytes");
    assert_derived(store, owner, "after a race for a quota of bytes").await;
}

/// Whoever sends a photo again hears that it is there, not that there is no room for it.
pub async fn a_duplicate_is_told_before_the_quota(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { photos: 1, ..AMPLE };
    insert_within(store, &things.photo(owner).content("same").build(), &quota).await.succeeds("inserting a photo");
    let result = insert_within(store, &things.photo(owner).content("same").build(), &quota).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a duplicate over the quota is a duplicate");
}

/// The photo, its work and the counts are one write.
pub async fn a_refused_insert_leaves_nothing(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let quota = Quota { photos: 0, ..AMPLE };
    let photo = things.photo(owner).title("word").tags(&["tag"]).build();
    let result = store.photos.insert(&photo, &quota, &work_on(&photo, things.at(0))).await;
    assert_refused!(result, RepositoryError::OverQuota, "a quota of no photos admits none");
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, None, "a refused photo is not kept");
    let usage = store.users.usage(owner).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "a refused photo does not count");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "a refused photo has no work");
    assert_derived(store, owner, "after a refused insert").await;
    keep(store, &photo).await;
}

/// The photo and its work are one write.
pub async fn an_insert_schedules_its_work(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).uploading().build();
    let work = work_on(&photo, things.at(60));
    store.photos.insert(&photo, &AMPLE, &work).await.succeeds("inserting a photo");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(60)), "the work of an insert is due when it says");
    let claimed = store.work.claim(things.at(60), Duration::from_secs(60), 10).await.succeeds("claiming work");
    assert_eq!(claimed.iter().map(|claimed| claimed.task).collect::<Vec<_>>(), [work.task], "the work is on the photo");
}

/// The change and its work are one write; the new work takes the place of the old.
pub async fn a_replace_schedules_its_work(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).uploading().build();
    keep(store, &photo).await;
    let changed = Photo { state: PhotoState::Processing, revision: photo.revision.next(), ..photo.clone() };
    let work = Some(work_on(&photo, things.at(30)));
    store.photos.replace(&changed, photo.revision, work).await.succeeds("replacing a photo");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(30)), "the work of a replace takes the place of that before");
}

/// No work given is no change to the work.
pub async fn a_replace_without_work_leaves_the_work_that_is_there(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    store.photos.insert(&photo, &AMPLE, &work_on(&photo, things.at(60))).await.succeeds("inserting a photo");
    change(store, photo.owner, photo.id, |photo| photo.details.favourite = true).await;
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(60)), "a replace without work leaves the work as it is");
}

/// Refused is refused: neither the photo nor anything derived nor the work changes.
pub async fn a_refused_replace_changes_nothing(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).title("old").tags(&["old"]).build();
    keep(store, &photo).await;
    let photo = change(store, photo.owner, photo.id, |photo| photo.details.favourite = true).await;
    let due = store.work.next_due().await.succeeds("asking for the next work");
    let mut stale =
        things.photo(photo.owner).id(photo.id).title("new").tags(&["new"]).taken("1999-01-01T00:00:00").build();
    stale.revision = photo.revision;
    let result = store.photos.replace(&stale, crate::Revision::FIRST, Some(work_on(&photo, things.at(0)))).await;
    assert_refused!(result, RepositoryError::Stale, "a replace of a stale revision is refused");
    let found = store.photos.find(photo.owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found.as_ref(), Some(&photo), "a refused replace leaves the photo");
    let now_due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(now_due, due, "a refused replace schedules no work");
    assert_derived(store, photo.owner, "after a refused replace").await;
}

/// In the order asked, absent ones left out, one named twice twice.
pub async fn many_photos_are_found_in_the_order_asked(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..5).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    let ids = [photos[3].id, things.photo_id(), photos[0].id, photos[4].id, photos[3].id];
    let found = store.photos.find_many(owner, &ids).await.succeeds("finding photos");
    let found: Vec<PhotoId> = found.iter().map(|photo| photo.id).collect();
    assert_eq!(found, [photos[3].id, photos[0].id, photos[4].id, photos[3].id], "photos come in the order asked");
}

/// 100 is what a page may ask for.
pub async fn a_hundred_photos_are_found_at_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..100).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    let ids: Vec<PhotoId> = photos.iter().rev().map(|photo| photo.id).collect();
    let found = store.photos.find_many(owner, &ids).await.succeeds("finding photos");
    assert!(found.iter().eq(photos.iter().rev()), "100 photos are found");
    let contents: Vec<Sha256Digest> = photos.iter().map(|photo| photo.original.sha256).collect();
    let mut found = store.photos.find_by_content(owner, &contents).await.succeeds("finding by content");
    found.sort_by_key(|photo| photo.id);
    assert_eq!(found, photos, "100 photos are found by content");
}

/// Those that hold the content, and no others.
pub async fn photos_are_found_by_the_content_they_hold(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = states().into_iter().map(|state| things.photo(owner).state(state).build()).collect();
    keep_all(store, &photos).await;
    let trashed = things.photo(owner).trashed(things.at(1)).build();
    keep(store, &trashed).await;
    let mut contents: Vec<Sha256Digest> = photos.iter().map(|photo| photo.original.sha256).collect();
    contents.extend([trashed.original.sha256, Sha256Digest::of(b"nobody's")]);
    let mut found = store.photos.find_by_content(owner, &contents).await.succeeds("finding by content");
    found.sort_by_key(|photo| photo.id);
    assert_eq!(found, photos[..3], "uploading, processing and ready photos hold their content");
    let found = store.photos.find_by_content(owner, &[]).await.succeeds("finding by content");
    assert!(found.is_empty(), "no content is no photo");
}

/// Whoever read an older revision has to read again.
pub async fn a_replace_of_a_stale_revision_is_refused(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    keep(store, &photo).await;
    change(store, photo.owner, photo.id, |photo| photo.details.favourite = true).await;
    for read_at in [0, 1, 3, u64::MAX >> 1].map(crate::Revision::new) {
        let changed = Photo { revision: read_at.next(), ..photo.clone() };
        let result = store.photos.replace(&changed, read_at, None).await;
        assert_refused!(result, RepositoryError::Stale, "revision {} is not the one there", read_at.get());
    }
}

/// What was removed cannot be changed back to life.
pub async fn a_replace_of_an_absent_photo_is_stale(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    let changed = Photo { revision: photo.revision.next(), ..photo.clone() };
    let work = Some(work_on(&photo, things.at(0)));
    let result = store.photos.replace(&changed, photo.revision, work).await;
    assert_refused!(result, RepositoryError::Stale, "a photo that never was is stale");
    keep(store, &photo).await;
    store.photos.remove(photo.owner, photo.id).await.succeeds("removing a photo");
    let result = store.photos.replace(&changed, photo.revision, work).await;
    assert_refused!(result, RepositoryError::Stale, "a photo that is gone is stale");
    let found = store.photos.find(photo.owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, None, "a replace does not bring a photo back");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "a stale replace schedules nothing");
}

/// No update is lost.
pub async fn of_concurrent_replaces_of_a_revision_one_wins(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    keep(store, &photo).await;
    let changed: Vec<Photo> = (0..RACERS)
        .map(|n| {
            let mut changed =
                things.photo(photo.owner).id(photo.id).title(&n.to_string()).tags(&[&n.to_string()]).build();
            changed.original = photo.original.clone();
            changed.created_at = photo.created_at;
            changed.revision = photo.revision.next();
            changed
        })
        .collect();
    let results = join_all(changed.iter().map(|changed| store.photos.replace(changed, photo.revision, None))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::Stale));
    assert_eq!(won, 1, "one of {RACERS} changes of one revision succeeds");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let found = store.photos.find(photo.owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found.as_ref(), Some(&changed[winner]), "the change that succeeded is there");
    assert_derived(store, photo.owner, "after a race to change a photo").await;
}

/// Read, change, write, and again when stale: in the end each change is there, and the revision counts them.
pub async fn concurrent_edits_with_retries_are_all_kept(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    keep(store, &photo).await;
    let tags: Vec<Tag> = (0..RACERS).map(|n| Tag::parse(&format!("tag {n:02}")).expect("a tag")).collect();
    join_all(tags.iter().map(async |tag| {
        for _ in 0..1_000 {
            let mut read =
                store.photos.find(photo.owner, photo.id).await.succeeds("finding a photo").expect("it is there");
            let read_at = read.revision;
            read.details.tags.add(tag.clone()).expect("there is room for a tag");
            read.revision = read_at.next();
            match store.photos.replace(&read, read_at, None).await {
                Ok(()) => return,
                Err(RepositoryError::Stale) => {}
                Err(error) => panic!("a change ends in {error:?}"),
            }
        }
        panic!("a change is stale 1,000 times: nobody else can have succeeded as often");
    }))
    .await;
    let found = store.photos.find(photo.owner, photo.id).await.succeeds("finding a photo").expect("it is there");
    assert_eq!(found.revision.get(), 1 + RACERS as u64, "the revision counts the changes");
    let mut kept: Vec<String> = found.details.tags.iter().map(Tag::to_string).collect();
    kept.sort_unstable();
    assert!(kept.iter().eq(tags.iter().map(Tag::as_str)), "no change is lost, but the tags are {kept:?}");
    assert_derived(store, photo.owner, "after many changes at once").await;
}

/// A delete can be sent twice.
pub async fn removing_an_absent_photo_succeeds(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    store.photos.remove(photo.owner, photo.id).await.succeeds("removing a photo that never was");
    keep(store, &photo).await;
    for _ in 0..2 {
        store.photos.remove(photo.owner, photo.id).await.succeeds("removing a photo");
    }
    let results = join_all((0..RACERS).map(|_| store.photos.remove(photo.owner, photo.id))).await;
    assert!(results.iter().all(Result::is_ok), "removing at the same time succeeds for all");
    let usage = store.users.usage(photo.owner).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "a photo is taken out of the usage once");
}

/// Out of every list, album and count.
pub async fn a_removed_photo_is_gone_from_everywhere(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).title("word").tags(&["tag"]).favourite().build();
    let kept = things.photo(owner).title("word").tags(&["tag"]).build();
    keep_all(store, &[photo.clone(), kept.clone()]).await;
    let albums = [things.album(owner, "one"), things.album(owner, "two")];
    for album in &albums {
        keep_album(store, album).await;
        append(store, album, &[&photo, &kept]).await;
    }
    store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
    for album in &albums {
        let entry = store.albums.find(owner, album.id).await.succeeds("finding an album").expect("it is there");
        assert_eq!(entry.photo_count, 1, "an album does not count a photo that is gone");
        let members =
            store.albums.members(owner, album.id, PageRequest::first(PageSize::MAX)).await.succeeds("members");
        let members: Vec<PhotoId> = members.items.iter().map(|place| place.photo).collect();
        assert_eq!(members, [kept.id], "a photo that is gone stands in no album");
    }
    let albums = store.albums.albums_of(owner, photo.id).await.succeeds("albums of a photo");
    assert!(albums.is_empty(), "a photo that is gone has no albums");
    assert_derived(store, owner, "after a removal").await;
}

/// Nobody is sent after a photo that is gone.
pub async fn removing_cancels_the_work(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).build();
    keep(store, &photo).await;
    store.photos.remove(photo.owner, photo.id).await.succeeds("removing a photo");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "the work on a photo goes with it");
}

/// Nothing of what is gone is left in the way.
pub async fn a_removed_id_can_be_inserted_again(store: &Repositories) {
    let things = Things::new();
    let photo = things.photo(things.owner()).title("word").tags(&["tag"]).build();
    for _ in 0..3 {
        keep(store, &photo).await;
        assert_derived(store, photo.owner, "after an insert").await;
        store.photos.remove(photo.owner, photo.id).await.succeeds("removing a photo");
        assert_derived(store, photo.owner, "after a removal").await;
    }
}

/// Latest instant first; those of one instant by id, highest first.
pub async fn the_timeline_is_ordered_by_time_then_id(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let a = things.photo(owner).taken("2024-06-01T12:00:00").build();
    let b = things.photo(owner).taken("2024-06-01T12:00:00.001").build();
    let c = things.photo(owner).taken("2024-06-01T12:00:00").build();
    let d = things.photo(owner).taken("2023-06-01T12:00:00").build();
    keep_all(store, &[a.clone(), b.clone(), c.clone(), d.clone()]).await;
    assert_eq!(timeline(store, owner).await, ids(&[&b, &c, &a, &d]), "the timeline is latest first, then by id");
}

/// A photo stands where its camera's clock said, as if that were UTC.
pub async fn the_timeline_follows_the_wall_clock_whatever_the_offset(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = [
        "2024-06-01T10:00:00-11:00",
        "2024-06-01T10:00:01+14:00",
        "2024-06-01T10:00:02",
        "2024-06-01T10:00:03Z",
        "2024-06-01T10:00:04-00:30",
    ]
    .map(|taken| things.photo(owner).taken(taken).build())
    .into();
    keep_all(store, &photos).await;
    let expected: Vec<PhotoId> = photos.iter().rev().map(|photo| photo.id).collect();
    assert_eq!(timeline(store, owner).await, expected, "offsets do not change the order");
}

/// Scanned photos are older than computers' time.
pub async fn the_timeline_reaches_back_before_1970(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = [
        "0001-01-01T00:00:00",
        "1826-06-01T12:00:00",
        "1969-12-31T23:59:59.998",
        "1969-12-31T23:59:59.999",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00:00.001",
        "9998-12-31T23:59:59",
    ]
    .map(|taken| things.photo(owner).taken(taken).build())
    .into();
    keep_all(store, &photos).await;
    for size in page_sizes() {
        let listed = walk(size, async |page| store.photos.timeline(owner, page).await).await;
        assert!(listed.iter().eq(photos.iter().rev()), "photos before 1970 come after those of it");
    }
}

/// A jump to a date: the first page after a moment.
pub async fn the_timeline_starts_at_any_moment(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> =
        (1..=9).map(|day| things.photo(owner).taken(&format!("2024-06-0{day}T00:00:00")).build()).collect();
    keep_all(store, &photos).await;
    let cursor = PhotoCursor::before("2024-06-05T00:00:00Z".parse().expect("a moment"));
    let page = store.photos.timeline(owner, PageRequest::after(size(2), cursor)).await.succeeds("reading a page");
    assert_eq!(
        ids(&page.items.iter().collect::<Vec<_>>()),
        ids(&[&photos[3], &photos[2]]),
        "a jump lands before a moment"
    );
    let cursor = PhotoCursor::before(Timestamp::MIN);
    let page = store.photos.timeline(owner, PageRequest::after(size(2), cursor)).await.succeeds("reading a page");
    assert_eq!((page.items, page.next), (vec![], None), "before all time there is nothing");
}

/// Ready and not in the trash.
pub async fn the_timeline_holds_visible_photos_only(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for state in states() {
        keep(store, &things.photo(owner).state(state.clone()).build()).await;
        keep(store, &things.photo(owner).state(state).trashed(things.at(1)).build()).await;
    }
    assert_eq!(timeline(store, owner).await.len(), 1, "of every state, one photo is visible");
    assert_derived(store, owner, "with photos in every state").await;
}

/// No size skips or repeats.
pub async fn every_page_size_visits_each_photo_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..100)
        .map(|n| {
            things.photo(owner).taken(&format!("2024-06-01T00:{:02}:{:02}", n / 3 % 60, n % 7)).favourite().build()
        })
        .collect();
    keep_all(store, &photos).await;
    let mut expected: Vec<&Photo> = photos.iter().collect();
    expected.sort_by_key(|photo| std::cmp::Reverse((photo.timeline_instant(), photo.id)));
    for size in page_sizes() {
        let listed = walk(size, async |page| store.photos.timeline(owner, page).await).await;
        assert!(listed.iter().eq(expected.iter().copied()), "pages of {} visit each photo once", size.get());
        let listed = walk(size, async |page| store.photos.favourites(owner, page).await).await;
        assert!(listed.iter().eq(expected.iter().copied()), "pages of {} visit each favourite once", size.get());
    }
}

/// An import of scans without dates gives hundreds of photos one instant.
pub async fn every_page_size_visits_each_photo_of_one_instant_once(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> =
        (0..60).map(|_| things.photo(owner).taken("2024-06-01T00:00:00").trashed(things.at(7)).build()).collect();
    keep_all(store, &photos).await;
    for size in page_sizes() {
        let listed = walk(size, async |page| store.photos.trash(owner, page).await).await;
        assert!(listed.iter().eq(photos.iter().rev()), "pages of {} visit each trashed photo once", size.get());
    }
    for photo in &photos {
        change(store, owner, photo.id, restore).await;
    }
    for size in page_sizes() {
        let listed = walk(size, async |page| store.photos.timeline(owner, page).await).await;
        let listed: Vec<PhotoId> = listed.iter().map(|photo| photo.id).collect();
        assert!(listed.into_iter().eq(photos.iter().rev().map(|photo| photo.id)), "pages of {}", size.get());
    }
}

/// What stays is seen once, whatever comes and goes meanwhile.
pub async fn paging_visits_each_photo_once_while_others_write(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let (stay, go): (Vec<Photo>, Vec<Photo>) = (0..40)
        .map(|n| {
            let taken = format!("2024-06-01T00:00:{n:02}");
            (things.photo(owner).taken(&taken).build(), things.photo(owner).taken(&taken).build())
        })
        .unzip();
    keep_all(store, &stay).await;
    for size in [1, 2, 3, 7, 20].map(size) {
        keep_all(store, &go).await;
        let others = async {
            for (n, photo) in go.iter().enumerate() {
                store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
                let other = things.photo(owner).taken(&format!("2024-06-01T00:00:{n:02}")).build();
                keep(store, &other).await;
                store.photos.remove(owner, other.id).await.succeeds("removing a photo");
            }
        };
        let reader = walk(size, async |page| store.photos.timeline(owner, page).await);
        let ((), listed) = join(others, reader).await;
        let listed: Vec<PhotoId> = listed.iter().map(|photo| photo.id).collect();
        let stayed: Vec<PhotoId> =
            listed.iter().copied().filter(|id| stay.iter().any(|photo| photo.id == *id)).collect();
        let expected: Vec<PhotoId> = stay.iter().rev().map(|photo| photo.id).collect();
        assert_eq!(stayed, expected, "pages of {} visit each photo that stays once, in order", size.get());
        let mut once = listed.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), listed.len(), "pages of {} visit no photo twice", size.get());
    }
}

/// A cursor is a place, not a photo.
pub async fn a_cursor_of_a_removed_photo_still_works(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..6).map(|_| things.photo(owner).taken("2024-06-01T00:00:00").build()).collect();
    keep_all(store, &photos).await;
    let page = store.photos.timeline(owner, PageRequest::first(size(2))).await.succeeds("reading a page");
    let next = page.next.expect("there are more photos");
    assert_eq!(next, photos[4].timeline_cursor(), "the cursor is the sort key of the last photo seen");
    for photo in &photos[3..] {
        store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
    }
    let page = store.photos.timeline(owner, PageRequest::after(size(2), next)).await.succeeds("reading a page");
    let found: Vec<PhotoId> = page.items.iter().map(|photo| photo.id).collect();
    assert_eq!(found, ids(&[&photos[2], &photos[1]]), "the list goes on after a photo that is gone");
    let cursor = PhotoCursor { at: things.at(0), id: things.photo_id() };
    let page = store.photos.timeline(owner, PageRequest::after(size(9), cursor)).await.succeeds("reading a page");
    assert!(page.items.is_empty(), "a cursor of a photo that never was is a place, too");
}

/// A list ends, also where its length is a multiple of the page's.
pub async fn a_full_last_page_ends_the_list(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..4).map(|_| things.photo(owner).build()).collect();
    keep_all(store, &photos).await;
    for size in [1, 2, 4, 100].map(size) {
        let listed = walk(size, async |page| store.photos.timeline(owner, page).await).await;
        assert_eq!(listed.len(), 4, "a list of 4 ends after 4");
    }
    let cursor = photos[0].timeline_cursor();
    let page = store.photos.timeline(owner, PageRequest::after(size(4), cursor)).await.succeeds("reading a page");
    assert_eq!((page.items, page.next), (vec![], None), "after the last photo there is nothing");
}

/// A corrected date moves a photo.
pub async fn a_photo_that_changes_its_time_changes_its_place(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = things.photo(owner).taken("2024-06-01T00:00:00").build();
    let second = things.photo(owner).taken("2024-06-02T00:00:00").build();
    keep_all(store, &[first.clone(), second.clone()]).await;
    change(store, owner, first.id, |photo| photo.details.taken_at = "2024-06-03T00:00:00".parse().ok()).await;
    assert_eq!(timeline(store, owner).await, ids(&[&first, &second]), "a later date moves a photo up");
    change(store, owner, first.id, |photo| photo.details.taken_at = "1924-06-03T00:00:00".parse().ok()).await;
    assert_eq!(timeline(store, owner).await, ids(&[&second, &first]), "an earlier date moves a photo down");
    change(store, owner, second.id, |photo| photo.details.taken_at = None).await;
    assert_eq!(timeline(store, owner).await, ids(&[&second, &first]), "without a date, the creation counts");
    assert_derived(store, owner, "after dates were corrected").await;
}

/// Favourites that are not visible are not listed.
pub async fn favourites_are_the_visible_favourites_latest_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let a = things.photo(owner).favourite().taken("2024-06-01T00:00:00").build();
    let b = things.photo(owner).favourite().taken("2024-06-02T00:00:00").build();
    let rest = [
        things.photo(owner).build(),
        things.photo(owner).favourite().trashed(things.at(1)).build(),
        things.photo(owner).favourite().uploading().build(),
    ];
    keep_all(store, &[b.clone(), a.clone()]).await;
    keep_all(store, &rest).await;
    let listed = walk(size(1), async |page| store.photos.favourites(owner, page).await).await;
    assert_eq!(listed, [b.clone(), a], "the favourites are the visible ones, latest first");
    change(store, owner, b.id, |photo| photo.details.favourite = false).await;
    change(store, owner, rest[0].id, |photo| photo.details.favourite = true).await;
    assert_derived(store, owner, "after favourites changed").await;
}

/// Last trashed first, whenever they were taken.
pub async fn the_trash_is_ordered_by_when_photos_were_trashed(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let a = things.photo(owner).taken("2030-01-01T00:00:00").trashed(things.at(100)).build();
    let b = things.photo(owner).taken("2020-01-01T00:00:00").trashed(things.at(300)).build();
    let c = things.photo(owner).taken("2025-01-01T00:00:00").trashed(things.at(200)).build();
    keep_all(store, &[a.clone(), b.clone(), c.clone()]).await;
    keep(store, &things.photo(owner).state(states().swap_remove(4)).trashed(things.at(400)).build()).await;
    let page = store.photos.trash(owner, PageRequest::first(size(1))).await.succeeds("reading the trash");
    assert_eq!(page.next, Some(PhotoCursor { at: things.at(300), id: b.id }), "the cursor holds the time of trashing");
    let listed = walk(size(1), async |page| store.photos.trash(owner, page).await).await;
    assert_eq!(listed, [b, c, a], "the trash is ordered by when photos were trashed, without those being erased");
}

/// Last announced first, whenever they were taken.
pub async fn unfinished_photos_are_ordered_by_when_they_were_announced(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = states()
        .into_iter()
        .zip(["2030", "2020", "2029", "2021", "2028"])
        .map(|(state, year)| things.photo(owner).state(state).taken(&format!("{year}-01-01T00:00:00")).build())
        .collect();
    keep_all(store, &photos).await;
    keep(store, &things.photo(owner).uploading().trashed(things.at(1)).build()).await;
    let expected = [photos[3].clone(), photos[1].clone(), photos[0].clone()];
    let page = store.photos.unfinished(owner, PageRequest::first(size(1))).await.succeeds("reading a page");
    let cursor = PhotoCursor { at: photos[3].created_at, id: photos[3].id };
    assert_eq!(page.next, Some(cursor), "the cursor holds the time of creation");
    let listed = walk(size(1), async |page| store.photos.unfinished(owner, page).await).await;
    assert_eq!(listed, expected, "uploading, processing and failed photos are unfinished");
}

/// In no list too many and in none too few, after each step.
pub async fn lists_follow_a_photo_through_every_state(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photo = things.photo(owner).favourite().tags(&["tag"]).uploading().build();
    keep(store, &photo).await;
    assert_derived(store, owner, "once announced").await;
    let [uploading, processing, ready, failed, erasing] =
        <[PhotoState; 5]>::try_from(states()).expect("there are five states");
    for state in [processing, ready.clone(), failed, uploading, ready] {
        let when = format!("once {}", state.name());
        change(store, owner, photo.id, |photo| photo.state = state).await;
        assert_derived(store, owner, &when).await;
        change(store, owner, photo.id, trash(things.at(1))).await;
        assert_derived(store, owner, &format!("{when} and trashed")).await;
        change(store, owner, photo.id, restore).await;
        assert_derived(store, owner, &format!("{when} and restored")).await;
    }
    change(store, owner, photo.id, |photo| photo.state = erasing).await;
    assert_derived(store, owner, "while erasing").await;
    store.photos.remove(owner, photo.id).await.succeeds("removing a photo");
    assert_derived(store, owner, "once removed").await;
}

/// The months of visible photos, and how many each holds.
pub async fn months_are_counted_latest_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let months = store.photos.months(owner).await.succeeds("reading the months");
    assert!(months.is_empty(), "without photos there are no months");
    for taken in ["2024-05-31T23:59:59.999", "2024-06-01T00:00:00", "2024-06-30T23:59:59", "1899-12-31T00:00:00"] {
        keep(store, &things.photo(owner).taken(taken).build()).await;
    }
    keep(store, &things.photo(owner).taken("2024-07-01T00:00:00").trashed(things.at(1)).build()).await;
    let months = store.photos.months(owner).await.succeeds("reading the months");
    let months: Vec<(Month, u64)> = months.into_iter().map(|count| (count.month, count.photos)).collect();
    let month = |moment: &str| Month::of(moment.parse().expect("a moment"));
    let expected =
        [(month("2024-06-15T00:00:00Z"), 2), (month("2024-05-15T00:00:00Z"), 1), (month("1899-12-15T00:00:00Z"), 1)];
    assert_eq!(months, expected, "months are counted, latest first, without the trash");
}

/// A photo of New Year's Eve stays in the old year wherever it was taken.
pub async fn months_follow_the_wall_clock(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep(store, &things.photo(owner).taken("2023-12-31T23:30:00-12:00").build()).await;
    keep(store, &things.photo(owner).taken("2023-12-01T00:30:00+14:00").build()).await;
    let months = store.photos.months(owner).await.succeeds("reading the months");
    assert_eq!(months.len(), 1, "both photos were taken in December, but the months are {months:?}");
    assert_eq!(months[0].photos, 2, "both photos were taken in December");
}

/// By code point, with how many visible photos carry each.
pub async fn tags_are_counted_in_the_order_of_their_keys(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep(store, &things.photo(owner).tags(&["zoo", "beach", "été", "🌊", "東京", "a b"]).build()).await;
    keep(store, &things.photo(owner).tags(&["beach", "￿"]).build()).await;
    keep(store, &things.photo(owner).tags(&["beach", "unseen"]).trashed(things.at(1)).build()).await;
    let tags = store.photos.tags(owner, "", 100).await.succeeds("reading the tags");
    let tags: Vec<(String, u64)> = tags.into_iter().map(|count| (count.tag.to_string(), count.photos)).collect();
    let mut sorted = tags.clone();
    sorted.sort_by_key(|(tag, _)| tag_key(tag));
    assert_eq!(tags, sorted, "tags come in the order of their keys");
    assert!(tags.contains(&("beach".to_owned(), 2)), "a tag of two visible photos counts 2, but the tags are {tags:?}");
    assert_eq!(tags.len(), 7, "tags of the trash are not there, but the tags are {tags:?}");
}

/// Case and diacritics do not make another tag; the spelling is one that a photo has.
pub async fn spellings_of_a_tag_count_as_one(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let spellings = ["New York", "NEW  YORK", "new york"];
    let mut photos = Vec::new();
    for spelling in spellings {
        let photo = things.photo(owner).tags(&[spelling]).build();
        keep(store, &photo).await;
        photos.push(photo);
    }
    for left in (1..=3).rev() {
        let tags = store.photos.tags(owner, "new york", 10).await.succeeds("reading the tags");
        assert_eq!(tags.len(), 1, "three spellings are one tag, but the tags are {tags:?}");
        assert_eq!(tags[0].photos, left, "each photo counts once");
        let spelled = |photo: &Photo| photo.details.tags.iter().any(|tag| *tag == tags[0].tag);
        assert!(photos.iter().any(spelled), "the spelling is that of one of the photos, but it is {:?}", tags[0].tag);
        let gone = photos.remove(0);
        store.photos.remove(owner, gone.id).await.succeeds("removing a photo");
    }
    let tags = store.photos.tags(owner, "", 10).await.succeeds("reading the tags");
    assert!(tags.is_empty(), "a tag without photos is no tag");
}

/// Suggestions while a person types, in any script.
pub async fn tags_are_found_by_the_beginning_of_their_keys(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    keep(store, &things.photo(owner).tags(&["Beach", "bear", "be", "bé%x", "b_x", "ca"]).build()).await;
    for (_, word) in SCRIPTS {
        keep(store, &things.photo(owner).tags(&[word]).build()).await;
    }
    for (prefix, expected) in [
        ("be", &["be", "be%x", "beach", "bear"][..]),
        ("bea", &["beach", "bear"]),
        ("b_", &["b_x"]),
        ("%", &[]),
        ("BE", &[]),
    ] {
        let tags = store.photos.tags(owner, prefix, 100).await.succeeds("reading the tags");
        let keys: Vec<&str> = tags.iter().map(|count| count.tag.key()).collect();
        assert_eq!(keys, expected, "the tags whose keys start with {prefix:?}");
    }
    for (_, word) in SCRIPTS {
        let key = tag_key(word);
        for end in key.char_indices().map(|(end, _)| end).skip(1).chain([key.len()]) {
            let tags = store.photos.tags(owner, &key[..end], 100).await.succeeds("reading the tags");
            let found = tags.iter().any(|count| count.tag.as_str() == word && count.photos == 1);
            assert!(found, "{word} is found by {:?}, but the tags are {tags:?}", &key[..end]);
        }
    }
}

/// Whatever a tag looks like, it is counted, and found by its key.
pub async fn tags_with_hostile_text_are_counted(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for text in HOSTILE {
        let Ok(tag) = Tag::parse(text) else { continue };
        keep(store, &things.photo(owner).tags(&[text]).build()).await;
        let tags = store.photos.tags(owner, tag.key(), 100).await.succeeds("reading the tags");
        assert!(tags.iter().any(|count| count.tag == tag), "{text:?} is found, but the tags are {tags:?}");
    }
    assert_derived(store, owner, "with hostile tags").await;
}

/// The limit is the caller's.
pub async fn no_more_tags_come_than_asked_for(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let tags: Vec<String> = (0..50).map(|n| format!("tag{n:02}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    keep(store, &things.photo(owner).tags(&tags).build()).await;
    for limit in [0_u32, 1, 49, 50, 51] {
        let found = store.photos.tags(owner, "tag", limit).await.succeeds("reading the tags");
        let expected = tags.iter().copied().take(limit as usize);
        assert!(found.iter().map(|count| count.tag.as_str()).eq(expected), "the first {limit} tags come");
    }
}

/// Usage, months and tags, after each of many changes of many kinds.
pub async fn counts_follow_every_transition(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> = (0..6)
        .map(|n| {
            things
                .photo(owner)
                .tags(&["all", &format!("t{n}")])
                .taken(&format!("2024-0{}-01T00:00:00", 1 + n % 3))
                .build()
        })
        .collect();
    for photo in &photos {
        keep(store, photo).await;
    }
    let mut all_states = states().into_iter().cycle();
    for round in 0..4_usize {
        for (n, photo) in photos.iter().enumerate() {
            change(store, owner, photo.id, |photo| match (round + n) % 6 {
                0 => trash(things.at(round as u64))(photo),
                1 => photo.details.taken_at = format!("20{:02}-11-30T23:59:59", 10 + round).parse().ok(),
                2 => photo.details.tags = things.photo(owner).tags(&["ALL", "other"]).build().details.tags,
                3 => photo.details.favourite = !photo.details.favourite,
                4 => photo.state = all_states.next().expect("the states repeat"),
                _ => restore(photo),
            })
            .await;
            assert_derived(store, owner, &format!("in round {round} after photo {n}")).await;
        }
    }
}

/// The counts do not lose count when many photos change at the same time.
pub async fn counts_survive_concurrent_changes(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let photos: Vec<Photo> =
        (0..RACERS).map(|_| things.photo(owner).tags(&["same"]).taken("2024-06-01T00:00:00").build()).collect();
    join_all(photos.iter().map(|photo| keep(store, photo))).await;
    assert_derived(store, owner, "after many inserts at once").await;
    join_all(photos.iter().enumerate().map(async |(n, photo)| match n % 4 {
        0 => drop(change(store, owner, photo.id, trash(things.at(1))).await),
        1 => drop(change(store, owner, photo.id, |photo| photo.details.tags = Default::default()).await),
        2 => drop(change(store, owner, photo.id, |photo| photo.details.taken_at = None).await),
        _ => store.photos.remove(owner, photo.id).await.succeeds("removing a photo"),
    }))
    .await;
    assert_derived(store, owner, "after many changes at once").await;
}

/// For erasure and moves between stores: everything, lowest id first.
pub async fn all_photos_come_by_id_whatever_their_state(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut photos = Vec::new();
    for state in states() {
        photos.push(things.photo(owner).state(state.clone()).taken("1999-01-01T00:00:00").build());
        photos.push(things.photo(owner).state(state).trashed(things.at(1)).build());
    }
    keep_all(store, &photos).await;
    for size in page_sizes() {
        let listed = walk(size, async |page| store.photos.all(owner, page).await).await;
        assert_eq!(listed, photos, "pages of {} visit every photo by id", size.get());
    }
    let page = store.photos.all(owner, PageRequest::after(size(3), photos[4].id)).await.succeeds("reading a page");
    assert_eq!(page.items, photos[5..8], "the list goes on after an id");
}

/// After many changes there is no difference to find.
pub async fn an_audit_of_a_healthy_store_finds_nothing(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let found = store.photos.audit(owner, false).await.succeeds("an audit of nothing");
    assert!(found.is_empty(), "an audit of nothing finds {found:?}");
    lived_in(store, &things, owner).await;
    let found = store.photos.audit(owner, false).await.succeeds("an audit");
    assert!(found.is_empty(), "an audit of a healthy store finds {found:?}");
}

/// A repair mends what is broken and leaves the rest.
pub async fn a_repair_of_a_healthy_store_changes_nothing(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    lived_in(store, &things, owner).await;
    lived_in(store, &things, other).await;
    let before = walk(PageSize::MAX, async |page| store.photos.all(owner, page).await).await;
    let found = store.photos.audit(owner, true).await.succeeds("a repair");
    assert!(found.is_empty(), "a repair of a healthy store finds {found:?}");
    let after = walk(PageSize::MAX, async |page| store.photos.all(owner, page).await).await;
    assert_eq!(after, before, "a repair of a healthy store changes no photo");
    assert_derived(store, owner, "after a repair").await;
    assert_derived(store, other, "after a repair of another's").await;
}

/// A gallery that has been used for a while.
async fn lived_in(store: &Repositories, things: &Things, owner: UserId) {
    let album = things.album(owner, "Holidays");
    keep_album(store, &album).await;
    for (n, (text, word)) in SCRIPTS.into_iter().enumerate() {
        let photo = things.photo(owner).title(text).tags(&[word, "all"]).build();
        keep(store, &photo).await;
        append(store, &album, &[&photo]).await;
        match n % 5 {
            0 => drop(change(store, owner, photo.id, trash(things.at(1))).await),
            1 => drop(change(store, owner, photo.id, |photo| photo.details.favourite = true).await),
            2 => drop(change(store, owner, photo.id, |photo| photo.details.tags = Default::default()).await),
            3 => store.photos.remove(owner, photo.id).await.succeeds("removing a photo"),
            _ => {}
        }
    }
}

/// Knowing an id or a content helps nobody to another's photo.
pub async fn no_photo_is_found_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    let photo = things.photo(owner).build();
    keep_all(store, &[photo.clone(), things.photo(other).build()]).await;
    let found = store.photos.find(other, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, None, "another's photo is not found by id");
    let found = store.photos.find_many(other, &[photo.id]).await.succeeds("finding photos");
    assert_eq!(found, [], "another's photo is not found among many");
    let found = store.photos.find_by_content(other, &[photo.original.sha256]).await.succeeds("finding by content");
    assert_eq!(found, [], "another's photo is not found by content");
}

/// Each owner's lists are as if there were nobody else.
pub async fn no_list_holds_photos_of_another_owner(store: &Repositories) {
    let things = Things::new();
    let owners = [things.owner(), things.owner()];
    for _ in 0..3 {
        for owner in owners {
            let taken = || things.photo(owner).taken("2024-06-01T00:00:00").title("word").tags(&["tag"]);
            let photos = [
                taken().favourite().build(),
                taken().trashed(things.at(1)).build(),
                taken().uploading().created(things.at(0)).build(),
            ];
            keep_all(store, &photos).await;
        }
    }
    for owner in owners {
        let lists = [
            walk(size(1), async |page| store.photos.timeline(owner, page).await).await,
            walk(size(1), async |page| store.photos.favourites(owner, page).await).await,
            walk(size(1), async |page| store.photos.trash(owner, page).await).await,
            walk(size(1), async |page| store.photos.unfinished(owner, page).await).await,
        ];
        for list in lists {
            assert_eq!(list.len(), 3, "each list holds the owner's three photos");
            assert!(list.iter().all(|photo| photo.owner == owner), "each list holds photos of the owner only");
        }
        let all = walk(size(2), async |page| store.photos.all(owner, page).await).await;
        assert!(all.len() == 9 && all.iter().all(|photo| photo.owner == owner), "all photos are the owner's");
    }
}

/// Each owner's counts are as if there were nobody else.
pub async fn no_count_holds_photos_of_another_owner(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    lived_in(store, &things, owner).await;
    let usage = store.users.usage(other).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "another's photos do not count");
    let months = store.photos.months(other).await.succeeds("reading the months");
    assert!(months.is_empty(), "another's months are not there");
    let tags = store.photos.tags(other, "", 100).await.succeeds("reading the tags");
    assert!(tags.is_empty(), "another's tags are not there");
    lived_in(store, &things, other).await;
    assert_derived(store, owner, "beside another owner").await;
    assert_derived(store, other, "beside another owner").await;
}

/// Knowing an id and a revision helps nobody to change another's photo.
pub async fn no_photo_is_changed_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    let photo = things.photo(owner).build();
    keep(store, &photo).await;
    let stolen = Photo { owner: other, revision: photo.revision.next(), ..photo.clone() };
    let result = store.photos.replace(&stolen, photo.revision, None).await;
    assert_refused!(result, RepositoryError::Stale, "another's photo is not there to be changed");
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found, Some(photo), "the photo is as it was");
    store.photos.audit(other, true).await.succeeds("a repair of another's");
    assert_derived(store, owner, "after another tried to change a photo").await;
}

/// Knowing an id helps nobody to remove another's photo.
pub async fn no_photo_is_removed_by_another_owner(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    let photo = things.photo(owner).tags(&["tag"]).build();
    let album = things.album(owner, "mine");
    keep(store, &photo).await;
    keep_album(store, &album).await;
    append(store, &album, &[&photo]).await;
    let due = store.work.next_due().await.succeeds("asking for the next work");
    store.photos.remove(other, photo.id).await.succeeds("removing another's photo, which to this owner is absent");
    let found = store.photos.find(owner, photo.id).await.succeeds("finding a photo");
    assert_eq!(found.as_ref(), Some(&photo), "the photo is still there");
    let member = store.albums.member(owner, album.id, photo.id).await.succeeds("finding a place");
    assert!(member.is_some(), "the photo still stands in its album");
    let still_due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(still_due, due, "the work on the photo is still there");
    assert_derived(store, owner, "after another tried to remove a photo").await;
}

/// What one owner has takes no room from another.
pub async fn quotas_are_kept_owner_by_owner(store: &Repositories) {
    let things = Things::new();
    let quota = Quota { bytes: 100, photos: 1, pending_uploads: 1 };
    for owner in [things.owner(), things.owner()] {
        let photo = things.photo(owner).bytes(100).uploading().build();
        insert_within(store, &photo, &quota).await.succeeds("inserting the owner's one photo");
    }
}

async fn timeline(store: &Repositories, owner: UserId) -> Vec<PhotoId> {
    let listed = walk(size(2), async |page| store.photos.timeline(owner, page).await).await;
    listed.iter().map(|photo| photo.id).collect()
}

fn ids(photos: &[&Photo]) -> Vec<PhotoId> {
    photos.iter().map(|photo| photo.id).collect()
}
