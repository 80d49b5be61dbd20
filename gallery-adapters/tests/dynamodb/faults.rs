//! What DynamoDB, or the network before it, does to a request: a caller need not notice it, or hears that it may come again; and a write is done once.

use std::time::Duration;

use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore, TableNames};
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::ports::{BackendFailure, RepositoryError};
use gallery_domain::{CodePurpose, CodeTry, Decision, OneTimeCode, Sha256Digest, Throttle, ThrottleKey, User};

use crate::dynamodb_server::{self, Tables};
use crate::faulty_proxy::{Fault, Plan, Proxy, Service};
use crate::stores::every_method::use_every_method;
use crate::stores::stored::Stored;

/// How many requests lie between two faults.
const STRIDE: usize = 5;

fn options() -> DynamoDbOptions {
    DynamoDbOptions { answer_timeout: Duration::from_millis(400), retry_for: Duration::from_secs(30) }
}

/// A way to the server on which the request of number `offset` goes wrong, and each that comes `stride` later.
async fn proxy(fault: Fault, offset: usize, stride: usize) -> Proxy {
    Proxy::to(&dynamodb_server::server(), Service::DynamoDb, Plan::every(fault, offset, stride)).await
}

fn through(proxy: &Proxy, tables: &Tables, options: DynamoDbOptions) -> DynamoDbStore {
    DynamoDbStore::new(dynamodb_server::config().endpoint_url(proxy.url()), tables.names().clone(), options)
}

/// Each request of every method is once the one that goes wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_with_any_request_of_any_method_is_not_noticed() {
    for fault in Fault::PASSING {
        for offset in 0..STRIDE {
            let tables = Tables::provisioned().await;
            let proxy = proxy(fault, offset, STRIDE).await;
            use_every_method(&Stored::new(through(&proxy, &tables, options()).repositories())).await;
            assert!(proxy.faults() > 5, "{} faults", proxy.faults());
        }
    }
}

/// What is done by a request whose answer is lost is known again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_answer_is_lost_is_done_once_and_known_for_its_own() {
    for fault in [Fault::BrokenAfter, Fault::Lost, Fault::Silence] {
        let (tables, things) = (Tables::provisioned().await, Things::new());
        // Every other request: each write is lost the first time, and the retry answered.
        let proxy = proxy(fault, 0, 2).await;
        let store = through(&proxy, &tables, options()).repositories();
        let user = things.user();
        store.users.insert(&user).await.unwrap();
        let renamed = User { revision: user.revision.next(), ..user.clone() };
        store.users.replace(&renamed, user.revision, None).await.unwrap();
        let moved =
            User { email: "new@example.org".parse().unwrap(), revision: renamed.revision.next(), ..renamed.clone() };
        let past = tables.store().repositories();
        assert_eq!(past.users.find(user.id).await.unwrap().as_ref(), Some(&renamed));
        store.users.replace(&moved, renamed.revision, None).await.unwrap();
        assert_eq!(past.users.find(user.id).await.unwrap().as_ref(), Some(&moved));

        let (code, hash) = (Sha256Digest::of(b"right"), Sha256Digest::of(b"wrong"));
        let code = OneTimeCode {
            purpose: CodePurpose::ConfirmEmail,
            address: moved.email.clone(),
            user: user.id,
            hash: code,
            expires_at: things.at(600),
            tries_left: 2,
            password: None,
        };
        past.credentials.put_code(&code).await.unwrap();
        let tried = store.credentials.try_code(code.purpose, &code.address, &hash, None, things.at(0)).await;
        assert_eq!(tried.unwrap(), CodeTry::Refused);
        let left = past.credentials.find_code(code.purpose, &code.address).await.unwrap().unwrap();
        assert_eq!(left.tries_left, 1, "a wrong try costs one try, however often it is sent");
        let tried = store.credentials.try_code(code.purpose, &code.address, &code.hash, None, things.at(0)).await;
        assert_eq!(tried.unwrap(), CodeTry::Accepted(user.id), "the last try is not lost with its answer");

        let rule = Throttle::Rate { burst: 3, every: Duration::from_secs(60) };
        let key = ThrottleKey::origin("log-in", "192.0.2.0/24");
        for _ in 0..3 {
            assert_eq!(store.rate_limiter.attempt(&key, &rule, things.at(0)).await.unwrap(), Decision::Allowed);
        }
        let fourth = past.rate_limiter.attempt(&key, &rule, things.at(0)).await.unwrap();
        assert!(matches!(fourth, Decision::Denied { .. }), "three attempts are counted as three");
    }
}

