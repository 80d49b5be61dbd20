//! What the benchmarks share: galleries with many photos, and how figures are taken and printed.

use std::path::Path;
use std::time::{Duration, Instant};

use gallery_adapters::config::GalleryConfig;
use gallery_adapters::connect::{self, Connected};
use gallery_domain::services::{Gallery, Policy, SignUp};
use gallery_domain::{
    Actor, ExifSummary, FileName, ImageFacts, MediaType, Original, Password, PersonName, Photo, PhotoCursor,
    PhotoDetails, PhotoId, PhotoState, Quota, Revision, Sha256Digest, Tags, Task, ThumbHash, Timestamp, Title, Work,
};

/// A gallery on the embedded adapters, and its only user.
pub(crate) struct Bench {
    pub(crate) gallery: Gallery,
    pub(crate) connected: Connected,
    pub(crate) actor: Actor,
    /// A place in the middle of its timeline.
    pub(crate) middle: PhotoCursor,
}

/// An empty gallery in a folder.
pub(crate) async fn gallery(folder: &Path) -> Bench {
    let data = folder.to_str().expect("a temporary folder has a plain name").to_owned();
    let config = GalleryConfig::from_lookup(|name| (name == "GALLERY_DATA").then(|| data.clone())).expect("defaults");
    let connected = connect::connect(&config, connect::BLOB_URL_PREFIX).await.expect("the embedded adapters");
    let gallery = Gallery::new(connected.ports.clone(), Policy::default());
    let sign_up = SignUp {
        email: "bench@example.org".parse().expect("an address"),
        password: Password::parse("seventeen green umbrellas").expect("a password"),
        name: PersonName::parse("Bench").expect("a name"),
    };
    gallery.accounts.create_confirmed(&sign_up).await.expect("an account");
    let actor = gallery.accounts.act_for(&sign_up.email).await.expect("its owner");
    Bench { gallery, connected, actor, middle: PhotoCursor::before(Timestamp::MAX) }
}

/// Adds `count` ready photos without bytes: one an hour, every fifth tagged `beach`, the others `city`, every third titled `eclipse`.
#[allow(dead_code, reason = "not every benchmark needs many photos")]
pub(crate) async fn fill(bench: &mut Bench, count: u64) {
    let start = Timestamp::from_millis(1_000_000_000_000);
    bench.middle = PhotoCursor::before(start.plus(Duration::from_secs(count / 2 * 3600)));
    let photos = &bench.connected.ports.repositories.photos;
    for number in 0..count {
        let now = start.plus(Duration::from_secs(number * 3600));
        let id = PhotoId::from_uuid(bench.connected.ports.ids.new_id(now));
        let tags: &[&str] = if number % 5 == 0 { &["beach", "summer"] } else { &["city"] };
        let title = if number % 3 == 0 { "Eclipse over the lake" } else { "A day out" };
        let photo = Photo {
            id,
            owner: bench.actor.user(),
            original: Original {
                file_name: FileName::parse(&format!("IMG_{number}.jpg")).expect("a file name"),
                content_type: MediaType::Jpeg,
                bytes: 4_000_000,
                sha256: Sha256Digest::of(&number.to_be_bytes()),
            },
            details: PhotoDetails {
                title: Title::parse(title).expect("a title"),
                tags: Tags::parse("/tags", tags).expect("tags"),
                favourite: number % 50 == 0,
                ..PhotoDetails::default()
            },
            state: PhotoState::Ready(ImageFacts {
                media_type: MediaType::Jpeg,
                width: 4_000,
                height: 3_000,
                placeholder: ThumbHash::from_bytes(vec![7; 21]),
                exif: ExifSummary::default(),
                damaged: false,
            }),
            trashed: None,
            created_at: now,
            revision: Revision::FIRST,
        };
        let quota = Quota { bytes: u64::MAX >> 1, photos: count + 1, pending_uploads: 1 };
        let work = Work::new(Task::Photo { owner: photo.owner, photo: id }, Timestamp::MAX);
        photos.insert(&photo, &quota, &work).await.expect("one more photo");
    }
}

/// The middle one of some durations.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// How long something takes, and what comes of it.
#[allow(dead_code, reason = "not every benchmark times single calls")]
pub(crate) async fn time<T>(work: impl Future<Output = T>) -> (Duration, T) {
    let start = Instant::now();
    let result = work.await;
    (start.elapsed(), result)
}

/// A duration in milliseconds.
#[allow(dead_code, reason = "not every benchmark prints single calls")]
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
