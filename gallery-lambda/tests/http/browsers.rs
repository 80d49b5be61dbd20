//! What browsers are told and let do.

use axum::http::{Method, StatusCode, header};
use gallery_lambda::HttpSettings;
use serde_json::json;

use crate::harness::{Answer, Call, Harness, PASSWORD, jpeg};

const OWN: &str = "https://photos.example.org";

fn deployed() -> HttpSettings {
    HttpSettings { public_url: Some(OWN.to_owned()), secure_cookies: true, ..HttpSettings::default() }
}

/// Logs in as the page does; the cookie to send back.
async fn cookie(harness: &Harness) -> String {
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD, "cookie": true});
    let answer = harness.send(Call::post("/login").json(log_in)).await;
    assert!(answer.ok().get("token").is_none());
    answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_session_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    for (settings, name, secure) in
        [(deployed(), "__Host-session=", true), (HttpSettings::default(), "session=", false)]
    {
        let harness = Harness::with(settings);
        harness.user("ada").await;
        let log_in = json!({"email": "ada@example.org", "password": PASSWORD, "cookie": true});
        let answer = harness.send(Call::post("/login").json(log_in)).await;
        let set = answer.header(header::SET_COOKIE);
        assert!(set.starts_with(name), "{set}");
        let attributes: Vec<_> = set.split("; ").skip(1).collect();
        for attribute in ["Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"] {
            assert!(attributes.contains(&attribute), "{set}");
        }
        assert_eq!(attributes.contains(&"Secure"), secure, "{set}");
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{set}");

        let cookie = set.split(';').next().unwrap();
        harness.send(Call::get("/account").header("cookie", &format!("a=b; {cookie}; c=d"))).await.ok();
        let log_out = Call::post("/logout").json(json!({})).header("cookie", cookie);
        let gone = harness.send(log_out).await;
        gone.with_status(StatusCode::NO_CONTENT);
        assert!(gone.header(header::SET_COOKIE).contains("Max-Age=0"));
        harness.send(Call::get("/account").header("cookie", cookie)).await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn a_bearer_token_makes_cookies_count_for_nothing() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let cookie = cookie(&harness).await;
    let both = Call::get("/account").header("cookie", &cookie).bearer("nonsense");
    harness.send(both).await.problem(401, "unauthenticated");
    // No page can have a browser send this header on its own: nothing needs checking.
    let cross =
        Call::post("/albums").json(json!({"title": "a"})).header("sec-fetch-site", "cross-site").bearer(&ada.token);
    assert_eq!(harness.send(cross).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn pages_of_other_origins_cannot_act_with_the_cookie() {
    let harness = Harness::with(deployed());
    harness.user("ada").await;
    let cookie = cookie(&harness).await;
    let create = |headers: &[(&str, &str)]| {
        let call = Call::post("/albums").json(json!({"title": "a"})).header("cookie", &cookie);
        headers.iter().fold(call, |call, (name, value)| call.header(name, value))
    };
    for refused in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "cross-site"), ("origin", OWN)],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://photos.example.org")],
        &[("origin", "https://evil.example"), ("host", "evil.example"), ("x-forwarded-host", "evil.example")],
    ] {
        harness.send(create(refused)).await.problem(403, "forbidden");
    }
    for allowed in [&[][..], &[("sec-fetch-site", "same-origin"), ("origin", OWN)], &[("origin", OWN)]] {
        assert_eq!(harness.send(create(allowed)).await.status, StatusCode::CREATED, "{allowed:?}");
    }
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let form = create(&[("content-type", kind)]);
        harness.send(form).await.problem(415, "unsupported-media-type");
        let form = Call::post("/logout").bytes("{}").header("content-type", kind).header("cookie", &cookie);
        harness.send(form).await.problem(415, "unsupported-media-type");
    }
    harness.send(Call::post("/logout").header("cookie", &cookie)).await.problem(415, "unsupported-media-type");
    let read = Call::get("/account").header("cookie", &cookie).header("sec-fetch-site", "cross-site");
    harness.send(read).await.ok();
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD, "cookie": true});
    let log_in = Call::post("/login").json(log_in).header("sec-fetch-site", "cross-site");
    harness.send(log_in).await.problem(403, "forbidden");
}

