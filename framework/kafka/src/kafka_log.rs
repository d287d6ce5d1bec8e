use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use headwater_core::port::{Admin, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader, ReaderConfig};
use rdkafka::error::RDKafkaErrorCode as Code;

use crate::admin::KafkaAdmin;
use crate::config::{GroupProtocol, KafkaConfig};
use crate::membership::KafkaMembership;
use crate::native::{self, Client};
use crate::options;
use crate::probe::has_consumer_protocol;
use crate::producer::KafkaProducer;
use crate::reader::KafkaReader;
use crate::shared_clients::SharedClients;

/// A Kafka cluster as the engine's [`Log`]. Cheap to clone; one per process.
#[derive(Clone)]
pub struct KafkaLog {
    config: Arc<KafkaConfig>,
    /// Whether the brokers have KIP-848, once it was looked up.
    consumer_protocol: Arc<OnceLock<bool>>,
    shared: Arc<SharedClients>,
}

impl KafkaLog {
    /// Checks the configuration without connecting. [`LogError::Fatal`] names an option that librdkafka does not know or
    /// refuses, or that must not be set; the values of secrets are never shown.
    pub fn new(config: KafkaConfig) -> Result<KafkaLog, LogError> {
        options::validate(&config)?;
        Ok(KafkaLog { config: Arc::new(config), consumer_protocol: Arc::default(), shared: Arc::default() })
    }

    /// [`new`](KafkaLog::new) and [`check`](KafkaLog::check).
    pub fn connect(config: KafkaConfig) -> Result<KafkaLog, LogError> {
        let log = KafkaLog::new(config)?;
        log.check()?;
        Ok(log)
    }

    /// Waits for the first answer of a broker. After [`connect_timeout`](KafkaConfig::connect_timeout) (10 s by
    /// default) [`LogError::Unreachable`] says which addresses were tried and what failed last. Refused credentials are
    /// [`LogError::Fatal`], at once.
    pub fn check(&self) -> Result<(), LogError> {
        let client = self.shared.plain(&self.config)?;
        let started = Instant::now();
        loop {
            let left = self.config.connect_timeout.saturating_sub(started.elapsed());
            let slice = left.min(Duration::from_millis(500));
            if client.fetch_metadata(None, slice).is_ok() {
                return Ok(());
            }
            native::serve(&client, Duration::ZERO);
            let last = client.context().last_error();
            if let Some(error) = last.as_ref().filter(|error| error.code == Code::Authentication as i32) {
                return Err(LogError::Fatal(format!(
                    "the Kafka brokers at {} refuse the credentials: {}",
                    self.config.bootstrap, error.text
                )));
            }
            if left <= slice {
                return Err(unreachable_error(&self.config, "connecting", started.elapsed(), &client));
            }
        }
    }
}

impl Log for KafkaLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(KafkaAdmin::new(&self.config, &self.shared)?))
    }

    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        let consumer_protocol = match self.config.group_protocol {
            GroupProtocol::Consumer => true,
            GroupProtocol::Classic => false,
            GroupProtocol::Auto => *self.consumer_protocol.get_or_init(|| {
                let found = has_consumer_protocol(&self.config);
                tracing::info!(
                    protocol = if found { "consumer" } else { "classic" },
                    "chose the group protocol by the brokers' features"
                );
                found
            }),
        };
        Ok(Box::new(KafkaMembership::new(&self.config, config, consumer_protocol)?))
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(KafkaReader::new(&self.config, config, &self.shared, options::reader, self.config.fetch_ahead)?))
    }

    fn restore_reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(KafkaReader::new(&self.config, config, &self.shared, options::restore, self.config.restore_ahead)?))
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(KafkaProducer::new(&self.config, config)?))
    }
}

/// No broker answered `client` while `what` was tried.
pub(crate) fn unreachable_error(config: &KafkaConfig, what: &str, waited: Duration, client: &Client) -> LogError {
    let last = client.context().last_error().map_or_else(|| "no broker answered".to_string(), |last| last.text);
    LogError::Unreachable {
        addresses: config.bootstrap.clone(),
        tried: format!("{what} for {:.1} s; the last failure was: {last}", waited.as_secs_f64()),
    }
}
