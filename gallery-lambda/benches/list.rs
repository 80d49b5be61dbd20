//! A list page and a search page of 50, in a gallery of 1,000 photos and in one of 200,000 (`GALLERY_BENCH_PHOTOS`), turn by turn.

mod support;

use gallery_domain::search::SearchQuery;
use gallery_domain::services::PhotoList;
use gallery_domain::{PageRequest, PageSize, PhotoCursor};
use support::{Bench, fill, gallery, median, millis, time};

const ROUNDS: usize = 201;

#[tokio::main]
async fn main() {
    let large = std::env::var("GALLERY_BENCH_PHOTOS").ok().and_then(|count| count.parse().ok()).unwrap_or(200_000);
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let mut galleries = [gallery(folders[0].path()).await, gallery(folders[1].path()).await];
    fill(&mut galleries[0], 1_000).await;
    fill(&mut galleries[1], large).await;

    println!("page of 50                 1,000 photos   {large} photos   ratio");
    for (name, page) in [
        ("list, first", Page::List { skip_half: false }),
        ("list, middle", Page::List { skip_half: true }),
        ("timeline months", Page::Months),
        ("search beach", Page::Search("beach ")),
        ("search tag:beach", Page::Search("tag:beach")),
        ("search beach eclipse*", Page::Search("beach eclipse*")),
        ("search city OR beach", Page::Search("city OR beach")),
        ("search beach -eclipse", Page::Search("beach -eclipse")),
        ("search cit*", Page::Search("cit*")),
    ] {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (bench, times) in galleries.iter().zip(&mut times) {
                times.push(time(page.fetch(bench)).await);
            }
        }
        let [small, large] = times.map(median);
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        println!("{name:<24} {:>10.3} ms {:>12.3} ms {ratio:>9.2}", millis(small), millis(large));
    }
}

enum Page {
    List { skip_half: bool },
    Months,
    Search(&'static str),
}

impl Page {
    async fn fetch(&self, bench: &Bench) -> usize {
        let first: PageRequest<PhotoCursor> = PageRequest::first(PageSize::default());
        match self {
            Self::List { skip_half } => {
                let page = if *skip_half { PageRequest::after(PageSize::default(), bench.middle) } else { first };
                bench.gallery.photos.list(&bench.actor, PhotoList::Timeline, page).await.expect("a page").items.len()
            }
            Self::Months => bench.gallery.photos.months(&bench.actor).await.expect("months").len(),
            Self::Search(text) => {
                let query = SearchQuery::parse(text).expect("a query");
                bench.gallery.search.search(&bench.actor, &query, first).await.expect("a page").items.len()
            }
        }
    }
}
