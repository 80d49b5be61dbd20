//! Whatever a client sends: a 4xx that names the field and the reason.

use axum::body::Body;
use axum::http::header;
use gallery_lambda::HttpSettings;
use serde_json::json;

use crate::harness::{Call, Harness, announcement, jpeg};

#[tokio::test]
async fn every_refused_field_of_a_body_is_named() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let everything_wrong = json!({
        "fileName": "../../etc/passwd", "contentType": "text/plain", "size": 0, "sha256": "ff", "title": "a\u{0}b",
        "description": "x".repeat(5_001), "tags": ["ok", "y".repeat(65)], "albumId": "seven",
    });
    let fields = ["/fileName", "/contentType", "/sha256", "/title", "/description", "/tags/1", "/albumId"];
    assert_eq!(ada.send(Call::post("/photos").json(everything_wrong)).await.refused(400), fields);
    let missing = ["/fileName", "/contentType", "/size", "/sha256"];
    assert_eq!(ada.send(Call::post("/photos").json(json!({}))).await.refused(400), missing);
    assert_eq!(
        harness.send(Call::post("/signup").json(json!({}))).await.refused(400),
        ["/email", "/password", "/name"]
    );
    let sign_up = json!({"email": "nobody", "password": "short", "name": ""});
    assert_eq!(harness.send(Call::post("/signup").json(sign_up)).await.refused(400), ["/email", "/name"]);
    let sign_up = json!({"email": "ada@example.org", "password": "short", "name": "Ada"});
    assert_eq!(harness.send(Call::post("/signup").json(sign_up)).await.refused(400), ["/password"]);
}

#[tokio::test]
async fn single_values_out_of_bounds_are_refused() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let tags: Vec<_> = (0..51).map(|number| format!("tag {number}")).collect();
    let cases = [
        (json!({"fileName": "a/b.jpg"}), "/fileName"),
        (json!({"fileName": "C:\\a.jpg"}), "/fileName"),
        (json!({"fileName": ".."}), "/fileName"),
        (json!({"title": "nul \u{0}"}), "/title"),
        (json!({"title": "x".repeat(201)}), "/title"),
        (json!({"tags": tags}), "/tags"),
        (json!({"tags": vec!["a"; 501]}), "/tags"),
        (json!({"tags": [" "]}), "/tags/0"),
        (json!({"size": 0}), "/size"),
        (json!({"size": 104_857_601}), "/size"),
        (json!({"size": -1}), "/size"),
        (json!({"size": 1.5}), "/size"),
        (json!({"title": 7}), "/title"),
        (json!({"tags": "beach"}), "/tags"),
        (json!({"tags": ["a", 7]}), "/tags/1"),
        (json!({"favorite": true}), "/favorite"),
        (json!({"a/b~c": true}), "/a~1b~0c"),
    ];
    for (wrong, field) in cases {
        let answer = ada.send(Call::post("/photos").json(announcement(&jpeg("sea"), wrong.clone()))).await;
        assert_eq!(answer.refused(400), [field], "{wrong}");
    }
    let text = ada.send(Call::post("/photos").json(announcement(b"x", json!({"contentType": "image/svg+xml"})))).await;
    assert_eq!(text.refused(415), ["/contentType"]);
    let title = announcement(&jpeg("sea"), json!({"title": "é".repeat(200)}));
    assert_eq!(ada.send(Call::post("/photos").json(title)).await.status, 201);
}

#[tokio::test]
async fn a_photo_cannot_be_changed_into_something_wrong() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let photo = ada.upload(&jpeg("sea"), json!({})).await;
    let path = format!("/photos/{}", photo["id"].as_str().unwrap());
    for (wrong, field) in [
        (json!({"title": "x".repeat(201)}), "/title"),
        (json!({"title": "two\nlines"}), "/title"),
        (json!({"takenAt": "yesterday"}), "/takenAt"),
        (json!({"takenAt": 7}), "/takenAt"),
        (json!({"favourite": "yes"}), "/favourite"),
        (json!({"id": "other"}), "/id"),
        (json!({"owner": "me"}), "/owner"),
        (json!({"tags": ["a", "\u{0}"]}), "/tags/1"),
    ] {
        assert_eq!(ada.send(Call::patch(&path).json(wrong.clone())).await.refused(400), [field], "{wrong}");
    }
    assert_eq!(ada.get(&path).await.ok(), photo);
}

