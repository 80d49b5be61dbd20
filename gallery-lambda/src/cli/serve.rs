//! `gallery serve`.

use std::future::IntoFuture;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use gallery_adapters::config::GalleryConfig;
use gallery_domain::{PageRequest, PageSize};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::console::{explain, say};
use super::interruption::Interruption;
use super::opened::{Opened, configure, configure_at};
use super::settings::Settings;
use crate::{App, HttpSettings, router, run_worker};

pub(super) async fn run(settings: Settings, data: &Path) -> anyhow::Result<ExitCode> {
    let public = configure(data)?.public_url;
    let listener = bind(&settings.listen).await?;
    let here = format!("http://{}/", reachable(listener.local_addr()?));
    // Links in mails have to lead to this very server, whichever port it got.
    let config = configure_at(data, &here)?;
    let settings = HttpSettings {
        allowed_origins: settings.allowed_origins,
        secure_cookies: public.as_ref().is_some_and(|url| url.scheme() == "https"),
        public_url: public.map(|url| url.origin().ascii_serialization()),
        trust_forwarded_for: settings.behind_proxy,
        ..HttpSettings::default()
    };
    let opened = Opened::open(config).await?;
    let interruption = Interruption::listen()?;
    let poke = Arc::new(Notify::new());
    let worker = {
        let mut interruption = interruption.clone();
        let stop = async move { interruption.wanted().await };
        tokio::spawn(run_worker(opened.gallery.clone(), Arc::clone(&poke), stop))
    };
    let app = App {
        gallery: opened.gallery.clone(),
        gateway: opened.connected.gateway.clone(),
        settings,
        on_work: Arc::new(move || poke.notify_one()),
    };
    let blobs_at = opened.connected.blob_origin.clone();
    let page = move |request: Request| std::future::ready(site(&request, blobs_at.as_deref()));
    let service = Router::new().nest("/api", router(app)).fallback(page);

    let greeting = greeting(&opened, &here).await?;
    // Whoever reads it may have gone, as `head` does: no reason not to serve.
    let _ = say(greeting);
    serve(listener, service, interruption).await?;
    // The worker stops after the item it is at; what is cut off is continued by the next one.
    if timeout(GRACE, worker).await.is_err() {
        tracing::warn!("the worker did not end in time: its item is continued after the next start");
    }
    opened.close().await;
    Ok(ExitCode::SUCCESS)
}

/// How long requests and the worker have to end once somebody wants the program to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until somebody wants it to stop; then takes no more connections, and gives the requests under way some time to end.
async fn serve(listener: TcpListener, service: Router, interruption: Interruption) -> anyhow::Result<()> {
    let (mut stop, mut overdue) = (interruption.clone(), interruption);
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move { stop.wanted().await });
    tokio::select! {
        ended = serving.into_future() => ended.context("the server broke down"),
        () = async { overdue.wanted().await; sleep(GRACE).await } => {
            tracing::warn!("requests took longer than {} s to end and were cut off", GRACE.as_secs());
            Ok(())
        }
    }
}

async fn bind(listen: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}")).map_err(|error| {
        match error.root_cause().downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(ErrorKind::AddrInUse) => anyhow::anyhow!(
                "another program listens on {listen} already, perhaps another gallery: stop it, or choose another port with \
                 `--listen 127.0.0.1:0`, where 0 picks a free one"
            ),
            Some(ErrorKind::PermissionDenied) => {
                anyhow::anyhow!("only an administrator may listen on {listen}: choose a port above 1023 with --listen")
            }
            _ => error,
        }
    })
}

/// What to open in a browser on this machine; "every address" is none.
fn reachable(address: SocketAddr) -> String {
    if address.ip().is_unspecified() { format!("localhost:{}", address.port()) } else { address.to_string() }
}

/// Where the gallery is, and what to do next in an empty one.
async fn greeting(opened: &Opened, here: &str) -> anyhow::Result<String> {
    let anybody = opened.gallery.accounts.list(PageRequest::first(PageSize::default())).await.map_err(explain)?;
    let address = format!("Gallery is at {here}");
    if !anybody.items.is_empty() {
        return Ok(address);
    }
    let (code, data) = (where_the_code_is(&opened.config), opened.config.data.display());
    Ok(format!(
        "{address}\nIt is empty. To begin:\n  1. Open that address in a browser and sign up.\n  2. {code}\n  \
         3. Add photos on the page, or a whole folder: gallery import FOLDER --data {data}"
    ))
}

fn where_the_code_is(config: &GalleryConfig) -> String {
    match config.mail.folder() {
        Some(folder) => format!("The code to confirm your address is in the newest file of {}/", folder.display()),
        None => "The code to confirm your address comes by mail.".to_owned(),
    }
}

fn site(request: &Request, blobs_at: Option<&str>) -> Response {
    gallery_site::respond(request, blobs_at).map(Body::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_shown_as_one_that_a_browser_can_open() {
        assert_eq!(reachable("0.0.0.0:8080".parse().unwrap()), "localhost:8080");
        assert_eq!(reachable("[::1]:8080".parse().unwrap()), "[::1]:8080");
    }
}
