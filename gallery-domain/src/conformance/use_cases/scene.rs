//! One account with something of everything, and what becomes of it.

use std::collections::BTreeMap;

use super::world::{DAY, HOUR, Person, World};
use crate::*;

/// Ada's account: photos in every state, and albums that share some of them.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Where it is.
    pub world: World,
    /// Whose account it is.
    pub ada: Person,
    /// By name: `beach` and `castle` are ready and in `holiday`, `castle` in `best` as well, `dog` is ready and in no album; `old` is in
    /// the trash on its own and in `holiday`; `gone` is there with the trashed album `autumn`; the bytes of `sent` have come, but nobody has told the gallery; those of
    /// `promised` have not.
    pub photos: BTreeMap<&'static str, PhotoId>,
    /// Of `beach`, `castle` and `old`.
    pub holiday: AlbumId,
    /// Of `castle`.
    pub best: AlbumId,
    /// In the trash, with `gone`.
    pub autumn: AlbumId,
}

/// Where a photo has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Where one sees it.
    Visible,
    /// In the trash.
    InTrash,
    /// Announced.
    Uploading,
    /// Not taken.
    Failed(FailureKind),
    /// Nowhere.
    Gone,
}

impl Scene {
    /// Sets it up in an empty gallery.
    pub async fn of(world: World) -> Self {
        let ada = world.person("ada").await;
        let mut photos = BTreeMap::new();
        for name in ["beach", "castle", "dog", "old", "gone"] {
            photos.insert(name, world.photo(&ada.actor, name).await.id);
        }
        let holiday = world.album(&ada.actor, "Holiday", &[photos["beach"], photos["castle"], photos["old"]]).await;
        let best = world.album(&ada.actor, "Best", &[photos["castle"]]).await;
        let autumn = world.album(&ada.actor, "Autumn", &[photos["gone"]]).await;
        world.gallery.photos.trash(&ada.actor, photos["old"], None).await.expect("trash");
        world.gallery.albums.delete(&ada.actor, autumn, AlbumPhotos::Delete, None).await.expect("delete");
        for name in ["sent", "promised"] {
            let photo = world.announced(&ada.actor, name).await;
            photos.insert(name, photo.id);
        }
        let scene = Self { world, ada, photos, holiday, best, autumn };
        let sent = scene.photo("sent").await.expect("it was announced");
        scene.world.send(&sent, "sent").await;
        scene
    }

    /// Ada.
    pub fn actor(&self) -> &Actor {
        &self.ada.actor
    }

    /// The id of a photo by its name.
    pub fn id(&self, photo: &str) -> PhotoId {
        self.photos[photo]
    }

    /// A photo by its name, as the store holds it.
    pub async fn photo(&self, name: &str) -> Option<Photo> {
        self.world.find(self.ada.actor.user(), self.photos[name]).await
    }

    /// Where a photo has got to.
    pub async fn fate(&self, name: &str) -> Fate {
        match self.photo(name).await {
            None => Fate::Gone,
            Some(photo) if photo.is_visible() => Fate::Visible,
            Some(photo) if photo.is_in_trash() => Fate::InTrash,
            Some(photo) => match photo.state {
                PhotoState::Uploading => Fate::Uploading,
                PhotoState::Failed(failure) => Fate::Failed(failure.kind),
                state => panic!("{name} is {} and the worker leaves it so", state.name()),
            },
        }
    }

