//! Everything that people do, from the first page to the last, and what is left of them.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::person::{PASSWORD, Person, json_of, picture};

#[tokio::test]
async fn somebody_comes_does_everything_and_leaves_nothing_behind() {
    let cloud = Cloud::named();
    let mut ada = Person::signed_up(&cloud, "ada").await;

    let bytes = picture(1);
    let (photo, sent) = ada.upload("lake.jpg", bytes.clone()).await;
    assert!(sent.is_success(), "{sent}");
    let id = photo["id"].as_str().unwrap();
    let ready = ada.ready(id).await;
    assert_eq!((&ready["width"], &ready["height"]), (&json!(400), &json!(300)));
    assert_eq!(ada.bytes(&ready["urls"]["original"]).await, bytes);
    let thumbnail = image::load_from_memory(&ada.bytes(&ready["urls"]["thumbnail"]).await).unwrap();
    assert_eq!((thumbnail.width(), thumbnail.height()), (320, 240));
    assert_eq!(ada.upload("again.jpg", picture(2)).await.1, StatusCode::OK);

    assert!(ids(&ada.get("/photos?limit=10").await).contains(&id.to_owned()));
    assert!(ids(&ada.get("/search?q=lake+tag:holiday").await).contains(&id.to_owned()));
    let renamed = ada.send(Method::PATCH, &format!("/photos/{id}"), json!({"title": "On the mountain"})).await;
    assert_eq!(json_of(renamed).await["title"], "On the mountain");
    assert_eq!(ids(&ada.get("/search?q=mountain").await), [id]);

    let album = json_of(ada.send(Method::POST, "/albums", json!({"title": "Summer"})).await).await;
    let album = album["id"].as_str().unwrap().to_owned();
    let into = format!("/albums/{album}/photos");
    assert!(ada.send(Method::PUT, &into, json!({"photoIds": [id]})).await.status().is_success());
    assert_eq!(ids(&ada.get(&format!("/photos?albumId={album}")).await), [id]);

    assert_eq!(ada.send(Method::DELETE, &format!("/photos/{id}"), Value::Null).await.status(), StatusCode::NO_CONTENT);
    assert!(!ids(&ada.get("/photos").await).contains(&id.to_owned()));
    let erased = ada.send(Method::POST, "/photos/bulk", json!({"ids": [id], "action": "purge"})).await;
    assert!(erased.status().is_success(), "{erased:?}");

    assert_eq!(ada.send(Method::POST, "/logout", json!({})).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(ada.send(Method::GET, "/photos", Value::Null).await.status(), StatusCode::UNAUTHORIZED);
    ada.log_in().await;
    assert!(!cloud.residue().await.is_empty());
    let cancelled = ada.send(Method::DELETE, "/account", json!({"password": PASSWORD})).await;
    assert!(cancelled.status().is_success(), "{cancelled:?}");
    assert_eq!(ada.send(Method::GET, "/photos", Value::Null).await.status(), StatusCode::UNAUTHORIZED);
    cloud.run_worker("work");
    // Work that waits says of whom it was, until it finds nobody there: after the week in which a sign-up is confirmed.
    cloud.let_work_come_due().await;
    cloud.run_worker("work");
    let left = cloud.residue().await;
    assert!(left.is_empty(), "{left:?}:\n{}", cloud.log_of("worker"));
}

#[tokio::test]
async fn a_page_of_the_allowed_origin_may_ask_and_no_other() {
    let cloud = Cloud::named();
    // By the function itself: the server that plays API Gateway answers such questions without asking it.
    let asked = |origin: &str| {
        let headers = json!({
            "host": "id.execute-api.eu-central-1.amazonaws.com", "origin": origin,
            "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type",
        });
        let http = json!({"method": "OPTIONS", "path": "/dev/photos", "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7", "userAgent": "it"});
        let answer = cloud.invoke("api", &json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/dev/photos", "rawQueryString": "", "headers": headers, "isBase64Encoded": false,
            "requestContext": {"accountId": "1", "apiId": "id", "stage": "dev", "requestId": "r", "routeKey": "$default", "timeEpoch": 1, "http": http},
        }));
        answer["headers"]["access-control-allow-origin"].as_str().map(str::to_owned)
    };
    let read = async |origin: &str| {
        let answer =
            Client::new().get(format!("{}/healthz", cloud.api())).header("origin", origin).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    let (allowed, other) = ("https://photos.example.org", "https://elsewhere.example.org");
    assert_eq!(asked(allowed).as_deref(), Some(allowed));
    assert_eq!(asked(other), None);
    assert_eq!(read(allowed).await.as_deref(), Some(allowed));
    assert_eq!(read(other).await, None);
}

#[tokio::test]
async fn the_stage_is_part_of_every_address_that_the_gallery_says() {
    let cloud = Cloud::named();
    let answer = Client::new().get(format!("{}/nowhere", cloud.api())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let problem: Value = answer.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("see /dev/"), "{problem}");
    let document: Value =
        Client::new().get(format!("{}/openapi.json", cloud.api())).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["paths"]["/photos"]["get"]["operationId"], "getphotos");
}

#[tokio::test]
async fn the_page_is_in_its_bucket_and_knows_where_the_api_is() {
    let cloud = Cloud::named();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let bucket = cloud.text("/outputs/SiteBucket");
    cloud.aws(&["s3api", "get-object", "--bucket", &bucket, "--key", "config.json", file.to_str().unwrap()]);
    let config: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(config["api"], cloud.text("/outputs/ApiUrl"));
    let index = cloud.aws(&["s3api", "head-object", "--bucket", &bucket, "--key", "index.html"]);
    assert_eq!((&index["ContentType"], &index["CacheControl"]), (&json!("text/html"), &json!("no-cache")));
}

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|photo| photo["id"].as_str().unwrap().to_owned()).collect()
}
