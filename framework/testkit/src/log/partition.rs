use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;
use headwater_core::port::{Ends, LogError};
use headwater_core::{Header, Record, Timestamp};

/// One transaction, unique in the log's life: neither the transactional id nor its epoch is.
pub(super) type TransactionSeq = u64;

/// The log of one partition. Offsets ascend but may have gaps, which compaction leaves.
#[derive(Default)]
pub(super) struct Partition {
    pub(super) entries: VecDeque<Entry>,
    start: i64,
    end: i64,
    /// Open transactions by the offset of their first record here; the first one bounds what is stable.
    open: BTreeMap<i64, TransactionSeq>,
    /// Aborted transactions and the offset of their marker: below it they can still have records.
    aborted: HashMap<TransactionSeq, i64>,
}

pub(super) struct Entry {
    pub record: Record,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Plain,
    Transactional(TransactionSeq),
    /// The end of a transaction: takes an offset and is never shown.
    Marker,
}

/// What a producer writes; the partition gives the offset.
pub(super) struct Payload {
    pub timestamp: Timestamp,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// Where a read got to.
pub(super) struct Progress {
    pub position: i64,
    pub at_end: bool,
}

impl Partition {
    pub fn ends(&self) -> Ends {
        Ends { start: self.start, end: self.end }
    }

    /// Where a reader of this isolation level has to stop: the last stable offset or the high watermark.
    pub fn visible_end(&self, read_uncommitted: bool) -> i64 {
        match self.open.first_key_value() {
            Some((first, _)) if !read_uncommitted => self.start.max(*first),
            _ => self.end,
        }
    }

    pub fn append(&mut self, payload: Payload, kind: Kind) -> i64 {
        let offset = self.end;
        let Payload { timestamp, key, value, headers } = payload;
        self.entries.push_back(Entry { record: Record { offset, timestamp, key, value, headers }, kind });
        self.end += 1;
        offset
    }

    /// Tells that the record at `first` is the transaction's first one here.
    pub fn open_transaction(&mut self, first: i64, transaction: TransactionSeq) {
        self.open.insert(first, transaction);
    }

    /// Writes the marker that ends the transaction whose first record here is at `first`.
    pub fn close_transaction(&mut self, first: i64, transaction: TransactionSeq, committed: bool, now: Timestamp) {
        self.open.remove(&first);
        let marker = Payload { timestamp: now, key: None, value: None, headers: Vec::new() };
        let offset = self.append(marker, Kind::Marker);
        if !committed {
            self.aborted.insert(transaction, offset);
        }
    }

    pub fn is_aborted(&self, entry: &Entry) -> bool {
        matches!(entry.kind, Kind::Transactional(transaction) if self.aborted.contains_key(&transaction))
    }

    /// Where the marker of an aborted transaction is.
    pub fn abort_marker(&self, transaction: TransactionSeq) -> Option<i64> {
        self.aborted.get(&transaction).copied()
    }

    pub fn is_abort_marker(&self, offset: i64) -> bool {
        self.aborted.values().any(|marker| *marker == offset)
    }

    /// Cuts everything from `end` on; no transaction may be open.
    pub fn cut(&mut self, end: i64) {
        let stays = self.entries.partition_point(|entry| entry.record.offset < end);
        self.entries.truncate(stays);
        self.aborted.retain(|_, marker| *marker < end);
        self.end = end;
    }

    /// Collects up to `max` records from `from` on; what is not to be shown is passed over.
    pub fn read(&self, from: i64, read_uncommitted: bool, max: usize, into: &mut Vec<Record>) -> Progress {
        let end = self.visible_end(read_uncommitted);
        let mut position = from;
        let first = self.entries.partition_point(|entry| entry.record.offset < from);
        for entry in self.entries.range(first..) {
            if entry.record.offset >= end {
                break;
            }
            if entry.kind != Kind::Marker && (read_uncommitted || !self.is_aborted(entry)) {
                if into.len() == max {
                    return Progress { position, at_end: false };
                }
                into.push(entry.record.clone());
            }
            position = entry.record.offset + 1;
        }
        Progress { position: position.max(end), at_end: true }
    }

    /// What is committed, wherever the first open transaction begins.
    pub fn settled(&self) -> impl Iterator<Item = &Record> {
        let is_open = |kind| self.open.values().any(|open| Kind::Transactional(*open) == kind);
        let is_settled = move |entry: &&Entry| entry.kind != Kind::Marker && !is_open(entry.kind) && !self.is_aborted(entry);
        self.entries.iter().filter(is_settled).map(|entry| &entry.record)
    }

    /// The offset of the first record with this timestamp or a later one.
    pub fn first_at(&self, time: Timestamp) -> Option<i64> {
        let shown = self.entries.iter().filter(|entry| entry.kind != Kind::Marker);
        shown.map(|entry| &entry.record).find(|record| record.timestamp >= time).map(|record| record.offset)
    }

    /// Moves the start of the log up to `before`; never back.
    pub fn delete_before(&mut self, before: i64) -> Result<(), LogError> {
        if before > self.end {
            let end = self.end;
            return Err(LogError::Fatal(format!("cannot delete up to offset {before}: the log ends at {end}")));
        }
        if before > self.start {
            self.start = before;
            let gone = self.entries.partition_point(|entry| entry.record.offset < before);
            self.entries.drain(..gone);
            self.forget_aborted_before(before);
        }
        Ok(())
    }

    /// Cuts the log off at `end`.
    pub fn truncate(&mut self, end: i64) -> Result<(), LogError> {
        if self.open.last_key_value().is_some_and(|(first, _)| *first >= end) {
            return Err(LogError::Fatal(format!("cannot truncate to offset {end}: a transaction is open behind it")));
        }
        self.entries.truncate(self.entries.partition_point(|entry| entry.record.offset < end));
        self.end = self.end.min(end).max(self.start);
        Ok(())
    }

    /// Forgets the aborted transactions that ended before `offset`; to be called once none of their records is left.
    pub fn forget_aborted_before(&mut self, offset: i64) {
        self.aborted.retain(|_, marker| *marker >= offset);
    }
}
