//! Who may do what: every call of the API document, tried without a session and with somebody else's things.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode, header};
use gallery_lambda::openapi;
use serde_json::{Value, json};

use crate::harness::{Call, Harness, User, jpeg};

const ABSENT: &str = "0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55";

struct Operation {
    method: Method,
    path: String,
    id: String,
    public: bool,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi("1").to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation {
                method: Method::from_bytes(method.to_uppercase().as_bytes()).unwrap(),
                path: path.clone(),
                id: operation["operationId"].as_str().unwrap().to_owned(),
                public: operation.get("security").is_some(),
            });
        }
    }
    operations
}

/// The paths that the router takes, read out of the router itself, however they got there.
fn routed(harness: &Harness) -> BTreeSet<String> {
    let shown = format!("{:?}", harness.router);
    let (_, paths) = shown.split_once("paths: {").expect("a router shows the paths that it takes");
    let mut routed = BTreeSet::new();
    // Outside of the quotes a brace ends the list, within them it is part of a path.
    for pair in paths.split('"').collect::<Vec<_>>().chunks(2) {
        match pair {
            [outside, path] if !outside.contains('}') => routed.insert((*path).to_owned()),
            _ => break,
        };
    }
    routed
}

/// Those of them that are no calls of the API: they are for everybody, and hold nothing of anybody's.
const PAGES: [&str; 4] = ["/docs", "/docs/", "/docs/{*file}", "/openapi.json"];

#[test]
fn the_router_takes_the_calls_of_the_document_and_no_others() {
    let mut expected: BTreeSet<_> = operations().into_iter().map(|call| call.path.replace("{key}", "{*key}")).collect();
    expected.extend(PAGES.map(str::to_owned));
    assert!(expected.len() >= 25, "{expected:?}");
    assert_eq!(routed(&Harness::new()), expected);
}

/// A body that is in order, for calls that take one.
fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "addphoto" => crate::harness::announcement(&jpeg("new"), json!({})),
        "updatephoto" | "updatealbum" | "createalbum" => json!({"title": "Mine now"}),
        "updateaccount" => json!({"name": "Mallory"}),
        "addtoalbum" | "removefromalbum" => json!({"photoIds": [ABSENT]}),
        "bulk" => json!({"ids": [ABSENT], "action": "trash"}),
        "checkuploads" => json!({"sha256": ["0".repeat(64)]}),
        "searchbybody" => json!({"query": "sea"}),
        _ => return None,
    })
}

fn call(operation: &Operation, path: &str) -> Call {
    let call = Call::new(operation.method.clone(), path);
    body(&operation.id).into_iter().fold(call, Call::json)
}

#[tokio::test]
async fn every_call_that_is_not_public_needs_a_session() {
    let harness = Harness::new();
    let (mut refused, mut public) = (0, Vec::new());
    for operation in operations() {
        if operation.public {
            public.push(operation.id);
            continue;
        }
        let path = operation.path.replace("{id}", ABSENT);
        for token in [None, Some("Bearer "), Some("Bearer nonsense"), Some("Basic YTpi"), Some("é")] {
            let call = call(&operation, &path);
            let call = token.into_iter().fold(call, |call, token| call.header("authorization", token));
            let answer = harness.send(call).await;
            answer.problem(401, "unauthenticated");
            assert_eq!(answer.header(header::WWW_AUTHENTICATE), "Bearer");
            refused += 1;
        }
    }
    assert!(refused >= 5 * 25, "{refused}");
    public.sort();
    let listed = [
        "confirmemail",
        "downloadblob",
        "forgotpassword",
        "healthz",
        "login",
        "readyz",
        "resendcode",
        "resetpassword",
        "signup",
        "uploadblob",
    ];
    assert_eq!(public, listed);
}

