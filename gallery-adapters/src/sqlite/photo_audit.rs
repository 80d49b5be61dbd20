//! The audit of what is derived from an owner's photos.
//!
//! It goes from the bottom up: first what each photo's row repeats of the photo, and the photo's entry in the search index, told by
//! the domain; then what SQL can count over those rows. Everything is one transaction, so that nothing changes in between.

use gallery_domain::ports::{Discrepancy, RepositoryError};
use gallery_domain::terms::PhotoTerms;
use gallery_domain::{Photo, UserId};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::SqliteStore;
use super::error::failed;
use super::photo_index::{self, owner_token, quoted, second_of, second_of_row};
use super::photo_repository::{move_to_row, write};
use super::rows::{self, photo_columns};

const OPERATION: &str = "photo audit";

/// How many photos are held in memory at a time.
const CHUNK: i64 = 500;

/// Recounts, names the differences, and repairs them if asked.
pub(super) async fn audit(
    store: &SqliteStore,
    owner: UserId,
    repair: bool,
) -> Result<Vec<Discrepancy>, RepositoryError> {
    let failed = failed(OPERATION);
    if !repair {
        let mut snapshot = store.readers.begin().await.map_err(&failed)?;
        let mut found = photos(&mut snapshot, owner, false).await?;
        found.extend(counts(&mut snapshot, owner).await?);
        return Ok(found);
    }
    let mut change = store.begin(OPERATION).await?;
    let mut found = counts(&mut change, owner).await?;
    let of_photos = photos(&mut change, owner, true).await?;
    if found.is_empty() && of_photos.is_empty() {
        return Ok(found);
    }
    // What a photo's repaired row changed in the counts was wrong for the same reason, and is counted anew below.
    for statement in RECOUNT {
        sqlx::query(*statement).bind(owner.as_uuid()).execute(&mut *change).await.map_err(&failed)?;
    }
    change.commit().await.map_err(&failed)?;
    found.splice(0..0, of_photos);
    Ok(found)
}

/// What the row of each photo repeats of it, and what stands of it in the search index.
async fn photos(
    connection: &mut SqliteConnection,
    owner: UserId,
    repair: bool,
) -> Result<Vec<Discrepancy>, RepositoryError> {
    let failed = failed(OPERATION);
    let mut found = Vec::new();
    let mut after: Option<Uuid> = None;
    loop {
        let chunk = sqlx::query(concat!(
            "SELECT photo.row, photo.timeline_at, photo.month, photo.listed_in, photo.holds_content, photo.terms, \
             (SELECT hex(sz) FROM photo_index_docsize WHERE id = photo.row) AS tokens, ",
            photo_columns!(),
            " FROM photo WHERE owner_id = ?1 AND id > coalesce(?2, x'') ORDER BY id LIMIT ?3"
        ))
        .bind(owner.as_uuid())
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *connection)
        .await
        .map_err(&failed)?;
        for row in &chunk {
            let photo = rows::photo(row)?;
            after = Some(photo.id.as_uuid());
            let at: i64 = rows::scalar("photo", row, "row")?;
            let mut right = at;
            let terms = photo.terms();
            let (stored, counted) = (stored_columns(row)?, derived_columns(&photo, &terms));
            if stored != counted {
                found.push(Discrepancy { subject: format!("columns of photo {}", photo.id), stored, counted });
                if repair {
                    let second = second_of(photo.timeline_instant());
                    if second != second_of_row(at) {
                        right = photo_index::free_row(connection, second).await.map_err(&failed)?;
                        move_to_row(connection, at, right, &photo).await.map_err(&failed)?;
                    }
                    write(connection, right, &photo, &terms).await.map_err(&failed)?;
                }
            }
            let tokens = if photo.is_visible() { photo_index::tokens(owner, &terms) } else { Vec::new() };
            let indexed =
                indexed(connection, at, rows::scalar("photo", row, "tokens")?, &tokens).await.map_err(&failed)?;
            if indexed != Indexed::Right || right != at {
                if indexed != Indexed::Right {
                    found.push(Discrepancy {
                        subject: format!("search index of photo {}", photo.id),
                        stored: indexed.to_string(),
                        counted: format!("{} tokens", tokens.len()),
                    });
                }
                if repair {
                    photo_index::remove(connection, at).await.map_err(&failed)?;
                    photo_index::remove(connection, right).await.map_err(&failed)?;
                    if photo.is_visible() {
                        photo_index::add(connection, right, owner, &terms).await.map_err(&failed)?;
                    }
                }
            }
        }
        if chunk.len() < CHUNK as usize {
            break;
        }
    }
    found.extend(strays(connection, owner, repair).await.map_err(&failed)?);
    Ok(found)
}

