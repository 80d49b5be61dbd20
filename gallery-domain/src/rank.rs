//! The order that people give to the photos of an album.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::InvalidValue;

/// A place in an order that can be divided: between two ranks there is room for others.
///
/// A rank is a fraction between 0 and 1, written as its digits in base 62 after the point and compared as text, byte by
/// byte; so every store orders ranks alike, and moving one photo writes one row. None of those made here ends in 0, which
/// would write the same fraction twice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rank(String);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const BASE: u64 = DIGITS.len() as u64;

/// How many digits places at either end are counted in: a million photos appended or prepended never lengthen a rank.
const WIDTH: usize = 8;

/// The most digits that a new rank is given: long before ranks get too long to be read, their order is to be renewed.
const DEEPEST: usize = 128;

/// The most digits of a rank that is read.
const LONGEST: usize = 1024;

impl Rank {
    /// A rank strictly between two others; no bound stands for the start or the end of the order.
    ///
    /// `None` where there is no room: `before` is not lower than `after`, which a racing change can bring about, or a gap
    /// was divided so often that a rank would have more than 128 digits.
    #[must_use]
    pub fn between(before: Option<&Self>, after: Option<&Self>) -> Option<Self> {
        Self::spread(before, after, 1)?.pop()
    }

    /// `count` ranks in rising order at even distances, all strictly between two others; `None` where there is no room.
    #[must_use]
    pub fn spread(before: Option<&Self>, after: Option<&Self>, count: usize) -> Option<Vec<Self>> {
        let (low, high) = (before.map(Self::digits), after.map(Self::digits));
        let count = count as u64;
        let counted = match (&low, &high) {
            // In the middle there is as much room before the first photo as after the last.
            (None, None) => count_on(BASE.pow(WIDTH as u32) / 2, count),
            (Some(low), None) => count_on(number(low), count),
            (None, Some(high)) => number(high).checked_sub(count + 1).and_then(|start| count_on(start, count)),
            (Some(_), Some(_)) => None,
        };
        counted.or_else(|| divide(&low.unwrap_or_default(), high.as_deref(), count))
    }

    /// The digits, as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn digits(&self) -> Vec<u64> {
        let digit = |byte| DIGITS.iter().position(|digit| *digit == byte).expect("a rank holds only digits of base 62");
        self.0.bytes().map(|byte| digit(byte) as u64).collect()
    }

    /// The fraction that is so many steps of its last digit above another.
    fn above(floor: &[u64], steps: u64) -> Self {
        let (mut digits, mut carry) = (floor.to_vec(), steps);
        for digit in digits.iter_mut().rev() {
            let sum = *digit + carry;
            (*digit, carry) = (sum % BASE, sum / BASE);
        }
        let digits: String = digits.into_iter().map(|digit| char::from(DIGITS[digit as usize])).collect();
        Self(digits.trim_end_matches('0').to_owned())
    }
}

/// The first eight digits as a number.
fn number(digits: &[u64]) -> u64 {
    digits.iter().copied().chain(std::iter::repeat(0)).take(WIDTH).fold(0, |number, digit| number * BASE + digit)
}

/// The ranks of eight digits that follow a number, if there are so many.
fn count_on(start: u64, count: u64) -> Option<Vec<Rank>> {
    let has_room = start + count < BASE.pow(WIDTH as u32);
    has_room.then(|| (1..=count).map(|step| Rank::above(&[0; WIDTH], start + step)).collect())
}

/// The fractions that divide the gap between two evenly, in as few digits as there can be.
fn divide(low: &[u64], high: Option<&[u64]>, count: u64) -> Option<Vec<Rank>> {
    if high.is_some_and(|high| high <= low) {
        return None;
    }
    let parts = count + 1;
    let mut floor = Vec::new();
    // How many steps of the last digit it is from one to the other.
    let mut distance = u64::from(high.is_none());
    while distance < parts {
        if floor.len() == DEEPEST {
            return None;
        }
        let digit = |digits: &[u64]| digits.get(floor.len()).copied().unwrap_or(0);
        let (from, to) = (digit(low), high.map_or(0, digit));
        distance = distance * BASE + to - from;
        floor.push(from);
    }
    Some((1..=count).map(|part| Rank::above(&floor, part * distance / parts)).collect())
}

impl TryFrom<String> for Rank {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let valid = !text.is_empty()
            && text.len() <= LONGEST
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

    fn rank(text: &str) -> Rank {
        Rank::try_from(text.to_owned()).unwrap()
    }

