//! What Linux tells about a process.

use std::fs;

/// Ticks of a second in `/proc/<pid>/stat`: the same on every Linux that Rust runs on.
const TICKS: f64 = 100.0;

/// How a process is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    state: char,
    /// User and system time.
    pub(crate) cpu_seconds: f64,
}

impl Stat {
    /// Whether it has ended; as long as nobody has waited for it, what it used can still be seen.
    pub(crate) fn is_ended(self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// None if there is no such process.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name, in parentheses, may contain anything; state and times are the 1st, 12th and 13th of what follows.
fn parse(text: &str) -> Option<Stat> {
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    let ticks: f64 = fields.skip(10).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(Stat { state, cpu_seconds: ticks / TICKS })
}

/// The largest resident size so far; 0 once it has ended.
pub(crate) fn peak_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}
