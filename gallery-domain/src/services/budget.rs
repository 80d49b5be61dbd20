//! How much is done in one go of what the worker goes on with.

use std::time::Duration;

use super::Context;
use crate::Timestamp;

/// So much, and until then: by count, so that no request does very much, and by the clock, for each thing may take long.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    context: Context,
    things: usize,
    end: Timestamp,
}

impl Budget {
    /// Of a request, for whose answer somebody waits.
    pub(super) fn of_request(context: &Context) -> Self {
        Self::new(context, 500, Duration::from_secs(1))
    }

    /// Of the worker, long before its lease runs out.
    pub(super) fn of_worker(context: &Context) -> Self {
        Self::new(context, usize::MAX, context.policy().lease / 10)
    }

    fn new(context: &Context, things: usize, time: Duration) -> Self {
        Self { context: context.clone(), things, end: context.now().plus(time) }
    }

    /// Takes one more thing on, if it may.
    pub(super) fn take(&mut self) -> bool {
        let may = self.things > 0 && self.context.now() < self.end;
        self.things -= usize::from(may);
        may
    }
}
