//! Every use case, with every call to a port failing in every way: nothing acknowledged is lost, nothing is left behind.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use gallery_domain::conformance::use_cases::{UseCase, use_cases};
use gallery_domain::memory::faulty::Fault;

use crate::world::World;

#[test]
fn whatever_call_fails_in_whatever_way_nothing_is_lost_and_nothing_is_left() {
    let (mut cases, mut broken) = (BTreeMap::new(), Vec::new());
    for use_case in use_cases() {
        let calls = calls_of(use_case);
        for (call, method) in calls.iter().enumerate() {
            for fault in Fault::ALL {
                *cases.entry(use_case.name).or_insert(0) += 1;
                let world = World::new();
                let plan = world.plan.clone();
                let survived = use_case.survives(world.clone(), async |request| {
                    plan.fail(call, fault);
                    // A future in memory is done when it is polled first; one that is not was planned to be dropped.
                    request.now_or_never()
                });
                if let Err(reason) = at_once(survived) {
                    broken.push(format!("{}, call {call} ({method}) {fault:?}: {reason}", use_case.name));
                }
            }
        }
    }
    let all: usize = cases.values().sum();
    println!("{all} cases of {} use cases: {cases:?}", cases.len());
    assert!(broken.is_empty(), "{} of {all} went wrong:\n{}", broken.len(), broken.join("\n"));
    assert!(all >= 1_000, "only {all} cases ran");
    assert_eq!(cases.len(), use_cases().len());
}

/// The calls that a use case makes when nothing fails, having checked that it then keeps its promises.
fn calls_of(use_case: UseCase) -> Vec<&'static str> {
    let world = World::new();
    let (plan, mut calls) = (world.plan.clone(), Vec::new());
    let survived = use_case.survives(world.clone(), async |request| {
        let answer = request.await;
        calls = plan.calls();
        Some(answer)
    });
    if let Err(reason) = at_once(survived) {
        panic!("{}: {reason}", use_case.name);
    }
    calls
}

/// Runs what never waits.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("nothing in memory waits")
}
