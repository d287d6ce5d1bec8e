//! What librdkafka tells a client besides records: logs and errors.

use std::sync::{Mutex, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;

use crate::producer::{Deliveries, UnderWay};
use crate::secrets::Secrets;

/// Belongs to one client; called from whichever thread serves it.
pub(crate) struct Context {
    role: &'static str,
    secrets: Secrets,
    last_error: Mutex<Option<ClientError>>,
    /// What became of the records sent; stays empty in clients that do not produce.
    pub(crate) deliveries: Mutex<Deliveries>,
    /// Records sent and not reported on, where they are counted.
    pub(crate) under_way: UnderWay,
    /// The lines that tell the brokers' features; collected by the probe only.
    pub(crate) features: Option<Mutex<Vec<String>>>,
}

/// An error librdkafka reported on its own: mostly failed connections.
#[derive(Clone)]
pub(crate) struct ClientError {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Context {
    pub(crate) fn new(role: &'static str, secrets: Secrets) -> Context {
        let (deliveries, under_way) = (Mutex::default(), UnderWay::default());
        Context { role, secrets, last_error: Mutex::new(None), deliveries, under_way, features: None }
    }

    /// One that collects what the brokers can do.
    pub(crate) fn probe(secrets: Secrets) -> Context {
        Context { features: Some(Mutex::default()), ..Context::new("probe", secrets) }
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) fn last_error(&self) -> Option<ClientError> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of an error. Logged at debug level: librdkafka goes on by itself, and what matters comes out of the
    /// call that failed.
    pub(crate) fn note_error(&self, code: i32, reason: &str) {
        let text = self.secrets.hide(reason);
        tracing::debug!(target: "librdkafka", client = self.role, code, "{text}");
        // "All brokers are down" only repeats, with less detail, what was said before.
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        if code != rdkafka_sys::RDKafkaErrorCode::AllBrokersDown as i32 || last.is_none() {
            *last = Some(ClientError { code, text });
        }
    }

    /// Passes a log line on. `level` is syslog's: 0 is the gravest, 7 is debug.
    pub(crate) fn note_log(&self, level: i32, facility: &str, line: &str) {
        if let Some(features) = &self.features {
            if facility == "APIVERSION" {
                features.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_string());
            }
            return;
        }
        let line = self.secrets.hide(line);
        match level {
            // "acks is a producer property": the pass-through options go to every client alike.
            _ if facility == "CONFWARN" => tracing::debug!(target: "librdkafka", client = self.role, facility, "{line}"),
            ..=3 => tracing::error!(target: "librdkafka", client = self.role, facility, "{line}"),
            4 => tracing::warn!(target: "librdkafka", client = self.role, facility, "{line}"),
            5 | 6 => tracing::info!(target: "librdkafka", client = self.role, facility, "{line}"),
            _ => tracing::debug!(target: "librdkafka", client = self.role, facility, "{line}"),
        }
    }
}

/// For the clients whose events `rdkafka` serves: membership and administration.
impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.note_log(level as i32, facility, line);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note_error(error.rdkafka_error_code().map_or(0, |code| code as i32), reason);
    }
}