/// Entries of the search index under the owner's name that belong to no photo of the owner.
async fn strays(
    connection: &mut SqliteConnection,
    owner: UserId,
    repair: bool,
) -> Result<Vec<Discrepancy>, sqlx::Error> {
    let strays: Vec<i64> = sqlx::query_scalar(
        "SELECT rowid FROM photo_index WHERE photo_index MATCH ?1 \
         AND NOT EXISTS (SELECT 1 FROM photo WHERE photo.row = photo_index.rowid AND photo.owner_id = ?2)",
    )
    .bind(quoted(&owner_token(owner)))
    .bind(owner.as_uuid())
    .fetch_all(&mut *connection)
    .await?;
    if repair {
        for row in &strays {
            photo_index::remove(connection, *row).await?;
        }
    }
    let stray = |row: &i64| Discrepancy {
        subject: format!("search index at row {row}"),
        stored: "an entry".to_owned(),
        counted: "no photo".to_owned(),
    };
    Ok(strays.iter().map(stray).collect())
}

/// How an entry of the search index compares to its photo.
#[derive(PartialEq, Eq)]
enum Indexed {
    Right,
    Absent,
    Unwanted,
    Different,
}

impl std::fmt::Display for Indexed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Right => "the same",
            Self::Absent => "no entry",
            Self::Unwanted => "an entry",
            Self::Different => "other tokens",
        })
    }
}

/// Compares an entry with the tokens that it should have: as many, and each of them. `stored` is how many it has, as FTS5 writes it.
async fn indexed(
    connection: &mut SqliteConnection,
    row: i64,
    stored: Option<String>,
    tokens: &[String],
) -> Result<Indexed, sqlx::Error> {
    match (stored, tokens) {
        (None, []) => Ok(Indexed::Right),
        (None, _) => Ok(Indexed::Absent),
        (Some(_), []) => Ok(Indexed::Unwanted),
        // A photo has fewer than 128 tokens, so that their number is one byte.
        (Some(stored), tokens) if stored != format!("{:02X}", tokens.len()) => Ok(Indexed::Different),
        (Some(_), tokens) => {
            let every = tokens.iter().map(|token| quoted(token)).collect::<Vec<_>>().join(" AND ");
            let all: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM photo_index WHERE photo_index MATCH ?1 AND rowid = ?2)",
            )
            .bind(every)
            .bind(row)
            .fetch_one(connection)
            .await?;
            Ok(if all { Indexed::Right } else { Indexed::Different })
        }
    }
}

/// The columns of a row that repeat what the domain tells, as a line of text.
fn stored_columns(row: &SqliteRow) -> Result<String, RepositoryError> {
    let at: i64 = rows::scalar("photo", row, "timeline_at")?;
    let month: &str = rows::scalar("photo", row, "month")?;
    let listed: Option<&str> = rows::scalar("photo", row, "listed_in")?;
    let holds: bool = rows::scalar("photo", row, "holds_content")?;
    let tags: &str = rows::scalar("photo", row, "tags")?;
    let terms: &str = rows::scalar("photo", row, "terms")?;
    Ok(columns(at, month, listed, holds, tags, terms))
}

