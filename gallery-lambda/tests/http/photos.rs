use std::sync::atomic::Ordering;

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Call, Harness, announcement, jpeg};

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|photo| photo["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_photo_is_announced_uploaded_and_shown() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let more = json!({"title": "Sea", "description": "Blue", "tags": ["Beach"]});
    let added = ada.send(Call::post("/photos").json(announcement(&bytes, more))).await;
    let body = added.with(StatusCode::CREATED);
    let id = body["photo"]["id"].as_str().unwrap();
    assert_eq!(added.header(header::LOCATION), format!("photos/{id}"));
    assert_eq!(added.header(header::ETAG), "\"1\"");
    assert_eq!((&body["photo"]["state"], &body["photo"]["urls"]), (&json!("uploading"), &Value::Null));
    assert_eq!(ids(&ada.get("/photos?unfinished=true").await.ok()), [id]);

    let pokes = harness.pokes.load(Ordering::SeqCst);
    harness.send(Call::ticket(&body["upload"], &bytes)).await.with_status(StatusCode::NO_CONTENT);
    let photo = ada.settled(id).await;
    assert_eq!(photo["state"], "ready");
    assert_eq!((&photo["width"], &photo["height"]), (&json!(640), &json!(480)));
    assert_eq!((&photo["title"], &photo["tags"]), (&json!("Sea"), &json!(["Beach"])));
    assert!(!photo["placeholder"].as_str().unwrap().is_empty());
    assert_eq!(photo["albums"], json!([]));
    assert!(photo["exif"].is_object());
    harness.poked(pokes).await;
    assert_eq!(harness.pokes.load(Ordering::SeqCst), pokes + 1);

    for image in ["thumbnail", "preview", "original"] {
        let answer = harness.send(Call::get(photo["urls"][image].as_str().unwrap())).await;
        assert_eq!(answer.status, StatusCode::OK, "{image}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "image/jpeg");
    }
    let page = ada.get("/photos").await.ok();
    assert_eq!((ids(&page), &page["next"]), (vec![id], &Value::Null));
    assert_eq!(page["items"][0]["urls"], photo["urls"]);
    let usage = &ada.get("/account").await.ok()["usage"];
    assert_eq!(usage, &json!({"bytes": bytes.len(), "photos": 1, "pendingUploads": 0}));
}

#[tokio::test]
async fn the_same_bytes_twice_are_one_photo() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let known = |answer: Value| answer["items"].as_array().unwrap().len();
    let check = || Call::post("/photos/check").json(json!({"sha256": [announcement(&bytes, json!({}))["sha256"]]}));
    assert_eq!(known(ada.send(check()).await.ok()), 0);
    let photo = ada.upload(&bytes, json!({})).await;
    let again = ada.send(Call::post("/photos").json(announcement(&bytes, json!({"fileName": "copy.jpg"})))).await.ok();
    assert_eq!((&again["duplicateOf"], &again["upload"]), (&photo["id"], &Value::Null));
    let found = ada.send(check()).await.ok();
    assert_eq!(found["items"][0]["photoId"], photo["id"]);

    let bob = harness.user("bob").await;
    bob.upload(&bytes, json!({})).await;
}

