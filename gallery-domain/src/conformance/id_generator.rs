//! What an [`IdGenerator`] owes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::Timestamp;
use crate::ports::IdGenerator;

/// Runs each clause on a generator as a test: takes an expression for an `Arc<dyn IdGenerator>` or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! id_generator_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            id_generator,
            ::std::sync::Arc<dyn $crate::ports::IdGenerator>,
            $fixture,
            [
                an_id_is_a_uuid_of_version_7,
                an_id_carries_its_time,
                an_id_of_a_time_before_1970_carries_none,
                ids_sort_by_time,
                no_id_comes_twice,
                no_secret_comes_twice,
                every_bit_of_a_secret_varies,
            ]
        );
    };
}

/// As RFC 9562 lays it out.
pub async fn an_id_is_a_uuid_of_version_7(ids: &Arc<dyn IdGenerator>) {
    for n in 0..100 {
        let id = ids.new_id(Timestamp::from_millis(n));
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122), "{id} is of version 7");
    }
}

/// In its first 48 bits.
pub async fn an_id_carries_its_time(ids: &Arc<dyn IdGenerator>) {
    for millis in [0, 1, 1_704_067_200_123, Timestamp::MAX.as_millis()] {
        let id = ids.new_id(Timestamp::from_millis(millis));
        assert_eq!((id.as_u128() >> 80) as i64, millis, "{id} carries the time it was made for");
    }
}

/// There is no sign in 48 bits.
pub async fn an_id_of_a_time_before_1970_carries_none(ids: &Arc<dyn IdGenerator>) {
    for time in [Timestamp::MIN, Timestamp::from_millis(-1)] {
        let id = ids.new_id(time);
        assert_eq!(id.as_u128() >> 80, 0, "{id} carries no time");
        assert_eq!(id.get_version_num(), 7, "{id} is of version 7");
    }
}

/// Whatever else is in them.
pub async fn ids_sort_by_time(ids: &Arc<dyn IdGenerator>) {
    let made: Vec<_> = (0..1_000).map(|n| ids.new_id(Timestamp::from_millis(1_704_067_200_000 + n))).collect();
    assert!(made.is_sorted(), "ids of rising times rise");
}

/// Also of one time, and from several threads.
pub async fn no_id_comes_twice(ids: &Arc<dyn IdGenerator>) {
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let ids = Arc::clone(ids);
            std::thread::spawn(move || (0..5_000).map(|_| ids.new_id(Timestamp::from_millis(7))).collect::<Vec<_>>())
        })
        .collect();
    let made = threads.into_iter().flat_map(|thread| thread.join().expect("making ids does not panic"));
    assert_eq!(made.collect::<BTreeSet<_>>().len(), 20_000, "no id comes twice");
}

/// Nor is it all zero.
pub async fn no_secret_comes_twice(ids: &Arc<dyn IdGenerator>) {
    let mut made: BTreeSet<[u8; 32]> = (0..1_000).map(|_| ids.new_secret()).collect();
    made.insert([0; 32]);
    assert_eq!(made.len(), 1_001, "no secret comes twice, and none is all zero");
}

/// 256 bits, none of them stuck: with 200 secrets, a fair bit seems stuck once in 10⁵⁷ runs.
pub async fn every_bit_of_a_secret_varies(ids: &Arc<dyn IdGenerator>) {
    let (mut ones, mut zeros) = ([0_u8; 32], [0_u8; 32]);
    for _ in 0..200 {
        for (place, byte) in ids.new_secret().into_iter().enumerate() {
            ones[place] |= byte;
            zeros[place] |= !byte;
        }
    }
    assert_eq!((ones, zeros), ([0xFF; 32], [0xFF; 32]), "every bit of a secret is now 0 and now 1");
}