fn derived_columns(photo: &Photo, terms: &PhotoTerms) -> String {
    columns(
        photo.timeline_instant().as_millis(),
        &photo.month().to_string(),
        rows::listed_in(photo),
        photo.holds_content(),
        &rows::tags_to_json(&photo.details.tags),
        &rows::terms_to_json(terms),
    )
}

fn columns(at: i64, month: &str, listed: Option<&str>, holds_content: bool, tags: &str, terms: &str) -> String {
    let listed = listed.unwrap_or("nothing");
    format!("at {at}, month {month}, listed in {listed}, holds content: {holds_content}, tags {tags}, terms {terms}")
}

/// What is counted over the rows of photos and places.
async fn counts(connection: &mut SqliteConnection, owner: UserId) -> Result<Vec<Discrepancy>, RepositoryError> {
    let mut found = Vec::new();
    for statement in COMPARE {
        let rows: Vec<(String, String, String)> = sqlx::query_as(*statement)
            .bind(owner.as_uuid())
            .fetch_all(&mut *connection)
            .await
            .map_err(failed(OPERATION))?;
        found.extend(rows.into_iter().map(|(subject, stored, counted)| Discrepancy { subject, stored, counted }));
    }
    Ok(found)
}

/// Each names what differs: the subject, what is stored, what counting gives. What is stored and what is counted meet by sorting, as no
/// index would help a join of the two.
pub(super) const COMPARE: &[&str] = &[
    "SELECT 'usage', stored, counted FROM \
        (SELECT format('%d bytes, %d photos, %d pending', coalesce(sum(bytes), 0), count(*), \
            coalesce(sum(state = 'uploading'), 0)) AS counted FROM photo WHERE owner_id = ?1), \
        (SELECT coalesce((SELECT format('%d bytes, %d photos, %d pending', bytes, photos, pending_uploads) \
            FROM usage WHERE owner_id = ?1), '0 bytes, 0 photos, 0 pending') AS stored) \
     WHERE stored <> counted",
    "SELECT 'month ' || month, CAST(coalesce(max(stored), 0) AS TEXT), CAST(coalesce(max(counted), 0) AS TEXT) FROM \
        (SELECT month, photos AS stored, NULL AS counted FROM month_count WHERE owner_id = ?1 \
         UNION ALL SELECT month, NULL, count(*) FROM photo WHERE owner_id = ?1 AND listed_in = 'timeline' GROUP BY month) \
     GROUP BY month HAVING max(stored) IS NOT max(counted)",
    "SELECT 'tag ' || key || ' of photo ' || lower(hex(photo_id)), coalesce(max(stored), 'none'), \
        coalesce(max(counted), 'none') FROM \
        (SELECT key, photo_id, spelling AS stored, NULL AS counted FROM photo_tag WHERE owner_id = ?1 \
         UNION ALL SELECT value ->> 0, photo.id, NULL, value ->> 1 FROM photo CROSS JOIN json_each(photo.tags) \
            WHERE photo.owner_id = ?1 AND photo.listed_in = 'timeline') \
     GROUP BY key, photo_id HAVING max(stored) IS NOT max(counted)",
    "SELECT 'tag ' || key, CAST(coalesce(max(stored), 0) AS TEXT), CAST(coalesce(max(counted), 0) AS TEXT) FROM \
        (SELECT key, photos AS stored, NULL AS counted FROM tag_count WHERE owner_id = ?1 \
         UNION ALL SELECT value ->> 0, NULL, count(*) FROM photo CROSS JOIN json_each(photo.tags) \
            WHERE photo.owner_id = ?1 AND photo.listed_in = 'timeline' GROUP BY 1) \
     GROUP BY key HAVING max(stored) IS NOT max(counted)",
    "SELECT 'term ' || term, CAST(coalesce(max(stored), 0) AS TEXT), CAST(coalesce(max(counted), 0) AS TEXT) FROM \
        (SELECT term, photos AS stored, NULL AS counted FROM term_count WHERE owner_id = ?1 \
         UNION ALL SELECT value, NULL, count(*) FROM photo CROSS JOIN json_each(photo.terms, '$.all') \
            WHERE photo.owner_id = ?1 AND photo.listed_in = 'timeline' GROUP BY 1) \
     GROUP BY term HAVING max(stored) IS NOT max(counted)",
    "SELECT 'place of photo ' || lower(hex(photo.id)) || ' in album ' || lower(hex(album.id)), \
        format('visible: %d, at %d', album_photo.visible, album_photo.timeline_at), \
        format('visible: %d, at %d', photo.listed_in IS 'timeline', photo.timeline_at) \
     FROM album CROSS JOIN album_photo ON album_photo.album_id = album.id \
        CROSS JOIN photo ON photo.id = album_photo.photo_id \
     WHERE album.owner_id = ?1 \
        AND (album_photo.visible <> (photo.listed_in IS 'timeline') OR album_photo.timeline_at <> photo.timeline_at)",
    "SELECT 'photos of album ' || lower(hex(id)), CAST(photo_count AS TEXT), CAST(counted AS TEXT) FROM \
        (SELECT id, photo_count, (SELECT count(*) FROM album_photo CROSS JOIN photo ON photo.id = album_photo.photo_id \
            WHERE album_photo.album_id = album.id AND photo.listed_in = 'timeline') AS counted \
         FROM album WHERE owner_id = ?1) \
     WHERE photo_count <> counted",
];

