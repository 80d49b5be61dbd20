//! A way to the server on which connections break at messages of one's choice, and which knows what passed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::postgres_server::server;

/// At which side of a message a connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Before the server gets it.
    Request,
    /// After the server has answered it, and before the answer gets anywhere.
    Reply,
}

/// Stands between a store and the server. Dropped, it takes no more connections.
pub(crate) struct Proxy {
    port: u16,
    plan: Plan,
    accepting: JoinHandle<()>,
}

/// When connections break, and what came so far.
#[derive(Clone)]
struct Plan {
    cut: Option<(Cut, usize, usize)>,
    messages: Arc<AtomicUsize>,
    cuts: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    /// Lets connections break at the message of number `offset`, counted over all connections, and at each that comes `stride` later.
    pub(crate) async fn cutting(cut: Cut, offset: usize, stride: usize) -> Self {
        Self::start(Some((cut, offset, stride))).await
    }

    /// Lets everything pass.
    pub(crate) async fn passing() -> Self {
        Self::start(None).await
    }

    async fn start(cut: Option<(Cut, usize, usize)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Plan { cut, messages: Arc::default(), cuts: Arc::default(), requests: Arc::default() };
        let passing = plan.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, passing.clone()));
            }
        });
        Self { port, plan, accepting }
    }

    /// The same way to a database, but through here.
    pub(crate) fn before(&self, database: PgConnectOptions) -> PgConnectOptions {
        database.host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable)
    }

    /// How many connections broke.
    pub(crate) fn cuts(&self) -> usize {
        self.plan.cuts.load(Ordering::Relaxed)
    }

    /// Whether the store sent these characters.
    pub(crate) fn passed(&self, characters: &str) -> bool {
        let requests = self.plan.requests.lock().unwrap();
        requests.windows(characters.len()).any(|window| window == characters.as_bytes())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Passes messages on until the connection ends or is to break. What the client writes in one go counts as one message.
async fn pass_on(mut client: TcpStream, plan: Plan) {
    let to = server();
    let Ok(mut server) = TcpStream::connect((to.get_host(), to.get_port())).await else { return };
    let (mut request, mut reply) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut request) => {
                let Ok(length @ 1..) = read else { return };
                plan.requests.lock().unwrap().extend_from_slice(&request[..length]);
                let number = plan.messages.fetch_add(1, Ordering::Relaxed);
                let cut = plan.cut.and_then(|(cut, offset, stride)| (number % stride == offset).then_some(cut));
                if cut.is_some() {
                    plan.cuts.fetch_add(1, Ordering::Relaxed);
                }
                if cut == Some(Cut::Request) {
                    return;
                }
                if server.write_all(&request[..length]).await.is_err() {
                    return;
                }
                if cut == Some(Cut::Reply) {
                    // The server has done what it was told once it says anything.
                    let _ = server.read(&mut reply).await;
                    return;
                }
            }
            read = server.read(&mut reply) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&reply[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
