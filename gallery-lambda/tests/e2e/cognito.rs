//! The program with its identities in a user pool and its mail over SES.

use std::path::Path;
use std::process::Command;

use reqwest::{Method, StatusCode, Url};
use serde_json::{Value, json};

use crate::client::Client;
use crate::program::{PASSWORD, Server, gallery, said};

/// The server that `GALLERY_TEST_MINISTACK` names, and the key of its owner.
struct Cloud(Url);

impl Cloud {
    fn named() -> Self {
        let url = std::env::var("GALLERY_TEST_MINISTACK").unwrap_or_else(|_| {
            panic!(
                "GALLERY_TEST_MINISTACK names no server: run `cargo xtask test`, or `cargo xtask aws -- cargo test …`, which start one"
            )
        });
        Self(Url::parse(&url).unwrap())
    }

    fn endpoint(&self) -> String {
        self.0.origin().ascii_serialization()
    }

    /// Lets a command act for the owner.
    fn place<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("AWS_ACCESS_KEY_ID", self.0.username()).env("AWS_SECRET_ACCESS_KEY", self.0.password().unwrap());
        command.env("AWS_REGION", "eu-central-1").env("AWS_ENDPOINT_URL", self.endpoint())
    }

    /// Lets anybody at example.org send and receive. The owner's signature is not looked at, only whose key it names.
    async fn verify_domain(&self) {
        let scope = format!("{}/20240101/eu-central-1/ses/aws4_request", self.0.username());
        let request = reqwest::Client::new()
            .post(format!("{}/v2/email/identities", self.endpoint()))
            .header("authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"))
            .json(&json!({ "EmailIdentity": "example.org" }));
        // Whoever comes second finds it there.
        request.send().await.unwrap();
    }

    /// The text of the last mail from an address.
    async fn last_mail(&self, from: &str) -> String {
        for _ in 0..100 {
            let all: Value = reqwest::get(format!("{}/_ministack/ses/messages", self.endpoint()))
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let mut mails =
                all["messages"].as_object().unwrap().values().flat_map(|of_account| of_account.as_array().unwrap());
            let last = mails.rfind(|mail| mail["Source"].as_str().unwrap().contains(from));
            if let Some(mail) = last {
                return mail["BodyText"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("no mail came from {from}");
    }
}

/// The program with the variables that `gallery provision` printed.
fn with_pool(cloud: &Cloud, data: &Path, printed: &str, from: &str) -> Command {
    let mut command = gallery(data);
    cloud.place(&mut command);
    for (name, value) in printed.lines().filter_map(|line| line.split_once('=')) {
        command.env(name, value);
    }
    command.env("GALLERY_MAIL", format!("ses:?from={from}"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_up_log_in_and_leave_by_a_user_pool() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::named();
    cloud.verify_domain().await;
    let name = folder.path().file_name().unwrap().to_string_lossy().trim_start_matches('.').to_lowercase();
    let printed = said(cloud.place(&mut gallery(&data)).args(["provision", "--user-pool", &name])).well();
    assert!(printed.starts_with("GALLERY_IDENTITY=cognito://eu-central-1_"), "{printed}");
    let from = format!("{name}@example.org");

    let found = said(with_pool(&cloud, &data, &printed, &from).arg("doctor")).well();
    assert!(found.lines().count() == 4 && found.lines().all(|line| line.ends_with(": well")), "{found}");

    let server =
        Server::spawn(with_pool(&cloud, &data, &printed, &from).args(["serve", "--listen", "127.0.0.1:0"]), &data);
    let mut ada = Client::new(&server);
    let email = "ada@example.org";
    let sign_up = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
    let (status, answer) = ada.call(Method::POST, "/signup", Some(sign_up)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    let log_in = async |email: &str, password: &str| {
        let ada = Client::new(&server);
        ada.call(Method::POST, "/login", Some(json!({ "email": email, "password": password }))).await
    };
    let waiting = log_in(email, PASSWORD).await;
    let mail = cloud.last_mail(&from).await;
    let code = mail.lines().find(|line| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit())).unwrap();
    let (status, answer) =
        ada.call(Method::POST, "/confirmemail", Some(json!({ "email": email, "code": "00000000" }))).await;
    assert!(status.is_client_error(), "a wrong code is refused: {answer}");
    let (status, answer) = ada.call(Method::POST, "/confirmemail", Some(json!({ "email": email, "code": code }))).await;
    assert!(status.is_success(), "{answer}");

    let wrong = log_in(email, "nine loud flamingos").await;
    let unknown = log_in("nobody@example.org", PASSWORD).await;
    let words = |(status, answer): &(StatusCode, Value)| (*status, answer["type"].clone(), answer["detail"].clone());
    assert_eq!(words(&wrong), words(&unknown), "nobody learns which of the two it is");
    assert_eq!(words(&wrong), words(&waiting), "nor that it waits for its code");
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);

    ada.log_in(email).await;
    assert_eq!(ada.get("/account").await["email"], email);
    let (status, answer) = ada.call(Method::DELETE, "/account", Some(json!({ "password": PASSWORD }))).await;
    assert!(status.is_success(), "{answer}");
    assert_eq!(ada.call(Method::GET, "/account", None).await.0, StatusCode::UNAUTHORIZED, "access ends at once");
    assert_eq!(words(&log_in(email, PASSWORD).await), words(&unknown), "a cancelled account is as one that never was");
    assert!(server.stop().success());
}

#[test]
fn a_pool_without_its_secret_or_with_another_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let cloud = Cloud::named();
    let printed = said(cloud.place(&mut gallery(&data)).args(["provision", "--user-pool", "gallery"])).well();
    for (secret, part) in
        [("", "GALLERY_COGNITO_CLIENT_SECRET is not set"), ("another", "the app client has another secret")]
    {
        let mut serve = with_pool(&cloud, &data, &printed, "gallery@example.org");
        serve.env("GALLERY_COGNITO_CLIENT_SECRET", secret).args(["serve", "--listen", "127.0.0.1:0"]);
        let said = said(&mut serve);
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.contains(part), "{}", said.err);
    }
}