#[tokio::test]
async fn a_repeated_request_with_one_idempotency_key_makes_one_photo() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let call =
        |text: &str| Call::post("/photos").header("idempotency-key", "k-1").json(announcement(&jpeg(text), json!({})));
    let first = ada.send(call("sea")).await.with(StatusCode::CREATED);
    let second = ada.send(call("sea")).await.with(StatusCode::CREATED);
    assert_eq!(first["photo"], second["photo"]);
    assert_eq!(ada.send(call("other")).await.refused(400), ["Idempotency-Key"]);
    harness.send(Call::ticket(&first["upload"], &jpeg("sea"))).await.with_status(StatusCode::NO_CONTENT);
    let photo = ada.settled(first["photo"]["id"].as_str().unwrap()).await;
    let late = ada.send(call("sea")).await;
    assert_eq!(late.header(header::LOCATION), format!("photos/{}", photo["id"].as_str().unwrap()));
    let late = late.with(StatusCode::CREATED);
    assert_eq!((&late["photo"]["id"], &late["photo"]["state"]), (&photo["id"], &json!("ready")));
    assert_eq!((&late["upload"], &late["duplicateOf"]), (&Value::Null, &Value::Null));
    let another_key =
        Call::post("/photos").header("idempotency-key", "k-3").json(announcement(&jpeg("sea"), json!({})));
    assert_eq!(ada.send(another_key).await.ok()["duplicateOf"], photo["id"]);
    let album = || Call::post("/albums").header("idempotency-key", "k-2").json(json!({"title": "Norway"}));
    let first = ada.send(album()).await.with(StatusCode::CREATED);
    assert_eq!(ada.send(album()).await.with(StatusCode::CREATED), first);
    for key in ["", "é", &"x".repeat(256)] {
        let call = Call::post("/albums").header("idempotency-key", key).json(json!({"title": "Norway"}));
        assert_eq!(ada.send(call).await.refused(400), ["Idempotency-Key"], "{key}");
    }
}

#[tokio::test]
async fn a_photo_is_changed_at_the_revision_that_was_read() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let photo = ada.upload(&jpeg("sea"), json!({"title": "Sea"})).await;
    let path = format!("/photos/{}", photo["id"].as_str().unwrap());
    let tag = ada.get(&path).await.header(header::ETAG).to_owned();
    assert_eq!(tag, format!("\"{}\"", photo["revision"]));
    let patch =
        json!({"title": "Lake", "tags": ["a", "A", "b"], "favourite": true, "takenAt": "2020-02-03T04:05:06+02:00"});
    let changed = ada.send(Call::patch(&path).header("if-match", &tag).json(patch)).await;
    let photo = changed.ok();
    assert_eq!((&photo["title"], &photo["favourite"]), (&json!("Lake"), &json!(true)));
    assert_eq!((&photo["tags"], &photo["takenAt"]), (&json!(["a", "b"]), &json!("2020-02-03T04:05:06+02:00")));
    assert_eq!(changed.header(header::ETAG), format!("\"{}\"", photo["revision"]));

    let stale = ada.send(Call::patch(&path).header("if-match", &tag).json(json!({"title": "Pond"}))).await;
    assert_eq!(stale.problem(412, "stale")["currentRevision"], photo["revision"]);
    ada.send(Call::delete(&path).header("if-match", &tag)).await.problem(412, "stale");
    for malformed in ["1", "\"1\", \"2\"", "junk"] {
        let call = Call::patch(&path).header("if-match", malformed).json(json!({"title": "Pond"}));
        assert_eq!(ada.send(call).await.refused(400), ["If-Match"]);
    }
    let back = ada.send(Call::patch(&path).json(json!({"takenAt": null}))).await.ok();
    assert_eq!((&back["takenAt"], &back["title"]), (&Value::Null, &json!("Lake")));
}

#[tokio::test]
async fn lists_are_paged_and_filtered() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let mut newest_first = Vec::new();
    for number in 1..=5 {
        let photo = ada.upload(&jpeg(&format!("photo {number}")), json!({})).await;
        let id = photo["id"].as_str().unwrap().to_owned();
        let patch = json!({"takenAt": format!("2024-0{number}-10T10:00:00"), "favourite": number % 2 == 0});
        ada.send(Call::patch(&format!("/photos/{id}")).json(patch)).await.ok();
        newest_first.insert(0, id);
    }
    let (mut seen, mut path) = (Vec::new(), "/photos?limit=2".to_owned());
    loop {
        let page = ada.get(&path).await.ok();
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/photos?limit=2&after={next}");
    }
    assert_eq!(seen, newest_first);
    assert_eq!(ids(&ada.get("/photos?favourite=true").await.ok()), [&*newest_first[1], &newest_first[3]]);
    assert_eq!(ids(&ada.get("/photos?before=2024-03").await.ok()), newest_first[3..]);
    assert_eq!(ids(&ada.get("/photos?before=2024-03-11&limit=1").await.ok()), newest_first[2..3]);

    let months = ada.get("/photos/timeline").await.ok();
    assert_eq!(months["items"][0], json!({"month": "2024-05", "photos": 1}));
    assert_eq!(months["items"].as_array().unwrap().len(), 5);

    ada.send(Call::delete(&format!("/photos/{}", newest_first[0]))).await.with_status(StatusCode::NO_CONTENT);
    assert_eq!(ids(&ada.get("/photos?trashed=true").await.ok()), [&*newest_first[0]]);
    assert_eq!(ids(&ada.get("/photos").await.ok()), newest_first[1..]);
}

