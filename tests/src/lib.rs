//! What the integration tests stand on: real brokers, and waiting without luck.
#![warn(missing_docs)]

mod app_process;
mod binary;
pub mod chaos;
pub mod cluster;
mod http;
mod kafka_broker;
pub mod kafka_jars;
mod log_end;
pub mod poison;
pub mod proofs;
pub mod proxy;
pub mod tidy;
mod wait;

pub use app_process::AppProcess;
pub use binary::binary;
pub use http::get;
pub use kafka_broker::{BrokerOptions, KafkaBroker};
pub use log_end::log_end;
pub use wait::{until, within};
