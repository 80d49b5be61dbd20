use std::time::Duration;

use gallery_domain::GalleryError;
use gallery_domain::ports::{BackendFailure, Outage};

use crate::world::World;

fn full() -> BackendFailure {
    BackendFailure::transient("plan", "write", "it was planned").because_of(Outage::DiskFull)
}

#[tokio::test]
async fn a_store_or_blobs_that_take_no_changes_are_found_at_once_and_until_they_do() {
    for broken in ["attempt", "try_writing"] {
        let world = World::new();
        let ready = || world.shaky.readiness.check();
        ready().await.expect("all is well");
        world.clock.advance(Duration::from_secs(10));
        world.plan.break_down_with(broken, full);
        for _ in 0..3 {
            let found = ready().await.expect_err("it is broken");
            assert!(matches!(&found, GalleryError::Unavailable(_)), "{broken}: {found:?}");
            assert!(found.to_string().contains("disk is full"), "{broken}: {found}");
        }
        world.plan.mend();
        ready().await.expect("all is well again");
    }
}

#[tokio::test]
async fn however_many_ask_blobs_are_tried_every_ten_seconds() {
    let world = World::new();
    let tried = || world.plan.calls().into_iter().filter(|call| *call == "try_writing").count();
    for round in 1..4 {
        for _ in 0..50 {
            world.shaky.readiness.check().await.expect("all is well");
        }
        assert_eq!(tried(), round);
        world.clock.advance(Duration::from_secs(10));
    }
}
