//! Blobs in a bucket, beyond what every blob store promises: parts, what stays with an object, and what is said of a bucket that cannot be used.

#![cfg(feature = "s3")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod aws_servers;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use bytes::Bytes;
use futures_util::stream;
use gallery_adapters::s3::{S3Blobs, S3Settings};
use gallery_domain::ports::{BlobError, BlobInfo, BlobStore, ByteStream, DirectUpload, byte_stream, collect_bytes};
use gallery_domain::{BlobKey, MediaType, PageRequest, PageSize, Sha256Digest, Timestamp};

use crate::aws_servers::{BUCKET, MINISTACK, S3, Server, empty_place, make_bucket, settings, unique};

/// The least that S3 takes as a part.
const PART: usize = 5 << 20;

fn key(text: &str) -> BlobKey {
    text.parse().unwrap()
}

fn info(bytes: &[u8]) -> BlobInfo {
    BlobInfo { content_type: MediaType::Jpeg, bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes) }
}

fn in_pieces(bytes: &[u8], size: usize) -> ByteStream {
    Box::pin(stream::iter(bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect::<Vec<_>>()))
}

fn megabytes(count: usize) -> Vec<u8> {
    (0..count << 20).map(|n| (n ^ n >> 8 ^ n >> 16) as u8).collect()
}

/// The bucket itself, past the adapter.
async fn bucket(server: &Server) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&server.config().await).force_path_style(true);
    Client::from_conf(config.build())
}

/// A place of which the test knows the prefix.
async fn known_place() -> (S3Blobs, String) {
    let config = Server::named(S3).config().await;
    make_bucket(&config, BUCKET).await;
    let prefix = unique("known");
    (S3Blobs::new(&settings(BUCKET, &prefix), &config), prefix)
}

#[tokio::test]
async fn a_blob_of_several_parts_is_one_blob() {
    let blobs = empty_place(&Server::named(S3)).await.in_parts(PART as u64, PART);
    let bytes = megabytes(12);
    blobs.put(&key("original/large"), &info(&bytes), in_pieces(&bytes, 100_000)).await.unwrap();
    assert_eq!(blobs.head(&key("original/large")).await.unwrap(), Some(info(&bytes)));
    let whole = blobs.get(&key("original/large"), None).await.unwrap().unwrap();
    assert_eq!(whole.info, info(&bytes));
    assert!(collect_bytes(whole.bytes, 1 << 30).await.unwrap() == bytes);
    let across = PART as u64 - 10..PART as u64 + 10;
    let part = blobs.get(&key("original/large"), Some(across.clone())).await.unwrap().unwrap();
    assert_eq!(part.info, info(&bytes));
    let expected = &bytes[across.start as usize..across.end as usize];
    assert_eq!(collect_bytes(part.bytes, 100).await.unwrap(), expected);

    assert!(blobs.copy(&key("original/large"), &key("original/copy")).await.unwrap());
    assert_eq!(blobs.head(&key("original/copy")).await.unwrap(), Some(info(&bytes)));
    let again = blobs.put(&key("original/large"), &info(&bytes), in_pieces(&bytes, 1 << 20)).await;
    assert!(matches!(again, Err(BlobError::AlreadyExists)), "{again:?}");
}

#[tokio::test]
async fn parts_that_are_no_blob_together_are_given_up() {
    let (blobs, prefix) = known_place().await;
    let blobs = blobs.in_parts(PART as u64, PART);
    let bytes = megabytes(11);
    let mut wrong = bytes.clone();
    wrong[11 << 19] ^= 1;
    for (sent, what) in [(&wrong[..], "another byte"), (&bytes[..11 << 19], "a half")] {
        let refused = blobs.put(&key("original/large"), &info(&bytes), in_pieces(sent, 1 << 20)).await;
        assert!(matches!(refused, Err(BlobError::Mismatch { .. })), "{what}: {refused:?}");
    }
    assert_eq!(blobs.head(&key("original/large")).await.unwrap(), None);
    let client = bucket(&Server::named(S3)).await;
    let pending = client.list_multipart_uploads().bucket(BUCKET).prefix(&prefix).send().await.unwrap();
    assert_eq!(pending.uploads().len(), 0, "nothing of them stays");
}

#[tokio::test]
async fn what_never_changes_may_be_kept_by_whoever_fetched_it_and_what_just_came_in_may_not() {
    let (blobs, prefix) = known_place().await;
    blobs.put(&key("incoming/a"), &info(b"x"), byte_stream("x")).await.unwrap();
    blobs.put(&key("derived/a"), &info(b"x"), byte_stream("x")).await.unwrap();
    blobs.copy(&key("incoming/a"), &key("original/a")).await.unwrap();
    let client = bucket(&Server::named(S3)).await;
    for (name, kept) in [("incoming", false), ("derived", true), ("original", true)] {
        let head = client.head_object().bucket(BUCKET).key(format!("{prefix}/{name}/a")).send().await.unwrap();
        let expected = kept.then_some("private, max-age=31536000, immutable");
        assert_eq!(head.cache_control(), expected, "{name}");
        let hash = head.metadata().and_then(|metadata| metadata.get("sha256"));
        assert_eq!(hash, Some(&Sha256Digest::of(b"x").to_string()), "{name}");
    }
}

