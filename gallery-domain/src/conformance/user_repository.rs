//! What a [`UserRepository`](crate::ports::UserRepository) owes.

use futures_util::future::join_all;

use super::expectations::{Succeeds, page_sizes, size, walk, winners};
use super::fixtures::{RACERS, Things, keep};
use crate::ports::{Repositories, RepositoryError};
use crate::{EmailAddress, PageRequest, PersonName, Quota, Revision, Task, Usage, User, UserStatus, Work};

/// Runs each clause on users as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! user_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            user_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                a_user_is_found_as_inserted,
                an_absent_user_is_not_found,
                a_user_is_found_by_address,
                addresses_in_many_scripts_are_kept,
                a_taken_user_id_is_refused,
                a_taken_address_is_refused,
                of_concurrent_inserts_of_an_address_one_wins,
                a_user_is_found_as_replaced,
                a_replace_of_a_stale_user_is_refused,
                a_replace_of_an_absent_user_is_stale,
                of_concurrent_replaces_of_a_user_one_wins,
                a_changed_address_that_is_taken_is_refused,
                of_concurrent_changes_to_an_address_one_wins,
                a_changed_address_frees_the_old_one,
                a_replace_of_a_user_schedules_its_work,
                a_refused_replace_of_a_user_changes_nothing,
                removing_an_absent_user_succeeds,
                a_removed_user_is_gone,
                removing_a_user_cancels_the_work_on_the_account,
                removing_a_user_schedules_other_work_with_it,
                whoever_has_nothing_uses_nothing,
                all_users_come_by_id,
            ]
        );
    };
}

/// Every field of a user, in every status, comes back as it went in.
pub async fn a_user_is_found_as_inserted(store: &Repositories) {
    let things = Things::new();
    for status in [UserStatus::Unconfirmed, UserStatus::Active, UserStatus::Closing] {
        for quota in [Quota::default(), Quota { bytes: 0, photos: u64::MAX, pending_uploads: 1 }] {
            let name = PersonName::parse("王 O’Brien 👩‍🚀").expect("a name");
            let user = User { status, quota, name, ..things.user() };
            store.users.insert(&user).await.succeeds("inserting a user");
            let found = store.users.find(user.id).await.succeeds("finding a user");
            assert_eq!(found, Some(user), "a user comes back as inserted");
        }
    }
}

/// A look-up of who is absent answers `None`.
pub async fn an_absent_user_is_not_found(store: &Repositories) {
    let things = Things::new();
    let nobody = things.user();
    store.users.insert(&things.user()).await.succeeds("inserting a user");
    let found = store.users.find(nobody.id).await.succeeds("finding a user");
    assert_eq!(found, None, "there is no such user");
    let found = store.users.find_by_email(&nobody.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "nobody has this address");
}

/// The address as it is normalised, whole.
pub async fn a_user_is_found_by_address(store: &Repositories) {
    let things = Things::new();
    let ada = User { email: address("ada@example.org"), ..things.user() };
    let dotted = User { email: address("a.da@example.org"), ..things.user() };
    for user in [&ada, &dotted] {
        store.users.insert(user).await.succeeds("inserting a user");
        let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
        assert_eq!(found.as_ref(), Some(user), "a user is found by address");
    }
    for other in ["ada@example.com", "ad_@example.org", "%@example.org", "da@example.org"] {
        let found = store.users.find_by_email(&address(other)).await.succeeds("finding a user by address");
        assert_eq!(found, None, "nobody has the address {other}");
    }
}

/// People's addresses are in their own scripts, and may hold quotes.
pub async fn addresses_in_many_scripts_are_kept(store: &Repositories) {
    let things = Things::new();
    for text in [
        "jose\u{301}@example.org",
        "用户@例え.jp",
        "अजय@उदाहरण.भारत",
        "пользователь@пример.рф",
        "o'brien+x@example.org",
    ] {
        let user = User { email: address(text), ..things.user() };
        store.users.insert(&user).await.succeeds("inserting a user");
        let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
        assert_eq!(found, Some(user), "{text} is kept");
    }
}

