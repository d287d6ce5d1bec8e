//! Bounded runs on Apache Kafka, from the plan to the end: tails of every shape, outputs that must not be touched, retention that overtakes a
//! run, processes that join in, and systems outside of Kafka.

mod joined;
mod observed;
mod overtaken;
mod silent;
mod sinks;
mod stage;
mod tails;
