//! Fills a database with the rows that the adapter would have written, far faster than through its port.
//!
//! What a row repeats of its photo is told by the domain, as in the adapter; what is counted is counted by SQL. An audit tells whether all of it is
//! as it should be.

use std::fmt::Write;
use std::time::Duration;

use gallery_domain::{
    AlbumId, Description, ExifSummary, FileName, ImageFacts, MediaType, Original, Photo, PhotoCursor, PhotoDetails,
    PhotoId, PhotoState, Rank, Revision, Sha256Digest, Tags, ThumbHash, Timestamp, Title, Trashed, UserId,
};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor};
use uuid::Uuid;

/// 2010-01-01: when everybody's photos begin.
const BEGINNING: i64 = 1_262_304_000_000;

/// Everybody's photos are of the same fourteen years, so that all have equally many months.
const YEARS: Duration = Duration::from_secs(14 * 365 * 86_400);

/// How many photos of each owner are of a comet: somewhat more than a page has.
const COMETS: u64 = 60;

/// How many places photos are of.
const PLACES: u64 = 300;

/// Somebody with many photos. One in five is of a beach and in the album, the others of the city; one in three of an eclipse; one in eight is a
/// favourite, one in sixteen in the trash, one in seventeen was never uploaded: enough for a page of each, also of few photos.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) id: UserId,
    pub(crate) photos: u64,
}

impl Owner {
    pub(crate) fn new(number: u64, photos: u64) -> Self {
        Self { id: UserId::from_uuid(Uuid::from_u128(0xA11CE << 64 | u128::from(number))), photos }
    }

    /// The owner's one album.
    pub(crate) fn album(&self) -> AlbumId {
        AlbumId::from_uuid(Uuid::from_u128(self.id.as_uuid().as_u128() << 1 | 1))
    }

    fn at(&self, number: u64) -> Timestamp {
        let step = u64::try_from(YEARS.as_millis()).unwrap() / self.photos;
        Timestamp::from_millis(BEGINNING).plus(Duration::from_millis(number * step))
    }

    /// A place in the owner's timeline, so far behind its end as this part of it.
    pub(crate) fn place(&self, part: f64) -> PhotoCursor {
        PhotoCursor::before(self.at((self.photos as f64 * (1.0 - part)) as u64))
    }

    /// The photos of the album, in its order.
    pub(crate) fn members(&self) -> Vec<(Rank, u64)> {
        let members: Vec<u64> = (0..self.photos).filter(|number| is_of_beach(*number)).collect();
        Rank::spread(None, None, members.len()).unwrap().into_iter().zip(members).collect()
    }

    /// The photo of this number, counted from the oldest. Those beyond the last are new.
    pub(crate) fn photo(&self, number: u64) -> Photo {
        let created_at = self.at(number);
        let scattered = mixed(mixed(self.id.as_uuid().as_u64_pair().1) ^ number);
        // Of version 7, as the gallery makes them: they rise with time.
        let id =
            u128::from(created_at.as_millis().cast_unsigned()) << 80 | 7 << 76 | 2 << 62 | u128::from(scattered >> 2);
        let tags: &[&str] = if is_of_beach(number) { &["Beach", "Summer"] } else { &["City"] };
        let place = number.wrapping_mul(7919) % PLACES;
        let comet = if number.is_multiple_of((self.photos / COMETS).max(1)) { " with a comet" } else { "" };
        let ready = PhotoState::Ready(ImageFacts {
            media_type: MediaType::Jpeg,
            width: 4_000,
            height: 3_000,
            placeholder: ThumbHash::from_bytes(vec![7; 21]),
            exif: ExifSummary::default(),
            damaged: false,
        });
        Photo {
            id: PhotoId::from_uuid(Uuid::from_u128(id)),
            owner: self.id,
            original: Original {
                file_name: FileName::parse(&format!("IMG_{number}.jpg")).unwrap(),
                content_type: MediaType::Jpeg,
                bytes: 4_000_000,
                sha256: Sha256Digest::of(&[self.id.as_uuid().as_bytes(), &number.to_be_bytes()[..]].concat()),
            },
            details: PhotoDetails {
                title: Title::parse(if number.is_multiple_of(3) { "Eclipse over the lake" } else { "A day out" })
                    .unwrap(),
                description: Description::parse(&format!("Near place{place}{comet}")).unwrap(),
                tags: Tags::parse("/tags", tags).unwrap(),
                favourite: number.is_multiple_of(8),
                ..PhotoDetails::default()
            },
            state: if number % 17 == 11 { PhotoState::Uploading } else { ready },
            trashed: (number % 16 == 7)
                .then(|| Trashed { at: created_at.plus(Duration::from_secs(86_400)), with_album: None }),
            created_at,
            revision: Revision::FIRST,
        }
    }
}

