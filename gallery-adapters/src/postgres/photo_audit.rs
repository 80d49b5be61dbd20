//! The audit of what is derived from an owner's photos.
//!
//! It goes from the bottom up: first what each photo's row repeats of the photo, told by the domain; then what SQL can count over those rows.
//! Everything is one transaction, so that nothing changes in between, and no limit of time holds for it.

use futures_util::FutureExt;
use gallery_domain::ports::{Discrepancy, RepositoryError};
use gallery_domain::{Photo, UserId};
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::PostgresStore;
use super::change::{Interruption, Session};
use super::photo_index;
use super::photo_repository::write;
use super::rows::{self, photo_columns};

const OPERATION: &str = "photo audit";

/// How many photos are held in memory at a time.
const CHUNK: i64 = 500;

/// Recounts, names the differences, and repairs them if asked.
pub(super) async fn audit(
    store: &PostgresStore,
    owner: UserId,
    repair: bool,
) -> Result<Vec<Discrepancy>, RepositoryError> {
    let store = store.unhurried();
    if !repair {
        return store
            .snapshot(OPERATION, |session| {
                async move {
                    take_time(session).await?;
                    let mut found = photos(session, owner, false).await?;
                    found.extend(counts(session, owner).await?);
                    Ok(found)
                }
                .boxed()
            })
            .await;
    }
    store
        .change(OPERATION, Some(owner), |session| {
            async move {
                take_time(session).await?;
                let mut found = counts(session, owner).await?;
                let of_photos = photos(session, owner, true).await?;
                if found.is_empty() && of_photos.is_empty() {
                    return Ok(found);
                }
                // What a photo's repaired row changed in the counts was wrong for the same reason, and is counted anew below.
                for statement in RECOUNT {
                    session.query(statement).bind(owner.as_uuid()).execute(session.connection()).await?;
                }
                found.splice(0..0, of_photos);
                Ok(found)
            }
            .boxed()
        })
        .await
}

/// Lifts the server's limit of time from the statements of this transaction.
async fn take_time(session: &mut Session<'_>) -> Result<(), Interruption> {
    session.query("SET LOCAL statement_timeout = 0").execute(session.connection()).await?;
    Ok(())
}

/// What the row of each photo repeats of it.
async fn photos(session: &mut Session<'_>, owner: UserId, repair: bool) -> Result<Vec<Discrepancy>, Interruption> {
    let mut found = Vec::new();
    let mut after: Option<Uuid> = None;
    loop {
        let statement = session
            .query(concat!(
                "SELECT photo.timeline_at, photo.month, photo.listed_in, photo.holds_content, \
                 tsvector_to_array(photo.terms) AS terms, photo.words::text, ",
                photo_columns!(),
                " FROM gallery.photo WHERE (owner_id, id) >= ($1, coalesce($2::uuid, $3)) AND (owner_id, id) <= ($1, $5) \
                 AND id IS DISTINCT FROM $2 ORDER BY owner_id, id LIMIT $4"
            ))
            .bind(owner.as_uuid())
            .bind(after)
            .bind(Uuid::nil())
            .bind(CHUNK)
            .bind(Uuid::max());
        let chunk = statement.fetch_all(session.connection()).await?;
        for row in &chunk {
            let photo = rows::photo(row)?;
            after = Some(photo.id.as_uuid());
            let (stored, counted) = (stored_columns(row)?, derived_columns(&photo));
            if stored != counted {
                found.push(Discrepancy { subject: format!("columns of photo {}", photo.id), stored, counted });
                if repair {
                    write(session, &photo).await?;
                }
            }
        }
        if chunk.len() < CHUNK as usize {
            return Ok(found);
        }
    }
}

