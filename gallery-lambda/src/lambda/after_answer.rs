//! What stands around an invocation: its name in every line that is logged, and what is done once its caller has the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use lambda_http::Error;
use lambda_http::lambda_runtime::LambdaInvocation;
use lambda_http::tower::{Layer, Service};
use tracing::Instrument;

/// Does something after each answer. The service that it stands around has sent the answer when it is through, so its caller does not wait for this; AWS
/// freezes the function only once it asks for the next invocation.
#[derive(Clone)]
pub(super) struct AfterAnswer(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl AfterAnswer {
    pub(super) fn doing(work: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(work))
    }
}

impl<S> Layer<S> for AfterAnswer {
    type Service = Answering<S>;

    fn layer(&self, inner: S) -> Answering<S> {
        Answering { inner, after: self.clone() }
    }
}

/// A service with something to do after its answers.
pub(super) struct Answering<S> {
    inner: S,
    after: AfterAnswer,
}

impl<S> Service<LambdaInvocation> for Answering<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let span = tracing::info_span!(
            "invocation",
            invocation_id = invocation.context.request_id,
            trace_id = invocation.context.xray_trace_id.as_deref()
        );
        let answered = self.inner.call(invocation);
        let after = self.after.clone();
        let all = async move {
            let answered = answered.await;
            (after.0)().await;
            answered
        };
        Box::pin(all.instrument(span))
    }
}
