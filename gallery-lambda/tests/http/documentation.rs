use axum::http::{Method, StatusCode, header};
use gallery_lambda::openapi;
use serde_json::Value;

use crate::harness::{Call, Harness};

fn document() -> Value {
    serde_json::from_str(&openapi("1.2.3").to_json().unwrap()).unwrap()
}

/// Every reference within the document.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value.as_str() {
                    Some(target) if name == "$ref" => found.push(target.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn the_document_is_openapi_3_1_and_refers_to_nothing_that_is_not_in_it() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["version"], "1.2.3");
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 30, "{}", found.len());
    for target in found {
        let pointer = target.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
}

#[test]
fn the_document_names_every_call_and_no_other() {
    let document = document();
    let mut calls: Vec<_> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    calls.sort_unstable();
    let expected = [
        "addphoto",
        "addtoalbum",
        "bulk",
        "cancelaccount",
        "changepassword",
        "checkuploads",
        "confirmemail",
        "createalbum",
        "deletealbum",
        "deletephoto",
        "deletesession",
        "downloadblob",
        "forgotpassword",
        "getaccount",
        "getalbum",
        "getalbums",
        "getphoto",
        "getphotos",
        "getsessions",
        "gettags",
        "gettimeline",
        "healthz",
        "login",
        "logout",
        "readyz",
        "removefromalbum",
        "resendcode",
        "resetpassword",
        "restorealbum",
        "search",
        "searchbybody",
        "signup",
        "updateaccount",
        "updatealbum",
        "updatephoto",
        "uploadblob",
    ];
    assert_eq!(calls, expected);
}

#[test]
fn every_call_documents_its_problems_and_each_template_its_parameters() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{name}");
            assert!(responses.contains_key("503"), "{name}");
            if operation.get("security").is_none() {
                assert!(responses.contains_key("401"), "{name}");
            }
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                assert!(response["content"].get("application/problem+json").is_some(), "{name} {status}");
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for template in path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')) {
                assert!(parameters.iter().any(|p| p["in"] == "path" && p["name"] == template), "{name}");
            }
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
        }
    }
}

#[tokio::test]
async fn every_path_of_the_document_is_routed_for_just_its_methods() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    for (path, item) in document()["paths"].as_object().unwrap() {
        let concrete = path.replace("{id}", "0190a3c4-7b1e-7c3a-9b1f-2f6f0c9d1e55").replace("{key}", "a/b");
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let documented = item.get(method.as_str().to_lowercase()).is_some();
            // Without a session nothing is done that could disturb the next call.
            let answer = harness.send(Call::new(method.clone(), &concrete)).await;
            assert_eq!(answer.status != StatusCode::METHOD_NOT_ALLOWED, documented, "{method} {path}");
        }
    }
    ada.get("/account").await.ok();
}

#[tokio::test]
async fn the_page_needs_no_other_host() {
    let harness = Harness::new();
    assert_eq!(harness.send(Call::get("/docs")).await.header(header::LOCATION), "docs/");
    let page = harness.send(Call::get("/docs/")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header(header::CONTENT_TYPE).starts_with("text/html"));
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{policy}");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(!html.contains("://"), "{html}");
    let mut files = 0;
    for reference in html.split(['"', '\'']).filter_map(|text| text.strip_prefix("./")) {
        let file = harness.send(Call::get(&format!("/docs/{reference}"))).await;
        assert_eq!(file.status, StatusCode::OK, "{reference}");
        files += 1;
    }
    assert!(files >= 3, "{html}");
    let start = harness.send(Call::get("/docs/swagger-initializer.js")).await;
    let start = String::from_utf8(start.body.to_vec()).unwrap();
    assert!(start.contains("../openapi.json") && !start.contains("://"), "{start}");
    harness.send(Call::get("/docs/nothing.js")).await.problem(404, "not-found");
    harness.send(Call::get("/docs/../openapi.json")).await.with_status(StatusCode::NOT_FOUND);
}
