//! The program that AWS Lambda starts.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::extract::Request as AxumRequest;
use axum::middleware::{self, Next};
use axum::response::Response;
use gallery_adapters::config::{BlobsChoice, StoreChoice};
use gallery_adapters::connect::{Connected, ConnectedStore, connect_unasked};
use gallery_domain::Timestamp;
use gallery_domain::services::{Gallery, Policy};
use lambda_http::lambda_runtime::{LambdaEvent, Runtime};
use lambda_http::{Adapter, Error, Request, service_fn};
use serde_json::{Value, json};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::JsonFields;

use super::after_answer::AfterAnswer;
use super::http::answer;
use super::metrics::{Metrics, Unit};
use super::settings::{FunctionKind, LambdaSettings};
use super::worker::{Bucket, EventFailed, WorkerFunction};
use crate::log_lines::JsonLines;
use crate::{App, HttpSettings, router};

/// Runs the function that the environment describes, until AWS Lambda ends it.
pub fn run() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.fmt_fields(JsonFields::new()).event_format(JsonLines).init();
    // An invocation is one request; what is slow, such as a password's hash, has threads of its own anyway.
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")
        .and_then(|runtime| runtime.block_on(serve()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error as &dyn std::error::Error, "the function cannot start");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let served = match LambdaSettings::from_env()? {
        LambdaSettings::Api { config, http } => serve_api(connect_unasked(&config, "").await?, http).await,
        LambdaSettings::Worker { config } => {
            let bucket = bucket(&config.blobs)?;
            serve_worker(connect_unasked(&config, "").await?, bucket).await
        }
        LambdaSettings::Migrate { store } => serve_migrations(store).await,
    };
    served.map_err(anyhow::Error::from_boxed)
}

async fn serve_api(connected: Connected, settings: HttpSettings) -> Result<(), Error> {
    let gallery = Gallery::new(connected.ports.clone(), Policy::default());
    let metrics = Metrics::to_the_log(FunctionKind::Api);
    // The work that a request leaves behind stands in the store, where the worker finds it within a minute.
    let on_work = Arc::new(|| {});
    let routes = router(App { gallery: gallery.clone(), gateway: connected.gateway.clone(), settings, on_work });
    let routes = routes
        .layer(middleware::from_fn(move |request, next| measured(metrics.clone(), gallery.clone(), request, next)));
    let handler = service_fn(move |request: Request| {
        let routes: Router = routes.clone();
        async move { answer(routes, request).await }
    });
    Runtime::new(Adapter::from(handler)).layer(settling(connected)).run().await
}

async fn serve_worker(connected: Connected, bucket: Bucket) -> Result<(), Error> {
    let gallery = Gallery::new(connected.ports.clone(), Policy::default());
    let worker = WorkerFunction::new(gallery, bucket, Metrics::to_the_log(FunctionKind::Worker));
    let handler = service_fn(move |event: LambdaEvent<Value>| {
        let worker = worker.clone();
        async move {
            let ends_at = Timestamp::from_millis(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
            let done = worker.handle(event.payload, ends_at).await;
            if let Err(error) = &done {
                tracing::error!(error = error as &dyn std::error::Error, "an event has to be tried again");
            }
            done.map_err(|error: EventFailed| Error::from(error))
        }
    });
    Runtime::new(handler).layer(settling(connected)).run().await
}

/// Brings the schema up to date, whatever it is invoked with, and answers which versions that took.
async fn serve_migrations(choice: StoreChoice) -> Result<(), Error> {
    let handler = service_fn(move |_: LambdaEvent<Value>| {
        let choice = choice.clone();
        async move {
            let store = ConnectedStore::open(&choice).await?;
            let migrated = store.migrate_schema().await;
            store.close().await;
            let migrated = migrated.inspect_err(|error| {
                tracing::error!(error = error as &dyn std::error::Error, "the schema could not be brought up to date");
            })?;
            Ok::<_, Error>(json!({ "migrated": migrated }))
        }
    });
    Runtime::new(handler).run().await
}

/// Waits for what goes on behind an answer, such as a mail, before the next invocation is taken.
fn settling(connected: Connected) -> AfterAnswer {
    AfterAnswer::doing(move || {
        let connected = connected.clone();
        Box::pin(async move { connected.settle().await })
    })
}

/// Writes down how a request went.
async fn measured(
    metrics: Metrics,
    gallery: Gallery,
    request: AxumRequest,
    next: Next,
) -> Result<Response, Infallible> {
    let began = gallery.now();
    let response = next.run(request).await;
    let now = gallery.now();
    let took = u64::try_from(now.since(began).as_millis()).unwrap_or(u64::MAX);
    let is_fault = u64::from(response.status().is_server_error());
    metrics.write(
        now.as_millis(),
        &[("Requests", Unit::Count, 1), ("ServerErrors", Unit::Count, is_fault), ("Latency", Unit::Milliseconds, took)],
    );
    Ok(response)
}

/// The bucket that the worker is told of.
fn bucket(blobs: &BlobsChoice) -> anyhow::Result<Bucket> {
    match blobs {
        #[cfg(feature = "s3")]
        BlobsChoice::S3(settings) => Ok(Bucket { name: settings.bucket.clone(), prefix: settings.prefix.clone() }),
        other => anyhow::bail!("the worker is told of uploads by a bucket of S3, and GALLERY_BLOBS names {other}"),
    }
}
