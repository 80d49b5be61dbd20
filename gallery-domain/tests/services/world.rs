//! A gallery in memory, once as it is and once over ports that fail on plan.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gallery_domain::memory::faulty::Plan;
use gallery_domain::memory::{
    ManualClock, MemoryBlobs, MemoryIdentity, MemoryImages, MemoryMailer, MemoryStore, SequentialIds,
};
use gallery_domain::ports::*;
use gallery_domain::services::*;
use gallery_domain::*;
use uuid::Uuid;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) const PASSWORD: &str = "a rather long password";

/// The ports of a gallery, and two galleries over them.
#[derive(Clone)]
pub(crate) struct World {
    /// Over the ports as they are.
    pub(crate) gallery: Gallery,
    /// Over the same ports, with what the plan says.
    pub(crate) shaky: Gallery,
    pub(crate) plan: Arc<Plan>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) identity: Arc<MemoryIdentity>,
    pub(crate) mailer: Arc<MemoryMailer>,
    pub(crate) ports: Ports,
}

/// Somebody who is logged in.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) actor: Actor,
    pub(crate) email: EmailAddress,
    pub(crate) token: SecretToken,
}

impl World {
    pub(crate) fn new() -> Self {
        // A photo that comes while another is being looked into never waits for it, however few cores there are.
        Self::with_policy(Policy { ingests_at_once: 8, ..Policy::default() })
    }

    pub(crate) fn with_policy(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::new("2024-06-01T12:00:00Z".parse().expect("a time")));
        let (ids, mailer) = (Arc::new(SequentialIds::new()), Arc::new(MemoryMailer::new()));
        let (repositories, blobs) = (MemoryStore::new().repositories(), MemoryBlobs::new(ids.clone(), "/blobs"));
        let identity = MemoryIdentity::new(repositories.sessions.clone(), mailer.clone(), clock.clone(), ids.clone());
        let identity = Arc::new(identity);
        let ports = Ports {
            repositories,
            blobs: Arc::new(blobs.clone()),
            uploads: Arc::new(blobs),
            identity: identity.clone(),
            images: Arc::new(MemoryImages),
            clock: clock.clone(),
            ids,
        };
        let plan = Arc::new(Plan::default());
        let shaky = Gallery::new(plan.faulty_ports(&ports), policy);
        Self { gallery: Gallery::new(ports.clone(), policy), shaky, plan, clock, identity, mailer, ports }
    }

    /// The same gallery, slow.
    pub(crate) fn slow(&self) -> Gallery {
        let clock = Arc::new(BusyClock(self.clock.clone()));
        Gallery::new(Ports { clock, ..self.ports.clone() }, Policy::default())
    }

    /// Signs somebody up, confirms the address and logs them in.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let sign_up = sign_up(name);
        let (accounts, client) = (&self.gallery.accounts, Client::default());
        accounts.sign_up(&sign_up, &client).await.expect("sign-up");
        let code = self.identity.code(&sign_up.email).expect("a code");
        accounts.confirm_email(&sign_up.email, &code, &client).await.expect("confirmation");
        let (_, log_in) = accounts.log_in(&sign_up.email, &sign_up.password, &client).await.expect("log-in");
        let actor = accounts.authenticate(&log_in.token).await.expect("a session");
        Person { actor, email: sign_up.email, token: log_in.token }
    }

    /// Adds a photo and has it looked into.
    pub(crate) async fn photo(&self, actor: &Actor, content: &str) -> Photo {
        let (new, bytes) = file(content);
        match self.gallery.ingest.import(actor, &new, bytes).await.expect("import") {
            Imported::New(photo) => photo,
            other => panic!("not new: {other:?}"),
        }
    }

    /// Announces an upload.
    pub(crate) async fn announced(&self, actor: &Actor, content: &str) -> Photo {
        match self.gallery.photos.add(actor, &file(content).0, None).await.expect("announcement") {
            Added::Expected(photo, _) => photo,
            other => panic!("not expected: {other:?}"),
        }
    }

    /// Sends the bytes of an announced upload, as a client does by its ticket; the gallery is not told.
    pub(crate) async fn send(&self, photo: &Photo, content: &str) {
        let bytes = file(content).1;
        let (content_type, sha256) = (photo.original.content_type, Sha256Digest::of(&bytes));
        let info = BlobInfo { content_type, bytes: bytes.len() as u64, sha256 };
        let key = BlobKey::incoming(photo.owner, photo.id);
        self.ports.blobs.put(&key, &info, byte_stream(bytes)).await.expect("upload");
    }

    pub(crate) async fn album(&self, actor: &Actor, title: &str, photos: &[PhotoId]) -> AlbumId {
        let new = NewAlbum { title: AlbumTitle::parse(title).expect("a title"), description: Description::default() };
        let album = self.gallery.albums.create(actor, &new, None).await.expect("album").entry.album.id;
        for photos in photos.chunks(100) {
            self.gallery.albums.add_photos(actor, album, photos, Place::End, None).await.expect("photos");
        }
        album
    }

    /// The photo as the store holds it; `None` once it is gone for good.
    pub(crate) async fn find(&self, owner: UserId, id: PhotoId) -> Option<Photo> {
        self.ports.repositories.photos.find(owner, id).await.expect("find")
    }

    pub(crate) fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass: whenever work comes due, the worker does it.
    pub(crate) async fn pass(&self, time: Duration) {
        let end = self.clock_now().plus(time);
        for _ in 0..10_000 {
            match self.ports.repositories.work.next_due().await.expect("next due") {
                Some(due_at) if due_at <= end => {
                    self.clock.set(due_at.max(self.clock_now()));
                    self.gallery.worker.run_due(100).await.expect("the worker runs");
                }
                _ => {
                    self.clock.set(end);
                    return;
                }
            }
        }
        panic!("the worker finds no rest");
    }

    /// What a thorough check finds.
    pub(crate) async fn faults(&self, repair: bool) -> Vec<FaultKind> {
        let mut faults = Vec::new();
        let mut tell = |fault: &Fault| faults.push(fault.kind.clone());
        self.gallery.integrity.verify(VerifyOptions { hash: true, repair }, &mut tell).await.expect("verify");
        faults
    }

    /// Every blob of an owner.
    pub(crate) async fn blobs(&self, owner: UserId) -> Vec<BlobKey> {
        let mut keys = Vec::new();
        for area in BlobArea::ALL {
            let mut page = PageRequest::first(PageSize::MAX);
            loop {
                let found = self.ports.blobs.list(&area.of_owner(owner), page).await.expect("list");
                keys.extend(found.items);
                match found.next {
                    Some(next) => page = PageRequest::after(PageSize::MAX, next),
                    None => break,
                }
            }
        }
        keys
    }

    /// Everything that is still kept of somebody, by name.
    pub(crate) async fn remains(&self, person: &Person) -> Vec<&'static str> {
        let (user, repositories) = (person.actor.user(), &self.ports.repositories);
        let (now, request) = (self.clock_now(), Sha256Digest::of(b"another request"));
        let claim = IdempotencyClaim { request, id: Uuid::nil(), expires_at: now };
        let claimed = repositories.idempotency.claim(user, KEY, &claim, now).await.expect("claim");
        let one = PageSize::MAX;
        let remains = [
            ("user", repositories.users.find(user).await.expect("find").is_some()),
            ("usage", repositories.users.usage(user).await.expect("usage") != Usage::default()),
            ("photos", !repositories.photos.all(user, PageRequest::first(one)).await.expect("all").items.is_empty()),
            ("albums", !repositories.albums.all(user, PageRequest::first(one)).await.expect("all").items.is_empty()),
            ("blobs", !self.blobs(user).await.is_empty()),
            ("sessions", !repositories.sessions.list(user).await.expect("list").is_empty()),
            ("identity", !self.identity.is_empty()),
            ("idempotency keys", claimed != claim),
            ("work", repositories.work.next_due().await.expect("next due").is_some()),
        ];
        remains.into_iter().filter(|(_, is_left)| *is_left).map(|(what, _)| what).collect()
    }
}

