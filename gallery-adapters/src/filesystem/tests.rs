use std::collections::BTreeSet;

use futures_util::stream;
use gallery_domain::ports::{byte_stream, collect_bytes};
use gallery_domain::{MediaType, PageSize};
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::MAX;

struct Store {
    folder: tempfile::TempDir,
    blobs: FileBlobs,
}

async fn store() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let blobs = FileBlobs::open(folder.path().join("blobs"), NOW).await.unwrap();
    Store { folder, blobs }
}

impl Store {
    fn root(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), BlobError> {
        self.blobs.put(&key(name), &info(bytes), byte_stream(bytes.to_vec())).await
    }

    async fn read(&self, name: &str, range: Option<Range<u64>>) -> Option<Vec<u8>> {
        let blob = self.blobs.get(&key(name), range).await.unwrap()?;
        Some(collect_bytes(blob.bytes, 1 << 30).await.unwrap().to_vec())
    }

    async fn names(&self, prefix: &str, size: u32) -> Vec<String> {
        let size = PageSize::new(size).unwrap();
        let mut names = Vec::new();
        let mut page = PageRequest::first(size);
        loop {
            let listed = self.blobs.list(prefix, page).await.unwrap();
            names.extend(listed.items.iter().map(|key| key.as_str().to_owned()));
            match listed.next {
                Some(next) => page = PageRequest::after(size, next),
                None => return names,
            }
        }
    }

    fn unfinished(&self) -> usize {
        fs::read_dir(self.root().join(PARTIAL)).unwrap().count()
    }
}

fn key(name: &str) -> BlobKey {
    name.parse().unwrap()
}

fn info(bytes: &[u8]) -> BlobInfo {
    BlobInfo { content_type: MediaType::Png, bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes) }
}

#[tokio::test]
async fn a_blob_comes_back_with_its_description_after_opening_again() {
    let store = store().await;
    let bytes: Vec<u8> = (0..700_001_u32).map(|n| n as u8).collect();
    let chunks: Vec<_> = bytes.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    store.blobs.put(&key("a/b"), &info(&bytes), Box::pin(stream::iter(chunks))).await.unwrap();

    let again = FileBlobs::open(store.root(), NOW).await.unwrap();
    assert_eq!(again.head(&key("a/b")).await.unwrap(), Some(info(&bytes)));
    assert_eq!(store.read("a/b", None).await.unwrap(), bytes);
    assert_eq!(store.read("a/b", Some(699_999..800_000)).await.unwrap(), bytes[699_999..]);
    assert_eq!(store.read("a/b", Some(900_000..u64::MAX)).await.unwrap(), b"");
    assert_eq!(store.unfinished(), 0);
}

#[tokio::test]
async fn the_file_starts_with_the_very_bytes_so_that_viewers_open_it() {
    let store = store().await;
    store.put("original/ada/photo.jpg", b"the picture").await.unwrap();
    let file = fs::read(store.root().join("original/ada/@photo.jpg")).unwrap();
    assert!(file.starts_with(b"the picture"));
    assert_eq!(file.len(), b"the picture".len() + 64);
}

#[tokio::test]
async fn other_bytes_than_described_leave_nothing_behind() {
    let store = store().await;
    for (bytes, described) in [(&b"abc"[..], &b"abd"[..]), (b"ab", b"abc"), (b"abcd", b"abc")] {
        let error = store.blobs.put(&key("x/y"), &info(described), byte_stream(bytes)).await.unwrap_err();
        assert!(matches!(error, BlobError::Mismatch { .. }), "{error:?}");
    }
    assert_eq!(store.read("x/y", None).await, None);
    assert_eq!(store.unfinished(), 0);
    assert!(!store.root().join("x").exists());
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_nothing_behind() {
    let store = store().await;
    let broken = stream::iter([Ok(Bytes::from_static(b"ab")), Err(io::ErrorKind::ConnectionReset.into())]);
    let error = store.blobs.put(&key("x"), &info(b"abc"), Box::pin(broken)).await.unwrap_err();
    assert!(matches!(error, BlobError::Interrupted(_)), "{error:?}");
    assert_eq!(store.unfinished(), 0);
}

#[tokio::test]
async fn an_upload_that_its_caller_drops_leaves_nothing_behind() {
    let store = store().await;
    let stuck = stream::once(async { Ok(Bytes::from_static(b"ab")) }).chain(stream::pending());
    let (key, info) = (key("x"), info(b"abc"));
    let put = store.blobs.put(&key, &info, Box::pin(stuck));
    tokio::select! {
        done = put => panic!("{done:?}"),
        () = async { while store.unfinished() == 0 { tokio::task::yield_now().await } } => {}
    }
    while store.unfinished() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.read("x", None).await, None);
}

