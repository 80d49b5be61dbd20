//! A gallery in memory, once as it is and once over ports that fail on plan.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use gallery_domain::conformance::use_cases::world::*;
use gallery_domain::conformance::use_cases::{Scene, world};
use gallery_domain::memory::{
    ManualClock, MemoryBlobs, MemoryIdentity, MemoryImages, MemoryMailer, MemoryStore, SequentialIds,
};
use gallery_domain::ports::*;
use gallery_domain::services::*;
use gallery_domain::*;

/// A world in memory, with a look at what the ports do not tell.
pub(crate) struct World {
    world: world::World,
    pub(crate) identity: Arc<MemoryIdentity>,
    pub(crate) mailer: Arc<MemoryMailer>,
}

impl Deref for World {
    type Target = world::World;

    fn deref(&self) -> &world::World {
        &self.world
    }
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
        Self { world: world::World::new(ports.clone(), &ports, clock, identity.clone(), policy), identity, mailer }
    }

    /// The same gallery, slow.
    pub(crate) fn slow(&self) -> Gallery {
        let clock = Arc::new(BusyClock(self.clock.clone()));
        Gallery::new(Ports { clock, ..self.ports.clone() }, Policy::default())
    }
}

/// Ada's account in memory.
pub(crate) async fn scene() -> Scene {
    Scene::of(World::new().world).await
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
