//! Pages of other origins, where the configuration names them.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::HttpSettings;

/// Allows calls from the configured origins, with a bearer token and never with cookies; `None` if there are none.
pub(super) fn layer(settings: &HttpSettings) -> Option<CorsLayer> {
    let origins = settings.allowed_origins.iter().filter_map(|origin| origin.trim_end_matches('/').parse().ok());
    let origins: Vec<HeaderValue> = origins.filter(|origin| origin != "*").collect();
    if origins.is_empty() {
        return None;
    }
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::RANGE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-checksum-sha256"),
        ])
        .expose_headers([
            header::ETAG,
            header::LOCATION,
            header::RETRY_AFTER,
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(Duration::from_secs(3600));
    Some(layer)
}