fn is_of_beach(number: u64) -> bool {
    number.is_multiple_of(5)
}

/// Spreads numbers that follow each other over all numbers.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

/// Everybody else's small things, so that their tables are no smaller than a page.
const OTHERS: &str = "\
    CREATE TEMPORARY TABLE other AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, 2000) AS n; \
    INSERT INTO gallery.account SELECT id, n || '@example.org', 'n', 'active', 1, 1, 1, n, 1 FROM other; \
    INSERT INTO gallery.credential SELECT id, 'p', 1 FROM other; \
    INSERT INTO gallery.one_time_code SELECT 'confirm', n || '@example.org', id, sha256('x'), n, 5, NULL FROM other; \
    INSERT INTO gallery.session SELECT gen_random_uuid(), id, sha256(n::text::bytea), '', n, n, 9000000000000 FROM other; \
    INSERT INTO gallery.idempotency_key SELECT id, 'k', sha256('x'), id, 9000000000000 FROM other; \
    INSERT INTO gallery.throttle SELECT n::text, 1, n, 9000000000000 FROM other; \
    INSERT INTO gallery.work SELECT 'photo', id, id, 9000000000000 + n, 0, NULL FROM other; \
    INSERT INTO gallery.usage SELECT id, 1, 1, 1 FROM other; \
    INSERT INTO gallery.month_count SELECT id, '2024-06', 1 FROM other; \
    INSERT INTO gallery.tag_count SELECT id, 'k', 1 FROM other; \
    INSERT INTO gallery.album (id, owner_id, title, title_key, description, created_at, revision) \
        SELECT gen_random_uuid(), id, 'a', 'a', '', n, 1 FROM other";

/// What is counted over photos and places, and the index of terms. The index is made once they are there, which is how it gets large in minutes.
const COUNTS: &str = "\
    INSERT INTO gallery.usage SELECT owner_id, sum(bytes), count(*), count(*) FILTER (WHERE state = 'uploading') \
        FROM gallery.photo GROUP BY owner_id; \
    INSERT INTO gallery.month_count SELECT owner_id, month, count(*) FROM gallery.photo WHERE listed_in = 'timeline' GROUP BY 1, 2; \
    INSERT INTO gallery.tag_count SELECT owner_id, unnest(tag_keys), count(*) FROM gallery.photo WHERE listed_in = 'timeline' GROUP BY 1, 2; \
    UPDATE gallery.album SET photo_count = (SELECT count(*) FROM gallery.album_photo WHERE album_id = album.id AND visible); \
    INSERT INTO gallery.photo_term SELECT owner_id, unnest(gallery.indexed_terms(terms, tag_keys)), timeline_at, id \
        FROM gallery.photo WHERE listed_in = 'timeline'";

/// Puts the photos of all owners into an empty database, in the order in which they were made, and lets the server look at what it has. `connection`
/// is a superuser's.
pub(crate) async fn fill(connection: &mut PgConnection, owners: &[Owner]) {
    connection.execute("SET session_replication_role = replica; SET statement_timeout = 0").await.unwrap();
    let mut photos: Vec<(Timestamp, usize, u64)> = Vec::new();
    for (owner, who) in owners.iter().enumerate() {
        photos.extend((0..who.photos).map(|number| (who.at(number), owner, number)));
    }
    photos.sort_unstable();
    let rows = photos.iter().map(|(_, owner, number)| owners[*owner].photo(*number));
    copy(connection, PHOTO, rows, photo_row).await;

    for owner in owners {
        let album = owner.album();
        let album_row = "INSERT INTO gallery.album (id, owner_id, title, title_key, description, created_at, revision) \
                         VALUES ($1, $2, 'Beaches', 'beaches', '', $3, 1)";
        let statement = sqlx::query(album_row).bind(album.as_uuid()).bind(owner.id.as_uuid()).bind(BEGINNING);
        statement.execute(&mut *connection).await.unwrap();
        let places = owner.members().into_iter().map(|(rank, number)| (rank, owner.photo(number)));
        copy(
            connection,
            "gallery.album_photo (album_id, photo_id, rank, visible, timeline_at)",
            places,
            |(rank, photo)| {
                let at = photo.timeline_instant().as_millis();
                vec![
                    album.to_string(),
                    photo.id.to_string(),
                    rank.as_str().to_owned(),
                    photo.is_visible().to_string(),
                    at.to_string(),
                ]
            },
        )
        .await;
    }

    let index: String = sqlx::query_scalar("SELECT pg_get_indexdef('gallery.photo_term_timeline'::regclass)")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    connection.execute("DROP INDEX gallery.photo_term_timeline").await.unwrap();
    connection.execute(COUNTS).await.unwrap();
    connection.execute(OTHERS).await.unwrap();
    connection.execute(AssertSqlSafe(index)).await.unwrap();
    connection.execute("SET session_replication_role = DEFAULT").await.unwrap();
    connection.execute("VACUUM (ANALYZE)").await.unwrap();
}

