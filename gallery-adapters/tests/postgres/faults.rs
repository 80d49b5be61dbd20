//! What a server, or the network before it, does to a connection: a request need not notice it, or hears that it may come again; and nothing
//! that was answered is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::ports::{Discrepancy, Repositories, RepositoryError};
use gallery_domain::{AlbumId, Membership, PageRequest, PageSize, Photo, Quota, Rank, Revision, Timestamp};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor};
use uuid::Uuid;

use crate::fixture::{Fixture, is_transient, whole};
use crate::postgres_server::{self, Database};
use crate::proxy::{Cut, Proxy};
use crate::stores::every_method::use_every_method;
use crate::stores::stored::{Stored, alice, ready, title, work_on};

/// How many messages lie between two cuts: more than the longest change sends on a new connection, so that each comes through at last.
const STRIDE: usize = 23;

/// Each message of every method is once the one at which the connection breaks: before the server sees it, and after it has answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_at_any_message_of_any_method_is_not_noticed() {
    let undisturbed = Fixture::new().await;
    use_every_method(&undisturbed).await;
    let left = what_is_left(&undisturbed).await;
    for cut in [Cut::Request, Cut::Reply] {
        for offset in 0..STRIDE {
            let database = Database::migrated().await;
            let proxy = Proxy::cutting(cut, offset, STRIDE).await;
            let options = PostgresOptions { retry_for: Duration::from_secs(30), ..PostgresOptions::default() };
            let store = PostgresStore::new(proxy.before(database.options()), options);
            use_every_method(&Stored::new(store.repositories())).await;
            assert!(proxy.cuts() > 5, "{} cuts", proxy.cuts());
            let past = PostgresStore::new(database.options(), PostgresOptions::default()).repositories();
            assert_eq!(what_is_left(&Stored::new(past)).await, left, "{cut:?} from {offset} on");
        }
    }
}

/// What a use of every method leaves: photos, work, and what an audit says.
async fn what_is_left(stored: &Stored) -> (Vec<Photo>, Option<Timestamp>, Vec<Discrepancy>) {
    let Repositories { photos, work, .. } = &stored.repositories;
    let page = photos.all(stored.owner, PageRequest::first(PageSize::MAX)).await.unwrap();
    (page.items, work.next_due().await.unwrap(), photos.audit(stored.owner, false).await.unwrap())
}

/// What a client knows of its photos: their last answered revision.
type Answered = BTreeMap<u64, Photo>;

/// Goes on writing until told to stop; only failures that may pass are put up with.
async fn write_on(repositories: Repositories, first: u64, stop: Arc<AtomicBool>) -> (Answered, usize) {
    let owner = alice();
    let album = AlbumId::from_uuid(Uuid::from_u128(1));
    let (mut answered, mut failures) = (Answered::new(), 0);
    for number in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut photo = ready(owner, number);
        match repositories.photos.insert(&photo, &Quota::default(), &work_on(&photo)).await {
            Ok(()) => {}
            Err(error) if is_transient(&error) => {
                failures += 1;
                continue;
            }
            Err(error) => panic!("{}", whole(&error)),
        }
        answered.insert(number, photo.clone());
        photo.details.title = title("changed");
        photo.revision = Revision::FIRST.next();
        match repositories.photos.replace(&photo, Revision::FIRST, None).await {
            Ok(()) => {
                answered.insert(number, photo.clone());
            }
            Err(error) if is_transient(&error) => failures += 1,
            Err(error) => panic!("{}", whole(&error)),
        }
        let place = Membership { photo: photo.id, rank: Rank::between(None, None).unwrap() };
        match repositories.albums.add_photos(owner, album, &[place]).await {
            Ok(added) => assert_eq!(added, 1),
            Err(error) if is_transient(&error) => failures += 1,
            Err(error) => panic!("{}", whole(&error)),
        }
    }
    (answered, failures)
}

