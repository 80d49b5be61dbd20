//! A gallery as it is deployed: API Gateway, the functions, and everything that they stand on. `cargo xtask serverless` deploys one, and runs this.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is the failure that the test reports")]

mod cloud;
mod journey;
mod logs;
mod person;
mod roles;
