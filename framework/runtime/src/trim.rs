//! Trims repartition topics: what is committed has been used and need not be kept.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use headwater_core::{Plan, TopicPartition};

use crate::run::World;
use crate::worker_thread::Shared;

/// As often as Kafka Streams does (`repartition.purge.interval.ms`).
const INTERVAL: Duration = Duration::from_secs(30);

/// Trims every 30 s on a thread of its own, because the call may take long; ends soon after the answer is dropped. None if there
/// is no repartition topic.
pub(crate) fn start(plan: &Plan, world: &World, shared: &Arc<Shared>) -> Option<Sender<()>> {
    let topics: Vec<_> = plan.internal_topics().into_iter().filter(|topic| !topic.changelog).map(|topic| topic.topic).collect();
    if topics.is_empty() {
        return None;
    }
    let (keep, stopped) = channel::<()>();
    let (log, shared) = (Arc::clone(&world.log), Arc::clone(shared));
    let trim = move || {
        let mut trimmed: Vec<(TopicPartition, i64)> = Vec::new();
        while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            let positions = shared.positions.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let before: Vec<(TopicPartition, i64)> = positions
                .into_iter()
                .filter(|position| topics.contains(&position.0.topic) && position.1 > 0 && !trimmed.contains(position))
                .collect();
            if before.is_empty() {
                continue;
            }
            match log.admin().and_then(|mut admin| admin.delete_records(&before)) {
                Ok(()) => trimmed = before,
                Err(error) => tracing::warn!(%error, "repartition topics could not be trimmed; trying again later"),
            }
        }
    };
    match std::thread::Builder::new().name("trim".into()).spawn(trim) {
        Ok(_) => Some(keep),
        Err(error) => {
            tracing::warn!(%error, "repartition topics will not be trimmed");
            None
        }
    }
}