#[tokio::test]
async fn what_is_not_json_is_refused() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for text in ["", "{", "{\"title\":}", "{\"title\": \"a\"} more", "\u{feff}{}", &"[".repeat(100_000)] {
        let answer = ada.send(Call::post("/albums").text(text)).await;
        assert_eq!(answer.status, 400, "{text}");
        assert!(answer.json()["detail"].as_str().unwrap().len() < 200);
    }
    ada.send(Call::post("/albums").text("{")).await.problem(400, "malformed-body");
    for wrong in ["[]", "7", "null", "\"text\""] {
        let answer = ada.send(Call::post("/albums").text(wrong)).await;
        assert_eq!(answer.refused(400).len(), 1, "{wrong}");
    }
    assert_eq!(
        ada.send(Call::post("/albums").text("{\"title\": \"a\", \"title\": \"b\"}")).await.refused(400),
        ["/title"]
    );
    let invalid_utf8 = Call::post("/albums").text("").bytes(&b"{\"title\": \"\xFF\"}"[..]);
    assert_eq!(ada.send(invalid_utf8).await.status, 400);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
        let call = Call::post("/albums").text("{\"title\": \"a\"}").header("content-type", kind);
        ada.send(call).await.problem(415, "unsupported-media-type");
    }
    let with_charset =
        Call::post("/albums").text("{\"title\": \"a\"}").header("content-type", "application/json; charset=utf-8");
    assert_eq!(ada.send(with_charset).await.status, 201);
}

#[tokio::test]
async fn a_body_of_more_than_1_mib_is_refused() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let large = format!("{{\"title\": \"{}\"}}", "x".repeat(1 << 20));
    ada.send(Call::post("/albums").text(&large)).await.problem(413, "too-large");
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 65_536]));
    let call = Call::post("/albums").text("").bytes(Body::from_stream(endless));
    ada.send(call).await.problem(413, "too-large");
}

#[tokio::test]
async fn queries_are_read_strictly() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for (path, field) in [
        ("/photos?limit=101", "limit"),
        ("/photos?limit=0", "limit"),
        ("/photos?limit=-1", "limit"),
        ("/photos?limit=ten", "limit"),
        ("/photos?limit=99999999999999999999", "limit"),
        ("/photos?after=nonsense", "after"),
        ("/photos?after=", "after"),
        ("/photos?favourite=yes", "favourite"),
        ("/photos?albumId=seven", "albumId"),
        ("/photos?trashed=true&favourite=true", "trashed"),
        ("/photos?before=June", "before"),
        ("/photos?before=2024-13", "before"),
        ("/photos?before=2024-06&trashed=true", "before"),
        ("/albums?limit=101", "limit"),
        ("/search", "q"),
        ("/search?q=", "q"),
        ("/search?q=%22open", "q"),
        ("/search?q=a&limit=101", "limit"),
        ("/tags?limit=1000", "limit"),
    ] {
        assert_eq!(ada.get(path).await.refused(400), [field], "{path}");
    }
    let long = format!("/search?q={}", "x".repeat(501));
    assert_eq!(ada.get(&long).await.refused(400), ["q"]);
    let long = format!("/tags?prefix={}", "x".repeat(65));
    assert_eq!(ada.get(&long).await.refused(400), ["prefix"]);
    for (path, field) in [
        ("/photos?page=2", "page"),
        ("/photos?limit=1&limit=2", "limit"),
        ("/albums?sort=title", "sort"),
        ("/search?q=a&q=b", "q"),
        ("/tags?caf%C3%A9=1", "café"),
    ] {
        assert_eq!(ada.get(path).await.refused(400), [field], "{path}");
    }
    assert_eq!(
        ada.send(Call::post("/search").json(json!({"query": "a", "limit": 101}))).await.refused(400),
        ["/limit"]
    );
}

