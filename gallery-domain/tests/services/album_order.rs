//! Where photos stand in an album: after ten thousand moves into one gap, after adds in the same moment, and whatever comes between.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use gallery_domain::memory::faulty::Fault;
use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{Person, World};

/// Somebody with photos in an album, one after the other.
struct Shelf {
    world: World,
    ada: Person,
    album: AlbumId,
    photos: Vec<PhotoId>,
}

impl Shelf {
    async fn new(photos: usize) -> Self {
        let world = World::new();
        let ada = world.person("ada").await;
        let mut ids = Vec::with_capacity(photos);
        for number in 0..photos {
            ids.push(world.photo(&ada.actor, &number.to_string()).await.id);
        }
        let album = world.album(&ada.actor, "Shelf", &ids).await;
        Self { world, ada, album, photos: ids }
    }

    async fn put(&self, gallery: &Gallery, photos: &[PhotoId], place: Place) -> Result<u64, GalleryError> {
        gallery.albums.add_photos(&self.ada.actor, self.album, photos, place, None).await
    }

    async fn members(&self) -> Vec<Membership> {
        let (mut members, mut page) = (Vec::new(), PageRequest::first(PageSize::MAX));
        loop {
            let albums = &self.world.ports.repositories.albums;
            let found = albums.members(self.ada.actor.user(), self.album, page).await.expect("members");
            members.extend(found.items);
            match found.next {
                Some(next) => page = PageRequest::after(PageSize::MAX, next),
                None => return members,
            }
        }
    }

    async fn order(&self) -> Vec<PhotoId> {
        self.members().await.into_iter().map(|member| member.photo).collect()
    }

    /// Gives photos these ranks, as the store allows.
    async fn place(&self, photos: &[PhotoId], rank: impl Fn(usize) -> String) {
        let place = |(number, photo): (usize, &PhotoId)| Membership {
            photo: *photo,
            rank: Rank::try_from(rank(number)).expect("a rank"),
        };
        let places: Vec<Membership> = photos.iter().enumerate().map(place).collect();
        for places in places.chunks(100) {
            let albums = &self.world.ports.repositories.albums;
            albums.add_photos(self.ada.actor.user(), self.album, places).await.expect("places");
        }
    }

    async fn longest_rank(&self) -> usize {
        self.members().await.iter().map(|member| member.rank.as_str().len()).max().unwrap_or(0)
    }
}

#[tokio::test]
async fn ten_thousand_moves_into_one_gap_keep_the_order() {
    let shelf = Shelf::new(250).await;
    let (moved, stay) = shelf.photos.split_at(50);
    let before = stay[120];
    let mut expected = shelf.photos.clone();
    for number in 0..10_000 {
        let photo = moved[number * 7 % moved.len()];
        shelf.put(&shelf.world.gallery, &[photo], Place::Before(before)).await.expect("a move");
        expected.retain(|other| *other != photo);
        let at = expected.iter().position(|other| *other == before).expect("it stays");
        expected.insert(at, photo);
        if number % 500 == 0 {
            assert_eq!(shelf.order().await, expected, "after {number} moves");
        }
    }
    assert_eq!(shelf.order().await, expected);
    assert!(shelf.longest_rank().await <= 128);
}

#[tokio::test]
async fn a_hundred_photos_at_a_time_may_be_moved_into_one_gap_again_and_again() {
    let shelf = Shelf::new(201).await;
    let (before, moved) = shelf.photos.split_last().expect("photos");
    for round in 0..300 {
        let (first, second) = moved.split_at(100);
        let photos = if round % 2 == 0 { first } else { second };
        shelf.put(&shelf.world.gallery, photos, Place::Before(*before)).await.expect("a move");
        let order = shelf.order().await;
        assert_eq!(order[100..200], *photos, "after {round} moves");
        assert_eq!(order.last(), Some(before));
    }
    assert!(shelf.longest_rank().await <= 128);
}

#[tokio::test]
async fn photos_added_at_both_ends_again_and_again_keep_short_ranks() {
    let shelf = Shelf::new(20).await;
    for number in 0..1_000 {
        let photo = shelf.photos[number % 19];
        shelf.put(&shelf.world.gallery, &[photo], Place::Start).await.expect("a move");
        assert_eq!(shelf.order().await[0], photo);
    }
    assert!(shelf.longest_rank().await <= 8);
}

