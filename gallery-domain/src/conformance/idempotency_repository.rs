//! What an [`IdempotencyRepository`](crate::ports::IdempotencyRepository) owes.

use futures_util::future::join_all;

use super::expectations::Succeeds;
use super::fixtures::{HOSTILE, RACERS, Things};
use crate::ports::{IdempotencyClaim, Repositories};
use crate::{Sha256Digest, Timestamp, UserId};

/// Runs each clause on repeated requests as a test: takes an expression for a fresh `Repositories` or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! idempotency_repository_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            idempotency_repository,
            $crate::ports::Repositories,
            $fixture,
            [
                the_first_claim_keeps_its_own,
                later_claims_are_told_the_first,
                of_concurrent_claims_one_is_the_first,
                a_claim_that_expired_is_as_good_as_none,
                of_concurrent_claims_of_an_expired_key_one_is_the_first,
                keys_are_told_apart_whatever_they_hold,
                each_owner_has_keys_of_their_own,
                all_keys_of_an_owner_are_forgotten,
                expired_claims_are_forgotten_and_live_ones_are_not,
            ]
        );
    };
}

/// Every field of it.
pub async fn the_first_claim_keeps_its_own(store: &Repositories) {
    let things = Things::new();
    let claim = some_claim(&things);
    assert_eq!(self::claim(store, things.owner(), "key", &claim, things.at(0)).await, claim, "the first keeps its own");
}

/// The same request or another: who asks compares.
pub async fn later_claims_are_told_the_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = some_claim(&things);
    claim(store, owner, "key", &first, things.at(0)).await;
    for later in
        [first.clone(), some_claim(&things), IdempotencyClaim { request: Sha256Digest::of(b"x"), ..first.clone() }]
    {
        assert_eq!(claim(store, owner, "key", &later, things.at(1)).await, first, "a later claim is told the first");
    }
}

/// Two requests with one key at the same time create one thing.
pub async fn of_concurrent_claims_one_is_the_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let claims: Vec<IdempotencyClaim> = (0..RACERS).map(|_| some_claim(&things)).collect();
    let told = join_all(claims.iter().map(|mine| claim(store, owner, "key", mine, things.at(0)))).await;
    assert_told_one(&told, &claims);
}

/// A key may be used anew.
pub async fn a_claim_that_expired_is_as_good_as_none(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let first = IdempotencyClaim { expires_at: things.at(100), ..some_claim(&things) };
    let second = IdempotencyClaim { expires_at: things.at(500), ..some_claim(&things) };
    claim(store, owner, "key", &first, things.at(0)).await;
    assert_eq!(claim(store, owner, "key", &second, things.at(99)).await, first, "a claim holds until it expires");
    assert_eq!(
        claim(store, owner, "key", &second, things.at(100)).await,
        second,
        "an expired claim is as good as none"
    );
    assert_eq!(claim(store, owner, "key", &first, things.at(499)).await, second, "the claim after it holds");
}

/// Nor do two get in where one went out.
pub async fn of_concurrent_claims_of_an_expired_key_one_is_the_first(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let expired = IdempotencyClaim { expires_at: things.at(10), ..some_claim(&things) };
    claim(store, owner, "key", &expired, things.at(0)).await;
    let claims: Vec<IdempotencyClaim> = (0..RACERS).map(|_| some_claim(&things)).collect();
    let told = join_all(claims.iter().map(|mine| claim(store, owner, "key", mine, things.at(20)))).await;
    assert_told_one(&told, &claims);
}

/// A key is the client's, and any text.
pub async fn keys_are_told_apart_whatever_they_hold(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let keys: Vec<&str> = HOSTILE.into_iter().chain(["key", "KEY", "key ", "kéy", "ke\u{301}y", "k%", "k_y"]).collect();
    let mut claims = Vec::new();
    for key in &keys {
        let mine = some_claim(&things);
        assert_eq!(claim(store, owner, key, &mine, things.at(0)).await, mine, "{key:?} is a key of its own");
        claims.push(mine);
    }
    for (key, first) in keys.iter().zip(&claims) {
        assert_eq!(claim(store, owner, key, &some_claim(&things), things.at(0)).await, *first, "{key:?} is kept");
    }
}

/// Guessing another's key says nothing.
pub async fn each_owner_has_keys_of_their_own(store: &Repositories) {
    let things = Things::new();
    for owner in [things.owner(), things.owner()] {
        let mine = some_claim(&things);
        assert_eq!(claim(store, owner, "key", &mine, things.at(0)).await, mine, "another's key is not in the way");
    }
}

/// And nobody else's.
pub async fn all_keys_of_an_owner_are_forgotten(store: &Repositories) {
    let things = Things::new();
    let (owner, other) = (things.owner(), things.owner());
    store.idempotency.remove_all(owner).await.succeeds("forgetting no keys");
    let kept = some_claim(&things);
    claim(store, other, "key 1", &kept, things.at(0)).await;
    for n in 0..40 {
        claim(store, owner, &format!("key {n}"), &some_claim(&things), things.at(0)).await;
    }
    store.idempotency.remove_all(owner).await.succeeds("forgetting all keys");
    for n in 0..40 {
        let mine = some_claim(&things);
        assert_eq!(claim(store, owner, &format!("key {n}"), &mine, things.at(0)).await, mine, "key {n} is forgotten");
    }
    assert_eq!(claim(store, other, "key 1", &some_claim(&things), things.at(0)).await, kept, "another's key is not");
}

/// Up to as many as asked for.
pub async fn expired_claims_are_forgotten_and_live_ones_are_not(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    for n in 0..6 {
        let mine = IdempotencyClaim { expires_at: things.at(100), ..some_claim(&things) };
        claim(store, owner, &format!("short {n}"), &mine, things.at(0)).await;
    }
    let live = IdempotencyClaim { expires_at: things.at(1_000), ..some_claim(&things) };
    claim(store, owner, "long", &live, things.at(0)).await;
    for (now, limit, expected) in [(50, 100, 0), (200, 0, 0), (200, 4, 4), (200, 100, 2), (200, 100, 0)] {
        let forgotten = store.idempotency.remove_expired(things.at(now), limit).await.succeeds("forgetting claims");
        assert_eq!(forgotten, expected, "up to {limit} claims that expired are forgotten");
    }
    assert_eq!(claim(store, owner, "long", &some_claim(&things), things.at(200)).await, live, "a live claim is not");
}

fn some_claim(things: &Things) -> IdempotencyClaim {
    let id = things.uuid();
    IdempotencyClaim { request: Sha256Digest::of(id.as_bytes()), id, expires_at: things.at(86_400) }
}

async fn claim(
    store: &Repositories,
    owner: UserId,
    key: &str,
    claim: &IdempotencyClaim,
    now: Timestamp,
) -> IdempotencyClaim {
    store.idempotency.claim(owner, key, claim, now).await.succeeds("claiming a key")
}

/// Panics unless all were told the same of the claims.
fn assert_told_one(told: &[IdempotencyClaim], claims: &[IdempotencyClaim]) {
    assert!(claims.contains(&told[0]), "a claim is told one of the claims, but it is told {:?}", told[0]);
    assert!(told.iter().all(|other| *other == told[0]), "all claims at once are told one and the same, but {told:?}");
}
