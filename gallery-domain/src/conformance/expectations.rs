//! What clauses say again and again.

use std::fmt::Debug;

use crate::{Page, PageRequest, PageSize};

/// Panics with a sentence unless a call ends in a certain error.
macro_rules! assert_refused {
    ($result:expr, $error:pat, $($sentence:tt)+) => {{
        let result = $result;
        assert!(matches!(result, Err($error)), "{}, but the answer is {result:?}", format_args!($($sentence)+));
    }};
}

/// What a call that has to succeed answers.
pub(super) trait Succeeds<T> {
    /// The answer, or a panic that says what did not succeed.
    #[track_caller]
    fn succeeds(self, call: &str) -> T;
}

impl<T, E: Debug> Succeeds<T> for Result<T, E> {
    fn succeeds(self, call: &str) -> T {
        match self {
            Ok(answer) => answer,
            Err(error) => panic!("{call} does not succeed: {error:?}"),
        }
    }
}

/// The page size of a number that is one.
pub(super) fn size(items: u32) -> PageSize {
    PageSize::new(items).expect("clauses ask for pages of 1 to 100")
}

/// Page sizes that a list of some dozen items is walked with: all the small ones, and some around the ends.
pub(super) fn page_sizes() -> impl Iterator<Item = PageSize> {
    (1..=12).chain([25, 50, 99, 100]).map(size)
}

/// Walks a list from its first page to its end, and then panics if it has none within reason.
pub(super) async fn walk<T, C: Clone, E: Debug>(
    size: PageSize,
    mut page_of: impl AsyncFnMut(PageRequest<C>) -> Result<Page<T, C>, E>,
) -> Vec<T> {
    let mut request = PageRequest::first(size);
    let mut items = Vec::new();
    for _ in 0..10_000 {
        let page = page_of(request).await.succeeds("reading a page");
        assert!(page.items.len() <= size.get(), "a page of at most {} items has {}", size.get(), page.items.len());
        items.extend(page.items);
        match page.next {
            Some(next) => request = PageRequest::after(size, next),
            None => return items,
        }
    }
    panic!("the list has no end after 10,000 pages");
}

/// How many calls of several at once succeeded; the others have to end as `is_expected` says.
#[track_caller]
pub(super) fn winners<E: Debug>(results: &[Result<(), E>], is_expected: impl Fn(&E) -> bool) -> usize {
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(is_expected(error), "one of several calls at once ends in {error:?}");
    }
    results.iter().filter(|result| result.is_ok()).count()
}
