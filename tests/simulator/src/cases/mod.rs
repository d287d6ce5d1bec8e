//! The applications that are run, each with its input and with what must come out: a plain fold over the input, in which nothing restarts.

mod bad_records;
mod collections;
mod direct;
mod events;
mod everything;
mod hops;
mod pair;
mod reminders;

use std::collections::BTreeSet;

use headwater_core::{Timestamp, Topology};
use headwater_testkit::MemoryLog;

use crate::dice::Dice;
pub use bad_records::FAILURE;
pub use events::{Event, flush};

/// The application's name in all cases.
pub const APP: &str = "app";
/// The out-of-orderness bound of the inputs, in milliseconds.
pub const BOUND: i64 = 10_000;
pub const WINDOW: i64 = 10_000;
pub const GRACE: i64 = 2_000;
/// The time of the records that end the input: they carry event time past everything before.
pub const FLUSH_TIME: i64 = 10_000_000;

/// The time of the rows that tables have from the beginning. Later than the events: these must wait for them all the same.
pub const ROWS_TIME: Timestamp = Timestamp::from_millis(1_000_000);

/// One record of an input.
#[derive(Clone, Debug)]
pub struct Item {
    pub topic: &'static str,
    pub partition: i32,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub time: i64,
    /// What it stands for; none if it is not to be processed.
    pub event: Option<Event>,
}

impl Item {
    pub fn append(&self, log: &MemoryLog) -> i64 {
        let time = Timestamp::from_millis(self.time);
        log.append(self.topic, self.partition, self.key.as_deref(), self.value.as_deref(), time)
    }
}

/// Which of an output's records are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Every one, for each key in order.
    Sequence,
    /// Every one, in any order.
    Multiset,
    /// The newest of each key: those before it depend on the order in which partitions are read.
    Newest,
}

/// What an output must have.
pub struct Expected {
    pub output: &'static str,
    pub compare: Compare,
    /// Whether it depends on event time, and so is not promised once an input was given up as idle.
    pub timed: bool,
    /// Keys and values, those of a key in order.
    pub records: Vec<(Vec<u8>, String)>,
}

/// What becomes of event time at the end of the input.
pub enum End {
    /// It passes everything: each partition has a last record that sees to that.
    Passed,
    /// A bounded run ends it.
    Bounded {
        /// Whether windows are closed then and timers fired.
        closes: bool,
        /// Partitions of which nothing is read, so that they do not hold it back.
        idle: BTreeSet<(String, i32)>,
    },
}

impl End {
    pub fn closes(&self) -> bool {
        matches!(self, End::Bounded { closes: true, .. })
    }

    pub fn is_idle(&self, topic: &str, partition: i32) -> bool {
        matches!(self, End::Bounded { idle, .. } if idle.contains(&(topic.to_owned(), partition)))
    }
}

pub trait Case {
    fn name(&self) -> &'static str;
    fn topology(&self, t: &mut Topology);
    /// The topics that are there before the application.
    fn inputs(&self) -> &'static [&'static str];
    /// What tables hold from the beginning.
    fn fill(&self, _log: &MemoryLog, _partitions: i32) {}
    fn feed(&self, dice: &mut Dice, partitions: i32) -> Vec<Item>;
    fn expected(&self, partitions: i32, items: &[Item], end: &End) -> Vec<Expected>;
    /// Stores ordered by time, and how long after its time an entry is due.
    fn timed(&self) -> &'static [(&'static str, i64)] {
        &[]
    }
    /// The topics that event time is taken from, and so those whose last records carry it past everything.
    fn streams(&self) -> &'static [&'static str] {
        &["events"]
    }
}

/// All of them, each with its weight.
pub const ALL: &[(u64, &dyn Case)] = &[
    (6, &everything::Everything),
    (2, &direct::Direct),
    (2, &hops::Hops),
    (2, &pair::Pair),
    (2, &collections::Collections),
    (2, &reminders::Reminders),
    (2, &bad_records::BadRecords),
];
