use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use headwater_core::{Stage, Timestamp, TopicPartition};
use headwater_runtime::backfill::{RunLook, RunStage};
use headwater_runtime::{Activity, Observer, Phase};
use prometheus::{Registry, TextEncoder};

use super::families::Families;
use super::process::ProcessCollector;
use crate::error::CliError;

const PHASES: [&str; 7] = ["starting", "joining", "restoring", "running", "stopping", "failed", "backing_off"];

const STAGES: [(RunStage, &str); 3] =
    [(RunStage::Reading, "reading"), (RunStage::Finishing, "finishing"), (RunStage::Complete, "complete")];

/// Counts what the engine reports and writes it as Prometheus text.
pub struct PrometheusObserver {
    ours: Registry,
    process: Registry,
    families: Families,
    /// Event time by task.
    times: Mutex<BTreeMap<String, Timestamp>>,
}

impl PrometheusObserver {
    /// Metrics of the application `app`, all at their start.
    pub fn new(app: &str) -> Result<PrometheusObserver, CliError> {
        PrometheusObserver::register(app).map_err(|error| CliError::failed(format!("metrics: {error}")))
    }

    fn register(app: &str) -> prometheus::Result<PrometheusObserver> {
        let ours = Registry::new_custom(None, Some(HashMap::from([(String::from("app"), app.to_owned())])))?;
        let process = Registry::new();
        process.register(Box::new(ProcessCollector::new()?))?;
        let families = Families::register(&ours)?;
        // A rate needs a first point: what happens rarely is shown as 0 from the start.
        families.rebalances.with_label_values::<&str>(&[]).inc_by(0);
        families.fenced.with_label_values::<&str>(&[]).inc_by(0);
        for result in ["ok", "failed"] {
            families.commits.with_label_values(&[result]).inc_by(0);
        }
        families.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let observer = PrometheusObserver { ours, process, families, times: Mutex::default() };
        observer.phase(&Phase::Starting);
        observer.tasks(0, 0);
        observer.failures(0);
        Ok(observer)
    }

    /// The metrics as of now, in Prometheus' text format.
    pub fn render(&self) -> Result<String, CliError> {
        let mut families = self.ours.gather();
        families.extend(self.process.gather());
        TextEncoder::new().encode_to_string(&families).map_err(|error| CliError::failed(format!("metrics: {error}")))
    }
}

impl Observer for PrometheusObserver {
    fn phase(&self, phase: &Phase) {
        let current = phase_name(phase);
        for name in PHASES {
            self.families.phase.with_label_values(&[name]).set(i64::from(name == current));
        }
    }

    fn consumed(&self, topic: &str, records: u64, bytes: u64) {
        self.families.records_consumed.with_label_values(&[topic]).inc_by(records);
        self.families.bytes_consumed.with_label_values(&[topic]).inc_by(bytes);
    }

    fn produced(&self, topic: &str, records: u64, bytes: u64) {
        self.families.records_produced.with_label_values(&[topic]).inc_by(records);
        self.families.bytes_produced.with_label_values(&[topic]).inc_by(bytes);
    }

    fn dropped(&self, place: &str, reason: &'static str, records: u64) {
        self.families.records_dropped.with_label_values(&[place, reason]).inc_by(records);
    }

    fn dead_letters(&self, place: &str, stage: Stage, records: u64) {
        self.families.dead_letters.with_label_values(&[place, stage.as_str()]).inc_by(records);
    }

    fn delivered(&self, sink: &str, delivered: u64, withheld: u64) {
        for (result, records) in
            [("delivered", delivered), ("withheld", withheld)].into_iter().filter(|(_, records)| *records > 0)
        {
            self.families.sink_records.with_label_values(&[sink, result]).inc_by(records);
        }
    }

    fn committed(&self, took: Duration, ok: bool) {
        self.families.commits.with_label_values(&[if ok { "ok" } else { "failed" }]).inc();
        self.families.commit_duration.observe(took.as_secs_f64());
    }

    fn worker_time(&self, worker: usize, activity: Activity, took: Duration) {
        let labels = [&worker.to_string(), activity_name(activity)];
        self.families.worker_time.with_label_values(&labels).inc_by(took.as_secs_f64());
    }

