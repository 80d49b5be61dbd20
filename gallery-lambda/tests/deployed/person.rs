//! Somebody in a browser, whose page comes from elsewhere.

use std::time::Duration;

use gallery_domain::Sha256Digest;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::cloud::Cloud;

pub(crate) const PASSWORD: &str = "a quiet walk along the shore";

/// Somebody with an account.
pub(crate) struct Person<'c> {
    cloud: &'c Cloud,
    client: Client,
    pub(crate) email: String,
    pub(crate) token: Option<String>,
}

impl<'c> Person<'c> {
    /// Signs up, confirms the address with the code in the mail, and logs in.
    pub(crate) async fn signed_up(cloud: &'c Cloud, name: &str) -> Self {
        let email = format!("{name}@example.org");
        let mut person = Self { cloud, client: Client::new(), email: email.clone(), token: None };
        let form = json!({"email": email, "password": PASSWORD, "name": name});
        assert_eq!(person.send(Method::POST, "/signup", form).await.status(), StatusCode::ACCEPTED);
        let code = cloud.mailed_code(&email).await;
        let confirmed = person.send(Method::POST, "/confirmemail", json!({"email": email, "code": code})).await;
        assert!(confirmed.status().is_success(), "{confirmed:?}");
        person.log_in().await;
        person
    }

    pub(crate) async fn log_in(&mut self) {
        let form = json!({"email": self.email, "password": PASSWORD});
        let answer = json_of(self.send(Method::POST, "/login", form).await).await;
        self.token = Some(answer["token"].as_str().unwrap().to_owned());
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        json_of(self.send(Method::GET, path, Value::Null).await).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Response {
        let mut request = self.client.request(method, format!("{}{path}", self.cloud.api()));
        request = request.header("origin", "https://photos.example.org");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    /// Announces a file, and sends its bytes to where the answer says; the photo, and how the bucket answered.
    pub(crate) async fn upload(&self, name: &str, bytes: Vec<u8>) -> (Value, StatusCode) {
        let announced = json!({
            "fileName": name, "contentType": "image/jpeg", "size": bytes.len(), "sha256": Sha256Digest::of(&bytes).to_string(),
            "title": "At the lake", "tags": ["holiday"],
        });
        let answer = self.send(Method::POST, "/photos", announced).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{answer:?}");
        let answer = json_of(answer).await;
        let upload = &answer["upload"];
        let mut put = self.client.put(upload["url"].as_str().unwrap()).body(bytes);
        for (name, value) in upload["headers"].as_object().unwrap().iter().filter(|(name, _)| *name != "content-length")
        {
            put = put.header(name, value.as_str().unwrap());
        }
        (answer["photo"].clone(), put.send().await.unwrap().status())
    }

    /// The photo, once it is ready; the bucket tells the worker that its bytes have come, and nobody else does.
    pub(crate) async fn ready(&self, id: &str) -> Value {
        for _ in 0..300 {
            let photo = self.get(&format!("/photos/{id}")).await;
            match photo["state"].as_str().unwrap() {
                "ready" => return photo,
                "failed" => panic!("{photo}"),
                _ => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
        panic!("nobody looked into the photo");
    }

    /// The bytes under one of a photo's URLs.
    pub(crate) async fn bytes(&self, url: &Value) -> Vec<u8> {
        let answer = self.client.get(url.as_str().unwrap()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
        answer.bytes().await.unwrap().to_vec()
    }
}

pub(crate) async fn json_of(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A picture that no other test has.
pub(crate) fn picture(seed: u8) -> Vec<u8> {
    let image = image::RgbImage::from_fn(400, 300, |x, y| image::Rgb([seed, (x % 256) as u8, (y % 256) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}
