use std::sync::atomic::Ordering;

use axum::http::{StatusCode, header};
use gallery_domain::{PageRequest, PageSize};
use serde_json::{Value, json};

use crate::harness::{Call, Harness, User, announcement, jpeg};

async fn announced(user: &User<'_>, bytes: &[u8]) -> Value {
    user.send(Call::post("/photos").json(announcement(bytes, json!({})))).await.with(StatusCode::CREATED)
}

#[tokio::test]
async fn an_upload_is_taken_once_and_just_as_announced() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let added = announced(&ada, &bytes).await;
    let upload = &added["upload"];
    let other = jpeg("not");
    assert_eq!(other.len(), bytes.len());
    assert_eq!(harness.send(Call::ticket(upload, &other)).await.refused(400), ["x-checksum-sha256"]);
    let lied = Call::ticket(upload, &bytes).header("content-type", "text/html");
    harness.send(lied).await.problem(403, "forbidden");
    let forged = upload["url"].as_str().unwrap().replace("ticket=", "ticket=x");
    harness.send(Call::put(&forged).header("content-length", "1").bytes("x")).await.problem(403, "forbidden");
    harness.send(Call::put(&forged)).await.problem(411, "length-required");
    harness.plan.break_down("process");
    harness.send(Call::ticket(upload, &bytes)).await.with_status(StatusCode::NO_CONTENT);
    // Until it was looked into.
    for _ in 0..2 {
        harness.send(Call::ticket(upload, &bytes)).await.problem(412, "already-uploaded");
    }
    harness.plan.mend();
    let waiting = harness.gallery.ingest.waiting(PageRequest::first(PageSize::MAX)).await.unwrap();
    for (owner, photo) in waiting.items {
        harness.gallery.ingest.uploaded(owner, photo).await.unwrap();
    }
    assert_eq!(ada.settled(added["photo"]["id"].as_str().unwrap()).await["state"], "ready");
}

#[tokio::test]
async fn an_upload_that_comes_again_after_it_was_looked_into_is_thrown_away() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let added = announced(&ada, &jpeg("sea")).await;
    let id = added["photo"]["id"].as_str().unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let pokes = harness.pokes.load(Ordering::SeqCst);
        harness.send(Call::ticket(&added["upload"], &jpeg("sea"))).await.with_status(StatusCode::NO_CONTENT);
        harness.poked(pokes).await;
        seen.push(ada.settled(id).await);
    }
    assert_eq!(seen[0]["state"], "ready");
    assert_eq!(seen[0], seen[1]);
    let waiting = harness.gallery.ingest.waiting(PageRequest::first(PageSize::MAX)).await.unwrap();
    assert_eq!(waiting.items, []);
}

#[tokio::test]
async fn a_ticket_expires() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let added = announced(&ada, &jpeg("sea")).await;
    harness.advance(301);
    let late = harness.send(Call::ticket(&added["upload"], &jpeg("sea"))).await.problem(403, "forbidden");
    assert!(late["detail"].as_str().unwrap().contains("expired"));
}

#[tokio::test]
async fn a_body_of_101_mib_is_refused_before_it_is_read() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let added = announced(&ada, &jpeg("sea")).await;
    let too_large = (101 << 20).to_string();
    let call = Call::ticket(&added["upload"], b"").header("content-length", &too_large);
    harness.send(call).await.problem(413, "too-large");
    let announce = announcement(b"", json!({"size": 101 << 20}));
    assert_eq!(ada.send(Call::post("/photos").json(announce)).await.refused(400), ["/size"]);
}