    fn lag(&self, partition: &TopicPartition, records: Option<i64>) {
        let labels = [partition.topic.as_ref(), &partition.partition.to_string()];
        match records {
            Some(records) => self.families.input_lag.with_label_values(&labels).set(records),
            // Not being there is as good: the partition may never have been this process's.
            None => drop(self.families.input_lag.remove_label_values(&labels)),
        }
    }

    fn watermark_lag(&self, task: &str, seconds: Option<f64>) {
        match seconds {
            Some(seconds) => self.families.watermark_lag.with_label_values(&[task]).set(seconds),
            None => drop(self.families.watermark_lag.remove_label_values(&[task])),
        }
    }

    fn event_time(&self, task: &str, time: Option<Timestamp>) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        match time {
            Some(time) => drop(times.insert(task.to_owned(), time)),
            None => drop(times.remove(task)),
        }
        let millis = times.values().map(|time| time.as_millis());
        match millis.clone().max().zip(millis.min()) {
            Some((last, first)) => {
                let skew = last.saturating_sub(first) as f64 / 1000.0;
                self.families.event_time_skew.with_label_values::<&str>(&[]).set(skew);
            }
            None => drop(self.families.event_time_skew.remove_label_values::<&str>(&[])),
        }
    }

    fn bounded_run(&self, look: &RunLook) {
        for input in &look.inputs {
            let labels = [input.partition.topic.as_ref(), &input.partition.partition.to_string()];
            self.families.backfill_total.with_label_values(&labels).set(signed(input.total));
            self.families.backfill_done.with_label_values(&labels).set(signed(input.done));
        }
        match look.time_left {
            Some(left) => self.families.backfill_left.with_label_values::<&str>(&[]).set(left.as_secs_f64()),
            None => drop(self.families.backfill_left.remove_label_values::<&str>(&[])),
        }
        for (stage, name) in STAGES {
            self.families.backfill_stage.with_label_values(&[name]).set(i64::from(stage == look.stage));
        }
    }

    fn tasks(&self, restoring: u64, running: u64) {
        self.families.tasks.with_label_values(&["restoring"]).set(signed(restoring));
        self.families.tasks.with_label_values(&["running"]).set(signed(running));
        if restoring == 0 {
            // A task that left in the middle of its restore never says that nothing remains.
            self.families.restore_remaining.reset();
        }
    }

    fn restoring(&self, store: &str, partition: i32, applied: u64, remaining: u64) {
        self.families.restore_records.with_label_values(&[store]).inc_by(applied);
        let labels = [store, &partition.to_string()];
        match remaining {
            0 => drop(self.families.restore_remaining.remove_label_values(&labels)),
            _ => self.families.restore_remaining.with_label_values(&labels).set(signed(remaining)),
        }
    }

    fn restored(&self, _task: &str, took: Duration) {
        self.families.restore_duration.observe(took.as_secs_f64());
    }

    fn recovered(&self, store: &str, reason: &'static str) {
        self.families.store_recoveries.with_label_values(&[store, reason]).inc();
    }

    fn rebalanced(&self) {
        self.families.rebalances.with_label_values::<&str>(&[]).inc();
    }

    fn fenced(&self) {
        self.families.fenced.with_label_values::<&str>(&[]).inc();
    }

    fn failures(&self, in_a_row: u64) {
        self.families.failures.with_label_values::<&str>(&[]).set(signed(in_a_row));
    }

    fn buffered(&self, worker: usize, records: u64, bytes: u64) {
        let worker = worker.to_string();
        self.families.buffered_records.with_label_values(&[&worker]).set(signed(records));
        self.families.buffered_bytes.with_label_values(&[&worker]).set(signed(bytes));
    }
}

/// The phase's name, the same in metrics and on the admin pages.
pub(crate) fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Joining => "joining",
        Phase::Restoring => "restoring",
        Phase::Running => "running",
        Phase::Stopping => "stopping",
        Phase::Failed(_) => "failed",
        Phase::BackingOff(_) => "backing_off",
    }
}

fn activity_name(activity: Activity) -> &'static str {
    match activity {
        Activity::Idle => "idle",
        Activity::Poll => "poll",
        Activity::Process => "process",
        Activity::Commit => "commit",
        Activity::Restore => "restore",
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
#[path = "observer_tests.rs"]
mod tests;
