//! Clients that only ask, one of each kind for the whole process: opening one costs threads, connections and several answers before the first
//! question is heard.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_core::port::LogError;
use rdkafka::admin::AdminClient;
use rdkafka::config::FromClientConfigAndContext;

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::native::{self, Client};
use crate::options;
use crate::reader::offsets;
use crate::secrets::Secrets;

/// How long what is being closed is waited for when nobody needs the cluster any more.
const CLOSING: Duration = Duration::from_secs(2);

/// Opened when they are first needed.
#[derive(Default)]
pub(crate) struct SharedClients {
    admin: Mutex<Option<Arc<AdminClient<Context>>>>,
    plain: Mutex<Option<Arc<Client>>>,
    uncommitted: Mutex<Option<Arc<Client>>>,
}

impl SharedClients {
    /// For administration.
    pub(crate) fn admin(&self, config: &KafkaConfig) -> Result<Arc<AdminClient<Context>>, LogError> {
        one(&self.admin, || {
            let secrets = Secrets::of(&config.rdkafka);
            let admin = AdminClient::from_config_and_context(&options::plain(config), Context::new("admin", secrets.clone()));
            Ok(Arc::new(admin.map_err(|error| options::refusal(error, &secrets))?))
        })
    }

    /// For metadata.
    pub(crate) fn plain(&self, config: &KafkaConfig) -> Result<Arc<Client>, LogError> {
        one(&self.plain, || offsets::open(config, "admin", options::plain(config)))
    }

    /// For logs' bounds and topics' ids, whatever the isolation level of what reads them.
    pub(crate) fn uncommitted(&self, config: &KafkaConfig) -> Result<Arc<Client>, LogError> {
        let client = one(&self.uncommitted, || offsets::open(config, "ends", options::uncommitted(config)))?;
        // It is served nowhere else.
        native::serve(&client, Duration::ZERO);
        Ok(client)
    }
}

impl Drop for SharedClients {
    fn drop(&mut self) {
        for client in [&self.plain, &self.uncommitted] {
            drop(client.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        native::wait_until_closed(CLOSING);
    }
}

fn one<T>(place: &Mutex<Option<Arc<T>>>, open: impl FnOnce() -> Result<Arc<T>, LogError>) -> Result<Arc<T>, LogError> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    match place.as_ref() {
        Some(client) => Ok(Arc::clone(client)),
        None => Ok(Arc::clone(place.insert(open()?))),
    }
}
