//! Requests a second that one core answers: a list page of 50 over HTTP, beside a bare axum "hello" on the same core.
//!
//! The server runs on one thread of its own; clients on another keep 16 connections busy. Both servers are measured turn by turn.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use gallery_domain::{Client, Password};
use gallery_lambda::{App, HttpSettings, router};
use support::{fill, gallery, median};

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 16;
const ROUND: Duration = Duration::from_secs(3);

fn main() {
    let (send, addresses) = std::sync::mpsc::channel();
    std::thread::spawn(move || serve(&send));
    let (hello, list, token) = addresses.recv().expect("the servers start");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (url, rates) in [hello.clone(), list.clone()].iter().zip(&mut rates) {
                rates.push(time_for_a_request(&client, url, &token).await);
            }
        }
        let [hello, list] = rates.map(|times| 1.0 / median(times).as_secs_f64());
        println!("axum hello             {hello:>9.0} requests/s on one core");
        println!("list page of 50        {list:>9.0} requests/s on one core");
        println!("ratio hello / list     {:>9.1}", hello / list);
    });
}

/// Both servers on this thread, for good.
fn serve(ready: &std::sync::mpsc::Sender<(String, String, String)>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let mut bench = gallery(folder.path()).await;
        fill(&mut bench, 1_000).await;
        let password = Password::parse("seventeen green umbrellas").expect("a password");
        let email = "bench@example.org".parse().expect("an address");
        let log_in = bench.gallery.accounts.log_in(&email, &password, &Client::default()).await.expect("a log-in");
        let token = log_in.1.token.expose().to_owned();
        let app = App {
            gallery: bench.gallery.clone(),
            gateway: bench.connected.gateway.clone(),
            settings: HttpSettings::default(),
            on_work: Arc::new(|| ()),
        };
        let hello = listen(Router::new().route("/", get(async || "hello"))).await;
        let list = listen(Router::new().nest("/api", router(app))).await;
        let urls = (format!("http://{hello}/"), format!("http://{list}/api/photos?limit=50"), token);
        ready.send(urls).expect("somebody waits");
        std::future::pending::<()>().await;
    });
}

async fn listen(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async { axum::serve(listener, service).await });
    address
}

/// Asks for a while on all connections; how long the server took for each request.
async fn time_for_a_request(client: &reqwest::Client, url: &str, token: &str) -> Duration {
    let start = Instant::now();
    let connections = (0..CONNECTIONS).map(|_| async {
        let mut answered = 0_u32;
        while start.elapsed() < ROUND {
            let response = client.get(url).bearer_auth(token).send().await.expect("an answer");
            assert!(response.status().is_success(), "{}", response.status());
            response.bytes().await.expect("a body");
            answered += 1;
        }
        answered
    });
    let answered: u32 = futures_util::future::join_all(connections).await.into_iter().sum();
    start.elapsed() / answered.max(1)
}
