//! A topology as text, as a picture, as data.

mod format;
mod kafka_streams;
mod mermaid;

pub use format::{Format, render};
