//! One process of an application on the caller's thread: the engine exactly as the runtime drives it, without threads or a clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use headwater_core::engine::{Answer, EngineError, EngineOptions, Member, Order, View, Worker};
use headwater_core::port::{Log, LogError, MembershipConfig, NewTopic, Stores};
use headwater_core::{Blueprint, Plan, PlanError, TaskId, Timestamp};

use crate::{MemoryLog, Overseer};

/// Rounds after which [`LocalProcess::settle`] gives up: far beyond what any finite input needs between two records.
const MANY_ROUNDS: usize = 1_000_000;

/// A process that moves when it is told to.
pub struct LocalProcess {
    member: Member,
    workers: Vec<Worker>,
    now: Duration,
    /// What [`serve_group`](LocalProcess::serve_group) published last, and the orders it gave that are not carried out yet.
    view: Option<View>,
    waiting: Vec<(usize, Order)>,
    /// The time of day when `now` was zero.
    epoch: Timestamp,
    overseer: Option<Box<dyn Overseer>>,
    /// Starts that wait until the overseer allows them.
    held: Vec<(usize, Order)>,
}

/// Fits a topology to a log in memory: inputs must exist; internal topics and outputs are created.
pub fn prepare(blueprint: &Arc<Blueprint>, log: &MemoryLog) -> Result<Arc<Plan>, PlanError> {
    let mut names = blueprint.input_topics();
    names.extend(blueprint.output_topics());
    let mut admin = log.admin().expect("the log in memory always has an admin");
    let existing = admin.describe(&names).expect("the log in memory always answers");
    let counts = existing.into_iter().map(|(topic, info)| (topic, info.partitions)).collect();
    let mut plan = blueprint.plan(&counts)?;
    let internal = plan.internal_topics().into_iter().map(|topic| (topic.topic, topic.partitions));
    let outputs = plan.outputs().into_iter().map(|topic| (topic.topic, topic.partitions));
    let topics: Vec<NewTopic> = internal
        .chain(outputs)
        .map(|(name, partitions)| NewTopic { name: name.to_string(), partitions, replication: None, config: BTreeMap::new() })
        .collect();
    admin.create(&topics).expect("topics in memory can always be created");
    let topics: Vec<String> = topics.into_iter().map(|topic| topic.name).collect();
    Arc::make_mut(&mut plan).learn_limits(&admin.describe(&topics).expect("the log in memory always answers"));
    Ok(plan)
}

impl LocalProcess {
    /// A process with this many workers. `id` makes its transactional ids its own.
    pub fn start(
        plan: &Arc<Plan>,
        log: &Arc<dyn Log>,
        stores: &Arc<dyn Stores>,
        id: &str,
        workers: usize,
    ) -> Result<LocalProcess, EngineError> {
        let options = EngineOptions { marker_interval: Duration::ZERO, ..EngineOptions::default() };
        LocalProcess::start_with(plan, log, stores, id, workers, &options)
    }

    /// A process without transactions: after a crash some records are processed again.
    pub fn start_at_least_once(
        plan: &Arc<Plan>,
        log: &Arc<dyn Log>,
        stores: &Arc<dyn Stores>,
        workers: usize,
    ) -> Result<LocalProcess, EngineError> {
        let options = EngineOptions { marker_interval: Duration::ZERO, ..EngineOptions::default() };
        LocalProcess::start_as(plan, log, stores, workers, &options, |_| None)
    }

    /// The same with other options than the default; the transactional ids follow from `id`.
    pub fn start_with(
        plan: &Arc<Plan>,
        log: &Arc<dyn Log>,
        stores: &Arc<dyn Stores>,
        id: &str,
        workers: usize,
        options: &EngineOptions,
    ) -> Result<LocalProcess, EngineError> {
        let app = plan.blueprint().app().to_owned();
        LocalProcess::start_as(plan, log, stores, workers, options, |number| Some(format!("{app}-{id}-{number}")))
    }

