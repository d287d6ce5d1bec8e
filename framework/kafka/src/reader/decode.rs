//! From librdkafka's messages to batches of records.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use headwater_core::port::{Appended, Batch};
use headwater_core::{Header, Record, Timestamp};
use rdkafka::error::RDKafkaErrorCode as Code;

use super::cursors::Cursors;
use crate::native::Message;

/// Something other than a record or an end: reported once the records before it are handed over.
pub(super) struct Failure {
    pub(super) code: i32,
    pub(super) text: String,
    pub(super) topic: String,
    pub(super) partition: i32,
}

/// Copies records out of librdkafka. All bytes of one batch go into one allocation that its records share, so a record
/// that is kept keeps its batch in memory, but nothing of other partitions: copy what is to be kept long.
#[derive(Default)]
pub(super) struct Decoder {
    /// Header names seen: there are few, and records share them.
    names: Vec<Arc<str>>,
    drafts: Vec<Draft>,
    /// The drafts' headers, one draft's behind those of the one before.
    headers: Vec<(Arc<str>, Option<Range<usize>>)>,
}

/// A record whose bytes are in the arena already.
struct Draft {
    batch: usize,
    offset: i64,
    timestamp: i64,
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    /// How many it has.
    headers: usize,
}

impl Decoder {
    /// Consecutive messages of one partition become one batch. The cursors move on; what is not theirs is left out.
    /// `now` is the wall time at which they were fetched.
    pub(super) fn decode(
        &mut self,
        messages: &[Message<'_>],
        now: Timestamp,
        cursors: &mut Cursors,
        failures: &mut Vec<Failure>,
    ) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        let mut rest = messages;
        while let Some(first) = rest.first() {
            let (topic, partition) = (first.topic_id(), first.partition());
            let run = rest.iter().take_while(|m| m.topic_id() == topic && m.partition() == partition).count();
            let (of_partition, after) = rest.split_at(run);
            rest = after;
            let Some(cursor) = cursors.get_mut(first.topic(), partition) else {
                failures.extend(of_partition.iter().filter_map(failure).filter(|f| f.topic.is_empty()));
                continue;
            };
            let mut arena = Vec::with_capacity(size(of_partition, cursor.headers));
            for (number, message) in of_partition.iter().enumerate() {
                let at_end = match message.error() {
                    None => false,
                    Some(code) if code == Code::PartitionEOF as i32 => true,
                    Some(_) => {
                        failures.extend(failure(message));
                        continue;
                    }
                };
                if message.offset() < cursor.position {
                    continue;
                }
                cursor.position = message.offset() + i64::from(!at_end);
                let (timestamp, stamped_by_broker) = message.timestamp();
                let appended = if stamped_by_broker { Appended::AtTimestamp } else { Appended::Before(now) };
                // After its end was reached a partition may go on in the same poll: that is another batch. So it is where a topic's
                // `message.timestamp.type` was changed.
                let goes_on =
                    |last: &Batch| !last.at_end && last.partition == cursor.partition && (at_end || last.appended == appended);
                if !batches.last().is_some_and(goes_on) {
                    let partition = cursor.partition.clone();
                    let records = Vec::with_capacity(of_partition.len() - number);
                    batches.push(Batch { partition, records, position: cursor.position, at_end, appended });
                }
                let index = batches.len() - 1;
                batches[index].position = cursor.position;
                batches[index].at_end = at_end;
                if !at_end {
                    let before = self.headers.len();
                    if cursor.headers {
                        for (name, value) in message.headers() {
                            let name = self.name(name);
                            self.headers.push((name, add(&mut arena, value)));
                        }
                    }
                    self.drafts.push(Draft {
                        batch: index,
                        offset: message.offset(),
                        timestamp,
                        key: add(&mut arena, message.key()),
                        value: add(&mut arena, message.value()),
                        headers: self.headers.len() - before,
                    });
                }
            }
            self.finish(Bytes::from(arena), &mut batches);
        }
        batches
    }

    /// Turns the drafts, whose bytes are all in `arena`, into records of their batches.
    fn finish(&mut self, arena: Bytes, batches: &mut [Batch]) {
        let slice = |range: Option<Range<usize>>| range.map(|range| arena.slice(range));
        let mut headers = self.headers.drain(..).map(|(key, value)| Header { key, value: slice(value) });
        for draft in self.drafts.drain(..) {
            batches[draft.batch].records.push(Record {
                offset: draft.offset,
                timestamp: Timestamp::from_millis(draft.timestamp),
                key: slice(draft.key),
                value: slice(draft.value),
                headers: headers.by_ref().take(draft.headers).collect(),
            });
        }
    }

    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.iter().find(|known| &***known == name) {
            return known.clone();
        }
        let name: Arc<str> = name.into();
        // Somebody may put data into header names: those are not worth remembering.
        if self.names.len() < 32 {
            self.names.push(name.clone());
        }
        name
    }
}

/// Bytes that are reserved for a record's headers at most. Those of the engine's own are shorter.
const USUAL_HEADERS: usize = 64;

/// Bytes of the records among messages of one partition, more or less: their headers are taken to be as large as the first one's, as librdkafka
/// makes a list for each look at them.
fn size(messages: &[Message<'_>], with_headers: bool) -> usize {
    let records = messages.iter().filter(|message| message.error().is_none());
    let first = records.clone().next().filter(|_| with_headers);
    let headers = first.map_or(0, |first| first.headers().map(|(_, value)| len(value)).sum::<usize>().min(USUAL_HEADERS));
    records.map(|message| len(message.key()) + len(message.value()) + headers).sum()
}

fn len(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(0, <[u8]>::len)
}

fn add(arena: &mut Vec<u8>, bytes: Option<&[u8]>) -> Option<Range<usize>> {
    bytes.map(|bytes| {
        let start = arena.len();
        arena.extend_from_slice(bytes);
        start..arena.len()
    })
}

fn failure(message: &Message<'_>) -> Option<Failure> {
    let code = message.error().filter(|code| *code != Code::PartitionEOF as i32)?;
    Some(Failure { code, text: message.error_text(), topic: message.topic().to_string(), partition: message.partition() })
}
