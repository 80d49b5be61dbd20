//! What a [`RateLimiter`](crate::ports::RateLimiter) owes.

use std::time::Duration;

use futures_util::future::join_all;

use super::expectations::Succeeds;
use super::fixtures::{RACERS, Things};
use crate::ports::Repositories;
use crate::{Decision, Throttle, ThrottleKey, ThrottleState, Timestamp};

/// Runs each clause on attempts as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! rate_limiter_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            rate_limiter,
            $crate::ports::Repositories,
            $fixture,
            [
                a_rate_decides_as_its_rule_says,
                a_backoff_decides_as_its_rule_says,
                concurrent_attempts_never_exceed_a_rate,
                concurrent_attempts_never_exceed_a_backoff,
                keys_are_counted_apart,
                a_reset_forgets_the_attempts_of_a_key,
                resetting_an_absent_key_succeeds,
                forgetting_changes_no_decision,
                no_more_keys_are_forgotten_than_asked_for,
            ]
        );
    };
}

const RATE: Throttle = Throttle::Rate { burst: 5, every: Duration::from_secs(60) };
const BACKOFF: Throttle = Throttle::Backoff { free: 3, first: Duration::from_secs(1), most: Duration::from_secs(900) };

/// The store keeps what the rule says to keep.
pub async fn a_rate_decides_as_its_rule_says(store: &Repositories) {
    decides_as_its_rule_says(store, RATE).await;
}

/// Delays that double, and are forgotten after a quiet time.
pub async fn a_backoff_decides_as_its_rule_says(store: &Repositories) {
    decides_as_its_rule_says(store, BACKOFF).await;
}

async fn decides_as_its_rule_says(store: &Repositories, throttle: Throttle) {
    let things = Things::new();
    let mut state = ThrottleState::default();
    for seconds in [0, 0, 0, 1, 1, 1, 2, 3, 5, 9, 60, 61, 120, 500, 501, 2_000, 2_001, 10_000, 10_000, 10_000, 10_000] {
        let now = things.at(seconds);
        let (next, expected) = throttle.decide(state, now);
        state = next;
        assert_eq!(attempt(store, &key("ada"), &throttle, now).await, expected, "an attempt after {seconds} seconds");
    }
}

/// However many ask at once, no more are allowed than the rule says.
pub async fn concurrent_attempts_never_exceed_a_rate(store: &Repositories) {
    let things = Things::new();
    let (one, other) = (key("ada"), key("bob"));
    for (start, expected) in [(0, 5), (0, 0), (60, 1), (6_000, 5)] {
        let now = things.at(start);
        let decisions = join_all((0..RACERS).map(|_| attempt(store, &one, &RATE, now))).await;
        assert_eq!(allowed(&decisions), expected, "of {RACERS} attempts at once after {start} seconds");
    }
    let decisions = join_all((0..RACERS).map(|_| attempt(store, &other, &RATE, things.at(0)))).await;
    assert_eq!(allowed(&decisions), 5, "another key has a rate of its own");
}

/// The free ones, and then none.
pub async fn concurrent_attempts_never_exceed_a_backoff(store: &Repositories) {
    let things = Things::new();
    let ada = key("ada");
    let decisions = join_all((0..RACERS).map(|_| attempt(store, &ada, &BACKOFF, things.at(0)))).await;
    assert_eq!(allowed(&decisions), 3, "of {RACERS} attempts at once, those without delay are allowed");
    let decisions = join_all((0..RACERS).map(|_| attempt(store, &ada, &BACKOFF, things.at(1)))).await;
    assert_eq!(allowed(&decisions), 1, "of {RACERS} attempts after the first delay, one is allowed");
}

/// By kind and by who.
pub async fn keys_are_counted_apart(store: &Repositories) {
    let things = Things::new();
    let keys = [
        ThrottleKey::origin("log-in", "ada"),
        ThrottleKey::origin("log-in", "Ada"),
        ThrottleKey::origin("sign-up", "ada"),
        ThrottleKey::account("log-in", &"ada@example.org".parse().expect("an address")),
    ];
    for key in &keys {
        for _ in 0..5 {
            let decision = attempt(store, key, &RATE, things.at(0)).await;
            assert_eq!(decision, Decision::Allowed, "{key:?} is counted apart");
        }
        let decision = attempt(store, key, &RATE, things.at(0)).await;
        assert!(matches!(decision, Decision::Denied { .. }), "{key:?} is counted");
    }
}

/// As after a success; other keys stay.
pub async fn a_reset_forgets_the_attempts_of_a_key(store: &Repositories) {
    let things = Things::new();
    for who in ["ada", "bob"] {
        for _ in 0..9 {
            attempt(store, &key(who), &BACKOFF, things.at(0)).await;
        }
    }
    store.rate_limiter.reset(&key("ada")).await.succeeds("resetting a key");
    let decision = attempt(store, &key("ada"), &BACKOFF, things.at(0)).await;
    assert_eq!(decision, Decision::Allowed, "a reset forgets the attempts");
    let decision = attempt(store, &key("bob"), &BACKOFF, things.at(0)).await;
    assert!(matches!(decision, Decision::Denied { .. }), "a reset forgets those of its key only");
}

/// A delete can be sent twice.
pub async fn resetting_an_absent_key_succeeds(store: &Repositories) {
    for _ in 0..2 {
        store.rate_limiter.reset(&key("nobody")).await.succeeds("resetting a key that never was");
    }
}

/// What is forgotten in time is not missed, and what is not, is kept.
pub async fn forgetting_changes_no_decision(store: &Repositories) {
    let things = Things::new();
    for throttle in [RATE, BACKOFF] {
        let key = ThrottleKey::origin("kind", &format!("{throttle:?}"));
        let mut state = ThrottleState::default();
        for seconds in [0, 0, 0, 0, 0, 0, 30, 61, 299, 400, 1_900, 5_000, 5_001, 5_002, 5_003, 9_000] {
            let now = things.at(seconds);
            store.rate_limiter.remove_expired(now, 100).await.succeeds("forgetting keys");
            let (next, expected) = throttle.decide(state, now);
            state = next;
            assert_eq!(attempt(store, &key, &throttle, now).await, expected, "an attempt after {seconds} seconds");
        }
    }
}

/// The limit is the caller's.
pub async fn no_more_keys_are_forgotten_than_asked_for(store: &Repositories) {
    let things = Things::new();
    for n in 0..10 {
        attempt(store, &key(&n.to_string()), &RATE, things.at(0)).await;
    }
    for (now, limit, expected) in [(30, 100, 0), (1_000, 0, 0), (1_000, 4, 4), (1_000, 100, 6), (1_000, 100, 0)] {
        let forgotten = store.rate_limiter.remove_expired(things.at(now), limit).await.succeeds("forgetting keys");
        assert_eq!(forgotten, expected, "up to {limit} keys are forgotten after {now} seconds");
    }
}

fn key(who: &str) -> ThrottleKey {
    ThrottleKey::origin("log-in", who)
}

async fn attempt(store: &Repositories, key: &ThrottleKey, throttle: &Throttle, now: Timestamp) -> Decision {
    store.rate_limiter.attempt(key, throttle, now).await.succeeds("asking for an attempt")
}

fn allowed(decisions: &[Decision]) -> usize {
    decisions.iter().filter(|decision| **decision == Decision::Allowed).count()
}
