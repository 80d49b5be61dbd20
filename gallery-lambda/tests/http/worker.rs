use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use gallery_domain::{PageRequest, PageSize};
use gallery_lambda::run_worker;
use serde_json::json;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use crate::harness::{Call, Harness, announcement, jpeg};

#[tokio::test]
async fn the_worker_does_what_requests_leave_at_once_and_stops_when_told() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let added = ada.send(Call::post("/photos").json(announcement(&bytes, json!({})))).await.with(StatusCode::CREATED);
    let id = added["photo"]["id"].as_str().unwrap();
    harness.plan.break_down("process");
    let pokes = harness.pokes.load(Ordering::SeqCst);
    harness.send(Call::ticket(&added["upload"], &bytes)).await.with_status(StatusCode::NO_CONTENT);
    harness.poked(pokes).await;
    assert_eq!(ada.get(&format!("/photos/{id}")).await.ok()["state"], "processing");
    harness.plan.mend();

    let wake = Arc::new(Notify::new());
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { stopped.await.unwrap_or_default() };
    let worker = tokio::spawn(run_worker(harness.gallery.clone(), Arc::clone(&wake), stopped));
    let settled = timeout(Duration::from_secs(20), ada.settled(id)).await.unwrap();
    assert_eq!(settled["state"], "ready");

    let trash = Call::delete(&format!("/photos/{id}"));
    ada.send(trash).await.with_status(StatusCode::NO_CONTENT);
    let owner = harness.ports.repositories.users.all(PageRequest::first(PageSize::MAX)).await.unwrap().items[0].id;
    let photos = || harness.ports.repositories.photos.all(owner, PageRequest::first(PageSize::MAX));
    // Long enough for the worker to fall asleep, for five seconds.
    sleep(Duration::from_millis(200)).await;
    assert_eq!(photos().await.unwrap().items.len(), 1);
    harness.advance(31 * 24 * 3600);
    wake.notify_one();
    let emptied = async {
        while !photos().await.unwrap().items.is_empty() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(3), emptied).await.unwrap();

    stop.send(()).unwrap();
    timeout(Duration::from_secs(3), worker).await.unwrap().unwrap();
}