    /// What is to be of each photo after a change of some, once the worker is through with what is due soon.
    pub fn fates_but(changed: &[(&'static str, Fate)]) -> BTreeMap<&'static str, Fate> {
        let mut fates = BTreeMap::from([
            ("beach", Fate::Visible),
            ("castle", Fate::Visible),
            ("dog", Fate::Visible),
            ("old", Fate::InTrash),
            ("gone", Fate::InTrash),
            ("sent", Fate::Uploading),
            ("promised", Fate::Uploading),
        ]);
        fates.extend(changed.iter().copied());
        fates
    }

    /// Where every photo has got to.
    pub async fn fates(&self) -> BTreeMap<&'static str, Fate> {
        let mut fates = BTreeMap::new();
        for name in self.photos.keys() {
            fates.insert(*name, self.fate(name).await);
        }
        fates
    }

    /// Holds the account against its expected fates in an hour, when every time has run out, and after it is cancelled: nothing may be lost,
    /// nothing left, nothing wrong at any time.
    pub async fn ends_well(&self, fates: &BTreeMap<&'static str, Fate>) -> Result<(), String> {
        self.is_sound("at once").await?;
        self.world.pass(HOUR).await;
        self.is_sound("in an hour").await?;
        same("fates in an hour", fates, &self.fates().await)?;
        self.has_no_blobs_but_its_own().await?;
        self.world.pass(40 * DAY).await;
        self.is_sound("in forty days").await?;
        let later = fates.iter().map(|(name, fate)| {
            let fate = match (fate, *name) {
                // Its bytes were there all the time: the worker found them when it was to give it up.
                (Fate::Visible, _) | (Fate::Uploading, "sent") => Fate::Visible,
                _ => Fate::Gone,
            };
            (*name, fate)
        });
        same("fates in forty days", &later.collect(), &self.fates().await)?;
        if self.world.ports.repositories.users.find(self.actor().user()).await.expect("find").is_some() {
            same("work in forty days", &None, &self.world.ports.repositories.work.next_due().await.expect("next due"))?;
        }
        self.leaves_nothing().await
    }

    /// Closes the account, if it is not closed, and looks for anything that is left of it.
    pub async fn leaves_nothing(&self) -> Result<(), String> {
        let accounts = &self.world.gallery.accounts;
        match accounts.close(self.actor().user()).await {
            Ok(()) | Err(GalleryError::NotFound(_)) => {}
            Err(error) => return Err(format!("closing: {error}")),
        }
        let entered = accounts.authenticate(&self.ada.token).await;
        if !matches!(entered, Err(GalleryError::Unauthenticated)) {
            return Err(format!("who cancelled still gets in: {entered:?}"));
        }
        self.world.pass(2 * DAY).await;
        same("remains", &Vec::new(), &self.world.remains(&self.ada).await)?;
        self.is_sound("when it is closed").await
    }

    /// A thorough check finds nothing, and what is counted is what is there.
    pub async fn is_sound(&self, when: &str) -> Result<(), String> {
        same(&format!("faults {when}"), &Vec::new(), &self.world.faults(false).await)?;
        let (user, repositories) = (self.actor().user(), &self.world.ports.repositories);
        let photos = repositories.photos.all(user, PageRequest::first(PageSize::MAX)).await.expect("all").items;
        let counted = Usage {
            bytes: photos.iter().map(|photo| photo.original.bytes).sum(),
            photos: photos.len() as u64,
            pending_uploads: photos.iter().filter(|photo| photo.state == PhotoState::Uploading).count() as u64,
        };
        same(&format!("usage {when}"), &counted, &repositories.users.usage(user).await.expect("usage"))
    }

    /// A ready photo has its original and images and no upload, one that waits may have its upload, every other has nothing.
    async fn has_no_blobs_but_its_own(&self) -> Result<(), String> {
        let user = self.actor().user();
        let mut expected = Vec::new();
        let photos = &self.world.ports.repositories.photos;
        for photo in photos.all(user, PageRequest::first(PageSize::MAX)).await.expect("all").items {
            let incoming = BlobKey::incoming(user, photo.id);
            match photo.state {
                PhotoState::Ready(_) => {
                    expected.extend(BlobKey::all_of(&photo).into_iter().filter(|key| *key != incoming));
                }
                PhotoState::Uploading if Some(&photo.id) == self.photos.get("sent") => expected.push(incoming),
                _ => {}
            }
        }
        expected.sort();
        let mut found = self.world.blobs(user).await;
        found.sort();
        same("blobs", &expected, &found)
    }
}

/// Says how two things differ that should not.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: &T, found: &T) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected:?}, found {found:?}")) }
}
