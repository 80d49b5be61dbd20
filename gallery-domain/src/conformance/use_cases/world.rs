//! A gallery whose clock a test sets, once over its ports as they are and once over ports that fail.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use uuid::Uuid;

use crate::memory::faulty::Plan;
use crate::memory::{ManualClock, MemoryIdentity};
use crate::ports::*;
use crate::services::*;
use crate::*;

/// A minute.
pub const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// The password that everybody has.
pub const PASSWORD: &str = "a rather long password";

/// What a test has to know of the people in a gallery, and no port tells.
#[async_trait::async_trait]
pub trait People: Debug + Send + Sync {
    /// The code that was mailed to an address last, to confirm it.
    async fn code(&self, email: &EmailAddress) -> Option<String>;

    /// Whether anything is kept to log a user in by.
    async fn knows(&self, user: UserId) -> bool;
}

#[async_trait::async_trait]
impl People for MemoryIdentity {
    async fn code(&self, email: &EmailAddress) -> Option<String> {
        Self::code(self, email)
    }

    async fn knows(&self, _user: UserId) -> bool {
        !self.is_empty()
    }
}

/// The ports of a gallery, and two galleries over them.
#[derive(Clone, Debug)]
pub struct World {
    /// Over the ports as they are.
    pub gallery: Gallery,
    /// Over ports to the same places that fail, and with what the plan says besides.
    pub shaky: Gallery,
    /// What goes wrong between `shaky` and its ports.
    pub plan: Arc<Plan>,
    /// The clock of both.
    pub clock: Arc<ManualClock>,
    /// Who is there.
    pub people: Arc<dyn People>,
    /// The ports of `gallery`.
    pub ports: Ports,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Person {
    /// What the services take them for.
    pub actor: Actor,
    /// Their address.
    pub email: EmailAddress,
    /// The token of their session.
    pub token: SecretToken,
}

impl World {
    /// A gallery over `ports`, whose clock is `clock`, and one over `shaky`, which lead to the same places.
    pub fn new(ports: Ports, shaky: &Ports, clock: Arc<ManualClock>, people: Arc<dyn People>, policy: Policy) -> Self {
        let plan = Arc::new(Plan::default());
        let shaky = Gallery::new(plan.faulty_ports(shaky), policy);
        Self { gallery: Gallery::new(ports.clone(), policy), shaky, plan, clock, people, ports }
    }

    /// Signs somebody up, confirms the address and logs them in.
    pub async fn person(&self, name: &str) -> Person {
        let sign_up = sign_up(name);
        let (accounts, client) = (&self.gallery.accounts, Client::default());
        accounts.sign_up(&sign_up, &client).await.expect("sign-up");
        let code = self.people.code(&sign_up.email).await.expect("a code");
        accounts.confirm_email(&sign_up.email, &code, &client).await.expect("confirmation");
        let (_, log_in) = accounts.log_in(&sign_up.email, &sign_up.password, &client).await.expect("log-in");
        let actor = accounts.authenticate(&log_in.token).await.expect("a session");
        Person { actor, email: sign_up.email, token: log_in.token }
    }

    /// Adds a photo and has it looked into.
    pub async fn photo(&self, actor: &Actor, content: &str) -> Photo {
        let (new, bytes) = file(content);
        match self.gallery.ingest.import(actor, &new, bytes).await.expect("import") {
            Imported::New(photo) => photo,
            other => panic!("not new: {other:?}"),
        }
    }

    /// Announces an upload.
    pub async fn announced(&self, actor: &Actor, content: &str) -> Photo {
        match self.gallery.photos.add(actor, &file(content).0, None).await.expect("announcement") {
            Added::Expected(photo, _) => photo,
            other => panic!("not expected: {other:?}"),
        }
    }

    /// Sends the bytes of an announced upload, as a client does by its ticket; the gallery is not told.
    pub async fn send(&self, photo: &Photo, content: &str) {
        let bytes = file(content).1;
        let (content_type, sha256) = (photo.original.content_type, Sha256Digest::of(&bytes));
        let info = BlobInfo { content_type, bytes: bytes.len() as u64, sha256 };
        let key = BlobKey::incoming(photo.owner, photo.id);
        self.ports.blobs.put(&key, &info, byte_stream(bytes)).await.expect("upload");
    }

    /// Makes an album of photos.
    pub async fn album(&self, actor: &Actor, title: &str, photos: &[PhotoId]) -> AlbumId {
        let new = NewAlbum { title: AlbumTitle::parse(title).expect("a title"), description: Description::default() };
        let album = self.gallery.albums.create(actor, &new, None).await.expect("album").entry.album.id;
        for photos in photos.chunks(100) {
            self.gallery.albums.add_photos(actor, album, photos, Place::End, None).await.expect("photos");
        }
        album
    }

    /// The photo as the store holds it; `None` once it is gone for good.
    pub async fn find(&self, owner: UserId, id: PhotoId) -> Option<Photo> {
        self.ports.repositories.photos.find(owner, id).await.expect("find")
    }

    /// What the clock says.
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass: whenever work comes due, the worker does it.
    pub async fn pass(&self, time: Duration) {
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
    pub async fn faults(&self, repair: bool) -> Vec<FaultKind> {
        let mut faults = Vec::new();
        let mut tell = |fault: &Fault| faults.push(fault.kind.clone());
        self.gallery.integrity.verify(VerifyOptions { hash: true, repair }, &mut tell).await.expect("verify");
        faults
    }

    /// Every blob of an owner.
    pub async fn blobs(&self, owner: UserId) -> Vec<BlobKey> {
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
    pub async fn remains(&self, person: &Person) -> Vec<&'static str> {
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
            ("identity", self.people.knows(user).await),
            ("idempotency keys", claimed != claim),
            ("work", repositories.work.next_due().await.expect("next due").is_some()),
        ];
        remains.into_iter().filter(|(_, is_left)| *is_left).map(|(what, _)| what).collect()
    }
}

/// The idempotency key that clients in these tests take.
pub const KEY: &str = "key-1";

/// The form of somebody at example.org.
pub fn sign_up(name: &str) -> SignUp {
    SignUp { email: email(name), password: password(PASSWORD), name: PersonName::parse(name).expect("a name") }
}

/// An address at example.org.
pub fn email(name: &str) -> EmailAddress {
    format!("{name}@example.org").parse().expect("an address")
}

/// A password that may be one.
pub fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

/// A file that counts as a JPEG and is told apart by its content.
pub fn file(content: &str) -> (NewPhoto, Bytes) {
    let bytes = [b"\xFF\xD8\xFF\xE0 a picture, as far as tests go: ", content.as_bytes()].concat();
    file_of(content, bytes)
}

/// A file of any bytes.
pub fn file_of(name: &str, bytes: impl Into<Bytes>) -> (NewPhoto, Bytes) {
    let bytes = bytes.into();
    let name = FileName::parse(&format!("{name}.jpg")).expect("a file name");
    (NewPhoto::plain(name, MediaType::Jpeg, bytes.len() as u64, Sha256Digest::of(&bytes)), bytes)
}

/// A change of the title.
pub fn title(text: &str) -> PhotoPatch {
    PhotoPatch { title: Some(Title::parse(text).expect("a title")), ..PhotoPatch::default() }
}
