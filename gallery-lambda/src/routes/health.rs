//! Whether the gallery is there and can work.

use axum::extract::State;

use crate::problem::Problem;
use crate::{Shared, wire};

/// Ask whether the gallery runs
#[utoipa::path(get, path = "/healthz", operation_id = "healthz", tag = "health", security(()),
    responses((status = 200, description = "It runs", body = wire::Health)))]
pub(super) async fn alive(State(app): State<Shared>) -> axum::Json<wire::Health> {
    axum::Json(wire::Health { status: "ok", version: app.settings.version.clone() })
}

/// Ask whether the gallery can work
///
/// It can if its store answers, and if that and the place of the bytes take changes, which is tried every 10 seconds at most.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "health", security(()),
    responses((status = 200, description = "It can", body = wire::Health)))]
pub(super) async fn ready(State(app): State<Shared>) -> Result<axum::Json<wire::Health>, Problem> {
    app.gallery.readiness.check().await?;
    Ok(axum::Json(wire::Health { status: "ok", version: app.settings.version.clone() }))
}