    fn start_as(
        plan: &Arc<Plan>,
        log: &Arc<dyn Log>,
        stores: &Arc<dyn Stores>,
        workers: usize,
        options: &EngineOptions,
        transactional_id: impl Fn(usize) -> Option<String>,
    ) -> Result<LocalProcess, EngineError> {
        let app = plan.blueprint().app();
        let config = MembershipConfig { group: app.to_owned(), instance: None, topics: plan.subscription() };
        let member = Member::new(Arc::clone(plan), log.membership(&config)?, workers);
        let worker = |number: usize| {
            let options = EngineOptions { transactional_id: transactional_id(number), ..options.clone() };
            Worker::new(Arc::clone(plan), Arc::clone(log), Arc::clone(stores), options)
        };
        let workers = (0..workers).map(worker).collect::<Result<_, _>>()?;
        let epoch = Timestamp::from_millis(0);
        let (waiting, held) = (Vec::new(), Vec::new());
        Ok(LocalProcess { member, workers, now: Duration::ZERO, view: None, waiting, epoch, overseer: None, held })
    }

    /// Has somebody decide, from the first turn on, how its workers stand towards a hand-over.
    pub fn oversee(&mut self, overseer: Box<dyn Overseer>) {
        self.overseer = Some(overseer);
    }

    /// One round: the group, then each worker, which commits also when nothing is left to do. Answers whether anything happened.
    pub fn turn(&mut self) -> Result<bool, EngineError> {
        self.round(true)
    }

    /// The same, but workers commit only when it is time to, as in production: work can be left uncommitted.
    pub fn work(&mut self) -> Result<bool, EngineError> {
        self.round(false)
    }

    fn round(&mut self, commit_when_done: bool) -> Result<bool, EngineError> {
        let mut active = false;
        self.tell_wall_time();
        let mut orders = std::mem::take(&mut self.waiting);
        let polled = self.member.poll(Duration::ZERO)?;
        self.publish();
        orders.extend(self.hold_back(polled));
        orders.extend(self.release());
        active |= !orders.is_empty() || !self.held.is_empty() || self.member.is_giving_up();
        self.carry_out(orders)?;
        self.publish();
        for number in 0..self.workers.len() {
            let posture = self.brief(number)?;
            let worker = &mut self.workers[number];
            worker.set_view(self.view.clone());
            let fetched = worker.poll(Duration::ZERO)?;
            let processed = worker.process(self.now)?;
            active |= fetched + processed > 0 || worker.task_counts().0 > 0;
            if commit_when_done && processed == 0 && worker.has_work_to_commit() {
                active = true;
                worker.commit(self.now)?;
            } else {
                active |= advance(worker, self.now)?;
            }
            self.tell_settled(number, posture);
        }
        Ok(active)
    }

    /// What the main thread of a process does once, by itself: serves the group, and leaves orders for the workers to find. With
    /// [`serve_worker`](LocalProcess::serve_worker) it makes the threads of a process go at any pace.
    pub fn serve_group(&mut self) -> Result<bool, EngineError> {
        let orders = self.member.poll(Duration::ZERO)?;
        self.publish();
        let rest = self.hold_back(orders);
        self.waiting.extend(rest);
        let released = self.release();
        self.waiting.extend(released);
        Ok(!self.waiting.is_empty() || self.member.is_giving_up())
    }

    /// What the thread of one worker does once: carries out its orders, works, commits when it is time to.
    pub fn serve_worker(&mut self, number: usize) -> Result<bool, EngineError> {
        self.tell_wall_time();
        let (mine, others) = std::mem::take(&mut self.waiting).into_iter().partition(|(worker, _)| *worker == number);
        self.waiting = others;
        let mine: Vec<(usize, Order)> = mine;
        let mut active = !mine.is_empty();
        for (_, order) in mine {
            match order {
                Order::Start(task) => self.start_task(number, task)?,
                Order::Stop { tasks, clean } => {
                    self.workers[number].set_view(self.view.clone());
                    self.workers[number].stop(&tasks, clean, self.now)?;
                    let orders = self.member.answered(Answer::Stopped(tasks))?;
                    let rest = self.hold_back(orders);
                    self.waiting.extend(rest);
                    self.publish();
                }
            }
        }
        let posture = self.brief(number)?;
        let worker = &mut self.workers[number];
        worker.set_view(self.view.clone());
        let worked = worker.poll(Duration::ZERO)? + worker.process(self.now)?;
        active |= worked > 0 || worker.task_counts().0 > 0;
        active |= advance(worker, self.now)?;
        self.tell_settled(number, posture);
        Ok(active)
    }

