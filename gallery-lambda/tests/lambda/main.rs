//! The functions of AWS Lambda: what events lead to, whatever happens to them on the way, and the program as Lambda starts it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod batches;
mod scenes;
mod sequences;
