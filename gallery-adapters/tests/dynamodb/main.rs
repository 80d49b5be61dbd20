//! What only a store in DynamoDB has to show: what its requests cost, what it makes of a server that does not play along, and how its tables come about.

#![cfg(feature = "dynamodb")]
#![expect(clippy::unwrap_used, reason = "what fails in setting a test up fails the test")]

#[path = "../dynamodb_server/mod.rs"]
mod dynamodb_server;
#[path = "../faulty_proxy/mod.rs"]
mod faulty_proxy;
#[path = "../stores/mod.rs"]
mod stores;

mod faults;
mod meter;
mod photo_changes;
mod photo_index;
mod photo_units;
mod tables;
mod units;