#[tokio::test]
async fn a_cursor_of_another_person_or_list_is_refused() {
    let harness = Harness::new();
    let (ada, bob) = (harness.user("ada").await, harness.user("bob").await);
    for text in ["a", "b"] {
        ada.upload(&jpeg(text), json!({})).await;
    }
    let page = ada.get("/photos?limit=1").await.ok();
    let cursor = page["next"].as_str().unwrap();
    ada.get(&format!("/photos?after={cursor}")).await.ok();
    for path in ["/photos?trashed=true&after=", "/photos?favourite=true&after=", "/albums?after=", "/search?q=a&after="]
    {
        assert_eq!(ada.get(&format!("{path}{cursor}")).await.refused(400), ["after"], "{path}");
    }
    assert_eq!(bob.get(&format!("/photos?after={cursor}")).await.refused(400), ["after"]);
    for mangled in [&cursor[1..], &cursor[..cursor.len() - 1], &format!("{cursor}A"), &cursor.to_uppercase()] {
        assert_eq!(ada.get(&format!("/photos?after={mangled}")).await.refused(400), ["after"], "{mangled}");
    }
}

#[tokio::test]
async fn bulk_takes_1_to_100_ids_and_what_belongs_to_the_action() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let id = "0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55";
    for (wrong, fields) in [
        (json!({}), vec!["/ids", "/action"]),
        (json!({"ids": [], "action": "trash"}), vec!["/ids"]),
        (json!({"ids": vec![id; 101], "action": "trash"}), vec!["/ids"]),
        (json!({"ids": [id, "x"], "action": "trash"}), vec!["/ids/1"]),
        (json!({"ids": [id], "action": "explode"}), vec!["/action"]),
        (json!({"ids": [id], "action": 7}), vec!["/action"]),
        (json!({"ids": [id], "action": "addTags"}), vec!["/tags"]),
        (json!({"ids": [id], "action": "addTags", "tags": ["\u{7}"]}), vec!["/tags/0"]),
        (json!({"ids": [id], "action": "addToAlbum"}), vec!["/albumId"]),
        (json!({"ids": [id], "action": "trash", "tags": ["a"]}), vec!["/tags"]),
        (json!({"ids": [id], "action": "purge", "albumId": id}), vec!["/albumId"]),
        (
            json!({"ids": [id], "action": "addToAlbum", "albumId": id, "tags": [], "favourite": true}),
            vec!["/tags", "/favourite"],
        ),
    ] {
        assert_eq!(ada.send(Call::post("/photos/bulk").json(wrong.clone())).await.refused(400), fields, "{wrong}");
    }
    let check = json!({"sha256": vec!["0".repeat(64); 101]});
    assert_eq!(ada.send(Call::post("/photos/check").json(check)).await.refused(400), ["/sha256"]);
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_problems_too() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for path in ["/", "/nothing", "/photos/", "/photos/x/y", "//photos", "/photos/%00", "/photos/seven", "/albums/%FF"]
    {
        ada.get(path).await.problem(404, "not-found");
    }
    for mount in ["", "/api", "/our/gallery"] {
        let harness = Harness::under(mount, HttpSettings::default());
        for path in ["/nothing", "/docs/nothing.js", "/photos/x/y"] {
            let detail =
                harness.send(Call::get(&format!("{mount}{path}"))).await.problem(404, "not-found")["detail"].clone();
            let page = detail.as_str().unwrap().split_whitespace().find(|word| word.ends_with("/docs/")).unwrap();
            assert_eq!(harness.send(Call::get(page)).await.status, 200, "{detail}");
        }
    }
    let wrong = ada.send(Call::put("/photos")).await;
    wrong.problem(405, "method-not-allowed");
    let allowed: Vec<_> = wrong.header(header::ALLOW).split(',').map(str::trim).collect();
    assert!(allowed.contains(&"GET") && allowed.contains(&"POST"), "{allowed:?}");
    ada.send(Call::new("BREW".parse().unwrap(), "/photos")).await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn no_answer_quotes_a_password() {
    let harness = Harness::new();
    let secret = "hunter2 hunter2 hunter2";
    for body in [
        json!({"email": {"x": secret}, "password": [secret]}),
        json!({"email": secret, "password": secret}),
        json!({"password": {"nested": secret}}),
        json!({"cookie": secret, "email": "a@example.org", "password": secret}),
    ] {
        let answer = harness.send(Call::post("/login").json(body)).await;
        assert!(answer.status.is_client_error());
        assert!(!String::from_utf8_lossy(&answer.body).contains("hunter2"), "{answer:?}");
    }
}
