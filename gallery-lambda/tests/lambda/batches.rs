//! Messages that fail, and those beside them.

use std::time::Duration;

use gallery_domain::PhotoState;
use gallery_domain::conformance::use_cases::world::{DAY, MINUTE};
use serde_json::{Value, json};

use crate::scenes::{POISON, Scene, batch, created, event};

fn failed(answer: &Value) -> Vec<&str> {
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_poisoned_message_among_ten_fails_alone() {
    let scene = Scene::new();
    let ada = scene.world.person("ada").await;
    let (mut bodies, mut photos) = (Vec::new(), Vec::new());
    for n in 0..10 {
        let content = if n == 6 { POISON.to_owned() } else { format!("photo {n}") };
        let photo = scene.world.announced(&ada.actor, &content).await;
        scene.world.send(&photo, &content).await;
        bodies.push(created(&photo, n % 2 == 0).to_string());
        photos.push(photo);
    }
    let answer = scene.tell(batch(&bodies)).await.unwrap();
    assert_eq!(failed(&answer), ["6"]);
    for (n, photo) in photos.iter().enumerate() {
        let is_ready = matches!(scene.world.find(photo.owner, photo.id).await.unwrap().state, PhotoState::Ready(_));
        assert_eq!(is_ready, n != 6, "{n}");
    }
    // Tried again and again it fails for good, and its owner is told why.
    for _ in 0..20 {
        scene.world.clock.advance(10 * MINUTE);
        scene.tell(json!({"run": "work"})).await.unwrap();
    }
    let poisoned = scene.world.find(photos[6].owner, photos[6].id).await.unwrap();
    assert!(matches!(poisoned.state, PhotoState::Failed(_)), "{poisoned:?}");
}

#[tokio::test]
async fn what_is_no_event_of_the_bucket_fails_and_what_is_none_of_the_gallerys_is_done_with() {
    let scene = Scene::new();
    let elsewhere = event("ObjectCreated:Put", "gallery/incoming/x").to_string().replace("\"photos\"", "\"other\"");
    let bodies = [
        "no JSON".to_owned(),
        json!({"hello": 1}).to_string(),
        elsewhere,
        event("ObjectCreated:Put", "gallery/incoming/not/an-id").to_string(),
        event("ObjectCreated:Put", "somebody/elses/object").to_string(),
        event("ObjectCreated:Put", "gallery/..%2F..%2Fetc+passwd").to_string(),
        event("ObjectRemoved:Delete", "gallery/incoming/x").to_string(),
        json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}).to_string(),
    ];
    assert_eq!(failed(&scene.tell(batch(&bodies)).await.unwrap()), ["0", "1", "2"]);
    assert!(scene.tell(json!({"detail": "what is this?"})).await.is_err());
}

#[tokio::test]
async fn an_event_that_was_given_up_is_taken_when_it_is_redriven() {
    let scene = Scene::new();
    let ada = scene.world.person("ada").await;
    let photo = scene.world.announced(&ada.actor, "a").await;
    scene.world.send(&photo, "a").await;
    let given_up = json!({
        "version": "1.0", "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": created(&photo, true), "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
    });
    let answer = scene.tell(batch(&[given_up.to_string()])).await.unwrap();
    assert_eq!(failed(&answer), [""; 0]);
    assert!(matches!(scene.world.find(photo.owner, photo.id).await.unwrap().state, PhotoState::Ready(_)));
}

#[tokio::test]
async fn nothing_is_begun_in_the_last_minute_of_an_invocation() {
    let scene = Scene::new();
    let ada = scene.world.person("ada").await;
    let photo = scene.world.announced(&ada.actor, "a").await;
    scene.world.send(&photo, "a").await;
    let soon = scene.world.clock_now().plus(Duration::from_secs(59));
    let event = batch(&[created(&photo, false).to_string()]);
    let answer = scene.worker.handle(event, soon).await.unwrap();
    assert_eq!(failed(&answer), ["0"]);
    assert!(matches!(scene.world.find(photo.owner, photo.id).await.unwrap().state, PhotoState::Uploading));
}

#[tokio::test]
async fn a_schedule_takes_up_what_no_event_told_of() {
    let scene = Scene::new();
    let ada = scene.world.person("ada").await;
    let (lost, never) = (scene.world.announced(&ada.actor, "a").await, scene.world.announced(&ada.actor, "b").await);
    scene.world.send(&lost, "a").await;
    scene.tell(json!({"run": "sweep"})).await.unwrap();
    assert!(matches!(scene.world.find(lost.owner, lost.id).await.unwrap().state, PhotoState::Ready(_)));
    scene.world.clock.advance(2 * DAY);
    scene.tell(json!({"run": "work"})).await.unwrap();
    assert!(matches!(scene.world.find(never.owner, never.id).await.unwrap().state, PhotoState::Failed(_)));
}
