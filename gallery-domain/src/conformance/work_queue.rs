//! What a [`WorkQueue`](crate::ports::WorkQueue) owes.

use std::time::Duration;

use futures_util::future::join_all;

use super::expectations::Succeeds;
use super::fixtures::{RACERS, Things};
use crate::ports::Repositories;
use crate::{ClaimedWork, Task, Timestamp, Work};

/// Runs each clause on work as a test: takes an expression for a fresh `Repositories` or a [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! work_queue_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            work_queue,
            $crate::ports::Repositories,
            $fixture,
            [
                work_of_every_kind_is_claimed,
                nothing_is_claimed_before_it_is_due,
                the_most_overdue_is_claimed_first,
                no_more_is_claimed_than_asked_for,
                claimed_work_is_not_claimed_again_within_its_lease,
                work_is_due_again_after_its_lease,
                of_concurrent_claims_each_item_is_claimed_once,
                attempts_are_counted,
                completed_work_is_gone,
                completing_with_a_void_claim_leaves_the_work,
                completing_after_a_later_claim_leaves_the_work,
                completing_after_the_lease_still_counts,
                postponed_work_is_due_when_it_says,
                postponing_keeps_the_attempts,
                postponing_with_a_void_claim_changes_nothing,
                there_is_one_item_for_a_task,
                scheduling_again_replaces_the_due_time,
                scheduling_again_starts_the_attempts_anew,
                cancelled_work_is_gone,
                cancelling_absent_work_succeeds,
                cancelling_voids_the_claim,
                the_next_due_time_is_the_earliest,
                times_before_1970_are_due,
            ]
        );
    };
}

const LEASE: Duration = Duration::from_secs(60);

/// Photos, albums and accounts, each with its ids.
pub async fn work_of_every_kind_is_claimed(store: &Repositories) {
    let things = Things::new();
    let owner = things.owner();
    let mut tasks = vec![
        Task::Photo { owner, photo: things.photo_id() },
        Task::Album { owner, album: things.album_id() },
        Task::Account { owner },
    ];
    for task in &tasks {
        schedule(store, *task, things.at(0)).await;
    }
    let mut claimed = claim(store, things.at(1), 10).await;
    claimed.sort_by_key(|claimed| claimed.task);
    tasks.sort();
    assert_eq!(self::tasks(&claimed), tasks, "work of every kind is claimed");
    assert!(claimed.iter().all(|claimed| claimed.attempts == 1), "the first claim is the first attempt");
}

/// Due is from its time on, to the millisecond.
pub async fn nothing_is_claimed_before_it_is_due(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(10)).await;
    let before = things.at(10).minus(Duration::from_millis(1));
    assert_eq!(claim(store, before, 10).await, [], "work is not claimed a millisecond early");
    assert_eq!(tasks(&claim(store, things.at(10), 10).await), [task], "work is claimed at its time");
}

/// What waits longest goes first.
pub async fn the_most_overdue_is_claimed_first(store: &Repositories) {
    let things = Things::new();
    let mut expected = Vec::new();
    for due in [7, 1, 9, 3, 5] {
        let task = some_task(&things);
        schedule(store, task, things.at(due)).await;
        expected.push((due, task));
    }
    expected.sort_by_key(|(due, _)| *due);
    let mut claimed = claim(store, things.at(100), 2).await;
    claimed.extend(claim(store, things.at(100), 3).await);
    let expected: Vec<Task> = expected.into_iter().map(|(_, task)| task).collect();
    assert_eq!(tasks(&claimed), expected, "the most overdue is claimed first");
}

