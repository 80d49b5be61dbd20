//! Things to fill a store with: the one builder of photos, albums and users for clauses, and for unit tests of services.
//!
//! ```
//! use gallery_domain::conformance::fixtures::Things;
//!
//! let things = Things::new();
//! let owner = things.owner();
//! let photo = things.photo(owner).title("Sunset").tags(&["beach", "été"]).taken("2024-06-01T20:15:00").build();
//! assert!(photo.is_visible());
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;

use super::expectations::{Succeeds, walk};
use crate::memory::SequentialIds;
use crate::ports::{IdGenerator, Repositories};
use crate::{
    Album, AlbumId, AlbumPhotos, AlbumTitle, AlbumTrashed, ClientLabel, Description, ExifSummary, Failure, FailureKind,
    FileName, ImageFacts, MediaType, Membership, Month, MonthCount, Original, PageSize, PersonName, Photo,
    PhotoDetails, PhotoId, PhotoState, Position, Quota, Rank, RankCursor, Revision, SecretToken, Session, SessionId,
    Sha256Digest, Tags, TakenAt, Task, ThumbHash, Timestamp, Title, Trashed, Usage, User, UserId, UserStatus, Work,
};

/// How many calls race in the clauses on what happens at the same time.
pub const RACERS: usize = 32;

/// Makes things with ids that rise, created a second apart, the first at [`Things::START`].
#[derive(Debug, Default)]
pub struct Things {
    ids: SequentialIds,
}

impl Things {
    /// 2024-01-01T00:00:00Z, when the first thing is created.
    pub const START: &str = "2024-01-01T00:00:00Z";

    /// Nothing made yet.
    pub const fn new() -> Self {
        Self { ids: SequentialIds::new() }
    }

    /// Some seconds after the start.
    pub fn at(&self, seconds: u64) -> Timestamp {
        let start: Timestamp = Self::START.parse().expect("the start is a moment");
        start.plus(Duration::from_secs(seconds))
    }

    /// A UUID of its own, higher than all before.
    pub fn uuid(&self) -> uuid::Uuid {
        self.ids.new_id(self.at(0))
    }

    /// An id of a photo that nobody made.
    pub fn photo_id(&self) -> PhotoId {
        PhotoId::from_uuid(self.uuid())
    }

    /// An id of an album that nobody made.
    pub fn album_id(&self) -> AlbumId {
        AlbumId::from_uuid(self.uuid())
    }

    /// Somebody who can own things, without an account.
    pub fn owner(&self) -> UserId {
        UserId::from_uuid(self.uuid())
    }

    /// An active user with an address that nobody else has.
    pub fn user(&self) -> User {
        let id = self.owner();
        User {
            id,
            email: format!("{}@example.org", id.as_uuid().simple())
                .parse()
                .expect("hexadecimal digits are a local part"),
            name: PersonName::parse("Ada Lovelace").expect("the name is one"),
            status: UserStatus::Active,
            quota: Quota::default(),
            created_at: self.at(id.as_uuid().as_u128() as u64 & 0xFFFF),
            revision: Revision::FIRST,
        }
    }

    /// A photo to be shaped further: visible, with content of its own, taken when it was created, later than all before.
    pub fn photo(&self, owner: UserId) -> PhotoBuilder {
        let id = self.photo_id();
        let count = id.as_uuid().as_u128() as u64 & 0xFFFF;
        let original = Original {
            file_name: FileName::parse("DSC.jpg").expect("the name is one"),
            content_type: MediaType::Jpeg,
            bytes: 1_000 + count,
            sha256: Sha256Digest::of(id.to_string().as_bytes()),
        };
        PhotoBuilder {
            photo: Photo {
                id,
                owner,
                original,
                details: PhotoDetails::default(),
                state: PhotoState::Ready(facts(MediaType::Jpeg)),
                trashed: None,
                created_at: self.at(count),
                revision: Revision::FIRST,
            },
        }
    }

    /// An album outside the trash, created later than all before.
    pub fn album(&self, owner: UserId, title: &str) -> Album {
        let id = self.album_id();
        Album {
            id,
            owner,
            title: AlbumTitle::parse(title).expect("the title is one"),
            description: Description::default(),
            cover: None,
            trashed: None,
            created_at: self.at(id.as_uuid().as_u128() as u64 & 0xFFFF),
            revision: Revision::FIRST,
        }
    }