    /// Turns until nothing is left to do.
    pub fn settle(&mut self) -> Result<(), EngineError> {
        // The first turns join the group, which is silent; so it takes a few quiet ones to be sure.
        let mut quiet = 0;
        for _ in 0..MANY_ROUNDS {
            quiet = if self.turn()? { 0 } else { quiet + 1 };
            if quiet == 4 {
                return Ok(());
            }
        }
        Err(LogError::Fatal(format!(
            "the topology did not come to rest within {MANY_ROUNDS} rounds: does it write to its own input?"
        ))
        .into())
    }

    /// Moves wall time on.
    pub fn advance(&mut self, by: Duration) {
        self.now += by;
    }

    /// Sets the time of day, which is 1970 at the start and goes on with [`advance`](LocalProcess::advance).
    pub fn set_wall_time(&mut self, wall: Timestamp) {
        self.epoch = Timestamp::from_millis(wall.as_millis() - self.now.as_millis() as i64);
    }

    /// Stops cleanly: commits, closes, leaves the group.
    pub fn stop(mut self) -> Result<(), EngineError> {
        let mut orders = std::mem::take(&mut self.waiting);
        orders.extend(self.member.stop_all());
        let view = self.member.view();
        self.workers.iter_mut().for_each(|worker| worker.set_view(view.clone()));
        self.carry_out(orders)?;
        Ok(self.member.leave()?)
    }

    /// Its workers, to look at.
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// The same, to take their reports.
    pub fn workers_mut(&mut self) -> &mut [Worker] {
        &mut self.workers
    }

    fn tell_wall_time(&mut self) {
        let wall = self.epoch + self.now;
        self.workers.iter_mut().for_each(|worker| worker.set_wall_time(wall));
    }

    fn carry_out(&mut self, mut orders: Vec<(usize, Order)>) -> Result<(), EngineError> {
        while !orders.is_empty() {
            for (number, order) in std::mem::take(&mut orders) {
                match order {
                    Order::Start(task) => self.start_task(number, task)?,
                    Order::Stop { tasks, clean } => {
                        let worker = &mut self.workers[number];
                        worker.set_view(self.member.view());
                        worker.stop(&tasks, clean, self.now)?;
                        let next = self.member.answered(Answer::Stopped(tasks))?;
                        orders.extend(self.hold_back(next));
                    }
                }
            }
        }
        Ok(())
    }

    fn publish(&mut self) {
        self.view = self.member.view();
        if let Some(overseer) = &self.overseer {
            overseer.owns(self.view.clone());
        }
    }

    /// Keeps starts for [`release`](LocalProcess::release) if there is somebody to ask, and answers the rest. A task that is to be closed before it
    /// started is not started.
    fn hold_back(&mut self, orders: Vec<(usize, Order)>) -> Vec<(usize, Order)> {
        if self.overseer.is_none() {
            return orders;
        }
        let (starts, stops): (Vec<_>, Vec<_>) = orders.into_iter().partition(|(_, order)| matches!(order, Order::Start(_)));
        for (_, stop) in &stops {
            let Order::Stop { tasks, .. } = stop else { continue };
            self.held.retain(|(_, order)| !matches!(order, Order::Start(task) if tasks.contains(task)));
        }
        self.held.extend(starts);
        stops
    }

    /// The starts that were held back, once they are allowed.
    fn release(&mut self) -> Vec<(usize, Order)> {
        let asks = !self.held.is_empty();
        let allowed = asks && self.overseer.as_mut().is_none_or(|overseer| overseer.may_start());
        if allowed { std::mem::take(&mut self.held) } else { Vec::new() }
    }

    fn start_task(&mut self, number: usize, task: TaskId) -> Result<(), EngineError> {
        self.brief(number)?;
        self.workers[number].start(task)
    }

    /// Has a worker take the newest posture, and answers its number.
    fn brief(&mut self, number: usize) -> Result<u64, EngineError> {
        let Some(overseer) = &self.overseer else { return Ok(0) };
        let (posture_number, posture) = overseer.posture();
        self.workers[number].set_posture(&posture)?;
        Ok(posture_number)
    }

    fn tell_settled(&self, number: usize, posture: u64) {
        if let Some(overseer) = self.overseer.as_ref().filter(|_| !self.workers[number].has_work_to_commit()) {
            overseer.settled(number, posture, self.workers[number].settled());
        }
    }
}

/// Goes on with a worker's commit. Answers whether one began or ended.
fn advance(worker: &mut Worker, now: Duration) -> Result<bool, EngineError> {
    let before = worker.is_committing();
    Ok(worker.advance(now)?.is_some() || worker.is_committing() != before)
}
