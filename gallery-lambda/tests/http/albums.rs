use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::harness::{Call, Harness, User, jpeg};

async fn titles(user: &User<'_>, path: &str) -> Vec<String> {
    let page = user.get(path).await.ok();
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

async fn photo(user: &User<'_>, title: &str) -> Value {
    user.upload(&jpeg(title), json!({"title": title})).await["id"].clone()
}

#[tokio::test]
async fn photos_are_put_into_an_album_moved_and_taken_out() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let (a, b, c) = (photo(&ada, "a").await, photo(&ada, "b").await, photo(&ada, "c").await);
    let album = ada.album("Norway").await;
    let id = album["id"].as_str().unwrap();
    let (photos, list) = (format!("/albums/{id}/photos"), format!("/photos?albumId={id}"));
    let put = async |body: Value| ada.send(Call::put(&photos).json(body)).await.ok()["photos"].clone();
    assert_eq!(put(json!({"photoIds": [a, b]})).await, 2);
    assert_eq!(put(json!({"photoIds": [b, c]})).await, 1);
    assert_eq!(titles(&ada, &list).await, ["a", "b", "c"]);
    put(json!({"photoIds": [c], "before": "start"})).await;
    assert_eq!(titles(&ada, &list).await, ["c", "a", "b"]);
    put(json!({"photoIds": [b], "before": a})).await;
    assert_eq!(titles(&ada, &list).await, ["c", "b", "a"]);
    let first = ada.get(&format!("{list}&limit=2")).await.ok();
    let next = first["next"].as_str().unwrap();
    assert_eq!(titles(&ada, &format!("{list}&limit=2&after={next}")).await, ["a"]);
    assert_eq!(ada.get(&format!("/photos?after={next}")).await.refused(400), ["after"]);

    let taken = ada.send(Call::delete(&photos).json(json!({"photoIds": [b]}))).await.ok();
    assert_eq!(taken["photos"], 1);
    let album = ada.get(&format!("/albums/{id}")).await.ok();
    assert_eq!((&album["photoCount"], &album["cover"]["id"]), (&json!(2), &c));
    assert!(album["cover"]["urls"]["thumbnail"].is_string());
    let absent = "0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55";
    let wrong = Call::put(&photos).json(json!({"photoIds": [a, absent]}));
    assert_eq!(ada.send(wrong).await.refused(400), ["/photoIds/1"]);
}

#[tokio::test]
async fn an_album_is_changed_at_the_revision_that_was_read() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let (a, stray) = (photo(&ada, "a").await, photo(&ada, "stray").await);
    let created = ada.send(Call::post("/albums").json(json!({"title": "Norway", "description": "2024"}))).await;
    let album = created.with(StatusCode::CREATED);
    let path = format!("/albums/{}", album["id"].as_str().unwrap());
    assert_eq!(created.header(header::LOCATION), &path[1..]);
    let tag = created.header(header::ETAG).to_owned();
    ada.send(Call::put(&format!("{path}/photos")).json(json!({"photoIds": [a]}))).await.ok();
    let patch = json!({"title": "Norge", "cover": a});
    let changed = ada.send(Call::patch(&path).header("if-match", &tag).json(patch)).await.ok();
    assert_eq!((&changed["title"], &changed["description"]), (&json!("Norge"), &json!("2024")));
    let stale = Call::patch(&path).header("if-match", &tag).json(json!({"title": "Nope"}));
    ada.send(stale).await.problem(412, "stale");
    assert_eq!(ada.send(Call::patch(&path).json(json!({"cover": stray}))).await.refused(400), ["/cover"]);
    ada.send(Call::patch(&path).json(json!({"cover": null}))).await.ok();
}

#[tokio::test]
async fn every_change_of_an_album_is_refused_at_another_revision() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let a = photo(&ada, "a").await;
    let album = ada.album("Norway").await;
    let path = format!("/albums/{}", album["id"].as_str().unwrap());
    let photos = format!("{path}/photos");
    let read = ada.get(&path).await.header(header::ETAG).to_owned();
    ada.send(Call::patch(&path).json(json!({"title": "Norge"}))).await.ok();
    let now = ada.get(&path).await.header(header::ETAG).to_owned();
    let one = json!({"photoIds": [a]});
    let changes = || {
        [
            Call::patch(&path).json(json!({"title": "Norge"})),
            Call::put(&photos).json(one.clone()),
            Call::delete(&photos).json(one.clone()),
            Call::delete(&format!("{path}?dryRun=true")),
            Call::delete(&path),
            Call::post(&format!("{path}/restore")),
        ]
    };
    let before = ada.get(&path).await.ok();
    for change in changes() {
        let refused = ada.send(change.header("if-match", &read)).await.problem(412, "stale");
        assert_eq!(refused["currentRevision"], before["revision"]);
    }
    assert_eq!(ada.get(&path).await.ok(), before);
    assert_eq!(titles(&ada, &format!("/photos?albumId={}", album["id"].as_str().unwrap())).await.len(), 0);
    for change in changes().into_iter().take(5) {
        ada.send(change.header("if-match", &now)).await.ok();
    }
}

#[tokio::test]
async fn an_album_goes_to_the_trash_with_its_photos_and_comes_back() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let a = photo(&ada, "a").await;
    let album = ada.album("Norway").await;
    let path = format!("/albums/{}", album["id"].as_str().unwrap());
    ada.send(Call::put(&format!("{path}/photos")).json(json!({"photoIds": [a]}))).await.ok();
    let preview = ada.send(Call::delete(&format!("{path}?photos=delete&dryRun=true"))).await.ok();
    assert_eq!(preview, json!({"photos": 1, "dryRun": true}));
    assert_eq!(titles(&ada, "/photos").await, ["a"]);
    let deleted = ada.send(Call::delete(&path)).await.ok();
    assert_eq!(deleted, json!({"photos": 1, "dryRun": false}));
    assert!(titles(&ada, "/photos").await.is_empty());
    assert_eq!(titles(&ada, "/albums?trashed=true").await, ["Norway"]);
    assert!(titles(&ada, "/albums").await.is_empty());
    ada.send(Call::post(&format!("{path}/restore"))).await.ok();
    assert_eq!(titles(&ada, "/photos").await, ["a"]);
    let kept = ada.send(Call::delete(&format!("{path}?photos=keep"))).await.ok();
    assert_eq!(kept["photos"], 0);
    assert_eq!(titles(&ada, "/photos").await, ["a"]);
}

#[tokio::test]
async fn albums_are_paged() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for title in ["one", "two", "three"] {
        ada.album(title).await;
        harness.advance(1);
    }
    let first = ada.get("/albums?limit=2").await.ok();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    assert_eq!(titles(&ada, &format!("/albums?limit=2&after={next}")).await, ["one"]);
    assert_eq!(ada.get(&format!("/albums?trashed=true&after={next}")).await.refused(400), ["after"]);
}
