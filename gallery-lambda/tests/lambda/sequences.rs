//! Events that come twice, late, in any order, with their keys written in any way, and of photos that are deleted meanwhile.

use gallery_domain::conformance::use_cases::world::{DAY, MINUTE, Person, file_of};
use gallery_domain::ports::{BlobInfo, byte_stream};
use gallery_domain::services::Added;
use gallery_domain::{BlobKey, Photo, PhotoState};
use serde_json::{Value, json};

use crate::scenes::{Scene, batch, created, event};

const SEQUENCES: u64 = 10_000;

/// What can happen, in any order.
enum Happening {
    /// The bytes of the photo that is late are sent.
    Send,
    /// Its owner deletes the photo for good.
    Delete,
    /// The worker is told something.
    Event(Value),
    /// Time passes.
    Wait,
}

/// The photos of a sequence.
struct Photos {
    /// Its bytes are here from the beginning.
    early: Photo,
    /// Its bytes come some time, maybe after an event that tells so.
    late: Photo,
    /// Its bytes are here, and it is deleted.
    deleted: Photo,
    /// Its bytes are none of a photo.
    text: Photo,
}

impl Photos {
    async fn of(scene: &Scene, person: &Person) -> Self {
        let announced = async |content| scene.world.announced(&person.actor, content).await;
        let photos = Self {
            early: announced("early").await,
            late: announced("late").await,
            deleted: announced("deleted").await,
            text: text(scene, person).await,
        };
        for (photo, content) in [(&photos.early, "early"), (&photos.deleted, "deleted")] {
            scene.world.send(photo, content).await;
        }
        photos
    }
}

/// A file that only its name makes a photo.
async fn text(scene: &Scene, person: &Person) -> Photo {
    let (new, bytes) = file_of("text", "This is a text, however its name ends, and it is long enough.");
    let Added::Expected(photo, _) = scene.world.gallery.photos.add(&person.actor, &new, None).await.unwrap() else {
        panic!("it was added before")
    };
    let info =
        BlobInfo { content_type: new.original.content_type, bytes: new.original.bytes, sha256: new.original.sha256 };
    let key = BlobKey::incoming(photo.owner, photo.id);
    scene.world.ports.blobs.put(&key, &info, byte_stream(bytes)).await.unwrap();
    photo
}

/// A sequence of random numbers that a seed makes, and always the same.
struct Random(u64);

impl Random {
    /// SplitMix64, by Sebastiano Vigna.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }
}

fn happenings(photos: &Photos, random: &mut Random) -> Vec<Happening> {
    let mut all = vec![Happening::Send, Happening::Delete, Happening::Wait, Happening::Wait];
    for photo in [&photos.early, &photos.late, &photos.deleted, &photos.text] {
        for _ in 0..=random.below(3) {
            let event = created(photo, random.below(2) == 0);
            let direct = random.below(2) == 0;
            all.push(Happening::Event(if direct { event } else { batch(&[event.to_string()]) }));
        }
    }
    let removed =
        event("ObjectRemoved:Delete", &format!("gallery/incoming/{}/{}", photos.early.owner, photos.early.id));
    all.push(Happening::Event(removed));
    all.push(Happening::Event(json!({"run": if random.below(2) == 0 { "work" } else { "sweep" }})));
    for place in (1..all.len()).rev() {
        all.swap(place, random.below(place + 1));
    }
    all
}

async fn ends_right(seed: u64) {
    let (scene, mut random) = (Scene::new(), Random(seed));
    let ada = scene.world.person("ada").await;
    let photos = Photos::of(&scene, &ada).await;
    for happening in happenings(&photos, &mut random) {
        match happening {
            Happening::Send => scene.world.send(&photos.late, "late").await,
            Happening::Delete => {
                let (all, id) = (&scene.world.gallery.photos, photos.deleted.id);
                all.trash(&ada.actor, id, None).await.unwrap();
                // One that was not looked into yet is gone already.
                if scene.world.find(photos.deleted.owner, id).await.is_some_and(|photo| photo.trashed.is_some()) {
                    all.purge(&ada.actor, id, None).await.unwrap();
                }
            }
            Happening::Event(event) => {
                // What fails is told again by Lambda or the queue; that it fails is no harm.
                let _ = scene.tell(event).await;
            }
            Happening::Wait => scene.world.clock.advance(5 * MINUTE),
        }
    }
    scene.tell(json!({"run": "sweep"})).await.unwrap();
    scene.world.pass(2 * DAY).await;

    let state = async |photo: &Photo| scene.world.find(photo.owner, photo.id).await.map(|photo| photo.state);
    assert!(matches!(state(&photos.early).await, Some(PhotoState::Ready(_))), "seed {seed}");
    assert!(matches!(state(&photos.late).await, Some(PhotoState::Ready(_))), "seed {seed}");
    assert!(state(&photos.deleted).await.is_none(), "seed {seed}");
    assert!(matches!(state(&photos.text).await, Some(PhotoState::Failed(_))), "seed {seed}");
    assert_eq!(scene.world.faults(false).await, [], "seed {seed}");
    let whose = scene.world.blobs(photos.early.owner).await;
    let is_of_a_photo = |key: &BlobKey| {
        let id = key.subject().unwrap().2;
        id == photos.early.id || id == photos.late.id
    };
    assert!(whose.len() == 6 && whose.iter().all(is_of_a_photo), "seed {seed}: {whose:?}");
}

#[test]
fn ten_thousand_sequences_of_events_end_right() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for first in 0..cores {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                for seed in (first as u64..SEQUENCES).step_by(cores) {
                    runtime.block_on(ends_right(seed));
                }
            });
        }
    });
}
