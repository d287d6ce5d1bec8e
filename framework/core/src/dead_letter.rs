//! What a dead letter says about itself: headers that are added behind the record's own, text in UTF-8 and numbers in decimal. The names
//! follow KIP-1034, which puts `__streams.errors.` in front.
//!
//! Key, value, timestamp and headers of a dead letter are those of the record that failed, byte for byte. Should the record have had
//! headers of these names already (it was a dead letter before), the last one of each name is the newest.

/// The application.
pub const APP: &str = "__headwater.errors.app";
/// The task: sub-topology and partition.
pub const TASK: &str = "__headwater.errors.task";
/// The topic the record was read from; not there for a timer.
pub const TOPIC: &str = "__headwater.errors.topic";
/// The partition of [`TOPIC`]; not there for a timer.
pub const PARTITION: &str = "__headwater.errors.partition";
/// The record's offset in [`PARTITION`]; not there for a timer.
pub const OFFSET: &str = "__headwater.errors.offset";
/// The record's timestamp, or the time a timer was set for, in milliseconds since 1970.
pub const TIMESTAMP: &str = "__headwater.errors.timestamp";
/// What was being done: `decode`, `process`, `timer` or `produce`; see [`Stage`](crate::Stage).
pub const STAGE: &str = "__headwater.errors.stage";
/// The node that failed, by its name in `topology`; not there where it is not known.
pub const OPERATOR: &str = "__headwater.errors.operator";
/// What went wrong, in words; cut off after 4096 bytes.
pub const MESSAGE: &str = "__headwater.errors.message";
/// What had to be left out because the dead-letter topic does not take it: `value`, or `key, value, headers`. Not there otherwise.
pub const OMITTED: &str = "__headwater.errors.omitted";
