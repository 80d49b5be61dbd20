//! What a gallery is for, one request or one run of the worker at a time, on an account with something of everything: to see what becomes of it when
//! anything under it fails, over any adapters.
//!
//! [`UseCase::survives`] makes a request whose first attempt a test lets fail as it likes, and repeats it as a client would: nothing acknowledged is lost,
//! nothing is done twice, nothing is left behind, and a thorough check finds nothing at any time.

mod scene;
pub mod world;

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use self::scene::{Fate, Scene, same};
use self::world::{DAY, HOUR, KEY, MINUTE, PASSWORD, World, file, file_of, password, title};
use crate::services::*;
use crate::*;

/// One request of a client or one run of the worker, as often as it takes.
#[derive(Clone, Copy, Debug)]
pub struct UseCase {
    /// In words.
    pub name: &'static str,
    /// How long after everything else it happens.
    after: Duration,
    act: fn(Gallery, Scene) -> BoxFuture<'static, Result<(), GalleryError>>,
    /// Whether an answer to a repetition says that the first request was done.
    done: fn(&GalleryError) -> bool,
    /// What it changes about the photos of the scene.
    fates: &'static [(&'static str, Fate)],
    /// What else it promised.
    holds: fn(Scene) -> BoxFuture<'static, Result<(), String>>,
}

const NOTHING_MORE: fn(Scene) -> BoxFuture<'static, Result<(), String>> = |_| async { Ok(()) }.boxed();
const NEVER: fn(&GalleryError) -> bool = |_| false;
const NOT_FOUND: fn(&GalleryError) -> bool = |error| matches!(error, GalleryError::NotFound(_));

/// A use case whose repetition answers like the first time.
const fn repeatable(
    name: &'static str,
    act: fn(Gallery, Scene) -> BoxFuture<'static, Result<(), GalleryError>>,
) -> UseCase {
    UseCase { name, after: Duration::ZERO, act, done: NEVER, fates: &[], holds: NOTHING_MORE }
}

const WORKER: fn(Gallery, Scene) -> BoxFuture<'static, Result<(), GalleryError>> =
    |gallery, _| async move { gallery.worker.run_due(1_000).await.map(drop) }.boxed();