    /// A session with a token of its own that begins now and was not used since.
    pub fn session(&self, user: UserId, created_at: Timestamp) -> Session {
        Session {
            id: SessionId::from_uuid(self.uuid()),
            user,
            token: SecretToken::from_random(&self.ids.new_secret()).hash(),
            client: ClientLabel::new("Firefox on Linux"),
            created_at,
            last_seen_at: created_at,
        }
    }
}

/// A photo in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct PhotoBuilder {
    photo: Photo,
}

impl PhotoBuilder {
    /// Gives it another id.
    pub fn id(mut self, id: PhotoId) -> Self {
        self.photo.id = id;
        self
    }

    /// Gives it a title.
    pub fn title(mut self, title: &str) -> Self {
        self.photo.details.title = Title::parse(title).expect("the title is one");
        self
    }

    /// Gives it a description.
    pub fn description(mut self, description: &str) -> Self {
        self.photo.details.description = Description::parse(description).expect("the description is one");
        self
    }

    /// Gives it tags in place of those it has.
    pub fn tags(mut self, tags: &[&str]) -> Self {
        self.photo.details.tags = Tags::parse("tags", tags).expect("the tags are some");
        self
    }

    /// Makes it a favourite.
    pub fn favourite(mut self) -> Self {
        self.photo.details.favourite = true;
        self
    }

    /// Says when it was taken, such as `2024-06-01T12:30:00` or `2024-06-01T12:30:00+02:00`.
    pub fn taken(mut self, taken_at: &str) -> Self {
        self.photo.details.taken_at = Some(taken_at.parse::<TakenAt>().expect("the time is one"));
        self
    }

    /// Says when it was created.
    pub fn created(mut self, at: Timestamp) -> Self {
        self.photo.created_at = at;
        self
    }

    /// Names its file.
    pub fn file_name(mut self, name: &str) -> Self {
        self.photo.original.file_name = FileName::parse(name).expect("the file name is one");
        self
    }

    /// Gives it the content of whatever else is given the same.
    pub fn content(mut self, content: &str) -> Self {
        self.photo.original.sha256 = Sha256Digest::of(content.as_bytes());
        self
    }

    /// Gives its file a length.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.photo.original.bytes = bytes;
        self
    }

    /// Gives its file a type.
    pub fn media_type(mut self, media_type: MediaType) -> Self {
        self.photo.original.content_type = media_type;
        self.photo.state = PhotoState::Ready(facts(media_type));
        self
    }

    /// Puts it in a state.
    pub fn state(mut self, state: PhotoState) -> Self {
        self.photo.state = state;
        self
    }

    /// Has it wait for its bytes.
    pub fn uploading(self) -> Self {
        self.state(PhotoState::Uploading)
    }

    /// Puts it into the trash.
    pub fn trashed(mut self, at: Timestamp) -> Self {
        self.photo.trashed = Some(Trashed { at, with_album: None });
        self
    }

    /// The photo.
    #[must_use]
    pub fn build(self) -> Photo {
        self.photo
    }
}

/// What a camera's photo of this type is like, every field filled in.
pub fn facts(media_type: MediaType) -> ImageFacts {
    ImageFacts {
        media_type,
        width: 6000,
        height: 4000,
        placeholder: ThumbHash::from_bytes(vec![0, 1, 127, 128, 255]),
        exif: ExifSummary {
            taken_at: "2024-06-01T12:30:00.250-09:30".parse().ok(),
            make: Some("SONY".to_owned()),
            model: Some("ILCE-6000 “α”".to_owned()),
            lens: Some("E 35mm F1.8 OSS".to_owned()),
            exposure_seconds: Some(1.0 / 3.0),
            f_number: Some(1.8),
            iso: Some(u32::MAX),
            focal_length_mm: Some(35.0),
            position: Some(Position { latitude: -33.856_784, longitude: 151.215_297, altitude_m: Some(-0.5) }),
        },
        damaged: false,
    }
}

/// Every state a photo can be in, by name.
pub fn states() -> Vec<PhotoState> {
    let failure =
        Failure { kind: FailureKind::Damaged, detail: "The file's end is missing: send it again.".to_owned() };
    let settled_at = Timestamp::from_millis(1_704_067_200_123);
    vec![
        PhotoState::Uploading,
        PhotoState::Processing,
        PhotoState::Ready(facts(MediaType::Jpeg)),
        PhotoState::Failed(failure),
        PhotoState::Erasing { settled_at },
    ]
}