/// The columns of a row that repeat what the domain tells, as a line of text.
fn stored_columns(row: &PgRow) -> Result<String, RepositoryError> {
    let at: i64 = rows::scalar("photo", row, "timeline_at")?;
    let month: &str = rows::scalar("photo", row, "month")?;
    let listed: Option<&str> = rows::scalar("photo", row, "listed_in")?;
    let holds: bool = rows::scalar("photo", row, "holds_content")?;
    let terms: Vec<String> = rows::scalar("photo", row, "terms")?;
    let words: &str = rows::scalar("photo", row, "words")?;
    Ok(columns(at, month, listed, holds, terms, words))
}

fn derived_columns(photo: &Photo) -> String {
    let terms = photo.terms();
    columns(
        photo.timeline_instant().as_millis(),
        &photo.month().to_string(),
        rows::listed_in(photo),
        photo.holds_content(),
        photo_index::lexemes(&terms),
        &rows::terms_to_json(&terms),
    )
}

fn columns(
    at: i64,
    month: &str,
    listed: Option<&str>,
    holds_content: bool,
    mut terms: Vec<String>,
    words: &str,
) -> String {
    let listed = listed.unwrap_or("nothing");
    // A `tsvector` has an order of its own.
    terms.sort_unstable();
    format!(
        "at {at}, month {month}, listed in {listed}, holds content: {holds_content}, terms {terms:?}, words {words}"
    )
}

/// What is counted over the rows of photos and places.
async fn counts(session: &mut Session<'_>, owner: UserId) -> Result<Vec<Discrepancy>, Interruption> {
    let mut found = Vec::new();
    for statement in COMPARE {
        let statement = session.query_as::<(String, String, String)>(statement).bind(owner.as_uuid());
        let rows = statement.fetch_all(session.connection()).await?;
        found.extend(rows.into_iter().map(|(subject, stored, counted)| Discrepancy { subject, stored, counted }));
    }
    Ok(found)
}

/// Each names what differs: the subject, what is stored, what counting gives. What is stored and what is counted meet by sorting or hashing.
pub(super) const COMPARE: &[&str] = &[
    "SELECT 'usage', stored, counted FROM \
        (SELECT format('%s bytes, %s photos, %s pending', coalesce(sum(bytes), 0), count(*), \
            count(*) FILTER (WHERE state = 'uploading')) AS counted FROM gallery.photo WHERE owner_id = $1) AS counted, \
        (SELECT coalesce((SELECT format('%s bytes, %s photos, %s pending', bytes, photos, pending_uploads) \
            FROM gallery.usage WHERE owner_id = $1), '0 bytes, 0 photos, 0 pending') AS stored) AS stored \
     WHERE stored <> counted",
    "SELECT 'month ' || month, coalesce(max(stored), 0)::text, coalesce(max(counted), 0)::text FROM \
        (SELECT month, photos AS stored, NULL::bigint AS counted FROM gallery.month_count WHERE owner_id = $1 \
         UNION ALL SELECT month, NULL, count(*) FROM gallery.photo WHERE owner_id = $1 AND listed_in = 'timeline' GROUP BY month) \
        AS months \
     GROUP BY month HAVING max(stored) IS DISTINCT FROM max(counted)",
    "SELECT 'tag ' || key, coalesce(max(stored), 0)::text, coalesce(max(counted), 0)::text FROM \
        (SELECT key, photos AS stored, NULL::bigint AS counted FROM gallery.tag_count WHERE owner_id = $1 \
         UNION ALL SELECT key, NULL, count(*) FROM gallery.photo CROSS JOIN unnest(photo.tag_keys) AS key \
            WHERE photo.owner_id = $1 AND photo.listed_in = 'timeline' GROUP BY key) AS tags \
     GROUP BY key HAVING max(stored) IS DISTINCT FROM max(counted)",
    "SELECT format('search index of photo %s', photo_id), \
        coalesce(string_agg(term, ', ' ORDER BY term) FILTER (WHERE stored), 'nothing more'), \
        coalesce(string_agg(term, ', ' ORDER BY term) FILTER (WHERE NOT stored), 'nothing more') FROM \
        (SELECT photo_id, term, bool_or(stored) AS stored FROM \
            (SELECT photo_id, timeline_at, term, true AS stored FROM gallery.photo_term WHERE owner_id = $1 \
             UNION ALL SELECT id, timeline_at, unnest(gallery.indexed_terms(terms, tag_keys)), false FROM gallery.photo \
                WHERE owner_id = $1 AND listed_in = 'timeline') AS entries \
         GROUP BY photo_id, timeline_at, term HAVING count(*) <> 2) AS differing \
     GROUP BY photo_id",
    "SELECT format('place of photo %s in album %s', photo.id, album.id), \
        format('visible: %s, at %s', album_photo.visible, album_photo.timeline_at), \
        format('visible: %s, at %s', photo.listed_in IS NOT DISTINCT FROM 'timeline', photo.timeline_at) \
     FROM gallery.album JOIN gallery.album_photo ON album_photo.album_id = album.id \
        JOIN gallery.photo ON photo.id = album_photo.photo_id \
     WHERE album.owner_id = $1 AND (album_photo.visible <> (photo.listed_in IS NOT DISTINCT FROM 'timeline') \
        OR album_photo.timeline_at <> photo.timeline_at)",
    "SELECT format('photos of album %s', id), photo_count::text, counted::text FROM \
        (SELECT id, photo_count, (SELECT count(*) FROM gallery.album_photo JOIN gallery.photo ON photo.id = album_photo.photo_id \
            WHERE album_photo.album_id = album.id AND photo.listed_in = 'timeline') AS counted \
         FROM gallery.album WHERE owner_id = $1) AS albums \
     WHERE photo_count <> counted",
];

