//! What a [`Clock`] owes.

use std::sync::Arc;

use crate::Timestamp;
use crate::ports::Clock;

/// Runs each clause on a clock as a test: takes an expression for an `Arc<dyn Clock>` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! clock_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            clock,
            ::std::sync::Arc<dyn $crate::ports::Clock>,
            $fixture,
            [a_clock_shows_a_time_of_this_age, a_clock_is_read_from_any_thread, who_sleeps_wakes_no_sooner,]
        );
    };
}

/// Not the epoch, not seconds in place of milliseconds, and no nanoseconds either.
pub async fn a_clock_shows_a_time_of_this_age(clock: &Arc<dyn Clock>) {
    let (earliest, latest): (Timestamp, Timestamp) =
        ("2024-01-01T00:00:00Z".parse().expect("a moment"), "2200-01-01T00:00:00Z".parse().expect("a moment"));
    let now = clock.now();
    assert!(earliest <= now && now < latest, "a clock shows a time of this age, but it is {now}");
}

/// A reading that comes after another is not from another age.
pub async fn a_clock_is_read_from_any_thread(clock: &Arc<dyn Clock>) {
    let before = clock.now();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let clock = Arc::clone(clock);
            std::thread::spawn(move || clock.now())
        })
        .collect();
    let day = std::time::Duration::from_secs(86_400);
    for thread in threads {
        let seen = thread.join().expect("reading a clock does not panic");
        assert!(before.minus(day) < seen && seen < before.plus(day), "threads see one time, but {before} and {seen}");
    }
}

/// By the very clock that is asked; and what has passed is not waited for.
pub async fn who_sleeps_wakes_no_sooner(clock: &Arc<dyn Clock>) {
    let before = clock.now();
    let time = before.plus(std::time::Duration::from_millis(30));
    clock.sleep_until(time).await;
    let after = clock.now();
    assert!(time <= after, "who sleeps until {time} does not wake at {after}");
    clock.sleep_until(before).await;
    assert!(clock.now() < after.plus(std::time::Duration::from_secs(20)), "nobody waits for what has passed");
}