#[tokio::test]
async fn many_photos_are_changed_with_an_answer_for_each() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let first = ada.upload(&jpeg("one"), json!({})).await["id"].clone();
    let second = ada.upload(&jpeg("two"), json!({})).await["id"].clone();
    let absent = "0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55";
    let album = ada.album("Norway").await["id"].clone();
    let bulk = async |more: Value| {
        let mut body = json!({"ids": [first, absent, second]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = ada.send(Call::post("/photos/bulk").json(body)).await.ok();
        let results = answer["results"].as_array().unwrap().clone();
        results.iter().map(|result| result["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bulk(json!({"action": "addTags", "tags": ["x", "y"]})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "removeTags", "tags": ["X"]})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "favourite"})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "addToAlbum", "albumId": album})).await, [204, 404, 204]);
    let photo = ada.get(&format!("/photos/{}", first.as_str().unwrap())).await.ok();
    assert_eq!((&photo["tags"], &photo["favourite"], &photo["albums"]), (&json!(["y"]), &json!(true), &json!([album])));
    for _ in 0..2 {
        // The second time it is in the album no more, which is what was asked for.
        assert_eq!(bulk(json!({"action": "removeFromAlbum", "albumId": album})).await, [204, 404, 204]);
        let photo = ada.get(&format!("/photos/{}", first.as_str().unwrap())).await.ok();
        assert_eq!(photo["albums"], json!([]));
    }
    assert_eq!(bulk(json!({"action": "purge"})).await, [409, 404, 409]);
    assert_eq!(bulk(json!({"action": "trash"})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "restore"})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "trash"})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "purge"})).await, [204, 404, 204]);
    assert_eq!(bulk(json!({"action": "restore"})).await, [404, 404, 404]);
}

#[tokio::test]
async fn photos_are_found_by_word_and_tag() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let sea = ada.upload(&jpeg("sea"), json!({"title": "Blue sea", "tags": ["Beach", "Summer"]})).await["id"].clone();
    ada.upload(&jpeg("hill"), json!({"title": "Green hill", "tags": ["Bench"]})).await;
    let by_url = ada.get("/search?q=blu*+tag:beach").await.ok();
    assert_eq!(by_url["items"][0]["id"], sea);
    assert_eq!(by_url["items"].as_array().unwrap().len(), 1);
    let by_body = ada.send(Call::post("/search").json(json!({"query": "blu* tag:beach"}))).await.ok();
    assert_eq!(by_body, by_url);
    let tags = ada.get("/tags?prefix=be").await.ok();
    assert_eq!(tags["items"], json!([{"tag": "Beach", "photos": 1}, {"tag": "Bench", "photos": 1}]));
    assert_eq!(ada.get("/tags?prefix=be&limit=1").await.ok()["items"].as_array().unwrap().len(), 1);

    let first = ada.get("/search?q=tag:beach+OR+tag:bench&limit=1").await.ok();
    let next = first["next"].as_str().unwrap();
    let second = ada.get(&format!("/search?q=tag:beach+OR+tag:bench&limit=1&after={next}")).await.ok();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    assert_eq!(ada.get(&format!("/search?q=tag:beach&after={next}")).await.refused(400), ["after"]);
    let other = Call::post("/search").json(json!({"query": "tag:beach", "after": next}));
    assert_eq!(ada.send(other).await.refused(400), ["/after"]);
}
