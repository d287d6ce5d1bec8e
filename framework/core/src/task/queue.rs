use std::collections::VecDeque;
use std::time::Duration;

use super::clock::Clock;
use super::header::TimeHeader;
use crate::bounded::TimeRange;
use crate::operators::{Refusal, Source};
use crate::policy::Policy;
use crate::port::{Appended, Batch};
use crate::record::{Record, TopicPartition};
use crate::time::Timestamp;
use crate::topology::SourceRole;

/// Beside the position of a table that has been read to its gate once.
const READ: &str = "1t";

/// The decoded first record of a queue, waiting for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) timestamp: Timestamp,
    pub(crate) offset: i64,
    pub(crate) header: Option<TimeHeader>,
}

/// The records of one input partition that wait in memory.
pub(crate) struct InputQueue {
    pub(crate) partition: TopicPartition,
    pub(crate) role: SourceRole,
    pub(crate) policy: Policy,
    /// The source's node within the task.
    pub(crate) node: usize,
    pub(crate) source: Box<dyn Source>,
    /// The task's stores that are expected to be asked for the keys of its records.
    pub(crate) asks: Vec<usize>,
    pub(crate) clock: Clock,
    pub(crate) head: Option<Head>,
    /// How far ahead of its append time a record's event time may be; none for any.
    pub(crate) max_future: Option<Duration>,
    records: VecDeque<Record>,
    /// What each of them says about event time; of a repartition topic only.
    times: VecDeque<Option<TimeHeader>>,
    /// When the records were appended, each up to the offset before the one given.
    appended: VecDeque<(i64, Appended)>,
    bytes: usize,
    /// The next offset not received yet.
    position: i64,
    /// Whether the broker had nothing beyond `position` when it was reached.
    at_end: bool,
    /// For a table: the end it had when the task started. Streams wait until it is reached.
    pub(crate) gate: i64,
    /// For a table: whether it was read to its gate once, by this task's predecessors or by the generation that is followed.
    pub(crate) has_been_read: bool,
    /// For an input that ends, as in a bounded run all but repartition topics do: the first offset that is not read.
    until: Option<i64>,
    /// Event time of the records that reach user code; the others move event time only.
    pub(crate) sees: TimeRange,
    /// The first offset that is not processed for now.
    fence: Option<i64>,
    /// Since when there has been nothing to read.
    quiet_since: Option<Duration>,
    /// The offset and metadata committed last.
    pub(crate) committed: Option<i64>,
    pub(crate) consumed_records: u64,
    pub(crate) consumed_bytes: u64,
}

impl InputQueue {
    #[expect(clippy::too_many_arguments, reason = "each is a fact about the input that only its maker knows")]
    pub(crate) fn new(
        partition: TopicPartition,
        role: SourceRole,
        policy: Policy,
        node: usize,
        source: Box<dyn Source>,
        clock: Clock,
        position: i64,
        gate: i64,
    ) -> InputQueue {
        InputQueue {
            partition,
            role,
            policy,
            node,
            source,
            asks: Vec::new(),
            clock,
            head: None,
            max_future: None,
            records: VecDeque::new(),
            times: VecDeque::new(),
            appended: VecDeque::new(),
            bytes: 0,
            position,
            at_end: false,
            gate,
            has_been_read: false,
            until: None,
            sees: TimeRange::ALL,
            fence: None,
            quiet_since: None,
            committed: None,
            consumed_records: 0,
            consumed_bytes: 0,
        }
    }

    pub(crate) fn receive(&mut self, mut batch: Batch) {
        if let Some(until) = self.until.filter(|until| batch.position >= *until) {
            batch.records.retain(|record| record.offset < until);
            (batch.position, batch.at_end) = (until, true);
        }
        if !batch.records.is_empty() {
            self.quiet_since = None;
        }
        if let Some(last) = batch.records.last() {
            match self.appended.back_mut().filter(|(_, appended)| *appended == batch.appended) {
                Some((end, _)) => *end = last.offset + 1,
                None => self.appended.push_back((last.offset + 1, batch.appended)),
            }
        }
        if self.role == SourceRole::Repartition {
            self.times.extend(batch.records.iter_mut().map(TimeHeader::take_off));
        }
        self.bytes += batch.records.iter().map(size_of_record).sum::<usize>();
        self.records.extend(batch.records);
        self.position = batch.position;
        // Before a span's end there is something to wait for: a transaction that is open, behind which the broker shows nothing yet. What is
        // next must not depend on when it ends.
        self.at_end = batch.at_end && self.until.is_none_or(|until| batch.position >= until);
    }

    pub(crate) fn front(&self) -> Option<&Record> {
        self.records.front()
    }

