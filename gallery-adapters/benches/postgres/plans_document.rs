//! `docs/postgres-plans.md`: the plan of each statement that the ports run, and what it took.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::ports::IdempotencyClaim;
use gallery_domain::{
    Album, AlbumId, AlbumTitle, ClientLabel, CodePurpose, Credential, Description, EmailAddress, Membership,
    OneTimeCode, PageRequest, PageSize, PasswordHash, PersonName, Quota, Rank, Revision, SecretToken, Session,
    SessionId, Sha256Digest, Task, Throttle, ThrottleKey, Timestamp, Title, User, UserId, UserStatus, Work,
};
use sqlx::postgres::PgConnectOptions;
use uuid::Uuid;

use crate::many_photos::pages::{PAGES, Viewer};
use crate::many_photos::plans::{Plan, Plans, telling};

/// After so many runs the server has chosen between plans that know the values of a statement and one that does not.
const RUNS: usize = 7;

/// The width that statements are broken at.
const WIDTH: usize = 140;

/// Uses every method of every port, and writes down by which plans the server answered.
pub(crate) async fn write(connect: PgConnectOptions, version: u32, viewers: &[Viewer; 2], file: &Path) {
    let plans = Plans::default();
    tracing::subscriber::set_global_default(plans.clone()).unwrap();
    let options = PostgresOptions { max_connections: 1, ..PostgresOptions::default() };
    let store = PostgresStore::new(telling(connect), options);
    let [few, many] = [0, 1].map(|who| viewers[who].owner.photos);
    let mut document = Document { text: String::new(), plans, written: HashMap::new() };
    let _ = write!(
        document.text,
        "# Plans on PostgreSQL\n\n\
         Written by `cargo xtask bench postgres --plans`: every method of the ports of [the access patterns](../migrations/ACCESS_PATTERNS.md) was \
         used on PostgreSQL {version}, by an owner of {many} photos beside one of {few} and others, and the server told the plan by which it did answer, \
         as `EXPLAIN (ANALYZE, BUFFERS)` has it, without the estimates. *Blocks* are those of 8 KiB that a call looked at, in the server's memory or \
         beyond, without those of triggers; [the benchmarks](benchmarks.md) count these too. `audit` is left out: it reads everything.\n\n\
         That no plan of a page grows with the gallery is tested by `gallery-adapters/tests/postgres_plans.rs` on a smaller one.\n"
    );
    photos(&mut document, &store, viewers).await;
    albums(&mut document, &store, viewers).await;
    accounts(&mut document, &store).await;
    the_rest(&mut document, &store).await;
    store.close().await;
    std::fs::write(file, document.text).unwrap();
}

struct Document {
    text: String,
    plans: Plans,
    /// The statements that stand in the text, and under which method.
    written: HashMap<String, String>,
}

impl Document {
    fn port(&mut self, name: &str) {
        self.plans.take();
        let _ = write!(self.text, "\n## {name}\n");
    }

    /// What the server told since the last time is a method's.
    fn method(&mut self, name: &str, call: &str) {
        let plans = self.plans.take();
        let blocks: u64 = plans.iter().map(Plan::blocks).sum();
        self.section(name, &format!("{call}. Blocks: {blocks}."), &plans);
    }

    fn section(&mut self, name: &str, about: &str, plans: &[Plan]) {
        assert!(!plans.is_empty(), "the server told no plan of {name}");
        let _ = write!(self.text, "\n### `{name}`\n\n{about}\n");
        for plan in plans {
            let statement = match self.written.get(&plan.statement) {
                Some(method) => format!("-- the statement that stands first under `{method}`"),
                None => broken(&plan.statement),
            };
            self.written.entry(plan.statement.clone()).or_insert_with(|| name.to_owned());
            let _ = write!(self.text, "\n```\n{statement}\n\n");
            for step in &plan.steps {
                let _ = writeln!(self.text, "{}", without_estimate(step));
            }
            self.text.push_str("```\n");
        }
    }
}

