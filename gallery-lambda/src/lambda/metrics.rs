//! Figures for CloudWatch, as lines of the log in its embedded metric format: there is nothing to call, and nothing to wait for.

use std::fmt;
use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::settings::FunctionKind;

/// In which unit a figure is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Count,
    Milliseconds,
    Seconds,
}

/// Where a function's figures are written to. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    kind: FunctionKind,
    to: Arc<Mutex<dyn Write + Send>>,
}

/// Under which name CloudWatch has the figures.
const NAMESPACE: &str = "Gallery";

impl Metrics {
    /// To standard output, which AWS Lambda keeps as a function's log.
    pub fn to_the_log(kind: FunctionKind) -> Self {
        Self::to(kind, std::io::stdout())
    }

    /// To anywhere else, a line for each invocation or more.
    pub fn to(kind: FunctionKind, to: impl Write + Send + 'static) -> Self {
        Self { kind, to: Arc::new(Mutex::new(to)) }
    }

    /// Writes figures down. `now` is in milliseconds since 1970.
    pub(super) fn write(&self, now: i64, figures: &[(&str, Unit, u64)]) {
        let line = self.line(now, figures);
        if let Ok(mut to) = self.to.lock() {
            // A log that nobody reads is no reason to fail.
            let _ = to.write_all(format!("{line}\n").as_bytes());
        }
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

/// Says whose figures.
impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_named_with_their_units_and_told_apart_by_the_function() {
        let figures = [("Requests", Unit::Count, 1), ("Latency", Unit::Milliseconds, 12), ("Oldest", Unit::Seconds, 0)];
        let line = Metrics::to_the_log(FunctionKind::Api).line(1_700_000_000_000, &figures);
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
