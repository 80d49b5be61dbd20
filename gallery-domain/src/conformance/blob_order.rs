//! In which order a [`BlobStore`] lists keys: a suite apart, for servers that speak the protocol of S3 and list by folders can be held to all the rest.

use std::sync::Arc;

use super::blob_store::{key, put};
use super::expectations::{page_sizes, walk};
use crate::ports::BlobStore;

/// Runs each clause on the order of keys as a test: takes an expression for an empty `Arc<dyn BlobStore>` or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! blob_order_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            blob_order,
            ::std::sync::Arc<dyn $crate::ports::BlobStore>,
            $fixture,
            [keys_are_listed_in_the_order_of_their_bytes,]
        );
    };
}

/// Byte by byte, not folder by folder.
pub async fn keys_are_listed_in_the_order_of_their_bytes(blobs: &Arc<dyn BlobStore>) {
    let mut all =
        ["a/b/c", "a-b", "a.b", "a/b.c", "a/b-c", "a_b", "aa", "A/b", "a/B", "0/9", "10/1", "9", "a/b/a", "b"].map(key);
    for key in &all {
        put(blobs, key, b"x").await;
    }
    all.sort();
    for size in page_sizes() {
        let listed = walk(size, async |page| blobs.list("", page).await).await;
        assert_eq!(listed, all, "pages of {} list keys in the order of their bytes", size.get());
    }
}
