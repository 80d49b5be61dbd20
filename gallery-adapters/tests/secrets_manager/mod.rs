//! A stand-in for AWS Secrets Manager on this machine, which has one secret.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// Answers every request for a secret alike, until it is told otherwise. Ends with the process.
pub(crate) struct SecretsManager {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct State {
    status: u16,
    answer: Value,
    requests: Vec<Request>,
}

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The header `Authorization`.
    pub(crate) authorization: String,
    /// The body.
    pub(crate) body: Value,
}

impl SecretsManager {
    /// One that has this secret.
    pub(crate) fn with(secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("it listens").port();
        let state = Arc::new(Mutex::new(State { status: 200, answer: json!({}), requests: Vec::new() }));
        let serving = state.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = serving.clone();
                // Whoever breaks off is not answered.
                thread::spawn(move || serve(&client, &state));
            }
        });
        let stub = Self { port, state };
        stub.keep(secret);
        stub
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Has another secret from now on.
    pub(crate) fn keep(&self, secret: &str) {
        self.answer(200, json!({ "ARN": "arn:of:it", "Name": "it", "VersionId": "1", "SecretString": secret }));
    }

    /// Refuses from now on, in this way.
    pub(crate) fn refuse(&self, status: u16, kind: &str) {
        self.answer(status, json!({ "__type": kind, "Message": "no" }));
    }

    /// Answers so from now on.
    pub(crate) fn answer(&self, status: u16, answer: Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.status, state.answer) = (status, answer);
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).requests.clone()
    }
}

fn serve(client: &TcpStream, state: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(client);
    loop {
        let (mut length, mut authorization, mut target) = (0, String::new(), String::new());
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                // The line of the request, or the empty one at the end of the headers.
                if line.trim_end().is_empty() {
                    break;
                }
                continue;
            };
            match &*name.to_ascii_lowercase() {
                "content-length" => length = value.parse().ok()?,
                "authorization" => authorization = value.to_owned(),
                "x-amz-target" => target = value.to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let body = serde_json::from_slice(&body).ok()?;
        let (status, answer) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.requests.push(Request { authorization, body });
            match &*target {
                "secretsmanager.GetSecretValue" => (state.status, state.answer.to_string()),
                _ => (400, json!({ "__type": "UnknownOperationException" }).to_string()),
            }
        };
        let head = format!(
            "HTTP/1.1 {status} .\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        (&mut &*client).write_all(format!("{head}{answer}").as_bytes()).ok()?;
    }
}
