//! The worker as a task of the server.

use std::sync::Arc;
use std::time::Duration;

use gallery_domain::services::{Gallery, WorkerReport};
use gallery_domain::{PageRequest, PageSize, UserId};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::interruption::Interruption;

/// The longest sleep: as late as this, work is noticed that another process has scheduled.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How often expired things are forgotten, and forgotten uploads remembered.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// The longest wait after the store itself has failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Works until the program is to stop, which it does between two items. An error or a panic is logged, and it goes on.
pub(super) async fn work(gallery: Gallery, poke: Arc<Notify>, mut interruption: Interruption) {
    let (mut tidy_at, mut failures) = (Instant::now(), 0);
    while !interruption.is_wanted() {
        let pause = match step(&gallery, &mut tidy_at, &interruption).await {
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
async fn step(gallery: &Gallery, tidy_at: &mut Instant, interruption: &Interruption) -> anyhow::Result<Duration> {
    if *tidy_at <= Instant::now() {
        *tidy_at = Instant::now() + TIDY_EVERY;
        take_up_forgotten(gallery, None, interruption).await?;
        gallery.worker.tidy_up().await?;
    }
    let worker = gallery.worker.clone();
    // A task of its own, so that a panic ends it and not the worker.
    let report: WorkerReport = tokio::spawn(async move { worker.run_due(1).await }).await??;
    if report.claimed > 0 { Ok(Duration::ZERO) } else { Ok(gallery.worker.idle_time(LONGEST_SLEEP).await?) }
}

/// Looks into uploads whose bytes came to a program that was cut off before it did: all of them, or those of one owner. Who is at one of them
/// meanwhile is not disturbed.
pub(super) async fn take_up_forgotten(
    gallery: &Gallery,
    of: Option<UserId>,
    interruption: &Interruption,
) -> anyhow::Result<()> {
    let mut page = PageRequest::first(PageSize::MAX);
    loop {
        let waiting = gallery.ingest.waiting(page).await?;
        for (owner, photo) in waiting.items.into_iter().filter(|(owner, _)| of.is_none_or(|of| of == *owner)) {
            if interruption.is_wanted() {
                return Ok(());
            }
            let ingest = gallery.ingest.clone();
            match tokio::spawn(async move { ingest.uploaded(owner, photo).await }).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(%photo, error, "an upload will be looked into later");
                }
                Err(error) => tracing::error!(%photo, %error, "looking into an upload broke down"),
            }
        }
        match waiting.next {
            Some(next) => page = PageRequest::after(PageSize::MAX, next),
            None => return Ok(()),
        }
    }
}
