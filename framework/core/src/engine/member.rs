//! The process's membership: turns what the group says into orders for workers, and answers the group when they are carried out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::orders::{Answer, Order, View};
use crate::blueprint::{Plan, TaskId};
use crate::port::{LogError, Membership, MembershipEvent};
use crate::record::TopicPartition;

/// Partitions that will be given back when the tasks on them are closed.
#[derive(Debug)]
struct Leaving {
    partitions: Vec<TopicPartition>,
    waiting_for: BTreeSet<TaskId>,
}

/// See the module's documentation.
pub struct Member {
    plan: Arc<Plan>,
    membership: Box<dyn Membership>,
    owned: Arc<BTreeSet<TopicPartition>>,
    /// Which worker has a task.
    placed: BTreeMap<TaskId, usize>,
    /// Which of them are ordered to close.
    closing: BTreeSet<TaskId>,
    leaving: Vec<Leaving>,
    workers: usize,
    /// How often the group changed this process's partitions.
    rebalances: u64,
    /// Nothing is started any more.
    stopping: bool,
}

impl Member {
    /// A member for a process with this many workers.
    pub fn new(plan: Arc<Plan>, membership: Box<dyn Membership>, workers: usize) -> Member {
        Member {
            plan,
            membership,
            owned: Arc::default(),
            placed: BTreeMap::new(),
            closing: BTreeSet::new(),
            leaving: Vec::new(),
            workers: workers.max(1),
            rebalances: 0,
            stopping: false,
        }
    }

    /// Serves the group for up to `timeout`. Answers the orders that follow, each with the number of its worker.
    pub fn poll(&mut self, timeout: Duration) -> Result<Vec<(usize, Order)>, LogError> {
        let events = match self.membership.poll(timeout) {
            Err(LogError::Retriable(_) | LogError::Unreachable { .. }) => return Ok(Vec::new()),
            events => events?,
        };
        let mut orders = Vec::new();
        for event in events {
            self.rebalances += 1;
            match event {
                MembershipEvent::Assigned(partitions) => {
                    self.membership.assign(&partitions)?;
                    Arc::make_mut(&mut self.owned).extend(partitions);
                    self.start_complete_tasks(&mut orders);
                }
                MembershipEvent::Revoked(partitions) => self.give_up(partitions, true, &mut orders)?,
                MembershipEvent::Lost(partitions) => {
                    // Somebody else's already: no commit may claim them from now on.
                    Arc::make_mut(&mut self.owned).retain(|partition| !partitions.contains(partition));
                    self.give_up(partitions, false, &mut orders)?;
                }
            }
        }
        Ok(orders)
    }

    /// Takes a worker's answer.
    pub fn answered(&mut self, answer: Answer) -> Result<Vec<(usize, Order)>, LogError> {
        let Answer::Stopped(tasks) = answer;
        for task in &tasks {
            self.placed.remove(task);
            self.closing.remove(task);
            self.leaving.iter_mut().for_each(|leaving| {
                leaving.waiting_for.remove(task);
            });
        }
        self.release_closed()?;
        let mut orders = Vec::new();
        // A partition may have come back while its task was closing.
        self.start_complete_tasks(&mut orders);
        Ok(orders)
    }

    /// The membership to commit with and what it covers; none while this is no member.
    pub fn view(&self) -> Option<View> {
        Some(View { membership: self.membership.metadata()?, owned: Arc::clone(&self.owned) })
    }

    /// Orders every task to be closed, and starts none from now on; [`leave`](Member::leave) when they are.
    pub fn stop_all(&mut self) -> Vec<(usize, Order)> {
        self.stopping = true;
        let all = self.placed.keys().cloned().collect();
        self.order_stop(&all, true)
    }

    /// Leaves the group.
    pub fn leave(&mut self) -> Result<(), LogError> {
        self.membership.leave()
    }

    /// The workers that have tasks.
    pub fn busy_workers(&self) -> BTreeSet<usize> {
        self.placed.values().copied().collect()
    }

    /// Whether no worker has a task.
    pub fn is_empty(&self) -> bool {
        self.placed.is_empty()
    }