/// An id is given once.
pub async fn a_taken_user_id_is_refused(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let second = User { id: user.id, ..things.user() };
    assert_refused!(store.users.insert(&second).await, RepositoryError::AlreadyExists, "a taken id is refused");
    let found = store.users.find_by_email(&second.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "a refused user leaves no address");
    let found = store.users.find(user.id).await.succeeds("finding a user");
    assert_eq!(found, Some(user), "the first user of an id stays");
}

/// An address is one person's, whatever their status.
pub async fn a_taken_address_is_refused(store: &Repositories) {
    let things = Things::new();
    for status in [UserStatus::Unconfirmed, UserStatus::Active, UserStatus::Closing] {
        let user = User { status, ..things.user() };
        store.users.insert(&user).await.succeeds("inserting a user");
        let second = User { email: user.email.clone(), ..things.user() };
        assert_refused!(
            store.users.insert(&second).await,
            RepositoryError::AlreadyExists,
            "a taken address is refused"
        );
        let found = store.users.find(second.id).await.succeeds("finding a user");
        assert_eq!(found, None, "a refused user is not kept");
        let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
        assert_eq!(found, Some(user), "the address stays the first user's");
    }
}

/// Two sign-ups at the same time cannot both get an address.
pub async fn of_concurrent_inserts_of_an_address_one_wins(store: &Repositories) {
    let things = Things::new();
    let users: Vec<User> = (0..RACERS).map(|_| User { email: address("ada@example.org"), ..things.user() }).collect();
    let results = join_all(users.iter().map(|user| store.users.insert(user))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} users gets the address");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let found = store.users.find_by_email(&users[0].email).await.succeeds("finding a user by address");
    assert_eq!(found.as_ref(), Some(&users[winner]), "the user whose insert succeeded has the address");
    let all = walk(size(100), async |page| store.users.all(page).await).await;
    assert_eq!(all.len(), 1, "the users whose insert was refused are not there");
}

/// Whatever may change of a user comes back as it was written last.
pub async fn a_user_is_found_as_replaced(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let changed = User {
        email: address("new@example.org"),
        name: PersonName::parse("New").expect("a name"),
        status: UserStatus::Closing,
        quota: Quota { bytes: 1, photos: 2, pending_uploads: 3 },
        revision: user.revision.next(),
        ..user.clone()
    };
    store.users.replace(&changed, user.revision, None).await.succeeds("replacing a user");
    let found = store.users.find(user.id).await.succeeds("finding a user");
    assert_eq!(found, Some(changed), "a user comes back as replaced");
}

/// Whoever read an older revision has to read again.
pub async fn a_replace_of_a_stale_user_is_refused(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    for read_at in [0, 2, 1 << 40].map(Revision::new) {
        let changed = User { revision: read_at.next(), ..user.clone() };
        let result = store.users.replace(&changed, read_at, None).await;
        assert_refused!(result, RepositoryError::Stale, "revision {} is not the one there", read_at.get());
    }
}

/// Who is gone cannot be changed back to life.
pub async fn a_replace_of_an_absent_user_is_stale(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    let changed = User { revision: user.revision.next(), ..user.clone() };
    let result = store.users.replace(&changed, user.revision, None).await;
    assert_refused!(result, RepositoryError::Stale, "an absent user is stale");
    let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "a stale replace takes no address");
}

/// Cancelling and renaming at the same time cannot both win.
pub async fn of_concurrent_replaces_of_a_user_one_wins(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let changed: Vec<User> = (0..RACERS)
        .map(|n| User {
            name: PersonName::parse(&format!("Name {n}")).expect("a name"),
            revision: user.revision.next(),
            ..user.clone()
        })
        .collect();
    let results = join_all(changed.iter().map(|changed| store.users.replace(changed, user.revision, None))).await;
    let won = winners(&results, |error| matches!(error, RepositoryError::Stale));
    assert_eq!(won, 1, "one of {RACERS} changes of one revision succeeds");
    let winner = results.iter().position(Result::is_ok).expect("one succeeded");
    let found = store.users.find(user.id).await.succeeds("finding a user");
    assert_eq!(found.as_ref(), Some(&changed[winner]), "the change that succeeded is there");
}

