//! A gallery behind its router, and requests to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use gallery_adapters::password_identity::{IdentityPorts, PasswordIdentity};
use gallery_domain::memory::faulty::Plan;
use gallery_domain::memory::{ManualClock, MemoryBlobs, MemoryImages, MemoryMailer, SequentialIds};
use gallery_domain::ports::Repositories;
use gallery_domain::services::{Gallery, Policy, Ports, SignUp};
use gallery_domain::{Password, PersonName, Sha256Digest};
use gallery_lambda::{App, HttpSettings, router};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::store::Store;

pub(crate) const PASSWORD: &str = "a quiet walk along the shore";

pub(crate) struct Harness {
    pub(crate) gallery: Gallery,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) mailer: Arc<MemoryMailer>,
    pub(crate) identity: Arc<PasswordIdentity>,
    pub(crate) pokes: Arc<AtomicUsize>,
    /// The ports as they are; the gallery has them with what the plan says.
    pub(crate) ports: Ports,
    pub(crate) plan: Arc<Plan>,
    pub(crate) router: Router,
    _store: Option<Store>,
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with(HttpSettings::default())
    }

    pub(crate) fn with(settings: HttpSettings) -> Self {
        Self::under("", settings)
    }

    /// The router under a path.
    pub(crate) fn under(path: &str, settings: HttpSettings) -> Self {
        let store = Store::new();
        let harness = Self::over(store.repositories.clone(), path, settings);
        Self { _store: Some(store), ..harness }
    }

    /// One of the processes over a store.
    pub(crate) fn over(repositories: Repositories, path: &str, settings: HttpSettings) -> Self {
        let clock = Arc::new(ManualClock::new("2024-06-15T12:00:00Z".parse().unwrap()));
        let ids = Arc::new(SequentialIds::new());
        let mailer = Arc::new(MemoryMailer::new());
        let blobs = Arc::new(MemoryBlobs::new(ids.clone(), &format!("{path}/blobs")));
        let identity_ports = IdentityPorts {
            credentials: repositories.credentials.clone(),
            sessions: repositories.sessions.clone(),
            rate_limiter: repositories.rate_limiter.clone(),
            mailer: mailer.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let site = "http://127.0.0.1:8080/".parse().unwrap();
        let identity = Arc::new(PasswordIdentity::new(identity_ports, site));
        let ports = Ports {
            repositories,
            blobs: blobs.clone(),
            uploads: blobs.clone(),
            identity: identity.clone(),
            images: Arc::new(MemoryImages),
            clock: clock.clone(),
            ids,
        };
        let plan = Arc::new(Plan::default());
        let gallery = Gallery::new(plan.faulty_ports(&ports), Policy::default());
        let pokes = Arc::new(AtomicUsize::new(0));
        let counted = pokes.clone();
        let on_work = Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let app = App { gallery: gallery.clone(), gateway: Some(blobs), settings, on_work };
        let router = if path.is_empty() { router(app) } else { Router::new().nest(path, router(app)) };
        Self { gallery, clock, mailer, identity, pokes, ports, plan, router, _store: None }
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        let response = self.router.clone().oneshot(call.request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Somebody with an account, logged in with a bearer token.
    pub(crate) async fn user(&self, name: &str) -> User<'_> {
        let email = format!("{name}@example.org");
        let sign_up = SignUp {
            email: email.parse().unwrap(),
            password: Password::parse(PASSWORD).unwrap(),
            name: PersonName::parse(name).unwrap(),
        };
        self.gallery.accounts.create_confirmed(&sign_up).await.unwrap();
        self.log_in(&email, PASSWORD).await
    }

    pub(crate) async fn log_in(&self, email: &str, password: &str) -> User<'_> {
        let answer = self.send(Call::post("/login").json(json!({"email": email, "password": password}))).await.ok();
        let token = answer["token"].as_str().unwrap().to_owned();
        User { harness: self, email: email.to_owned(), token }
    }

    /// Waits until work was left behind or done once more than `before`.
    pub(crate) async fn poked(&self, before: usize) {
        while self.pokes.load(Ordering::SeqCst) <= before {
            tokio::task::yield_now().await;
        }
    }

    /// The latest mail to an address.
    pub(crate) async fn mail_to(&self, email: &str) -> String {
        self.identity.settle().await;
        let sent = self.mailer.sent();
        sent.into_iter().rfind(|mail| mail.to.as_str() == email).expect("a mail was sent").text
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
    }
}

