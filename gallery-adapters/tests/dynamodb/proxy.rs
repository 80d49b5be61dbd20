//! A way to the server on which requests go wrong as one wishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_dynamodb::config::Builder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::dynamodb_server;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server does not look at it, as there are too many.
    Throttled,
    /// The server refuses it, with this code.
    Refused(&'static str),
    /// The server breaks down before it does anything.
    BrokenBefore,
    /// The server does it, breaks down, and says so.
    BrokenAfter,
    /// The connection breaks before the server has it.
    Cut,
    /// The server does it, and the connection breaks before its answer gets anywhere.
    Lost,
    /// The server does it, and its answer never comes.
    Silence,
}

impl Fault {
    /// Those that pass.
    pub(crate) const PASSING: [Self; 6] =
        [Self::Throttled, Self::BrokenBefore, Self::BrokenAfter, Self::Cut, Self::Lost, Self::Silence];
}

/// Stands between a store and the server. Dropped, it takes no more connections.
pub(crate) struct Proxy {
    port: u16,
    plan: Plan,
    accepting: JoinHandle<()>,
}

/// Which requests go wrong, and how many came so far.
#[derive(Clone)]
struct Plan {
    fault: Fault,
    offset: usize,
    stride: usize,
    requests: Arc<AtomicUsize>,
    faults: Arc<AtomicUsize>,
}

impl Proxy {
    /// Lets the request of number `offset` go wrong, and each that comes `stride` later.
    pub(crate) async fn with(fault: Fault, offset: usize, stride: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Plan { fault, offset, stride, requests: Arc::default(), faults: Arc::default() };
        let passing = plan.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client, passing.clone()));
            }
        });
        Self { port, plan, accepting }
    }

    /// How to reach the server through here.
    pub(crate) fn config(&self) -> Builder {
        dynamodb_server::config().endpoint_url(format!("http://127.0.0.1:{}", self.port))
    }

    /// How many requests went wrong.
    pub(crate) fn faults(&self) -> usize {
        self.plan.faults.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass_on(mut client: TcpStream, plan: Plan) {
    while let Some(request) = message(&mut client).await {
        let number = plan.requests.fetch_add(1, Ordering::Relaxed);
        let fault = (number % plan.stride == plan.offset).then_some(plan.fault);
        plan.faults.fetch_add(usize::from(fault.is_some()), Ordering::Relaxed);
        let answer = match fault {
            None => done(&request).await,
            Some(Fault::Throttled) => refusal("400 Bad Request", "ThrottlingException"),
            Some(Fault::Refused(code)) => refusal("400 Bad Request", code),
            Some(Fault::BrokenBefore) => refusal("500 Internal Server Error", "InternalServerError"),
            Some(Fault::BrokenAfter) => {
                done(&request).await;
                refusal("500 Internal Server Error", "InternalServerError")
            }
            Some(Fault::Cut) => return,
            Some(Fault::Lost) => {
                done(&request).await;
                return;
            }
            Some(Fault::Silence) => {
                done(&request).await;
                std::future::pending::<()>().await;
                return;
            }
        };
        if client.write_all(&answer).await.is_err() {
            return;
        }
    }
}

/// What the server answers.
async fn done(request: &[u8]) -> Vec<u8> {
    let url = dynamodb_server::server();
    let mut server = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    server.write_all(request).await.unwrap();
    message(&mut server).await.expect("the server answers")
}

fn refusal(status: &str, kind: &str) -> Vec<u8> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"as planned"}}"#);
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A whole message of HTTP whose head says how long its body is; none at the end of the connection.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut some = vec![0; 1 << 16];
    loop {
        if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if bytes.len() >= head + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut some).await {
            Ok(read @ 1..) => bytes.extend_from_slice(&some[..read]),
            _ => return None,
        }
    }
}
