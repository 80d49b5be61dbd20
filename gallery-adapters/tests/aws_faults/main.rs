//! Whatever goes wrong with any request that a use case makes of AWS: repeated, it keeps its promises, and a thorough check finds nothing.
//!
//! The adapters try nothing anew here, so that every fault reaches whoever asked. `GALLERY_TEST_FAULTS=each` has each request go wrong in one way, of which all
//! take turns, and `GALLERY_TEST_FAULTS=all` each in every way; otherwise it is one of three requests for photos and albums, of which there are
//! hundreds.

#![cfg(all(feature = "cognito", feature = "dynamodb", feature = "s3", feature = "ses"))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

#[path = "../aws_servers/mod.rs"]
mod aws_servers;
#[path = "../dynamodb_server/mod.rs"]
mod dynamodb_server;
#[path = "../faulty_proxy/mod.rs"]
mod faulty_proxy;
#[path = "../aws_servers/mails.rs"]
mod mails;

mod accounts;
mod galleries;

use std::future::Future;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use futures_util::future::{Either, select};

use crate::faulty_proxy::{Fault, Plan, Proxy};

/// The ways in which a request of number `request` of a use case of number `use_case` goes wrong, where one of `every` does.
fn ways(use_case: usize, request: usize, every: usize) -> Vec<Fault> {
    let (all, number) = (Fault::PASSING, use_case + request);
    match std::env::var("GALLERY_TEST_FAULTS").as_deref() {
        Ok("all") => all.to_vec(),
        Ok("each") => vec![all[number % all.len()]],
        _ if number.is_multiple_of(every) => vec![all[number / every % all.len()]],
        _ => Vec::new(),
    }
}

/// The same services through a proxy, and nothing tried anew.
fn through(proxy: &Proxy, config: &SdkConfig) -> SdkConfig {
    config.to_builder().endpoint_url(proxy.url()).retry_config(RetryConfig::disabled()).build()
}

/// What comes of a request; nothing if the service falls silent, as whoever asked then goes away.
async fn unless_silent<T>(plan: &Plan, request: impl Future<Output = T> + Unpin) -> Option<T> {
    match select(request, Box::pin(plan.silenced())).await {
        Either::Left((answer, _)) => Some(answer),
        Either::Right(_) => None,
    }
}
