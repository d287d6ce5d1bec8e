//! A process of an application from start to stop.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use headwater_core::bounded::Bounded;
use headwater_core::engine::{EngineOptions, Member, Order, TombstoneRetention, Worker};
use headwater_core::handover::Side;
use headwater_core::port::{Log, Stores};
use headwater_core::{Blueprint, Plan};

use crate::backfill::{self, Ended, Goal, Pursuit, pursue};
use crate::control::{Control, new_topic};
use crate::governor::Governor;
use crate::handover::{Attendance, Seat, check_generation};
use crate::joining::Joining;
use crate::manifest::{self, AT_START, Guard};
use crate::restore_log::RestoreLog;
use crate::starts::Starts;
use crate::state_desk::{Question, StateDesk};
use crate::throttle::Throttle;
use crate::trim::Trimmer;
use crate::worker_thread::{FromWorker, Shared, WorkerThread};
use crate::{Guarantee, Observer, Phase, RunError, RunOptions, Shutdown, topics};

/// How long the group is served before workers' answers are looked at again.
const GROUP_WAIT: Duration = Duration::from_millis(20);
/// How long a stop may take before the process gives up on a clean one.
const STOP_LIMIT: Duration = Duration::from_secs(45);

/// What a process runs on.
#[derive(Clone)]
pub struct World {
    /// The cluster.
    pub log: Arc<dyn Log>,
    /// Local state.
    pub stores: Arc<dyn Stores>,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
}

/// A process that has been checked against its cluster and can run.
pub struct Process {
    plan: Arc<Plan>,
    world: World,
    options: RunOptions,
    tombstones: Arc<TombstoneRetention>,
    shared: Arc<Shared>,
    joining: Joining,
    guard: Guard,
    desk: StateDesk,
    questions: Vec<Receiver<Question>>,
    /// Of a bounded run.
    goal: Option<Pursuit>,
    /// Of any other.
    seat: Option<Seat>,
}

impl Process {
    /// Looks at the topics, makes what is missing, refuses what cannot work.
    pub fn prepare(blueprint: &Arc<Blueprint>, world: World, options: RunOptions) -> Result<Process, RunError> {
        let seat = Seat { app: blueprint.app().to_owned(), side: Side::Old };
        Process::prepare_generation(blueprint, seat, world, options)
    }

    /// The same for a later generation of an application, which `blueprint` has the name of; or for one that is to take over.
    ///
    /// # Errors
    /// [`RunError::NotInForce`] if another generation has taken over, or this one has not yet and is not to.
    pub fn prepare_generation(
        blueprint: &Arc<Blueprint>,
        seat: Seat,
        world: World,
        options: RunOptions,
    ) -> Result<Process, RunError> {
        let blueprint = backfill::continued(blueprint, &seat.app, world.log.as_ref())?;
        Process::made(&blueprint, None, Some(seat), world, options)
    }

    /// The same for a bounded run, which `blueprint` has the name of. It ends when `goal` is reached.
    pub fn prepare_bounded(
        blueprint: &Arc<Blueprint>,
        bounds: Bounded,
        goal: Goal,
        world: World,
        options: RunOptions,
    ) -> Result<Process, RunError> {
        let (log, observer) = (Arc::clone(&world.log), Arc::clone(&world.observer));
        let mut process = Process::made(blueprint, Some(bounds), None, world, options)?;
        process.goal = Some(pursue(goal, &process.plan, &log, &observer)?);
        Ok(process)
    }

