//! What each function may do, and what becomes of the gallery when it may not.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::person::{PASSWORD, Person, picture};

/// A role of the stack, whose statements a test takes away one by one.
struct Role<'c> {
    cloud: &'c Cloud,
    name: String,
    policy: Value,
}

impl<'c> Role<'c> {
    fn of(cloud: &'c Cloud, function: &str) -> Self {
        let name = format!("{}-{function}-{}", cloud.text("/stack"), cloud.text("/region"));
        let policy = cloud.aws(&["iam", "get-role-policy", "--role-name", &name, "--policy-name", "gallery"]);
        Self { cloud, name, policy: policy["PolicyDocument"].clone() }
    }

    fn put(&self, policy: &Value) {
        let policy = policy.to_string();
        let role = ["--role-name", &self.name, "--policy-name", "gallery", "--policy-document", &policy];
        self.cloud.aws(&[&["iam", "put-role-policy"][..], &role].concat());
    }

    /// Does something while the role may do all but what a statement says.
    async fn without<T>(&self, sid: &str, work: impl Future<Output = T>) -> T {
        let mut policy = self.policy.clone();
        let statements = policy["Statement"].as_array_mut().unwrap();
        let before = statements.len();
        statements.retain(|statement| statement["Sid"] != sid);
        assert_eq!(statements.len() + 1, before, "{sid} is a statement of {}", self.name);
        self.put(&policy);
        let done = work.await;
        self.put(&self.policy);
        done
    }
}

#[tokio::test]
async fn each_statement_of_a_role_is_what_lets_the_gallery_do_its_part() {
    let cloud = Cloud::named();
    let (api, worker) = (Role::of(&cloud, "api"), Role::of(&cloud, "worker"));
    let bob = Person::signed_up(&cloud, "bob").await;

    // URLs that a function signs are good for what its role may.
    let refused = api.without("TakeUploads", bob.upload("a.jpg", picture(11))).await.1;
    assert_eq!(refused, StatusCode::FORBIDDEN);

    // The bucket tells of an upload, and the worker cannot keep it.
    let (photo, sent) = bob.upload("b.jpg", picture(12)).await;
    assert!(sent.is_success());
    let id = photo["id"].as_str().unwrap().to_owned();
    bob.ready(&id).await;
    let stuck = worker
        .without("KeepPhotos", async {
            let (photo, sent) = bob.upload("c.jpg", picture(13)).await;
            assert!(sent.is_success());
            cloud.run_worker("sweep");
            bob.get(&format!("/photos/{}", photo["id"].as_str().unwrap())).await
        })
        .await;
    assert_ne!(stuck["state"], "ready");
    cloud.run_worker("sweep");
    bob.ready(stuck["id"].as_str().unwrap()).await;

    let list = async || bob.send(Method::GET, "/photos", Value::Null).await.status();
    if cloud.is_on_dynamodb() {
        assert!(api.without("Tables", list()).await.is_server_error());
        let log_in = bob.send(Method::POST, "/login", json!({"email": bob.email, "password": PASSWORD}));
        let refused = api.without("People", async { log_in.await.status() }).await;
        assert!(refused.is_server_error(), "{refused}");
    }
    assert_eq!(list().await, StatusCode::OK);
    let left = bob.send(Method::DELETE, "/account", json!({"password": PASSWORD})).await;
    assert!(left.status().is_success(), "{left:?}");
    cloud.run_worker("work");
}

#[tokio::test]
async fn the_bucket_of_photos_takes_nothing_without_tls() {
    let cloud = Cloud::named();
    let cid = Person::signed_up(&cloud, "cid").await;
    // The server that plays S3 has no TLS, so the others of these tests do without the policy that asks for it.
    let (bucket, policy) = (cloud.text("/outputs/PhotoBucket"), cloud.text("/bucketPolicy"));
    cloud.aws(&["s3api", "put-bucket-policy", "--bucket", &bucket, "--policy", &policy]);
    let sent = cid.upload("a.jpg", picture(31)).await.1;
    cloud.aws(&["s3api", "delete-bucket-policy", "--bucket", &bucket]);
    assert_eq!(sent, StatusCode::FORBIDDEN);
    let left = cid.send(Method::DELETE, "/account", json!({"password": PASSWORD})).await;
    assert!(left.status().is_success(), "{left:?}");
    cloud.run_worker("work");
}

#[tokio::test]
async fn no_function_may_more_than_its_part() {
    let cloud = Cloud::named();
    let actions = |function: &str| {
        let policy = Role::of(&cloud, function).policy;
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        statements.iter().map(|statement| format!("{}\n", statement["Action"])).collect::<String>()
    };
    assert!(!actions("worker").contains("ses:") && !actions("worker").contains("AdminInitiateAuth"));
    assert!(!actions("api").contains("sqs:"));
    for function in ["api", "worker"] {
        assert!(actions(function).contains("s3:GetObject") && !actions(function).contains('*'), "{function}");
    }
}
