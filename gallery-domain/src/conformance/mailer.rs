//! What a [`Mailer`] owes, as far as it can be seen from where the mail arrives.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::join_all;

use super::expectations::Succeeds;
use super::fixtures::{RACERS, SCRIPTS};
use crate::ports::{Mail, Mailer};

/// Runs each clause on mail as a test: takes an expression for an [`Outbox`](crate::conformance::mailer::Outbox) or a
/// [`Fixture`](crate::conformance::Fixture) of it.
#[macro_export]
macro_rules! mailer_suite {
    ($fixture:expr) => {
        $crate::conformance_tests!(
            mailer,
            $crate::conformance::mailer::Outbox,
            $fixture,
            [a_mail_arrives_as_it_was_sent, text_of_mail_in_every_script_arrives, mails_sent_at_once_all_arrive,]
        );
    };
}

/// A mailer, and where its mail can be seen to arrive.
pub struct Outbox {
    /// The mailer.
    pub mailer: Arc<dyn Mailer>,
    /// The mails that arrived, in any order, decoded.
    pub arrived: Box<dyn Fn() -> Vec<Mail> + Send + Sync>,
}

impl Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("mailer", &self.mailer).finish_non_exhaustive()
    }
}

/// Address, subject and text.
pub async fn a_mail_arrives_as_it_was_sent(outbox: &Outbox) {
    let mail = mail(
        "ada@example.org",
        "Your code",
        "Your code is 12345678.\n\n.\nFrom here on: https://example.org/?a=b&c=d#e\n",
    );
    outbox.mailer.send(&mail).await.succeeds("sending a mail");
    assert_arrived(outbox, &[mail]);
}

/// In subject and text; long lines, too.
pub async fn text_of_mail_in_every_script_arrives(outbox: &Outbox) {
    let mut sent = Vec::new();
    for (n, (text, word)) in SCRIPTS.into_iter().enumerate() {
        let mail = mail(&format!("reader{n}@example.org"), text, &format!("{}\n", vec![word; 100].join(" ")));
        outbox.mailer.send(&mail).await.succeeds("sending a mail");
        sent.push(mail);
    }
    assert_arrived(outbox, &sent);
}

/// None takes another's place.
pub async fn mails_sent_at_once_all_arrive(outbox: &Outbox) {
    let mails: Vec<Mail> =
        (0..RACERS).map(|n| mail("ada@example.org", &format!("Mail {n:02}"), "The same text in all.\n")).collect();
    let sent = join_all(mails.iter().map(|mail| outbox.mailer.send(mail))).await;
    assert!(sent.iter().all(Result::is_ok), "all of {RACERS} mails are sent");
    assert_arrived(outbox, &mails);
}

fn mail(to: &str, subject: &str, text: &str) -> Mail {
    Mail { to: to.parse().expect("an address"), subject: subject.to_owned(), text: text.to_owned() }
}

fn assert_arrived(outbox: &Outbox, sent: &[Mail]) {
    // Mail shows nothing of itself, and its line ends are those of the wire.
    let shown = |mails: &[Mail]| {
        let mut shown: Vec<(String, String, String)> = mails
            .iter()
            .map(|mail| {
                (mail.to.to_string(), mail.subject.clone(), mail.text.replace("\r\n", "\n").trim_end().to_owned())
            })
            .collect();
        shown.sort();
        shown
    };
    assert_eq!(shown(&(outbox.arrived)()), shown(sent), "the mails that were sent arrive");
}
