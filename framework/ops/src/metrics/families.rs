//! Registered metrics, made from their definitions.

use prometheus::core::Collector;
use prometheus::{CounterVec, GaugeVec, Histogram, HistogramOpts, IntCounterVec, IntGaugeVec, Opts, Registry, Result};

use super::definition::{Definition, Kind};
use super::definitions as def;

/// One field per metric. Metrics without labels are vectors of one, so that all are used alike.
pub(super) struct Families {
    pub(super) records_consumed: IntCounterVec,
    pub(super) bytes_consumed: IntCounterVec,
    pub(super) records_produced: IntCounterVec,
    pub(super) bytes_produced: IntCounterVec,
    pub(super) records_dropped: IntCounterVec,
    pub(super) dead_letters: IntCounterVec,
    pub(super) sink_records: IntCounterVec,
    pub(super) commits: IntCounterVec,
    pub(super) commit_duration: Histogram,
    pub(super) worker_time: CounterVec,
    pub(super) input_lag: IntGaugeVec,
    pub(super) watermark_lag: GaugeVec,
    pub(super) event_time_skew: GaugeVec,
    pub(super) backfill_total: IntGaugeVec,
    pub(super) backfill_done: IntGaugeVec,
    pub(super) backfill_left: GaugeVec,
    pub(super) backfill_stage: IntGaugeVec,
    pub(super) tasks: IntGaugeVec,
    pub(super) restore_remaining: IntGaugeVec,
    pub(super) restore_records: IntCounterVec,
    pub(super) restore_duration: Histogram,
    pub(super) store_recoveries: IntCounterVec,
    pub(super) rebalances: IntCounterVec,
    pub(super) fenced: IntCounterVec,
    pub(super) buffered_records: IntGaugeVec,
    pub(super) buffered_bytes: IntGaugeVec,
    pub(super) build_info: IntGaugeVec,
    pub(super) phase: IntGaugeVec,
    pub(super) failures: IntGaugeVec,
}

impl Families {
    pub(super) fn register(registry: &Registry) -> Result<Families> {
        let r = registry;
        Ok(Families {
            records_consumed: counter(r, &def::RECORDS_CONSUMED)?,
            bytes_consumed: counter(r, &def::BYTES_CONSUMED)?,
            records_produced: counter(r, &def::RECORDS_PRODUCED)?,
            bytes_produced: counter(r, &def::BYTES_PRODUCED)?,
            records_dropped: counter(r, &def::RECORDS_DROPPED)?,
            dead_letters: counter(r, &def::DEAD_LETTERS)?,
            sink_records: counter(r, &def::SINK_RECORDS)?,
            commits: counter(r, &def::COMMITS)?,
            commit_duration: histogram(r, &def::COMMIT_DURATION)?,
            worker_time: add(r, CounterVec::new(opts(&def::WORKER_TIME), &labels(&def::WORKER_TIME))?)?,
            input_lag: gauge(r, &def::INPUT_LAG)?,
            watermark_lag: fraction(r, &def::WATERMARK_LAG)?,
            event_time_skew: fraction(r, &def::EVENT_TIME_SKEW)?,
            backfill_total: gauge(r, &def::BACKFILL_TOTAL)?,
            backfill_done: gauge(r, &def::BACKFILL_DONE)?,
            backfill_left: fraction(r, &def::BACKFILL_LEFT)?,
            backfill_stage: gauge(r, &def::BACKFILL_STAGE)?,
            tasks: gauge(r, &def::TASKS)?,
            restore_remaining: gauge(r, &def::RESTORE_REMAINING)?,
            restore_records: counter(r, &def::RESTORE_RECORDS)?,
            restore_duration: histogram(r, &def::RESTORE_DURATION)?,
            store_recoveries: counter(r, &def::STORE_RECOVERIES)?,
            rebalances: counter(r, &def::REBALANCES)?,
            fenced: counter(r, &def::FENCED)?,
            buffered_records: gauge(r, &def::BUFFERED_RECORDS)?,
            buffered_bytes: gauge(r, &def::BUFFERED_BYTES)?,
            build_info: gauge(r, &def::BUILD_INFO)?,
            phase: gauge(r, &def::PHASE)?,
            failures: gauge(r, &def::FAILURES)?,
        })
    }
}

fn counter(registry: &Registry, definition: &Definition) -> Result<IntCounterVec> {
    add(registry, IntCounterVec::new(opts(definition), &labels(definition))?)
}

fn gauge(registry: &Registry, definition: &Definition) -> Result<IntGaugeVec> {
    add(registry, IntGaugeVec::new(opts(definition), &labels(definition))?)
}

fn fraction(registry: &Registry, definition: &Definition) -> Result<GaugeVec> {
    add(registry, GaugeVec::new(opts(definition), &labels(definition))?)
}

fn histogram(registry: &Registry, definition: &Definition) -> Result<Histogram> {
    let buckets = match definition.kind {
        Kind::Histogram(bounds) => bounds.to_vec(),
        Kind::Counter | Kind::Gauge => Vec::new(),
    };
    add(registry, Histogram::with_opts(HistogramOpts::new(definition.name, definition.help).buckets(buckets))?)
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn opts(definition: &Definition) -> Opts {
    Opts::new(definition.name, definition.help)
}

fn labels(definition: &Definition) -> Vec<&'static str> {
    definition.labels.iter().map(|label| label.name).collect()
}
