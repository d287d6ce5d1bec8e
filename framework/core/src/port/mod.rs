//! Ports: what the engine needs of the world, as traits. The engine calls them and never sees what stands behind:
//! Apache Kafka and RocksDB in production, an in-process log and a map in tests. All calls may block and are made
//! from plain threads; no port knows the engine.

mod admin;
mod checkpoint;
mod error;
mod membership;
mod producer;
mod reader;
mod sink;
mod store;

pub use admin::{Admin, MemberInfo, NewTopic, TopicInfo};
pub use checkpoint::{Checkpoint, StoreTrouble, TopicId};
pub use error::{LogError, StoreError};
pub use membership::{GroupMetadata, Membership, MembershipConfig, MembershipEvent};
pub(crate) use producer::TOGETHER;
pub use producer::{Committed, Entry, Producer, ProducerConfig};
pub use reader::{Appended, Batch, Ends, Reader, ReaderConfig};
pub use sink::{Delivery, Sink, SinkError, SinkWriter};
pub use store::{Change, OpenStore, ScanItem, StateStores, StoreRange, Stores};

/// A log cluster: the factory of every handle the engine uses. One per process, shared by its threads.
pub trait Log: Send + Sync {
    /// A handle for looking up, creating and trimming topics.
    fn admin(&self) -> Result<Box<dyn Admin>, LogError>;
    /// A handle that will join the group (at its first [`Membership::poll`]).
    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError>;
    /// A handle that reads the partitions it is told to; it never joins a group.
    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError>;
    /// A handle that reads changelogs in large pieces; otherwise like [`reader`](Log::reader). It is open only while something is
    /// restored, so that its records do not stand in the way of those being processed.
    fn restore_reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        self.reader(config)
    }
    /// A handle that writes, in transactions when the configuration names a transactional id.
    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError>;
}
