//! One worker on its thread: drives it, asks the clock for it, and tells the observer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::engine::{Answer, CommitReport, EngineError, Order, Worker};
use headwater_core::port::StoreTrouble;
use headwater_core::{Skipped, TaskId, Timestamp, TopicPartition};

use crate::clock::wall_clock;
use crate::handover::Stance;
use crate::restore_log::RestoreLog;
use crate::state_desk::{Question, answer_all};
use crate::throttle::Throttle;
use crate::{Activity, Observer};

/// Longest wait for records: also how late an order can be noticed.
const IDLE_WAIT: Duration = Duration::from_millis(10);
/// Longest wait before trying again after a transaction was aborted.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);

/// What all threads of a process see.
pub(crate) struct Shared {
    /// The membership workers commit with, and how they stand towards a hand-over.
    pub(crate) stance: Arc<Stance>,
    /// Committed positions, for trimming repartition topics.
    pub(crate) positions: Mutex<BTreeMap<TopicPartition, i64>>,
    /// Per worker: when it last came round, in milliseconds since the start.
    pub(crate) beats: Vec<AtomicU64>,
    /// Per worker: tasks restoring and running.
    pub(crate) tasks: Vec<(AtomicU64, AtomicU64)>,
    /// Bytes that the caches of each worker have on top of their parts.
    lent: AtomicUsize,
    /// Per worker: what of it it was told last, and whether its caches could use more.
    told: Vec<(AtomicUsize, AtomicBool)>,
    pub(crate) started: Instant,
}

impl Shared {
    /// For so many workers.
    pub(crate) fn new(workers: usize) -> Shared {
        Shared {
            stance: Arc::new(Stance::new(workers)),
            positions: Mutex::new(BTreeMap::new()),
            beats: (0..workers).map(|_| AtomicU64::new(0)).collect(),
            tasks: (0..workers).map(|_| (AtomicU64::new(0), AtomicU64::new(0))).collect(),
            lent: AtomicUsize::new(0),
            told: (0..workers).map(|_| (AtomicUsize::new(0), AtomicBool::new(false))).collect(),
            started: Instant::now(),
        }
    }

    /// Lends the caches so many bytes on top of their parts.
    pub(crate) fn lend(&self, bytes: usize) {
        self.lent.store(bytes / self.told.len(), Ordering::Relaxed);
    }

    /// Whether all workers have heard of that.
    pub(crate) fn are_all_told(&self) -> bool {
        let lent = self.lent.load(Ordering::Relaxed);
        self.told.iter().all(|(told, _)| told.load(Ordering::Relaxed) == lent)
    }

    /// Tells a worker what it may use, and takes down whether it wants more.
    fn borrow(&self, number: usize, worker: &mut Worker) {
        let (told, is_wanting) = &self.told[number];
        let lent = self.lent.load(Ordering::Relaxed);
        is_wanting.store(worker.wants_memory(), Ordering::Relaxed);
        worker.set_on_top(lent);
        told.store(lent, Ordering::Relaxed);
    }

    /// Whether any of them could use more.
    pub(crate) fn is_memory_wanted(&self) -> bool {
        self.told.iter().any(|(_, is_wanting)| is_wanting.load(Ordering::Relaxed))
    }
}

/// What a worker's thread tells the main thread.
pub(crate) enum FromWorker {
    Answer(Answer),
    Failed(EngineError),
}

pub(crate) struct WorkerThread {
    pub(crate) number: usize,
    pub(crate) worker: Worker,
    pub(crate) orders: Receiver<Order>,
    pub(crate) questions: Receiver<Question>,
    pub(crate) tell: Sender<FromWorker>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) observer: Arc<dyn Observer>,
    /// Aborted transactions in a row.
    pub(crate) aborts: u32,
    /// When the tasks that are not processing yet were taken over.
    pub(crate) taken_over: BTreeMap<TaskId, Instant>,
    pub(crate) progress: RestoreLog,
    pub(crate) throttle: Option<Throttle>,
    /// When the newest commit began.
    pub(crate) commit_began: Instant,
}

impl WorkerThread {
    /// Runs until the main thread hangs up or the worker fails.
    pub(crate) fn run(mut self) {
        if let Err(error) = self.work() {
            // The main thread is gone only if it panicked; there is nobody left to tell.
            let _ = self.tell.send(FromWorker::Failed(error));
        }
    }

