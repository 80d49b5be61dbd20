//! Every statement that the store runs for a request is answered by an index: none scans a table, none sorts more than it answers.
//!
//! The statements are taken down as the ports run them, so that none can be forgotten here. Audits are left out: they read everything.

#![cfg(feature = "sqlite")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

#[path = "sqlite/fixture.rs"]
mod fixture;
mod stores;

use sqlx::Row;

use fixture::Fixture;
use stores::every_method::use_every_method;
use stores::statements::Statements;

#[tokio::test]
async fn every_statement_of_a_request_is_answered_by_an_index() {
    let statements = Statements::default();
    let fixture = Fixture::new().await;
    tracing::subscriber::set_global_default(statements.clone()).unwrap();
    use_every_method(&fixture).await;
    // What is under way is reported before the file is closed.
    fixture.store.close().await;

    let statements = statements.taken_down();
    let mut connection = fixture.connection().await;
    let (mut explained, mut poor) = (0, Vec::new());
    for statement in &statements {
        if !["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| statement.starts_with(verb)) {
            continue;
        }
        explained += 1;
        let steps = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        for step in steps {
            let step: String = step.get("detail");
            let scans = step.starts_with("SCAN")
                && !step.contains("VIRTUAL TABLE INDEX")
                && !step.starts_with("SCAN CONSTANT ROW");
            if scans || step.contains("TEMP B-TREE") || step.contains("AUTOMATIC") {
                poor.push(format!("{step}\n  in {statement}"));
            }
        }
    }
    assert!(explained >= 75, "only {explained} statements were taken down");
    assert!(poor.is_empty(), "{}", poor.join("\n"));
}
