//! The page to browse the API.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::Shared;
use crate::problem::Problem;
use crate::request::Mount;
use crate::routes::nothing_here;

/// Serves it under `/docs/`.
pub(super) fn add_to(routes: Router<Shared>) -> Router<Shared> {
    routes
        // Relative to the address of this call, wherever the router is mounted.
        .route("/docs", get(|| async { (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "docs/")]) }))
        .route("/docs/", get(async |mount: Mount| page("index.html", &mount)))
        .route("/docs/{*file}", get(async |mount: Mount, Path(file): Path<String>| page(&file, &mount)))
}

/// The page runs its own code and styles only, and fetches from its own origin only.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn page(file: &str, mount: &Mount) -> Response {
    // The validator is another host's.
    let config = Config::from("../openapi.json").validator_url("none");
    match utoipa_swagger_ui::serve(file, Arc::new(config)) {
        Ok(Some(file)) => {
            let encoding = file.gzpipped.then_some((header::CONTENT_ENCODING, "gzip"));
            let headers = [
                (header::CONTENT_TYPE, file.content_type),
                (header::CONTENT_SECURITY_POLICY, PAGE_POLICY.to_owned()),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
            ];
            (headers, axum::response::AppendHeaders(encoding), file.bytes.into_owned()).into_response()
        }
        Ok(None) => nothing_here(mount).into_response(),
        Err(error) => {
            tracing::error!(error = error.to_string(), "the documentation page could not be made");
            Problem::internal().into_response()
        }
    }
}
