//! The pages that somebody looks at, whose cost must not grow with the gallery.

use gallery_domain::ports::{AlbumScope, Repositories};
use gallery_domain::search::SearchQuery;
use gallery_domain::{Page as Items, PageRequest, PageSize, Rank, RankCursor};

use super::filling::Owner;

/// A page of 50, or what stands beside one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page {
    Timeline { deep: bool },
    Favourites { deep: bool },
    Trash,
    Unfinished,
    All,
    Months,
    Tags,
    Albums,
    Album { deep: bool },
    Search(&'static str),
    SearchInAlbum(&'static str),
    DeepSearch(&'static str),
}

/// All of them, with their names in a table.
pub(crate) const PAGES: &[(&str, Page)] = &[
    ("timeline, first", Page::Timeline { deep: false }),
    ("timeline, deep", Page::Timeline { deep: true }),
    ("favourites, first", Page::Favourites { deep: false }),
    ("favourites, deep", Page::Favourites { deep: true }),
    ("trash", Page::Trash),
    ("unfinished", Page::Unfinished),
    ("all", Page::All),
    ("months", Page::Months),
    ("tags", Page::Tags),
    ("albums", Page::Albums),
    ("album, first", Page::Album { deep: false }),
    ("album, deep", Page::Album { deep: true }),
    ("`tag:beach` (1 in 5)", Page::Search("tag:beach")),
    ("`\"lake\"` (1 in 3)", Page::Search("\"lake\"")),
    ("`\"lake\"`, deep", Page::DeepSearch("\"lake\"")),
    ("`\"img\"` (all)", Page::Search("\"img\"")),
    ("`\"comet\"` (60 photos)", Page::Search("\"comet\"")),
    ("`\"beach\" \"lake\"` (1 in 15)", Page::Search("\"beach\" \"lake\"")),
    ("`\"beach\" \"city\"` (never both)", Page::Search("\"beach\" \"city\"")),
    ("`\"comet\" \"img\"`", Page::Search("\"comet\" \"img\"")),
    ("`lak` (a beginning)", Page::Search("lak")),
    ("`place1` (111 words)", Page::Search("place1")),
    ("`place` (300 words)", Page::Search("place")),
    ("`beach OR lake`", Page::Search("beach OR lake")),
    ("`lake -beach`", Page::Search("\"lake\" -beach")),
    ("`-beach`", Page::Search("-beach")),
    ("`title:eclipse`", Page::Search("title:eclipse")),
    ("`is:favourite`", Page::Search("is:favourite")),
    ("`is:favourite \"img\"`", Page::Search("is:favourite \"img\"")),
    ("`in:Beaches \"lake\"`", Page::SearchInAlbum("\"lake\"")),
    ("`before:2017-01-01 \"lake\"`", Page::Search("before:2017-01-01 \"lake\"")),
];

/// Somebody who looks at pages.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) owner: Owner,
    /// The places of the album, in their order.
    members: Vec<(Rank, u64)>,
}

impl Viewer {
    pub(crate) fn new(owner: Owner) -> Self {
        Self { owner, members: owner.members() }
    }

    /// A place in the album, so far behind its beginning as this part of it.
    pub(crate) fn place_in_album(&self, part: f64) -> RankCursor {
        let (rank, number) = &self.members[(self.members.len() as f64 * part) as usize];
        RankCursor { rank: rank.clone(), photo: self.owner.photo(*number).id }
    }
}

impl Page {
    /// Gets the page, and says how much is on it. A deep one begins behind this part of the list.
    pub(crate) async fn get(self, repositories: &Repositories, viewer: &Viewer, part: f64) -> usize {
        let (photos, albums, owner) = (&repositories.photos, &repositories.albums, &viewer.owner);
        let (id, size) = (owner.id, PageSize::default());
        let from = |deep| if deep { PageRequest::after(size, owner.place(part)) } else { PageRequest::first(size) };
        let search = async |query, scope: AlbumScope, page| {
            let query = SearchQuery::parse(query).unwrap();
            count(photos.search(id, &query, &scope, page).await)
        };
        match self {
            Self::Timeline { deep } => count(photos.timeline(id, from(deep)).await),
            Self::Favourites { deep } => count(photos.favourites(id, from(deep)).await),
            Self::Trash => count(photos.trash(id, from(false)).await),
            Self::Unfinished => count(photos.unfinished(id, from(false)).await),
            Self::All => count(photos.all(id, PageRequest::first(size)).await),
            Self::Months => photos.months(id).await.unwrap().len(),
            Self::Tags => photos.tags(id, "", 50).await.unwrap().len(),
            Self::Albums => count(albums.list(id, PageRequest::first(size)).await),
            Self::Album { deep: false } => count(albums.photos(id, owner.album(), PageRequest::first(size)).await),
            Self::Album { deep: true } => {
                let page = PageRequest::after(size, viewer.place_in_album(part));
                count(albums.photos(id, owner.album(), page).await)
            }
            Self::Search(query) => search(query, AlbumScope::default(), from(false)).await,
            Self::DeepSearch(query) => search(query, AlbumScope::default(), from(true)).await,
            Self::SearchInAlbum(query) => {
                let scope = AlbumScope { within: vec![vec![owner.album()]], outside: vec![] };
                search(query, scope, from(false)).await
            }
        }
    }

    /// The method of a port that gives it.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Timeline { .. } => "timeline",
            Self::Favourites { .. } => "favourites",
            Self::Trash => "trash",
            Self::Unfinished => "unfinished",
            Self::All => "all",
            Self::Months => "months",
            Self::Tags => "tags",
            Self::Albums => "list",
            Self::Album { .. } => "photos",
            Self::Search(_) | Self::SearchInAlbum(_) | Self::DeepSearch(_) => "search",
        }
    }

    /// Whether it is asked of the port of albums.
    pub(crate) fn is_of_albums(self) -> bool {
        matches!(self, Self::Albums | Self::Album { .. })
    }

    /// Whether it is a search, which may look at more photos than it finds.
    pub(crate) fn is_search(self) -> bool {
        matches!(self, Self::Search(_) | Self::DeepSearch(_) | Self::SearchInAlbum(_))
    }
}

fn count<T, C, E: std::fmt::Debug>(page: Result<Items<T, C>, E>) -> usize {
    page.unwrap().items.len()
}