/// Texts in eight scripts and more, each with a word of itself.
pub const SCRIPTS: [(&str, &str); 13] = [
    ("Sunset over Äußere Alster", "Alster"),
    ("Ηλιοβασίλεμα στη Σαντορίνη", "Σαντορίνη"),
    ("Закат над Невой", "Невой"),
    ("غروب الشمس في القاهرة", "القاهرة"),
    ("שקיעה בתל אביב", "שקיעה"),
    ("सूर्यास्त हिमालय", "हिमालय"),
    ("日落在黃山頂", "黃山"),
    ("富士山のゆうやけ", "ゆうやけ"),
    ("제주도의 해돋이", "해돋이"),
    ("พระอาทิตย์ตกที่ภูเก็ต", "ภูเก็ต"),
    ("მზის ჩასვლა ბათუმში", "ბათუმში"),
    ("Մայրամուտ Երևանում", "Երևանում"),
    ("ጀምበር ስትጠልቅ", "ስትጠልቅ"),
];

/// Texts that break what quotes too little or too much.
pub const HOSTILE: [&str; 22] = [
    "'",
    "\"",
    "''\"\"``´",
    "\\",
    "\\\\'; --",
    "%",
    "_",
    "100% _sure_ [abc]* ?",
    "'); DROP TABLE photo; --",
    "' OR '1'='1",
    "a\\' OR 1=1 /*",
    "NEAR(a b, 3) AND NOT OR ^a \"b\"*",
    "a & b | !c <-> d:*AB",
    "{title description}: - + ( ) :",
    "${jndi:ldap://x} {{7*7}} %s %n %00",
    "<script>alert(1)</script>",
    "👩‍👩‍👧‍👦 🏳️‍🌈 🇺🇳 👍🏽",
    "\u{202E}gnp.exe\u{202C} \u{200F}\u{200E}",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "\u{FEFF}\u{200B}\u{200D}x\u{FFFD}\u{FFFF}\u{10FFFF}",
    "NULL",
    "\u{1F600}\u{E000}\u{D7FF}",
];

/// A quota that nothing of a test uses up.
pub const AMPLE: Quota = Quota { bytes: u64::MAX, photos: u64::MAX, pending_uploads: u64::MAX };

/// The work on a photo, due at a time.
pub fn work_on(photo: &Photo, due_at: Timestamp) -> Work {
    Work::new(Task::Photo { owner: photo.owner, photo: photo.id }, due_at)
}

/// Inserts a photo, with work that is due in a thousand years.
pub async fn keep(store: &Repositories, photo: &Photo) {
    let work = work_on(photo, Timestamp::from_millis(32_503_680_000_000));
    store.photos.insert(photo, &AMPLE, &work).await.succeeds("inserting a photo");
}

/// Inserts photos, several at a time.
pub async fn keep_all(store: &Repositories, photos: &[Photo]) {
    for some in photos.chunks(RACERS) {
        join_all(some.iter().map(|photo| keep(store, photo))).await;
    }
}

/// Inserts an album.
pub async fn keep_album(store: &Repositories, album: &Album) {
    store.albums.insert(album).await.succeeds("inserting an album");
}

/// Changes a photo in the store: reads it, changes it, writes it with the next revision.
pub async fn change(store: &Repositories, owner: UserId, id: PhotoId, change: impl FnOnce(&mut Photo)) -> Photo {
    let mut photo = store.photos.find(owner, id).await.succeeds("finding a photo").expect("a photo is there");
    let read_at = photo.revision;
    change(&mut photo);
    photo.revision = read_at.next();
    store.photos.replace(&photo, read_at, None).await.succeeds("replacing a photo");
    photo
}

/// Changes an album in the store, likewise.
pub async fn change_album(store: &Repositories, owner: UserId, id: AlbumId, change: impl FnOnce(&mut Album)) -> Album {
    let mut album = store.albums.find(owner, id).await.succeeds("finding an album").expect("an album is there").album;
    let read_at = album.revision;
    change(&mut album);
    album.revision = read_at.next();
    store.albums.replace(&album, read_at, None).await.succeeds("replacing an album");
    album
}

/// Puts a photo into the trash.
pub fn trash(at: Timestamp) -> impl FnOnce(&mut Photo) {
    move |photo| photo.trashed = Some(Trashed { at, with_album: None })
}

/// Takes a photo out of the trash.
pub fn restore(photo: &mut Photo) {
    photo.trashed = None;
}

