//! A bar on the terminal that tells how far a command is.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far a command is, shown to somebody who sits at a terminal and to nobody else. Cheap to clone.
#[derive(Clone)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of things of this name; where every line is JSON nobody is assumed to watch.
    pub(super) fn new(json: bool, things: &str) -> Self {
        let bar = ProgressBar::no_length();
        let drawn = io::stderr().is_terminal() && !json;
        bar.set_draw_target(if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() });
        let style = format!("{{bar:30}} {{pos}}/{{len}} {things}  {{per_sec}}  {{eta}} left");
        bar.set_style(ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self(bar)
    }

    pub(super) fn is_shown(&self) -> bool {
        !self.0.is_hidden()
    }

    /// How many things there are in all, once that is known.
    pub(super) fn expect(&self, things: u64) {
        self.0.set_length(things);
    }

    /// One more is done.
    pub(super) fn advance(&self) {
        self.0.inc(1);
    }

    /// Says something while the bar makes way.
    pub(super) fn beside<R>(&self, say: impl FnOnce() -> R) -> R {
        self.0.suspend(say)
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
