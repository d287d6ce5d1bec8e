//! The log port of Headwater on Apache Kafka, by librdkafka. Only this crate names `rdkafka`.
//!
//! [`KafkaLog`] makes the handles the engine uses: [`Reader`](headwater_core::port::Reader)s that read partitions they
//! are told to, [`Producer`](headwater_core::port::Producer)s that write in transactions,
//! [`Membership`](headwater_core::port::Membership) of a consumer group that decides who owns what, and
//! [`Admin`](headwater_core::port::Admin).
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod admin;
mod block_on;
mod config;
mod context;
mod error;
mod groups;
mod kafka_log;
mod membership;
#[allow(unsafe_code, reason = "librdkafka is C; everything unsafe is in this module and says why it is sound")]
mod native;
mod options;
mod probe;
mod producer;
mod reader;
mod secrets;
mod shared_clients;

pub use config::{GroupProtocol, KafkaConfig};
pub use kafka_log::KafkaLog;
