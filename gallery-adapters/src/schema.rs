//! How far the schema of a store is.

/// Which versions of the schema there are, in the store and in this program; each list in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaStatus {
    /// Those that the store has and this program knows.
    pub applied: Vec<i64>,
    /// Those that the store has yet to get.
    pub pending: Vec<i64>,
    /// Those that the store has and this program does not know: a newer program was here.
    pub unknown: Vec<i64>,
}

impl SchemaStatus {
    /// Compares what a program knows with what it found, both in rising order.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb", test))]
    pub(crate) fn compare(known: &[i64], found: &[i64]) -> Self {
        let (applied, unknown) = found.iter().partition(|version| known.contains(version));
        let pending = known.iter().copied().filter(|version| !found.contains(version)).collect();
        Self { applied, pending, unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_may_be_behind_and_ahead_of_the_program_at_once() {
        let status = SchemaStatus::compare(&[1, 2, 4], &[1, 3, 5]);
        assert_eq!(status, SchemaStatus { applied: vec![1], pending: vec![2, 4], unknown: vec![3, 5] });
        assert_eq!(SchemaStatus::compare(&[], &[]), SchemaStatus::default());
    }
}