/// Writes all of it anew. The counts come last, after the triggers of what they count.
pub(super) const RECOUNT: &[&str] = &[
    "DELETE FROM gallery.photo_term WHERE owner_id = $1",
    "INSERT INTO gallery.photo_term (owner_id, term, timeline_at, photo_id) \
     SELECT owner_id, unnest(gallery.indexed_terms(terms, tag_keys)), timeline_at, id FROM gallery.photo \
     WHERE owner_id = $1 AND listed_in = 'timeline'",
    "DELETE FROM gallery.tag_count WHERE owner_id = $1",
    "INSERT INTO gallery.tag_count (owner_id, key, photos) SELECT photo.owner_id, key, count(*) \
     FROM gallery.photo CROSS JOIN unnest(photo.tag_keys) AS key \
     WHERE photo.owner_id = $1 AND photo.listed_in = 'timeline' GROUP BY photo.owner_id, key",
    "DELETE FROM gallery.month_count WHERE owner_id = $1",
    "INSERT INTO gallery.month_count (owner_id, month, photos) SELECT owner_id, month, count(*) FROM gallery.photo \
     WHERE owner_id = $1 AND listed_in = 'timeline' GROUP BY owner_id, month",
    "DELETE FROM gallery.usage WHERE owner_id = $1",
    "INSERT INTO gallery.usage (owner_id, bytes, photos, pending_uploads) \
     SELECT owner_id, sum(bytes), count(*), count(*) FILTER (WHERE state = 'uploading') FROM gallery.photo \
     WHERE owner_id = $1 GROUP BY owner_id",
    "UPDATE gallery.album_photo SET visible = photo.listed_in IS NOT DISTINCT FROM 'timeline', timeline_at = photo.timeline_at \
     FROM gallery.photo WHERE photo.id = album_photo.photo_id AND photo.owner_id = $1 \
     AND (album_photo.visible <> (photo.listed_in IS NOT DISTINCT FROM 'timeline') OR album_photo.timeline_at <> photo.timeline_at)",
    "UPDATE gallery.album SET photo_count = \
     (SELECT count(*) FROM gallery.album_photo WHERE album_photo.album_id = album.id AND album_photo.visible) WHERE owner_id = $1",
];
