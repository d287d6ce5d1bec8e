//! Records like those of a year of departures, and places to keep state in.

use std::fmt;
use std::sync::Arc;

use flights::Flight;
use headwater::adapters::{RocksStores, StoreOptions};
use headwater::{MemoryStores, Timestamp, minutes};
use headwater_core::port::Stores;
use tempfile::TempDir;

/// How many aircraft there are: as many keys.
pub(crate) const AIRCRAFT: usize = 4_000;

/// The `number`-th departure, one a minute.
pub(crate) fn flight(number: usize) -> Flight {
    let delay = (number * 7 % 60) as i64 - 10;
    Flight {
        year: 2013,
        month: 1,
        day: 1,
        dep_time: Some(517),
        sched_dep_time: 515,
        dep_delay: Some(delay),
        arr_time: Some(830),
        sched_arr_time: 819,
        arr_delay: Some(delay + 5),
        carrier: ["UA", "B6", "EV", "DL", "AA"][number % 5].into(),
        flight: 1545,
        tailnum: Some(format!("N{}", 10_000 + number * 13 % AIRCRAFT)),
        origin: ["EWR", "JFK", "LGA"][number % 3].into(),
        dest: "IAH".into(),
        air_time: Some(227),
        distance: 1400,
        hour: 5,
        minute: 15,
        time_hour: "2013-01-01T10:00:00Z".into(),
    }
}

/// When it left.
pub(crate) fn departure(number: usize) -> Timestamp {
    Timestamp::from_millis(1_357_034_400_000) + minutes(number as u64)
}

/// Where state is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    Memory,
    RocksDb,
}

impl Kept {
    pub(crate) const BOTH: [Kept; 2] = [Kept::Memory, Kept::RocksDb];

    /// Empty stores; the directory must outlive them.
    pub(crate) fn stores(self) -> (Arc<dyn Stores>, TempDir) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let stores: Arc<dyn Stores> = match self {
            Kept::Memory => Arc::new(MemoryStores::new()),
            Kept::RocksDb => {
                Arc::new(RocksStores::open(directory.path(), "bench", StoreOptions::default()).expect("an empty directory"))
            }
        };
        (stores, directory)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kept::Memory => "memory",
            Kept::RocksDb => "rocksdb",
        })
    }
}
