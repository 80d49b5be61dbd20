//! What the outbox logs. In a program of its own: other tests that log at the same time would disturb what is recorded.
#![cfg(feature = "outbox")]

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use gallery_adapters::mail::Outbox;
use gallery_adapters::system::{SystemClock, SystemIds};
use gallery_domain::ports::{Mail, Mailer};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields<'a>(&'a mut String);
        impl Visit for Fields<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                writeln!(self.0, "{field}={value:?}").expect("a string takes all");
            }
        }
        event.record(&mut Fields(&mut self.0.lock().expect("nothing panics with the log in hand")));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_log_tells_where_the_mail_is_and_nothing_of_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let outbox = Outbox::open(folder.path(), Arc::new(SystemClock), Arc::new(SystemIds::default())).await.unwrap();
    let to = "ada@example.org".parse().unwrap();
    outbox.send(&Mail { to, subject: "Your code".to_owned(), text: "77778888".to_owned() }).await.unwrap();

    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
    let logged = log.0.lock().unwrap().clone();
    assert!(logged.contains(file.path().to_str().unwrap()), "{logged}");
    for secret in ["77778888", "ada", "example.org"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}
