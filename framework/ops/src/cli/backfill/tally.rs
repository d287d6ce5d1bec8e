use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use headwater_core::Stage;
use headwater_runtime::Observer;

/// What this process did, for the report at the end.
#[derive(Debug, Default)]
pub struct Tally {
    counts: Mutex<Counts>,
}

/// Records, by topic or by place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) read: BTreeMap<String, u64>,
    pub(super) written: BTreeMap<String, u64>,
    /// By reason.
    pub(super) dropped: BTreeMap<&'static str, u64>,
    pub(super) dead_letters: u64,
    /// By sink: delivered, and withheld.
    pub(super) sinks: BTreeMap<String, (u64, u64)>,
}

impl Tally {
    pub(super) fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for Tally {
    fn consumed(&self, topic: &str, records: u64, _bytes: u64) {
        self.count(|counts| *counts.read.entry(topic.to_owned()).or_default() += records);
    }

    fn produced(&self, topic: &str, records: u64, _bytes: u64) {
        self.count(|counts| *counts.written.entry(topic.to_owned()).or_default() += records);
    }

    fn dropped(&self, _place: &str, reason: &'static str, records: u64) {
        self.count(|counts| *counts.dropped.entry(reason).or_default() += records);
    }

    fn delivered(&self, sink: &str, delivered: u64, withheld: u64) {
        self.count(|counts| {
            let (all, kept_back) = counts.sinks.entry(sink.to_owned()).or_default();
            (*all, *kept_back) = (*all + delivered, *kept_back + withheld);
        });
    }

    fn dead_letters(&self, _place: &str, _stage: Stage, records: u64) {
        self.count(|counts| counts.dead_letters += records);
    }
}
