//! Commits whose outcome nobody learns, and clusters that are away for long: settled, never guessed, and never the end of the process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use headwater_core::port::{
    Admin, Committed, GroupMetadata, Log, LogError, Membership, MembershipConfig, Producer, ProducerConfig, Reader, ReaderConfig,
};
use headwater_core::{Outgoing, Policy, TopicPartition};
use headwater_testkit::{Call, Fault, LocalProcess};

use crate::world::{Kind, World, event, topology};

/// What the next commit does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reply {
    /// It takes effect, and the answer is lost.
    LostAfter,
    /// It does not, and the answer is lost.
    LostBefore,
    /// It takes effect, and a successor's fence is all that is heard.
    FencedAfter,
}

#[derive(Clone)]
struct Unreliable {
    world: Arc<dyn Log>,
    next: Arc<Mutex<Option<Reply>>>,
}

impl Log for Unreliable {
    fn admin(&self) -> Result<Box<dyn Admin>, LogError> {
        self.world.admin()
    }
    fn membership(&self, config: &MembershipConfig) -> Result<Box<dyn Membership>, LogError> {
        self.world.membership(config)
    }
    fn reader(&self, config: &ReaderConfig) -> Result<Box<dyn Reader>, LogError> {
        self.world.reader(config)
    }
    fn producer(&self, config: &ProducerConfig) -> Result<Box<dyn Producer>, LogError> {
        Ok(Box::new(Mute { inner: self.world.producer(config)?, next: Arc::clone(&self.next), dead: false }))
    }
}

struct Mute {
    inner: Box<dyn Producer>,
    next: Arc<Mutex<Option<Reply>>>,
    dead: bool,
}

impl Mute {
    fn alive(&self) {
        assert!(!self.dead, "a producer that does not know what it committed is not used again");
    }
}

impl Producer for Mute {
    fn init(&mut self) -> Result<(), LogError> {
        self.inner.init()
    }
    fn begin(&mut self) -> Result<(), LogError> {
        self.alive();
        self.inner.begin()
    }
    fn send(&mut self, record: Outgoing<'_>) -> Result<(), LogError> {
        self.alive();
        self.inner.send(record)
    }
    fn flush(&mut self) -> Result<(), LogError> {
        self.alive();
        self.inner.flush()
    }
    fn commit(&mut self, offsets: &[(TopicPartition, Committed)], group: &GroupMetadata) -> Result<(), LogError> {
        self.alive();
        let Some(reply) = self.next.lock().unwrap().take() else { return self.inner.commit(offsets, group) };
        self.dead = true;
        if reply != Reply::LostBefore {
            self.inner.commit(offsets, group)?;
        }
        match reply {
            Reply::FencedAfter => Err(LogError::Fenced("somebody has this id".into())),
            _ => Err(LogError::Unusable("whether it was committed is not known".into())),
        }
    }
    fn abort(&mut self) -> Result<(), LogError> {
        self.alive();
        self.inner.abort()
    }
    fn take_delivered(&mut self) -> Vec<(TopicPartition, i64)> {
        self.inner.take_delivered()
    }
}

#[test]
fn a_commit_whose_outcome_is_unknown_is_settled_by_the_next_producer() {
    for reply in [Reply::LostAfter, Reply::LostBefore, Reply::FencedAfter] {
        let world = World::new(1, topology(Policy::DeadLetter));
        let (log, stores) = world.handles();
        let next = Arc::new(Mutex::default());
        let log: Arc<dyn Log> = Arc::new(Unreliable { world: log, next: Arc::clone(&next) });
        let mut process = LocalProcess::start(&world.plan, &log, &stores, "a", 1).unwrap();
        process.settle().unwrap();
        for round in 0..5 {
            world.send(1, &event(Kind::Fine, round));
            world.send(1, &event(Kind::Undecodable, 100));
            *next.lock().unwrap() = Some(reply);
            process.settle().unwrap();
            assert!(next.lock().unwrap().is_none());
        }
        assert_eq!(world.values("totals"), ["0", "1", "3", "6", "10"], "{reply:?}: each once");
        assert_eq!(world.faults().len(), 5, "{reply:?}: each once");
        let report = process.workers_mut()[0].take_report();
        assert_eq!(report.fenced, if reply == Reply::FencedAfter { 5 } else { 0 });
    }
}

#[test]
fn a_cluster_that_is_away_for_long_is_waited_for() {
    let away = LogError::Unreachable { addresses: "broker:9092".into(), tried: "registering".into() };
    for error in
        [LogError::Retriable("not now".into()), away, LogError::Unusable("lost".into()), LogError::Fenced("taken".into())]
    {
        let world = World::new(1, topology(Policy::Fail));
        world.send(1, &event(Kind::Fine, 1));
        let fault = |call| Fault { transactional_id: Some("app-a-0".into()), call, error: error.clone() };
        (0..500).for_each(|_| world.log.inject(fault(Call::Init)));
        let mut process = world.process("a");
        process.settle().unwrap();
        assert_eq!(world.values("totals"), ["1"]);

        // In the middle of its work: nothing of it is kept but what was committed, and registering takes its time again.
        world.send(1, &event(Kind::Fine, 2));
        [Call::Begin, Call::Send, Call::Flush, Call::Commit, Call::Abort]
            .into_iter()
            .for_each(|call| world.log.inject(fault(call)));
        (0..100).for_each(|_| world.log.inject(fault(Call::Init)));
        process.settle().unwrap();
        assert_eq!(world.values("totals"), ["1", "3"], "{error}");
    }
}

#[test]
fn what_no_waiting_helps_against_stops_the_worker() {
    for call in [Call::Init, Call::Commit] {
        let world = World::new(1, topology(Policy::Fail));
        world.send(1, &event(Kind::Fine, 1));
        let error = LogError::Fatal("not allowed".into());
        world.log.inject(Fault { transactional_id: Some("app-a-0".into()), call, error });
        let mut process = world.process("a");
        let stopped = process.settle();
        assert!(stopped.is_err_and(|error| error.to_string() == "not allowed"));
        process.advance(Duration::from_secs(1));
    }
}