/// A statement in lines.
fn broken(statement: &str) -> String {
    let (mut text, mut length) = (String::new(), 0);
    for word in statement.split_whitespace() {
        if length > 0 && length + word.len() + 1 > WIDTH {
            text.push_str("\n  ");
            length = 2;
        } else if length > 0 {
            text.push(' ');
            length += 1;
        }
        text.push_str(word);
        length += word.len();
    }
    text
}

/// A step of a plan with what it did alone.
fn without_estimate(step: &str) -> String {
    match step.split_once("  (cost=") {
        Some((name, rest)) => {
            let did = rest.split_once(") ").map_or("", |(_, did)| did);
            format!("{name}  {did}").trim_end().to_owned()
        }
        None => step.to_owned(),
    }
}

fn first<C>() -> PageRequest<C> {
    PageRequest::first(PageSize::default())
}

async fn photos(document: &mut Document, store: &PostgresStore, viewers: &[Viewer; 2]) {
    let repositories = store.repositories();
    let (photos, owner) = (&repositories.photos, viewers[1].owner);
    document.port("PhotoRepository");
    let mut photo = owner.photo(owner.photos + 100_000);
    (photo.trashed, photo.state) = (None, owner.photo(1).state);
    let work = Work::new(Task::Photo { owner: owner.id, photo: photo.id }, Timestamp::MAX);
    let quota = Quota { bytes: u64::MAX >> 1, photos: u64::MAX >> 1, pending_uploads: u64::MAX >> 1 };
    photos.insert(&photo, &quota, &work).await.unwrap();
    document.method("insert", "A photo that is ready");
    let some: Vec<_> = (0..50).map(|number| owner.photo(number * 97)).collect();
    for _ in 0..RUNS {
        document.plans.take();
        photos.find(owner.id, photo.id).await.unwrap();
    }
    document.method("find", "One photo");
    for _ in 0..RUNS {
        document.plans.take();
        photos.find_many(owner.id, &some.iter().map(|photo| photo.id).collect::<Vec<_>>()).await.unwrap();
    }
    document.method("find_many", "50 photos");
    for _ in 0..RUNS {
        document.plans.take();
        let contents: Vec<_> = some.iter().map(|photo| photo.original.sha256).collect();
        photos.find_by_content(owner.id, &contents).await.unwrap();
    }
    document.method("find_by_content", "50 hashes");
    let read_at = photo.revision;
    (photo.details.title, photo.revision) = (Title::parse("Another day").unwrap(), read_at.next());
    photos.replace(&photo, read_at, Some(work)).await.unwrap();
    document.method("replace", "Another title");
    photos.remove(owner.id, photo.id).await.unwrap();
    document.method("remove", "One photo");
    pages(document, store, viewers, false).await;
}

/// The pages of photos, or those of albums.
async fn pages(document: &mut Document, store: &PostgresStore, viewers: &[Viewer; 2], of_albums: bool) {
    let repositories = store.repositories();
    for (name, page) in PAGES.iter().filter(|(_, page)| page.is_of_albums() == of_albums) {
        let (mut blocks, mut last) = (Vec::new(), Vec::new());
        for viewer in viewers {
            for _ in 0..RUNS {
                document.plans.take();
                page.get(&repositories, viewer, 0.5).await;
                last = document.plans.take();
            }
            let sum: u64 = last.iter().map(Plan::blocks).sum();
            blocks.push(format!("{sum} of {} photos", viewer.owner.photos));
        }
        document.section(page.method(), &format!("A page of 50: {name}. Blocks: {}.", blocks.join(", ")), &last);
    }
}