/// Puts an album into the trash.
pub fn trash_album(at: Timestamp) -> impl FnOnce(&mut Album) {
    move |album| album.trashed = Some(AlbumTrashed { at, photos: AlbumPhotos::Keep })
}

/// Puts photos into an album behind those that stand there, in this order, and answers their places.
pub async fn append(store: &Repositories, album: &Album, photos: &[&Photo]) -> Vec<Membership> {
    let last = store.albums.last_member(album.owner, album.id).await.succeeds("finding the last place");
    let ranks = Rank::spread(last.as_ref().map(|place| &place.rank), None, photos.len()).expect("there is room");
    let places: Vec<Membership> =
        photos.iter().zip(ranks).map(|(photo, rank)| Membership { photo: photo.id, rank }).collect();
    for some in places.chunks(100) {
        store.albums.add_photos(album.owner, album.id, some).await.succeeds("adding photos");
    }
    places
}

/// The sort key of a place in an album.
pub fn rank_cursor(place: &Membership) -> RankCursor {
    RankCursor { rank: place.rank.clone(), photo: place.photo }
}

/// Panics unless all that a store derives of an owner's photos is what counting them gives: usage, months, tags, and what each list
/// holds.
pub async fn assert_derived(store: &Repositories, owner: UserId, when: &str) {
    let photos: Vec<Photo> = walk(PageSize::MAX, async |page| store.photos.all(owner, page).await).await;

    let usage = store.users.usage(owner).await.succeeds("reading the usage");
    let counted = Usage {
        bytes: photos.iter().map(|photo| photo.original.bytes).sum(),
        photos: photos.len() as u64,
        pending_uploads: photos.iter().filter(|photo| photo.state == PhotoState::Uploading).count() as u64,
    };
    assert_eq!(usage, counted, "the usage is not what counting gives, {when}");

    let mut months: BTreeMap<Month, u64> = BTreeMap::new();
    let mut tags: BTreeMap<String, u64> = BTreeMap::new();
    for photo in photos.iter().filter(|photo| photo.is_visible()) {
        *months.entry(photo.month()).or_default() += 1;
        for tag in photo.details.tags.iter() {
            *tags.entry(tag.key().to_owned()).or_default() += 1;
        }
    }
    let months: Vec<MonthCount> =
        months.into_iter().rev().map(|(month, photos)| MonthCount { month, photos }).collect();
    let kept = store.photos.months(owner).await.succeeds("reading the months");
    assert_eq!(kept, months, "the months are not what counting gives, {when}");
    let tags: Vec<(String, u64)> = tags.into_iter().collect();
    let kept = store.photos.tags(owner, "", 1_000).await.succeeds("reading the tags");
    let kept: Vec<(String, u64)> = kept.into_iter().map(|count| (count.tag.key().to_owned(), count.photos)).collect();
    assert_eq!(kept, tags, "the tags are not what counting gives, {when}");

    let list = |is_listed: fn(&Photo) -> bool, listed_at: fn(&Photo) -> Timestamp| {
        let mut listed: Vec<&Photo> = photos.iter().filter(|photo| is_listed(photo)).collect();
        listed.sort_by_key(|photo| std::cmp::Reverse((listed_at(photo), photo.id)));
        listed.into_iter().cloned().collect::<Vec<Photo>>()
    };
    let timeline = walk(PageSize::MAX, async |page| store.photos.timeline(owner, page).await).await;
    assert_eq!(timeline, list(Photo::is_visible, Photo::timeline_instant), "the timeline, {when}");
    let favourites = walk(PageSize::MAX, async |page| store.photos.favourites(owner, page).await).await;
    let expected = list(|photo| photo.is_visible() && photo.details.favourite, Photo::timeline_instant);
    assert_eq!(favourites, expected, "the favourites, {when}");
    let trash = walk(PageSize::MAX, async |page| store.photos.trash(owner, page).await).await;
    let trashed_at = |photo: &Photo| photo.trashed.map_or(Timestamp::MIN, |trashed| trashed.at);
    assert_eq!(trash, list(Photo::is_in_trash, trashed_at), "the trash, {when}");
    let unfinished = walk(PageSize::MAX, async |page| store.photos.unfinished(owner, page).await).await;
    assert_eq!(unfinished, list(Photo::is_unfinished, |photo| photo.created_at), "the unfinished photos, {when}");

    let found = store.photos.audit(owner, false).await.succeeds("an audit");
    assert!(found.is_empty(), "an audit finds {found:?}, {when}");
}
