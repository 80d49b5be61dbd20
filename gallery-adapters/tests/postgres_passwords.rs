//! Passwords that come from AWS: a secret that is changed while the gallery runs, and tokens that end. The server checks them by SCRAM; Secrets
//! Manager is a stand-in on this machine.

#![cfg(all(feature = "postgres", feature = "aws"))]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod secrets_manager;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use gallery_adapters::aws::{RdsToken, SecretsManagerPassword};
use gallery_adapters::database_password::{DatabaseLogin, PasswordError, PasswordSource, Passwords};
use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_adapters::system::SystemClock;
use gallery_domain::Timestamp;
use gallery_domain::memory::ManualClock;
use gallery_domain::ports::{BackendFailure, Clock, RepositoryError};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use test_postgres::{Cluster, Programs};

use secrets_manager::SecretsManager;

/// A server with a schema, and a role `app` that uses it.
struct Scene {
    cluster: Cluster,
}

impl Scene {
    async fn new() -> Self {
        let scene = Self { cluster: Cluster::start(&Programs::of_environment().unwrap(), &[]).unwrap() };
        let owner = PostgresStore::new(scene.cluster.url().parse().unwrap(), PostgresOptions::default());
        owner.migrate().await.unwrap();
        owner.close().await;
        scene
            .run("CREATE ROLE app LOGIN; GRANT USAGE ON SCHEMA gallery TO app; GRANT ALL ON ALL TABLES IN SCHEMA gallery TO app")
            .await;
        scene
    }

    /// Runs statements as the superuser.
    async fn run(&self, statements: &str) {
        let mut connection = self.cluster.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
        connection.execute(sqlx::raw_sql(AssertSqlSafe(statements))).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn set_password(&self, role: &str, password: &str) {
        self.run(&format!("ALTER ROLE {role} PASSWORD '{}'", password.replace('\'', "''"))).await;
    }

    /// Cuts every connection of the gallery, so that it has to log in again.
    async fn cut_connections(&self) {
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gallery'").await;
    }

    /// How the gallery connects, but for its password.
    fn connect(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.cluster.port())
            .username("app")
            .database("postgres")
    }

    fn store(&self, passwords: Passwords) -> PostgresStore {
        PostgresStore::new(self.connect(), PostgresOptions::default()).with_passwords(passwords)
    }

    /// A store whose password is in a secret, which may say who logs in.
    async fn store_with(&self, secrets: &SecretsManager, names_user: bool) -> PostgresStore {
        let source = SecretsManagerPassword::new(&aws(secrets).await, "prod/gallery", names_user);
        self.store(Passwords::new(Arc::new(source), Arc::new(SystemClock)))
    }
}

/// AWS as the program would find it, with Secrets Manager elsewhere.
async fn aws(secrets: &SecretsManager) -> SdkConfig {
    let http = gallery_adapters::aws::sdk_config(Some("eu-central-1")).await.http_client().unwrap();
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("eu-central-1"))
        .credentials_provider(credentials())
        .endpoint_url(secrets.url())
        .load()
        .await
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", None, None, "test")
}

/// Uses the store as a request does, which takes another connection where its own was cut.
async fn request(store: &PostgresStore) -> Result<(), BackendFailure> {
    match store.repositories().work.next_due().await {
        Ok(_) => Ok(()),
        Err(RepositoryError::Backend(failure)) => Err(failure),
        Err(other) => panic!("{other:?}"),
    }
}

