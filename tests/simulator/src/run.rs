//! Many seeds on all cores.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use crate::mutation::Mutation;
use crate::seed::{Limits, simulate};
use crate::summary::Summary;

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Which seeds.
    pub seeds: Range<u64>,
    /// A defect to build in.
    pub mutation: Option<Mutation>,
    /// What may happen.
    pub limits: Limits,
    /// After so many failures nothing new is begun.
    pub most_failures: usize,
}

/// Runs the seeds on as many threads as there are cores, each seed on one; `progress` is told after each how many are done.
pub fn run(plan: &Plan, progress: &(dyn Fn(u64) + Sync)) -> Summary {
    let began = Instant::now();
    let (next, done, stop) = (AtomicU64::new(plan.seeds.start), AtomicU64::new(0), AtomicBool::new(false));
    let summary = Mutex::new(Summary::default());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= plan.seeds.end {
                return;
            }
            let outcome = simulate(seed, &plan.limits, plan.mutation, false);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.add(outcome);
            if summary.failures.len() >= plan.most_failures {
                stop.store(true, Ordering::Relaxed);
            }
            drop(summary);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.wall = began.elapsed();
    summary.failures.sort_unstable_by_key(|failure| failure.0);
    summary
}
