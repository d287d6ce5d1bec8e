//! The log port on Apache Kafka.

mod admin;
mod commit;
mod configuration;
mod group;
mod latency;
mod outage;
mod reading;
pub(crate) mod support;
mod transactions;