/// Everything that a failure says.
fn whole(failure: &BackendFailure) -> String {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_changed_while_the_gallery_runs_is_fetched_once_more() {
    let scene = Scene::new().await;
    scene.set_password("app", "the first").await;
    let secrets = SecretsManager::with(r#"{"engine":"postgres","username":"nobody","password":"the first"}"#);
    let store = scene.store_with(&secrets, false).await;
    store.check_schema().await.unwrap();
    request(&store).await.unwrap();
    let asked = secrets.requests();
    assert_eq!(asked.len(), 1, "for many requests: {asked:?}");
    assert_eq!(asked[0].body, json!({ "SecretId": "prod/gallery" }));
    let signed = &asked[0].authorization;
    assert!(
        signed.contains("AKIDEXAMPLE/") && signed.contains("/eu-central-1/secretsmanager/aws4_request"),
        "{signed}"
    );

    // Whoever is connected stays so.
    scene.set_password("app", "the second").await;
    request(&store).await.unwrap();
    assert_eq!(secrets.requests().len(), 1);

    // A rotation changes the password first, and the secret a moment later.
    scene.cut_connections().await;
    let refused = request(&store).await.unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
    let said = whole(&refused);
    assert!(said.contains("refuses the login that Secrets Manager gives") && said.contains("app"), "{said}");
    assert!(!said.contains("the first"), "{said}");
    assert_eq!(secrets.requests().len(), 2, "once for the refusal, and no more");

    secrets.keep(r#"{"password":"the second"}"#);
    let all_at_once: Vec<_> = (0..8)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { request(&store).await.unwrap() })
        })
        .collect();
    for one in all_at_once {
        one.await.unwrap();
    }
    assert_eq!(secrets.requests().len(), 3, "one asked for all");

    // Also past the pool, where a schema is brought up to date.
    scene.run("ALTER ROLE app SUPERUSER").await;
    scene.set_password("app", "the third").await;
    secrets.keep("the third\n");
    assert_eq!(store.migrate().await.unwrap(), [0; 0]);
    scene.cut_connections().await;
    request(&store).await.unwrap();
    assert_eq!(secrets.requests().len(), 4);
    store.close().await;
}