async fn albums(document: &mut Document, store: &PostgresStore, viewers: &[Viewer; 2]) {
    let (repositories, viewer) = (store.repositories(), &viewers[1]);
    let (albums, owner, large) = (&repositories.albums, viewer.owner, viewer.owner.album());
    document.port("AlbumRepository");
    let mut album = Album {
        id: AlbumId::from_uuid(Uuid::from_u128(77)),
        owner: owner.id,
        title: AlbumTitle::parse("Another").unwrap(),
        description: Description::default(),
        cover: None,
        trashed: None,
        created_at: Timestamp::from_millis(1),
        revision: Revision::FIRST,
    };
    albums.insert(&album).await.unwrap();
    document.method("insert", "An album");
    albums.find(owner.id, album.id).await.unwrap();
    document.method("find", "An album");
    albums.find_by_title(owner.id, &album.title.key()).await.unwrap();
    document.method("find_by_title", "A title");
    album.revision = Revision::FIRST.next();
    albums.replace(&album, Revision::FIRST, None).await.unwrap();
    document.method("replace", "Another revision");
    let photo = owner.photo(3);
    let place = Membership { photo: photo.id, rank: Rank::between(None, None).unwrap() };
    albums.add_photos(owner.id, album.id, &[place]).await.unwrap();
    document.method("add_photos", "One photo");
    albums.remove_photos(owner.id, album.id, &[photo.id]).await.unwrap();
    document.method("remove_photos", "One photo");
    albums.remove(owner.id, album.id).await.unwrap();
    document.method("remove", "An album without photos");
    pages(document, store, viewers, true).await;
    albums.trash(owner.id, first()).await.unwrap();
    document.method("trash", "A page of 50");
    albums.covers(owner.id, &[large]).await.unwrap();
    document.method("covers", "One album");
    let place = viewer.place_in_album(0.5);
    albums.members(owner.id, large, PageRequest::after(PageSize::default(), place.clone())).await.unwrap();
    document.method("members", "A deep page of 50");
    albums.member(owner.id, large, place.photo).await.unwrap();
    document.method("member", "One photo");
    albums.last_member(owner.id, large).await.unwrap();
    document.method("last_member", "An album of a fifth of the photos");
    albums.member_before(owner.id, large, &place).await.unwrap();
    document.method("member_before", "In the middle of that album");
    albums.albums_of(owner.id, place.photo).await.unwrap();
    document.method("albums_of", "One photo");
    albums.all(owner.id, first()).await.unwrap();
    document.method("all", "A page of 50");
}