/// How many photos the owner has.
async fn written(fixture: &Fixture) -> u64 {
    fixture.repositories.users.usage(fixture.owner).await.map_or(0, |usage| usage.photos)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_killer_ends_every_connection_again_and_again_nothing_answered_is_lost() {
    let fixture = Fixture::new().await;
    fixture.album(1, "Album").await;
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| tokio::spawn(write_on(fixture.repositories.clone(), writer * 1_000_000, stop.clone())))
        .collect();
    let mut killer = fixture.database.connection().await;
    let mut killed = 0;
    while killed < 100 || written(&fixture).await < 100 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()) AS ended",
        )
        .fetch_one(&mut killer)
        .await
        .unwrap();
        killed += ended;
    }
    stop.store(true, Ordering::Relaxed);
    let mut answered = Answered::new();
    for writer in writers {
        answered.extend(writer.await.unwrap().0);
    }
    assert!(answered.len() >= 50, "{} photos were answered", answered.len());
    let photos = &fixture.repositories.photos;
    for photo in answered.values() {
        let stored = photos.find(fixture.owner, photo.id).await.unwrap().expect("what was answered is there");
        assert!(stored.revision >= photo.revision, "{stored:?}");
    }
    assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), []);
}

#[tokio::test]
async fn connections_that_died_while_idle_are_replaced_unnoticed() {
    for options in [PostgresOptions::default(), PostgresOptions::for_lambda()] {
        let fixture = Fixture::with(options).await;
        let photo = fixture.photo(1, |_| ()).await;
        let mut killer = fixture.database.connection().await;
        for number in 2..5 {
            let statement = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                             WHERE datname = current_database() AND pid <> pg_backend_pid()";
            killer.execute(statement).await.unwrap();
            assert_eq!(fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap(), Some(photo.clone()));
            killer.execute(statement).await.unwrap();
            fixture.photo(number, |_| ()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_that_shares_connections_nothing_is_left_on_one() {
    for (persistent_statements, leaves) in [(false, false), (true, true)] {
        let database = Database::migrated().await;
        let proxy = Proxy::passing().await;
        let options = PostgresOptions { persistent_statements, ..PostgresOptions::for_lambda() };
        let store = PostgresStore::new(proxy.before(database.options()), options);
        use_every_method(&Stored::new(store.repositories())).await;
        for trace in ["sqlx_s_1", "statement_timeout"] {
            assert_eq!(proxy.passed(trace), leaves, "{trace}");
        }
    }
}

#[tokio::test]
async fn a_pool_without_a_free_connection_is_worth_a_retry() {
    let options = PostgresOptions {
        max_connections: 1,
        acquire_timeout: Duration::from_millis(100),
        ..PostgresOptions::default()
    };
    let fixture = Fixture::with(options).await;
    let photo = fixture.photo(1, |_| ()).await;
    let mut other = fixture.database.connection().await;
    let mut held = other.begin().await.unwrap();
    held.execute("LOCK TABLE gallery.photo").await.unwrap();
    let repositories = fixture.repositories.clone();
    let id = photo.id;
    let waiting = tokio::spawn(async move { repositories.photos.find(alice(), id).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused = fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap_err();
    assert!(is_transient(&refused) && whole(&refused).contains("in use"), "{}", whole(&refused));
    held.rollback().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some(photo));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_worth_a_retry() {
    let options = PostgresOptions { statement_timeout: Duration::from_millis(100), ..PostgresOptions::default() };
    let fixture = Fixture::with(options).await;
    let photo = fixture.photo(1, |_| ()).await;
    let mut other = fixture.database.connection().await;
    let mut held = other.begin().await.unwrap();
    held.execute("LOCK TABLE gallery.photo").await.unwrap();
    for refused in [
        fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap_err(),
        fixture.repositories.photos.remove(fixture.owner, photo.id).await.unwrap_err(),
    ] {
        assert!(is_transient(&refused) && whole(&refused).contains("took longer"), "{}", whole(&refused));
    }
    held.rollback().await.unwrap();
    assert_eq!(fixture.repositories.photos.find(fixture.owner, photo.id).await.unwrap(), Some(photo));
    assert_eq!(fixture.repositories.photos.audit(fixture.owner, true).await.unwrap(), []);
}

#[tokio::test]
async fn a_server_that_takes_no_changes_answers_reads_and_says_so() {
    let fixture = Fixture::new().await;
    let photo = fixture.photo(1, |_| ()).await;
    let name = fixture.database.name();
    postgres_server::run(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    let store = fixture.another(PostgresOptions::default());
    let repositories = store.repositories();
    assert_eq!(repositories.photos.find(fixture.owner, photo.id).await.unwrap(), Some(photo.clone()));
    assert_eq!(repositories.photos.audit(fixture.owner, false).await.unwrap(), []);
    let added = ready(fixture.owner, 2);
    for refused in [
        repositories.photos.insert(&added, &Quota::default(), &work_on(&added)).await.unwrap_err(),
        repositories.photos.remove(fixture.owner, photo.id).await.unwrap_err(),
        repositories.sessions.remove_all(fixture.owner, None).await.unwrap_err(),
    ] {
        assert!(is_transient(&refused) && whole(&refused).contains("read-only"), "{}", whole(&refused));
    }
    // As after a failover: the next connection leads to a server that takes changes.
    postgres_server::run(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    repositories.photos.insert(&added, &Quota::default(), &work_on(&added)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_worth_a_retry_and_a_wrong_address_of_the_database_is_not() {
    let database = Database::migrated().await;
    let free_port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = PostgresOptions { acquire_timeout: Duration::from_millis(300), ..PostgresOptions::default() };
    let find = async |connect: PgConnectOptions| -> RepositoryError {
        let repositories = PostgresStore::new(connect, options).repositories();
        repositories.photos.find(alice(), ready(alice(), 1).id).await.unwrap_err()
    };
    let nobody = find(database.options().port(free_port)).await;
    assert!(is_transient(&nobody), "{}", whole(&nobody));
    let nowhere = find(database.options().database("no_such_database")).await;
    assert!(!is_transient(&nowhere) && whole(&nowhere).contains("create it"), "{}", whole(&nowhere));
}

#[tokio::test]
async fn a_role_that_may_not_is_told_so_and_a_full_server_is_worth_a_retry() {
    let fixture = Fixture::new().await;
    let photo = fixture.photo(1, |_| ()).await;
    let role = format!("{}_reader", fixture.database.name());
    postgres_server::run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'reader' CONNECTION LIMIT 1")).await;
    let connect = fixture.database.options().username(&role).password("reader");
    let options = PostgresOptions { acquire_timeout: Duration::from_millis(300), ..PostgresOptions::default() };
    let store = PostgresStore::new(connect.clone(), options);
    let refused = store.repositories().photos.find(fixture.owner, photo.id).await.unwrap_err();
    assert!(!is_transient(&refused) && whole(&refused).contains("lacks a right"), "{}", whole(&refused));

    // The one connection that the role may have is in the first store's pool.
    let crowded = PostgresStore::new(connect, options).repositories().work.next_due().await.unwrap_err();
    assert!(is_transient(&crowded) && whole(&crowded).contains("in use"), "{}", whole(&crowded));
    store.close().await;
    let mut connection = fixture.database.connection().await;
    connection.execute(AssertSqlSafe(format!("DROP OWNED BY {role}"))).await.unwrap();
    postgres_server::run(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_change_that_is_dropped_half_way_leaves_nothing_and_does_not_hold_the_lock() {
    let fixture = Fixture::new().await;
    let photos = &fixture.repositories.photos;
    for number in 0..60 {
        let photo = ready(fixture.owner, number);
        let work = work_on(&photo);
        let quota = Quota::default();
        // Dropped at a different moment each time.
        let insert = photos.insert(&photo, &quota, &work);
        let _ = tokio::time::timeout(Duration::from_micros(number * 100), insert).await;
    }
    let after = ready(fixture.owner, 1000);
    photos.insert(&after, &Quota::default(), &work_on(&after)).await.unwrap();
    assert_eq!(photos.audit(fixture.owner, false).await.unwrap(), []);
    let usage = fixture.repositories.users.usage(fixture.owner).await.unwrap();
    let months = photos.months(fixture.owner).await.unwrap();
    assert_eq!(months.iter().map(|month| month.photos).sum::<u64>(), usage.photos);
}
