use std::sync::Arc;
use std::time::Duration;

use headwater_core::{Stage, Timestamp, TopicPartition};
use headwater_runtime::backfill::RunLook;
use headwater_runtime::{Activity, Observer, Phase};

/// Tells several observers the same.
pub struct Fanout(Vec<Arc<dyn Observer>>);

impl Fanout {
    /// An observer that passes everything on to all of `observers`, in that order.
    pub fn new(observers: Vec<Arc<dyn Observer>>) -> Fanout {
        Fanout(observers)
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        for observer in &self.0 {
            tell(observer.as_ref());
        }
    }
}

impl Observer for Fanout {
    fn phase(&self, phase: &Phase) {
        self.each(|o| o.phase(phase));
    }
    fn consumed(&self, topic: &str, records: u64, bytes: u64) {
        self.each(|o| o.consumed(topic, records, bytes));
    }
    fn produced(&self, topic: &str, records: u64, bytes: u64) {
        self.each(|o| o.produced(topic, records, bytes));
    }
    fn dropped(&self, place: &str, reason: &'static str, records: u64) {
        self.each(|o| o.dropped(place, reason, records));
    }
    fn dead_letters(&self, place: &str, stage: Stage, records: u64) {
        self.each(|o| o.dead_letters(place, stage, records));
    }
    fn delivered(&self, sink: &str, delivered: u64, withheld: u64) {
        self.each(|o| o.delivered(sink, delivered, withheld));
    }
    fn committed(&self, took: Duration, ok: bool) {
        self.each(|o| o.committed(took, ok));
    }
    fn progressed(&self, positions: &[(TopicPartition, i64)]) {
        self.each(|o| o.progressed(positions));
    }
    fn failures(&self, in_a_row: u64) {
        self.each(|o| o.failures(in_a_row));
    }
    fn incomplete(&self, tasks: &[String]) {
        self.each(|o| o.incomplete(tasks));
    }
    fn worker_time(&self, worker: usize, activity: Activity, took: Duration) {
        self.each(|o| o.worker_time(worker, activity, took));
    }
    fn lag(&self, partition: &TopicPartition, records: Option<i64>) {
        self.each(|o| o.lag(partition, records));
    }
    fn watermark_lag(&self, task: &str, seconds: Option<f64>) {
        self.each(|o| o.watermark_lag(task, seconds));
    }
    fn bounded_run(&self, look: &RunLook) {
        self.each(|o| o.bounded_run(look));
    }
    fn event_time(&self, task: &str, time: Option<Timestamp>) {
        self.each(|o| o.event_time(task, time));
    }
    fn tasks(&self, restoring: u64, running: u64) {
        self.each(|o| o.tasks(restoring, running));
    }
    fn restoring(&self, store: &str, partition: i32, applied: u64, remaining: u64) {
        self.each(|o| o.restoring(store, partition, applied, remaining));
    }
    fn restored(&self, task: &str, took: Duration) {
        self.each(|o| o.restored(task, took));
    }
    fn recovered(&self, store: &str, reason: &'static str) {
        self.each(|o| o.recovered(store, reason));
    }
    fn rebalanced(&self) {
        self.each(|o| o.rebalanced());
    }
    fn fenced(&self) {
        self.each(|o| o.fenced());
    }
    fn buffered(&self, worker: usize, records: u64, bytes: u64) {
        self.each(|o| o.buffered(worker, records, bytes));
    }
}
