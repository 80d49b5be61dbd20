//! Every statement that the store runs fits the schema, and every one that it runs for a request is answered by an index: none scans a table,
//! none sorts more than one request looks at.
//!
//! The statements are taken down as the ports run them, so that none can be forgotten here. Each is planned both ways that the server plans a
//! prepared statement: without knowing its values, which is what it ends at, and with some. Audits are left out: they read everything.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

mod postgres_server;
mod stores;

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Executor, Row, SqlSafeStr, Statement};

use postgres_server::Database;
use stores::every_method::use_every_method;
use stores::statements::Statements;
use stores::stored::Stored;

/// Fills the tables that grow with what a gallery holds, past the triggers.
const FILLED: &str = "\
    SET session_replication_role = replica; \
    INSERT INTO gallery.photo (id, owner_id, file_name, content_type, bytes, sha256, title, description, tags, tag_keys, favourite, \
        state, facts, created_at, revision, timeline_at, month, listed_in, holds_content, terms, words) \
    SELECT gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad((n % 20)::text, 12, '0'))::uuid, 'x.jpg', 'image/jpeg', 1, \
        sha256(n::text::bytea), '', '', '{Lake}', '{lake}', n % 9 = 0, 'ready', '{}', n, 1, n, '2024-06', \
        CASE n % 10 WHEN 1 THEN 'trash' WHEN 2 THEN 'unfinished' ELSE 'timeline' END, true, array_to_tsvector(ARRAY['lake', 'x']), '{}' \
    FROM generate_series(1, 20000) AS n; \
    INSERT INTO gallery.photo_term SELECT owner_id, unnest(gallery.indexed_terms(terms, tag_keys)), timeline_at, id FROM gallery.photo ON CONFLICT DO NOTHING; \
    INSERT INTO gallery.album (id, owner_id, title, title_key, description, created_at, revision) \
    SELECT gen_random_uuid(), ('00000000-0000-0000-0000-' || lpad((n % 20)::text, 12, '0'))::uuid, 'a', 'a', '', n, 1 \
    FROM generate_series(1, 2000) AS n; \
    INSERT INTO gallery.album_photo SELECT album.id, photo.id, 'V', true, photo.timeline_at \
    FROM (SELECT id, row_number() OVER () AS n FROM gallery.album) AS album \
        JOIN (SELECT id, timeline_at, row_number() OVER () AS n FROM gallery.photo) AS photo ON photo.n % 2000 = album.n; \
    INSERT INTO gallery.account SELECT gen_random_uuid(), n::text, 'n', 'active', 1, 1, 1, n, 1 FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.credential SELECT id, 'p', 1 FROM gallery.account; \
    INSERT INTO gallery.one_time_code SELECT 'confirm', n::text, gen_random_uuid(), sha256('x'), n, 5, NULL FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.session SELECT gen_random_uuid(), gen_random_uuid(), sha256(n::text::bytea), '', n, n, n \
    FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.idempotency_key SELECT gen_random_uuid(), 'k', sha256('x'), gen_random_uuid(), n FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.throttle SELECT n::text, 1, n, n FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.work SELECT 'photo', gen_random_uuid(), gen_random_uuid(), n, 0, NULL FROM generate_series(1, 5000) AS n; \
    INSERT INTO gallery.month_count SELECT gen_random_uuid(), '2024-06', 1 FROM generate_series(1, 5000); \
    INSERT INTO gallery.usage SELECT gen_random_uuid(), 1, 1, 1 FROM generate_series(1, 5000) ON CONFLICT DO NOTHING; \
    INSERT INTO gallery.tag_count SELECT gen_random_uuid(), 'k', 1 FROM generate_series(1, 5000); \
    SET session_replication_role = DEFAULT; \
    ANALYZE";

/// What stands for a parameter of a type, where a plan is to know its values.
fn example(type_name: &str) -> &'static str {
    match type_name {
        "UUID" => "'00000000-0000-0000-0000-000000000007'",
        "UUID[]" => "'{00000000-0000-0000-0000-000000000007}'",
        "TEXT[]" => "'{lake}'",
        "BYTEA[]" => "'{x}'",
        "INT8[]" => "'{0}'",
        "INT8" => "50",
        "BOOL" => "true",
        "TEXT" => "'lake'",
        "BYTEA" => "'x'",
        "JSON" => "'{}'",
        other => panic!("no example of {other}"),
    }
}

/// The steps of a plan that cost more the more a table holds: scans of a table, and sorts of what nothing below them bounds.
fn poor_steps(plan: &[String]) -> Vec<&str> {
    const BOUNDS: [&str; 3] = ["Limit", "Function Scan", "CTE Scan"];
    let depth = |step: &str| step.len() - step.trim_start().len();
    let name = |step: &str| step.trim_start().trim_start_matches("->").trim_start().to_owned();
    let mut poor = Vec::new();
    for (number, step) in plan.iter().enumerate() {
        let mut below = plan[number + 1..].iter().take_while(|next| depth(next) > depth(step));
        let scans = name(step).starts_with("Seq Scan on ");
        let sorts = ["Sort", "Incremental Sort"].contains(&name(step).as_str());
        if scans || (sorts && !below.any(|step| BOUNDS.iter().any(|bound| name(step).starts_with(bound)))) {
            poor.push(step.trim());
        }
    }
    poor
}

#[tokio::test]
async fn every_statement_fits_the_schema_and_is_answered_by_an_index() {
    let statements = Statements::default();
    let database = Database::migrated().await;
    let store = PostgresStore::new(database.options(), PostgresOptions::default());
    tracing::subscriber::set_global_default(statements.clone()).unwrap();
    use_every_method(&Stored::new(store.repositories())).await;
    // What is under way is reported before the connections are closed.
    store.close().await;

    let statements = statements.taken_down();
    let mut connection = database.connection().await;
    connection.execute(FILLED).await.unwrap();
    // As the store has it; and the tables are too small for what they stand for.
    connection.execute("SET enable_bitmapscan = off; SET enable_seqscan = off").await.unwrap();
    let (mut explained, mut poor) = (0, Vec::new());
    for statement in &statements {
        if !statement.contains("gallery.") || statement.contains("schema_migration") {
            continue;
        }
        explained += 1;
        let prepared = (&mut connection).prepare(AssertSqlSafe(statement.clone()).into_sql_str()).await.unwrap();
        let parameters = prepared.parameters().and_then(|either| either.left()).unwrap_or_default().to_vec();
        let values: Vec<&str> = parameters.iter().map(|kind| example(&kind.to_string())).collect();
        let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
        let types: Vec<String> = parameters.iter().map(ToString::to_string).collect();
        let types = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        connection.execute(AssertSqlSafe(format!("PREPARE planned{types} AS {statement}"))).await.unwrap();
        for mode in ["force_generic_plan", "force_custom_plan"] {
            connection.execute(AssertSqlSafe(format!("SET plan_cache_mode = {mode}"))).await.unwrap();
            let plan: Vec<String> = connection
                .fetch_all(AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE planned{values}")))
                .await
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect();
            let steps = poor_steps(&plan);
            if !steps.is_empty() {
                poor.push(format!("{}\n  in {statement}\n  by {mode}:\n{}", steps.join("\n"), plan.join("\n")));
            }
        }
        connection.execute("DEALLOCATE planned").await.unwrap();
    }
    assert!(explained >= 75, "only {explained} statements were taken down");
    assert!(poor.is_empty(), "{}", poor.join("\n\n"));
}
