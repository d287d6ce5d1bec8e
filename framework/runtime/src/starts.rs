//! Tasks on their way to a start: held back until it is known that no other version of the topology has taken over, and told about
//! when they cannot start here at all.

use std::time::{Duration, Instant};

use headwater_core::engine::{Member, Order};
use headwater_core::port::LogError;

use crate::{Observer, RunError};

/// A task that lacks a partition for this long is not just on its way.
const TOO_LONG: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(crate) struct Starts {
    waiting: Vec<(usize, Order)>,
    /// The group changed since the last successful look.
    unverified: bool,
    incomplete: Vec<String>,
    incomplete_since: Option<Instant>,
}

impl Starts {
    /// Keeps the starts and answers the rest. A task that is to be closed before it started is not started.
    pub(crate) fn hold_back(&mut self, orders: Vec<(usize, Order)>) -> Vec<(usize, Order)> {
        let (starts, stops): (Vec<_>, Vec<_>) = orders.into_iter().partition(|(_, order)| matches!(order, Order::Start(_)));
        for (_, stop) in &stops {
            let Order::Stop { tasks, .. } = stop else { continue };
            self.waiting.retain(|(_, order)| !matches!(order, Order::Start(task) if tasks.contains(task)));
        }
        self.waiting.extend(starts);
        stops
    }

    /// The starts that may go ahead: all of them, once `verify` has said so. It is asked when there are any, and when the group
    /// `changed`; where it cannot say they wait for the next round.
    pub(crate) fn release(
        &mut self,
        changed: bool,
        verify: impl FnOnce() -> Result<(), RunError>,
    ) -> Result<Vec<(usize, Order)>, RunError> {
        self.unverified |= changed || !self.waiting.is_empty();
        if !self.unverified {
            return Ok(Vec::new());
        }
        match verify() {
            Ok(()) => {
                self.unverified = false;
                Ok(std::mem::take(&mut self.waiting))
            }
            Err(RunError::Log(LogError::Retriable(why))) => {
                tracing::warn!(why, tasks = self.waiting.len(), "the control topic cannot be read; tasks wait for it");
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Tells which tasks lack partitions, and logs it where it lasts.
    pub(crate) fn watch(&mut self, changed: bool, member: &Member, observer: &dyn Observer) {
        if changed || !self.incomplete.is_empty() {
            let lacking = |(task, partitions): (_, Vec<headwater_core::TopicPartition>)| {
                let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
                format!("{task} lacks {}", partitions.join(", "))
            };
            let now: Vec<String> = member.incomplete().into_iter().map(lacking).collect();
            if now != self.incomplete {
                self.incomplete_since = (!now.is_empty()).then(Instant::now);
                observer.incomplete(&now);
                self.incomplete = now;
            }
        }
        if self.incomplete_since.is_some_and(|since| since.elapsed() >= TOO_LONG) {
            self.incomplete_since = None;
            let tasks = self.incomplete.join("; ");
            tracing::warn!(
                tasks,
                "tasks wait for partitions that another member of the group has: does it run another version of the topology?"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_core::TaskId;

    use super::*;

    fn task(partition: i32) -> TaskId {
        TaskId { subtopology: "t".into(), partition }
    }

    fn shown(orders: &[(usize, Order)]) -> Vec<String> {
        orders
            .iter()
            .map(|(worker, order)| match order {
                Order::Start(task) => format!("{worker} start {task}"),
                Order::Stop { tasks, .. } => format!("{worker} stop {}", tasks[0]),
            })
            .collect()
    }

    #[test]
    fn starts_wait_until_verified_and_are_dropped_when_stopped_before() {
        let mut starts = Starts::default();
        let stop = Order::Stop { tasks: vec![task(0)], clean: true };
        assert_eq!(shown(&starts.hold_back(vec![(0, Order::Start(task(0))), (1, Order::Start(task(1)))])), [""; 0]);
        let late = || Err(LogError::Retriable("no broker".into()).into());
        assert_eq!(shown(&starts.release(true, late).unwrap()), [""; 0]);
        assert_eq!(shown(&starts.hold_back(vec![(0, stop)])), ["0 stop t-0"]);
        assert_eq!(shown(&starts.release(false, || Ok(())).unwrap()), ["1 start t-1"]);
        assert_eq!(shown(&starts.release(false, || panic!("nothing changed")).unwrap()), [""; 0]);
        starts.hold_back(vec![(0, Order::Start(task(2)))]);
        let gone = || Err(RunError::Superseded { app: "a".into(), why: "b".into() });
        assert!(starts.release(false, gone).is_err());
    }
}