    fn made(
        blueprint: &Arc<Blueprint>,
        bounds: Option<Bounded>,
        seat: Option<Seat>,
        world: World,
        options: RunOptions,
    ) -> Result<Process, RunError> {
        world.observer.phase(&Phase::Starting);
        let (log, mut admin) = (world.log.as_ref(), world.log.admin()?);
        let (mut plan, existing) = topics::fit(blueprint, admin.as_mut())?;
        let joining = Joining::start(&plan, &world.log, options.instance.clone())?;
        if let Some(bounds) = bounds {
            plan = plan.within(bounds);
        }
        // Before anything is made: a topology that is refused leaves everything as it was.
        let seen = manifest::check(&plan, log, world.stores.as_ref(), &options)?;
        if let Some(seat) = &seat {
            check_generation(seat, blueprint.app(), seen.as_ref(), AT_START, log)?;
            if seat.app != blueprint.app() {
                // It may be there before any process of the generation in force was.
                Control::of(&seat.app, &headwater_core::control_topic(&seat.app), log).create(options.replication)?;
            }
        }
        let control = seen.is_none().then(|| new_topic(&blueprint.control_topic(), options.replication));
        let known = topics::make(&mut plan, existing, admin.as_mut(), &options, control)?;
        let guard = manifest::keep(&plan, log, world.stores.as_ref(), &options, seen)?;
        let tombstones = Arc::new(topics::tombstones(&plan, &known));
        world.stores.expect_tasks(plan.tasks().len());
        let workers = options.workers.max(1);
        let shared = Arc::new(Shared::new(workers));
        let (desk, questions) = StateDesk::open(&plan, workers);
        Ok(Process { plan, world, options, tombstones, shared, joining, guard, desk, questions, goal: None, seat })
    }

    /// The plan the process runs.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Where to ask about its state while it runs.
    pub fn state_desk(&self) -> StateDesk {
        self.desk.clone()
    }

