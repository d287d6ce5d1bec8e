//! A run's stores as another one left them: its changelogs are copied, and from there the run restores its stores like any others, on whatever
//! machine. Nothing on a disk is needed, nor touched, and the other run's can be removed afterwards.
//!
//! Whoever copies registers a transactional id of the run's first and looks at its record then; the last transaction says in the record that
//! all is there. So two processes do not copy at the same time, and none does when the run has begun.

use std::sync::Arc;

use headwater_core::bounded::{RunPhase, RunRecord, clock_to_go_on};
use headwater_core::port::{Admin, Committed, GroupMetadata, Log, LogError, Producer, ProducerConfig, ReaderConfig};
use headwater_core::{Blueprint, Outgoing, Plan, Record, StoreKind, Timestamp, TopicName, TopicPartition};

use super::BackfillError;
use super::scan::Scan;
use super::state_from::{check_stores, manifest, run};
use crate::control::Control;
use crate::{RunError, RunOptions, topics, wall_clock};

/// What goes into a transaction, at most.
const RECORDS: usize = 10_000;
const BYTES: usize = 4 << 20;
/// Tries, when the log asks for another one.
const TRIES: u32 = 5;

/// Copies the state that a run of application `app` starts with, unless it has it. A try that was cut short is begun anew. `blueprint` carries
/// the run's name.
///
/// # Errors
/// The other run is gone or has other stores; another process does the same; or the cluster failed.
pub fn inherit(
    blueprint: &Arc<Blueprint>,
    app: &str,
    record: &RunRecord,
    log: &dyn Log,
    options: &RunOptions,
) -> Result<(), BackfillError> {
    let Some(from) = record.state_from.as_ref().filter(|_| record.phase == RunPhase::Preparing) else { return Ok(()) };
    let mut tried = 0;
    loop {
        match attempt(blueprint, app, (record, from), log, options) {
            Err(BackfillError::Run(RunError::Log(
                LogError::Retriable(why) | LogError::AbortTransaction(why) | LogError::Unusable(why),
            ))) if tried < TRIES => {
                tracing::info!(run = record.id, why, "copying state is begun again");
                tried += 1;
            }
            Err(BackfillError::Run(RunError::Log(LogError::Fenced(_)))) => {
                return Err(BackfillError::StateElsewhere { id: record.id.clone() });
            }
            done => return done,
        }
    }
}

fn attempt(
    blueprint: &Arc<Blueprint>,
    app: &str,
    (record, from): (&RunRecord, &str),
    log: &dyn Log,
    options: &RunOptions,
) -> Result<(), BackfillError> {
    let mut producer = log.producer(&ProducerConfig { transactional_id: Some(format!("{}-state", record.app)) })?;
    // First this, then looking: whoever was at it before can commit no more.
    producer.init()?;
    let control = headwater_core::control_topic(app);
    let state = Control::of(app, &control, log).state()?;
    if run(&state, &record.id)?.phase != RunPhase::Preparing {
        return Ok(());
    }
    let source = run(&state, from)?;
    let mut admin = log.admin()?;
    let (mut plan, existing) = topics::fit(blueprint, admin.as_mut())?;
    plan = plan.within(record.bounds());
    let (theirs, ours) = (manifest(source, log)?, plan.manifest());
    check_stores(from, &theirs, &ours)?;
    topics::make(&mut plan, existing, admin.as_mut(), options, None)?;
    let mut copy = Copy { producer: producer.as_mut(), app: &record.app, waiting: (0, 0) };
    let mut scan = Scan::of(log)?;
    for (name, store) in ours.stores.iter().filter(|(_, store)| store.kind != StoreKind::TopicTable) {
        let Some(their) = theirs.stores.get(name) else { continue };
        copy.topic(&mut scan, &their.changelog, &store.changelog.as_str().into(), store.partitions.unwrap_or(0))?;
    }
    if record.sees.from == Timestamp::MIN {
        begin(&plan, record, source, log, admin.as_mut())?;
    }
    copy.finish(&control.as_str().into(), record)
}

