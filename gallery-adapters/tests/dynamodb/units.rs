//! What each method of the ports costs, with data as people have it. `migrations/ACCESS_PATTERNS.md` says the same figures, and a test compares.

use std::time::Duration;

use gallery_adapters::dynamodb::{DynamoDbOptions, DynamoDbStore};
use gallery_domain::conformance::fixtures::Things;
use gallery_domain::ports::{IdempotencyClaim, Repositories};
use gallery_domain::{
    CodePurpose, Credential, OneTimeCode, PageRequest, PageSize, PasswordHash, Sha256Digest, Task, Throttle,
    ThrottleKey, UserStatus, Work,
};

use crate::dynamodb_server::{self, Tables};
use crate::meter::{Cost, Meter};

/// A store whose requests are metered.
pub(crate) struct Metered {
    pub(crate) repositories: Repositories,
    meter: Meter,
    _tables: Tables,
}

impl Metered {
    pub(crate) async fn new() -> Self {
        let tables = Tables::provisioned().await;
        let meter = Meter::default();
        let config = dynamodb_server::config().interceptor(meter.clone());
        let store = DynamoDbStore::new(config, tables.names().clone(), DynamoDbOptions::default());
        Self { repositories: store.repositories(), meter, _tables: tables }
    }

    /// Panics unless what was done since the last time cost this at most: so many requests, read units and write units.
    #[track_caller]
    pub(crate) fn assert_cost(&self, method: &str, requests: usize, read: f64, written: f64) {
        let (cost, operations) = self.meter.take();
        // Shown by `--nocapture`: the figures of ACCESS_PATTERNS.md.
        println!("{method}: {cost:?} {operations:?}");
        let most = Cost { requests, read, written };
        assert!(
            cost.requests <= requests && cost.read <= read && cost.written <= written,
            "{method} costs {cost:?} ({operations:?}), more than {most:?}"
        );
        // The page has one row a method, and says in words what a special case costs.
        if method.split(' ').count() == 2 {
            assert_eq!(described(method), Some(most), "what the page says of {method}, and what is asserted here");
        }
    }

    /// What was done since the last time.
    pub(crate) fn taken(&self) -> Cost {
        self.meter.take().0
    }

    /// Forgets what was done since the last time, as it was only preparation.
    pub(crate) fn forget(&self) {
        self.meter.take();
    }
}

/// What ACCESS_PATTERNS.md says of a method, such as `UserRepository find`: the last columns of its row.
fn described(method: &str) -> Option<Cost> {
    const PAGE: &str = include_str!("../../../migrations/ACCESS_PATTERNS.md");
    let (port, method) = method.split_once(' ')?;
    let section = PAGE.split("\n## ").find(|section| section.lines().next() == Some(port))?;
    let row = section.lines().find(|line| line.starts_with(&format!("| `{method}` |")))?;
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [.., requests, read, written, _price] = cells.as_slice() else { return None };
    Some(Cost { requests: requests.parse().ok()?, read: read.parse().ok()?, written: written.parse().ok()? })
}

#[tokio::test]
async fn users_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let users = &metered.repositories.users;
    let user = things.user();
    users.insert(&user).await.unwrap();
    metered.assert_cost("UserRepository insert", 1, 0.0, 6.0);
    users.find(user.id).await.unwrap();
    metered.assert_cost("UserRepository find", 1, 1.0, 0.0);
    users.find_by_email(&user.email).await.unwrap();
    metered.assert_cost("UserRepository find_by_email", 2, 2.0, 0.0);
    users.usage(user.id).await.unwrap();
    metered.assert_cost("UserRepository usage", 1, 1.0, 0.0);
    let renamed = gallery_domain::User { revision: user.revision.next(), ..user.clone() };
    users.replace(&renamed, user.revision, None).await.unwrap();
    metered.assert_cost("UserRepository replace", 1, 0.0, 1.0);
    let closing =
        gallery_domain::User { status: UserStatus::Closing, revision: renamed.revision.next(), ..renamed.clone() };
    let work = Work::new(Task::Account { owner: user.id }, things.at(9));
    users.replace(&closing, renamed.revision, Some(work)).await.unwrap();
    metered.assert_cost("UserRepository replace with work", 1, 0.0, 5.0);
    users.remove(user.id, None).await.unwrap();
    metered.assert_cost("UserRepository remove", 4, 3.0, 11.0);
    for _ in 0..100 {
        users.insert(&things.user()).await.unwrap();
    }
    metered.forget();
    users.all(PageRequest::first(PageSize::MAX)).await.unwrap();
    metered.assert_cost("UserRepository all", 2, 102.0, 0.0);
}

