//! What an operator does with an application, on Apache Kafka.

mod crash_loop;
mod files;
mod groups;
mod history;
mod manifest;
mod replays;
mod reset;
