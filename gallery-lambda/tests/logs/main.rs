//! What is in the log of the whole process, and above all what is not: a program of its own, so that what requests leave behind is heard too.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

#[cfg(feature = "dynamodb")]
#[path = "../../../gallery-adapters/tests/dynamodb_server/mod.rs"]
mod dynamodb_server;
#[allow(dead_code, reason = "these tests ask for less than those of the API")]
#[path = "../http/harness.rs"]
mod harness;
#[cfg(feature = "postgres")]
#[path = "../../../gallery-adapters/tests/postgres_server/mod.rs"]
mod postgres_server;
#[path = "../http/store.rs"]
mod store;

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{LazyLock, Mutex};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Call, Harness, PASSWORD, announcement, jpeg};

static CAPTURED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Captured;

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        CAPTURED.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that the process logs, at the most talkative level, while something is done: one test after the other.
async fn logged(work: impl Future<Output = ()>) -> String {
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    static LISTENER: LazyLock<()> = LazyLock::new(|| {
        tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(|| Captured).init();
    });
    let _turn = TURN.lock().await;
    LazyLock::force(&LISTENER);
    CAPTURED.lock().unwrap().clear();
    work.await;
    String::from_utf8(CAPTURED.lock().unwrap().clone()).unwrap()
}

fn access_lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["target"] == "gallery::access").collect()
}

#[tokio::test]
async fn each_request_is_one_line_with_its_route_and_not_what_stood_in_it() {
    let log = logged(async {
        let harness = Harness::new();
        let ada = harness.user("ada").await;
        let answer = ada.get("/photos/0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55?x=1").await;
        answer.problem(404, "not-found");
        ada.get("/no/such/place").await.problem(404, "not-found");
    })
    .await;
    let lines = access_lines(&log);
    let routes: Vec<_> = lines.iter().map(|line| line["fields"]["route"].as_str().unwrap()).collect();
    assert_eq!(routes, ["/login", "/photos/{id}", "unmatched"]);
    let fields = &lines[1]["fields"];
    assert_eq!((&fields["method"], &fields["status"]), (&json!("GET"), &json!(404)));
    assert!(fields["latency_ms"].is_u64());
    assert_eq!(fields["request_id"].as_str().unwrap().len(), 16);
    assert_eq!(fields["user"].as_str().unwrap().len(), 16);
    assert!(lines[0]["fields"].get("user").is_none());
}

#[tokio::test]
async fn what_a_request_leaves_behind_is_logged_without_saying_whose_it_is() {
    let mut whose = String::new();
    let log = logged(async {
        let harness = Harness::new();
        let ada = harness.user("ada").await;
        whose = ada.get("/account").await.ok()["id"].as_str().unwrap().to_owned();
        harness.plan.break_down("process");
        let bytes = jpeg("sea");
        let announce = Call::post("/photos").json(announcement(&bytes, json!({})));
        let added = ada.send(announce).await.with(StatusCode::CREATED);
        let pokes = harness.pokes.load(Ordering::SeqCst);
        harness.send(Call::ticket(&added["upload"], &bytes)).await.with_status(StatusCode::NO_CONTENT);
        harness.poked(pokes).await;
        harness.advance(301);
        assert_eq!(harness.gallery.worker.run_due(10).await.unwrap().failed, 1);
    })
    .await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |message: &str| lines.iter().find(|line| line["fields"]["message"] == message);
    assert!(line("an upload will be looked into later").is_some(), "{log}");
    let failed = line("work failed and will be tried again").unwrap_or_else(|| panic!("{log}"));
    let hashed = access_lines(&log)[1]["fields"]["user"].as_str().unwrap().to_owned();
    assert!(failed["fields"]["task"].as_str().unwrap().starts_with(&format!("photo/{hashed}/")), "{failed}");
    assert!(!log.contains(&whose), "{log}");
}

#[tokio::test]
async fn no_address_token_query_file_name_or_text_is_ever_logged() {
    let canaries =
        ["canary-mail", "canary-name", "canary-file", "canary-title", "canary-query", "canary-tag", "canary-agent"];
    let (mut token, mut whose) = (String::new(), String::new());
    let log = logged(async {
        let harness = Harness::new();
        let sign_up = json!({"email": "canary-mail-2@example.org", "password": PASSWORD, "name": "canary-name"});
        harness.send(Call::post("/signup").json(sign_up)).await;
        harness.send(Call::post("/forgotpassword").json(json!({"email": "canary-mail@example.org"}))).await;
        let user = harness.user("canary-mail").await;
        token = user.token.clone();
        whose = user.get("/account").await.ok()["id"].as_str().unwrap().to_owned();
        let photo = user
            .upload(
                &jpeg("sea"),
                json!({"fileName": "canary-file.jpg", "title": "canary-title", "tags": ["canary-tag"]}),
            )
            .await;
        harness.send(Call::get(photo["urls"]["original"].as_str().unwrap())).await;
        user.get("/search?q=canary-query").await.ok();
        user.get("/tags?prefix=canary-tag").await.ok();
        user.get("/photos?after=canary-query").await;
        user.get("/canary-query?canary-query=canary-query").await;
        user.send(Call::get("/photos").header("user-agent", "canary-agent").header("x-request-id", "canary-agent"))
            .await;
        user.send(
            Call::post("/photos")
                .json(announcement(b"canary", json!({"fileName": "canary-file/x", "canary-title": 1}))),
        )
        .await;
        harness
            .send(
                Call::post("/login")
                    .json(json!({"email": "canary-mail@example.org", "password": "canary-name canary-name"})),
            )
            .await;
        harness.send(Call::get("/account").header("cookie", &format!("session={token}"))).await.ok();
        let text = b"This is a text file, whatever its name says; it is long enough.";
        user.upload(text, json!({"fileName": "canary-file-2.jpg"})).await;
        harness.identity.settle().await;
        user.send(Call::delete("/account").json(json!({"password": PASSWORD}))).await;
    })
    .await;
    assert!(access_lines(&log).len() >= 15, "{log}");
    for canary in canaries.into_iter().chain([&*token, &*whose, PASSWORD, "example.org", "ticket="]) {
        assert!(!log.contains(canary), "{canary}: {log}");
    }
}
