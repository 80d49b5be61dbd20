//! A list page and a search page of 50, in a gallery of 1,000 photos and in one of 200,000 (`GALLERY_BENCH_PHOTOS`), turn by turn.
//!
//! Like is compared with like: a ratio is given where both pages are full. Searches that find less show what the most costs that one
//! request looks at.

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

    println!("page of 50                  1,000 photos    hits   {large:>7} photos    hits   ratio");
    for (name, page) in [
        ("list, first", Page::List { skip_half: false }),
        ("list, middle", Page::List { skip_half: true }),
        ("timeline months", Page::Months),
        ("search \"beach\"", Page::Search("\"beach\"")),
        ("search beach", Page::Search("beach")),
        ("search beac", Page::Search("beac")),
        ("search b", Page::Search("b")),
        ("search img", Page::Search("img")),
        ("search eclipse", Page::Search("eclipse")),
        ("search tag:beach", Page::Search("tag:beach")),
        ("search tag:summ*", Page::Search("tag:summ*")),
        ("search title:eclipse", Page::Search("title:eclipse")),
        ("search beach eclipse", Page::Search("beach eclipse")),
        ("search city eclipse", Page::Search("city eclipse")),
        ("search city OR beach", Page::Search("city OR beach")),
        ("search beach -eclipse", Page::Search("\"beach\" -eclipse")),
        ("search -beach", Page::Search("-beach")),
        ("search is:favourite", Page::Search("is:favourite")),
        ("search beach city", Page::Search("beach city")),
        ("search beach -summer", Page::Search("\"beach\" -summer")),
        ("search out -day", Page::Search("\"out\" -day")),
        ("search -img", Page::Search("-img")),
        ("search 12", Page::Search("12")),
        ("search 1234", Page::Search("1234")),
        ("search 12345", Page::Search("12345")),
    ] {
        let (mut times, mut hits) = ([Vec::new(), Vec::new()], [0, 0]);
        for _ in 0..ROUNDS {
            for (bench, (times, hits)) in galleries.iter().zip(times.iter_mut().zip(&mut hits)) {
                let (took, found) = time(page.fetch(bench)).await;
                times.push(took);
                *hits = found;
            }
        }
        let [small, large] = times.map(median);
        let ratio =
            if hits == [50, 50] { format!("{:.2}", large.as_secs_f64() / small.as_secs_f64()) } else { "-".to_owned() };
        let [(small, few), (large, many)] = [(millis(small), hits[0]), (millis(large), hits[1])];
        println!("{name:<24} {small:>12.3} ms {few:>7} {large:>12.3} ms {many:>7} {ratio:>7}");
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
