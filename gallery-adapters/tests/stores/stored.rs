//! Photos and albums of one owner, to put into a store.

use gallery_domain::ports::Repositories;
use gallery_domain::{
    Album, AlbumId, AlbumTitle, Description, ExifSummary, FileName, ImageFacts, MediaType, Original, Photo,
    PhotoDetails, PhotoId, PhotoState, Quota, Revision, Sha256Digest, Tags, Task, ThumbHash, Timestamp, Title, UserId,
    Work,
};
use uuid::Uuid;

/// 2024-06-01T12:00:00Z.
pub(crate) const NOON: i64 = 1_717_243_200_000;

/// The owner in most tests.
pub(crate) fn alice() -> UserId {
    UserId::from_uuid(Uuid::from_u128(0xA11CE))
}

/// What an owner has in a store.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) repositories: Repositories,
    pub(crate) owner: UserId,
}

impl Stored {
    pub(crate) fn new(repositories: Repositories) -> Self {
        Self { repositories, owner: alice() }
    }

    /// Adds a ready photo, whose id says nothing of its number's order.
    pub(crate) async fn photo(&self, number: u64, change: impl FnOnce(&mut Photo)) -> Photo {
        let mut photo = ready(self.owner, number);
        change(&mut photo);
        self.insert(&photo).await;
        photo
    }

    pub(crate) async fn insert(&self, photo: &Photo) {
        self.repositories.photos.insert(photo, &Quota::default(), &work_on(photo)).await.unwrap();
    }

    pub(crate) async fn replace(&self, photo: &mut Photo, change: impl FnOnce(&mut Photo)) {
        let read_at = photo.revision;
        change(photo);
        photo.revision = read_at.next();
        self.repositories.photos.replace(photo, read_at, None).await.unwrap();
    }

    pub(crate) async fn album(&self, number: u128, title: &str) -> AlbumId {
        let album = album(self.owner, number, title);
        self.repositories.albums.insert(&album).await.unwrap();
        album.id
    }
}

pub(crate) fn album(owner: UserId, number: u128, title: &str) -> Album {
    Album {
        id: AlbumId::from_uuid(Uuid::from_u128(number)),
        owner,
        title: AlbumTitle::parse(title).unwrap(),
        description: Description::default(),
        cover: None,
        trashed: None,
        created_at: Timestamp::from_millis(NOON),
        revision: Revision::FIRST,
    }
}

pub(crate) fn ready(owner: UserId, number: u64) -> Photo {
    let scattered = u128::from(number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    Photo {
        id: PhotoId::from_uuid(Uuid::from_u128(scattered)),
        owner,
        original: Original {
            file_name: FileName::parse(&format!("IMG_{number}.jpg")).unwrap(),
            content_type: MediaType::Jpeg,
            bytes: 1000 + number,
            sha256: Sha256Digest::of(&number.to_be_bytes()),
        },
        details: PhotoDetails::default(),
        state: PhotoState::Ready(ImageFacts {
            media_type: MediaType::Jpeg,
            width: 4000,
            height: 3000,
            placeholder: ThumbHash::from_bytes(vec![1, 2, 3]),
            exif: ExifSummary::default(),
            damaged: false,
        }),
        trashed: None,
        created_at: Timestamp::from_millis(NOON + i64::try_from(number).unwrap() * 60_000),
        revision: Revision::FIRST,
    }
}

pub(crate) fn work_on(photo: &Photo) -> Work {
    Work::new(Task::Photo { owner: photo.owner, photo: photo.id }, photo.created_at)
}

pub(crate) fn title(text: &str) -> Title {
    Title::parse(text).unwrap()
}

pub(crate) fn tags(tags: &[&str]) -> Tags {
    Tags::parse("/tags", tags).unwrap()
}