/// Writes all of it anew. The counts come last, after the triggers of what they count.
pub(super) const RECOUNT: &[&str] = &[
    "DELETE FROM photo_tag WHERE owner_id = ?1",
    "INSERT INTO photo_tag (owner_id, key, photo_id, spelling) SELECT photo.owner_id, value ->> 0, photo.id, value ->> 1 \
     FROM photo CROSS JOIN json_each(photo.tags) WHERE photo.owner_id = ?1 AND photo.listed_in = 'timeline'",
    "DELETE FROM tag_count WHERE owner_id = ?1",
    "INSERT INTO tag_count (owner_id, key, photos) SELECT owner_id, key, count(*) FROM photo_tag WHERE owner_id = ?1 GROUP BY key",
    "DELETE FROM term_count WHERE owner_id = ?1",
    "INSERT INTO term_count (owner_id, term, photos) SELECT photo.owner_id, value, count(*) \
     FROM photo CROSS JOIN json_each(photo.terms, '$.all') WHERE photo.owner_id = ?1 AND photo.listed_in = 'timeline' GROUP BY value",
    "DELETE FROM month_count WHERE owner_id = ?1",
    "INSERT INTO month_count (owner_id, month, photos) SELECT owner_id, month, count(*) FROM photo \
     WHERE owner_id = ?1 AND listed_in = 'timeline' GROUP BY month",
    "DELETE FROM usage WHERE owner_id = ?1",
    "INSERT INTO usage (owner_id, bytes, photos, pending_uploads) \
     SELECT owner_id, sum(bytes), count(*), sum(state = 'uploading') FROM photo WHERE owner_id = ?1 GROUP BY owner_id",
    "UPDATE album_photo SET visible = photo.listed_in IS 'timeline', timeline_at = photo.timeline_at \
     FROM photo WHERE photo.id = album_photo.photo_id AND photo.owner_id = ?1 \
     AND (album_photo.visible <> (photo.listed_in IS 'timeline') OR album_photo.timeline_at <> photo.timeline_at)",
    "UPDATE album SET photo_count = \
     (SELECT count(*) FROM album_photo WHERE album_photo.album_id = album.id AND album_photo.visible = 1) WHERE owner_id = ?1",
];
