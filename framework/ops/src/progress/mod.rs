//! A bar on stderr for things that take a while. Hidden when stderr is not a terminal: logs stay logs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const TEMPLATE: &str = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} ETA {eta}";

/// One bar.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar at 0 of `total`, labelled `what`.
    pub fn new(what: impl Into<String>, total: u64) -> Progress {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what.into());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar }
    }

    /// `done` of the total is done.
    pub fn set(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// The total turned out to be different.
    pub fn set_total(&self, total: u64) {
        self.bar.set_length(total);
    }

    /// Changes the label.
    pub fn set_label(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    /// Prints a line above the bar; on stderr also when the bar is hidden.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// Removes the bar.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// A command that ends early leaves no half a bar behind.
impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_and_says_nothing_without_a_terminal() {
        let progress = Progress::new("restoring", 10);
        progress.set(4);
        progress.set_total(20);
        assert_eq!((progress.bar.position(), progress.bar.length()), (4, Some(20)));
        progress.finish();
    }
}