#[tokio::test]
async fn credentials_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let credentials = &metered.repositories.credentials;
    let user = things.user();
    let hash = |n: u8| {
        PasswordHash::from_phc(format!(
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0${}",
            "x".repeat(43 + usize::from(n))
        ))
    };
    let credential = |n| Credential { user: user.id, password: hash(n), changed_at: things.at(0) };
    credentials.put(&credential(0)).await.unwrap();
    metered.assert_cost("CredentialRepository put", 1, 0.0, 1.0);
    credentials.find(user.id).await.unwrap();
    metered.assert_cost("CredentialRepository find", 1, 1.0, 0.0);
    assert!(credentials.replace(&credential(1), &hash(0)).await.unwrap());
    metered.assert_cost("CredentialRepository replace", 1, 0.0, 1.0);
    let right = Sha256Digest::of(b"right");
    let code = OneTimeCode {
        purpose: CodePurpose::ConfirmEmail,
        address: user.email.clone(),
        user: user.id,
        hash: right,
        expires_at: things.at(600),
        tries_left: 5,
        password: Some(hash(2)),
    };
    credentials.put_code(&code).await.unwrap();
    metered.assert_cost("CredentialRepository put_code", 1, 0.0, 4.0);
    credentials.find_code(code.purpose, &code.address).await.unwrap();
    metered.assert_cost("CredentialRepository find_code", 1, 1.0, 0.0);
    assert!(credentials.replace_code(&code, Some(right)).await.unwrap());
    metered.assert_cost("CredentialRepository replace_code", 1, 0.0, 4.0);
    let wrong = Sha256Digest::of(b"wrong");
    credentials.try_code(code.purpose, &code.address, &wrong, None, things.at(1)).await.unwrap();
    metered.assert_cost("CredentialRepository try_code of a wrong code", 1, 0.0, 1.0);
    credentials.try_code(code.purpose, &code.address, &right, None, things.at(1)).await.unwrap();
    metered.assert_cost("CredentialRepository try_code", 2, 0.0, 7.0);
    credentials.put_code(&code).await.unwrap();
    metered.forget();
    credentials.remove(user.id).await.unwrap();
    metered.assert_cost("CredentialRepository remove", 3, 1.0, 3.0);
}

#[tokio::test]
async fn sessions_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let sessions = &metered.repositories.sessions;
    let session = things.session(things.owner(), things.at(0));
    sessions.insert(&session).await.unwrap();
    metered.assert_cost("SessionRepository insert", 1, 0.0, 7.0);
    sessions.find_by_token(&session.token).await.unwrap();
    metered.assert_cost("SessionRepository find_by_token", 1, 1.0, 0.0);
    sessions.touch(session.user, session.id, things.at(4_000)).await.unwrap();
    metered.assert_cost("SessionRepository touch", 2, 1.0, 3.0);
    for n in 0..9 {
        sessions.insert(&things.session(session.user, things.at(n))).await.unwrap();
    }
    metered.forget();
    sessions.list(session.user).await.unwrap();
    metered.assert_cost("SessionRepository list", 2, 11.0, 0.0);
    sessions.remove(session.user, session.id).await.unwrap();
    metered.assert_cost("SessionRepository remove", 3, 1.0, 4.0);
    sessions.remove_all(session.user, None).await.unwrap();
    metered.assert_cost("SessionRepository remove_all", 3, 1.0, 36.0);
    sessions.insert(&session).await.unwrap();
    metered.forget();
    let late = things.at(0).plus(gallery_domain::Session::ABSOLUTE * 2);
    assert_eq!(sessions.remove_expired(late, 100).await.unwrap(), 1);
    metered.assert_cost("SessionRepository remove_expired", 8, 3.0, 5.0);
}

