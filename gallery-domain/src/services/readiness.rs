//! Whether the gallery can work.

use std::time::Duration;

use super::Context;
use crate::{Decision, GalleryError, Throttle, ThrottleKey};

/// Tells whether the gallery can work.
#[derive(Clone, Debug)]
pub struct Readiness {
    context: Context,
}

/// How often something is written to find out: not more often, however many ask.
const WRITE_RATE: Throttle = Throttle::Rate { burst: 1, every: Duration::from_secs(10) };

impl Readiness {
    pub(super) fn new(context: Context) -> Self {
        Self { context }
    }

    /// Asks the store, and every 10 seconds tries whether it and the blobs take changes.
    pub async fn check(&self) -> Result<(), GalleryError> {
        let (limiter, key) = (&self.context.repositories.rate_limiter, ThrottleKey::origin("readiness", "anybody"));
        // To count a try is the write that is tried on the store.
        if let Decision::Denied { .. } = limiter.attempt(&key, &WRITE_RATE, self.context.now()).await? {
            return Ok(());
        }
        let tried = self.context.blobs.try_writing().await;
        if tried.is_err() {
            // Whoever asks next shall not be told that all is well.
            limiter.reset(&key).await?;
        }
        Ok(tried?)
    }
}