#[tokio::test]
async fn more_bytes_than_were_said_are_not_taken() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let added = announced(&ada, &jpeg("sea")).await;
    let call = Call::ticket(&added["upload"], &[jpeg("sea"), vec![0; 1 << 20]].concat());
    let refused = harness.send(call).await;
    assert!(refused.status.is_client_error(), "{refused:?}");
    harness.send(Call::ticket(&added["upload"], &jpeg("sea"))).await.with_status(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_text_file_named_jpg_fails_with_a_reason() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let text = b"This is a text file, whatever its name says; it is long enough.";
    let photo = ada.upload(text, json!({"fileName": "holiday.jpg"})).await;
    assert_eq!((&photo["state"], &photo["failure"]["kind"]), (&json!("failed"), &json!("not-a-photo")));
    assert!(photo["failure"]["detail"].as_str().unwrap().ends_with('.'));
    assert_eq!(photo["urls"], Value::Null);
}

#[tokio::test]
async fn an_image_is_cached_for_good_and_can_do_nothing() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let photo = ada.upload(&bytes, json!({"fileName": "Été \"1\".jpg"})).await;
    let url = photo["urls"]["original"].as_str().unwrap();
    let whole = harness.send(Call::get(url)).await;
    assert_eq!((whole.status, &whole.body[..]), (StatusCode::OK, &bytes[..]));
    assert_eq!(whole.header(header::CACHE_CONTROL), "private, max-age=31536000, immutable");
    assert_eq!(whole.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
    assert_eq!(whole.header(header::CONTENT_SECURITY_POLICY), "default-src 'none'; sandbox");
    assert_eq!(
        whole.header(header::CONTENT_DISPOSITION),
        "attachment; filename=\"_t_ _1_.jpg\"; filename*=UTF-8''%C3%89t%C3%A9%20%221%22.jpg"
    );
    let tag = whole.header(header::ETAG).to_owned();
    let known = harness.send(Call::get(url).header("if-none-match", &tag)).await;
    assert_eq!((known.status, known.body.len()), (StatusCode::NOT_MODIFIED, 0));
    let head = harness.send(Call::new(axum::http::Method::HEAD, url)).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header(header::CONTENT_LENGTH), bytes.len().to_string());
    let thumbnail = harness.send(Call::get(photo["urls"]["thumbnail"].as_str().unwrap())).await;
    assert_eq!(thumbnail.header(header::CONTENT_DISPOSITION), "inline");
}

#[tokio::test]
async fn a_range_of_an_image_can_be_fetched() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let bytes = jpeg("sea");
    let photo = ada.upload(&bytes, json!({})).await;
    let url = photo["urls"]["original"].as_str().unwrap();
    let range = async |range: &str| harness.send(Call::get(url).header("range", range)).await;
    let length = bytes.len();
    for (text, start, end) in [("bytes=4-9", 4, 10), ("bytes=10-", 10, length), ("bytes=-4", length - 4, length)] {
        let part = range(text).await;
        assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &bytes[start..end]), "{text}");
        assert_eq!(part.header(header::CONTENT_RANGE), format!("bytes {start}-{}/{length}", end - 1));
        assert_eq!(part.header(header::CONTENT_LENGTH), (end - start).to_string());
    }
    let outside = range("bytes=4000-").await;
    outside.problem(416, "range-not-satisfiable");
    assert_eq!(outside.header(header::CONTENT_RANGE), format!("bytes */{length}"));
    assert_eq!(range("bytes=0-1,4-5").await.status, StatusCode::OK);
    let changed = harness.send(Call::get(url).header("range", "bytes=0-1").header("if-range", "\"other\"")).await;
    assert_eq!((changed.status, changed.body.len()), (StatusCode::OK, length));
}

#[tokio::test]
async fn nobody_gets_bytes_without_a_signature() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let photo = ada.upload(&jpeg("sea"), json!({})).await;
    let url = photo["urls"]["preview"].as_str().unwrap();
    let (path, query) = url.split_once('?').unwrap();
    ada.get(path).await.problem(403, "forbidden");
    ada.get("/blobs/..%2f..%2fetc%2fpasswd").await.problem(403, "forbidden");
    ada.get(&format!("/blobs/original/x?{query}")).await.problem(403, "forbidden");
    ada.get(&format!("{url}x")).await.problem(403, "forbidden");
}
