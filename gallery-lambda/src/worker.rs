//! The worker as a task of the program.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use gallery_domain::services::{Gallery, WorkerReport};
use gallery_domain::{GalleryError, PageRequest, PageSize, UserId};
use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep};

/// The longest sleep: as late as this, work is noticed that another process has scheduled.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);
/// How often expired things are forgotten, and forgotten uploads remembered.
const TIDY_EVERY: Duration = Duration::from_secs(600);
/// The longest wait after the store itself has failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Does the work that outlasts requests: looks into uploads that were cut short, empties the trash, erases cancelled accounts, forgets what expired.
///
/// Every gallery needs one of these beside its [`router`](crate::router), and may have several, also in other processes. `wake` tells of new work
/// at once, by [`App::on_work`](crate::App::on_work); without it, work begins within seconds. Returns when `stop` is through, between two items of
/// work. An error or a panic is logged, and it goes on.
pub async fn run_worker(gallery: Gallery, wake: Arc<Notify>, stop: impl Future<Output = ()> + Send + 'static) {
    let stop = Stop::when(stop);
    let (mut tidy_at, mut failures) = (Instant::now(), 0);
    while !stop.is_wanted() {
        let pause = match step(&gallery, &mut tidy_at, &stop).await {
            Ok(pause) => {
                failures = 0;
                pause
            }
            Err(error) => {
                failures = (failures + 1).min(10);
                tracing::error!(error = &error as &dyn Error, "the worker failed and will go on");
                Duration::from_secs(1 << failures).min(LONGEST_PAUSE)
            }
        };
        if pause.is_zero() {
            continue;
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = wake.notified() => {}
            () = stop.wanted() => {}
        }
    }
}

/// Tells whether somebody wants the work to stop.
#[derive(Clone)]
pub(crate) struct Stop(Shared<BoxFuture<'static, ()>>);

impl Stop {
    pub(crate) fn when(stop: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(stop.boxed().shared())
    }

    fn is_wanted(&self) -> bool {
        self.wanted().now_or_never().is_some()
    }

    fn wanted(&self) -> impl Future<Output = ()> + use<> {
        self.0.clone()
    }
}

/// Why a step of the worker failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    #[error("an item of work broke down")]
    BrokeDown(#[from] JoinError),
}

/// Takes up one item; how long to sleep until the next.
async fn step(gallery: &Gallery, tidy_at: &mut Instant, stop: &Stop) -> Result<Duration, StepError> {
    if *tidy_at <= Instant::now() {
        *tidy_at = Instant::now() + TIDY_EVERY;
        take_up_forgotten(gallery, None, stop).await?;
        gallery.worker.tidy_up().await?;
    }
    let worker = gallery.worker.clone();
    // A task of its own, so that a panic ends it and not the worker.
    let report: WorkerReport = tokio::spawn(async move { worker.run_due(1).await }).await??;
    if report.claimed > 0 { Ok(Duration::ZERO) } else { Ok(gallery.worker.idle_time(LONGEST_SLEEP).await?) }
}

/// Looks into uploads whose bytes came to a program that was cut off before it did: all of them, or those of one owner. Who is at one of them
/// meanwhile is not disturbed.
pub(crate) async fn take_up_forgotten(gallery: &Gallery, of: Option<UserId>, stop: &Stop) -> Result<(), GalleryError> {
    let mut page = PageRequest::first(PageSize::MAX);
    loop {
        let waiting = gallery.ingest.waiting(page).await?;
        for (owner, photo) in waiting.items.into_iter().filter(|(owner, _)| of.is_none_or(|of| of == *owner)) {
            if stop.is_wanted() {
                return Ok(());
            }
            let ingest = gallery.ingest.clone();
            match tokio::spawn(async move { ingest.uploaded(owner, photo).await }).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    let error: &dyn Error = &error;
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
