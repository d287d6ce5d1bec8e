use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Action;

/// Violations repeated in the summary; all of them were told when they happened.
const SHOWN: usize = 40;

/// Says what happens when it happens, and remembers what counts.
#[derive(Debug)]
pub(super) struct Diary {
    began: Instant,
    seed: u64,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    actions: BTreeMap<Action, u64>,
    violations: Vec<String>,
}

/// What came out of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What must not happen and did. Empty is success.
    pub violations: Vec<String>,
    /// How often each action was taken.
    pub actions: BTreeMap<Action, u64>,
    /// What was counted, in words: transfers, results, tasks taken over, gaps.
    pub facts: Vec<(&'static str, String)>,
    /// Where the logs of the processes are, kept if there are violations.
    pub logs: PathBuf,
}

impl Diary {
    pub(super) fn new(seed: u64) -> Diary {
        Diary { began: Instant::now(), seed, entries: Mutex::default() }
    }

    /// One line: time since the start, seed, what happened.
    pub(super) fn note(&self, what: impl fmt::Display) {
        println!("{} seed={} {what}", clock(self.began.elapsed()), self.seed);
    }

    /// An action, and what it is done to.
    pub(super) fn action(&self, action: Action, to: impl fmt::Display) {
        self.note(format_args!("{action:<26} {to}"));
        *self.lock().actions.entry(action).or_default() += 1;
    }

    /// Something that must not happen.
    pub(super) fn violation(&self, what: impl fmt::Display) {
        let line = format!("{} VIOLATION {what}", clock(self.began.elapsed()));
        println!("{line}");
        self.lock().violations.push(line);
    }

    pub(super) fn outcome(&self, facts: Vec<(&'static str, String)>, logs: PathBuf) -> Outcome {
        let entries = self.lock();
        Outcome { violations: entries.violations.clone(), actions: entries.actions.clone(), facts, logs }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    format!("{:02}:{:02}.{:03}", seconds / 60, seconds % 60, elapsed.subsec_millis())
}

impl Outcome {
    /// Whether nothing happened that must not.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }
}

/// The summary.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (action, times) in &self.actions {
            writeln!(f, "  {action:<34} {times}")?;
        }
        for (fact, value) in &self.facts {
            writeln!(f, "  {fact:<34} {value}")?;
        }
        if self.is_good() {
            return write!(f, "  no violations");
        }
        writeln!(f, "  {} violations; logs in {}", self.violations.len(), self.logs.display())?;
        let first_line = |violation: &String| violation.lines().next().unwrap_or_default().to_owned();
        self.violations.iter().take(SHOWN).try_for_each(|violation| writeln!(f, "    {}", first_line(violation)))
    }
}