#[tokio::test]
async fn right_before_is_right_before_among_photos_added_in_the_same_moment() {
    let shelf = Shelf::new(19).await;
    for rank in ["5", "V0000001", "zzzzzzzz"] {
        shelf.place(&shelf.photos[..18], |number| if number < 2 { "2".into() } else { rank.into() }).await;
        shelf.place(&shelf.photos[18..], |_| "zzzzzzzzz".into()).await;
        for before in &shelf.photos[1..18] {
            let mut expected = shelf.order().await;
            shelf.put(&shelf.world.gallery, &[shelf.photos[0]], Place::Before(*before)).await.expect("a move");
            expected.retain(|photo| *photo != shelf.photos[0]);
            let at = expected.iter().position(|photo| photo == before).expect("it stays");
            expected.insert(at, shelf.photos[0]);
            assert_eq!(shelf.order().await, expected);
        }
    }
}

#[tokio::test]
async fn more_photos_of_one_rank_than_a_page_holds_are_parted_too() {
    let shelf = Shelf::new(230).await;
    shelf.place(&shelf.photos, |_| "V".into()).await;
    let mut expected = shelf.order().await;
    let (photo, before) = (expected[3], expected[150]);
    shelf.put(&shelf.world.gallery, &[photo], Place::Before(before)).await.expect("a move");
    expected.remove(3);
    expected.insert(149, photo);
    assert_eq!(shelf.order().await, expected);
}

#[tokio::test]
async fn adding_what_stands_in_an_album_of_any_size_leaves_it_where_it_is() {
    let shelf = Shelf::new(230).await;
    let new = shelf.world.photo(&shelf.ada.actor, "new").await.id;
    for photos in [&shelf.photos[..1], &shelf.photos[..3], &shelf.photos[150..]] {
        let photos: Vec<PhotoId> = photos.iter().copied().chain([new, new]).collect();
        let added = shelf.put(&shelf.world.gallery, &photos, Place::End).await.expect("adding");
        assert_eq!(added, 1, "only one is new, and once");
        assert_eq!(shelf.order().await, [shelf.photos.as_slice(), &[new]].concat());
        shelf.world.gallery.albums.remove_photos(&shelf.ada.actor, shelf.album, &[new], None).await.expect("removing");
    }
}

#[tokio::test]
async fn adding_a_hundred_photos_reads_pages_and_not_each_photo() {
    let shelf = Shelf::new(230).await;
    shelf.put(&shelf.world.shaky, &shelf.photos[100..200], Place::End).await.expect("adding");
    let calls = shelf.world.plan.calls();
    assert!(calls.len() <= 8, "{calls:?}");
}

/// What a second client does in the middle of the first one's move.
type Visit = fn(Gallery, Arc<Shelf>, [PhotoId; 2]) -> BoxFuture<'static, Result<u64, GalleryError>>;

/// The album that the crossings begin with: 200 photos in ranks so deep that whoever puts one before another has to renew them all, the order of
/// these, and three more photos to be put there.
async fn crossing() -> (Arc<Shelf>, Vec<PhotoId>) {
    let shelf = Shelf::new(203).await;
    let actor = &shelf.ada.actor;
    shelf.world.gallery.albums.remove_photos(actor, shelf.album, &shelf.photos[200..], None).await.expect("removing");
    shelf.place(&shelf.photos[..200], |number| format!("W{}", "z".repeat(127 + number))).await;
    let order = shelf.order().await;
    (Arc::new(shelf), order)
}

