//! What an operator does with an application, on Apache Kafka.

mod crash_loop;
mod files;
mod groups;
mod manifest;
mod reset;
