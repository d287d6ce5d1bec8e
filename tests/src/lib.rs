//! What the integration tests stand on: real brokers, and waiting without luck.
#![warn(missing_docs)]

mod kafka_broker;
mod wait;

pub use kafka_broker::{BrokerOptions, KafkaBroker};
pub use wait::{until, within};
