//! Where the gallery is deployed, and what its owner can look at there.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Connection;

/// Where the gallery is deployed.
pub(crate) struct Cloud(Value);

impl Cloud {
    /// The deployment that `GALLERY_TEST_DEPLOYMENT` describes.
    pub(crate) fn named() -> Self {
        let file = std::env::var("GALLERY_TEST_DEPLOYMENT")
            .expect("GALLERY_TEST_DEPLOYMENT names no deployment: run `cargo xtask serverless`, which makes one");
        Self(serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
    }

    pub(crate) fn text(&self, pointer: &str) -> String {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} is not there")).to_owned()
    }

    /// Whether photos, albums and accounts are in DynamoDB.
    pub(crate) fn is_on_dynamodb(&self) -> bool {
        self.text("/store") == "dynamodb"
    }

    /// Where the API is on this machine, and the host that API Gateway knows it by.
    pub(crate) fn api(&self) -> String {
        let stage = self.text("/outputs/ApiUrl").rsplit('/').next().unwrap().to_owned();
        format!("{}/_aws/execute-api/{}/{stage}", self.text("/endpoint"), self.text("/outputs/ApiId"))
    }

    /// What AWS's own tool answers.
    pub(crate) fn aws(&self, arguments: &[&str]) -> Value {
        let program = std::env::var("GALLERY_TEST_AWS").unwrap();
        let output = Command::new(program).args(["--output", "json"]).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// Has the worker do something now, rather than when its schedule says so.
    pub(crate) fn run_worker(&self, run: &str) {
        self.invoke("worker", &json!({"run": run}));
    }

    /// What a function answers.
    pub(crate) fn invoke(&self, function: &str, event: &Value) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let answer = folder.path().join("answer");
        let (function, event) = (format!("{}-{function}", self.text("/stack")), event.to_string());
        let what = ["--function-name", &function, "--payload", &event, answer.to_str().unwrap()];
        let invoked = self.aws(&[&["lambda", "invoke"][..], &what].concat());
        let said = std::fs::read_to_string(answer).unwrap();
        assert!(invoked["FunctionError"].is_null(), "{said}");
        serde_json::from_str(&said).unwrap()
    }

    /// What the log of a function says, each line once.
    pub(crate) fn log_of(&self, function: &str) -> String {
        let group = format!("/aws/lambda/{}-{function}", self.text("/stack"));
        let events = self.aws(&["logs", "filter-log-events", "--log-group-name", &group]);
        let lines = events["events"].as_array().cloned().unwrap_or_default();
        lines
            .iter()
            .filter_map(|event| event["message"].as_str())
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }

    /// The code in the last mail to somebody.
    pub(crate) async fn mailed_code(&self, to: &str) -> String {
        let url = format!("{}/_ministack/ses/messages", self.text("/endpoint"));
        for _ in 0..200 {
            let all: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
            let mut mails = all["messages"].as_object().unwrap().values().flat_map(|mails| mails.as_array().unwrap());
            if let Some(mail) = mails.rfind(|mail| mail["To"][0] == to) {
                assert!(mail["Source"].as_str().unwrap().contains(&self.text("/sender")), "{mail}");
                let text = mail["BodyText"].as_str().unwrap();
                let is_code = |word: &&str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
                return text.split(|c: char| !c.is_ascii_digit()).find(is_code).unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no mail came for {to}");
    }

    /// Skips the time after which work is taken up.
    pub(crate) async fn let_work_come_due(&self) {
        if !self.is_on_dynamodb() {
            let url = std::env::var("GALLERY_TEST_DATABASE").unwrap();
            let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
            sqlx::query("UPDATE gallery.work SET due_at = 0").execute(&mut database).await.unwrap();
            return;
        }
        let table = self.text("/tables/1");
        let items = self.aws(&["dynamodb", "scan", "--table-name", &table]);
        for item in items["Items"].as_array().unwrap() {
            if item["PK"]["S"].as_str().unwrap().starts_with("W#") {
                let key = json!({"PK": item["PK"], "SK": item["SK"]}).to_string();
                let change = [
                    "--update-expression",
                    "SET DueAt = :now",
                    "--expression-attribute-values",
                    r#"{":now": {"N": "0"}}"#,
                ];
                self.aws(&[&["dynamodb", "update-item", "--table-name", &table, "--key", &key][..], &change].concat());
            }
        }
    }

    /// What is kept of anybody: objects, people of the pool, and rows or items but for those that are no one's.
    pub(crate) async fn residue(&self) -> Vec<String> {
        let bucket = self.text("/outputs/PhotoBucket");
        let objects = self.aws(&["s3api", "list-objects-v2", "--bucket", &bucket]);
        let mut found: Vec<_> = keys(&objects["Contents"], "/Key");
        if self.is_on_dynamodb() {
            let users = self.aws(&["cognito-idp", "list-users", "--user-pool-id", &self.text("/outputs/UserPoolId")]);
            found.extend(keys(&users["Users"], "/Username"));
            let photos = self.aws(&["dynamodb", "scan", "--table-name", &self.text("/tables/0")]);
            found.extend(keys(&photos["Items"], "/PhotoID/S"));
            let index = self.aws(&["dynamodb", "scan", "--table-name", &self.text("/tables/1")]);
            // Attempts are counted without anybody's name, and expire.
            found.extend(keys(&index["Items"], "/PK/S").into_iter().filter(|key| !key.starts_with("THROTTLE#")));
        } else {
            let url = std::env::var("GALLERY_TEST_DATABASE").unwrap();
            let mut database = sqlx::PgConnection::connect(&url).await.unwrap();
            for table in ["account", "photo", "album", "session", "credential", "work"] {
                let rows = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM gallery.{table}"));
                let rows: i64 = sqlx::query_scalar(rows).fetch_one(&mut database).await.unwrap();
                found.extend((0..rows).map(|_| table.to_owned()));
            }
        }
        found
    }
}

fn keys(list: &Value, pointer: &str) -> Vec<String> {
    let items = list.as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| Some(item.pointer(pointer)?.as_str()?.to_owned())).collect()
}
