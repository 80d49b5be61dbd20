//! How often something may be tried.

use std::time::Duration;

use crate::{EmailAddress, Sha256Digest, Timestamp};

/// What is counted: a kind of attempt and who makes it. Kept hashed, so that no store holds addresses in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThrottleKey(String);

impl ThrottleKey {
    /// Counts a kind of attempt at an account.
    pub fn account(kind: &'static str, address: &EmailAddress) -> Self {
        Self::hashed(kind, address.as_str())
    }

    /// Counts a kind of attempt at an account from a place; from `None` if nobody can tell.
    pub fn account_from(kind: &'static str, address: &EmailAddress, origin: Option<&str>) -> Self {
        // No address holds the separator.
        Self::hashed(kind, &format!("{address}\0{}", origin.unwrap_or_default()))
    }

    /// Counts a kind of attempt from a place, such as a network prefix.
    pub fn origin(kind: &'static str, origin: &str) -> Self {
        Self::hashed(kind, origin)
    }

    /// The key: the kind, and 32 hexadecimal digits of a hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hashed(kind: &'static str, who: &str) -> Self {
        let hash = Sha256Digest::of(format!("{kind}\0{who}").as_bytes()).to_string();
        Self(format!("{kind}/{}", &hash[..32]))
    }
}

/// A rule for attempts of a kind. None ever locks for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    /// At most `burst` attempts at once, and one more each `every`.
    Rate {
        /// Attempts at once, at least 1.
        burst: u32,
        /// How long until another is allowed.
        every: Duration,
    },
    /// `free` attempts without delay; then each has to wait twice as long as the one before, from `first` up to `most`.
    /// A success resets it, and so does a quiet time of `most` twice over.
    Backoff {
        /// Attempts without delay.
        free: u32,
        /// The first delay.
        first: Duration,
        /// The longest delay.
        most: Duration,
    },
}

/// What a store keeps for a key. Absent is the same as [`ThrottleState::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThrottleState {
    /// Attempts counted (backoff), else 0.
    pub attempts: u32,
    /// Rate: the time up to which allowed attempts are spoken for. Backoff: when the next attempt is allowed.
    pub until_millis: i64,
}

/// Whether an attempt may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// Not before this much time has passed.
    Denied {
        /// How long to wait; more than zero.
        retry_after: Duration,
    },
}

impl Throttle {
    /// Decides on an attempt at `now`, and what to keep. A denied attempt changes nothing.
    ///
    /// The rate is the generic cell rate algorithm: one number a key, exact, without windows.
    pub fn decide(&self, state: ThrottleState, now: Timestamp) -> (ThrottleState, Decision) {
        let now = now.as_millis();
        match *self {
            Self::Rate { burst, every } => {
                let every = millis(every).max(1);
                let spoken_for = state.until_millis.max(now) + every;
                let wait = spoken_for - now - every * i64::from(burst.max(1));
                if wait > 0 {
                    (state, denied(wait))
                } else {
                    (ThrottleState { attempts: 0, until_millis: spoken_for }, Decision::Allowed)
                }
            }
            Self::Backoff { free, first, most } => {
                let (first, most) = (millis(first).max(1), millis(most).max(1));
                let forgotten = state.attempts > 0 && now >= state.until_millis + 2 * most;
                let attempts = if forgotten { 0 } else { state.attempts };
                if now < state.until_millis && attempts > 0 {
                    return (state, denied(state.until_millis - now));
                }
                let attempts = attempts.saturating_add(1);
                let delay = match attempts.checked_sub(free.max(1)) {
                    None => 0,
                    Some(doublings) => first.saturating_mul(1 << doublings.min(40)).min(most),
                };
                (ThrottleState { attempts, until_millis: now + delay }, Decision::Allowed)
            }
        }
    }

    /// When what is kept for an attempt at `now` can be forgotten without changing any decision.
    pub fn forgettable_at(&self, state: ThrottleState) -> Timestamp {
        match *self {
            Self::Rate { .. } => Timestamp::from_millis(state.until_millis),
            Self::Backoff { most, .. } => Timestamp::from_millis(state.until_millis).plus(most * 2),
        }
    }
}

fn denied(wait_millis: i64) -> Decision {
    Decision::Denied { retry_after: Duration::from_millis(wait_millis.unsigned_abs()) }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(throttle: Throttle, times: &[i64]) -> Vec<Option<u64>> {
        let mut state = ThrottleState::default();
        times
            .iter()
            .map(|time| {
                let (next, decision) = throttle.decide(state, Timestamp::from_millis(*time));
                state = next;
                match decision {
                    Decision::Allowed => None,
                    Decision::Denied { retry_after } => Some(retry_after.as_millis() as u64),
                }
            })
            .collect()
    }

    #[test]
    fn a_rate_allows_a_burst_and_then_one_each_interval() {
        let throttle = Throttle::Rate { burst: 2, every: Duration::from_millis(100) };
        assert_eq!(
            run(throttle, &[1000, 1000, 1000, 1099, 1100, 1100, 2000, 2000, 2000]),
            [None, None, Some(100), Some(1), None, Some(100), None, None, Some(100)]
        );
    }

    #[test]
    fn a_backoff_doubles_and_never_locks_for_good() {
        let throttle = Throttle::Backoff { free: 2, first: Duration::from_millis(10), most: Duration::from_millis(35) };
        assert_eq!(
            run(throttle, &[0, 0, 0, 10, 20, 29, 30, 64, 65, 1000, 1000, 1000]),
            [None, None, Some(10), None, Some(10), Some(1), None, Some(1), None, None, None, Some(10)]
        );
    }

    #[test]
    fn a_key_hides_who_it_is_about() {
        let key = ThrottleKey::account("log-in", &"ada@example.org".parse().unwrap());
        assert!(key.as_str().starts_with("log-in/"));
        assert!(!key.as_str().contains("ada"));
    }
}