#[tokio::test]
async fn a_secret_says_who_logs_in_where_the_url_does_not() {
    let scene = Scene::new().await;
    scene.run("CREATE ROLE app_clone LOGIN IN ROLE app").await;
    scene.set_password("app", "one").await;
    scene.set_password("app_clone", "another").await;
    let secrets = SecretsManager::with(r#"{"username":"app","password":"one"}"#);
    let store = scene.store_with(&secrets, true).await;
    store.check_schema().await.unwrap();
    // As a rotation of two users in turn leaves it.
    scene.set_password("app", "no longer").await;
    secrets.keep(r#"{"username":"app_clone","password":"another"}"#);
    scene.cut_connections().await;
    request(&store).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_said_with_what_to_mend() {
    let scene = Scene::new().await;
    let secrets = SecretsManager::with("");
    let refusal = async || {
        let store = scene.store_with(&secrets, false).await;
        let refused = store.check_schema().await.unwrap_err();
        store.close().await;
        let said = whole(&refused);
        assert!(!said.contains("hunter2") && !format!("{refused:?}").contains("hunter2"), "{said}");
        (said, refused.is_transient())
    };
    for (secret, part) in [
        ("", "is empty"),
        (r#"{"password": "hunter2""#, "is not well-formed JSON"),
        (r#"{"passwort": "hunter2"}"#, "has no text as its `password`"),
        (r#"{"password": ["hunter2"]}"#, "has no text as its `password`"),
        (r#"{"password": ""}"#, "has no text as its `password`"),
    ] {
        secrets.keep(secret);
        let (said, transient) = refusal().await;
        assert!(said.contains(part) && said.contains("`prod/gallery`") && said.contains("GALLERY_STORE"), "{said}");
        assert!(said.contains("store JSON such as") && !transient, "{said}");
    }
    secrets.answer(200, json!({ "ARN": "arn:of:it", "Name": "it", "SecretBinary": "aHVudGVyMg==" }));
    assert!(refusal().await.0.contains("holds bytes: store text"));
    for (status, kind, parts, may_pass) in [
        (
            400,
            "ResourceNotFoundException",
            ["has no secret `prod/gallery`", "check `password` and `region` in GALLERY_STORE"],
            false,
        ),
        (400, "AccessDeniedException", ["refuses to show", "`secretsmanager:GetSecretValue`"], false),
        (400, "DecryptionFailure", ["cannot be decrypted", "KMS key"], false),
        (400, "InvalidRequestException", ["in no state to be read", "restore it"], false),
        (400, "UnrecognizedClientException", ["does not accept this program's credentials", "renew them"], false),
        (400, "ThrottlingException", ["cannot answer now", "check the way to it"], true),
    ] {
        secrets.refuse(status, kind);
        let (said, transient) = refusal().await;
        assert!(parts.iter().all(|part| said.contains(part)) && said.contains(kind), "{said}");
        assert_eq!(transient, may_pass, "{said}");
    }

    // An answer that cannot be read repeats nothing of itself.
    secrets.answer(200, json!({ "SecretString": 7, "Name": "hunter2" }));
    assert!(refusal().await.0.contains("cannot answer now"));

    let nowhere = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let source = SecretsManagerPassword::new(&nowhere, "prod/gallery", false);
    let said = source.fetch().await.unwrap_err().to_string();
    assert!(said.contains("add the parameter `region` to GALLERY_STORE, or set AWS_REGION"), "{said}");
}

#[tokio::test]
async fn a_token_of_iam_reaches_the_server_as_it_is_and_another_follows_before_it_ends() {
    let scene = Scene::new().await;
    let clock = Arc::new(ManualClock::new("2024-08-26T22:00:00Z".parse().unwrap()));
    let aws = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(credentials()))
        .build();
    let source = || Arc::new(RdsToken::new(&aws, &scene.connect(), clock.clone()));
    let token = async || source().fetch().await.unwrap();
    let first = token().await;
    let text = first.password.expose_secret();
    let port = scene.cluster.port();
    assert!(
        text.starts_with(&format!("127.0.0.1:{port}/?Action=connect&DBUser=app&X-Amz-Algorithm=AWS4-HMAC-SHA256&")),
        "{text}"
    );
    assert!(
        text.contains("&X-Amz-Date=20240826T220000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="),
        "{text}"
    );
    assert_eq!(first.good_until, Some("2024-08-26T22:15:00Z".parse().unwrap()));

    scene.set_password("app", text).await;
    let store = scene.store(Passwords::new(source(), clock.clone()));
    store.check_schema().await.unwrap();

    // A connection that is made twelve minutes later comes with a token of that time.
    clock.advance(Duration::from_secs(720));
    let second = token().await;
    assert_ne!(second.password.expose_secret(), text);
    scene.set_password("app", second.password.expose_secret()).await;
    scene.cut_connections().await;
    request(&store).await.unwrap();

    // A token that is refused although it should be good, as after a thaw with a clock that stood still, is made anew.
    clock.advance(Duration::from_secs(60));
    scene.set_password("app", token().await.password.expose_secret()).await;
    scene.cut_connections().await;
    request(&store).await.unwrap();
    store.close().await;

    let without =
        SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1")).build();
    let said = RdsToken::new(&without, &scene.connect(), clock.clone()).fetch().await.unwrap_err().to_string();
    assert!(said.contains("no AWS credentials"), "{said}");
}

/// Gives a password for a minute, once.
#[derive(Debug)]
struct Once {
    password: Mutex<Option<String>>,
    good_until: Timestamp,
}

#[async_trait::async_trait]
impl PasswordSource for Once {
    async fn fetch(&self) -> Result<DatabaseLogin, PasswordError> {
        let password =
            self.password.lock().unwrap().take().ok_or_else(|| PasswordError::transient("nobody answers"))?;
        Ok(DatabaseLogin { user: None, password: password.into(), good_until: Some(self.good_until) })
    }

    fn name(&self) -> &str {
        "the test"
    }
}

#[tokio::test]
async fn a_connection_that_is_there_serves_while_no_password_can_be_had() {
    let scene = Scene::new().await;
    scene.set_password("app", "short").await;
    let clock = Arc::new(ManualClock::new("2024-08-26T22:00:00Z".parse().unwrap()));
    let good_until = clock.now().plus(Duration::from_secs(60));
    let source = Once { password: Mutex::new(Some("short".to_owned())), good_until };
    let store = scene.store(Passwords::new(Arc::new(source), clock.clone()));
    request(&store).await.unwrap();
    clock.advance(Duration::from_secs(120));
    request(&store).await.unwrap();
    // The server refuses what has ended.
    scene.set_password("app", "ended").await;
    scene.cut_connections().await;
    let refused = request(&store).await.unwrap_err();
    assert!(refused.is_transient() && whole(&refused).contains("nobody answers"), "{refused:?}");
    store.close().await;
}
