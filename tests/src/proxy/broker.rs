use std::sync::Arc;

use headwater_kafka::{KafkaConfig, KafkaLog};

use super::FaultProxy;
use crate::{BrokerOptions, KafkaBroker};

/// A broker whose address, as it tells it to clients, is a proxy's.
#[derive(Debug)]
pub struct ProxiedBroker {
    proxy: Arc<FaultProxy>,
    _broker: KafkaBroker,
}

impl ProxiedBroker {
    /// Starts both. `seed` decides which of [`Rule::one_in`](super::Rule::one_in) many.
    pub fn start(seed: u64, options: &BrokerOptions) -> ProxiedBroker {
        let proxy = Arc::new(FaultProxy::start(seed));
        let options = BrokerOptions { behind: Some(Arc::clone(&proxy)), ..options.clone() };
        ProxiedBroker { proxy, _broker: KafkaBroker::start_with(&options) }
    }

    /// The proxy.
    pub fn proxy(&self) -> &FaultProxy {
        &self.proxy
    }

    /// The address for clients.
    pub fn bootstrap(&self) -> String {
        self.proxy.address()
    }

    /// A client configuration with this `client.id`, by which rules know whom they are about.
    pub fn config(&self, client: &str) -> KafkaConfig {
        KafkaConfig::new(self.bootstrap()).option("client.id", client)
    }

    /// The log port through the proxy.
    pub fn log(&self, client: &str) -> KafkaLog {
        KafkaLog::new(self.config(client)).expect("the configuration is valid")
    }
}
