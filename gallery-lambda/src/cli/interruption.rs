//! Ctrl-C and SIGTERM: a wish to stop, which commands fulfil between two steps.

use std::{fmt, io};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// A command was interrupted before it was done.
#[derive(Debug)]
pub(super) struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped before the end")
    }
}

impl std::error::Error for Interrupted {}

/// Tells whether somebody wants the program to stop. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Interruption(watch::Receiver<bool>);

impl Interruption {
    /// Listens from now on. A second signal ends the process at once: everything is written so that it can be cut off at any moment.
    pub(super) fn listen() -> io::Result<Self> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            };
            next().await;
            sender.send_replace(true);
            next().await;
            std::process::exit(super::console::INTERRUPTED.into());
        });
        Ok(Self(receiver))
    }

    /// Whether it came.
    pub(super) fn is_wanted(&self) -> bool {
        *self.0.borrow()
    }

    /// Fails if it came: for work that is given up then.
    pub(super) fn check(&self) -> Result<(), Interrupted> {
        if self.is_wanted() { Err(Interrupted) } else { Ok(()) }
    }

    /// Waits for it.
    pub(super) async fn wanted(&mut self) {
        // The sender is gone only when the runtime is going down.
        let _ = self.0.wait_for(|wanted| *wanted).await;
    }
}