async fn accounts(document: &mut Document, store: &PostgresStore) {
    let (id, now) = (UserId::from_uuid(Uuid::from_u128(78)), Timestamp::from_millis(1_717_243_200_000));
    let email: EmailAddress = "ada@example.com".parse().unwrap();
    let repositories = store.repositories();
    let users = &repositories.users;
    let mut user = User {
        id,
        email: email.clone(),
        name: PersonName::parse("Ada").unwrap(),
        status: UserStatus::Active,
        quota: Quota::default(),
        created_at: now,
        revision: Revision::FIRST,
    };
    document.port("UserRepository");
    users.insert(&user).await.unwrap();
    document.method("insert", "A user");
    users.find(id).await.unwrap();
    document.method("find", "A user");
    users.find_by_email(&email).await.unwrap();
    document.method("find_by_email", "A user");
    user.revision = Revision::FIRST.next();
    users.replace(&user, Revision::FIRST, None).await.unwrap();
    document.method("replace", "Another revision");
    users.usage(id).await.unwrap();
    document.method("usage", "A user");
    users.all(first()).await.unwrap();
    document.method("all", "A page of 50");
    users.remove(id, None).await.unwrap();
    document.method("remove", "A user");

    let credentials = &repositories.credentials;
    let (old, new) = (PasswordHash::from_phc("old".into()), PasswordHash::from_phc("new".into()));
    document.port("CredentialRepository");
    credentials.put(&Credential { user: id, password: old.clone(), changed_at: now }).await.unwrap();
    document.method("put", "A password");
    credentials.find(id).await.unwrap();
    document.method("find", "A password");
    credentials.replace(&Credential { user: id, password: new.clone(), changed_at: now }, &old).await.unwrap();
    document.method("replace", "Another password");
    let (purpose, hash) = (CodePurpose::ConfirmEmail, Sha256Digest::of(b"code"));
    let expires_at = now.plus(Duration::from_secs(60));
    let code =
        OneTimeCode { purpose, address: email.clone(), user: id, hash, expires_at, tries_left: 3, password: None };
    credentials.put_code(&code).await.unwrap();
    document.method("put_code", "A code");
    credentials.find_code(purpose, &email).await.unwrap();
    document.method("find_code", "A code");
    credentials.replace_code(&code, Some(hash)).await.unwrap();
    document.method("replace_code", "Another code");
    credentials.try_code(purpose, &email, &hash, Some(new), now).await.unwrap();
    document.method("try_code", "The right code");
    credentials.remove(id).await.unwrap();
    document.method("remove", "A user's");

    let sessions = &repositories.sessions;
    let token = SecretToken::from_random(&[7; 32]).hash();
    let session = Session {
        id: SessionId::from_uuid(Uuid::from_u128(79)),
        user: id,
        token,
        client: ClientLabel::new("a browser"),
        created_at: now,
        last_seen_at: now,
    };
    document.port("SessionRepository");
    sessions.insert(&session).await.unwrap();
    document.method("insert", "A session");
    sessions.find_by_token(&token).await.unwrap();
    document.method("find_by_token", "A session");
    sessions.touch(id, session.id, now.plus(Duration::from_secs(9))).await.unwrap();
    document.method("touch", "A session");
    sessions.list(id).await.unwrap();
    document.method("list", "A user's");
    sessions.remove(id, session.id).await.unwrap();
    document.method("remove", "A session");
    sessions.remove_all(id, None).await.unwrap();
    document.method("remove_all", "A user's");
    sessions.remove_expired(now, 10).await.unwrap();
    document.method("remove_expired", "Ten at most");
}

async fn the_rest(document: &mut Document, store: &PostgresStore) {
    let (id, now) = (UserId::from_uuid(Uuid::from_u128(78)), Timestamp::from_millis(1_717_243_200_000));
    let repositories = store.repositories();
    let idempotency = &repositories.idempotency;
    let expires_at = now.plus(Duration::from_secs(60));
    let claim = IdempotencyClaim { request: Sha256Digest::of(b"request"), id: Uuid::from_u128(8), expires_at };
    document.port("IdempotencyRepository");
    idempotency.claim(id, "key", &claim, now).await.unwrap();
    document.method("claim", "A key");
    idempotency.remove_expired(now, 10).await.unwrap();
    document.method("remove_expired", "Ten at most");
    idempotency.remove_all(id).await.unwrap();
    document.method("remove_all", "A user's");

    let limiter = &repositories.rate_limiter;
    let key = ThrottleKey::origin("upload", "here");
    document.port("RateLimiter");
    limiter.attempt(&key, &Throttle::Rate { burst: 2, every: Duration::from_secs(1) }, now).await.unwrap();
    document.method("attempt", "An attempt");
    limiter.remove_expired(now, 10).await.unwrap();
    document.method("remove_expired", "Ten at most");
    limiter.reset(&key).await.unwrap();
    document.method("reset", "A key");

    let work = &repositories.work;
    let task = Task::Account { owner: id };
    document.port("WorkQueue");
    work.schedule(&Work::new(task, now)).await.unwrap();
    document.method("schedule", "An item");
    work.next_due().await.unwrap();
    document.method("next_due", "The first");
    let claimed = work.claim(now, Duration::from_secs(60), 1).await.unwrap();
    document.method("claim", "One item");
    work.postpone(&claimed[0], now).await.unwrap();
    document.method("postpone", "An item");
    work.complete(&claimed[0]).await.unwrap();
    document.method("complete", "An item");
    work.cancel(&task).await.unwrap();
    document.method("cancel", "An item");
}
