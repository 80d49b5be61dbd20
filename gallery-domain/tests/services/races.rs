//! Every pair of requests that touch the same thing, with the second coming right before each call of the first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gallery_domain::services::*;
use gallery_domain::*;

use crate::world::{DAY, HOUR, KEY, PASSWORD, file, password, scene, title};
use gallery_domain::conformance::use_cases::{Fate, Scene, same};

type Act = fn(Gallery, Scene) -> BoxFuture<'static, Result<(), GalleryError>>;

/// Two requests, and what has to be true after both by what each was answered.
struct Pair {
    name: &'static str,
    after: Duration,
    first: Act,
    second: Act,
    holds: fn(Scene, Answers) -> BoxFuture<'static, Result<(), String>>,
}

struct Answers {
    first: Result<(), GalleryError>,
    second: Result<(), GalleryError>,
}

const WORKER: Act = |gallery, _| async move { gallery.worker.run_due(1_000).await.map(drop) }.boxed();
const RESTORE: Act = |gallery, scene| {
    async move { gallery.photos.restore(scene.actor(), scene.id("old"), None).await.map(drop) }.boxed()
};
const PURGE: Act =
    |gallery, scene| async move { gallery.photos.purge(scene.actor(), scene.id("old"), None).await }.boxed();
const DELETE_HOLIDAY: Act = |gallery, scene| {
    async move { gallery.albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await.map(drop) }
        .boxed()
};
const RESTORE_HOLIDAY: Act =
    |gallery, scene| async move { gallery.albums.restore(scene.actor(), scene.holiday, None).await.map(drop) }.boxed();
/// With the worker being faster than whoever deletes the album.
const RESTORE_HOLIDAY_FOR_GOOD: Act = |gallery, scene| {
    async move {
        gallery.albums.restore(scene.actor(), scene.holiday, None).await?;
        gallery.worker.run_due(1_000).await.map(drop)
    }
    .boxed()
};
const RESTORE_AUTUMN: Act =
    |gallery, scene| async move { gallery.albums.restore(scene.actor(), scene.autumn, None).await.map(drop) }.boxed();
const UPLOADED: Act =
    |gallery, scene| async move { gallery.ingest.uploaded(scene.actor().user(), scene.id("sent")).await }.boxed();
const UPLOADED_INTO_HOLIDAY: Act = |gallery, scene| {
    async move {
        let albums = &scene.world.gallery.albums;
        albums.add_photos(scene.actor(), scene.holiday, &[scene.id("sent")], Place::End, None).await?;
        gallery.ingest.uploaded(scene.actor().user(), scene.id("sent")).await
    }
    .boxed()
};
const CANCEL: Act =
    |gallery, scene| async move { gallery.accounts.cancel(scene.actor(), &password(PASSWORD)).await }.boxed();