/// Nobody moves into another's address.
pub async fn a_changed_address_that_is_taken_is_refused(store: &Repositories) {
    let things = Things::new();
    let (ada, bob) = (things.user(), things.user());
    for user in [&ada, &bob] {
        store.users.insert(user).await.succeeds("inserting a user");
    }
    let changed = User { email: ada.email.clone(), revision: bob.revision.next(), ..bob.clone() };
    let result = store.users.replace(&changed, bob.revision, None).await;
    assert_refused!(result, RepositoryError::AlreadyExists, "a taken address is refused");
    for user in [ada, bob] {
        let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
        assert_eq!(found, Some(user), "everybody keeps their address");
    }
}

/// Two who change to the same free address cannot both get it.
pub async fn of_concurrent_changes_to_an_address_one_wins(store: &Repositories) {
    let things = Things::new();
    let users: Vec<User> = (0..RACERS).map(|_| things.user()).collect();
    for user in &users {
        store.users.insert(user).await.succeeds("inserting a user");
    }
    let results = join_all(users.iter().map(async |user| {
        let changed = User { email: address("free@example.org"), revision: user.revision.next(), ..user.clone() };
        store.users.replace(&changed, user.revision, None).await
    }))
    .await;
    let won = winners(&results, |error| matches!(error, RepositoryError::AlreadyExists));
    assert_eq!(won, 1, "one of {RACERS} users gets the address");
}

/// An address that was given up is anybody's.
pub async fn a_changed_address_frees_the_old_one(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let changed = User { email: address("new@example.org"), revision: user.revision.next(), ..user.clone() };
    store.users.replace(&changed, user.revision, None).await.succeeds("replacing a user");
    let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "the old address is nobody's");
    let other = User { email: user.email, ..things.user() };
    store.users.insert(&other).await.succeeds("inserting a user with the old address");
}

/// The change and its work are one write.
pub async fn a_replace_of_a_user_schedules_its_work(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let closing = User { status: UserStatus::Closing, revision: user.revision.next(), ..user.clone() };
    let work = Work::new(Task::Account { owner: user.id }, things.at(5));
    store.users.replace(&closing, user.revision, Some(work)).await.succeeds("replacing a user");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(5)), "the work of a replace is scheduled with it");
}

/// Refused is refused: no field, no address and no work changes.
pub async fn a_refused_replace_of_a_user_changes_nothing(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let changed = User { email: address("new@example.org"), revision: Revision::new(3), ..user.clone() };
    let work = Work::new(Task::Account { owner: user.id }, things.at(5));
    let result = store.users.replace(&changed, Revision::new(2), Some(work)).await;
    assert_refused!(result, RepositoryError::Stale, "a stale replace is refused");
    let found = store.users.find_by_email(&changed.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "a refused replace takes no address");
    let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
    assert_eq!(found, Some(user), "a refused replace leaves the user");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, None, "a refused replace schedules nothing");
}

/// A delete can be sent twice.
pub async fn removing_an_absent_user_succeeds(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.remove(user.id, None).await.succeeds("removing a user who never was");
    store.users.insert(&user).await.succeeds("inserting a user");
    for _ in 0..2 {
        store.users.remove(user.id, None).await.succeeds("removing a user");
    }
}

