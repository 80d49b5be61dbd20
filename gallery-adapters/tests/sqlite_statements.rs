//! Every statement that the store runs for a request is answered by an index: none scans a table, none sorts more than it answers.
//!
//! The statements are taken down as the ports run them, so that none can be forgotten here. Audits are left out: they read everything.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

#[path = "sqlite/fixture.rs"]
mod fixture;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gallery_domain::ports::{AlbumScope, IdempotencyClaim};
use gallery_domain::search::SearchQuery;
use gallery_domain::{
    ClientLabel, CodePurpose, Credential, EmailAddress, Membership, OneTimeCode, Page, PageRequest, PageSize,
    PasswordHash, PersonName, PhotoState, Quota, Rank, RankCursor, Revision, SecretToken, Session, SessionId,
    Sha256Digest, Task, Throttle, ThrottleKey, Timestamp, User, UserStatus, Work,
};
use sqlx::Row;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use uuid::Uuid;

use fixture::{Fixture, NOON, ready, tags, title, work_on};

/// Takes down the statements that sqlx reports.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn event(&self, event: &Event<'_>) {
        let mut seen = Seen::default();
        event.record(&mut seen);
        // A statement of few words is all summary.
        let statement = if seen.statement.trim().is_empty() { seen.summary } else { seen.statement };
        self.0.lock().unwrap().insert(statement.trim().to_owned());
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Seen {
    summary: String,
    statement: String,
}