const NOTHING_IS_LEFT: fn(Scene, Answers) -> BoxFuture<'static, Result<(), String>> = |scene, _| {
    async move {
        scene.world.pass(2 * DAY).await;
        same("remains", &Vec::new(), &scene.world.remains(&scene.ada).await)
    }
    .boxed()
};
/// Nothing is under way any more that would keep a cancelled account from being erased at once.
const UPLOADS_ARE_OVER: Duration = Duration::from_secs(2 * 24 * 3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

fn pairs() -> Vec<Pair> {
    let old_is_where_it_was_put: fn(Scene, Answers) -> BoxFuture<'static, Result<(), String>> = |scene, answers| {
        async move {
            let fate = if answers.second.is_ok() { Fate::Visible } else { Fate::Gone };
            same("the restored photo", &fate, &scene.fate("old").await)
        }
        .boxed()
    };
    let album_and_photos_agree: fn(Scene, Answers) -> BoxFuture<'static, Result<(), String>> = |scene, _| {
        async move {
            let album = scene.world.gallery.albums.get(scene.actor(), scene.holiday).await.expect("the album");
            let fate = if album.entry.album.trashed.is_some() { Fate::InTrash } else { Fate::Visible };
            same("its photos", &[fate, fate], &[scene.fate("beach").await, scene.fate("castle").await])
        }
        .boxed()
    };
    vec![
        Pair {
            name: "emptying the trash and restoring a photo",
            after: MONTH,
            first: WORKER,
            second: RESTORE,
            holds: old_is_where_it_was_put,
        },
        Pair {
            name: "purging and restoring a photo",
            after: HOUR,
            first: PURGE,
            second: RESTORE,
            holds: old_is_where_it_was_put,
        },
        Pair {
            name: "emptying the trash and restoring an album just in time",
            after: MONTH - Duration::from_secs(1),
            first: |gallery, scene| {
                async move {
                    scene.world.clock.advance(Duration::from_secs(1));
                    gallery.worker.run_due(1_000).await.map(drop)
                }
                .boxed()
            },
            second: RESTORE_AUTUMN,
            holds: |scene, answers| {
                async move {
                    scene.world.pass(DAY).await;
                    let album = scene.world.ports.repositories.albums.find(scene.actor().user(), scene.autumn).await;
                    let is_live = album.expect("find").is_some_and(|entry| entry.album.trashed.is_none());
                    same("whether the restored album is there", &answers.second.is_ok(), &is_live)
                }
                .boxed()
            },
        },
        Pair {
            name: "deleting and restoring an album",
            after: HOUR,
            first: DELETE_HOLIDAY,
            second: RESTORE_HOLIDAY,
            holds: album_and_photos_agree,
        },
        Pair {
            name: "deleting an album that is restored and has its photos again",
            after: HOUR,
            first: DELETE_HOLIDAY,
            second: RESTORE_HOLIDAY_FOR_GOOD,
            holds: album_and_photos_agree,
        },
        Pair {
            name: "deleting an album with its photos and without",
            after: HOUR,
            first: DELETE_HOLIDAY,
            second: |gallery, scene| {
                async move {
                    scene.world.clock.advance(Duration::from_secs(1));
                    let deletion = gallery.albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Keep, None).await;
                    deletion.map(drop)
                }
                .boxed()
            },
            holds: |scene, answers| {
                async move {
                    same(
                        "how many deleted it",
                        &1,
                        &[&answers.first, &answers.second].iter().filter(|a| a.is_ok()).count(),
                    )?;
                    let fate = if answers.first.is_ok() { Fate::InTrash } else { Fate::Visible };
                    same("its photos", &[fate, fate], &[scene.fate("beach").await, scene.fate("castle").await])
                }
                .boxed()
            },
        },
        Pair {
            name: "restoring and deleting an album again",
            after: HOUR,
            first: |gallery, scene| {
                async move {
                    let delete =
                        scene.world.gallery.albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None);
                    delete.await.expect("delete");
                    gallery.albums.restore(scene.actor(), scene.holiday, None).await.map(drop)
                }
                .boxed()
            },
            second: DELETE_HOLIDAY,
            holds: album_and_photos_agree,
        },
        Pair {
            name: "trashing an upload that becomes ready",
            after: HOUR,
            first: |gallery, scene| {
                async move { gallery.photos.trash(scene.actor(), scene.id("sent"), None).await }.boxed()
            },
            second: UPLOADED,
            holds: |scene, answers| {
                async move {
                    answers.first.map_err(|error| format!("the trash: {error:?}"))?;
                    let was_ready = answers.second.is_ok() && scene.photo("sent").await.is_some();
                    let fate = if was_ready { Fate::InTrash } else { Fate::Gone };
                    same("the photo", &fate, &scene.fate("sent").await)
                }
                .boxed()
            },
        },
        Pair {
            name: "an upload becoming ready while its album is deleted",
            after: Duration::ZERO,
            first: UPLOADED_INTO_HOLIDAY,
            second: DELETE_HOLIDAY,
            holds: |scene, _| async move { same("the photo", &Fate::InTrash, &scene.fate("sent").await) }.boxed(),
        },
        Pair {
            name: "an upload becoming ready while its album is brought back",
            after: Duration::ZERO,
            first: |gallery, scene| {
                async move {
                    let albums = &scene.world.gallery.albums;
                    albums.add_photos(scene.actor(), scene.holiday, &[scene.id("sent")], Place::End, None).await?;
                    albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await?;
                    gallery.ingest.uploaded(scene.actor().user(), scene.id("sent")).await
                }
                .boxed()
            },
            second: RESTORE_HOLIDAY_FOR_GOOD,
            holds: |scene, _| async move { same("the photo", &Fate::Visible, &scene.fate("sent").await) }.boxed(),
        },
        Pair {
            name: "an upload becoming ready while it is edited",
            after: HOUR,
            first: UPLOADED,
            second: |gallery, scene| {
                async move {
                    gallery.photos.update(scene.actor(), scene.id("sent"), &title("mine"), None).await.map(drop)
                }
                .boxed()
            },
            holds: |scene, answers| {
                async move {
                    answers.second.map_err(|error| format!("the edit: {error:?}"))?;
                    same("the photo", &Fate::Visible, &scene.fate("sent").await)?;
                    let photo = scene.photo("sent").await.expect("it is visible");
                    same("its title", &"mine", &photo.details.title.as_str())
                }
                .boxed()
            },
        },
        Pair {
            name: "announcing an upload while the account is cancelled",
            after: UPLOADS_ARE_OVER,
            first: |gallery, scene| {
                async move { gallery.photos.add(scene.actor(), &file("new").0, Some(KEY)).await.map(drop) }.boxed()
            },
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
        Pair {
            name: "importing while the account is cancelled",
            after: UPLOADS_ARE_OVER,
            first: |gallery, scene| {
                async move {
                    let (new, bytes) = file("new");
                    gallery.ingest.import(scene.actor(), &new, bytes).await.map(drop)
                }
                .boxed()
            },
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
        Pair {
            name: "looking into an upload while the account is cancelled",
            after: HOUR,
            first: UPLOADED,
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
        Pair {
            name: "creating an album while the account is cancelled",
            after: UPLOADS_ARE_OVER,
            first: |gallery, scene| {
                async move {
                    let title = AlbumTitle::parse("New").expect("a title");
                    let new = NewAlbum { title, description: Description::default() };
                    gallery.albums.create(scene.actor(), &new, Some(KEY)).await.map(drop)
                }
                .boxed()
            },
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
        Pair {
            name: "logging in while the account is cancelled",
            after: UPLOADS_ARE_OVER,
            first: |gallery, scene| {
                async move {
                    let client = Client::default();
                    gallery.accounts.log_in(&scene.ada.email, &password(PASSWORD), &client).await.map(drop)
                }
                .boxed()
            },
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
        Pair {
            name: "the worker going on while the account is cancelled",
            after: DAY,
            first: WORKER,
            second: CANCEL,
            holds: NOTHING_IS_LEFT,
        },
    ]
}

#[test]
fn whatever_comes_between_two_calls_both_requests_keep_their_promises() {
    let (mut cases, mut broken) = (BTreeMap::new(), Vec::new());
    for pair in pairs() {
        let calls = run(&pair, None).unwrap_or_else(|reason| panic!("{}: {reason}", pair.name));
        for call in 0..calls {
            *cases.entry(pair.name).or_insert(0) += 1;
            if let Err(reason) = run(&pair, Some(call)) {
                broken.push(format!("{}, before call {call}: {reason}", pair.name));
            }
        }
    }
    let all: usize = cases.values().sum();
    println!("{all} crossings of {} pairs: {cases:?}", cases.len());
    assert!(broken.is_empty(), "{} of {all} went wrong:\n{}", broken.len(), broken.join("\n"));
    assert!(all >= 120, "only {all} crossings were tried");
}

/// Runs the first request with the second right before one of its calls, or after it; how many calls the first made.
fn run(pair: &Pair, before: Option<usize>) -> Result<usize, String> {
    let run = async {
        let scene = scene().await;
        let world = &scene.world;
        world.pass(pair.after.saturating_sub(Duration::from_secs(1))).await;
        world.clock.advance(Duration::from_secs(1).min(pair.after));
        let second: Arc<Mutex<Option<Result<(), GalleryError>>>> = Arc::default();
        if let Some(call) = before {
            let (answer, request) = (second.clone(), (pair.second)(world.gallery.clone(), scene.clone()));
            let visit = async move { *answer.lock().expect("not poisoned") = Some(request.await) };
            world.plan.visit(call, visit.boxed());
        }
        let first = (pair.first)(world.shaky.clone(), scene.clone()).await;
        let calls = world.plan.calls().len();
        let second = second.lock().expect("not poisoned").take();
        let second = match second {
            Some(answer) => answer,
            None => (pair.second)(world.gallery.clone(), scene.clone()).await,
        };
        world.pass(HOUR).await;
        (pair.holds)(scene.clone(), Answers { first, second }).await?;
        scene.is_sound("after both").await?;
        scene.leaves_nothing().await?;
        Ok(calls)
    };
    run.now_or_never().expect("nothing in memory waits")
}
