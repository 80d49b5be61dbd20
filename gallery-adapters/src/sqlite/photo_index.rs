//! The full-text index: how photos stand in it, and how it is kept.
//!
//! FTS5 streams the rows that match in the order of their row numbers, so a row's number begins with the second of the timeline it
//! stands at. Each term stands behind its owner, so the postings of a term are one owner's only, and a prefix is looked up among one
//! owner's terms; nobody's search costs more because others have many photos.

use gallery_domain::terms::PhotoTerms;
use gallery_domain::{Timestamp, UserId};
use sqlx::SqliteConnection;

/// How many numbers there are for the photos of one second: far more than photos.
const ROWS_PER_SECOND: i64 = 1 << 24;

/// The second of the timeline, counted from its beginning, that a moment lies in.
pub(super) fn second_of(timeline_at: Timestamp) -> i64 {
    (timeline_at.as_millis() - Timestamp::MIN.as_millis()) / 1000
}

/// The second that a row's number begins with.
pub(super) const fn second_of_row(row: i64) -> i64 {
    row / ROWS_PER_SECOND
}

/// The first moment of a second.
pub(super) fn start_of_second(second: i64) -> Timestamp {
    Timestamp::from_millis(Timestamp::MIN.as_millis() + second * 1000)
}

/// The lowest number of a second's rows.
pub(super) const fn first_row(second: i64) -> i64 {
    second * ROWS_PER_SECOND
}

/// The highest number of a second's rows.
pub(super) const fn last_row(second: i64) -> i64 {
    first_row(second) + (ROWS_PER_SECOND - 1)
}

/// A number that no photo of the second has.
pub(super) async fn free_row(connection: &mut SqliteConnection, second: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce(max(row) + 1, ?1) FROM photo WHERE row BETWEEN ?1 AND ?2")
        .bind(first_row(second))
        .bind(last_row(second))
        .fetch_one(connection)
        .await
}

/// Adds a photo of these terms to the index.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    row: i64,
    owner: UserId,
    terms: &PhotoTerms,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO photo_index (rowid, terms) VALUES (?1, ?2)")
        .bind(row)
        .bind(tokens(owner, terms).join("\n"))
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a row out of the index; one that is not there is passed over.
pub(super) async fn remove(connection: &mut SqliteConnection, row: i64) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM photo_index WHERE rowid = ?1").bind(row).execute(connection).await?;
    Ok(())
}

/// What stands in the index for a photo: its owner, and each of its terms behind its owner. Each once.
pub(super) fn tokens(owner: UserId, terms: &PhotoTerms) -> Vec<String> {
    let owner = owner_token(owner);
    let mut tokens: Vec<String> = terms.all().iter().map(|term| format!("{owner}{}", term.as_str())).collect();
    tokens.push(owner);
    tokens
}

/// The token that every photo of an owner has.
pub(super) fn owner_token(owner: UserId) -> String {
    owner.as_uuid().simple().to_string()
}

/// A token as FTS5's query language writes it, whatever it holds.
pub(super) fn quoted(token: &str) -> String {
    format!("\"{}\"", token.replace('"', "\"\""))
}
