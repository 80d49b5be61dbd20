//! What stands around every route.

mod access_log;
mod cross_origin;
mod deadline;
mod security_headers;

use axum::{Router, middleware};

pub(crate) use self::deadline::within_a_minute;
use crate::{App, Shared};

/// The routes with everything around them; the access log is outermost, so that it sees every answer as it is sent.
pub(crate) fn around(routes: Router<Shared>, app: &App) -> Router<Shared> {
    let routes = match cross_origin::layer(&app.settings) {
        Some(layer) => routes.layer(layer),
        None => routes,
    };
    let secure = app.settings.secure_cookies;
    routes
        .layer(middleware::from_fn(access_log::catch_panics))
        .layer(middleware::from_fn(move |request, next| security_headers::add(secure, request, next)))
        .layer(middleware::from_fn(access_log::log))
}
