//! A way to a service of AWS on which requests go wrong as planned.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::TRANSFER_ENCODING;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

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

/// Who is behind a proxy, and so how it says no.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Service {
    DynamoDb,
    S3,
    Cognito,
    Ses,
}

/// Which requests go wrong, and how many came so far. Several proxies may have one plan: then their requests count together.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    state: Mutex<State>,
    silence: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: usize,
    faults: usize,
    planned: Option<Planned>,
}

#[derive(Clone, Copy, Debug)]
struct Planned {
    fault: Fault,
    offset: usize,
    /// Without one it happens once.
    stride: Option<usize>,
}

impl Plan {
    /// Lets the request of number `offset` go wrong, and each that comes `stride` later.
    pub(crate) fn every(fault: Fault, offset: usize, stride: usize) -> Arc<Self> {
        let plan = Self::default();
        plan.lock().planned = Some(Planned { fault, offset, stride: Some(stride) });
        Arc::new(plan)
    }

    /// Counts anew, and lets one request go wrong.
    pub(crate) fn once(&self, fault: Fault, number: usize) {
        *self.lock() = State { planned: Some(Planned { fault, offset: number, stride: None }), ..State::default() };
    }

    /// Counts anew, and lets nothing go wrong.
    pub(crate) fn never(&self) {
        *self.lock() = State::default();
    }

    pub(crate) fn requests(&self) -> usize {
        self.lock().requests
    }

    /// How many requests went wrong.
    pub(crate) fn faults(&self) -> usize {
        self.lock().faults
    }

    /// Waits until a request gets no answer.
    pub(crate) async fn silenced(&self) {
        self.silence.notified().await;
    }

    fn fault_of_next(&self) -> Option<Fault> {
        let mut state = self.lock();
        let number = state.requests;
        state.requests += 1;
        let fault = state.planned.filter(|planned| match planned.stride {
            Some(stride) => number % stride == planned.offset,
            None => number == planned.offset,
        });
        state.faults += usize::from(fault.is_some());
        fault.map(|planned| planned.fault)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stands between an adapter and a server. Dropped, it takes no more connections.
pub(crate) struct Proxy {
    port: u16,
    plan: Arc<Plan>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// A way to the server at an HTTP URL.
    pub(crate) async fn to(server: &str, service: Service, plan: Arc<Plan>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Way {
            server: server.trim_end_matches('/').to_owned(),
            service,
            plan: plan.clone(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        };
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let way = way.clone();
                tokio::spawn(async move {
                    let pass_on = service_fn(|request| way.pass_on(request));
                    // A connection that breaks is what was planned, or what a client does that goes away.
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(client), pass_on)
                        .await;
                });
            }
        });
        Self { port, plan, accepting }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How many requests went wrong.
    pub(crate) fn faults(&self) -> usize {
        self.plan.faults()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

#[derive(Clone)]
struct Way {
    server: String,
    service: Service,
    plan: Arc<Plan>,
    client: Client<HttpConnector, Full<Bytes>>,
}

type Answer = Response<Full<Bytes>>;

impl Way {
    async fn pass_on(&self, request: Request<Incoming>) -> io::Result<Answer> {
        let cut = || io::Error::from(io::ErrorKind::ConnectionReset);
        let (mut head, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| cut())?.to_bytes();
        let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
        // The name of the host stays as it was signed.
        head.uri = format!("{}{target}", self.server).parse::<Uri>().expect("a URL");
        let request = Request::from_parts(head, Full::new(body));
        let fault = self.plan.fault_of_next();
        match fault {
            None => Ok(self.done(request).await),
            Some(Fault::Throttled) => Ok(self.service.throttles()),
            Some(Fault::Refused(code)) => Ok(self.service.says(StatusCode::BAD_REQUEST, code)),
            Some(Fault::BrokenBefore) => Ok(self.service.breaks()),
            Some(Fault::BrokenAfter) => {
                self.done(request).await;
                Ok(self.service.breaks())
            }
            Some(Fault::Cut) => Err(cut()),
            Some(Fault::Lost) => {
                self.done(request).await;
                Err(cut())
            }
            Some(Fault::Silence) => {
                self.done(request).await;
                self.plan.silence.notify_one();
                std::future::pending().await
            }
        }
    }

    /// What the server answers.
    async fn done(&self, request: Request<Full<Bytes>>) -> Answer {
        let answer = self.client.request(request).await.expect("the server answers");
        let (mut head, body) = answer.into_parts();
        // The whole body is here, and its length known.
        head.headers.remove(TRANSFER_ENCODING);
        Response::from_parts(head, Full::new(body.collect().await.expect("the server ends its answer").to_bytes()))
    }
}

impl Service {
    fn throttles(self) -> Answer {
        match self {
            Self::DynamoDb => self.says(StatusCode::BAD_REQUEST, "ThrottlingException"),
            Self::S3 => self.says(StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Self::Cognito => self.says(StatusCode::BAD_REQUEST, "TooManyRequestsException"),
            Self::Ses => self.says(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
        }
    }

    fn breaks(self) -> Answer {
        let code = match self {
            Self::DynamoDb => "InternalServerError",
            Self::S3 => "InternalError",
            Self::Cognito => "InternalErrorException",
            Self::Ses => "InternalServiceErrorException",
        };
        self.says(StatusCode::INTERNAL_SERVER_ERROR, code)
    }

    fn says(self, status: StatusCode, code: &str) -> Answer {
        let (kind, body) = match self {
            Self::DynamoDb => (
                "application/x-amz-json-1.0",
                format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"as planned"}}"#),
            ),
            Self::Cognito => ("application/x-amz-json-1.1", format!(r#"{{"__type":"{code}","message":"as planned"}}"#)),
            Self::Ses => ("application/json", r#"{"message":"as planned"}"#.to_owned()),
            Self::S3 => ("application/xml", format!("<Error><Code>{code}</Code><Message>as planned</Message></Error>")),
        };
        Response::builder()
            .status(status)
            .header("content-type", kind)
            .header("x-amzn-errortype", code)
            .body(Full::new(body.into()))
            .expect("it is an answer")
    }
}
