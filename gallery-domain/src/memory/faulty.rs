//! Ports that fail on plan: to see what becomes of a use case, or of an adapter over other ports, when anything under it fails.
//!
//! ```
//! use std::sync::Arc;
//!
//! use gallery_domain::memory::MemoryStore;
//! use gallery_domain::memory::faulty::{Fault, Plan};
//! use gallery_domain::ports::CredentialRepository;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let plan = Arc::new(Plan::default());
//! let credentials: Arc<dyn CredentialRepository> = Arc::new(MemoryStore::new());
//! let shaky = plan.faulty(&credentials);
//! let nobody = gallery_domain::UserId::from_uuid(uuid::Uuid::nil());
//! plan.fail(1, Fault::FailsBefore);
//! assert!(shaky.find(nobody).await.is_ok());
//! assert!(shaky.find(nobody).await.is_err());
//! assert_eq!(plan.calls(), ["find", "find"]);
//! # }
//! ```

use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::{BoxFuture, pending};

use crate::ports::*;
use crate::search::SearchQuery;
use crate::services::Ports;
use crate::*;

/// In what way a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing was done.
    FailsBefore,
    /// It was done, but the answer is a failure.
    ReplyLost,
    /// Whoever called goes away before it is done: a crash, or a client that hangs up.
    DroppedBefore,
    /// Whoever called goes away after it was done.
    DroppedAfter,
    /// The first reply is lost beneath the adapter, which sends the call again by itself: the answer is the second's.
    SentTwice,
}

impl Fault {
    /// Every way.
    pub const ALL: [Self; 5] =
        [Self::FailsBefore, Self::ReplyLost, Self::DroppedBefore, Self::DroppedAfter, Self::SentTwice];
}

