//! Pages and changes on PostgreSQL at 1,000,000 photos (`GALLERY_BENCH_PHOTOS`): one owner has half of them, one a tenth, and the others 1,000 each.
//! The owner of half of them and one of 1,000 look at the same pages turn by turn, through the ports.
//!
//! With `GALLERY_BENCH_PLANS`, the plans of every statement are written to that file instead.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

#[path = "../../tests/many_photos/mod.rs"]
mod many_photos;
mod plans_document;

use std::time::{Duration, Instant};

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::ports::Repositories;
use gallery_domain::{PhotoState, Quota, Tags, Task, Timestamp, Title, Work};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use test_postgres::{Cluster, Programs};

use many_photos::filling::{Owner, fill};
use many_photos::pages::{PAGES, Viewer};

/// How often each page is looked at by each of the two, and each change is made.
const ROUNDS: usize = 500;

/// What is done to photos, one after the other.
const CHANGES: [(&str, Change); 3] = [
    ("upload: announced, then ready", Change::Upload),
    ("edit: title and tags", Change::Edit),
    ("delete for good", Change::Delete),
];

#[derive(Clone, Copy)]
enum Change {
    Upload,
    Edit,
    Delete,
}

/// How often, to count the blocks of a page.
const COUNTED: usize = 20;

/// Somewhat more than a small server of RDS has; the rest of what is usual. What is filled in need not survive anything.
const WHILE_FILLING: &[(&str, &str)] = &[
    ("shared_buffers", "1GB"),
    ("maintenance_work_mem", "512MB"),
    ("max_wal_size", "8GB"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("autovacuum", "off"),
    ("shared_preload_libraries", "pg_stat_statements"),
];

/// What is measured survives a power cut, as on any server.
const WHILE_MEASURING: &[(&str, &str)] = &[("fsync", "on"), ("full_page_writes", "on"), ("autovacuum", "on")];

#[tokio::main]
async fn main() {
    let photos = std::env::var("GALLERY_BENCH_PHOTOS").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let document = std::env::var_os("GALLERY_BENCH_PLANS");
    let programs = Programs::of_environment().ok().or_else(Programs::of_system).expect("PostgreSQL is installed");
    let mut cluster = Cluster::start(&programs, WHILE_FILLING).unwrap();
    let owners = owners_of(photos);
    let [small, large] = [owners.last(), owners.first()].map(|owner| *owner.expect("there are owners"));

    let begun = Instant::now();
    let store = PostgresStore::new(cluster.url().parse().unwrap(), PostgresOptions::default());
    store.migrate().await.unwrap();
    let mut connection = connection(&cluster).await;
    fill(&mut connection, &owners).await;
    connection.close().await.unwrap();
    for owner in [small, large] {
        let differences = store.repositories().photos.audit(owner.id, false).await.unwrap();
        assert_eq!(differences, [], "the adapter would have written the same");
    }
    store.close().await;
    cluster.stop().unwrap();
    cluster.start_again(WHILE_MEASURING).unwrap();
    let version = programs.major();
    let (owners, filling) = (owners.len(), begun.elapsed().as_secs());
    eprintln!("PostgreSQL {version}: {photos} photos of {owners} owners, filled and audited in {filling} s");

    let viewers = [small, large].map(Viewer::new);
    let connect: PgConnectOptions = cluster.url().parse().unwrap();
    match document {
        Some(file) => plans_document::write(connect, version, &viewers, file.as_ref()).await,
        None => Bench::new(connect).await.run(viewers).await,
    }
}

/// Half of the photos are one owner's, a tenth another's; the others have 1,000 each.
fn owners_of(photos: u64) -> Vec<Owner> {
    let [half, tenth] = [photos / 2, photos / 10];
    let others = (photos - half - tenth) / 1_000;
    let small = (0..others.max(1)).map(|number| Owner::new(3 + number, 1_000));
    [Owner::new(1, half), Owner::new(2, tenth)].into_iter().chain(small).collect()
}

async fn connection(cluster: &Cluster) -> PgConnection {
    cluster.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap()
}

/// A store with one connection, and another beside it that asks the server what it looked at.
struct Bench {
    repositories: Repositories,
    beside: PgConnection,
}

/// What one of the two took for something.
#[derive(Default)]
struct Taken {
    times: Vec<Duration>,
    found: usize,
    blocks: u64,
}

impl Taken {
    fn millis(&self, part: f64) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[((times.len() - 1) as f64 * part).round() as usize].as_secs_f64() * 1_000.0
    }
}