#[tokio::test]
async fn requests_that_are_never_let_in_end_in_time_and_are_worth_a_retry() {
    let tables = Tables::provisioned().await;
    for (fault, part) in [(Fault::Throttled, "slower"), (Fault::BrokenBefore, "in trouble"), (Fault::Cut, "reached")] {
        let proxy = proxy(fault, 0, 1).await;
        let options = DynamoDbOptions { retry_for: Duration::from_millis(200), ..options() };
        let store = through(&proxy, &tables, options).repositories();
        let failure = failure_of(store.users.find(Things::new().owner()).await.unwrap_err());
        assert!(failure.is_transient() && failure.source.to_string().contains(part), "{failure:?}");
        assert!(proxy.faults() > 1, "it was tried anew");
    }
}

#[tokio::test]
async fn what_cannot_work_is_said_at_once_with_what_to_do() {
    let nowhere = Tables::named();
    let failure = nowhere.store().check_schema().await.unwrap_err();
    let said = failure.source.to_string();
    assert!(!failure.is_transient() && said.contains("gallery provision") && said.contains("region"), "{said}");
    let failure = failure_of(nowhere.store().repositories().users.find(Things::new().owner()).await.unwrap_err());
    assert!(failure.source.to_string().contains("gallery provision"), "{failure:?}");

    // One table in place of the other.
    let tables = Tables::provisioned().await;
    let TableNames { photos, index } = tables.names().clone();
    let swapped = TableNames { photos: index, index: photos };
    let store = DynamoDbStore::new(dynamodb_server::config(), swapped, DynamoDbOptions::default());
    let failure = store.check_schema().await.unwrap_err();
    assert!(!failure.is_transient() && failure.source.to_string().contains("not those"), "{failure:?}");
    let failure = store.provision(true).await.unwrap_err();
    assert!(failure.source.to_string().contains("another key"), "{failure:?}");

    // Who asks may not, or is not known here.
    for (code, part) in [
        ("AccessDeniedException", "lack a permission"),
        ("UnrecognizedClientException", "check AWS_ACCESS_KEY_ID"),
        ("InvalidSignatureException", "check AWS_SECRET_ACCESS_KEY"),
        ("ExpiredTokenException", "have expired"),
    ] {
        let proxy = proxy(Fault::Refused(code), 0, 1).await;
        let failure = through(&proxy, &tables, options()).check_schema().await.unwrap_err();
        let said = failure.source.to_string();
        assert!(!failure.is_transient() && said.contains(part) && said.contains(code), "{failure:?}");
    }

    // Nobody says who asks, nor where.
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(gallery_adapters::aws::http_client())
        .region(aws_sdk_dynamodb::config::Region::new("eu-central-1"))
        .endpoint_url(dynamodb_server::server());
    let store = DynamoDbStore::new(config, tables.names().clone(), DynamoDbOptions::default());
    let failure = store.check_schema().await.unwrap_err();
    assert!(!failure.is_transient() && failure.source.to_string().contains("AWS credentials"), "{failure:?}");
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(gallery_adapters::aws::http_client())
        .credentials_provider(aws_sdk_dynamodb::config::Credentials::new("a", "b", None, None, "tests"));
    let store = DynamoDbStore::new(config, tables.names().clone(), DynamoDbOptions::default());
    let failure = store.check_schema().await.unwrap_err();
    assert!(!failure.is_transient() && failure.source.to_string().contains("AWS_REGION"), "{failure:?}");
}

fn failure_of(error: RepositoryError) -> BackendFailure {
    match error {
        RepositoryError::Backend(failure) => failure,
        other => panic!("{other:?}"),
    }
}