#[tokio::test]
async fn without_a_configured_address_the_origin_has_to_be_the_host() {
    let harness = Harness::new();
    harness.user("ada").await;
    let cookie = cookie(&harness).await;
    let create = |origin: &str| {
        Call::post("/albums")
            .json(json!({"title": "a"}))
            .header("cookie", &cookie)
            .header("host", "192.0.2.1:8080")
            .header("origin", origin)
    };
    assert_eq!(harness.send(create("http://192.0.2.1:8080")).await.status, StatusCode::CREATED);
    harness.send(create("http://192.0.2.1:9090")).await.problem(403, "forbidden");
    harness.send(create("http://evil.example")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn other_origins_read_answers_only_where_the_configuration_names_them() {
    let preflight = |origin: &str| {
        Call::new(Method::OPTIONS, "/photos")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,if-match")
    };
    let allowed = |answer: &Answer| answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN).to_owned();
    let closed = Harness::new();
    let answer = closed.send(preflight("https://app.example")).await;
    answer.problem(405, "method-not-allowed");
    assert_eq!(allowed(&answer), "");

    let settings =
        HttpSettings { allowed_origins: vec!["https://app.example".into(), "*".into()], ..HttpSettings::default() };
    let open = Harness::with(settings);
    let answer = open.send(preflight("https://app.example")).await;
    assert_eq!((answer.status, allowed(&answer)), (StatusCode::OK, "https://app.example".to_owned()));
    assert!(answer.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("PATCH"));
    assert!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("if-match"));
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), "");
    for origin in ["https://evil.example", "https://app.example.evil", "http://app.example", "null"] {
        assert_eq!(allowed(&open.send(preflight(origin)).await), "", "{origin}");
        assert_eq!(allowed(&open.send(Call::get("/healthz").header("origin", origin)).await), "", "{origin}");
    }
    let answer = open.send(Call::get("/photos").header("origin", "https://app.example")).await;
    answer.problem(401, "unauthenticated");
    assert_eq!(allowed(&answer), "https://app.example");
    assert!(answer.header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("etag"));
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_doing_more_with_it() {
    let harness = Harness::with(deployed());
    let ada = harness.user("ada").await;
    for path in ["/healthz", "/account", "/photos", "/nothing", "/openapi.json", "/blobs/a"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "no-store", "{path}");
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).contains("default-src 'none'"), "{path}");
        assert!(answer.header(header::STRICT_TRANSPORT_SECURITY).contains("max-age="), "{path}");
        assert_eq!(answer.header("x-request-id".parse().unwrap()).len(), 16, "{path}");
    }
}

#[tokio::test]
async fn hosts_that_a_request_names_are_in_no_answer() {
    let harness = Harness::new();
    let ada = harness.user("ada").await;
    let photo = ada.upload(&jpeg("sea"), json!({})).await;
    for path in ["/photos", "/openapi.json", "/docs", "/docs/", "/docs/swagger-initializer.js", "/healthz", "/nothing"]
    {
        let plain = ada.get(path).await;
        let forged = Call::get(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "gopher")
            .header("forwarded", "host=evil.example");
        let forged = ada.send(forged).await;
        assert_eq!((forged.status, &forged.body), (plain.status, &plain.body), "{path}");
        assert_eq!(forged.header(header::LOCATION), plain.header(header::LOCATION));
    }
    assert!(photo["urls"]["preview"].as_str().unwrap().starts_with("/blobs/"));
    let forgot = Call::post("/forgotpassword").json(json!({"email": ada.email})).header("host", "evil.example");
    harness.send(forgot).await.with_status(StatusCode::ACCEPTED);
    assert!(!harness.mail_to(&ada.email).await.contains("evil"));
}

#[tokio::test]
async fn the_router_works_under_a_path() {
    let harness = Harness::under("/api", HttpSettings::default());
    harness.send(Call::get("/api/healthz")).await.ok();
    harness.send(Call::get("/api/nothing")).await.problem(404, "not-found");
    harness.send(Call::put("/api/photos")).await.problem(405, "method-not-allowed");
    assert_eq!(harness.send(Call::get("/api/docs")).await.header(header::LOCATION), "docs/");
    harness.send(Call::get("/api/openapi.json")).await.ok();
    let bytes = jpeg("sea");
    let sign_up = json!({"email": "ada@example.org", "password": PASSWORD, "name": "Ada"});
    harness.send(Call::post("/api/signup").json(sign_up)).await.with_status(StatusCode::ACCEPTED);
    let mail = harness.mail_to("ada@example.org").await;
    let code = mail.lines().find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit())).unwrap();
    let confirm = json!({"email": "ada@example.org", "code": code});
    harness.send(Call::post("/api/confirmemail").json(confirm)).await.with_status(StatusCode::NO_CONTENT);
    let log_in = json!({"email": "ada@example.org", "password": PASSWORD});
    let token = harness.send(Call::post("/api/login").json(log_in)).await.ok()["token"].as_str().unwrap().to_owned();
    let announce = Call::post("/api/photos").json(crate::harness::announcement(&bytes, json!({}))).bearer(&token);
    let added = harness.send(announce).await.with(StatusCode::CREATED);
    assert!(added["upload"]["url"].as_str().unwrap().starts_with("/api/blobs/incoming/"));
    harness.send(Call::ticket(&added["upload"], &bytes)).await.with_status(StatusCode::NO_CONTENT);
}
