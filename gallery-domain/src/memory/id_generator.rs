//! Identifiers that a test can foresee.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::ports::IdGenerator;
use crate::{Sha256Digest, Timestamp};

/// Counts. Its ids are valid UUIDs of version 7 and sort as they were made, but anybody can guess them and its secrets: **for tests
/// and demonstrations only**.
#[derive(Debug, Default)]
pub struct SequentialIds {
    made: AtomicU64,
}

impl SequentialIds {
    /// Starts counting.
    pub const fn new() -> Self {
        Self { made: AtomicU64::new(0) }
    }

    fn next(&self) -> u64 {
        self.made.fetch_add(1, Ordering::SeqCst)
    }
}

impl IdGenerator for SequentialIds {
    fn new_id(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        // 12 bits of the count go before the variant and 62 behind it, so that ids of one millisecond sort as they were made.
        let count = u128::from(self.next());
        let bits =
            u128::from(millis) << 80 | 0x7 << 76 | (count >> 62 & 0xFFF) << 64 | 0b10 << 62 | count & ((1 << 62) - 1);
        Uuid::from_u128(bits)
    }

    fn new_secret(&self) -> [u8; 32] {
        *Sha256Digest::of(format!("secret {}", self.next()).as_bytes()).as_bytes()
    }
}