    /// A function that tells how long ago each worker last came round: for a liveness probe.
    pub fn heartbeat(&self) -> impl Fn() -> Vec<Duration> + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move || {
            let now = shared.started.elapsed();
            let age = |beat: &AtomicU64| now.saturating_sub(Duration::from_millis(beat.load(Ordering::Relaxed)));
            shared.beats.iter().map(age).collect()
        }
    }

    /// Runs until a stop is asked for, a bounded run is over, or something fails for good. Either way what can be committed is, and the group is left.
    pub fn run(self, shutdown: &Shutdown) -> Result<Ended, RunError> {
        let observer = Arc::clone(&self.world.observer);
        let result = self.serve(shutdown);
        if let Err(error) = &result {
            observer.phase(&Phase::Failed(error.to_string()));
        }
        result
    }

    fn serve(mut self, shutdown: &Shutdown) -> Result<Ended, RunError> {
        let membership = self.joining.wait()?;
        let (tell, told) = channel();
        let mut crew = Crew { orders: Vec::new(), threads: Vec::new(), told };
        for (number, questions) in std::mem::take(&mut self.questions).into_iter().enumerate() {
            crew.hire(number, self.worker(number, questions, &tell)?)?;
        }
        drop(tell);
        let attendance = self.attendance()?;
        let trimmer = Trimmer::start(&self.plan, &self.world, &self.shared, self.options.trim_interval);
        let mut member = Member::new(Arc::clone(&self.plan), membership, self.options.workers);
        self.world.observer.phase(&Phase::Joining);
        let served = self.attend(&mut member, &crew, attendance.as_ref(), shutdown);
        self.world.observer.phase(&Phase::Stopping);
        let stopped = self.stop(&mut member, &crew);
        let left = member.leave();
        drop(trimmer);
        drop(attendance);
        crew.dismiss()?;
        let ended = served?;
        stopped?;
        left?;
        Ok(ended)
    }

    /// Serves the group and the workers until a stop is asked for.
    fn attend(
        &mut self,
        member: &mut Member,
        crew: &Crew,
        attendance: Option<&Attendance>,
        shutdown: &Shutdown,
    ) -> Result<Ended, RunError> {
        let (mut rebalances, mut starts) = (0, Starts::default());
        let mut governor = Governor::of(&self.options);
        while !shutdown.is_requested() {
            if let Some(ended) = self.goal_ended()? {
                return Ok(ended);
            }
            if let Some(ended) = attendance.map_or(Ok(None), Attendance::ended)? {
                return Ok(ended);
            }
            let wait = if member.is_giving_up() { Duration::from_millis(1) } else { GROUP_WAIT };
            let orders = member.poll(wait)?;
            self.publish(member);
            crew.order(starts.hold_back(orders));
            crew.order(starts.hold_back(self.take_answers(member, crew)?));
            if let Some(worker) = crew.ended() {
                // It may have said why just now.
                self.take_answers(member, crew)?;
                return Err(RunError::Worker { worker, message: "its thread ended; see the log above".into() });
            }
            let changed = rebalances < member.rebalances();
            while rebalances < member.rebalances() {
                rebalances += 1;
                self.world.observer.rebalanced();
            }
            let log = self.world.log.as_ref();
            // In this order: the first says quickly that the cluster is away.
            let verify = || attendance.map_or(Ok(()), Attendance::look).and_then(|()| self.guard.verify(log));
            crew.order(starts.release(changed, verify)?);
            starts.watch(changed, member, self.world.observer.as_ref());
            self.tell_phase(rebalances > 0);
            governor.iter_mut().for_each(|governor| governor.look(&self.shared));
        }
        Ok(Ended::Stopped)
    }

    /// How the run ended that this process works on, once it has.
    fn goal_ended(&mut self) -> Result<Option<Ended>, RunError> {
        let Some(goal) = &mut self.goal else { return Ok(None) };
        goal.committed(&self.shared.positions.lock().unwrap_or_else(PoisonError::into_inner));
        goal.ended()
    }

    /// Hand-overs are attended to unless the run is bounded.
    fn attendance(&self) -> Result<Option<Attendance>, RunError> {
        let start = |seat| Attendance::start(seat, &self.plan, &self.options.process_id, &self.shared.stance, &self.world.log);
        self.seat.as_ref().map(start).transpose()
    }

    /// Closes every task, serving the group meanwhile.
    fn stop(&self, member: &mut Member, crew: &Crew) -> Result<(), RunError> {
        self.publish(member);
        crew.order(member.stop_all());
        let began = Instant::now();
        let mut result = Ok(());
        // The tasks of a worker that is gone are closed as a crash would; those of the others can still be committed.
        while member.busy_workers().into_iter().any(|worker| crew.is_at_work(worker)) && began.elapsed() < STOP_LIMIT {
            // Orders to start anything are moot now; the tasks they name are not running here.
            let _ = member.poll(Duration::from_millis(1))?;
            self.publish(member);
            // All answers are taken, whatever one worker reported.
            let taken = self.take_answers(member, crew).map(drop);
            result = result.and(taken);
        }
        result
    }

    /// What follows from the workers' answers.
    fn take_answers(&self, member: &mut Member, crew: &Crew) -> Result<Vec<(usize, Order)>, RunError> {
        let mut orders = Vec::new();
        while let Ok(told) = crew.told.try_recv() {
            match told {
                FromWorker::Answer(answer) => {
                    orders.extend(member.answered(answer)?);
                    self.publish(member);
                }
                FromWorker::Failed(error) => return Err(error.into()),
            }
        }
        Ok(orders)
    }

    fn publish(&self, member: &Member) {
        self.shared.stance.publish(member.view());
    }

    fn tell_phase(&self, joined: bool) {
        let sum = |pick: fn(&(AtomicU64, AtomicU64)) -> &AtomicU64| {
            self.shared.tasks.iter().map(|t| pick(t).load(Ordering::Relaxed)).sum()
        };
        let (restoring, running): (u64, u64) = (sum(|t| &t.0), sum(|t| &t.1));
        self.world.observer.tasks(restoring, running);
        let phase = match (joined, restoring) {
            (false, _) => Phase::Joining,
            (true, 0) => Phase::Running,
            (true, _) => Phase::Restoring,
        };
        self.world.observer.phase(&phase);
    }

    fn worker(
        &self,
        number: usize,
        questions: Receiver<Question>,
        tell: &Sender<FromWorker>,
    ) -> Result<impl FnOnce(Receiver<Order>) + Send + use<>, RunError> {
        let app = self.plan.blueprint().app();
        let transactional_id = match self.options.guarantee {
            Guarantee::ExactlyOnce => Some(format!("{app}-{}-{number}", self.options.process_id)),
            Guarantee::AtLeastOnce => None,
        };
        let options = EngineOptions {
            transactional_id,
            commit_interval: self.options.commit_interval,
            bulk_interval: self.options.bulk_interval,
            marker_interval: Duration::from_secs(1),
            idle_timeout: self.options.idle_timeout,
            buffer_bytes: self.options.buffer_bytes,
            buffer_total_bytes: self.options.buffer_total_bytes / self.options.workers.max(1),
            dirty_bytes: self.options.dirty_bytes,
            cache_bytes: self.options.cache_bytes,
            lent_bytes: self.options.lent_bytes,
            restore_parallel: self.options.restore_parallel,
            tombstones: Arc::clone(&self.tombstones),
        };
        let share = |rate: u64| Throttle::of(rate as f64 / self.options.workers.max(1) as f64);
        let throttle = self.options.max_rate.map(share);
        let (plan, world, shared, tell) = (Arc::clone(&self.plan), self.world.clone(), Arc::clone(&self.shared), tell.clone());
        Ok(move |orders| {
            // Made on its own thread: tasks never leave it.
            match Worker::new(plan, world.log, world.stores, options) {
                Ok(worker) => {
                    WorkerThread {
                        number,
                        worker,
                        orders,
                        questions,
                        tell,
                        shared,
                        observer: world.observer,
                        aborts: 0,
                        taken_over: BTreeMap::new(),
                        progress: RestoreLog::default(),
                        throttle,
                        commit_began: Instant::now(),
                    }
                    .run();
                }
                Err(error) => drop(tell.send(FromWorker::Failed(error))),
            }
        })
    }
}