/// A clock that has gone on a little whenever somebody looks at it, as everything takes its time.
#[derive(Debug)]
struct BusyClock(Arc<ManualClock>);

#[async_trait::async_trait]
impl Clock for BusyClock {
    fn now(&self) -> Timestamp {
        self.0.advance(Duration::from_millis(5));
        self.0.now()
    }

    async fn sleep_until(&self, time: Timestamp) {
        self.0.sleep_until(time).await;
    }
}

/// The idempotency key that clients in these tests take.
pub(crate) const KEY: &str = "key-1";

pub(crate) fn sign_up(name: &str) -> SignUp {
    SignUp { email: email(name), password: password(PASSWORD), name: PersonName::parse(name).expect("a name") }
}

pub(crate) fn email(name: &str) -> EmailAddress {
    format!("{name}@example.org").parse().expect("an address")
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

/// A file that counts as a JPEG and is told apart by its content.
pub(crate) fn file(content: &str) -> (NewPhoto, Bytes) {
    let bytes = [b"\xFF\xD8\xFF\xE0 a picture, as far as tests go: ", content.as_bytes()].concat();
    file_of(content, bytes)
}

/// A file of any bytes.
pub(crate) fn file_of(name: &str, bytes: impl Into<Bytes>) -> (NewPhoto, Bytes) {
    let bytes = bytes.into();
    let name = FileName::parse(&format!("{name}.jpg")).expect("a file name");
    (NewPhoto::plain(name, MediaType::Jpeg, bytes.len() as u64, Sha256Digest::of(&bytes)), bytes)
}

pub(crate) fn title(text: &str) -> PhotoPatch {
    PhotoPatch { title: Some(Title::parse(text).expect("a title")), ..PhotoPatch::default() }
}
