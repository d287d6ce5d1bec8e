//! From one number, `memory.limit`, to the memory each part may use. Pure: the machine is looked at in `machine`.

use std::cmp::max;

use super::size::ByteSize;
use super::text::Text;

const MIB: u64 = 1 << 20;

/// Code, the Kafka member, admin pages and whatever else there is once.
const PROCESS: u64 = 56 * MIB;
/// A worker's thread and its Kafka clients, their queues empty.
const WORKER: u64 = 12 * MIB;
/// Tenths of a percent of the rest. What is missing to a thousand is for the allocator's gaps and for RocksDB's own bookkeeping.
const STORES: u64 = 365;
const INPUT: u64 = 100;
const UNCOMMITTED: u64 = 90;
const RESTORE: u64 = 120;
const FETCH: u64 = 110;
const SEND: u64 = 90;
/// Of what the stores have, the part for single keys in front of them, in percent; less where they would not be left with the least they work with. Where single keys do not pay, the
/// blocks of the stores have it back (docs/decisions/cache.md).
const CACHE: u64 = 60;
/// Of what is fetched ahead, the part of the reader of changelogs, in percent.
const FETCH_RESTORE: u64 = 40;
/// More than this fetched ahead for the inputs is memory for nothing: a broker 50 ms away fills it at 160 MB/s.
const MOST_FETCHED: u64 = 8 * MIB;
/// A record waiting in one of librdkafka's queues costs up to as much again in its structures, and one answer more than the queue's limit
/// may be under way.
const FETCH_OVERHEAD_PERCENT: u64 = 225;
const SEND_OVERHEAD_PERCENT: u64 = 200;
/// A run of a restore that is being written costs its file's filter and index on top.
const RUN_OVERHEAD_PERCENT: u64 = 130;
/// A restore's run is best not smaller, and gains nothing by being larger.
const RUN: (u64, u64) = (8 * MIB, 48 * MIB);
const MOST_PARALLEL: u64 = 8;

/// What a process may use of its memory, part by part. All numbers are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub limit: u64,
    /// Cached blocks and writes not yet on disk, all stores together.
    pub stores: u64,
    /// Input waiting for its turn, all tasks together.
    pub input: u64,
    /// Uncommitted changes, per worker.
    pub uncommitted: u64,
    /// Committed state in front of the stores, per worker. What is of no use there is lent to the stores for their blocks.
    pub cache: u64,
    /// The same on top while nothing is restored: half of what restores use, as small entries cost the allocator more than large runs.
    pub cache_lent: u64,
    /// Changelogs a worker reads back at the same time (a number, not bytes).
    pub restore_parallel: usize,
    /// What each of those gathers before it is sorted and written.
    pub restore_run: u64,
    /// What a worker's reader of inputs fetches ahead.
    pub fetch: u64,
    /// What its reader of changelogs fetches ahead.
    pub restore_fetch: u64,
    /// What may wait in a worker's producer.
    pub send: u64,
}

/// A part besides the stores, the tenths of a percent it gets, and the least it works with, per worker.
const OTHERS: [(u64, u64); 5] = [(INPUT, 4 * MIB), (UNCOMMITTED, 2 * MIB), (RESTORE, 4 * MIB), (FETCH, 5 * MIB), (SEND, 2 * MIB)];
/// The least the stores work with, once and per worker.
const LEAST_STORES: (u64, u64) = (16 * MIB, 2 * MIB);

/// The least limit that works for so many workers.
pub fn least(workers: usize) -> u64 {
    let workers = workers.max(1) as u64;
    let stores = (LEAST_STORES.0 + LEAST_STORES.1 * workers) * 1000;
    let rest = max(least_of_others(workers, 1000), stores.div_ceil(STORES));
    (PROCESS + WORKER * workers + rest).next_multiple_of(MIB)
}

/// The least of what is divided by shares of `whole` for every part but the stores to get enough.
fn least_of_others(workers: u64, whole: u64) -> u64 {
    OTHERS.iter().map(|(share, each)| (each * workers * whole).div_ceil(*share)).fold(0, max)
}