/// The columns in the order of [`photo_row`].
const PHOTO: &str = "gallery.photo (id, owner_id, file_name, content_type, bytes, sha256, title, description, tags, tag_keys, favourite, \
                     state, facts, trashed_at, created_at, revision, timeline_at, month, listed_in, holds_content, terms, words)";

fn photo_row(photo: Photo) -> Vec<String> {
    const NULL: &str = "\0";
    let json = |value: serde_json::Result<String>| value.unwrap();
    let list = |texts: Vec<&str>| {
        let quoted: Vec<_> =
            texts.iter().map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))).collect();
        format!("{{{}}}", quoted.join(","))
    };
    let (tags, tag_keys) = photo.details.tags.iter().map(|tag| (tag.as_str(), tag.key())).unzip();
    let terms = photo.terms();
    let lexemes =
        terms.all().iter().map(|term| format!("'{}'", term.as_str().replace('\\', "\\\\").replace('\'', "''")));
    let listed_in = match () {
        () if photo.is_visible() => "timeline",
        () if photo.is_in_trash() => "trash",
        () if photo.is_unfinished() => "unfinished",
        () => NULL,
    };
    vec![
        photo.id.to_string(),
        photo.owner.to_string(),
        photo.original.file_name.as_str().to_owned(),
        photo.original.content_type.as_str().to_owned(),
        photo.original.bytes.to_string(),
        format!("\\x{}", photo.original.sha256),
        photo.details.title.as_str().to_owned(),
        photo.details.description.as_str().to_owned(),
        list(tags),
        list(tag_keys),
        photo.details.favourite.to_string(),
        photo.state.name().to_owned(),
        photo.facts().map_or_else(|| NULL.to_owned(), |facts| json(serde_json::to_string(facts))),
        photo.trashed.map_or_else(|| NULL.to_owned(), |trashed| trashed.at.as_millis().to_string()),
        photo.created_at.as_millis().to_string(),
        photo.revision.get().to_string(),
        photo.timeline_instant().as_millis().to_string(),
        photo.month().to_string(),
        listed_in.to_owned(),
        photo.holds_content().to_string(),
        lexemes.collect::<Vec<_>>().join(" "),
        json(serde_json::to_string(&terms)),
    ]
}

/// Copies rows into a table. A text that begins with a zero is none.
async fn copy<T>(
    connection: &mut PgConnection,
    table: &str,
    rows: impl Iterator<Item = T>,
    columns: impl Fn(T) -> Vec<String>,
) {
    const CHUNK: usize = 1 << 20;
    let mut copying = connection.copy_in_raw(&format!("COPY {table} FROM STDIN")).await.unwrap();
    let mut buffer = String::with_capacity(2 * CHUNK);
    for row in rows {
        for (number, column) in columns(row).iter().enumerate() {
            if number > 0 {
                buffer.push('\t');
            }
            if column.starts_with('\0') {
                buffer.push_str("\\N");
            } else {
                write!(buffer, "{}", column.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n")).unwrap();
            }
        }
        buffer.push('\n');
        if buffer.len() >= CHUNK {
            copying.send(std::mem::take(&mut buffer).into_bytes()).await.unwrap();
        }
    }
    copying.send(buffer.into_bytes()).await.unwrap();
    copying.finish().await.unwrap();
}
