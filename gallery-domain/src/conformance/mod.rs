//! What every adapter owes, as tests: one suite a port, one clause a sentence of the port's documentation.
//!
//! An adapter's crate takes this crate with the feature `conformance` as a dev-dependency, and tokio with `macros` and
//! `rt-multi-thread`; then one line a suite runs each clause as a test of its own, each on a fixture of its own:
//!
//! ```text
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
//! | suite | takes a fixture of |
//! |---|---|
//! | [`photo_repository_suite!`], [`photo_search_suite!`], [`album_repository_suite!`], [`user_repository_suite!`], [`credential_repository_suite!`], [`session_repository_suite!`], [`idempotency_repository_suite!`], [`rate_limiter_suite!`], [`work_queue_suite!`] | [`Repositories`](crate::ports::Repositories) of an empty store |
//! | [`model_suite!`] | the same; compares random histories with the memory model |
//! | [`blob_store_suite!`], [`blob_order_suite!`] | `Arc<dyn BlobStore>`, empty |
//! | [`direct_upload_suite!`] | [`SignedBlobs`](direct_upload::SignedBlobs): a blob store, its URLs and a client of them |
//! | [`clock_suite!`] | `Arc<dyn Clock>` |
//! | [`id_generator_suite!`] | `Arc<dyn IdGenerator>` |
//! | [`identity_provider_suite!`] | [`Identity`](identity_provider::Identity): a provider, a look at what it mailed, and a way to let time pass |
//! | [`mailer_suite!`] | [`Outbox`](mailer::Outbox): a mailer and a look at what it sent |
//! | [`image_processor_suite!`] | `Arc<dyn ImageProcessor>` |
//!
//! The clauses are plain functions, so an adapter may also call one by one. They assert, and what they say when they panic is which
//! sentence does not hold. None looks at the real clock. Two suites of the same name stand in two modules.

#[macro_use]
mod expectations;

pub mod album_repository;
pub mod blob_order;
pub mod blob_store;
pub mod clock;
pub mod credential_repository;
pub mod direct_upload;
pub mod fixtures;
pub mod id_generator;
pub mod idempotency_repository;
pub mod identity_provider;
pub mod image_processor;
pub mod mailer;
pub mod model;
pub mod photo_repository;
pub mod photo_search;
pub mod rate_limiter;
pub mod session_repository;
pub mod use_cases;
pub mod user_repository;
pub mod work_queue;

use std::any::Any;
use std::fmt;
use std::ops::Deref;

#[doc(inline)]
pub use crate::{
    album_repository_suite, blob_order_suite, blob_store_suite, clock_suite, credential_repository_suite,
    direct_upload_suite, id_generator_suite, idempotency_repository_suite, identity_provider_suite,
    image_processor_suite, mailer_suite, model_suite, photo_repository_suite, photo_search_suite, rate_limiter_suite,
    session_repository_suite, user_repository_suite, work_queue_suite,
};

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
            ("album_repository", include_str!("album_repository.rs")),
            ("blob_order", include_str!("blob_order.rs")),
            ("blob_store", include_str!("blob_store.rs")),
            ("clock", include_str!("clock.rs")),
            ("credential_repository", include_str!("credential_repository.rs")),
            ("direct_upload", include_str!("direct_upload.rs")),
            ("id_generator", include_str!("id_generator.rs")),
            ("idempotency_repository", include_str!("idempotency_repository.rs")),
            ("identity_provider", include_str!("identity_provider.rs")),
            ("image_processor", include_str!("image_processor.rs")),
            ("mailer", include_str!("mailer.rs")),
            ("photo_repository", include_str!("photo_repository.rs")),
            ("photo_search", include_str!("photo_search.rs")),
            ("rate_limiter", include_str!("rate_limiter.rs")),
            ("session_repository", include_str!("session_repository.rs")),
            ("user_repository", include_str!("user_repository.rs")),
            ("work_queue", include_str!("work_queue.rs")),
        ] {
            let (_, after) = source.split_once("macro_rules!").expect("a suite is a macro");
            let (named, functions) = after.split_once("\n}").expect("a macro ends");
            let (_, named) = named.rsplit_once('[').expect("a suite names its clauses in a list");
            let (named, _) = named.split_once(']').expect("a list ends");
            let named: Vec<&str> = named.split(',').map(str::trim).filter(|clause| !clause.is_empty()).collect();
            let written: Vec<&str> =
                functions.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next()).collect();
            assert_eq!(named, written, "the clauses of {suite}");
            clauses += written.len();
        }
        assert!(clauses >= 120, "{clauses} clauses");
    }
}
