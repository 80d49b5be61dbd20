//! Log lines in JSON, with the causes of errors down to the root.

use std::error::Error;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// One JSON object for each event: when, how grave, the fields of the spans around it and its own, and where. It stands in for the format that
/// the library has, which keeps of an error what it says itself and drops its causes. Spans have to be formatted as JSON, too.
pub(crate) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let mut line = Line(vec![("timestamp".to_owned(), time.into())]);
        line.set("level", event.metadata().level().as_str().into());
        for span in context.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>();
            let fields = fields.and_then(|fields| serde_json::from_str::<serde_json::Map<_, _>>(fields).ok());
            for (name, value) in fields.into_iter().flatten() {
                line.set(&name, value);
            }
        }
        event.record(&mut line);
        line.set("target", event.metadata().target().into());
        writeln!(to, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

/// The fields of a line in their order.
struct Line(Vec<(String, Value)>);

impl Line {
    /// Sets a field; what is said nearer to the event counts.
    fn set(&mut self, name: &str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    fn record(&mut self, field: &Field, value: Value) {
        self.set(field.name().trim_start_matches("r#"), value);
    }
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let (mut chain, mut cause) = (value.to_string(), value.source());
        while let Some(error) = cause {
            chain = format!("{chain}: {error}");
            cause = error.source();
        }
        self.record(field, chain.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use anyhow::Context;
    use tracing_subscriber::fmt::format::JsonFields;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> Value {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt().fmt_fields(JsonFields::new()).event_format(JsonLines);
        tracing::subscriber::with_default(subscriber.with_writer(move || writer.clone()).finish(), log);
        let kept = kept.0.lock().unwrap();
        serde_json::from_slice(&kept).expect("one line of JSON")
    }

    #[test]
    fn the_root_cause_of_an_error_stands_in_its_line() {
        let disk: anyhow::Result<()> = Err(io::Error::other("no space left")).context("put failed");
        let error = disk.context("the gallery cannot do this").unwrap_err();
        let line = logged(|| tracing::warn!(error = &*error as &dyn Error, "a backend is down"));
        assert_eq!(line["error"], "the gallery cannot do this: put failed: no space left");
        assert_eq!((&line["message"], &line["level"]), (&"a backend is down".into(), &"WARN".into()));
    }

    #[test]
    fn fields_keep_their_types_and_spans_give_theirs() {
        let line = logged(|| {
            let _outer = tracing::info_span!("request", request_id = "r-1", status = 1).entered();
            tracing::info!(status = 200, share = 0.5, ok = true, below = -1, text = "a \"b\"", what = ?Some(1), "done");
        });
        let expected = serde_json::json!({
            "request_id": "r-1", "status": 200, "share": 0.5, "ok": true, "below": -1, "text": "a \"b\"", "what": "Some(1)",
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&line[name], value, "{name}");
        }
        assert!(
            line["timestamp"].as_str().unwrap().ends_with('Z')
                && line["target"].as_str().unwrap().contains("log_lines")
        );
    }
}