#[tokio::test]
async fn what_somebody_else_put_there_is_no_blob() {
    let (blobs, prefix) = known_place().await;
    let client = bucket(&Server::named(S3)).await;
    for (name, hash) in
        [("original/a b", None), ("original/stray", None), ("original/lie", Some(Sha256Digest::of(b"y")))]
    {
        let mut put = client.put_object().bucket(BUCKET).key(format!("{prefix}/{name}")).content_type("image/jpeg");
        if let Some(hash) = hash {
            put = put.checksum_sha256(Sha256Digest::of(b"x").to_base64()).metadata("sha256", hash.to_string());
        }
        put.body(Bytes::from_static(b"x").into()).send().await.unwrap();
    }
    blobs.put(&key("original/z"), &info(b"x"), byte_stream("x")).await.unwrap();
    let listed = blobs.list("", PageRequest::first(PageSize::MAX)).await.unwrap();
    assert_eq!(listed.items, ["original/lie", "original/stray", "original/z"].map(key));
    for name in ["original/stray", "original/lie"] {
        let head = blobs.head(&key(name)).await;
        assert!(matches!(head, Err(BlobError::Corrupt)), "{name}: {head:?}");
        assert!(matches!(blobs.get(&key(name), None).await, Err(BlobError::Corrupt)), "{name}");
    }
}

#[tokio::test]
async fn without_a_signature_or_with_that_of_another_key_nothing_comes_out() {
    let server = Server::named(S3);
    let (blobs, prefix) = known_place().await;
    blobs.put(&key("original/a"), &info(b"x"), byte_stream("x")).await.unwrap();
    let stranger = server.by(&server.key, "another secret");
    let stranger = S3Blobs::new(&settings(BUCKET, &prefix), &stranger.config().await);
    let now = Timestamp::from_millis(now_in_millis());
    let good = blobs.download_url(&key("original/a"), None, now).await.unwrap();
    let forged = stranger.download_url(&key("original/a"), None, now).await.unwrap();
    let bare = good.split_once('?').unwrap().0;
    for (url, status) in [(&*good, 200), (&*forged, 403), (bare, 403)] {
        assert_eq!(reqwest::get(url).await.unwrap().status(), status);
    }
}

fn now_in_millis() -> i64 {
    use gallery_domain::ports::Clock;
    gallery_adapters::system::SystemClock.now().as_millis()
}

#[tokio::test]
async fn a_download_url_changes_every_six_hours() {
    let blobs = S3Blobs::new(&settings(BUCKET, "a"), &Server::named(S3).config().await);
    let span = 6 * 3_600_000;
    let start = Timestamp::from_millis(1_717_200_000_000 / span * span);
    let url = async |minutes: u64| {
        let now = start.plus(Duration::from_secs(60 * minutes));
        blobs.download_url(&key("original/a"), Some("a.jpg".to_owned()), now).await.unwrap()
    };
    let first = url(0).await;
    assert!(first.contains("X-Amz-Expires=25200"), "good for seven hours: {first}");
    assert_eq!(url(359).await, first);
    assert_ne!(url(360).await, first);
}