#[tokio::test]
async fn what_is_another_persons_is_as_absent_as_what_was_never_there() {
    let harness = Harness::new();
    let (ada, mallory) = (harness.user("ada").await, harness.user("mallory").await);
    let photo = ada.upload(&jpeg("sea"), json!({"title": "Sea"})).await;
    let album = ada.album("Norway").await;
    let session = ada.get("/sessions").await.ok()["items"][0]["id"].clone();
    let mut tried = 0;
    for operation in operations().iter().filter(|operation| operation.path.contains("{id}")) {
        let foreign = match &operation.path {
            path if path.starts_with("/photos") => &photo["id"],
            path if path.starts_with("/albums") => &album["id"],
            _ => &session,
        };
        let mut answers = Vec::new();
        for id in [foreign.as_str().unwrap(), ABSENT] {
            let answer = mallory.send(call(operation, &operation.path.replace("{id}", id))).await;
            answers.push((answer.status, answer.body));
        }
        assert_eq!(answers[0], answers[1], "{}", operation.id);
        let expected = if operation.id == "deletesession" { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
        assert_eq!(answers[0].0, expected, "{}", operation.id);
        tried += 1;
    }
    assert!(tried >= 9, "{tried}");

    assert_eq!(ada.get(&format!("/photos/{}", photo["id"].as_str().unwrap())).await.ok(), photo);
    assert_eq!(ada.get(&format!("/albums/{}", album["id"].as_str().unwrap())).await.ok(), album);
}

#[tokio::test]
async fn an_id_in_a_body_reaches_no_further_than_one_in_a_path() {
    let harness = Harness::new();
    let (ada, mallory) = (harness.user("ada").await, harness.user("mallory").await);
    let photo = ada.upload(&jpeg("sea"), json!({})).await["id"].clone();
    let (album, own) = (ada.album("Norway").await["id"].clone(), mallory.album("Own").await["id"].clone());
    let own_photo = mallory.upload(&jpeg("own"), json!({})).await["id"].clone();
    let own_path = format!("/albums/{}", own.as_str().unwrap());
    let alike = async |user: &User<'_>, foreign: &Value, make: &dyn Fn(&Value) -> Call| {
        let foreign = user.send(make(foreign)).await;
        let absent = user.send(make(&json!(ABSENT))).await;
        let text = |answer: &crate::harness::Answer| String::from_utf8(answer.body.to_vec()).unwrap();
        let foreign_text =
            text(&foreign).replace(photo.as_str().unwrap(), ABSENT).replace(album.as_str().unwrap(), ABSENT);
        assert_eq!((foreign.status, foreign_text), (absent.status, text(&absent)));
        absent.status.as_u16()
    };
    for action in ["trash", "restore", "purge", "favourite"] {
        let make = |id: &Value| Call::post("/photos/bulk").json(json!({"ids": [id], "action": action}));
        assert_eq!(alike(&mallory, &photo, &make).await, 200);
    }
    let make = |id: &Value| {
        Call::post("/photos/bulk").json(json!({"ids": [own_photo], "action": "addToAlbum", "albumId": id}))
    };
    assert_eq!(alike(&mallory, &album, &make).await, 404);
    let make = |id: &Value| Call::put(&format!("{own_path}/photos")).json(json!({"photoIds": [id]}));
    assert_eq!(alike(&mallory, &photo, &make).await, 400);
    let make =
        |id: &Value| Call::put(&format!("{own_path}/photos")).json(json!({"photoIds": [own_photo], "before": id}));
    assert_eq!(alike(&mallory, &photo, &make).await, 400);
    let make = |id: &Value| Call::patch(&own_path).json(json!({"cover": id}));
    assert_eq!(alike(&mallory, &photo, &make).await, 400);
    let make = |id: &Value| Call::get(&format!("/photos?albumId={}", id.as_str().unwrap()));
    assert_eq!(alike(&mallory, &album, &make).await, 404);
    let make =
        |id: &Value| Call::post("/photos").json(crate::harness::announcement(&jpeg("next"), json!({"albumId": id})));
    assert_eq!(alike(&mallory, &album, &make).await, 404);
    let make = |id: &Value| Call::post("/search").json(json!({"query": format!("in:{}", id.as_str().unwrap())}));
    assert_eq!(alike(&mallory, &album, &make).await, 200);
}

#[tokio::test]
async fn nothing_of_others_is_in_any_list() {
    let harness = Harness::new();
    let (ada, mallory) = (harness.user("ada").await, harness.user("mallory").await);
    ada.upload(&jpeg("sea"), json!({"title": "Sea", "tags": ["secret"]})).await;
    ada.album("Norway").await;
    for path in ["/photos", "/photos/timeline", "/albums", "/search?q=sea", "/tags", "/photos?unfinished=true"] {
        assert_eq!(mallory.get(path).await.ok()["items"], json!([]), "{path}");
    }
    let check = json!({"sha256": [crate::harness::announcement(&jpeg("sea"), json!({}))["sha256"]]});
    assert_eq!(mallory.send(Call::post("/photos/check").json(check)).await.ok()["items"], json!([]));
}