/// Divides `limit` among the parts. `stores` is what was set for the stores by itself; the other parts then share what it leaves.
/// Refuses a limit below the least that works.
pub fn divide(limit: u64, workers: usize, stores: Option<u64>) -> Result<Memory, String> {
    let count = workers.max(1) as u64;
    let fixed = PROCESS + WORKER * count;
    let (stores, needed) = match stores {
        None => (limit.saturating_sub(fixed) * STORES / 1000, least(workers)),
        Some(set) => (set, fixed.saturating_add(set).saturating_add(least_of_others(count, 1000 - STORES))),
    };
    if limit < needed {
        let [limit, needed] = [limit, needed.div_ceil(MIB).saturating_mul(MIB)].map(|bytes| ByteSize::of(bytes).write());
        return Err(format!(
            "memory.limit is {limit}, but run.workers = {workers} needs at least {needed}; raise it, or lower run.workers or state.memory"
        ));
    }
    let others = limit - fixed - stores;
    let cache = (stores * CACHE / 100).min(stores.saturating_sub(LEAST_STORES.0 + LEAST_STORES.1 * count));
    let part = |share: u64| others * share / (1000 - STORES);
    let restore = part(RESTORE) / count * 100 / RUN_OVERHEAD_PERCENT;
    let parallel = (restore / RUN.0).clamp(1, MOST_PARALLEL);
    let fetch = part(FETCH) / count * 100 / FETCH_OVERHEAD_PERCENT;
    let fetch_inputs = fetch * (100 - FETCH_RESTORE) / 100;
    let unfetched = fetch_inputs.saturating_sub(MOST_FETCHED) * FETCH_OVERHEAD_PERCENT / 100;
    Ok(Memory {
        limit,
        stores: stores - cache,
        input: part(INPUT),
        uncommitted: part(UNCOMMITTED) / count,
        cache: cache / count + unfetched,
        cache_lent: part(RESTORE) / 2 / count,
        restore_parallel: usize::try_from(parallel).unwrap_or(1),
        restore_run: (restore / parallel).min(RUN.1),
        fetch: fetch_inputs.min(MOST_FETCHED),
        restore_fetch: fetch * FETCH_RESTORE / 100,
        send: part(SEND) / count * 100 / SEND_OVERHEAD_PERCENT,
    })
}

impl Memory {
    /// What the `config` command shows: a name and a value each.
    pub fn rows(&self) -> [(&'static str, String); 11] {
        // To the MiB: nobody reads the rest.
        let size = |bytes: u64| ByteSize::of(if bytes < MIB { bytes } else { bytes / MIB * MIB }).write();
        [
            ("total", size(self.limit)),
            ("stores", size(self.stores)),
            ("input", size(self.input)),
            ("uncommitted per worker", size(self.uncommitted)),
            ("cached per worker", size(self.cache)),
            ("cached per worker without restores", size(self.cache + self.cache_lent)),
            ("restores per worker", self.restore_parallel.to_string()),
            ("run per restore", size(self.restore_run)),
            ("fetched ahead per worker", size(self.fetch)),
            ("fetched ahead per worker for restores", size(self.restore_fetch)),
            ("waiting to be sent per worker", size(self.send)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(mebibytes: u64, workers: usize, stores: Option<u64>, expected: Expect) {
        let shown = match divide(mebibytes * MIB, workers, stores.map(|n| n * MIB)) {
            Ok(memory) => memory.rows().map(|(name, value)| format!("{name} {value}\n")).concat(),
            Err(refusal) => refusal + "\n",
        };
        expected.assert_eq(&shown);
    }

    #[test]
    fn one_number_is_divided_among_all() {
        check(
            512,
            2,
            None,
            expect![[r#"
                total 512MiB
                stores 63MiB
                input 43MiB
                uncommitted per worker 19MiB
                cached per worker 47MiB
                cached per worker without restores 60MiB
                restores per worker 2
                run per restore 9MiB
                fetched ahead per worker 6MiB
                fetched ahead per worker for restores 4MiB
                waiting to be sent per worker 9MiB
            "#]],
        );
        check(
            4096,
            1,
            Some(2048),
            expect![[r#"
                total 4GiB
                stores 819MiB
                input 311MiB
                uncommitted per worker 280MiB
                cached per worker 1416MiB
                cached per worker without restores 1603MiB
                restores per worker 8
                run per restore 35MiB
                fetched ahead per worker 8MiB
                fetched ahead per worker for restores 60MiB
                waiting to be sent per worker 140MiB
            "#]],
        );
    }

    #[test]
    fn too_little_is_refused_with_the_least_that_works() {
        check(
            64,
            1,
            None,
            expect![[r#"
                memory.limit is 64MiB, but run.workers = 1 needs at least 118MiB; raise it, or lower run.workers or state.memory
            "#]],
        );
        check(
            256,
            8,
            None,
            expect![[r#"
            memory.limit is 256MiB, but run.workers = 8 needs at least 516MiB; raise it, or lower run.workers or state.memory
        "#]],
        );
        check(
            512,
            1,
            Some(460),
            expect![[r#"
                memory.limit is 512MiB, but run.workers = 1 needs at least 557MiB; raise it, or lower run.workers or state.memory
            "#]],
        );
    }

    #[test]
    fn the_least_works_and_no_part_exceeds_the_whole() {
        for workers in [1, 2, 3, 8, 64] {
            let limit = least(workers);
            assert!(divide(limit, workers, None).is_ok() && divide(limit - 1, workers, None).is_err(), "{workers}");
            for limit in [limit, limit * 2, limit * 50] {
                let memory = divide(limit, workers, None).unwrap();
                let count = workers as u64;
                let runs = memory.restore_parallel as u64 * memory.restore_run * RUN_OVERHEAD_PERCENT / 100;
                let fetched = (memory.fetch + memory.restore_fetch) * FETCH_OVERHEAD_PERCENT / 100;
                let sent = memory.send * SEND_OVERHEAD_PERCENT / 100;
                let per_worker = WORKER + memory.uncommitted + memory.cache + runs + fetched + sent;
                let used = PROCESS + memory.stores + memory.input + per_worker * count;
                assert!(used <= limit, "{workers} workers: {used} of {limit}");
            }
        }
    }
}