#[test]
fn whatever_comes_between_photos_stand_where_they_were_put() {
    let visits: [(&str, Visit); 4] = [
        ("an add at the end", |gallery, shelf, [_, new]| {
            async move { shelf.put(&gallery, &[new], Place::End).await }.boxed()
        }),
        ("an add at the start", |gallery, shelf, [_, new]| {
            async move { shelf.put(&gallery, &[new], Place::Start).await }.boxed()
        }),
        ("an add before another", |gallery, shelf, [before, new]| {
            async move { shelf.put(&gallery, &[new], Place::Before(before)).await }.boxed()
        }),
        ("two adds before others", |gallery, shelf, [before, new]| {
            async move {
                shelf.put(&gallery, &[shelf.photos[202]], Place::Before(shelf.photos[150])).await?;
                shelf.put(&gallery, &[new], Place::Before(before)).await
            }
            .boxed()
        }),
    ];
    let (mut all, mut broken) = (0, Vec::new());
    for (name, visit) in visits {
        for at_call in 0.. {
            let run = async {
                let (shelf, order) = crossing().await;
                let (first, second, before) = (shelf.photos[200], shelf.photos[201], [order[120], order[20]]);
                let request = visit(shelf.world.gallery.clone(), shelf.clone(), [before[1], second]);
                shelf.world.plan.visit(at_call, request.map(|answer| assert!(answer.is_ok(), "{answer:?}")).boxed());
                shelf.put(&shelf.world.shaky, &[first], Place::Before(before[0])).await.expect("the first");
                let calls = shelf.world.plan.calls().len();
                let found = shelf.order().await;
                let at = |photo: PhotoId| found.iter().position(|other| *other == photo);
                let stayed: Vec<PhotoId> = found.iter().copied().filter(|photo| order.contains(photo)).collect();
                let mut wrong = Vec::new();
                if stayed != order {
                    wrong.push("the others changed their order");
                }
                if at(before[0]) != at(first).map(|at| at + 1) {
                    wrong.push("the first is not right before");
                }
                let second_is_right = match name {
                    "an add at the end" => at(second) == Some(found.len() - 1),
                    "an add at the start" => at(second) == Some(0),
                    _ => at(before[1]) == at(second).map(|at| at + 1),
                };
                if at_call < calls && !second_is_right {
                    wrong.push("the second is not where it was put");
                }
                (calls, wrong)
            };
            let (calls, wrong) = run.now_or_never().expect("nothing in memory waits");
            if at_call >= calls {
                break;
            }
            all += 1;
            broken.extend(wrong.into_iter().map(|wrong| format!("{name}, before call {at_call}: {wrong}")));
        }
    }
    println!("{all} crossings");
    assert!(broken.is_empty(), "{} of {all} went wrong:\n{}", broken.len(), broken.join("\n"));
    assert!(all >= 60, "only {all} crossings were tried");
}

#[test]
fn a_move_that_is_cut_short_anywhere_changes_no_order_and_can_be_repeated() {
    let run = async |fault: Option<(usize, Fault)>| {
        let (shelf, order) = crossing().await;
        if let Some((call, fault)) = fault {
            shelf.world.plan.fail(call, fault);
        }
        let (photo, before) = (shelf.photos[200], order[120]);
        let first = shelf.put(&shelf.world.shaky, &[photo], Place::Before(before)).now_or_never();
        let calls = shelf.world.plan.calls().len();
        let mut found = shelf.order().await;
        found.retain(|other| *other != photo);
        assert_eq!(found, order, "{fault:?}");
        if !matches!(first, Some(Ok(_))) {
            shelf.put(&shelf.world.gallery, &[photo], Place::Before(before)).await.expect("the repetition");
        }
        let mut expected = order;
        expected.insert(120, photo);
        assert_eq!(shelf.order().await, expected, "{fault:?}");
        calls
    };
    let at_once = |fault| run(fault).now_or_never().expect("nothing in memory waits");
    let calls = at_once(None);
    assert!(calls >= 20, "{calls} calls");
    for call in 0..calls {
        for fault in Fault::ALL {
            at_once(Some((call, fault)));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn photos_added_in_the_same_moment_before_one_that_has_no_room_all_stand_before_it() {
    let (shelf, order) = crossing().await;
    let world = &shelf.world;
    let before = order[120];
    let mut new = Vec::new();
    for number in 0..12 {
        new.push(world.announced(&shelf.ada.actor, &format!("new {number}")).await.id);
    }
    let put = |photo: PhotoId| {
        let shelf = shelf.clone();
        tokio::spawn(async move { shelf.put(&shelf.world.gallery, &[photo], Place::Before(before)).await })
    };
    for answer in join_all(new.iter().map(|photo| put(*photo))).await {
        answer.expect("no panic").expect("every one is added");
    }
    let found = shelf.order().await;
    let stayed: Vec<PhotoId> = found.iter().copied().filter(|photo| order.contains(photo)).collect();
    assert_eq!(stayed, order);
    let at = found.iter().position(|photo| *photo == before).expect("it is there");
    assert!(found[at - new.len()..at].iter().all(|photo| new.contains(photo)), "right before it");
}