#[tokio::test]
async fn urls_are_at_the_buckets_own_host_or_at_the_endpoint() {
    let now = Timestamp::from_millis(now_in_millis());
    let server = Server::named(S3);
    let local = S3Blobs::new(&settings(BUCKET, "a"), &server.config().await);
    assert_eq!(local.origin(now).await.unwrap(), server.endpoint.as_str().trim_end_matches('/'));
    let config = server.config().await.to_builder();
    let mut config = config;
    config.set_endpoint_url(None);
    let aws = S3Blobs::new(&settings(BUCKET, "a"), &config.build());
    assert_eq!(aws.origin(now).await.unwrap(), format!("https://{BUCKET}.s3.eu-central-1.amazonaws.com"));
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_is_said_with_what_to_mend() {
    let (weed, ministack) = (Server::named(S3), Server::named(MINISTACK));
    make_bucket(&weed.config().await, BUCKET).await;
    make_bucket(&ministack.config().await, BUCKET).await;
    let nowhere = Server { endpoint: "http://127.0.0.1:9".parse().unwrap(), ..weed.clone() };
    let (key, secret) = aws_servers::user_without_rights(&ministack).await;
    for (server, bucket, part, is_transient) in [
        (weed.clone(), "no-such-bucket-here", "there is no such bucket: create it by `gallery provision`", false),
        (weed.by("nobody", "x"), BUCKET, "AWS_ACCESS_KEY_ID", false),
        (weed.by(&weed.key, "x"), BUCKET, "AWS_SECRET_ACCESS_KEY", false),
        (ministack.by(&key, &secret), BUCKET, "it needs s3:ListBucket", false),
        (nowhere, BUCKET, "cannot be reached", true),
    ] {
        let failure = S3Blobs::new(&settings(bucket, "a"), &server.config().await).check().await.unwrap_err();
        let said = failure.source().unwrap().to_string();
        assert!(said.contains(part), "{said}");
        assert_eq!(failure.is_transient(), is_transient, "{said}");
    }
    // As where the environment, profiles and roles have none. Nothing of this machine's own is looked at.
    let none = provide_credentials_fn(|| async { Err(CredentialsError::not_loaded("there are none")) });
    let nobody = weed.config().await.to_builder().credentials_provider(SharedCredentialsProvider::new(none)).build();
    let failure = S3Blobs::new(&settings(BUCKET, "a"), &nobody).check().await.unwrap_err();
    let said = failure.source().unwrap().to_string();
    assert!(said.contains("there are no AWS credentials"), "{said}");
    let nowhere: S3Settings = format!("s3://{BUCKET}").parse().unwrap();
    let mut without_region = weed.config().await.to_builder().region(None);
    without_region.set_endpoint_url(None);
    let without_region = without_region.build();
    let failure = S3Blobs::new(&nowhere, &without_region).check().await.unwrap_err();
    let said = failure.source().unwrap().to_string();
    assert!(said.contains("there is no AWS region: add ?region=… to GALLERY_BLOBS"), "{said}");
}

#[tokio::test]
async fn whoever_may_not_write_hears_it_before_the_first_upload() {
    let ministack = Server::named(MINISTACK);
    make_bucket(&ministack.config().await, BUCKET).await;
    let (key, secret) = aws_servers::user_without_rights(&ministack).await;
    let blobs = S3Blobs::new(&settings(BUCKET, "a"), &ministack.by(&key, &secret).config().await);
    let blobs: Arc<dyn BlobStore> = Arc::new(blobs);
    let refused = blobs.try_writing().await.unwrap_err();
    let BlobError::Backend(failure) = refused else { panic!("{refused:?}") };
    let said = failure.source().unwrap().to_string();
    assert!(said.contains("it needs s3:PutObject"), "{said}");
    assert!(!failure.is_transient());
}

#[tokio::test]
async fn a_bucket_is_made_and_set_up_once_and_what_others_set_there_stays() {
    let origins = ["https://photos.example.org".to_owned()];
    for variable in [S3, MINISTACK] {
        let server = Server::named(variable);
        let name = unique("gallery-provisioned");
        let blobs = S3Blobs::new(&settings(&name, "a/b"), &server.config().await);
        let failure = blobs.check().await.unwrap_err();
        assert!(failure.source().unwrap().to_string().contains("`gallery provision`"), "{failure:?}");

        let planned = blobs.provision(&origins, true).await.unwrap();
        assert_eq!(planned[0], format!("make the bucket {name}"));
        let done = blobs.provision(&origins, false).await.unwrap();
        // New buckets are private, and plain HTTP is all that there is here.
        assert_eq!(done.len(), 4, "{done:?}");
        assert!(done.iter().all(|step| planned.contains(step)), "{planned:?}");
        for pretended in [true, false] {
            assert_eq!(blobs.provision(&origins, pretended).await.unwrap(), [""; 0], "once is enough");
        }

        // Another gallery in the same bucket, at another address.
        let client = bucket(&server).await;
        let neighbour = S3Blobs::new(&settings(&name, "c"), &server.config().await);
        let done = neighbour.provision(&origins, false).await.unwrap();
        assert!(done.len() == 1 && done[0].contains("after a day"), "{done:?}");
        let rules = client.get_bucket_lifecycle_configuration().bucket(&name).send().await.unwrap();
        let ids: Vec<_> = rules.rules().iter().filter_map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), 4, "{ids:?}");
        assert_eq!(blobs.provision(&origins, true).await.unwrap(), [""; 0]);
        let moved = blobs.provision(&["https://other.example.org".to_owned()], true).await.unwrap();
        assert!(moved.len() == 1 && moved[0].contains("page"), "{moved:?}");

        // Blobs go in and out as before.
        blobs.put(&key("original/a"), &info(b"x"), byte_stream("x")).await.unwrap();
        blobs.remove(&[key("original/a")]).await.unwrap();
        assert_eq!(blobs.head(&key("original/a")).await.unwrap(), None);
        blobs.put(&key("original/a"), &info(b"y"), byte_stream("y")).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_makes_public_what_is_in_a_bucket_that_was_set_up() {
    let server = Server::named(MINISTACK);
    let name = unique("gallery-private");
    let blobs = S3Blobs::new(&settings(&name, "a"), &server.config().await);
    let origins = ["https://photos.example.org".to_owned()];
    blobs.provision(&origins, false).await.unwrap();
    let client = bucket(&server).await;
    client.delete_public_access_block().bucket(&name).send().await.unwrap();
    assert_eq!(blobs.provision(&origins, false).await.unwrap(), ["block public access to the bucket"]);
    let public = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*") },
    ] });
    let refused = client.put_bucket_policy().bucket(&name).policy(public.to_string()).send().await;
    assert_eq!(refused.unwrap_err().code(), Some("AccessDenied"));
}
