//! What is in the log, and above all what is not.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};
use tracing::instrument::WithSubscriber;

use crate::harness::{Call, Harness, PASSWORD, announcement, jpeg};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that is logged, at the most talkative level, while something is done.
async fn logged(work: impl Future<Output = ()>) -> String {
    // Where a test without a subscriber comes first past a line that logs, the line is taken for one that nobody listens to.
    static LISTENER: LazyLock<()> = LazyLock::new(|| {
        tracing::subscriber::set_global_default(tracing_subscriber::registry()).expect("no other test sets one");
    });
    LazyLock::force(&LISTENER);
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    work.with_subscriber(subscriber).await;
    let bytes = captured.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
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
async fn no_address_token_query_file_name_or_text_is_ever_logged() {
    let canaries =
        ["canary-mail", "canary-name", "canary-file", "canary-title", "canary-query", "canary-tag", "canary-agent"];
    let mut token = String::new();
    let log = logged(async {
        let harness = Harness::new();
        let sign_up = json!({"email": "canary-mail-2@example.org", "password": PASSWORD, "name": "canary-name"});
        harness.send(Call::post("/signup").json(sign_up)).await;
        harness.send(Call::post("/forgotpassword").json(json!({"email": "canary-mail@example.org"}))).await;
        let user = harness.user("canary-mail").await;
        token = user.token.clone();
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
    for canary in canaries.into_iter().chain([&*token, PASSWORD, "example.org", "ticket="]) {
        assert!(!log.contains(canary), "{canary}: {log}");
    }
}