/// The limit is the caller's.
pub async fn no_more_is_claimed_than_asked_for(store: &Repositories) {
    let things = Things::new();
    for n in 0..105 {
        schedule(store, some_task(&things), things.at(n)).await;
    }
    assert_eq!(claim(store, things.at(200), 0).await.len(), 0, "none asked for, none claimed");
    assert_eq!(claim(store, things.at(200), 1).await.len(), 1, "one asked for, one claimed");
    assert_eq!(claim(store, things.at(200), 100).await.len(), 100, "a hundred asked for, a hundred claimed");
    assert_eq!(claim(store, things.at(200), 100).await.len(), 4, "no more claimed than there are");
}

/// A lease keeps others away.
pub async fn claimed_work_is_not_claimed_again_within_its_lease(store: &Repositories) {
    let things = Things::new();
    schedule(store, some_task(&things), things.at(0)).await;
    assert_eq!(claim(store, things.at(100), 10).await.len(), 1, "due work is claimed");
    for later in [100, 101, 159] {
        assert_eq!(claim(store, things.at(later), 10).await, [], "claimed work is not claimed within its lease");
    }
}

/// Whoever crashed loses the work to others.
pub async fn work_is_due_again_after_its_lease(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    let first = claim(store, things.at(100), 10).await;
    let second = claim(store, things.at(160), 10).await;
    assert_eq!(tasks(&second), [task], "work is due again when its lease ends");
    assert_ne!(second[0].claim, first[0].claim, "a later claim is told from the one before");
}

/// Two workers never do the same at the same time.
pub async fn of_concurrent_claims_each_item_is_claimed_once(store: &Repositories) {
    let things = Things::new();
    let mut expected: Vec<Task> = (0..40).map(|_| some_task(&things)).collect();
    for (n, task) in expected.iter().enumerate() {
        schedule(store, *task, things.at(n as u64 % 3)).await;
    }
    let mut claimed = Vec::new();
    for _ in 0..RACERS {
        let claims = join_all((0..RACERS).map(|_| claim(store, things.at(50), 3))).await;
        claimed.extend(claims.into_iter().flatten());
        if claimed.len() >= expected.len() {
            break;
        }
    }
    let mut claimed = tasks(&claimed);
    claimed.sort();
    expected.sort();
    assert_eq!(claimed, expected, "each item is claimed by one of {RACERS} claims at once");
}

/// Each claim is an attempt.
pub async fn attempts_are_counted(store: &Repositories) {
    let things = Things::new();
    schedule(store, some_task(&things), things.at(0)).await;
    for attempt in 1..=5 {
        let claimed = claim(store, things.at(u64::from(attempt) * 1_000), 10).await;
        assert_eq!(claimed.len(), 1, "work whose lease ended is claimed");
        assert_eq!(claimed[0].attempts, attempt, "attempts are counted");
    }
}

/// Done is done.
pub async fn completed_work_is_gone(store: &Repositories) {
    let things = Things::new();
    schedule(store, some_task(&things), things.at(0)).await;
    let claimed = claim(store, things.at(1), 10).await;
    for _ in 0..2 {
        store.work.complete(&claimed[0]).await.succeeds("completing work");
    }
    assert_eq!(claim(store, things.at(10_000), 10).await, [], "completed work is not claimed");
    assert_eq!(next_due(store).await, None, "completed work is not due");
}

/// What was scheduled again meanwhile stays.
pub async fn completing_with_a_void_claim_leaves_the_work(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    let claimed = claim(store, things.at(1), 10).await;
    schedule(store, task, things.at(5)).await;
    store.work.complete(&claimed[0]).await.succeeds("completing work with a void claim");
    assert_eq!(next_due(store).await, Some(things.at(5)), "work that was scheduled again stays");
    assert_eq!(tasks(&claim(store, things.at(5), 10).await), [task], "and is claimed when it is due");
}

/// Whoever lost the work to another cannot complete it for them.
pub async fn completing_after_a_later_claim_leaves_the_work(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    let first = claim(store, things.at(1), 10).await;
    let second = claim(store, things.at(1_000), 10).await;
    store.work.complete(&first[0]).await.succeeds("completing work that another claimed");
    assert_eq!(next_due(store).await, Some(things.at(1_060)), "work that another claimed stays");
    store.work.complete(&second[0]).await.succeeds("completing work");
    assert_eq!(next_due(store).await, None, "the later claim completes it");
}

