//! The problems that nobody causes alone: what is there already, and what breaks beneath the API.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gallery_domain::memory::MemoryStore;
use gallery_domain::ports::{
    BackendFailure, BlobError, ByteStream, Download, GatewayError, Outage, Retry, SignedBlobGateway, SignedRequest,
};
use gallery_domain::{BlobKey, PageRequest, PageSize, Quota, Timestamp};
use gallery_lambda::{App, HttpSettings, router};
use serde_json::{Value, json};

use crate::harness::{Call, Harness, PASSWORD, announcement, jpeg};

/// Makes a failure.
type Make = fn() -> BackendFailure;

const CAUSE: &str = "/srv/gallery.db: a cause that is nobody's business";

fn passing() -> BackendFailure {
    BackendFailure::transient("plan", "write", CAUSE)
}

fn full() -> BackendFailure {
    BackendFailure { retry: Retry::After(Duration::from_millis(59_001)), ..passing() }.because_of(Outage::DiskFull)
}

fn read_only() -> BackendFailure {
    broken().because_of(Outage::ReadOnly)
}

fn broken() -> BackendFailure {
    BackendFailure::permanent("plan", "write", CAUSE)
}

#[tokio::test]
async fn what_is_wrong_with_a_backend_is_said_and_when_to_come_back() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let cases = [
        (passing as Make, 503, "unavailable", "1", "try again in a moment"),
        (full, 503, "unavailable", "60", "disk is full"),
        (read_only, 503, "unavailable", "60", "disk is read-only"),
        (broken, 500, "internal", "", "Trying again will not help"),
    ];
    for (failure, status, kind, retry_after, says) in cases {
        let calls = [
            ("timeline", Call::get("/photos")),
            ("insert", Call::post("/photos").json(announcement(&jpeg("sea"), json!({})))),
            ("insert", Call::post("/albums").json(json!({"title": "Norway"}))),
            ("log_in", Call::post("/login").json(json!({"email": ada.email, "password": PASSWORD}))),
            ("authenticate", Call::get("/account")),
            ("attempt", Call::get("/readyz")),
        ];
        for (method, call) in calls {
            harness.plan.break_down_with(method, failure);
            let answer = ada.send(call).await;
            harness.plan.mend();
            let problem = answer.problem(status, kind);
            assert!(problem["detail"].as_str().unwrap().contains(says), "{method}: {problem}");
            assert_eq!(answer.header(header::RETRY_AFTER), retry_after, "{method}");
            assert!(!problem.to_string().contains("plan") && !problem.to_string().contains("/srv"), "{problem}");
        }
    }
}

#[tokio::test]
async fn a_gallery_whose_blobs_take_no_changes_is_alive_and_not_ready() {
    let harness = Harness::new();
    let ready = || harness.send(Call::get("/readyz"));
    assert_eq!(ready().await.ok()["status"], "ok");
    harness.advance(10);
    harness.plan.break_down_with("try_writing", full);
    for _ in 0..2 {
        ready().await.problem(503, "unavailable");
        harness.send(Call::get("/healthz")).await.ok();
    }
    harness.plan.mend();
    ready().await.ok();
}

/// Blobs behind signed URLs, on a disk that is full.
#[derive(Debug)]
struct FullDisk;

#[async_trait]
impl SignedBlobGateway for FullDisk {
    async fn upload(&self, _: SignedRequest, _: ByteStream, _: Timestamp) -> Result<BlobKey, GatewayError> {
        Err(GatewayError::Blob(BlobError::Backend(full())))
    }

    async fn download(&self, _: SignedRequest, _: Option<Range<u64>>, _: Timestamp) -> Result<Download, GatewayError> {
        Err(GatewayError::NotFound)
    }
}

