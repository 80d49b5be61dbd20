//! Blobs in a bucket do what the port promises, whole and in parts, and presigned URLs allow what they say.

#![cfg(feature = "s3")]

mod aws_servers;
#[path = "aws_servers/http.rs"]
mod http;

use std::sync::Arc;

use gallery_adapters::s3::S3Blobs;
use gallery_domain::ports::BlobStore;

use crate::aws_servers::{MINISTACK, S3, Server, empty_place};

async fn blobs() -> S3Blobs {
    empty_place(&Server::named(S3)).await
}

mod whole {
    use super::*;

    gallery_domain::conformance::blob_store_suite!(Arc::new(blobs().await) as Arc<dyn BlobStore>);
}

/// What is large for a test.
mod in_parts {
    use super::*;

    // All clauses but the one below.
    gallery_domain::conformance_tests!(
        blob_store,
        Arc<dyn BlobStore>,
        Arc::new(blobs().await.in_parts(1_000, 5 << 20)) as Arc<dyn BlobStore>,
        [
            a_blob_is_fetched_as_it_was_put,
            an_absent_blob_is_none,
            a_blob_comes_in_pieces_of_any_size,
            an_empty_blob_is_a_blob,
            a_blob_of_megabytes_is_kept,
            bytes_that_are_not_those_described_are_refused,
            a_refused_put_leaves_nothing,
            a_taken_key_is_refused_and_keeps_what_it_had,
            a_stream_that_breaks_leaves_nothing,
            nobody_sees_a_part_of_a_blob,
            every_type_is_kept,
            every_kind_of_key_is_kept,
            a_range_is_cut_to_the_blob,
            trying_to_write_leaves_nothing,
            a_copy_is_the_same_blob,
            a_copy_onto_a_taken_key_changes_nothing,
            a_copy_of_an_absent_blob_answers_so,
            of_concurrent_copies_all_succeed,
            a_copy_outlives_its_source,
            a_removed_blob_is_gone,
            removing_absent_blobs_succeeds,
            a_thousand_blobs_are_removed_at_once,
            a_removed_key_can_be_put_again,
            keys_that_the_gallery_makes_are_listed_in_order,
            keys_are_listed_by_any_prefix,
            every_page_size_visits_each_key_once,
            a_cursor_of_a_removed_blob_still_works,
            listing_visits_each_key_once_while_others_write,
        ]
    );
}

/// SeaweedFS looks whether a key is free and then completes an upload in parts; this server does both at once, as S3 does, but copies onto taken keys.
mod in_parts_at_once {
    use super::*;

    async fn blobs() -> Arc<dyn BlobStore> {
        Arc::new(empty_place(&Server::named(MINISTACK)).await.in_parts(1_000, 5 << 20))
    }

    gallery_domain::conformance_tests!(
        blob_store,
        Arc<dyn BlobStore>,
        blobs().await,
        [
            of_concurrent_puts_of_a_key_one_wins,
            nobody_sees_a_part_of_a_blob,
            a_taken_key_is_refused_and_keeps_what_it_had
        ]
    );
}

mod over_http {
    use gallery_domain::conformance::direct_upload::SignedBlobs;

    use super::*;

    async fn signed() -> SignedBlobs {
        let blobs = Arc::new(blobs().await);
        SignedBlobs { blobs: blobs.clone(), urls: blobs, client: Arc::new(http::OverHttp::default()) }
    }

    gallery_domain::conformance::direct_upload_suite!(signed().await);
}

/// SeaweedFS lists by folders; this server lists as S3 does.
mod in_order {
    use super::*;

    async fn blobs() -> Arc<dyn BlobStore> {
        Arc::new(empty_place(&Server::named(MINISTACK)).await)
    }

    gallery_domain::conformance::blob_order_suite!(blobs().await);
}