/// Every use case that changes something of a gallery.
pub fn use_cases() -> Vec<UseCase> {
    vec![
        UseCase {
            holds: |scene| expect_new_photo(scene, |photo| photo.state == PhotoState::Uploading).boxed(),
            ..repeatable("announce an upload into an album", |gallery, scene| {
                async move {
                    let new = NewPhoto { album: Some(scene.holiday), ..file("new").0 };
                    gallery.photos.add(scene.actor(), &new, Some(KEY)).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            fates: &[("sent", Fate::Visible)],
            ..repeatable("tell of an upload", |gallery, scene| {
                async move { gallery.ingest.uploaded(scene.actor().user(), scene.id("sent")).await }.boxed()
            })
        },
        UseCase {
            holds: |scene| expect_new_photo(scene, Photo::is_visible).boxed(),
            ..repeatable("import a file", |gallery, scene| {
                async move {
                    let (new, bytes) = file("new");
                    let new = NewPhoto { album: Some(scene.holiday), ..new };
                    gallery.ingest.import(scene.actor(), &new, bytes).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            holds: |scene| expect_new_photo(scene, Photo::is_visible).boxed(),
            ..repeatable("import a GIF that is called a JPEG", |gallery, scene| {
                async move {
                    let (new, bytes) = file_of("animation", "GIF89a and some more bytes, as far as tests go");
                    let new = NewPhoto { album: Some(scene.holiday), ..new };
                    gallery.ingest.import(scene.actor(), &new, bytes).await.map(drop)
                }
                .boxed()
            })
        },
        repeatable("import a file that is not a photo", |gallery, scene| {
            async move {
                let (new, bytes) = file_of("text", "no photo at all, just some words");
                gallery.ingest.import(scene.actor(), &new, bytes).await.map(drop)
            }
            .boxed()
        }),
        UseCase {
            holds: |scene| {
                async move {
                    let details = scene.photo("dog").await.expect("the dog").details;
                    same("title", &"Rex", &details.title.as_str())
                }
                .boxed()
            },
            ..repeatable("edit", |gallery, scene| {
                async move {
                    gallery.photos.update(scene.actor(), scene.id("dog"), &title("Rex"), None).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            fates: &[("castle", Fate::InTrash)],
            ..repeatable("trash", |gallery, scene| {
                async move { gallery.photos.trash(scene.actor(), scene.id("castle"), None).await }.boxed()
            })
        },
        UseCase {
            done: NOT_FOUND,
            fates: &[("sent", Fate::Gone)],
            ..repeatable("trash what is not ready", |gallery, scene| {
                async move { gallery.photos.trash(scene.actor(), scene.id("sent"), None).await }.boxed()
            })
        },
        UseCase {
            fates: &[("old", Fate::Visible)],
            ..repeatable("restore", |gallery, scene| {
                async move { gallery.photos.restore(scene.actor(), scene.id("old"), None).await.map(drop) }.boxed()
            })
        },
        UseCase {
            done: NOT_FOUND,
            fates: &[("old", Fate::Gone)],
            ..repeatable("purge", |gallery, scene| {
                async move { gallery.photos.purge(scene.actor(), scene.id("old"), None).await }.boxed()
            })
        },
        UseCase {
            fates: &[("beach", Fate::InTrash), ("dog", Fate::InTrash)],
            ..repeatable("trash many", |gallery, scene| {
                bulk(gallery, scene, &["beach", "dog", "old"], |_| BulkAction::Trash).boxed()
            })
        },
        UseCase {
            fates: &[("old", Fate::Gone), ("gone", Fate::Gone)],
            ..repeatable("purge many", |gallery, scene| {
                bulk(gallery, scene, &["old", "gone"], |_| BulkAction::Purge).boxed()
            })
        },
        UseCase {
            holds: |scene| {
                async move {
                    for name in ["beach", "old", "sent"] {
                        let tags = scene.photo(name).await.expect(name).details.tags;
                        same(name, &vec!["sea"], &tags.iter().map(Tag::as_str).collect())?;
                    }
                    Ok(())
                }
                .boxed()
            },
            ..repeatable("tag many", |gallery, scene| {
                let tags = |_: &Scene| BulkAction::AddTags(Tags::parse("/tags", &["sea"]).expect("a tag"));
                bulk(gallery, scene, &["beach", "old", "sent"], tags).boxed()
            })
        },
        UseCase {
            holds: |scene| expect_in(scene, |scene| scene.best, &["castle", "dog", "beach"]).boxed(),
            ..repeatable("put many into an album", |gallery, scene| {
                bulk(gallery, scene, &["dog", "beach"], |scene| BulkAction::AddToAlbum(scene.best)).boxed()
            })
        },
        UseCase {
            holds: |scene| {
                async move {
                    let albums = &scene.world.gallery.albums;
                    let page = albums.list(scene.actor(), PageRequest::first(PageSize::MAX)).await.expect("list");
                    let titles = page.items.iter().map(|view| view.entry.album.title.as_str().to_owned()).collect();
                    same("albums", &["New", "Best", "Holiday"].map(str::to_owned).to_vec(), &titles)
                }
                .boxed()
            },
            ..repeatable("create an album", |gallery, scene| {
                async move {
                    let title = AlbumTitle::parse("New").expect("a title");
                    let new = NewAlbum { title, description: Description::default() };
                    gallery.albums.create(scene.actor(), &new, Some(KEY)).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            holds: |scene| expect_in(scene, |scene| scene.holiday, &["dog", "beach", "castle"]).boxed(),
            ..repeatable("put photos before another", |gallery, scene| {
                async move {
                    let (dog, beach) = (scene.id("dog"), scene.id("beach"));
                    let place = Place::Before(beach);
                    gallery.albums.add_photos(scene.actor(), scene.holiday, &[dog], place, None).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            holds: |scene| expect_in(scene, |scene| scene.holiday, &["castle"]).boxed(),
            ..repeatable("take photos out of an album", |gallery, scene| {
                async move {
                    gallery
                        .albums
                        .remove_photos(scene.actor(), scene.holiday, &[scene.id("beach")], None)
                        .await
                        .map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            done: NOT_FOUND,
            fates: &[("beach", Fate::InTrash), ("castle", Fate::InTrash)],
            holds: |scene| expect_albums(scene, &["Best"]).boxed(),
            ..repeatable("delete an album with its photos", |gallery, scene| {
                async move {
                    gallery.albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Delete, None).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            done: NOT_FOUND,
            holds: |scene| expect_albums(scene, &["Best"]).boxed(),
            ..repeatable("delete an album and keep its photos", |gallery, scene| {
                async move {
                    gallery.albums.delete(scene.actor(), scene.holiday, AlbumPhotos::Keep, None).await.map(drop)
                }
                .boxed()
            })
        },
        UseCase {
            fates: &[("gone", Fate::Visible)],
            holds: |scene| expect_albums(scene, &["Autumn", "Best", "Holiday"]).boxed(),
            ..repeatable("restore an album", |gallery, scene| {
                async move { gallery.albums.restore(scene.actor(), scene.autumn, None).await.map(drop) }.boxed()
            })
        },
        UseCase {
            done: |error| matches!(error, GalleryError::Unauthenticated),
            fates: &[
                ("beach", Fate::Gone),
                ("castle", Fate::Gone),
                ("dog", Fate::Gone),
                ("old", Fate::Gone),
                ("gone", Fate::Gone),
                ("sent", Fate::Gone),
                ("promised", Fate::Gone),
            ],
            ..repeatable("cancel the account", |gallery, scene| {
                async move {
                    let actor = gallery.accounts.authenticate(&scene.ada.token).await?;
                    gallery.accounts.cancel(&actor, &password(PASSWORD)).await
                }
                .boxed()
            })
        },
        UseCase {
            // The bytes of one have come, those of the other have not.
            after: DAY,
            fates: &[("sent", Fate::Visible), ("promised", Fate::Failed(FailureKind::NeverUploaded))],
            ..repeatable("the worker gives uploads up", WORKER)
        },
        UseCase {
            after: Duration::from_secs(30 * 24 * 3600),
            fates: &[("old", Fate::Gone), ("gone", Fate::Gone), ("sent", Fate::Visible), ("promised", Fate::Gone)],
            holds: |scene| {
                async move {
                    let album = scene.world.ports.repositories.albums.find(scene.actor().user(), scene.autumn).await;
                    same("the album whose time is over", &None, &album.expect("find"))
                }
                .boxed()
            },
            ..repeatable("the worker empties the trash", WORKER)
        },
    ]
}

impl UseCase {
    /// Makes the request in the scene of an empty gallery, whose first attempt goes through `first`; repeats it unless that was done; and says what does
    /// not hold then, within an hour, within forty days, or after the account is closed.
    ///
    /// `first` answers `None` where whoever asked went away before there was an answer.
    ///
    /// # Errors
    ///
    /// What does not hold, in words.
    pub async fn survives(
        self,
        world: World,
        first: impl AsyncFnOnce(BoxFuture<'static, Result<(), GalleryError>>) -> Option<Result<(), GalleryError>>,
    ) -> Result<(), String> {
        let scene = Scene::of(world).await;
        let world = &scene.world;
        // Before it, the worker does what is due before that time, and nothing of what is due then.
        world.pass(self.after.saturating_sub(MINUTE)).await;
        world.clock.advance(self.after.min(MINUTE));
        let request = || (self.act)(world.shaky.clone(), scene.clone());
        let answer = first(request()).await;
        scene.is_sound("after the fault").await?;
        if !matches!(answer, Some(Ok(()))) {
            match request().await {
                Ok(()) => {}
                Err(error) if (self.done)(&error) => {}
                Err(error) => return Err(format!("the repetition failed: {error:?}")),
            }
        }
        world.pass(HOUR).await;
        (self.holds)(scene.clone()).await?;
        scene.ends_well(&Scene::fates_but(self.fates)).await
    }
}

async fn bulk(
    gallery: Gallery,
    scene: Scene,
    names: &[&str],
    action: impl Fn(&Scene) -> BulkAction,
) -> Result<(), GalleryError> {
    let ids: Vec<_> = names.iter().map(|name| scene.id(name)).collect();
    for (_, outcome) in gallery.photos.bulk(scene.actor(), &ids, &action(&scene)).await? {
        match outcome {
            Ok(()) | Err(GalleryError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// There is one new photo, not two, and it is in the album it was meant for.
async fn expect_new_photo(scene: Scene, is_right: impl Fn(&Photo) -> bool) -> Result<(), String> {
    let (user, repositories) = (scene.actor().user(), &scene.world.ports.repositories);
    let all = repositories.photos.all(user, PageRequest::first(PageSize::MAX)).await.expect("all");
    let new: Vec<_> = all.items.iter().filter(|photo| !scene.photos.values().any(|id| *id == photo.id)).collect();
    same("new photos", &1, &new.len())?;
    if !is_right(new[0]) {
        return Err(format!("the new photo is {:?}", new[0].state));
    }
    same("its albums", &vec![scene.holiday], &repositories.albums.albums_of(user, new[0].id).await.expect("albums"))
}

/// One sees these photos in an album, in this order.
async fn expect_in(scene: Scene, album: fn(&Scene) -> AlbumId, names: &[&str]) -> Result<(), String> {
    let page = PageRequest::first(PageSize::MAX);
    let photos = scene.world.gallery.albums.photos(scene.actor(), album(&scene), page).await.expect("photos");
    let found: Vec<_> = photos.items.iter().map(|photo| photo.id).collect();
    same("photos of the album", &names.iter().map(|name| scene.id(name)).collect(), &found)
}

/// These albums are listed, latest first.
async fn expect_albums(scene: Scene, titles: &[&str]) -> Result<(), String> {
    let page = PageRequest::first(PageSize::MAX);
    let albums = scene.world.gallery.albums.list(scene.actor(), page).await.expect("list");
    let found: Vec<_> = albums.items.iter().map(|view| view.entry.album.title.as_str().to_owned()).collect();
    same("albums", &titles.iter().map(|title| (*title).to_owned()).collect(), &found)
}
