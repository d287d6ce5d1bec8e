//! The ports as the engine gets them: those of the log and the disk behind a layer in which anything may happen between two calls.

mod admin;
mod desk;
mod membership;
mod producer;
mod reader;
mod site;
mod stores;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use headwater_core::port::{Admin, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader, ReaderConfig};

use crate::disk::Disk;
use crate::fault::Call;
use site::Site;

pub use desk::DeskLog;
pub use site::Facts;
pub use site::Site as PortSite;
pub use stores::SimStores;

/// The log as one process sees it.
pub struct SimLog {
    pub site: Site,
    pub disk: Disk,
    /// Most records in one poll.
    pub fetch: usize,
    /// `group.instance.id` of a static member.
    pub instance: Option<String>,
    /// Readers are made in the order of their workers.
    pub readers: AtomicUsize,
}

impl Log for SimLog {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        Ok(Box::new(admin::SimAdmin { inner: self.site.log.admin()?, site: self.site.clone() }))
    }

    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        let config = MembershipConfig { instance: self.instance.clone(), ..config.clone() };
        let inner = self.site.log.membership(&config)?;
        Ok(Box::new(membership::SimMembership::new(inner, self.site.clone(), self.instance.clone())))
    }

    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        let worker = self.readers.fetch_add(1, Ordering::Relaxed);
        let inner = self.site.log.reader(config)?;
        Ok(Box::new(reader::SimReader::new(inner, self.site.of_worker(worker), self.fetch)))
    }

    fn restore_reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        Ok(Box::new(reader::SimReader::new(self.site.log.reader(config)?, self.site.clone(), self.fetch)))
    }

    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        let id = config.transactional_id.clone().unwrap_or_default();
        let worker = id.rsplit('-').next().and_then(|worker| worker.parse().ok()).unwrap_or_default();
        let site = self.site.of_worker(worker);
        let inner = site.call(Call::ProducerOpen, || site.log.producer(config))?;
        Ok(Box::new(producer::SimProducer::new(inner, site.clone(), self.disk.clone(), id)))
    }
}

/// The key of a marker's header that carries event time (`core::task::header`): version, flags, lane, promise, what the record carries. Other records have the same
/// behind their values.
const TIME_HEADER: &str = "hw";
/// Its length.
const TIME_LENGTH: usize = 22;

/// Topics by what they are for.
pub type Topics = BTreeSet<Arc<str>>;
