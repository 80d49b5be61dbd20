//! Mail.

use std::fmt::Debug;

use async_trait::async_trait;

use super::BackendFailure;
use crate::EmailAddress;

/// Sends mail.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Mailer: Debug + Send + Sync + 'static {
    /// Hands over a mail. When this returns it is on its way, or kept by whoever sends it on.
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure>;
}

/// A mail in plain text.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: EmailAddress,
    /// One line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Shows neither address nor text: they hold codes.
impl Debug for Mail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("to", &self.to).finish_non_exhaustive()
    }
}