/// Slow is not void: as long as nobody else claimed it.
pub async fn completing_after_the_lease_still_counts(store: &Repositories) {
    let things = Things::new();
    schedule(store, some_task(&things), things.at(0)).await;
    let claimed = claim(store, things.at(1), 10).await;
    assert_eq!(next_due(store).await, Some(things.at(61)), "claimed work is due when its lease ends");
    store.work.complete(&claimed[0]).await.succeeds("completing work late");
    assert_eq!(claim(store, things.at(10_000), 10).await, [], "work completed late is gone");
}

/// Another time, sooner or later than the lease.
pub async fn postponed_work_is_due_when_it_says(store: &Repositories) {
    let things = Things::new();
    for due in [30, 500] {
        let task = some_task(&things);
        schedule(store, task, things.at(0)).await;
        let claimed = claim(store, things.at(1), 10).await;
        store.work.postpone(&claimed[0], things.at(due)).await.succeeds("postponing work");
        assert_eq!(next_due(store).await, Some(things.at(due)), "postponed work is due when it says");
        assert_eq!(claim(store, things.at(due - 1), 10).await, [], "postponed work is not claimed before");
        let claimed = claim(store, things.at(due), 10).await;
        assert_eq!(tasks(&claimed), [task], "postponed work is claimed then");
        store.work.complete(&claimed[0]).await.succeeds("completing work");
    }
}

/// A retry knows how often it was tried.
pub async fn postponing_keeps_the_attempts(store: &Repositories) {
    let things = Things::new();
    schedule(store, some_task(&things), things.at(0)).await;
    for attempt in 1..=3 {
        let claimed = claim(store, things.at(u64::from(attempt) * 10), 10).await;
        assert_eq!(claimed[0].attempts, attempt, "postponing keeps the attempts");
        let again = things.at(u64::from(attempt + 1) * 10);
        store.work.postpone(&claimed[0], again).await.succeeds("postponing work");
    }
}

/// What was scheduled again meanwhile keeps its time.
pub async fn postponing_with_a_void_claim_changes_nothing(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    let first = claim(store, things.at(1), 10).await;
    schedule(store, task, things.at(5)).await;
    store.work.postpone(&first[0], things.at(900)).await.succeeds("postponing with a void claim");
    assert_eq!(next_due(store).await, Some(things.at(5)), "work that was scheduled again keeps its time");
    let second = claim(store, things.at(5), 10).await;
    store.work.complete(&second[0]).await.succeeds("completing work");
    store.work.postpone(&second[0], things.at(900)).await.succeeds("postponing work that is gone");
    assert_eq!(next_due(store).await, None, "work that is gone does not come back");
}

/// However often it is scheduled, also at the same time.
pub async fn there_is_one_item_for_a_task(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    join_all((0..RACERS).map(|n| schedule(store, task, things.at(n as u64)))).await;
    assert_eq!(tasks(&claim(store, things.at(1_000), 100).await), [task], "there is one item for a task");
}

/// The last word counts, be it earlier or later.
pub async fn scheduling_again_replaces_the_due_time(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    for due in [50, 10, 99] {
        schedule(store, task, things.at(due)).await;
        assert_eq!(next_due(store).await, Some(things.at(due)), "the due time is the one scheduled last");
    }
    assert_eq!(claim(store, things.at(98), 10).await, [], "earlier due times are forgotten");
}

/// New work, new patience.
pub async fn scheduling_again_starts_the_attempts_anew(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    claim(store, things.at(1), 10).await;
    claim(store, things.at(1_000), 10).await;
    schedule(store, task, things.at(2_000)).await;
    let claimed = claim(store, things.at(2_000), 10).await;
    assert_eq!(claimed[0].attempts, 1, "scheduling again starts the attempts anew");
}