    fn work(&mut self) -> Result<(), EngineError> {
        self.worker.warm_up()?;
        let mut busy = false;
        while self.carry_out_orders()? {
            self.shared.beats[self.number].store(self.now().as_millis() as u64, Ordering::Relaxed);
            self.worker.set_view(self.shared.stance.view());
            let posture = self.take_posture()?;
            self.worker.set_wall_time(wall_clock());
            self.shared.borrow(self.number, &mut self.worker);
            answer_all(&self.worker, &self.questions);

            let began = Instant::now();
            let fetched = self.worker.poll(if busy { Duration::ZERO } else { IDLE_WAIT })?;
            let polled = Instant::now();
            let processed = if self.is_held_down() { 0 } else { self.worker.process(self.now())? };
            if let Some(throttle) = &mut self.throttle {
                throttle.did(processed, self.shared.started.elapsed());
            }
            self.account(began, polled, fetched, processed);
            self.commit_if_due()?;
            if !self.worker.has_work_to_commit() {
                self.shared.stance.settle(self.number, posture, self.worker.settled());
            }
            self.report();
            busy = processed > 0 || fetched > 0 || self.worker.is_busy_committing();
        }
        Ok(())
    }

    /// Whether a limit on the rate says to wait. What was fetched waits, too, and then the partitions are paused.
    #[expect(clippy::disallowed_methods, reason = "a pause on purpose")]
    fn is_held_down(&self) -> bool {
        let wait = self.throttle.map_or(Duration::ZERO, |throttle| throttle.wait(self.now()));
        std::thread::sleep(wait.min(IDLE_WAIT));
        !wait.is_zero()
    }

