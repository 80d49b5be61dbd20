//! What is done behind answers.

use std::error::Error;
use std::future::Future;

use gallery_domain::ports::IdentityError;
use tokio_util::task::TaskTracker;

use super::PasswordIdentity;

/// Work that nobody waits for, such as mails that only an account gets.
#[derive(Debug, Default)]
pub(crate) struct Background(TaskTracker);

impl Background {
    /// Does what only an account needs without letting the caller feel it.
    pub(crate) async fn behind_the_answer(
        &self,
        work: impl Future<Output = Result<(), IdentityError>> + Send + 'static,
    ) {
        self.0.spawn(async move {
            if let Err(error) = work.await {
                tracing::warn!(error = &error as &dyn Error, "a mail that was asked for could not be sent");
            }
        });
        tokio::time::sleep(PasswordIdentity::ANSWER_AFTER).await;
    }

    /// Waits until all of it is done.
    pub(crate) async fn settle(&self) {
        self.0.close();
        self.0.wait().await;
        self.0.reopen();
    }
}