#[tokio::test]
async fn an_upload_to_a_disk_that_is_full_is_told_so() {
    let mut harness = Harness::new();
    let app = App {
        gallery: harness.gallery.clone(),
        gateway: Some(Arc::new(FullDisk)),
        settings: HttpSettings::default(),
        on_work: Arc::new(|| ()),
    };
    harness.router = router(app);
    let refused = harness.send(Call::put("/blobs/incoming/x").header("content-length", "1").bytes("x")).await;
    let detail = refused.problem(503, "unavailable")["detail"].clone();
    assert!(detail.as_str().unwrap().contains("disk is full"), "{detail}");
    assert_eq!(refused.header(header::RETRY_AFTER), "60");
}

#[tokio::test]
async fn a_full_account_takes_no_more() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let users = &harness.ports.repositories.users;
    let user = users.all(PageRequest::first(PageSize::MAX)).await.unwrap().items.remove(0);
    let mut full = user.clone();
    full.quota = Quota { photos: 1, ..user.quota };
    full.revision = user.revision.next();
    users.replace(&full, user.revision, None).await.unwrap();
    let first = ada.upload(&jpeg("one"), json!({})).await;
    let announce = || Call::post("/photos").json(announcement(&jpeg("two"), json!({})));
    ada.send(announce()).await.problem(413, "over-quota");
    let purge = |action: &str| Call::post("/photos/bulk").json(json!({"ids": [first["id"]], "action": action}));
    for action in ["trash", "purge"] {
        ada.send(purge(action)).await.ok();
    }
    ada.send(announce()).await.with_status(StatusCode::CREATED);
}

#[tokio::test]
async fn what_contradicts_what_is_there_says_what_that_is() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let first = ada.upload(&jpeg("sea"), json!({})).await["id"].clone();
    let bulk = async |action: &str| {
        let call = Call::post("/photos/bulk").json(json!({"ids": [first], "action": action}));
        ada.send(call).await.ok()["results"][0].clone()
    };
    let conflict = bulk("purge").await;
    assert_eq!((&conflict["status"], &conflict["problem"]["status"]), (&json!(409), &json!(409)));
    assert_eq!(conflict["problem"]["type"], "urn:gallery:problem:conflict");
    assert_eq!(bulk("trash").await["status"], 204);
    let second = ada.upload(&jpeg("sea"), json!({})).await["id"].clone();
    let duplicate = bulk("restore").await;
    assert_eq!((&duplicate["id"], &duplicate["status"]), (&first, &json!(409)));
    assert_eq!(duplicate["problem"]["type"], "urn:gallery:problem:duplicate");
    assert_eq!(duplicate["problem"]["duplicateOf"], second);
}

/// A body of which nothing comes after its beginning.
fn stalled(beginning: &[u8]) -> Body {
    let beginning = Bytes::copy_from_slice(beginning);
    Body::from_stream(stream::iter([Ok::<_, std::io::Error>(beginning)]).chain(stream::pending()))
}

#[tokio::test(start_paused = true)]
async fn who_sends_too_slowly_is_told_so_and_may_send_again() {
    // In memory whatever the tests run on: a clock that jumps ahead would end every wait for another process at once.
    let harness = Harness::over(MemoryStore::new().repositories(), "", HttpSettings::default());
    let ada = harness.user("ada").await;
    let json = Call::post("/albums").text("").bytes(stalled(b"{\"title\": "));
    ada.send(json).await.problem(408, "too-slow");
    assert_eq!(ada.get("/albums").await.ok()["items"], json!([]));

    let bytes = jpeg("sea");
    let added = ada.send(Call::post("/photos").json(announcement(&bytes, json!({})))).await.with(StatusCode::CREATED);
    let upload: &Value = &added["upload"];
    let slow = Call::ticket(upload, &bytes).bytes(stalled(&bytes[..10]));
    harness.send(slow).await.problem(408, "too-slow");
    harness.send(Call::ticket(upload, &bytes)).await.with_status(StatusCode::NO_CONTENT);
    assert_eq!(ada.settled(added["photo"]["id"].as_str().unwrap()).await["state"], "ready");
}
