//! A clock that stands still.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;

use crate::Timestamp;
use crate::ports::Clock;

/// A clock that shows the same time until it is moved, and that nobody waits for: who sleeps moves it on. For tests.
///
/// ```
/// use std::time::Duration;
///
/// use gallery_domain::memory::ManualClock;
/// use gallery_domain::ports::Clock;
///
/// let clock = ManualClock::new("2024-06-01T12:00:00Z".parse()?);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now().to_string(), "2024-06-01T12:01:00.000Z");
/// # Ok::<(), gallery_domain::InvalidValue>(())
/// ```
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
}

impl ManualClock {
    /// A clock that shows this time.
    pub const fn new(now: Timestamp) -> Self {
        Self { millis: AtomicI64::new(now.as_millis()) }
    }

    /// Moves the clock to another time, be it earlier.
    pub fn set(&self, now: Timestamp) {
        self.millis.store(now.as_millis(), Ordering::SeqCst);
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, time: Timestamp) {
        self.millis.fetch_max(time.as_millis(), Ordering::SeqCst);
    }
}
