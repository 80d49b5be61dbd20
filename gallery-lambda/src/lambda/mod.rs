//! The gallery on AWS Lambda.
//!
//! One program is every function. The `Handler` of a function says which one it is:
//!
//! | handler | is invoked by | does |
//! |---|---|---|
//! | `api` | an HTTP API or REST API of API Gateway, or a function URL | answers a request with the same [router](crate::router) as everywhere |
//! | `worker` | events of the bucket, directly or through SQS, and a schedule | looks into uploads, and does the work that outlasts requests |
//! | `migrate` | whoever deploys | brings the schema of a database up to date that only functions reach |
//!
//! Everything else is told by the variables of [`gallery_adapters::config`], of which none may name a place on this machine. `GALLERY_PUBLIC_URL` has to be
//! there: links in mails lead to it.
//!
//! What an invocation leaves under way, such as a mail, is waited for before the next is taken, for AWS freezes a function that waits; its caller has
//! the answer by then.

mod after_answer;
mod events;
mod http;
mod metrics;
mod program;
mod settings;
mod worker;

pub use self::events::{CreatedObject, Event, Message, Run, UnknownEvent};
pub use self::http::answer;
pub use self::metrics::Metrics;
pub use self::program::run;
pub use self::settings::{FunctionKind, LambdaSettings, SettingsError};
pub use self::worker::{Bucket, EventFailed, WorkerFunction};