/// The worker threads.
struct Crew {
    orders: Vec<Sender<Order>>,
    threads: Vec<JoinHandle<()>>,
    told: Receiver<FromWorker>,
}

impl Crew {
    fn hire(&mut self, number: usize, work: impl FnOnce(Receiver<Order>) + Send + 'static) -> Result<(), RunError> {
        let (order, orders) = channel();
        let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || work(orders));
        let thread = thread.map_err(|error| RunError::Worker { worker: number, message: error.to_string() })?;
        self.orders.push(order);
        self.threads.push(thread);
        Ok(())
    }

    fn order(&self, orders: Vec<(usize, Order)>) {
        for (worker, order) in orders {
            // A worker that has failed said so already; its failure is on its way to us.
            let _ = self.orders[worker].send(order);
        }
    }

    /// A worker whose thread has ended.
    fn ended(&self) -> Option<usize> {
        self.threads.iter().position(JoinHandle::is_finished)
    }

    /// Whether a worker's thread still runs.
    fn is_at_work(&self, worker: usize) -> bool {
        self.threads.get(worker).is_some_and(|thread| !thread.is_finished())
    }

    /// Hangs up and waits for the threads.
    fn dismiss(self) -> Result<(), RunError> {
        drop(self.orders);
        let mut failed = None;
        while let Ok(told) = self.told.recv_timeout(STOP_LIMIT) {
            if let FromWorker::Failed(error) = told {
                failed.get_or_insert(error);
            }
        }
        for (worker, thread) in self.threads.into_iter().enumerate() {
            thread.join().map_err(|_| RunError::Worker { worker, message: "it panicked; see the log above".into() })?;
        }
        failed.map_or(Ok(()), |error| Err(error.into()))
    }
}
