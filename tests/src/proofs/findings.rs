use std::fmt;
use std::time::{Duration, Instant};

/// What a proof found: told as it is found, and remembered if it is not as it must be.
#[derive(Debug)]
pub struct Findings {
    began: Instant,
    violations: Vec<String>,
}

impl Findings {
    pub(super) fn new() -> Findings {
        Findings { began: Instant::now(), violations: Vec::new() }
    }

    /// Something worth telling.
    pub(super) fn note(&self, what: impl fmt::Display) {
        println!("{:8.1} s  {what}", self.began.elapsed().as_secs_f64());
    }

    /// Something that must not be.
    pub(super) fn violation(&mut self, what: impl fmt::Display) {
        self.note(format_args!("VIOLATION {what}"));
        self.violations.push(what.to_string());
    }

    /// A time with its bound.
    pub(super) fn within(&mut self, what: &str, time: Duration, bound: Duration) {
        let line = format!("{what}: {:.2} s, at most {:.2} s", time.as_secs_f64(), bound.as_secs_f64());
        if time <= bound { self.note(line) } else { self.violation(line) }
    }

    /// A count with its bound.
    pub(super) fn at_most(&mut self, what: &str, count: u64, bound: u64) {
        let line = format!("{what}: {count}, at most {bound}");
        if count <= bound { self.note(line) } else { self.violation(line) }
    }

    /// Times in the order of their size.
    pub(super) fn distribution(&self, what: &str, mut values: Vec<f64>, unit: &str) {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get(((values.len() as f64 - 1.0) * share).round() as usize).copied().unwrap_or(f64::NAN);
        let [least, half, most, nearly, greatest] = [0.0, 0.5, 0.9, 0.99, 1.0].map(at);
        let count = values.len();
        self.note(format_args!(
            "{what} ({count}): least {least:.2}, median {half:.2}, 90 % {most:.2}, 99 % {nearly:.2}, greatest {greatest:.2} {unit}"
        ));
    }

    /// Whether everything is as it must be.
    pub fn are_good(&self) -> bool {
        self.violations.is_empty()
    }

    /// The last line.
    pub(super) fn conclude(&self) {
        match self.violations.len() {
            0 => self.note("proven: no violations"),
            count => self.note(format_args!("NOT proven: {count} violations")),
        }
    }
}