impl Visit for Seen {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.statement = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn first<C>() -> PageRequest<C> {
    PageRequest::first(PageSize::default())
}

async fn use_photos(fixture: &Fixture) {
    let (owner, photos) = (fixture.owner, &fixture.repositories.photos);
    let mut photo = fixture.photo(1, |photo| photo.details.tags = tags(&["Lake"])).await;
    fixture.replace(&mut photo, |photo| photo.details.title = title("By the lake")).await;
    fixture.replace(&mut photo, |photo| photo.details.taken_at = Some("2020-02-02T20:20:20".parse().unwrap())).await;
    photos.find(owner, photo.id).await.unwrap();
    photos.find_many(owner, &[photo.id]).await.unwrap();
    photos.find_by_content(owner, &[photo.original.sha256]).await.unwrap();
    photos.timeline(owner, first()).await.unwrap();
    photos.favourites(owner, first()).await.unwrap();
    photos.trash(owner, first()).await.unwrap();
    photos.unfinished(owner, first()).await.unwrap();
    photos.months(owner).await.unwrap();
    photos.tags(owner, "la", 10).await.unwrap();
    photos.all(owner, first()).await.unwrap();
    let album = fixture.album(1, "Album").await;
    let scope = AlbumScope { within: vec![vec![album]], outside: vec![] };
    for (query, scope) in [
        ("lake", &AlbumScope::default()),
        ("\"img\" -sea", &AlbumScope::default()),
        ("type:jpeg", &AlbumScope::default()),
        ("is:favourite", &AlbumScope::default()),
        ("in:Album", &scope),
    ] {
        photos.search(owner, &SearchQuery::parse(query).unwrap(), scope, first()).await.unwrap();
    }
    fixture.replace(&mut photo, |photo| photo.state = PhotoState::Erasing { settled_at: photo.created_at }).await;
    photos.remove(owner, photo.id).await.unwrap();
}

async fn use_albums(fixture: &Fixture) {
    let (owner, albums) = (fixture.owner, &fixture.repositories.albums);
    let photo = fixture.photo(2, |_| ()).await;
    let id = fixture.album(2, "Album").await;
    let rank = Rank::between(None, None).unwrap();
    let place = RankCursor { rank: rank.clone(), photo: photo.id };
    albums.add_photos(owner, id, &[Membership { photo: photo.id, rank }]).await.unwrap();
    let mut album = albums.find(owner, id).await.unwrap().unwrap().album;
    album.revision = Revision::FIRST.next();
    albums.replace(&album, Revision::FIRST, None).await.unwrap();
    albums.find_by_title(owner, &album.title.key()).await.unwrap();
    albums.list(owner, first()).await.unwrap();
    albums.trash(owner, first()).await.unwrap();
    albums.covers(owner, &[id]).await.unwrap();
    albums.photos(owner, id, first()).await.unwrap();
    albums.members(owner, id, first()).await.unwrap();
    albums.member(owner, id, photo.id).await.unwrap();
    albums.last_member(owner, id).await.unwrap();
    albums.member_before(owner, id, &place).await.unwrap();
    albums.albums_of(owner, photo.id).await.unwrap();
    albums.all(owner, first()).await.unwrap();
    albums.remove_photos(owner, id, &[photo.id]).await.unwrap();
    albums.remove(owner, id).await.unwrap();
}

async fn use_accounts(fixture: &Fixture) {
    let (owner, now) = (fixture.owner, Timestamp::from_millis(NOON));
    let email: EmailAddress = "ada@example.org".parse().unwrap();
    let users = &fixture.repositories.users;
    let mut user = User {
        id: owner,
        email: email.clone(),
        name: PersonName::parse("Ada").unwrap(),
        status: UserStatus::Active,
        quota: Quota::default(),
        created_at: now,
        revision: Revision::FIRST,
    };
    users.insert(&user).await.unwrap();
    user.revision = Revision::FIRST.next();
    users.replace(&user, Revision::FIRST, None).await.unwrap();
    users.find(owner).await.unwrap();
    users.find_by_email(&email).await.unwrap();
    users.usage(owner).await.unwrap();
    let page: Page<User, _> = users.all(first()).await.unwrap();
    assert_eq!(page.items, [user]);
    users.remove(owner, None).await.unwrap();

    let credentials = &fixture.repositories.credentials;
    let (old, new) = (PasswordHash::from_phc("old".into()), PasswordHash::from_phc("new".into()));
    credentials.put(&Credential { user: owner, password: old.clone(), changed_at: now }).await.unwrap();
    credentials.find(owner).await.unwrap();
    credentials.replace(&Credential { user: owner, password: new.clone(), changed_at: now }, &old).await.unwrap();
    let (purpose, hash) = (CodePurpose::ConfirmEmail, Sha256Digest::of(b"code"));
    let code = OneTimeCode {
        purpose,
        address: email.clone(),
        user: owner,
        hash,
        expires_at: now.plus(Duration::from_secs(60)),
        tries_left: 3,
        password: Some(new.clone()),
    };
    credentials.put_code(&code).await.unwrap();
    credentials.find_code(purpose, &email).await.unwrap();
    credentials.replace_code(&code, None).await.unwrap();
    credentials.replace_code(&code, Some(hash)).await.unwrap();
    credentials.try_code(purpose, &email, &Sha256Digest::of(b"wrong"), None, now).await.unwrap();
    credentials.try_code(purpose, &email, &hash, Some(new), now).await.unwrap();
    credentials.remove(owner).await.unwrap();

    let sessions = &fixture.repositories.sessions;
    let session = Session {
        id: SessionId::from_uuid(Uuid::from_u128(7)),
        user: owner,
        token: SecretToken::from_random(&[7; 32]).hash(),
        client: ClientLabel::new("a browser"),
        created_at: now,
        last_seen_at: now,
    };
    sessions.insert(&session).await.unwrap();
    sessions.find_by_token(&session.token).await.unwrap();
    sessions.touch(owner, session.id, now.plus(Duration::from_secs(9))).await.unwrap();
    sessions.list(owner).await.unwrap();
    sessions.remove(owner, session.id).await.unwrap();
    sessions.remove_all(owner, None).await.unwrap();
    sessions.remove_expired(now, 10).await.unwrap();
}

async fn use_the_rest(fixture: &Fixture) {
    let (owner, now) = (fixture.owner, Timestamp::from_millis(NOON));
    let idempotency = &fixture.repositories.idempotency;
    let claim = IdempotencyClaim {
        request: Sha256Digest::of(b"request"),
        id: Uuid::from_u128(8),
        expires_at: now.plus(Duration::from_secs(60)),
    };
    idempotency.claim(owner, "key", &claim, now).await.unwrap();
    idempotency.remove_expired(now, 10).await.unwrap();
    idempotency.remove_all(owner).await.unwrap();

    let limiter = &fixture.repositories.rate_limiter;
    let key = ThrottleKey::origin("upload", "here");
    limiter.attempt(&key, &Throttle::Rate { burst: 2, every: Duration::from_secs(1) }, now).await.unwrap();
    limiter.remove_expired(now, 10).await.unwrap();
    limiter.reset(&key).await.unwrap();

    let work = &fixture.repositories.work;
    let task = Task::Account { owner };
    work.schedule(&Work::new(task, now)).await.unwrap();
    work.next_due().await.unwrap();
    let claimed = work.claim(now, Duration::from_secs(60), 1).await.unwrap();
    work.postpone(&claimed[0], now).await.unwrap();
    work.complete(&claimed[0]).await.unwrap();
    work.cancel(&task).await.unwrap();
    let announced = ready(owner, 3);
    assert_eq!(work_on(&announced).task.owner(), owner);
}

#[tokio::test]
async fn every_statement_of_a_request_is_answered_by_an_index() {
    let statements = Statements::default();
    let fixture = Fixture::new().await;
    tracing::subscriber::set_global_default(statements.clone()).unwrap();
    use_photos(&fixture).await;
    use_albums(&fixture).await;
    use_accounts(&fixture).await;
    use_the_rest(&fixture).await;
    // What is under way is reported before the file is closed.
    fixture.store.close().await;

    let statements = statements.0.lock().unwrap().clone();
    let mut connection = fixture.connection().await;
    let (mut explained, mut poor) = (0, Vec::new());
    for statement in &statements {
        if !["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb)) {
            continue;
        }
        explained += 1;
        let steps = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for step in steps {
            let step: String = step.get("detail");
            let scans = step.starts_with("SCAN")
                && !step.contains("VIRTUAL TABLE INDEX")
                && !step.starts_with("SCAN CONSTANT ROW");
            if scans || step.contains("TEMP B-TREE") || step.contains("AUTOMATIC") {
                poor.push(format!("{step}\n  in {statement}"));
            }
        }
    }
    assert!(explained >= 75, "only {explained} statements were taken down");
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}
