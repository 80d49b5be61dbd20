//! No plan of a page grows with the gallery: the pages of an owner with twenty times the photos of another look at no more than twice the blocks,
//! scan no table, and sort no more than a page.
//!
//! The plans are those by which the server did answer, told by itself while the ports were used.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod many_photos;
mod postgres_server;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};

use sqlx::{ConnectOptions, Connection, Executor};

use many_photos::filling::{Owner, fill};
use many_photos::pages::{PAGES, Viewer};
use many_photos::plans::{Plan, Plans, telling};
use postgres_server::Database;

/// After so many runs the server has chosen between plans that know the values of a statement and one that does not.
const RUNS: usize = 7;

/// The most rows that a list may sort, and the most that a search looks at.
const PAGE: f64 = 51.0;
const LOOKED_AT: f64 = 1000.0;

/// The most blocks of any page: four for each photo that a search looks at.
const MOST: u64 = 4_000;

/// Where two pages differ by so few blocks, that says nothing.
const FEW: u64 = 30;

#[tokio::test]
async fn no_plan_of_a_page_grows_with_the_gallery() {
    let database = Database::migrated().await;
    let owners = [Owner::new(1, 1_000), Owner::new(2, 20_000)];
    let others = Owner::new(3, 10_000);
    fill(&mut database.connection().await, &[owners[0], owners[1], others]).await;
    let viewers = owners.map(Viewer::new);
    let plans = Plans::default();
    tracing::subscriber::set_global_default(plans.clone()).unwrap();
    let options = PostgresOptions { max_connections: 1, ..PostgresOptions::default() };
    let store = PostgresStore::new(telling(database.options()), options);
    let repositories = store.repositories();
    for owner in &owners {
        assert_eq!(
            repositories.photos.audit(owner.id, false).await.unwrap(),
            [],
            "the adapter would have written the same"
        );
    }

    let mut faults = Vec::new();
    for (name, page) in PAGES {
        let (mut blocks, mut found) = (Vec::new(), Vec::new());
        for viewer in &viewers {
            let (mut last, mut on_page) = (Vec::new(), 0);
            for _ in 0..RUNS {
                plans.take();
                on_page = page.get(&repositories, viewer, 0.5).await;
                last = plans.take();
            }
            assert!(!last.is_empty(), "the server tells no plan of {name}");
            let most = if page.is_search() { LOOKED_AT } else { PAGE };
            faults.extend(last.iter().flat_map(|plan| poor_steps(plan, most)).map(|fault| format!("{name}: {fault}")));
            // What is not the owner's, or not in the list, is not even looked at.
            let in_vain: u64 = last.iter().map(Plan::rows_in_vain).sum();
            if in_vain > 0 && !page.is_search() {
                faults.push(format!("{name}: {in_vain} rows are looked at in vain\n{}", last[0].steps.join("\n")));
            }
            blocks.push(last.iter().map(Plan::blocks).sum::<u64>());
            found.push(on_page);
        }
        println!("{name}: {} blocks for {}, {} for {}", blocks[0], found[0], blocks[1], found[1]);
        // What finds less than a page looks at all that there is, up to a limit.
        let grows = found[0] == found[1] && found[0] > 0 && blocks[1] > blocks[0] * 2 && blocks[1] > FEW;
        if grows || blocks[1] > MOST {
            faults.push(format!("{name}: {} blocks grow to {}", blocks[0], blocks[1]));
        }
    }
    store.close().await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    // Whoever looks for scans and sorts has to be able to see one.
    let mut connection = telling(database.options()).connect().await.unwrap();
    plans.take();
    connection.execute("SELECT id FROM gallery.photo WHERE bytes > 0 ORDER BY description").await.unwrap();
    let poor = plans.take().iter().map(|plan| poor_steps(plan, PAGE).len()).sum::<usize>();
    assert_eq!(poor, 2);
    connection.close().await.unwrap();
}

/// The steps that scan a table, or sort more rows than these.
fn poor_steps(plan: &Plan, most: f64) -> Vec<String> {
    let is_poor = |(name, rows): &(&str, f64)| {
        name.starts_with("Seq Scan on ") || (["Sort", "Incremental Sort"].contains(name) && *rows > most)
    };
    let poor = plan.named_steps().filter(is_poor);
    poor.map(|(name, rows)| format!("{name} of {rows} rows in {}\n{}", plan.statement, plan.steps.join("\n"))).collect()
}
