//! Mail arrives over SES as it was sent, and SES refuses what it has to.

#![cfg(feature = "ses")]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod aws_servers;
#[path = "aws_servers/mails.rs"]
mod mails;

use std::error::Error;
use std::sync::Arc;

use gallery_adapters::mail::Ses;
use gallery_domain::conformance::mailer::Outbox;
use gallery_domain::ports::{Mail, Mailer};

use crate::aws_servers::{MINISTACK, Server, unique, user_without_rights};
use crate::mails::{mailer_of, sent_from, verified_domain};

/// A sender of a test's own, whose domain is verified.
async fn outbox() -> Outbox {
    let server = Server::named(MINISTACK);
    verified_domain(&server).await;
    let from = format!("{}@example.org", unique("gallery"));
    let mailer = Arc::new(mailer_of(&server, &from).await);
    Outbox { mailer, arrived: Box::new(move || sent_from(&server, &from)) }
}

gallery_domain::conformance::mailer_suite!(outbox().await);

fn mail() -> Mail {
    Mail { to: "ada@example.org".parse().unwrap(), subject: "Hello".to_owned(), text: "Hello Ada\n".to_owned() }
}

async fn refusal(mailer: &Ses) -> String {
    let failure = mailer.send(&mail()).await.unwrap_err();
    assert!(!failure.is_transient(), "{failure:?}");
    let said = failure.source().unwrap().to_string();
    assert!(!said.contains("ada@") && !said.contains("gallery@"), "no address is in a log: {said}");
    said
}

#[tokio::test]
async fn a_sender_that_is_not_verified_is_refused_with_what_to_mend() {
    let said = refusal(&mailer_of(&Server::named(MINISTACK), "gallery@unverified.example").await).await;
    assert!(said.contains("verify the sender's address or domain"), "{said}");
}

#[tokio::test]
async fn whoever_may_not_send_hears_which_permission_is_missing() {
    let server = Server::named(MINISTACK);
    verified_domain(&server).await;
    let (key, secret) = user_without_rights(&server).await;
    let said = refusal(&mailer_of(&server.by(&key, &secret), "gallery@example.org").await).await;
    assert!(said.contains("ses:SendEmail"), "{said}");
    let said = refusal(&mailer_of(&server.by(&key, "another"), "gallery@example.org").await).await;
    assert!(said.contains("AWS_SECRET_ACCESS_KEY"), "{said}");
}

#[tokio::test]
async fn an_account_that_may_send_is_found_well_and_one_out_of_reach_is_not() {
    let server = Server::named(MINISTACK);
    mailer_of(&server, "gallery@example.org").await.check().await.unwrap();
    let nowhere = Server { endpoint: "http://127.0.0.1:9".parse().unwrap(), ..server };
    let failure = mailer_of(&nowhere, "gallery@example.org").await.send(&mail()).await.unwrap_err();
    assert!(failure.is_transient(), "{failure:?}");
}
