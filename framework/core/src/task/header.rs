//! What carries event time through repartition topics.
//!
//! `[version = 1][flags][lane, 4 bytes][promise, 8 bytes][carried, 8 bytes]`, integers big-endian. A record without key and
//! value is a marker: it carries time to a partition that got no records, in a header. A record that has a value carries it behind that, with its own timestamp
//! in front, `[timestamp, 8 bytes]`: records with neither headers nor times can be handed over many at once
//! ([`Producer::send_all`](crate::port::Producer::send_all)).

use crate::record::Record;
use crate::time::Timestamp;

/// The header's key on a marker. Before there were trailers every record had it, and those are understood.
pub(crate) const HEADER: &str = "hw";
const VERSION: u8 = 1;
const IDLE: u8 = 1;
const ENDED: u8 = 2;
/// Length of the header's value.
pub(crate) const LENGTH: usize = 22;
/// Length of what is behind a record's value.
pub(crate) const TRAILER: usize = 8 + LENGTH;

/// What one upstream task says about event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeHeader {
    /// The partition of the upstream task.
    pub(crate) lane: i32,
    /// No later record of this lane carries less than this.
    pub(crate) promise: Timestamp,
    /// What the record's lateness is judged by: the watermark of its source when it entered, or a timer's time.
    pub(crate) carried: Timestamp,
    /// The upstream task has nothing to read and does not hold event time back.
    pub(crate) idle: bool,
    /// Nothing comes after this: the inputs of the upstream task's bounded run have ended.
    pub(crate) ended: bool,
}

impl TimeHeader {
    pub(crate) fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[0] = VERSION;
        bytes[1] = if self.idle { IDLE } else { 0 } | if self.ended { ENDED } else { 0 };
        bytes[2..6].copy_from_slice(&self.lane.to_be_bytes());
        bytes[6..14].copy_from_slice(&self.promise.as_millis().to_be_bytes());
        bytes[14..22].copy_from_slice(&self.carried.as_millis().to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<TimeHeader> {
        let bytes: &[u8; LENGTH] = bytes.try_into().ok()?;
        let [VERSION, flags, l0, l1, l2, l3, times @ ..] = *bytes else { return None };
        let (promise, carried) = times.split_at(8);
        let time = |bytes: &[u8]| Some(Timestamp::from_millis(i64::from_be_bytes(bytes.try_into().ok()?)));
        Some(TimeHeader {
            lane: i32::from_be_bytes([l0, l1, l2, l3]),
            promise: time(promise)?,
            carried: time(carried)?,
            idle: flags & IDLE != 0,
            ended: flags & ENDED != 0,
        })
    }

    /// What goes behind the value of a record of this time.
    pub(crate) fn trailer(&self, timestamp: Timestamp) -> [u8; TRAILER] {
        let mut bytes = [0; TRAILER];
        bytes[..8].copy_from_slice(&timestamp.as_millis().to_be_bytes());
        bytes[8..].copy_from_slice(&self.encode());
        bytes
    }

    /// Takes it off a record that was read, which then has its own time and value again; none where there is nothing readable.
    pub(crate) fn take_off(record: &mut Record) -> Option<TimeHeader> {
        if let Some(header) = record.headers.iter().find(|header| &*header.key == HEADER) {
            return TimeHeader::decode(header.value.as_ref()?);
        }
        let value = record.value.as_mut()?;
        let (own, trailer) = value.split_at_checked(value.len().checked_sub(TRAILER)?)?;
        let (timestamp, header) = trailer.split_first_chunk()?;
        let header = TimeHeader::decode(header)?;
        record.timestamp = Timestamp::from_millis(i64::from_be_bytes(*timestamp));
        value.truncate(own.len());
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::record::Header;

    #[test]
    fn round_trips_and_refuses_other_versions() {
        let header =
            TimeHeader { lane: 7, promise: Timestamp::MIN, carried: Timestamp::from_millis(-3), idle: true, ended: false };
        let mut bytes = header.encode();
        assert_eq!(TimeHeader::decode(&bytes), Some(header));
        let last = TimeHeader { idle: false, ended: true, ..header };
        assert_eq!(TimeHeader::decode(&last.encode()), Some(last));
        assert_eq!(TimeHeader::decode(&bytes[1..]), None);
        bytes[0] = 2;
        assert_eq!(TimeHeader::decode(&bytes), None);
    }

    #[test]
    fn a_record_that_lost_its_trailer_is_as_it_was_sent() {
        let time = |millis| Timestamp::from_millis(millis);
        let header = TimeHeader { lane: 3, promise: time(5), carried: time(6), idle: false, ended: false };
        let written = |value: Vec<u8>, headers| Record {
            offset: 1,
            timestamp: time(99),
            key: None,
            value: Some(Bytes::from(value)),
            headers,
        };
        for value in [&b""[..], b"1", &[1; TRAILER]] {
            let mut record = written([value, &header.trailer(time(7))].concat(), Vec::new());
            assert_eq!(TimeHeader::take_off(&mut record), Some(header));
            assert_eq!((record.value.as_deref(), record.timestamp), (Some(value), time(7)));
        }
        let own = vec![Header { key: Arc::from(HEADER), value: Some(Bytes::copy_from_slice(&header.encode())) }];
        let mut old = written([&b"value"[..], &header.trailer(time(7))].concat(), own);
        let before = old.clone();
        assert_eq!(
            (TimeHeader::take_off(&mut old), old),
            (Some(header), before),
            "what has the header has nothing behind its value"
        );
        for value in [&b""[..], b"{}", &[0; TRAILER], &[0; 2 * TRAILER]] {
            let mut foreign = written(value.to_vec(), Vec::new());
            let before = foreign.clone();
            assert_eq!((TimeHeader::take_off(&mut foreign), foreign), (None, before));
        }
    }
}
