//! The two roles of `migrations/postgres/roles.sql`: one makes the schema, the other uses it and can do nothing else.

#![cfg(feature = "postgres")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

use gallery_adapters::postgres::{PostgresOptions, PostgresStore};
use gallery_domain::conformance::Fixture;
use gallery_domain::ports::Repositories;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use test_postgres::{Cluster, Programs};
