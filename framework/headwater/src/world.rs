//! From settings to what a process runs on: the one place where ports meet their adapters.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use headwater_core::port::{Log, Stores};
use headwater_kafka::{GroupProtocol, KafkaConfig, KafkaLog};
use headwater_ops::CliError;
use headwater_ops::cli::{LocalDirectory, StoppedState};
use headwater_ops::config::{self, Settings};
use headwater_store::{LocalState, RocksStores, StoreOptions};

/// A connection to the configured cluster; fails within 10 s if no broker answers.
pub(crate) fn kafka(settings: &Settings) -> Result<Arc<dyn Log>, CliError> {
    let mut config = KafkaConfig::new(&settings.kafka.bootstrap);
    config.group_protocol = match settings.kafka.group_protocol {
        config::GroupProtocol::Auto => GroupProtocol::Auto,
        config::GroupProtocol::Consumer => GroupProtocol::Consumer,
        config::GroupProtocol::Classic => GroupProtocol::Classic,
    };
    config.rdkafka = settings.kafka.rdkafka.clone();
    let memory = settings.memory()?;
    config.fetch_ahead = bytes(memory.fetch);
    config.restore_ahead = bytes(memory.restore_fetch);
    config.send_queue = bytes(memory.send);
    Ok(Arc::new(KafkaLog::connect(config)?))
}

/// The state directory, and the id that belongs to it.
pub(crate) fn stores(settings: &Settings, app: &str) -> Result<(Arc<dyn Stores>, String), CliError> {
    let stores = open_stores(settings, &settings.state.dir, app)?;
    let id = stores.instance_id().to_owned();
    Ok((Arc::new(stores), id))
}

/// The stores of `app` under `root`, as configured.
pub(crate) fn open_stores(settings: &Settings, root: &Path, app: &str) -> Result<RocksStores, CliError> {
    let memory = settings.memory()?;
    let options = StoreOptions {
        memory_bytes: bytes(memory.stores),
        open_files: settings.open_files(),
        run_bytes: bytes(memory.restore_run),
        keep_open: settings.state.keep_open,
        ..StoreOptions::default()
    };
    Ok(RocksStores::open(root, app, options)?)
}

fn bytes(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The state of an instance that does not run; none if there is none.
pub(crate) fn stopped_state(settings: &Settings, app: &str) -> Result<Option<StoppedState>, CliError> {
    // Looked for first: opening would make a directory.
    if LocalState::find(&settings.state.dir, app)?.is_none() {
        return Ok(None);
    }
    let stores = open_stores(settings, &settings.state.dir, app)?;
    let (path, tasks) = (stores.path().to_owned(), stores.tasks()?);
    Ok(Some(StoppedState { path, stores: Arc::new(stores), tasks }))
}

/// The same, to be removed.
pub(crate) fn local_directory(settings: &Settings, app: &str) -> Result<Option<LocalDirectory>, CliError> {
    let found = LocalState::find(&settings.state.dir, app)?;
    Ok(found.map(|state| LocalDirectory { path: state.path().to_owned(), remove: Box::new(move || state.remove()) }))
}

/// A state directory that is removed when this is dropped: an embedded log begins empty, and so must its state.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new(app: &str) -> Scratch {
        Scratch { path: std::env::temp_dir().join(format!("{app}-{}", uuid::Uuid::new_v4())) }
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in the system's directory for temporary files, which is cleaned anyway.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
