//! What every adapter owes, as tests: one suite a port, one clause a sentence of the port's documentation.
//!
//! An adapter's crate takes this crate with the feature `conformance` as a dev-dependency, and tokio with `macros` and
//! `rt-multi-thread`; then one line a suite runs each clause as a test of its own, each on a fixture of its own:
//!
//! ```ignore
//! use gallery_domain::conformance::Fixture;
//! use gallery_domain::ports::Repositories;
//!
//! /// An empty store, and the folder that it is in.
//! async fn fresh() -> Fixture<Repositories> {
//!     let folder = tempfile::tempdir().expect("a folder can be made");
//!     let store = MyStore::open(folder.path()).await.expect("the store opens");
//!     Fixture::new(store.repositories()).keeping(folder)
//! }
//!
//! gallery_domain::conformance::photo_repository_suite!(fresh().await);
//! gallery_domain::conformance::album_repository_suite!(fresh().await);
//! ```
//!
//! The clauses are plain functions, so an adapter may also call one by one. They assert, and what they say when they panic is which
//! sentence does not hold. None looks at the real clock. Two suites of the same name stand in two modules.

#[macro_use]
mod expectations;

pub mod fixtures;
pub mod photo_repository;
pub mod user_repository;
pub mod work_queue;

use std::any::Any;
use std::fmt;
use std::ops::Deref;

#[doc(inline)]
pub use crate::{photo_repository_suite, user_repository_suite, work_queue_suite};

/// What a clause is about, set up afresh, and whatever has to live as long: a temporary folder, a server.
pub struct Fixture<T> {
    subject: T,
    kept: Vec<Box<dyn Any + Send>>,
}

impl<T> Fixture<T> {
    /// A fixture that needs nothing else.
    pub const fn new(subject: T) -> Self {
        Self { subject, kept: Vec::new() }
    }

    /// The same, and something to be dropped only after it.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send) -> Self {
        self.kept.push(Box::new(guard));
        self
    }
}

impl<T> From<T> for Fixture<T> {
    fn from(subject: T) -> Self {
        Self::new(subject)
    }
}

impl<T> Deref for Fixture<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.subject
    }
}

impl<T: fmt::Debug> fmt::Debug for Fixture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Expands to one test a clause, in a module of the suite's name.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($suite:ident, $subject:ty, $fixture:expr, [$($clause:ident),* $(,)?]) => {
        mod $suite {
            #[allow(unused_imports, reason = "the fixture's expression may name what stands around the suite, or not")]
            use super::*;

            $(
                #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $clause() {
                    let fixture: $crate::conformance::Fixture<$subject> = ::core::convert::Into::into($fixture);
                    $crate::conformance::$suite::$clause(&fixture).await;
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    /// A clause that is written but not named in its suite would never run.
    #[test]
    fn every_clause_stands_in_its_suite() {
        let mut clauses = 0;
        for (suite, source) in [
            ("photo_repository", include_str!("photo_repository.rs")),
            ("user_repository", include_str!("user_repository.rs")),
            ("work_queue", include_str!("work_queue.rs")),
        ] {
            let (_, after) = source.split_once("macro_rules!").expect("a suite is a macro");
            let (named, functions) = after.split_once("\n}").expect("a macro ends");
            let named: Vec<&str> = named.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
            let written: Vec<&str> =
                functions.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next()).collect();
            assert_eq!(named, written, "the clauses of {suite}");
            clauses += written.len();
        }
        assert!(clauses >= 120, "{clauses} clauses");
    }
}