    /// Carries out what was ordered; false when the main thread has hung up.
    fn carry_out_orders(&mut self) -> Result<bool, EngineError> {
        let (restoring, running) = self.worker.task_counts();
        let counts = &self.shared.tasks[self.number];
        counts.0.store(restoring as u64, Ordering::Relaxed);
        counts.1.store(running as u64, Ordering::Relaxed);
        if restoring + running == 0 {
            // Without tasks there is nothing to do but to wait for an order.
            match self.orders.recv_timeout(IDLE_WAIT * 5) {
                Ok(order) => self.carry_out(order)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            }
        }
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.carry_out(order)?,
                Err(TryRecvError::Empty) => return Ok(true),
                Err(TryRecvError::Disconnected) => return Ok(false),
            }
        }
    }

    fn carry_out(&mut self, order: Order) -> Result<(), EngineError> {
        self.worker.set_wall_time(wall_clock());
        match order {
            Order::Start(task) => {
                tracing::info!(%task, worker = self.number, "taking task over");
                self.taken_over.insert(task.clone(), Instant::now());
                // The newest: the main thread has looked at it for this start.
                self.take_posture()?;
                self.worker.start(task)
            }
            Order::Stop { tasks, clean } => {
                self.worker.set_view(self.shared.stance.view());
                self.worker.stop(&tasks, clean, self.now())?;
                self.forget(&tasks);
                // Before the report, which pauses after an abort: the group waits for this.
                let _ = self.tell.send(FromWorker::Answer(Answer::Stopped(tasks)));
                self.report();
                Ok(())
            }
        }
    }

    /// Answers its number.
    fn take_posture(&mut self) -> Result<u64, EngineError> {
        let (number, posture) = self.shared.stance.posture();
        self.worker.set_posture(&posture)?;
        Ok(number)
    }

    fn forget(&mut self, tasks: &[TaskId]) {
        for task in tasks {
            tracing::info!(%task, worker = self.number, "task closed");
            self.taken_over.remove(task);
            self.progress.forget(task);
            self.observer.watermark_lag(&task.to_string(), None);
            self.observer.event_time(&task.to_string(), None);
        }
    }

    fn commit_if_due(&mut self) -> Result<(), EngineError> {
        let began = Instant::now();
        if !self.worker.is_committing() {
            if !self.worker.commit_due(self.now()) {
                return Ok(());
            }
            self.commit_began = began;
        }
        let ended = self.worker.advance(self.now())?;
        self.observer.worker_time(self.number, Activity::Commit, began.elapsed());
        let Some(committed) = ended else { return Ok(()) };
        self.observer.committed(self.commit_began.elapsed(), committed.ok);
        if committed.ok {
            self.aborts = 0;
            self.publish(&committed);
            if committed.progressed {
                self.observer.progressed(&committed.positions);
            }
        }
        Ok(())
    }

    fn publish(&self, committed: &CommitReport) {
        for (partition, end) in &committed.ends {
            if let Some((_, position)) = committed.positions.iter().find(|(candidate, _)| candidate == partition) {
                self.observer.lag(partition, Some((end - position).max(0)));
            }
        }
        let now = wall_clock().as_millis();
        for (task, time) in &committed.times {
            let known = *time != Timestamp::MIN && *time != Timestamp::MAX;
            let behind = known.then(|| (now - time.as_millis()) as f64 / 1000.0);
            self.observer.watermark_lag(&task.to_string(), behind);
            self.observer.event_time(&task.to_string(), known.then_some(*time));
        }
        self.shared.positions.lock().unwrap_or_else(PoisonError::into_inner).extend(committed.positions.iter().cloned());
    }

    fn report(&mut self) {
        let report = self.worker.take_report();
        let observer = Arc::clone(&self.observer);
        report.consumed.iter().for_each(|(topic, records, bytes)| observer.consumed(topic, *records, *bytes));
        report.produced.iter().for_each(|(topic, records, bytes)| observer.produced(topic, *records, *bytes));
        report.dropped.iter().for_each(|(place, reason, records)| observer.dropped(place, reason, *records));
        for recovery in &report.recovered {
            let (store, reason) = (recovery.store.as_deref().unwrap_or("all"), recovery.trouble.label());
            let (task, detail) = (&recovery.task, recovery.detail.as_str());
            if recovery.trouble == StoreTrouble::OlderFormat {
                tracing::info!(%task, store, reason, detail, "state is read and written on in the current format");
            } else {
                tracing::warn!(%task, store, reason, detail, "state cannot be continued: it is restored in full");
            }
            observer.recovered(store, reason);
        }
        for read in &report.restored {
            observer.restoring(&read.store, read.task.partition, read.applied, read.remaining);
            self.progress.note(read, self.now());
        }
        report.dead_letters.iter().for_each(|(place, stage, records)| observer.dead_letters(place, *stage, *records));
        report.delivered.iter().for_each(|(sink, delivered, withheld)| observer.delivered(sink, *delivered, *withheld));
        report.skipped.iter().for_each(tell_skipped);
        for task in &report.started {
            tracing::info!(%task, worker = self.number, "task is processing");
            self.progress.forget(task);
            // A task that begins again after an abort was not taken over.
            if let Some(began) = self.taken_over.remove(task) {
                observer.restored(&task.to_string(), began.elapsed());
            }
        }
        (0..report.fenced).for_each(|_| observer.fenced());
        for why in &report.aborted {
            tracing::warn!(worker = self.number, why, "transaction aborted; its records are processed again");
            self.back_off();
        }
        let (records, bytes) = self.worker.buffered();
        observer.buffered(self.number, records, bytes);
    }

    /// Waits a little longer after each abort in a row, so that a failing cluster is not hammered.
    #[expect(clippy::disallowed_methods, reason = "a back-off is a pause on purpose")]
    fn back_off(&mut self) {
        let pause = Duration::from_millis(50).saturating_mul(1 << self.aborts.min(10)).min(LONGEST_BACK_OFF);
        self.aborts += 1;
        std::thread::sleep(pause);
    }

    fn account(&self, began: Instant, polled: Instant, fetched: usize, processed: usize) {
        let waiting = if fetched == 0 { Activity::Idle } else { Activity::Poll };
        self.observer.worker_time(self.number, waiting, polled - began);
        let (restoring, _) = self.worker.task_counts();
        let working = if processed == 0 && restoring > 0 { Activity::Restore } else { Activity::Process };
        self.observer.worker_time(self.number, working, polled.elapsed());
    }

    fn now(&self) -> Duration {
        self.shared.started.elapsed()
    }
}

/// One line for each record that is left out: where, what, why.
fn tell_skipped(skipped: &Skipped) {
    let Skipped { task, record, stage, operator, message, dead_letter } = skipped;
    let (stage, operator, done) =
        (stage.as_str(), operator.as_deref().unwrap_or("-"), if *dead_letter { "dead letter" } else { "left out" });
    match record {
        Some((partition, offset)) => {
            tracing::warn!(topic = %partition.topic, partition = partition.partition, offset, %task, stage, operator, reason = message, "record {done}");
        }
        None => tracing::warn!(%task, stage, operator, reason = message, "timer {done}"),
    }
}
