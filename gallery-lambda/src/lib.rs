//! Driving adapters of the photo gallery: the HTTP router, which every way of running shares.
//!
//! [`router`] gives an [`axum::Router`] that can stand at the root of an origin or be nested under any path; [`run_worker`] does what outlasts a
//! request. A gallery needs both:
//!
//! ```no_run
//! use std::net::SocketAddr;
//! use std::sync::Arc;
//!
//! use gallery_adapters::config::GalleryConfig;
//! use gallery_adapters::connect::connect;
//! use gallery_domain::services::{Gallery, Policy};
//! use gallery_lambda::{App, HttpSettings, router, run_worker};
//! use tokio::sync::Notify;
//!
//! async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//!     // The adapters that the environment chooses. Where these keep bytes themselves, they are served under this path.
//!     let config = GalleryConfig::from_lookup(|name| std::env::var(name).ok())?;
//!     let connected = connect(&config, "/photos/blobs").await?;
//!     let gallery = Gallery::new(connected.ports.clone(), Policy::default());
//!
//!     let wake = Arc::new(Notify::new());
//!     let worker = tokio::spawn(run_worker(gallery.clone(), Arc::clone(&wake), stop()));
//!     let app = App {
//!         gallery,
//!         gateway: connected.gateway.clone(),
//!         settings: HttpSettings::default(),
//!         on_work: Arc::new(move || wake.notify_one()),
//!     };
//!     let service = axum::Router::new().nest("/photos", router(app));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     // With the address of whoever connects, attempts to log in are counted by where they come from.
//!     let service = service.into_make_service_with_connect_info::<SocketAddr>();
//!     axum::serve(listener, service).with_graceful_shutdown(stop()).await?;
//!
//!     worker.await?;
//!     connected.settle().await;
//!     Ok(())
//! }
//!
//! /// Ends when the program is to end.
//! async fn stop() {
//!     std::future::pending().await
//! }
//! ```

#[cfg(feature = "cli")]
pub mod cli;
mod cursor;
mod etag;
#[cfg(feature = "lambda")]
pub mod lambda;
#[cfg(any(feature = "cli", feature = "lambda"))]
mod log_lines;
mod middleware;
#[cfg(any(feature = "cli", feature = "lambda"))]
mod origins;
mod problem;
mod request;
mod routes;
mod session_auth;
mod wire;
mod worker;

use std::sync::Arc;

use axum::Router;
use gallery_domain::ports::SignedBlobGateway;
use gallery_domain::services::Gallery;

pub use crate::worker::run_worker;

/// What the router serves.
#[derive(Clone)]
pub struct App {
    /// The gallery.
    pub gallery: Gallery,
    /// The other end of signed URLs, where the blob store has no HTTP endpoint of its own: served under `/blobs`.
    pub gateway: Option<Arc<dyn SignedBlobGateway>>,
    /// How to behave on HTTP.
    pub settings: HttpSettings,
    /// Called after a request left work behind: wakes a worker that waits. Must not block.
    pub on_work: Arc<dyn Fn() + Send + Sync>,
}

/// How to behave on HTTP.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Origins, such as `https://photos.example.org`, whose pages may call the API with a bearer token. None by default.
    pub allowed_origins: Vec<String>,
    /// Where people reach the gallery, such as `https://photos.example.org`: a changing request with the session cookie is refused when its `Origin`
    /// is another. Without it, `Origin` is compared with `Host`.
    pub public_url: Option<String>,
    /// Whether the session cookie is `__Host-session` and goes over TLS only. Without it the cookie is `session`: for plain HTTP on one machine.
    pub secure_cookies: bool,
    /// Whether the last address in `X-Forwarded-For` is where a request comes from: only behind a proxy that sets it.
    pub trust_forwarded_for: bool,
    /// Whether asking for a photo whose bytes went past the gallery has them looked into. Not where somebody else tells that they have come, as the
    /// events of a bucket do: then a worker looks.
    pub look_into_uploads: bool,
    /// The version that `/healthz` and the API document tell.
    pub version: String,
}

impl Default for HttpSettings {
    /// For plain HTTP on one machine.
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            public_url: None,
            secure_cookies: false,
            trust_forwarded_for: false,
            look_into_uploads: true,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The HTTP API of a gallery.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    let routes = routes::documented().split_for_parts().0;
    let routes = routes.merge(routes::documentation::pages(app.settings.version.clone()));
    let routes = routes.fallback(routes::unknown_path).method_not_allowed_fallback(routes::unknown_method);
    middleware::around(routes, &app).with_state(app)
}

/// The OpenAPI 3.1 document of [`router`].
pub fn openapi(version: &str) -> utoipa::openapi::OpenApi {
    routes::documentation::complete(routes::documented().split_for_parts().1, version)
}

/// What handlers are given.
pub(crate) type Shared = Arc<App>;
