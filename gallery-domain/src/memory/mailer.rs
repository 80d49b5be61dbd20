//! Mail that goes nowhere.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::ports::{BackendFailure, Mail, Mailer};

/// Keeps mails instead of sending them: for tests.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    sent: Mutex<Vec<Mail>>,
}

impl MemoryMailer {
    /// A mailer that was handed nothing yet.
    pub const fn new() -> Self {
        Self { sent: Mutex::new(Vec::new()) }
    }

    /// The mails that were handed over, oldest first.
    pub fn sent(&self) -> Vec<Mail> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, mail: &Mail) -> Result<(), BackendFailure> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(mail.clone());
        Ok(())
    }
}