    /// Tasks that cannot start because some of their partitions, but not all, are this process's; each with those it lacks. Where it
    /// lasts, members of the group read different topics: different versions of the application.
    pub fn incomplete(&self) -> Vec<(TaskId, Vec<TopicPartition>)> {
        let lacking = |task: TaskId| {
            let inputs = self.plan.inputs_of(&task).into_iter();
            let inputs: Vec<_> = inputs.map(|topic| TopicPartition { topic, partition: task.partition }).collect();
            let lacking: Vec<_> = inputs.iter().filter(|partition| !self.owned.contains(*partition)).cloned().collect();
            (!lacking.is_empty() && lacking.len() < inputs.len()).then_some((task, lacking))
        };
        self.plan.tasks().into_iter().filter_map(lacking).collect()
    }

    /// Whether partitions wait to be given back: poll again soon.
    pub fn is_giving_up(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// How often the group changed this process's partitions.
    pub fn rebalances(&self) -> u64 {
        self.rebalances
    }

    /// A task runs only while every one of its partitions is this process's.
    fn start_complete_tasks(&mut self, orders: &mut Vec<(usize, Order)>) {
        if self.stopping {
            return;
        }
        let promised: BTreeSet<&TopicPartition> = self.leaving.iter().flat_map(|leaving| &leaving.partitions).collect();
        for task in self.plan.tasks() {
            let is_mine = |topic| {
                let partition = TopicPartition { topic, partition: task.partition };
                self.owned.contains(&partition) && !promised.contains(&partition)
            };
            if !self.placed.contains_key(&task) && self.plan.inputs_of(&task).into_iter().all(is_mine) {
                let worker = least_loaded(&self.placed, self.workers);
                self.placed.insert(task.clone(), worker);
                orders.push((worker, Order::Start(task)));
            }
        }
    }

    fn give_up(
        &mut self,
        partitions: Vec<TopicPartition>,
        clean: bool,
        orders: &mut Vec<(usize, Order)>,
    ) -> Result<(), LogError> {
        let concerned = |task: &&TaskId| {
            let mut inputs = self.plan.inputs_of(task).into_iter();
            inputs.any(|topic| partitions.contains(&TopicPartition { topic, partition: task.partition }))
        };
        let waiting_for: BTreeSet<TaskId> = self.placed.keys().filter(concerned).cloned().collect();
        orders.extend(self.order_stop(&waiting_for, clean));
        self.leaving.push(Leaving { partitions, waiting_for });
        self.release_closed()
    }

    /// Orders tasks to be closed, each once: the answer to a second order could come when the task runs again. A task ordered to
    /// close cleanly whose partitions are lost meanwhile need not be told: its commit finds them gone.
    fn order_stop(&mut self, tasks: &BTreeSet<TaskId>, clean: bool) -> Vec<(usize, Order)> {
        let mut by_worker: BTreeMap<usize, Vec<TaskId>> = BTreeMap::new();
        for task in tasks {
            if let (Some(worker), true) = (self.placed.get(task), self.closing.insert(task.clone())) {
                by_worker.entry(*worker).or_default().push(task.clone());
            }
        }
        by_worker.into_iter().map(|(worker, tasks)| (worker, Order::Stop { tasks, clean })).collect()
    }

    /// Gives back what nothing waits for any more.
    fn release_closed(&mut self) -> Result<(), LogError> {
        let (closed, waiting): (Vec<Leaving>, Vec<Leaving>) =
            std::mem::take(&mut self.leaving).into_iter().partition(|leaving| leaving.waiting_for.is_empty());
        self.leaving = waiting;
        for leaving in closed {
            self.membership.unassign(&leaving.partitions)?;
            Arc::make_mut(&mut self.owned).retain(|partition| !leaving.partitions.contains(partition));
        }
        Ok(())
    }
}

fn least_loaded(placed: &BTreeMap<TaskId, usize>, workers: usize) -> usize {
    let load = |worker: usize| placed.values().filter(|placed| **placed == worker).count();
    (0..workers).min_by_key(|worker| load(*worker)).unwrap_or(0)
}
