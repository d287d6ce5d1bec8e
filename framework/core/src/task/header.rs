//! The header that carries event time through repartition topics.
//!
//! `[version = 1][flags][lane, 4 bytes][promise, 8 bytes][carried, 8 bytes]`, integers big-endian. A record without key and
//! value is a marker: it carries time to a partition that got no records.

use crate::time::Timestamp;

/// The header's key on a record.
pub(crate) const HEADER: &str = "hw";
const VERSION: u8 = 1;
const IDLE: u8 = 1;
const ENDED: u8 = 2;
/// Length of the header's value.
pub(crate) const LENGTH: usize = 22;

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
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
