//! Who has to wait because of whom.

use axum::http::StatusCode;
use gallery_domain::ports::Repositories;
use gallery_lambda::HttpSettings;
use serde_json::json;

use crate::harness::{Call, Harness, PASSWORD};

/// An attempt that is never right and costs little.
fn attempt(peer: &str) -> Call {
    Call::post("/confirmemail").json(json!({"email": "nobody@example.org", "code": "00000000"})).peer(peer)
}

/// Attempts until one has to wait; how many did not.
async fn exhaust(harness: &Harness, call: impl Fn(usize) -> Call) -> usize {
    for allowed in 0..1_000 {
        let answer = harness.send(call(allowed)).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            answer.problem(429, "throttled");
            return allowed;
        }
        answer.problem(400, "wrong-code");
    }
    panic!("nobody ever has to wait");
}

#[tokio::test]
async fn a_network_shares_its_attempts_and_others_are_free() {
    for (first, neighbour, other) in
        [("192.0.2.1", "192.0.2.77", "192.0.3.1"), ("2001:db8:1:200::1", "2001:db8:1:2ff:3::9", "2001:db8:1:300::1")]
    {
        let harness = Harness::new();
        assert_eq!(exhaust(&harness, |_| attempt(first)).await, 60);
        harness.send(attempt(neighbour)).await.problem(429, "throttled");
        harness.send(attempt(other)).await.problem(400, "wrong-code");
    }
}

#[tokio::test]
async fn an_address_that_a_client_claims_counts_for_nothing() {
    let harness = Harness::new();
    let claim = |number: usize| attempt("192.0.2.1").header("x-forwarded-for", &format!("203.0.{number}.9"));
    assert_eq!(exhaust(&harness, claim).await, 60);
    harness.send(attempt("198.51.100.1").header("x-forwarded-for", "192.0.2.1")).await.problem(400, "wrong-code");
}

#[tokio::test]
async fn behind_a_proxy_the_address_counts_that_the_proxy_has_seen() {
    let harness = Harness::with(HttpSettings { trust_forwarded_for: true, ..HttpSettings::default() });
    let through =
        |claimed: &str, seen: &str| attempt("10.0.0.1").header("x-forwarded-for", &format!("{claimed}, {seen}"));
    assert_eq!(exhaust(&harness, |number| through(&format!("203.0.{number}.9"), "192.0.2.1")).await, 60);
    harness.send(through("203.0.113.9", "192.0.2.77")).await.problem(429, "throttled");
    harness.send(through("192.0.2.1", "198.51.100.1")).await.problem(400, "wrong-code");
}

/// Two processes over one store share the limits of networks and of accounts.
async fn share_limits(one: Repositories, other: Repositories) {
    let [one, other] = [one, other].map(|store| Harness::over(store, "", HttpSettings::default()));
    let ada = one.user("ada").await;
    let guess =
        || Call::post("/login").json(json!({"email": ada.email, "password": "not the password"})).peer("192.0.2.1");
    for harness in [&one, &other, &one, &other, &one] {
        harness.send(guess()).await.problem(401, "wrong-credentials");
    }
    for harness in [&other, &one] {
        harness.send(guess()).await.problem(429, "throttled");
    }
    for harness in [&one, &other] {
        harness.advance(1);
    }
    one.send(Call::post("/login").json(json!({"email": ada.email, "password": PASSWORD}))).await.ok();

    for number in 0..60 {
        let harness = if number % 2 == 0 { &one } else { &other };
        harness.send(attempt("198.51.100.1")).await.problem(400, "wrong-code");
    }
    for harness in [&one, &other] {
        harness.send(attempt("198.51.100.1")).await.problem(429, "throttled");
    }
}

#[tokio::test]
async fn processes_over_one_store_share_their_limits() {
    let store = gallery_domain::memory::MemoryStore::new();
    share_limits(store.repositories(), store.repositories()).await;
}

#[cfg(feature = "cli")]
#[tokio::test]
async fn processes_over_one_file_share_their_limits() {
    use gallery_adapters::sqlite::{SqliteOptions, SqliteStore};

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gallery.db");
    let one = SqliteStore::connect(&file, SqliteOptions::default()).await.unwrap();
    one.migrate().await.unwrap();
    let other = SqliteStore::connect(&file, SqliteOptions::default()).await.unwrap();
    share_limits(one.repositories(), other.repositories()).await;
    one.close().await;
    other.close().await;
}
