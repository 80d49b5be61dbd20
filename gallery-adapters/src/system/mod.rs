//! The machine's clock, and identifiers and secrets from its source of randomness.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use gallery_domain::Timestamp;
use gallery_domain::ports::{Clock, IdGenerator};
use uuid::Uuid;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the port by which everybody else asks for the time")]
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis),
        };
        Timestamp::from_millis(millis)
    }

    async fn sleep_until(&self, time: Timestamp) {
        // A sleep is measured by another clock, which may run a little faster.
        while self.now() < time {
            tokio::time::sleep(time.since(self.now())).await;
        }
    }
}

/// Identifiers that rise within a millisecond, and secrets from the operating system.
#[derive(Debug, Default)]
pub struct SystemIds {
    last: Mutex<LastId>,
}

impl IdGenerator for SystemIds {
    fn new_id(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0) & ((1 << 48) - 1);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.tail = if last.millis == Some(millis) {
            // A random step, so that an id does not give away the one after it.
            last.tail + 1 + u128::from(random::<4>().into_iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(byte)))
        } else {
            // The highest bit stays clear: it leaves room for 2^40 steps, more than a millisecond can hold.
            random::<10>().into_iter().fold(0_u128, |sum, byte| sum << 8 | u128::from(byte)) & ((1 << 73) - 1)
        };
        last.millis = Some(millis);
        from_parts(millis, last.tail)
    }

    fn new_secret(&self) -> [u8; 32] {
        random()
    }
}

/// The last identifier that was made.
#[derive(Debug, Default)]
struct LastId {
    millis: Option<u64>,
    /// The 74 bits that are neither time, version nor variant.
    tail: u128,
}

/// RFC 9562, section 5.7: 48 bits of time, version 7, 12 bits, variant 0b10, 62 bits.
fn from_parts(millis: u64, tail: u128) -> Uuid {
    let high = (tail >> 62) & 0xFFF;
    let low = tail & ((1 << 62) - 1);
    Uuid::from_u128(u128::from(millis) << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("no gallery can run safely where the operating system gives no randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn an_id_is_a_uuid_7_that_carries_its_time() {
        let ids = SystemIds::default();
        let now = Timestamp::from_millis(1_717_243_800_123);
        let id = ids.new_id(now);
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        assert_eq!(id.as_u128() >> 80, 1_717_243_800_123);
        assert_eq!(ids.new_id(Timestamp::MIN).as_u128() >> 80, 0);
        assert_eq!(ids.new_id(Timestamp::MAX).as_u128() >> 80, Timestamp::MAX.as_millis() as u128);
    }

    #[test]
    fn ids_of_one_millisecond_rise_and_never_come_twice() {
        let ids = SystemIds::default();
        let now = Timestamp::from_millis(5);
        let made: Vec<Uuid> = (0..10_000).map(|_| ids.new_id(now)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ids_made_on_many_threads_differ_even_when_the_clock_goes_back() {
        let ids = SystemIds::default();
        let made: Vec<Uuid> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| (0..2_000).map(|n| ids.new_id(Timestamp::from_millis(n % 3))).collect::<Vec<_>>())
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.iter().collect::<HashSet<_>>().len(), made.len());
    }

    #[test]
    fn secrets_differ() {
        let ids = SystemIds::default();
        assert_ne!(ids.new_secret(), ids.new_secret());
    }
}