/// Puts a run that begins at offsets there, with what the other one knew of event time. One that begins at a moment has records before it, and
/// learns from them.
fn begin(plan: &Plan, record: &RunRecord, source: &RunRecord, log: &dyn Log, admin: &mut dyn Admin) -> Result<(), BackfillError> {
    let mut reader = log.reader(&ReaderConfig { group: source.app.clone(), read_uncommitted: false })?;
    let tables = plan.blueprint().table_topics();
    let spans = record.spans.iter().filter(|span| !tables.contains(&span.topic));
    let mut ours: Vec<(TopicPartition, i64)> =
        spans.map(|span| (TopicPartition::new(span.topic.as_str(), span.partition), span.span.start)).collect();
    let mut theirs: Vec<TopicPartition> = ours.iter().map(|(partition, _)| partition.clone()).collect();
    for entry in plan.manifest().repartitions.values() {
        let own = entry.topic.strip_prefix(&record.app).unwrap_or_default();
        for partition in TopicPartition::all_of(&entry.topic, entry.partitions.unwrap_or(0)) {
            theirs.push(TopicPartition::new(format!("{}{own}", source.app).as_str(), partition.partition));
            ours.push((partition, 0));
        }
    }
    let committed = reader.committed(&theirs)?;
    let position = |((partition, offset), known): ((TopicPartition, i64), Option<Committed>)| {
        let metadata = known.map_or_else(String::new, |known| clock_to_go_on(&known.metadata));
        (partition, Committed { offset, metadata })
    };
    let positions: Vec<(TopicPartition, Committed)> = ours.into_iter().zip(committed).map(position).collect();
    Ok(admin.set_positions(&record.app, &positions)?)
}

/// Writes what is read of one run's changelogs into another's.
struct Copy<'a> {
    producer: &'a mut dyn Producer,
    app: &'a str,
    /// Records and bytes in the open transaction; without any none is open.
    waiting: (usize, usize),
}

impl Copy<'_> {
    fn topic(&mut self, scan: &mut Scan, from: &str, to: &TopicName, partitions: i32) -> Result<(), LogError> {
        let mut failed = None;
        scan.through(&TopicPartition::all_of(from, partitions), &mut |partition, record| {
            if failed.is_none() {
                failed = self.record(to, partition.partition, &record).err();
            }
        })?;
        failed.map_or(Ok(()), |error| self.given_up(error))
    }

    fn record(&mut self, topic: &TopicName, partition: i32, record: &Record) -> Result<(), LogError> {
        if self.waiting == (0, 0) {
            self.producer.begin()?;
        }
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let (records, bytes) = self.waiting;
        self.waiting = (records + 1, bytes + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len));
        let timestamp = record.timestamp;
        self.producer.send(Outgoing { topic, partition, key, value, timestamp, headers: &[], track_offset: false })?;
        if self.waiting.0 >= RECORDS || self.waiting.1 >= BYTES { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), LogError> {
        self.waiting = (0, 0);
        self.producer.commit(&[], &GroupMetadata::none(self.app))
    }

    /// Says in the last transaction that all is there.
    fn finish(mut self, control: &TopicName, record: &RunRecord) -> Result<(), BackfillError> {
        let (key, value) = RunRecord { phase: RunPhase::Planned, ..record.clone() }.record();
        let record =
            Record { offset: 0, timestamp: wall_clock(), key: Some(key.into()), value: Some(value.into()), headers: Vec::new() };
        let said = self.record(control, 0, &record).and_then(|()| if self.waiting == (0, 0) { Ok(()) } else { self.commit() });
        Ok(said.or_else(|error| self.given_up(error))?)
    }

    fn given_up(&mut self, error: LogError) -> Result<(), LogError> {
        // If this fails, too, whoever comes next settles it.
        let _ = self.producer.abort();
        Err(error)
    }
}
