//! Tests against real brokers and whole applications. Slow things are shared: one broker serves all that can share it.

mod bounded;
mod chaos;
mod golden;
mod kafka;
mod ledger;
mod named;
mod operator;
mod poison;
mod proxy;
mod readme;
mod replay;
mod restore;
mod tidy;
