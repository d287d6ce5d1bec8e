//! Everything needed to try or test a Headwater application without a Kafka cluster: the log in memory, with
//! transactions, groups and faults, and state in memory. It is for trying and testing, and keeps nothing on disk.

#![warn(missing_docs)]

mod driver;
mod local;
mod log;
mod overseer;
mod sink;
mod stores;

pub use driver::{Out, TestDriver};
pub use local::{LocalProcess, prepare};
pub use log::{Call, Delays, Fault, GroupMember, MemoryLog, Timeouts, Tombstones};
pub use overseer::Overseer;
pub use sink::{SinkCall, TestSink};
pub use stores::MemoryStores;
