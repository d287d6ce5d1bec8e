//! One line per event, each field at its place: `docs/testing/simulator.md` has the legend.

use std::fmt;
use std::time::Duration;

/// One event.
pub struct Line<'a> {
    pub at: Duration,
    /// None for what no process does.
    pub process: Option<usize>,
    pub worker: Option<usize>,
    pub event: &'a str,
    /// A partition, a task, or nothing.
    pub place: String,
    pub offset: Option<i64>,
    pub detail: String,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = match (self.process, self.worker) {
            (None, _) => String::from("-"),
            (Some(process), None) => format!("p{process}"),
            (Some(process), Some(worker)) => format!("p{process}.{worker}"),
        };
        let offset = self.offset.map_or_else(|| String::from("-"), |offset| offset.to_string());
        let place = if self.place.is_empty() { "-" } else { &self.place };
        let line =
            format!("{:>10.3} {who:<5} {:<14} {place:<30} {offset:>6}  {}", self.at.as_secs_f64(), self.event, self.detail);
        f.write_str(line.trim_end())
    }
}

/// The heading above the lines.
pub fn heading() -> String {
    format!("{:>10} {:<5} {:<14} {:<30} {:>6}  detail", "time", "who", "event", "place", "offset")
}