#[tokio::test]
async fn idempotency_keys_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let (owner, id) = (things.owner(), things.uuid());
    let idempotency = &metered.repositories.idempotency;
    let claim = IdempotencyClaim { request: Sha256Digest::of(b"request"), id, expires_at: things.at(9) };
    idempotency.claim(owner, "key", &claim, things.at(0)).await.unwrap();
    metered.assert_cost("IdempotencyRepository claim", 1, 0.0, 2.0);
    idempotency.remove_all(owner).await.unwrap();
    metered.assert_cost("IdempotencyRepository remove_all", 2, 1.0, 2.0);
    idempotency.claim(owner, "key", &claim, things.at(0)).await.unwrap();
    metered.forget();
    assert_eq!(idempotency.remove_expired(things.at(99), 100).await.unwrap(), 1);
    metered.assert_cost("IdempotencyRepository remove_expired", 5, 2.0, 2.0);
}

#[tokio::test]
async fn attempts_cost_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let limiter = &metered.repositories.rate_limiter;
    let rule = Throttle::Rate { burst: 2, every: Duration::from_secs(60) };
    let key = ThrottleKey::origin("log-in", "192.0.2.0/24");
    limiter.attempt(&key, &rule, things.at(0)).await.unwrap();
    metered.forget();
    limiter.attempt(&key, &rule, things.at(0)).await.unwrap();
    metered.assert_cost("RateLimiter attempt", 2, 1.0, 3.0);
    limiter.attempt(&key, &rule, things.at(0)).await.unwrap();
    metered.assert_cost("RateLimiter attempt that is denied", 1, 1.0, 0.0);
    limiter.reset(&key).await.unwrap();
    metered.assert_cost("RateLimiter reset", 1, 0.0, 2.0);
    limiter.attempt(&key, &rule, things.at(0)).await.unwrap();
    metered.forget();
    assert_eq!(limiter.remove_expired(things.at(9_999), 100).await.unwrap(), 1);
    metered.assert_cost("RateLimiter remove_expired", 5, 2.0, 2.0);
}

#[tokio::test]
async fn work_costs_what_the_page_says() {
    let (metered, things) = (Metered::new().await, Things::new());
    let work = &metered.repositories.work;
    let task = Task::Photo { owner: things.owner(), photo: things.photo_id() };
    work.schedule(&Work::new(task, things.at(0))).await.unwrap();
    metered.assert_cost("WorkQueue schedule", 1, 0.0, 2.0);
    work.next_due().await.unwrap();
    metered.assert_cost("WorkQueue next_due", 4, 2.0, 0.0);
    let claimed = work.claim(things.at(1), Duration::from_secs(60), 10).await.unwrap();
    metered.assert_cost("WorkQueue claim", 5, 2.0, 3.0);
    work.postpone(&claimed[0], things.at(5)).await.unwrap();
    metered.assert_cost("WorkQueue postpone", 1, 0.0, 3.0);
    work.complete(&claimed[0]).await.unwrap();
    metered.assert_cost("WorkQueue complete", 1, 0.0, 2.0);
    work.schedule(&Work::new(task, things.at(0))).await.unwrap();
    metered.forget();
    work.cancel(&task).await.unwrap();
    metered.assert_cost("WorkQueue cancel", 1, 0.0, 2.0);
}
