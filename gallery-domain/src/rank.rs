//! The order that people give to the photos of an album.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A place in an order that can always be divided: between any two ranks there is another.
///
/// A rank is a fraction between 0 and 1, written as its digits in base 62 after the point and compared as text, byte by
/// byte; so every store orders ranks alike, and moving one photo writes one row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rank(String);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl Rank {
    /// A rank strictly between two others; no bound stands for the start or the end of the order.
    ///
    /// Where `before` is not lower than `after`, which a racing change can bring about, the answer is one after `before`.
    #[must_use]
    pub fn between(before: Option<&Self>, after: Option<&Self>) -> Self {
        let low = before.map_or(&[][..], |rank| rank.0.as_bytes());
        let high = after.map(|rank| rank.0.as_bytes()).filter(|high| low < *high);
        match high {
            None => Self::after(low),
            Some(high) => Self(text(midpoint(low, high))),
        }
    }

    /// `count` ranks in rising order, all strictly between two others.
    pub fn spread(before: Option<&Self>, after: Option<&Self>, count: usize) -> Vec<Self> {
        let mut ranks: Vec<Self> = Vec::with_capacity(count);
        for _ in 0..count {
            let rank = Self::between(ranks.last().or(before), after);
            ranks.push(rank);
        }
        ranks
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Counts up in the last of eight digits, so that appending a million photos never lengthens a rank.
    fn after(low: &[u8]) -> Self {
        const WIDTH: usize = 8;
        let mut digits: Vec<usize> = low.iter().map(|byte| digit(*byte)).collect();
        if digits.is_empty() {
            // Starts in the middle: there is as much room before the first photo as after the last.
            digits = vec![31; 1];
        }
        digits.resize(digits.len().max(WIDTH), 0);
        // More digits than usual come from moves; the append need not keep them.
        digits.truncate(WIDTH);
        for place in (0..WIDTH).rev() {
            if digits[place] < 61 {
                digits[place] += 1;
                return Self(text(digits));
            }
            digits[place] = 0;
        }
        let mut digits: Vec<usize> = low.iter().map(|byte| digit(*byte)).collect();
        digits.push(31);
        Self(text(digits))
    }
}

/// The digits of a fraction between two, `low < high`, never ending in 0.
fn midpoint(low: &[u8], high: &[u8]) -> Vec<usize> {
    let mut digits = Vec::new();
    let mut bounded = true;
    for place in 0.. {
        let from = low.get(place).map_or(0, |byte| digit(*byte));
        let to = if bounded { high.get(place).map_or(0, |byte| digit(*byte)) } else { 62 };
        if bounded && from == to {
            digits.push(from);
            continue;
        }
        if to - from > 1 {
            digits.push(from + (to - from) / 2);
            break;
        }
        digits.push(from);
        bounded = false;
    }
    digits
}

fn digit(byte: u8) -> usize {
    DIGITS.iter().position(|digit| *digit == byte).expect("a rank holds only digits of base 62")
}

fn text(digits: Vec<usize>) -> String {
    digits.into_iter().map(|digit| char::from(DIGITS[digit])).collect()
}

impl TryFrom<String> for Rank {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = !text.is_empty()
            && text.len() <= 1024
            && text.bytes().all(|byte| DIGITS.contains(&byte))
            && !text.bytes().all(|byte| byte == b'0');
        if valid { Ok(Self(text)) } else { Err(InvalidValue::new("is not a place in an album")) }
    }
}

impl From<Rank> for String {
    fn from(rank: Rank) -> Self {
        rank.0
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn appending_never_lengthens_a_rank() {
        let ranks = Rank::spread(None, None, 100_000);
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ranks.iter().all(|rank| rank.as_str().len() == 8));
    }

    #[test]
    fn there_is_always_room_before_the_first() {
        let mut first = Rank::between(None, None);
        for _ in 0..200 {
            let before = Rank::between(None, Some(&first));
            assert!(before < first);
            first = before;
        }
    }

    proptest! {
        #[test]
        fn a_move_lands_between_its_neighbours(places in proptest::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut order = vec![Rank::between(None, None)];
            for place in places {
                let at = place.index(order.len() + 1);
                let (before, after) = (at.checked_sub(1).map(|i| order[i].clone()), order.get(at).cloned());
                let rank = Rank::between(before.as_ref(), after.as_ref());
                prop_assert!(before.as_ref().is_none_or(|before| *before < rank));
                prop_assert!(after.as_ref().is_none_or(|after| rank < *after));
                prop_assert_eq!(Rank::try_from(rank.as_str().to_owned()), Ok(rank.clone()));
                order.insert(at, rank);
            }
        }
    }
}
