//! What a task delivers to systems outside of the log: which of it, and how much. The worker does the delivering.

use std::sync::Arc;

use super::outputs::Silence;
use super::{Task, TaskId};
use crate::bounded::{Bounded, SinkStanding};
use crate::port::{Delivery, Sink};
use crate::replay::ReplayEffect;
use crate::topology::DeliverySpec;

/// One sink of a task.
pub(crate) struct TaskSink {
    pub(crate) name: String,
    pub(crate) sink: Arc<dyn Sink>,
    effect: ReplayEffect,
    /// In a bounded run: which records it does not say anything about to anybody.
    silence: Silence,
    /// Whether the rest is counted and left out.
    is_withheld: bool,
    /// Since the last commit, and since the last report.
    open: Counts,
    committed: Counts,
}

/// Records of a sink.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    delivered: u64,
    withheld: u64,
}

impl TaskSink {
    pub(super) fn new(name: &str, spec: &DeliverySpec, bounds: Option<&Arc<Bounded>>) -> TaskSink {
        let standing = bounds.map(|bounds| bounds.sink(name, spec.effect));
        let says = bounds.filter(|_| standing != Some(SinkStanding::Silent)).map(|bounds| bounds.says);
        TaskSink {
            name: name.to_owned(),
            sink: Arc::clone(&spec.sink),
            effect: spec.effect,
            silence: Silence { says, belongs: bounds.map(|_| spec.belongs) },
            is_withheld: standing == Some(SinkStanding::Withheld),
            open: Counts::default(),
            committed: Counts::default(),
        }
    }
}

impl Task {
    /// Whether records wait to be delivered.
    pub(crate) fn has_deliveries(&self) -> bool {
        !self.state.deliveries.is_empty()
    }

    /// Hands the waiting records out in their order, each with its sink's number, except those that nobody is to have.
    pub(crate) fn deliver<E>(
        &mut self,
        mut each: impl FnMut(&TaskId, usize, &TaskSink, Delivery<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Task { state, sinks, id, silent, follows, .. } = self;
        state.deliveries.drain(|envelope| {
            let sink = &mut sinks[envelope.sink];
            if *silent || sink.silence.covers(envelope.key, envelope.timestamp) {
                return Ok(());
            }
            if sink.is_withheld || (*follows && sink.effect == ReplayEffect::Forbidden) {
                sink.open.withheld += 1;
                return Ok(());
            }
            let delivery = Delivery { key: envelope.key, value: envelope.value, timestamp: envelope.timestamp };
            each(id, envelope.sink, sink, delivery)?;
            sink.open.delivered += 1;
            Ok(())
        })
    }

    /// What was delivered is committed.
    pub(super) fn deliveries_committed(&mut self) {
        for sink in &mut self.sinks {
            let open = std::mem::take(&mut sink.open);
            sink.committed.delivered += open.delivered;
            sink.committed.withheld += open.withheld;
        }
    }

    /// Records delivered to each sink and committed since the last call, and those that were withheld from it.
    pub(crate) fn take_delivered(&mut self) -> impl Iterator<Item = (String, u64, u64)> + '_ {
        let counted = self.sinks.iter_mut().filter(|sink| sink.committed.delivered + sink.committed.withheld > 0);
        counted.map(|sink| {
            let Counts { delivered, withheld } = std::mem::take(&mut sink.committed);
            (sink.name.clone(), delivered, withheld)
        })
    }
}
