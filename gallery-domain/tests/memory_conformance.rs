//! The memory adapters are held to what every adapter owes.

use gallery_domain::memory::MemoryStore;
use gallery_domain::ports::Repositories;

/// An empty store.
fn fresh() -> Repositories {
    MemoryStore::new().repositories()
}

gallery_domain::conformance::photo_repository_suite!(fresh());
gallery_domain::conformance::user_repository_suite!(fresh());
gallery_domain::conformance::work_queue_suite!(fresh());