/// And the address is anybody's again.
pub async fn a_removed_user_is_gone(store: &Repositories) {
    let things = Things::new();
    let (user, stays) = (things.user(), things.user());
    for user in [&user, &stays] {
        store.users.insert(user).await.succeeds("inserting a user");
    }
    let photo = things.photo(user.id).build();
    keep(store, &photo).await;
    store.photos.remove(user.id, photo.id).await.succeeds("removing a photo");
    store.users.remove(user.id, None).await.succeeds("removing a user");
    let found = store.users.find(user.id).await.succeeds("finding a user");
    assert_eq!(found, None, "a removed user is gone");
    let found = store.users.find_by_email(&user.email).await.succeeds("finding a user by address");
    assert_eq!(found, None, "a removed user has no address");
    let usage = store.users.usage(user.id).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "a removed user uses nothing");
    let all = walk(size(1), async |page| store.users.all(page).await).await;
    assert_eq!(all, [stays], "other users stay");
    store
        .users
        .insert(&User { email: user.email, ..things.user() })
        .await
        .succeeds("inserting a user with that address");
}

/// Nobody is sent after an account that is gone; other work stays.
pub async fn removing_a_user_cancels_the_work_on_the_account(store: &Repositories) {
    let things = Things::new();
    let (user, other) = (things.user(), things.user());
    for (user, due) in [(&user, 5), (&other, 9)] {
        store.users.insert(user).await.succeeds("inserting a user");
        let work = Work::new(Task::Account { owner: user.id }, things.at(due));
        store.work.schedule(&work).await.succeeds("scheduling work");
    }
    store.users.remove(user.id, None).await.succeeds("removing a user");
    let due = store.work.next_due().await.succeeds("asking for the next work");
    assert_eq!(due, Some(things.at(9)), "the work on a removed account is gone, other work is not");
}

/// Whoever removes an account can have it looked after once more, without a crash in between; also when it is sent twice.
pub async fn removing_a_user_schedules_other_work_with_it(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    store.users.insert(&user).await.succeeds("inserting a user");
    let task = Task::Account { owner: user.id };
    store.work.schedule(&Work::new(task, things.at(5))).await.succeeds("scheduling work");
    for _ in 0..2 {
        store.users.remove(user.id, Some(Work::new(task, things.at(9)))).await.succeeds("removing a user");
        let due = store.work.next_due().await.succeeds("asking for the next work");
        assert_eq!(due, Some(things.at(9)), "the work of a removal takes the place of what there was");
    }
}

/// Usage is all zero for whoever has no photos, account or not.
pub async fn whoever_has_nothing_uses_nothing(store: &Repositories) {
    let things = Things::new();
    let user = things.user();
    let usage = store.users.usage(user.id).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "nobody uses nothing");
    store.users.insert(&user).await.succeeds("inserting a user");
    let usage = store.users.usage(user.id).await.succeeds("reading the usage");
    assert_eq!(usage, Usage::default(), "who has nothing uses nothing");
    let photo = things.photo(user.id).bytes(u64::from(u32::MAX) * 8).uploading().build();
    keep(store, &photo).await;
    let usage = store.users.usage(user.id).await.succeeds("reading the usage");
    let expected = Usage { bytes: photo.original.bytes, photos: 1, pending_uploads: 1 };
    assert_eq!(usage, expected, "one upload is one photo of its announced length");
}

/// Lowest id first, at every page size.
pub async fn all_users_come_by_id(store: &Repositories) {
    let things = Things::new();
    let users: Vec<User> = (0..30).map(|_| things.user()).collect();
    for user in users.iter().rev() {
        store.users.insert(user).await.succeeds("inserting a user");
    }
    for size in page_sizes() {
        let listed = walk(size, async |page| store.users.all(page).await).await;
        assert_eq!(listed, users, "pages of {} visit every user by id", size.get());
    }
    store.users.remove(users[4].id, None).await.succeeds("removing a user");
    let page = store.users.all(PageRequest::after(size(2), users[4].id)).await.succeeds("reading a page");
    assert_eq!(page.items, users[5..7], "the list goes on after a user who is gone");
}

fn address(text: &str) -> EmailAddress {
    text.parse().expect("an address")
}
