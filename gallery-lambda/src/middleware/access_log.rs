//! One line for each request. Never in it: e-mail addresses, tokens, query strings, file names, places.

use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use gallery_domain::UserId;
use tracing::Instrument;

use crate::problem::Problem;
use crate::session_auth::Who;

/// Gives the request an id, which its answer carries and every line logged on its behalf; logs the route as a template, not what stood in it.
pub(super) async fn log(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (id, who) = (request_id(), Who::default());
    let method = request.method().clone();
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched".to_owned(), |path| path.as_str().to_owned());
    request.extensions_mut().insert(who.clone());
    let span = tracing::info_span!("request", request_id = id);
    let mut response = next.run(request).instrument(span).await;
    tracing::info!(
        target: "gallery::access",
        request_id = id,
        method = method.as_str(),
        route,
        status = response.status().as_u16(),
        latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        user = who.0.get().map(UserId::for_logs),
        "request"
    );
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// Answers a problem where a handler panicked.
pub(super) async fn catch_panics(request: Request, next: Next) -> Response {
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!("a handler panicked");
            Problem::internal().into_response()
        }
    }
}

/// 16 hexadecimal digits. What a client sends as an id is not taken over: it would write into the log what it likes.
fn request_id() -> String {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}", KEYS.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
}
