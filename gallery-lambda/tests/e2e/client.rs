//! Somebody who uses the HTTP API.

use std::path::Path;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::program::{PASSWORD, Server, files};

/// Somebody who uses the API, logged in or not.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
}

/// The server did not answer: it is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl From<reqwest::Error> for Gone {
    fn from(_: reqwest::Error) -> Self {
        Self
    }
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        Self { http: reqwest::Client::new(), url: server.url.clone(), token: None }
    }

    /// The same person after the server was started again.
    pub(crate) fn at(&self, server: &Server) -> Self {
        Self { http: reqwest::Client::new(), url: server.url.clone(), token: self.token.clone() }
    }

    /// Calls the API; the answer as it comes.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<reqwest::Response, Gone> {
        let mut request = self.http.request(method, format!("{}/api{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?)
    }

    /// Calls the API; the status and the JSON of the answer, `null` where there is none.
    pub(crate) async fn try_call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), Gone> {
        let answer = self.send(method, path, body).await?;
        let status = answer.status();
        let bytes = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// Calls the API of a server that is there.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.try_call(method, path, body).await.expect("the server answers")
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.call(Method::GET, path, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }

    /// Signs up, confirms with the code from the outbox, and logs in.
    pub(crate) async fn join(&mut self, email: &str, data: &Path) {
        let sign_up = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        let (status, answer) = self.call(Method::POST, "/signup", Some(sign_up)).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        let code = code_for(email, data).await;
        let (status, answer) =
            self.call(Method::POST, "/confirmemail", Some(json!({ "email": email, "code": code }))).await;
        assert!(status.is_success(), "{answer}");
        self.log_in(email).await;
    }

    pub(crate) async fn log_in(&mut self, email: &str) {
        let (status, answer) =
            self.call(Method::POST, "/login", Some(json!({ "email": email, "password": PASSWORD }))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        self.token = Some(answer["token"].as_str().expect("a token").to_owned());
    }

    /// Announces a photo and sends its bytes; its id once both were acknowledged.
    pub(crate) async fn try_upload(&self, name: &str, bytes: &[u8]) -> Result<String, Gone> {
        let (id, request) = self.announce(name, bytes).await?;
        let answer = request.body(bytes.to_vec()).send().await?;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{}", answer.text().await?);
        Ok(id)
    }

    /// What the server answers to the bytes of a photo that it expects.
    pub(crate) async fn answer_to_upload(&self, bytes: &[u8]) -> (StatusCode, Value) {
        let (_, request) = self.announce("photo.jpg", bytes).await.expect("the server answers");
        let answer = request.body(bytes.to_vec()).send().await.expect("the server answers");
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    /// Uploads a photo, and does something while half of it is sent.
    pub(crate) async fn upload_with_a_pause(&self, bytes: &[u8], pause: impl FnOnce() + Send + 'static) -> String {
        let (id, request) = self.announce("photo.jpg", bytes).await.expect("the server answers");
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let (first, second) = (first.to_vec(), second.to_vec());
        let first = futures_util::stream::once(async move { Ok::<_, std::io::Error>(first) });
        let second = futures_util::stream::once(async move {
            // Time for the first half to arrive, and after the pause for the server to take note of it.
            tokio::time::sleep(Duration::from_millis(300)).await;
            pause();
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(second)
        });
        let body = reqwest::Body::wrap_stream(futures_util::StreamExt::chain(first, second));
        let answer = request.header("content-length", bytes.len()).body(body).send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        id
    }

    /// What the server answers to any body under the URL for the bytes of a photo; nothing if it hangs up while the body is sent.
    pub(crate) async fn status_of_body_for_an_upload(
        &self,
        announced: &[u8],
        length: Option<usize>,
        body: reqwest::Body,
    ) -> Option<StatusCode> {
        let (_, mut request) = self.announce("photo.jpg", announced).await.expect("the server answers");
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        request.body(body).send().await.ok().map(|answer| answer.status())
    }

    /// What the server answers to any body; nothing if it hangs up while the body is sent.
    pub(crate) async fn status_of_body(&self, method: Method, path: &str, body: reqwest::Body) -> Option<StatusCode> {
        let request = self.http.request(method, format!("{}/api{path}", self.url)).bearer_auth(self.token.as_ref()?);
        let answer = request.header("content-type", "application/json").body(body).send().await;
        answer.ok().map(|answer| answer.status())
    }

    /// Announces a photo; its id, and the request that wants its bytes.
    async fn announce(&self, name: &str, bytes: &[u8]) -> Result<(String, reqwest::RequestBuilder), Gone> {
        self.announce_as(name, "image/jpeg", bytes).await
    }

    pub(crate) async fn announce_as(
        &self,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<(String, reqwest::RequestBuilder), Gone> {
        let mut announced = announcement(name, bytes);
        announced["contentType"] = media_type.into();
        let (status, answer) = self.try_call(Method::POST, "/photos", Some(announced)).await?;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        Ok((answer["photo"]["id"].as_str().expect("an id").to_owned(), self.expected(&answer["upload"])))
    }

    /// A URL that the API answered, which may be on its own origin.
    fn whole(&self, url: &str) -> String {
        if url.starts_with('/') { format!("{}{url}", self.url) } else { url.to_owned() }
    }

    /// The request that an upload ticket wants the bytes by.
    pub(crate) fn expected(&self, upload: &Value) -> reqwest::RequestBuilder {
        let url = upload["url"].as_str().expect("a URL");
        let mut request = self.http.put(self.whole(url));
        // The length is sent with the body.
        for (name, value) in
            upload["headers"].as_object().expect("headers").iter().filter(|it| it.0 != "content-length")
        {
            request = request.header(name, value.as_str().expect("a header"));
        }
        request
    }

    /// Uploads a file that says it is of a type; its id once its bytes were acknowledged.
    pub(crate) async fn upload_as(&self, name: &str, media_type: &str, bytes: &[u8]) -> String {
        let (id, request) = self.announce_as(name, media_type, bytes).await.expect("the server answers");
        let answer = request.body(bytes.to_vec()).send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{name}");
        id
    }

    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> String {
        self.try_upload(name, bytes).await.expect("the server answers")
    }

    /// The photo once it is ready.
    pub(crate) async fn ready(&self, id: &str) -> Value {
        let photo = self.settled(id).await;
        assert_eq!(photo["state"], "ready", "{photo}");
        photo
    }

    /// Why a photo failed, once it has.
    pub(crate) async fn failed(&self, id: &str) -> Value {
        let photo = self.settled(id).await;
        assert_eq!(photo["state"], "failed", "{photo}");
        photo["failure"].clone()
    }

    async fn settled(&self, id: &str) -> Value {
        // As long as a busy machine may need; an answer that never comes fails the test rather than hangs it.
        for _ in 0..1_200 {
            let photo = self.get(&format!("/photos/{id}")).await;
            match photo["state"].as_str() {
                Some("uploading" | "processing") => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => return photo,
            }
        }
        panic!("the photo {id} was never looked into");
    }

    /// The bytes under a URL that stands in a photo.
    pub(crate) async fn fetch(&self, url: &Value) -> Vec<u8> {
        let url = url.as_str().expect("a URL");
        let answer = self.http.get(self.whole(url)).send().await.expect("the server answers");
        assert_eq!(answer.status(), StatusCode::OK, "{url}");
        answer.bytes().await.expect("the bytes come").to_vec()
    }
}

/// The body that announces a photo.
pub(crate) fn announcement(name: &str, bytes: &[u8]) -> Value {
    json!({
        "fileName": name,
        "contentType": "image/jpeg",
        "size": bytes.len(),
        "sha256": gallery_domain::Sha256Digest::of(bytes).to_string(),
    })
}

/// The code in the newest mail to an address; mails follow answers at a little distance.
async fn code_for(email: &str, data: &Path) -> String {
    for _ in 0..600 {
        let mut mails = files(&data.join("outbox"));
        mails.sort();
        for mail in mails.iter().rev().filter(|mail| mail.extension().is_some_and(|extension| extension == "eml")) {
            let text = std::fs::read_to_string(mail).expect("a mail can be read");
            let code = text.lines().find(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit()));
            if let (true, Some(code)) = (text.contains(&format!("To: {email}\n")), code) {
                return code.to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no mail came");
}
