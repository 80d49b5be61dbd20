//! Figures for CloudWatch, as lines of the log in its embedded metric format: there is nothing to call, and nothing to wait for.

use std::io::Write;

use serde_json::{Map, Value, json};

use super::settings::FunctionKind;

/// In which unit a figure is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// Figures of one function.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    kind: FunctionKind,
}

/// Under which name CloudWatch has the figures.
const NAMESPACE: &str = "Gallery";

impl Metrics {
    pub(super) fn of(kind: FunctionKind) -> Self {
        Self { kind }
    }

    /// Writes figures down. `now` is in milliseconds since 1970.
    pub(super) fn write(&self, now: i64, figures: &[(&str, Unit, u64)]) {
        let line = self.line(now, figures);
        // A log that nobody reads is no reason to fail.
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }

    /// By the format's specification: which of the line's own fields are figures, and by what they are told apart.
    fn line(&self, now: i64, figures: &[(&str, Unit, u64)]) -> Value {
        let named = |(name, unit, _): &(&str, Unit, u64)| json!({"Name": name, "Unit": format!("{unit:?}")});
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [["Function"]],
            "Metrics": figures.iter().map(named).collect::<Vec<_>>(),
        });
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({"Timestamp": now, "CloudWatchMetrics": [directive]}));
        line.insert("Function".to_owned(), self.kind.as_str().into());
        line.extend(figures.iter().map(|(name, _, value)| ((*name).to_owned(), (*value).into())));
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_with_their_units_and_told_apart_by_the_function() {
        let figures = [("Requests", Unit::Count, 1), ("Latency", Unit::Milliseconds, 12), ("Oldest", Unit::Seconds, 0)];
        let line = Metrics::of(FunctionKind::Api).line(1_700_000_000_000, &figures);
        let expected = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "Gallery",
                    "Dimensions": [["Function"]],
                    "Metrics": [
                        {"Name": "Requests", "Unit": "Count"},
                        {"Name": "Latency", "Unit": "Milliseconds"},
                        {"Name": "Oldest", "Unit": "Seconds"},
                    ],
                }],
            },
            "Function": "api", "Requests": 1, "Latency": 12, "Oldest": 0,
        });
        assert_eq!(line, expected);
    }
}
