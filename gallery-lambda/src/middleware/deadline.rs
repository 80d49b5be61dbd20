//! No request runs for ever.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use gallery_domain::GalleryError;
use gallery_domain::ports::BackendFailure;

use crate::problem::Problem;

const DEADLINE: Duration = Duration::from_secs(60);

/// Gives up on a request after a minute. Every use case can be cut short anywhere: what it began, the worker ends.
pub(crate) async fn within_a_minute(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(elapsed) => {
            Problem::from(GalleryError::from(BackendFailure::transient("gallery", "answer in time", elapsed)))
                .into_response()
        }
    }
}