impl Bench {
    async fn new(connect: PgConnectOptions) -> Self {
        let mut beside = connect.connect().await.unwrap();
        beside.execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
        let options = PostgresOptions { max_connections: 1, ..PostgresOptions::default() };
        Self { repositories: PostgresStore::new(connect, options).repositories(), beside }
    }

    async fn run(mut self, viewers: [Viewer; 2]) {
        let [few, many] = [0, 1].map(|who| viewers[who].owner.photos);
        println!("| of 50 | {few}: p50 | p99 | blocks | found | {many}: p50 | p99 | blocks | found | p50 ratio |");
        println!("|---|---|---|---|---|---|---|---|---|---|");
        for (name, page) in PAGES {
            let mut taken = [Taken::default(), Taken::default()];
            for round in 0..ROUNDS {
                for (viewer, taken) in viewers.iter().zip(&mut taken) {
                    let begun = Instant::now();
                    taken.found = page.get(&self.repositories, viewer, part(round)).await;
                    taken.times.push(begun.elapsed());
                }
            }
            for (viewer, taken) in viewers.iter().zip(&mut taken) {
                self.forget().await;
                for round in 0..COUNTED {
                    page.get(&self.repositories, viewer, part(round)).await;
                }
                taken.blocks = self.blocks(COUNTED).await;
            }
            print(name, &taken);
        }

        // Changes come last, for they leave the galleries other than they were.
        let mut taken = CHANGES.map(|_| [Taken::default(), Taken::default()]);
        for (who, Viewer { owner, .. }) in viewers.iter().enumerate() {
            for ((_, change), taken) in CHANGES.iter().zip(&mut taken) {
                self.forget().await;
                for number in owner.photos..owner.photos + ROUNDS as u64 {
                    let begun = Instant::now();
                    self.make(*change, owner, number).await;
                    taken[who].times.push(begun.elapsed());
                }
                taken[who].blocks = self.blocks(ROUNDS).await;
                taken[who].found = 1;
            }
        }
        for ((name, _), taken) in CHANGES.iter().zip(&taken) {
            print(name, taken);
        }
    }

    /// Changes the photo of this number.
    async fn make(&self, change: Change, owner: &Owner, number: u64) {
        let photos = &self.repositories.photos;
        let mut photo = owner.photo(number);
        (photo.trashed, photo.details.favourite) = (None, false);
        let ready = owner.photo(1).state;
        let work = Work::new(Task::Photo { owner: owner.id, photo: photo.id }, Timestamp::MAX);
        let announced = photo.revision;
        match change {
            Change::Upload => {
                photo.state = PhotoState::Uploading;
                let quota = Quota { bytes: u64::MAX >> 1, photos: u64::MAX >> 1, pending_uploads: u64::MAX >> 1 };
                photos.insert(&photo, &quota, &work).await.unwrap();
                (photo.state, photo.revision) = (ready, announced.next());
                photos.replace(&photo, announced, Some(work)).await.unwrap();
            }
            Change::Edit => {
                photo.state = ready;
                photo.details.title = Title::parse("Another day").unwrap();
                photo.details.tags = Tags::parse("/tags", &["Beach", "Winter"]).unwrap();
                photo.revision = announced.next().next();
                photos.replace(&photo, announced.next(), None).await.unwrap();
            }
            Change::Delete => photos.remove(owner.id, photo.id).await.unwrap(),
        }
    }

    async fn forget(&mut self) {
        self.beside.execute("SELECT pg_stat_statements_reset()").await.unwrap();
    }

    /// How many blocks a round looked at since then, wherever they were.
    async fn blocks(&mut self, rounds: usize) -> u64 {
        let sum = "SELECT coalesce(sum(shared_blks_hit + shared_blks_read), 0)::bigint FROM pg_stat_statements \
                   WHERE query LIKE '%gallery.%'";
        let blocks: i64 = sqlx::query_scalar(sum).fetch_one(&mut self.beside).await.unwrap();
        blocks.cast_unsigned() / rounds as u64
    }
}

/// A part of a list, each time another.
fn part(round: usize) -> f64 {
    (round as f64 * 0.618_033_988_75).fract() * 0.9 + 0.05
}

fn print(name: &str, taken: &[Taken; 2]) {
    let columns = taken.each_ref().map(|taken| {
        let (p50, p99) = (taken.millis(0.5), taken.millis(0.99));
        format!("{p50:.2} ms | {p99:.2} ms | {} | {}", taken.blocks, taken.found)
    });
    let ratio = taken[1].millis(0.5) / taken[0].millis(0.5);
    println!("| {name} | {} | {ratio:.2} |", columns.join(" | "));
}