/// Cancelled work is not claimed; other work is.
pub async fn cancelled_work_is_gone(store: &Repositories) {
    let things = Things::new();
    let (task, other) = (some_task(&things), some_task(&things));
    schedule(store, task, things.at(0)).await;
    schedule(store, other, things.at(0)).await;
    store.work.cancel(&task).await.succeeds("cancelling work");
    assert_eq!(tasks(&claim(store, things.at(1), 10).await), [other], "cancelled work is gone, other work is not");
}

/// A delete can be sent twice.
pub async fn cancelling_absent_work_succeeds(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    store.work.cancel(&task).await.succeeds("cancelling work that never was");
    schedule(store, task, things.at(0)).await;
    for _ in 0..2 {
        store.work.cancel(&task).await.succeeds("cancelling work");
    }
}

/// A worker that was cancelled cannot complete what was scheduled after.
pub async fn cancelling_voids_the_claim(store: &Repositories) {
    let things = Things::new();
    let task = some_task(&things);
    schedule(store, task, things.at(0)).await;
    let claimed = claim(store, things.at(1), 10).await;
    store.work.cancel(&task).await.succeeds("cancelling work");
    store.work.postpone(&claimed[0], things.at(7)).await.succeeds("postponing cancelled work");
    assert_eq!(next_due(store).await, None, "cancelled work does not come back");
    schedule(store, task, things.at(2)).await;
    store.work.complete(&claimed[0]).await.succeeds("completing cancelled work");
    assert_eq!(next_due(store).await, Some(things.at(2)), "work scheduled after a cancellation stays");
}

/// How long a worker may sleep.
pub async fn the_next_due_time_is_the_earliest(store: &Repositories) {
    let things = Things::new();
    assert_eq!(next_due(store).await, None, "without work nothing is due");
    for (due, earliest) in [(50, 50), (20, 20), (70, 20)] {
        schedule(store, some_task(&things), things.at(due)).await;
        assert_eq!(next_due(store).await, Some(things.at(earliest)), "the next due time is the earliest");
    }
    claim(store, things.at(20), 1).await;
    assert_eq!(next_due(store).await, Some(things.at(50)), "claimed work is due when its lease ends");
}

/// A clock that is wrong does not lose work.
pub async fn times_before_1970_are_due(store: &Repositories) {
    let things = Things::new();
    let (task, late) = (some_task(&things), some_task(&things));
    schedule(store, task, Timestamp::MIN).await;
    schedule(store, late, Timestamp::MAX).await;
    assert_eq!(next_due(store).await, Some(Timestamp::MIN), "work may be due before 1970");
    assert_eq!(tasks(&claim(store, Timestamp::from_millis(-5), 10).await), [task], "and is claimed");
    assert_eq!(tasks(&claim(store, Timestamp::MAX, 1).await), [task], "the most overdue goes first");
    assert_eq!(tasks(&claim(store, Timestamp::MAX, 10).await).len(), 2, "at the end of time everything is due");
}

fn some_task(things: &Things) -> Task {
    Task::Photo { owner: things.owner(), photo: things.photo_id() }
}

fn tasks(claimed: &[ClaimedWork]) -> Vec<Task> {
    claimed.iter().map(|claimed| claimed.task).collect()
}

async fn schedule(store: &Repositories, task: Task, due_at: Timestamp) {
    store.work.schedule(&Work::new(task, due_at)).await.succeeds("scheduling work");
}

async fn claim(store: &Repositories, now: Timestamp, limit: u32) -> Vec<ClaimedWork> {
    store.work.claim(now, LEASE, limit).await.succeeds("claiming work")
}

async fn next_due(store: &Repositories) -> Option<Timestamp> {
    store.work.next_due().await.succeeds("asking for the next work")
}