#[tokio::test]
async fn a_taken_key_keeps_what_it_had() {
    let store = store().await;
    store.put("a", b"first").await.unwrap();
    assert!(matches!(store.put("a", b"second").await, Err(BlobError::AlreadyExists)));
    assert_eq!(store.read("a", None).await.unwrap(), b"first");
    assert_eq!(store.unfinished(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_write_one_key_one_wins() {
    let store = Arc::new(store().await);
    let writers: Vec<_> = (0..16_u8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move { (n, store.put("deep/er/key", &[n; 1000]).await.is_ok()) })
        })
        .collect();
    let mut winners = Vec::new();
    for writer in writers {
        let (n, won) = writer.await.unwrap();
        winners.extend(won.then_some(n));
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.read("deep/er/key", None).await.unwrap(), [winners[0]; 1000]);
    assert_eq!(store.unfinished(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writing_beside_somebody_who_empties_the_folder_succeeds() {
    let store = Arc::new(store().await);
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let store = store.clone();
            tokio::spawn(async move {
                for n in 0..50 {
                    let (from, to) = (format!("one/folder/{task}-{n}"), format!("one/other/{task}-{n}"));
                    store.put(&from, b"x").await.unwrap();
                    assert!(store.blobs.copy(&key(&from), &key(&to)).await.unwrap());
                    store.blobs.remove(&[key(&from), key(&to)]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(!store.root().join("one").exists(), "empty folders are removed");
}

#[tokio::test]
async fn a_copy_outlives_its_source_and_never_overwrites() {
    let store = store().await;
    store.put("incoming/a", b"bytes").await.unwrap();
    assert!(store.blobs.copy(&key("incoming/a"), &key("original/a")).await.unwrap());
    store.blobs.remove(&[key("incoming/a")]).await.unwrap();
    assert_eq!(store.read("original/a", None).await.unwrap(), b"bytes");
    assert_eq!(store.blobs.head(&key("original/a")).await.unwrap(), Some(info(b"bytes")));

    store.put("incoming/b", b"other").await.unwrap();
    assert!(store.blobs.copy(&key("incoming/b"), &key("original/a")).await.unwrap());
    assert_eq!(store.read("original/a", None).await.unwrap(), b"bytes");
    assert!(!store.blobs.copy(&key("incoming/c"), &key("original/c")).await.unwrap());
    assert!(!store.root().join("original/@c").exists());
}

#[tokio::test]
async fn a_copy_without_hard_links_is_as_good() {
    let store = store().await;
    store.put("a", b"bytes").await.unwrap();
    let folder = &store.blobs.folder;
    assert!(folder.copy_bytes(&folder.file(&key("a")), &folder.file(&key("b/c"))).unwrap());
    assert_eq!(store.blobs.head(&key("b/c")).await.unwrap(), Some(info(b"bytes")));
    assert!(!folder.copy_bytes(&folder.file(&key("z")), &folder.file(&key("y"))).unwrap());
    assert_eq!(store.unfinished(), 0);
}

#[tokio::test]
async fn a_crash_before_the_name_is_given_shows_no_blob_and_is_swept_after_a_day() {
    let store = store().await;
    let partial = store.blobs.folder.begin().unwrap().write(&Bytes::from_static(b"half")).unwrap();
    let left = partial.path.keep().unwrap();
    assert_eq!(store.names("", 100).await, [""; 0]);

    let modified = fs::metadata(&left).unwrap().modified().unwrap().duration_since(UNIX_EPOCH).unwrap();
    let at = |age: Duration| Timestamp::from_millis(modified.as_millis() as i64).plus(age);
    FileBlobs::open(store.root(), at(Duration::from_secs(23 * 3600))).await.unwrap();
    assert!(left.exists(), "it may still be written to");
    FileBlobs::open(store.root(), at(Duration::from_secs(25 * 3600))).await.unwrap();
    assert!(!left.exists());
}

#[tokio::test]
async fn a_file_that_lost_its_end_is_an_error_and_not_a_shorter_photo() {
    let store = store().await;
    store.put("a", b"a whole photo").await.unwrap();
    let path = store.root().join("@a");
    let whole = fs::read(&path).unwrap();
    for length in [0, 10, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(matches!(store.blobs.head(&key("a")).await, Err(BlobError::Corrupt)));
        assert!(matches!(store.blobs.get(&key("a"), None).await, Err(BlobError::Corrupt)));
    }
}

#[tokio::test]
async fn a_file_in_the_folders_place_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("blobs");
    fs::write(&root, b"").unwrap();
    let failure = FileBlobs::open(&root, NOW).await.unwrap_err();
    assert!(failure.source.to_string().contains("there is a file where the folder"), "{}", failure.source);
}

#[tokio::test]
async fn a_folder_that_vanished_is_said_in_words() {
    let store = store().await;
    fs::remove_dir_all(store.root()).unwrap();
    let Err(BlobError::Backend(failure)) = store.put("a", b"x").await else { panic!("nothing can be kept") };
    assert!(failure.source.to_string().contains("is gone"), "{}", failure.source);
    assert_eq!(store.read("a", None).await, None);
}

#[tokio::test]
async fn folders_and_keys_of_one_name_stand_side_by_side_in_byte_order() {
    let store = store().await;
    let mut names = ["a", "a-b", "a.b", "a/b", "a/b/c", "a0", "A", "a/b-c", "b/1", "b/2"];
    for name in names {
        store.put(name, name.as_bytes()).await.unwrap();
    }
    names.sort_unstable();
    for size in [1, 2, 3, 100] {
        assert_eq!(store.names("", size).await, names);
        assert_eq!(store.names("a/b", size).await, ["a/b", "a/b-c", "a/b/c"]);
        assert_eq!(store.names("b/", size).await, ["b/1", "b/2"]);
    }
    for prefix in ["c", "a/b/c/", "../", "/", "+partial/", "a//", "é"] {
        assert_eq!(store.names(prefix, 100).await, [""; 0], "{prefix:?}");
    }
}

#[tokio::test]
async fn keys_with_uuids_stand_in_byte_order_in_folders_that_do_not_grow() {
    let store = store().await;
    let mut names = Vec::new();
    for minute in 0..30_u64 {
        for number in 0..3_u64 {
            let millis = 1_700_000_000_000 + minute * 3_600_000 * 24;
            let id = uuid::Uuid::from_u64_pair((millis << 16) | 0x7000 | number, (1 << 63) | minute);
            names.push(format!("original/{id}/{id}/@x").replace("/@", "/"));
        }
    }
    // Whatever stands beside and among them.
    let among: Vec<String> = names.iter().take(5).map(|name| name[..20].to_owned()).collect();
    names.extend(among.iter().map(|name| name[..15].to_owned()));
    names.extend(among.iter().map(|name| format!("{name}/x")));
    names.extend(["original/+".replace('+', "z"), "original/0/x".to_owned(), "original/018bc/x".to_owned()]);
    names.sort_unstable();
    names.dedup();
    for name in &names {
        store.put(name, name.as_bytes()).await.unwrap();
    }
    for size in [1, 7, 100] {
        assert_eq!(store.names("", size).await, names, "pages of {size}");
        let prefix = &names[names.len() / 2][..24];
        let expected: Vec<&String> = names.iter().filter(|name| name.starts_with(prefix)).collect();
        assert_eq!(store.names(prefix, size).await, expected.into_iter().cloned().collect::<Vec<_>>());
    }
    let at_top = fs::read_dir(store.root().join("original")).unwrap().count();
    assert!(at_top < 25, "{at_top} folders for 30 days of photos, and some others");
}

#[tokio::test]
async fn empty_folders_and_strange_files_hide_no_key() {
    let store = store().await;
    store.put("photos/z/last", b"x").await.unwrap();
    for n in 0..300 {
        fs::create_dir_all(store.root().join(format!("photos/a{n:03}"))).unwrap();
    }
    fs::write(store.root().join("photos/Thumbs.db"), b"").unwrap();
    fs::create_dir(store.root().join("photos/@folder")).unwrap();
    assert_eq!(store.names("photos/", 1).await, ["photos/z/last"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_on_the_machine_sees_the_photos() {
    use std::os::unix::fs::PermissionsExt;

    let store = store().await;
    store.put("a/b", b"x").await.unwrap();
    for path in ["", "a", "a/@b"] {
        let mode = fs::metadata(store.root().join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn listing_equals_sorting_all_keys(
        names in prop::collection::btree_set("[ab.-]{0,1}[ab](/[ab0-]{0,1}[a0]){0,3}", 0..40),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        prefix in "[ab]{0,1}(/[ab0]?){0,2}",
        size in 1_u32..12,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = store().await;
            let mut left: BTreeSet<String> = names.clone();
            for name in &names {
                store.put(name, b"x").await.unwrap();
            }
            let all: Vec<&String> = names.iter().collect();
            for index in removed.iter().filter(|_| !all.is_empty()) {
                let name = index.get(&all);
                store.blobs.remove(&[key(name)]).await.unwrap();
                left.remove(*name);
            }
            let expected: Vec<String> = left.into_iter().filter(|name| name.starts_with(&prefix)).collect();
            prop_assert_eq!(store.names(&prefix, size).await, expected);
            Ok(())
        })?;
    }
}
