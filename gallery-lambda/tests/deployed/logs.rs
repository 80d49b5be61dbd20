//! What the functions log, and what they never do.

use reqwest::Method;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::person::{PASSWORD, Person, picture};

#[tokio::test]
async fn lines_are_json_figures_are_counted_and_nobody_is_named() {
    let cloud = Cloud::named();
    let eve = Person::signed_up(&cloud, "canary-eve").await;
    let (photo, sent) = eve.upload("canary-file.jpg", picture(21)).await;
    assert!(sent.is_success());
    eve.ready(photo["id"].as_str().unwrap()).await;
    eve.get("/search?q=canary-query").await;
    let left = eve.send(Method::DELETE, "/account", json!({"password": PASSWORD})).await;
    assert!(left.status().is_success());
    cloud.run_worker("work");

    let (api, worker) = (cloud.log_of("api"), cloud.log_of("worker"));
    let own = |log: &str| -> Vec<Value> { log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect() };
    let requests: Vec<_> = own(&api).into_iter().filter(|line| line["target"] == "gallery::access").collect();
    assert!(requests.iter().any(|line| line["route"] == "/search" && line["status"] == 200), "{api}");
    assert!(requests.iter().all(|line| line["request_id"].is_string() && line["latency_ms"].is_u64()), "{api}");
    let figures =
        |log: &str, name: &str| own(log).iter().filter(|line| line[name].is_u64() && line["_aws"].is_object()).count();
    assert!(figures(&api, "Requests") > 0 && figures(&api, "Latency") > 0, "{api}");
    assert!(figures(&worker, "Uploads") > 0 && figures(&worker, "OldestWork") > 0, "{worker}");
    let token = eve.token.clone().unwrap();
    for canary in ["canary", "example.org", PASSWORD, &token] {
        assert!(!api.contains(canary) && !worker.contains(canary), "{canary}:\n{api}\n{worker}");
    }
}
