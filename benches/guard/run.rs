use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater::adapters::{RocksStores, StoreOptions};
use headwater::{Blueprint, MemoryLog, Timestamp, partition_for};
use headwater_benches::{Data, INPUT, TABLE, Workload, key_of, row_of};
use headwater_core::port::{Log, Stores};
use headwater_testkit::{LocalProcess, prepare};
use tempfile::TempDir;

use crate::counting_log::{CountingLog, Sent};
use crate::counting_stores::{Asked, CountingStores};
use crate::counts::{ALLOCATIONS, Counts};
use crate::topology;

/// Records that are counted, and how many keys they have.
pub(crate) const RECORDS: u64 = 20_000;
const KEYS: u64 = 2_000;
const PARTITIONS: i32 = 4;
/// Records between two commits: what comes in 100 ms at 20,000 a second.
const SLICE: u64 = 2_000;
/// Slices that are processed before anything is counted: every buffer has grown by then, and every key has state.
const WARM_UP: u64 = 5;

/// Those that run in a process by themselves: [`Workload::W5`] is a restore, and [`Workload::W6`] is [`Workload::W2`].
const WORKLOADS: [Workload; 5] = [Workload::W1, Workload::W2, Workload::W3, Workload::W4, Workload::W7];

/// Runs each workload.
pub(crate) fn all() -> Counts {
    Counts(WORKLOADS.into_iter().map(|workload| (workload.to_string(), Run::of(workload).count())).collect())
}

/// A process at rest, without input yet. Fields are dropped in order: the directory goes last.
struct Run {
    process: LocalProcess,
    log: MemoryLog,
    sent: Arc<Sent>,
    asked: Arc<Asked>,
    data: Data,
    _directory: TempDir,
}

impl Run {
    fn of(workload: Workload) -> Run {
        let data = Data { records: RECORDS + WARM_UP * SLICE, keys: KEYS, skew: 0.0 };
        let describe = move |t: &mut headwater::Topology| topology::describe(t, (workload, data.memo_digits()), INPUT, "results");
        let blueprint = Blueprint::of("guard", describe).expect("the topology is valid");
        let memory = MemoryLog::new();
        memory.create_topic(INPUT, PARTITIONS);
        memory.create_topic(TABLE, PARTITIONS);
        for account in 0..KEYS {
            let (row, timestamp) = row_of(account);
            append(&memory, TABLE, &key_of(account), row.as_bytes(), timestamp);
        }
        let directory = tempfile::tempdir().expect("a temporary directory");
        let rocks = RocksStores::open(directory.path(), "guard", StoreOptions::default()).expect("an empty directory");
        let (sent, asked) = (Arc::<Sent>::default(), Arc::<Asked>::default());
        let plan = prepare(&blueprint, &memory).expect("the topics fit");
        let log: Arc<dyn Log> = Arc::new(CountingLog { log: Arc::new(memory.clone()), sent: Arc::clone(&sent) });
        let stores: Arc<dyn Stores> = Arc::new(CountingStores { stores: Arc::new(rocks), asked: Arc::clone(&asked) });
        let mut process = LocalProcess::start(&plan, &log, &stores, "guard", 1).expect("the process starts");
        process.settle().expect("it joins its group and reads the table");
        Run { process, log: memory, sent, asked, data, _directory: directory }
    }

    /// Slice after slice. Writing a slice into the log is not counted.
    fn count(mut self) -> BTreeMap<String, u64> {
        let counted = WARM_UP * SLICE;
        self.process_slices(0, counted);
        let before = self.counters().map(|(_, counter)| counter.load(Ordering::Relaxed));
        let allocations = self.process_slices(counted, self.data.records);
        let since =
            |((name, counter), before): ((&str, &AtomicU64), u64)| (name.to_owned(), counter.load(Ordering::Relaxed) - before);
        let mut counts: BTreeMap<String, u64> = self.counters().into_iter().zip(before).map(since).collect();
        counts.insert(ALLOCATIONS.to_owned(), allocations);
        counts
    }

    /// Answers how many allocations it took.
    fn process_slices(&mut self, from: u64, to: u64) -> u64 {
        let (mut value, mut allocations) = (Vec::new(), 0);
        for record in from..to {
            let key = key_of(self.data.account(record));
            self.data.write_value(record, &key, &mut value);
            append(&self.log, INPUT, &key, &value, self.data.timestamp(record));
            if (record + 1).is_multiple_of(SLICE) {
                let measured = allocation_counter::measure(|| self.process.settle().expect("every record is processed"));
                allocations += measured.count_total;
                // What the engine counts for metrics would pile up.
                self.process.workers_mut().iter_mut().for_each(|worker| drop(worker.take_report()));
            }
        }
        allocations
    }

    fn counters(&self) -> [(&'static str, &AtomicU64); 8] {
        let (sent, asked) = (&self.sent, &self.asked);
        [
            ("commits", &sent.commits),
            ("records sent to outputs", &sent.outputs),
            ("records sent to changelogs", &sent.changelog),
            ("records sent to repartition topics", &sent.repartition),
            ("store reads", &asked.gets),
            ("store scans", &asked.scans),
            ("store changes", &asked.changes),
            ("store batches", &asked.batches),
        ]
    }
}

fn append(log: &MemoryLog, topic: &str, key: &str, value: &[u8], at: i64) {
    let partition = partition_for(Some(key.as_bytes()), PARTITIONS, 0);
    log.append(topic, partition, Some(key.as_bytes()), Some(value), Timestamp::from_millis(at));
}
