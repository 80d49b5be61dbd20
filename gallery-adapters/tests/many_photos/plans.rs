//! The plans by which a server answers, and what they took: as PostgreSQL's own module `auto_explain` tells its client.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgConnectOptions;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Has the server tell the plan of each statement that a superuser's connection runs.
pub(crate) fn telling(connect: PgConnectOptions) -> PgConnectOptions {
    connect.options([
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_analyze", "on"),
        ("auto_explain.log_buffers", "on"),
        ("auto_explain.log_timing", "off"),
        ("auto_explain.log_level", "notice"),
    ])
}

/// A statement that was run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) statement: String,
    /// Line by line, as EXPLAIN writes it.
    pub(crate) steps: Vec<String>,
}

impl Plan {
    /// How many blocks were looked at, wherever they were.
    pub(crate) fn blocks(&self) -> u64 {
        // The first line about buffers is that of the topmost step, which counts those below.
        let line = self.steps.iter().find(|step| step.trim_start().starts_with("Buffers: "));
        let shared = line.map_or("", |line| line.split("shared").nth(1).unwrap_or_default());
        let shared = shared.split(',').next().unwrap_or_default();
        let counts = shared.split_whitespace().filter_map(|part| part.split_once('='));
        counts
            .filter(|(kind, _)| ["hit", "read"].contains(kind))
            .filter_map(|(_, count)| count.parse::<u64>().ok())
            .sum()
    }

    /// How many rows were found by an index, or without one, and then left out.
    pub(crate) fn rows_in_vain(&self) -> u64 {
        let removed = self.steps.iter().filter_map(|step| step.trim_start().strip_prefix("Rows Removed by Filter: "));
        removed.filter_map(|rows| rows.parse::<u64>().ok()).sum()
    }

    /// Steps by their name, and how many rows each of their runs gave.
    pub(crate) fn named_steps(&self) -> impl Iterator<Item = (&str, f64)> {
        self.steps.iter().filter_map(|step| {
            let (name, rest) = step.trim_start().trim_start_matches("-> ").trim_start().split_once("  (")?;
            let rows = rest.split("(actual rows=").nth(1)?.split_whitespace().next()?;
            Some((name, rows.parse().ok()?))
        })
    }

    fn parse(notice: &str) -> Option<Self> {
        let (_, plan) = notice.split_once("plan:\nQuery Text: ")?;
        let (statement, steps) = plan.split_once('\n')?;
        // What comes from a trigger or a function has a context of its own, and is part of the statement that called it.
        Some(Self { statement: statement.to_owned(), steps: steps.lines().map(str::to_owned).collect() })
    }
}

/// Takes down the plans that the server tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plans(Arc<Mutex<Vec<Plan>>>);

impl Plans {
    /// Those that were told since the last time, in their order.
    pub(crate) fn take(&self) -> Vec<Plan> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Subscriber for Plans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::postgres::notice"
    }

    fn event(&self, event: &Event<'_>) {
        struct Message(String);
        impl Visit for Message {
            fn record_str(&mut self, field: &Field, value: &str) {
                if field.name() == "message" {
                    self.0 = value.to_owned();
                }
            }

            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(Plan::parse(&message.0));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
