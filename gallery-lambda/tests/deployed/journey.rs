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
    assert_eq!(cloud.residue().await, [""; 0]);
}

#[tokio::test]
async fn a_page_of_the_allowed_origin_may_ask_and_no_other() {
    let cloud = Cloud::named();
    let asked = async |origin: &str| {
        let request = Client::new().request(Method::OPTIONS, format!("{}/photos", cloud.api()));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let answer =
            request.header("access-control-request-headers", "authorization,content-type").send().await.unwrap();
        answer.headers().get("access-control-allow-origin").map(|origin| origin.to_str().unwrap().to_owned())
    };
    assert_eq!(asked("https://photos.example.org").await.as_deref(), Some("https://photos.example.org"));
    assert_eq!(asked("https://elsewhere.example.org").await, None);
}

#[tokio::test]
async fn the_stage_is_part_of_every_address_that_the_gallery_says() {
    let cloud = Cloud::named();
    let answer = Client::new().get(format!("{}/nowhere", cloud.api())).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let problem: Value = answer.json().await.unwrap();
    assert!(problem["detail"].as_str().unwrap().contains("/dev/"), "{problem}");
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
