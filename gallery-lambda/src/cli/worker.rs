//! The worker as a task of the server.

use std::sync::Arc;
use std::time::Duration;

use gallery_domain::services::{Worker, WorkerReport};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::interruption::Interruption;

/// The longest sleep: as late as this, work is noticed that another process has scheduled.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How often expired things are forgotten.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// The longest wait after the store itself has failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Works until the program is to stop, which it does between two items. An error or a panic is logged, and it goes on.
pub(super) async fn work(worker: Worker, poke: Arc<Notify>, mut interruption: Interruption) {
    let (mut tidy_at, mut failures) = (Instant::now(), 0);
    while !interruption.is_wanted() {
        let pause = match step(&worker, &mut tidy_at).await {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(error) => {
                failures = (failures + 1).min(10);
                tracing::error!(error = %format!("{error:#}"), "the worker failed and will go on");
                Duration::from_secs(1 << failures).min(LONGEST_PAUSE)
            }
        };
        if pause.is_zero() {
            continue;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = poke.notified() => {}
            () = interruption.wanted() => {}
        }
    }
}

/// Takes up one item; how long to sleep until the next.
async fn step(worker: &Worker, tidy_at: &mut Instant) -> anyhow::Result<Duration> {
    if *tidy_at <= Instant::now() {
        *tidy_at = Instant::now() + TIDY_EVERY;
        worker.tidy_up().await?;
    }
    let one = worker.clone();
    // A task of its own, so that a panic ends it and not the worker.
    let report: WorkerReport = tokio::spawn(async move { one.run_due(1).await }).await??;
    if report.claimed > 0 { Ok(Duration::ZERO) } else { Ok(worker.idle_time(LONGEST_SLEEP).await?) }
}
