//! The engine of Headwater, free of I/O, clocks and threads: time is an argument, the world is behind ports.

pub mod describe;
mod partition;
pub mod port;
mod record;
mod time;

pub use partition::{murmur2, partition_for};
pub use record::{Header, Outgoing, Record, TopicName, TopicPartition};
pub use time::{Timestamp, days, hours, minutes, seconds};
