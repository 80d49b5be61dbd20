//! A use of every method of every repository.

use std::time::Duration;

use gallery_domain::ports::{AlbumScope, IdempotencyClaim};
use gallery_domain::search::SearchQuery;
use gallery_domain::{
    ClientLabel, CodePurpose, Credential, EmailAddress, Membership, OneTimeCode, Page, PageRequest, PageSize,
    PasswordHash, PersonName, PhotoState, Quota, Rank, RankCursor, Revision, SecretToken, Session, SessionId,
    Sha256Digest, Task, Throttle, ThrottleKey, Timestamp, User, UserStatus, Work,
};
use uuid::Uuid;

use super::stored::{NOON, Stored, ready, tags, title, work_on};

/// Uses all of them, audits left out.
pub(crate) async fn use_every_method(stored: &Stored) {
    use_photos(stored).await;
    use_albums(stored).await;
    use_accounts(stored).await;
    use_the_rest(stored).await;
}

fn first<C>() -> PageRequest<C> {
    PageRequest::first(PageSize::default())
}

async fn use_photos(stored: &Stored) {
    let (owner, photos) = (stored.owner, &stored.repositories.photos);
    let mut photo = stored.photo(1, |photo| photo.details.tags = tags(&["Lake"])).await;
    stored.replace(&mut photo, |photo| photo.details.title = title("By the lake")).await;
    stored.replace(&mut photo, |photo| photo.details.taken_at = Some("2020-02-02T20:20:20".parse().unwrap())).await;
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
    let album = stored.album(1, "Album").await;
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
    stored.replace(&mut photo, |photo| photo.state = PhotoState::Erasing { settled_at: photo.created_at }).await;
    photos.remove(owner, photo.id).await.unwrap();
}

async fn use_albums(stored: &Stored) {
    let (owner, albums) = (stored.owner, &stored.repositories.albums);
    let photo = stored.photo(2, |_| ()).await;
    let id = stored.album(2, "Album").await;
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

pub(crate) async fn use_accounts(stored: &Stored) {
    let (owner, now) = (stored.owner, Timestamp::from_millis(NOON));
    let email: EmailAddress = "ada@example.org".parse().unwrap();
    let users = &stored.repositories.users;
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

    let credentials = &stored.repositories.credentials;
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

    let sessions = &stored.repositories.sessions;
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

pub(crate) async fn use_the_rest(stored: &Stored) {
    let (owner, now) = (stored.owner, Timestamp::from_millis(NOON));
    let idempotency = &stored.repositories.idempotency;
    let claim = IdempotencyClaim {
        request: Sha256Digest::of(b"request"),
        id: Uuid::from_u128(8),
        expires_at: now.plus(Duration::from_secs(60)),
    };
    idempotency.claim(owner, "key", &claim, now).await.unwrap();
    idempotency.remove_expired(now, 10).await.unwrap();
    idempotency.remove_all(owner).await.unwrap();

    let limiter = &stored.repositories.rate_limiter;
    let key = ThrottleKey::origin("upload", "here");
    limiter.attempt(&key, &Throttle::Rate { burst: 2, every: Duration::from_secs(1) }, now).await.unwrap();
    limiter.remove_expired(now, 10).await.unwrap();
    limiter.reset(&key).await.unwrap();

    let work = &stored.repositories.work;
    let task = Task::Account { owner };
    work.schedule(&Work::new(task, now)).await.unwrap();
    work.next_due().await.unwrap();
    // What somebody else is claiming is passed over; so is what this one was claiming when its connection broke, until that is noticed.
    let claimed = loop {
        let claimed = work.claim(now, Duration::from_secs(60), 1).await.unwrap();
        if !claimed.is_empty() {
            break claimed;
        }
    };
    work.postpone(&claimed[0], now).await.unwrap();
    work.complete(&claimed[0]).await.unwrap();
    work.cancel(&task).await.unwrap();
    let announced = ready(owner, 3);
    assert_eq!(work_on(&announced).task.owner(), owner);
}
