//! Trims repartition topics: what is committed has been used and need not be kept.

use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use headwater_core::port::Log;
use headwater_core::{Plan, TopicName, TopicPartition};

use crate::run::World;
use crate::worker_thread::Shared;

/// Trims again and again on a thread of its own, because the call may take long. When this is dropped a call that is under way is not waited
/// for: the partitions wait for whoever takes them over, and what is left is trimmed there.
pub(crate) struct Trimmer {
    _keep: Sender<()>,
}

impl Trimmer {
    /// None if there is nothing to trim: no repartition topic.
    pub(crate) fn start(plan: &Plan, world: &World, shared: &Arc<Shared>, interval: Duration) -> Option<Trimmer> {
        let topics: Vec<TopicName> =
            plan.internal_topics().into_iter().filter(|topic| !topic.changelog).map(|topic| topic.topic).collect();
        if topics.is_empty() {
            return None;
        }
        let (keep, stopped) = channel::<()>();
        let mut work = Work { topics, log: Arc::clone(&world.log), shared: Arc::clone(shared), trimmed: BTreeMap::new() };
        let run = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                work.trim();
            }
        };
        match std::thread::Builder::new().name("trim".into()).spawn(run) {
            Ok(_) => Some(Trimmer { _keep: keep }),
            Err(error) => {
                tracing::warn!(%error, "repartition topics will not be trimmed");
                None
            }
        }
    }
}

struct Work {
    topics: Vec<TopicName>,
    log: Arc<dyn Log>,
    shared: Arc<Shared>,
    trimmed: BTreeMap<TopicPartition, i64>,
}

impl Work {
    fn trim(&mut self) {
        let positions = self.shared.positions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let news = |(partition, position): &(TopicPartition, i64)| {
            self.topics.contains(&partition.topic) && *position > self.trimmed.get(partition).copied().unwrap_or(0)
        };
        let before: Vec<(TopicPartition, i64)> = positions.into_iter().filter(news).collect();
        if before.is_empty() {
            return;
        }
        match self.log.admin().and_then(|mut admin| admin.delete_records(&before)) {
            Ok(()) => self.trimmed.extend(before),
            Err(error) => tracing::warn!(%error, "repartition topics could not be trimmed; trying again later"),
        }
    }
}
