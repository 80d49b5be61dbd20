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

    gallery_domain::conformance::blob_store_suite!(
        Arc::new(blobs().await.in_parts(1_000, 5 << 20)) as Arc<dyn BlobStore>
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
