use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ledger::Random;

use super::application::Application;
use super::changelogs::{Changelogs, Ends, written};
use super::findings::Findings;

/// A write on disk, by the store's promise: flushed after 30 s; a second until its age is looked at, and two for the flush.
const FLUSHED_AFTER: Duration = Duration::from_secs(33);

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// So long after its start, whatever it is doing.
    AfterStart(Duration),
    /// So long after all its tasks began to process.
    AfterReady(Duration),
}

impl Moment {
    /// One life in ten is long enough for stores to be flushed because of their age; one in four may end while it joins or restores.
    pub(super) fn choose(random: &mut Random) -> Moment {
        let millis = |random: &mut Random, from, to| Duration::from_millis(random.between(from, to));
        match random.below(20) {
            0 | 1 => Moment::AfterReady(FLUSHED_AFTER + millis(random, 1_000, 5_000)),
            2..=6 => Moment::AfterStart(millis(random, 0, 6_000)),
            _ => Moment::AfterReady(millis(random, 0, 3_000)),
        }
    }

    fn has_come(self, began: Instant, ready: Option<Instant>) -> bool {
        match self {
            Moment::AfterStart(time) => began.elapsed() >= time,
            Moment::AfterReady(time) => ready.is_some_and(|ready| ready.elapsed() >= time),
        }
    }
}

/// What the lives of a process on one state directory had in common.
pub(super) struct Lives {
    tasks: usize,
    /// Everything before these was on disk, for certain.
    flushed: Ends,
    /// Seconds from assigned to processing, per task.
    pub(super) recovered: Vec<f64>,
    /// Records read back at a restart, and the share of what may be.
    pub(super) replayed: Vec<f64>,
    /// Lives that ended before every task was processing.
    pub(super) cut_short: u64,
}

impl Lives {
    pub(super) fn new(tasks: usize, flushed: Ends) -> Lives {
        Lives { tasks, flushed, recovered: Vec::new(), replayed: Vec::new(), cut_short: 0 }
    }

    /// Lets the process live until its moment has come, then kills it.
    pub(super) fn live(&mut self, app: &mut Application, moment: Moment, logs: &mut Changelogs, findings: &mut Findings) {
        let mut ready = None;
        crate::wait::until("a moment to kill", Duration::from_secs(120), || {
            if !app.is_running() {
                findings.violation(format_args!("the application ended by itself:\n{}", app.log()));
                return Some(());
            }
            if ready.is_none() && app.processing().len() >= self.tasks {
                ready = Some(Instant::now());
                self.restarted(app, logs, findings);
            }
            moment.has_come(app.began, ready).then_some(())
        });
        app.kill();
        match ready {
            Some(ready) => self.remember_flushes(ready, logs),
            None => self.cut_short += 1,
        }
    }

    /// Compares what was read back with what was written since the last flush that is known of.
    fn restarted(&mut self, app: &Application, logs: &mut Changelogs, findings: &mut Findings) {
        let (taken, processing) = (app.taken(), app.processing());
        let times = taken.iter().filter_map(|(task, taken)| Some(processing.get(task)?.duration_since(*taken).as_secs_f64()));
        self.recovered.extend(times);
        let restored = app.restored();
        // After the metrics, so that what is written meanwhile is on the right side.
        let (Some(restored), Ok(ends)) = (restored, logs.now()) else { return };
        self.compare(&restored, &ends, findings);
    }

    fn compare(&mut self, restored: &BTreeMap<String, u64>, ends: &Ends, findings: &mut Findings) {
        self.replayed.push(restored.values().sum::<u64>() as f64);
        for (store, records) in restored {
            let may = written(store, &self.flushed, ends, |_| true);
            if *records > may {
                findings.violation(format_args!(
                    "{records} records of {store} were read back, {may} were written since its last flush"
                ));
            }
        }
    }

    /// A life that was long has flushed what is older than the store's limit.
    fn remember_flushes(&mut self, ready: Instant, logs: &Changelogs) {
        let certain = Instant::now().checked_sub(FLUSHED_AFTER).filter(|certain| *certain >= ready);
        if let Some(ends) = certain.and_then(|certain| logs.at(certain)) {
            self.flushed = ends;
        }
    }
}
