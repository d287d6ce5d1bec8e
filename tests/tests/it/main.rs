//! Tests against real brokers and whole applications. Slow things are shared: one broker serves all that can share it.

mod golden;
mod kafka;