    /// The ranks rise strictly from one bound to the other, and can be kept and read.
    fn assert_fits(before: Option<&Rank>, ranks: &[Rank], after: Option<&Rank>) {
        let all: Vec<&Rank> = before.into_iter().chain(ranks).chain(after).collect();
        assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "{all:?}");
        for rank in ranks {
            assert_eq!(Rank::try_from(rank.as_str().to_owned()).as_ref(), Ok(rank));
            assert!(rank.as_str().len() <= DEEPEST && !rank.as_str().ends_with('0'), "{rank}");
        }
    }

    #[test]
    fn appending_and_prepending_never_lengthen_a_rank() {
        let start = Rank::between(None, None).unwrap();
        let after = Rank::spread(Some(&start), None, 100_000).unwrap();
        assert_fits(Some(&start), &after, None);
        let before = Rank::spread(None, Some(&start), 100_000).unwrap();
        assert_fits(None, &before, Some(&start));
        assert!(before.iter().chain(&after).all(|rank| rank.as_str().len() <= WIDTH));
    }

    #[test]
    fn at_the_very_ends_there_is_still_room() {
        let (first, last) = (rank("00000001"), rank("zzzzzzzz"));
        assert_fits(None, &Rank::spread(None, Some(&first), 1_000).unwrap(), Some(&first));
        assert_fits(Some(&last), &Rank::spread(Some(&last), None, 1_000).unwrap(), None);
    }

    #[test]
    fn a_hundred_photos_moved_into_one_gap_over_and_over_add_one_digit_a_time() {
        let (mut before, after) = (rank("V0000001"), rank("V0000002"));
        for round in 1..=100 {
            let ranks = Rank::spread(Some(&before), Some(&after), 100).unwrap();
            assert_fits(Some(&before), &ranks, Some(&after));
            before = ranks.last().unwrap().clone();
            assert!(before.as_str().len() <= WIDTH + 2 + round * 9 / 8, "{before} after {round} rounds");
        }
    }

    #[test]
    fn what_has_no_room_between_is_told_and_not_divided_for_ever() {
        let (a, b) = (rank("V000001"), rank("V000002"));
        assert_eq!(Rank::between(Some(&a), Some(&a)), None);
        assert_eq!(Rank::between(Some(&b), Some(&a)), None);
        assert_eq!(Rank::between(Some(&a), Some(&rank("V0000010"))), None, "the same fraction");
        let mut before = a;
        let divisions = std::iter::from_fn(|| {
            before = Rank::between(Some(&before), Some(&b))?;
            Some(before.as_str().len())
        });
        let lengths: Vec<usize> = divisions.collect();
        assert!(lengths.len() > 600 && lengths.last() == Some(&DEEPEST), "{} divisions", lengths.len());
    }

    fn any_rank() -> impl Strategy<Value = Rank> {
        "[0-9A-Za-z]{0,12}[1-9A-Za-z]".prop_map(|text| rank(&text))
    }

    proptest! {
        #[test]
        fn however_many_are_spread_they_fit_between(a in any_rank(), b in any_rank(), count in 1_usize..300) {
            prop_assume!(a != b);
            let (low, high) = if a < b { (&a, &b) } else { (&b, &a) };
            for (before, after) in [(Some(low), Some(high)), (None, Some(low)), (Some(high), None), (None, None)] {
                assert_fits(before, &Rank::spread(before, after, count).unwrap(), after);
            }
        }

        #[test]
        fn neighbours_that_share_most_digits_have_room_too(
            prefix in "[0-9A-Za-z]{0,9}", a in "[0z]{0,9}[1z]", b in "[0z]{0,9}[1z]", count in 1_usize..300,
        ) {
            prop_assume!(a != b);
            let (low, high) = (a.clone().min(b.clone()), a.max(b));
            let (low, high) = (rank(&format!("{prefix}{low}")), rank(&format!("{prefix}{high}")));
            assert_fits(Some(&low), &Rank::spread(Some(&low), Some(&high), count).unwrap(), Some(&high));
        }

        #[test]
        fn a_move_lands_between_its_neighbours(places in proptest::collection::vec(any::<prop::sample::Index>(), 1..200)) {
            let mut order = vec![Rank::between(None, None).unwrap()];
            for place in places {
                let at = place.index(order.len() + 1);
                let (before, after) = (at.checked_sub(1).map(|i| order[i].clone()), order.get(at).cloned());
                let rank = Rank::between(before.as_ref(), after.as_ref()).unwrap();
                assert_fits(before.as_ref(), std::slice::from_ref(&rank), after.as_ref());
                order.insert(at, rank);
            }
        }
    }
}