/// What is to happen to which call, shared by all ports of a world. Calls are counted from 0.
#[derive(Default)]
pub struct Plan {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: Vec<&'static str>,
    fault: Option<(usize, Fault)>,
    visit: Option<(usize, BoxFuture<'static, ()>)>,
    broken: Option<(&'static str, Fault)>,
    failure: Option<fn() -> BackendFailure>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}

impl Plan {
    /// Has a call fail.
    pub fn fail(&self, call: usize, fault: Fault) {
        self.lock().fault = Some((call, fault));
    }

    /// Has something else happen right before a call.
    pub fn visit(&self, call: usize, visit: BoxFuture<'static, ()>) {
        self.lock().visit = Some((call, visit));
    }

    /// Has every call of a method fail, as `process`, until it is [mended](Self::mend).
    pub fn break_down(&self, method: &'static str) {
        self.lock().broken = Some((method, Fault::FailsBefore));
    }

    /// Has every call of a method fail in a way of its own.
    pub fn break_down_with(&self, method: &'static str, failure: fn() -> BackendFailure) {
        let mut state = self.lock();
        state.broken = Some((method, Fault::FailsBefore));
        state.failure = Some(failure);
    }

    /// Has every call of a method end its process.
    pub fn kill_at(&self, method: &'static str) {
        self.lock().broken = Some((method, Fault::DroppedBefore));
    }

    /// Has what was broken or killed work again.
    pub fn mend(&self) {
        let mut state = self.lock();
        state.broken = None;
        state.failure = None;
    }

    /// The calls that were made, by the names of their methods.
    pub fn calls(&self) -> Vec<&'static str> {
        self.lock().calls.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same port, with what this plan says.
    pub fn faulty<P: ?Sized>(self: &Arc<Self>, port: &Arc<P>) -> Arc<Faulty<P>> {
        Arc::new(Faulty { inner: port.clone(), plan: self.clone() })
    }

    /// The same repositories, with what this plan says.
    pub fn faulty_repositories(self: &Arc<Self>, repositories: &Repositories) -> Repositories {
        Repositories {
            photos: self.faulty(&repositories.photos),
            albums: self.faulty(&repositories.albums),
            users: self.faulty(&repositories.users),
            credentials: self.faulty(&repositories.credentials),
            sessions: self.faulty(&repositories.sessions),
            idempotency: self.faulty(&repositories.idempotency),
            rate_limiter: self.faulty(&repositories.rate_limiter),
            work: self.faulty(&repositories.work),
        }
    }

    /// The same ports, with what this plan says; clock and ids never fail.
    pub fn faulty_ports(self: &Arc<Self>, ports: &Ports) -> Ports {
        Ports {
            repositories: self.faulty_repositories(&ports.repositories),
            blobs: self.faulty(&ports.blobs),
            uploads: self.faulty(&ports.uploads),
            identity: self.faulty(&ports.identity),
            images: self.faulty(&ports.images),
            clock: ports.clock.clone(),
            ids: ports.ids.clone(),
        }
    }

    async fn call<T, E, F>(&self, method: &'static str, call: impl Fn() -> F + Send) -> Result<T, E>
    where
        T: Send,
        E: From<BackendFailure> + Send,
        F: Future<Output = Result<T, E>> + Send,
    {
        let (fault, visit, made) = {
            let mut state = self.lock();
            let number = state.calls.len();
            state.calls.push(method);
            let visit = state.visit.take_if(|(at, _)| *at == number);
            let fault = state.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault);
            let broken = state.broken.filter(|(broken, _)| *broken == method).map(|(_, fault)| fault);
            (fault.or(broken), visit, state.failure)
        };
        let failure = || match made {
            Some(made) => E::from(made()),
            None => E::from(BackendFailure::transient("plan", method, "it was planned")),
        };
        if let Some((_, visit)) = visit {
            visit.await;
        }
        match fault {
            None => call().await,
            Some(Fault::FailsBefore) => Err(failure()),
            Some(Fault::ReplyLost) => {
                drop(call().await);
                Err(failure())
            }
            Some(Fault::DroppedBefore) => pending().await,
            Some(Fault::DroppedAfter) => {
                drop(call().await);
                pending().await
            }
            Some(Fault::SentTwice) => {
                drop(call().await);
                call().await
            }
        }
    }
}

/// A port, with what a plan says.
#[derive(Debug)]
pub struct Faulty<P: ?Sized> {
    inner: Arc<P>,
    plan: Arc<Plan>,
}

macro_rules! faulty_port {
    ($port:ident { $( $method:ident($($arg:ident: $type:ty),*) -> $result:ty; )* }) => {
        #[async_trait]
        impl $port for Faulty<dyn $port> {
            $(
                async fn $method(&self, $($arg: $type),*) -> $result {
                    self.plan.call(stringify!($method), || self.inner.$method($(Clone::clone(&$arg)),*)).await
                }
            )*
        }
    };
}

type Kept<T> = Result<T, RepositoryError>;

faulty_port! { PhotoRepository {
    insert(photo: &Photo, quota: &Quota, work: &Work) -> Kept<()>;
    find(owner: UserId, id: PhotoId) -> Kept<Option<Photo>>;
    find_many(owner: UserId, ids: &[PhotoId]) -> Kept<Vec<Photo>>;
    find_by_content(owner: UserId, contents: &[Sha256Digest]) -> Kept<Vec<Photo>>;
    replace(photo: &Photo, read_at: Revision, work: Option<Work>) -> Kept<()>;
    remove(owner: UserId, id: PhotoId) -> Kept<()>;
    timeline(owner: UserId, page: PageRequest<PhotoCursor>) -> Kept<Page<Photo, PhotoCursor>>;
    favourites(owner: UserId, page: PageRequest<PhotoCursor>) -> Kept<Page<Photo, PhotoCursor>>;
    trash(owner: UserId, page: PageRequest<PhotoCursor>) -> Kept<Page<Photo, PhotoCursor>>;
    unfinished(owner: UserId, page: PageRequest<PhotoCursor>) -> Kept<Page<Photo, PhotoCursor>>;
    months(owner: UserId) -> Kept<Vec<MonthCount>>;
    search(owner: UserId, query: &SearchQuery, albums: &AlbumScope, page: PageRequest<PhotoCursor>) -> Kept<Page<Photo, PhotoCursor>>;
    tags(owner: UserId, key_prefix: &str, limit: u32) -> Kept<Vec<TagCount>>;
    all(owner: UserId, page: PageRequest<PhotoId>) -> Kept<Page<Photo, PhotoId>>;
    audit(owner: UserId, repair: bool) -> Kept<Vec<Discrepancy>>;
} }

faulty_port! { AlbumRepository {
    insert(album: &Album) -> Kept<()>;
    find(owner: UserId, id: AlbumId) -> Kept<Option<AlbumEntry>>;
    find_by_title(owner: UserId, title_key: &str) -> Kept<Vec<AlbumId>>;
    replace(album: &Album, read_at: Revision, work: Option<Work>) -> Kept<()>;
    remove(owner: UserId, id: AlbumId) -> Kept<()>;
    list(owner: UserId, page: PageRequest<AlbumCursor>) -> Kept<Page<AlbumEntry, AlbumCursor>>;
    trash(owner: UserId, page: PageRequest<AlbumCursor>) -> Kept<Page<AlbumEntry, AlbumCursor>>;
    covers(owner: UserId, albums: &[AlbumId]) -> Kept<Vec<(AlbumId, Photo)>>;
    add_photos(owner: UserId, album: AlbumId, places: &[Membership]) -> Kept<u64>;
    remove_photos(owner: UserId, album: AlbumId, photos: &[PhotoId]) -> Kept<u64>;
    photos(owner: UserId, album: AlbumId, page: PageRequest<RankCursor>) -> Kept<Page<(Membership, Photo), RankCursor>>;
    members(owner: UserId, album: AlbumId, page: PageRequest<RankCursor>) -> Kept<Page<Membership, RankCursor>>;
    member(owner: UserId, album: AlbumId, photo: PhotoId) -> Kept<Option<Membership>>;
    last_member(owner: UserId, album: AlbumId) -> Kept<Option<Membership>>;
    member_before(owner: UserId, album: AlbumId, place: &RankCursor) -> Kept<Option<Membership>>;
    albums_of(owner: UserId, photo: PhotoId) -> Kept<Vec<AlbumId>>;
    all(owner: UserId, page: PageRequest<AlbumId>) -> Kept<Page<Album, AlbumId>>;
} }

faulty_port! { UserRepository {
    insert(user: &User) -> Kept<()>;
    find(id: UserId) -> Kept<Option<User>>;
    find_by_email(email: &EmailAddress) -> Kept<Option<User>>;
    replace(user: &User, read_at: Revision, work: Option<Work>) -> Kept<()>;
    remove(id: UserId, work: Option<Work>) -> Kept<()>;
    usage(id: UserId) -> Kept<Usage>;
    all(page: PageRequest<UserId>) -> Kept<Page<User, UserId>>;
} }

faulty_port! { CredentialRepository {
    put(credential: &Credential) -> Kept<()>;
    find(user: UserId) -> Kept<Option<Credential>>;
    replace(credential: &Credential, old: &PasswordHash) -> Kept<bool>;
    put_code(code: &OneTimeCode) -> Kept<()>;
    find_code(purpose: CodePurpose, address: &EmailAddress) -> Kept<Option<OneTimeCode>>;
    replace_code(code: &OneTimeCode, old: Option<Sha256Digest>) -> Kept<bool>;
    try_code(purpose: CodePurpose, address: &EmailAddress, hash: &Sha256Digest, password: Option<PasswordHash>, now: Timestamp) -> Kept<CodeTry>;
    remove(user: UserId) -> Kept<()>;
} }

faulty_port! { SessionRepository {
    insert(session: &Session) -> Kept<()>;
    find_by_token(token: &TokenHash) -> Kept<Option<Session>>;
    touch(user: UserId, id: SessionId, seen_at: Timestamp) -> Kept<()>;
    list(user: UserId) -> Kept<Vec<Session>>;
    remove(user: UserId, id: SessionId) -> Kept<()>;
    remove_all(user: UserId, except: Option<SessionId>) -> Kept<()>;
    remove_expired(now: Timestamp, limit: u32) -> Kept<u64>;
} }

faulty_port! { IdempotencyRepository {
    claim(owner: UserId, key: &str, claim: &IdempotencyClaim, now: Timestamp) -> Kept<IdempotencyClaim>;
    remove_all(owner: UserId) -> Kept<()>;
    remove_expired(now: Timestamp, limit: u32) -> Kept<u64>;
} }

faulty_port! { RateLimiter {
    attempt(key: &ThrottleKey, throttle: &Throttle, now: Timestamp) -> Kept<Decision>;
    reset(key: &ThrottleKey) -> Kept<()>;
    remove_expired(now: Timestamp, limit: u32) -> Kept<u64>;
} }

faulty_port! { WorkQueue {
    schedule(work: &Work) -> Kept<()>;
    claim(now: Timestamp, lease: Duration, limit: u32) -> Kept<Vec<ClaimedWork>>;
    complete(claimed: &ClaimedWork) -> Kept<()>;
    postpone(claimed: &ClaimedWork, due_at: Timestamp) -> Kept<()>;
    cancel(task: &Task) -> Kept<()>;
    next_due() -> Kept<Option<Timestamp>>;
} }

#[async_trait]
impl BlobStore for Faulty<dyn BlobStore> {
    async fn put(&self, key: &BlobKey, info: &BlobInfo, bytes: ByteStream) -> Result<(), BlobError> {
        // A stream can be read only once, a call may be sent twice.
        let bytes = collect_bytes(bytes, u64::MAX).await.map_err(BlobError::Interrupted)?;
        self.plan.call("put", || self.inner.put(key, info, byte_stream(bytes.clone()))).await
    }

    async fn try_writing(&self) -> Result<(), BlobError> {
        self.plan.call("try_writing", || self.inner.try_writing()).await
    }

    async fn head(&self, key: &BlobKey) -> Result<Option<BlobInfo>, BlobError> {
        self.plan.call("head", || self.inner.head(key)).await
    }

    async fn get(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Option<Blob>, BlobError> {
        self.plan.call("get", || self.inner.get(key, range.clone())).await
    }

    async fn copy(&self, from: &BlobKey, to: &BlobKey) -> Result<bool, BlobError> {
        self.plan.call("copy", || self.inner.copy(from, to)).await
    }

    async fn remove(&self, keys: &[BlobKey]) -> Result<(), BlobError> {
        self.plan.call("remove blobs", || self.inner.remove(keys)).await
    }

    async fn list(&self, prefix: &str, page: PageRequest<BlobKey>) -> Result<Page<BlobKey, BlobKey>, BlobError> {
        self.plan.call("list blobs", || self.inner.list(prefix, page.clone())).await
    }
}

faulty_port! { DirectUpload {
    upload_ticket(key: &BlobKey, info: &BlobInfo, now: Timestamp, expires_at: Timestamp) -> Result<UploadTicket, BackendFailure>;
    download_url(key: &BlobKey, download_name: Option<String>, now: Timestamp) -> Result<String, BackendFailure>;
} }

faulty_port! { ImageProcessor {
    process(original: Bytes) -> Result<ProcessedImage, ImageError>;
} }

faulty_port! { IdentityProvider {
    register(user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;
    register_again(email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;
    register_confirmed(user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;
    resend_code(user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError>;
    confirm(email: &EmailAddress, code: &str) -> Result<UserId, IdentityError>;
    log_in(user: Option<UserId>, email: &EmailAddress, password: &Password, client: &Client) -> Result<LogIn, IdentityError>;
    authenticate(token: &SecretToken) -> Result<Option<Session>, IdentityError>;
    verify_password(user: UserId, email: &EmailAddress, password: &Password) -> Result<(), IdentityError>;
    sessions(user: UserId) -> Result<Vec<Session>, IdentityError>;
    end_session(user: UserId, session: SessionId) -> Result<(), IdentityError>;
    end_sessions(user: UserId, except: Option<SessionId>) -> Result<(), IdentityError>;
    forgot_password(user: Option<UserId>, email: &EmailAddress) -> Result<(), IdentityError>;
    reset_password(email: &EmailAddress, token: &str, password: &Password, client: &Client) -> Result<UserId, IdentityError>;
    change_password(user: UserId, email: &EmailAddress, old: &Password, new: &Password, keep: Option<SessionId>) -> Result<(), IdentityError>;
    remove(user: UserId, email: &EmailAddress) -> Result<(), IdentityError>;
} }

faulty_port! { Mailer {
    send(mail: &Mail) -> Result<(), BackendFailure>;
} }