    /// What the first record says about event time.
    pub(crate) fn front_time(&self) -> Option<TimeHeader> {
        self.times.front().copied().flatten()
    }

    /// The offsets and keys of the first `most` records, as far as they have keys.
    pub(crate) fn upcoming(&self, most: usize) -> impl Iterator<Item = (i64, &[u8])> {
        self.records.iter().take(most).filter_map(|record| Some((record.offset, record.key.as_deref()?)))
    }

    /// Has the source decode the first record, if there is one.
    pub(crate) fn load_front(&mut self) -> Option<Result<Timestamp, Refusal>> {
        self.records.front().map(|record| self.source.load(record))
    }

    /// The latest event time that the first record may have.
    pub(crate) fn latest_time(&mut self) -> Timestamp {
        let (Some(record), Some(bound)) = (self.records.front(), self.max_future) else { return Timestamp::MAX };
        while self.appended.front().is_some_and(|(end, _)| *end <= record.offset) {
            self.appended.pop_front();
        }
        match self.appended.front().map_or(Appended::Unknown, |(_, appended)| *appended) {
            Appended::Unknown => Timestamp::MAX,
            Appended::Before(time) => time + bound,
            Appended::AtTimestamp => record.timestamp + bound,
        }
    }

    pub(crate) fn pop(&mut self) {
        self.head = None;
        self.times.pop_front();
        if let Some(record) = self.records.pop_front() {
            let size = size_of_record(&record);
            self.bytes -= size;
            self.consumed_records += 1;
            self.consumed_bytes += size as u64;
        }
    }

    /// Bytes waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Records waiting.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing waits and nothing more is known to exist.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.records.is_empty() && self.at_end
    }

    /// Sets the first offset that is not processed for now; none lets the input go on.
    pub(crate) fn set_fence(&mut self, fence: Option<i64>) {
        self.fence = fence;
        if self.is_fenced() {
            // Decoded again when its turn comes.
            self.head = None;
        }
    }

    /// Whether the next record is not processed for now.
    pub(crate) fn is_fenced(&self) -> bool {
        self.fence.is_some_and(|fence| self.next_offset() >= fence)
    }

    /// Whether there is nothing to wait for: all that may be processed has been.
    pub(crate) fn has_nothing_for_now(&self) -> bool {
        self.is_exhausted() || self.is_fenced()
    }

    /// Sets the first offset that is not read.
    pub(crate) fn end_at(&mut self, until: i64) {
        self.until = Some(until);
        self.at_end |= self.position >= until;
    }

    /// Whether everything has been received of an input that ends.
    pub(crate) fn is_received(&self) -> bool {
        self.until.is_some_and(|until| self.position >= until)
    }

    /// Whether everything has been processed of an input that ends.
    pub(crate) fn has_ended(&self) -> bool {
        self.records.is_empty() && (self.is_received() || self.clock.has_ended())
    }

    /// The next offset to process: where a successor would begin. Past transaction markers once everything was processed.
    pub(crate) fn next_offset(&self) -> i64 {
        self.records.front().map_or(self.position, |record| record.offset)
    }

    /// For a table: whether it has been read to the end it had at the start.
    pub(crate) fn is_past_gate(&self) -> bool {
        // Behind a fence nothing more of it is to be had, so streams need not wait for it, unless they would meet a table of which half is missing.
        self.next_offset() >= self.gate || (self.is_fenced() && self.has_been_read)
    }

    /// Where a request for a cut holds the input: where it is; but a table that is read for the first time not before its gate.
    pub(crate) fn resting_place(&self) -> i64 {
        let is_first_time = self.role == SourceRole::Table && !self.has_been_read;
        if is_first_time { self.gate.max(self.next_offset()) } else { self.next_offset() }
    }

    /// What is committed beside the position, where the task's watermark is `time`: event time, or of a table whether it has been read.
    pub(crate) fn metadata(&self, time: Timestamp) -> String {
        match self.role {
            SourceRole::Table if self.has_been_read || self.is_past_gate() => READ.to_owned(),
            _ => self.clock.encode(time),
        }
    }

    /// How long there has been nothing to read.
    pub(crate) fn quiet_for(&mut self, now: Duration) -> Duration {
        if !self.is_exhausted() {
            self.quiet_since = None;
            return Duration::ZERO;
        }
        now.saturating_sub(*self.quiet_since.get_or_insert(now))
    }
}

/// What a record holds in memory, roughly.
fn size_of_record(record: &Record) -> usize {
    let length = |bytes: &Option<bytes::Bytes>| bytes.as_ref().map_or(0, bytes::Bytes::len);
    size_of::<Record>() + length(&record.key) + length(&record.value)
}
