//! Between clients and a broker: a proxy that loses replies after the broker has acted, holds them back, and cuts connections.
//!
//! - [`FaultProxy`]: forwards what clients and a broker say to each other; [`Rule`]s say what goes wrong;
//! - [`ProxiedBroker`]: a broker that names the proxy as its address, so that every client goes through it.
//!
//! It understands of Kafka's protocol what it takes to match a reply with its request (length, api key, version, correlation id, client
//! id), and of `EndTxn` whether it commits. A lost reply closes the connection, as in a real network: a client that still has one waits.

mod api;
mod broker;
mod frame;
mod rule;
mod rules;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use api::Api;
pub use broker::ProxiedBroker;
pub use rule::{Fault, Rule};
pub use server::FaultProxy;