pub(crate) struct User<'a> {
    pub(crate) harness: &'a Harness,
    pub(crate) email: String,
    pub(crate) token: String,
}

impl User<'_> {
    pub(crate) async fn send(&self, call: Call) -> Answer {
        self.harness.send(call.bearer(&self.token)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Call::get(path)).await
    }

    /// Announces a photo of these bytes, uploads them and waits until they were looked into; the photo in full.
    pub(crate) async fn upload(&self, bytes: &[u8], more: Value) -> Value {
        let added = self.send(Call::post("/photos").json(announcement(bytes, more))).await.with(StatusCode::CREATED);
        self.harness.send(Call::ticket(&added["upload"], bytes)).await.with_status(StatusCode::NO_CONTENT);
        self.settled(added["photo"]["id"].as_str().unwrap()).await
    }

    pub(crate) async fn settled(&self, id: &str) -> Value {
        loop {
            let photo = self.get(&format!("/photos/{id}")).await.ok();
            if !["uploading", "processing"].contains(&photo["state"].as_str().unwrap()) {
                return photo;
            }
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn album(&self, title: &str) -> Value {
        self.send(Call::post("/albums").json(json!({"title": title}))).await.with(StatusCode::CREATED)
    }
}

/// Bytes that the images in memory take for a JPEG.
pub(crate) fn jpeg(text: &str) -> Vec<u8> {
    let mut bytes = b"\xFF\xD8\xFF\xE0".to_vec();
    bytes.extend(format!("{text:.<40}").bytes());
    bytes
}

/// The body that announces a file, with these fields more or other.
pub(crate) fn announcement(bytes: &[u8], more: Value) -> Value {
    let mut body = json!({
        "fileName": "IMG_1234.jpg", "contentType": "image/jpeg", "size": bytes.len(),
        "sha256": Sha256Digest::of(bytes).to_string(),
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

pub(crate) struct Call {
    request: Request<Body>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { request: Request::builder().method(method).uri(path).body(Body::empty()).unwrap() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn patch(path: &str) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub(crate) fn put(path: &str) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// What an upload ticket says to send.
    pub(crate) fn ticket(upload: &Value, bytes: &[u8]) -> Self {
        let method = Method::from_bytes(upload["method"].as_str().unwrap().as_bytes()).unwrap();
        let mut call = Self::new(method, upload["url"].as_str().unwrap()).bytes(bytes.to_vec());
        for (name, value) in upload["headers"].as_object().unwrap() {
            call = call.header(name, value.as_str().unwrap());
        }
        call
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.header_value(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
    }

    pub(crate) fn header_value(mut self, name: &str, value: HeaderValue) -> Self {
        self.request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        self
    }

    /// Comes from an address.
    pub(crate) fn peer(mut self, address: &str) -> Self {
        let peer = SocketAddr::new(address.parse().unwrap(), 40_000);
        self.request.extensions_mut().insert(ConnectInfo(peer));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: Value) -> Self {
        self.text(&body.to_string())
    }

    /// A body that says it is JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        self.bytes(body.to_owned()).header("content-type", "application/json")
    }

    pub(crate) fn bytes(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON of a 200.
    pub(crate) fn ok(&self) -> Value {
        self.with(StatusCode::OK)
    }

    /// The JSON of an answer that has to have this status.
    pub(crate) fn with(&self, status: StatusCode) -> Value {
        self.with_status(status);
        self.json()
    }

    pub(crate) fn with_status(&self, status: StatusCode) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The problem of an answer that has to be one of this status and kind.
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["type"], format!("urn:gallery:problem:{kind}"), "{problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().ends_with(['.', ':']), "{problem}");
        problem
    }

    /// The pointers of the fields that were refused.
    pub(crate) fn refused(&self, status: u16) -> Vec<String> {
        let problem = self.problem(status, if status == 415 { "unsupported-media-type" } else { "invalid" });
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn header(&self, name: HeaderName) -> &str {
        self.headers.get(&name).map_or("", |value| value.to_str().unwrap())
    }
}
