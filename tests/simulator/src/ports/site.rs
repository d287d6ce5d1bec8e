use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_core::bounded::Span;
use headwater_core::port::{LogError, StoreError};
use headwater_core::{Plan, TopicName, TopicPartition};
use headwater_testkit::MemoryLog;

use super::Topics;
use crate::control::{Death, Fate, Shared};
use crate::fault::{Call, Fault};
use crate::stage;

/// What a crash in the middle of a call looks like to the engine.
const CRASHED: &str = "crashed here";

/// What is known of the application's topics.
pub struct Facts {
    pub app: String,
    /// Which generation of the application this is: the first has 0.
    pub generation: usize,
    /// Topics that results go to.
    pub outputs: Topics,
    /// Topics that come from outside.
    pub outside: Topics,
    pub changelogs: Topics,
    pub repartitions: Topics,
    /// Topics the group shares out.
    pub subscription: Topics,
    /// Changelogs of stores whose entries are removed as event time passes.
    pub timed: Topics,
    /// The partitions each task reads, by the task's name.
    pub inputs: BTreeMap<String, Vec<TopicPartition>>,
    /// What a bounded run reads of each partition of its inputs; empty for a live run.
    pub spans: BTreeMap<TopicPartition, Span>,
}

impl Facts {
    pub fn of(plan: &Plan, generation: usize, timed: &[&str]) -> Facts {
        let app = plan.blueprint().app().to_owned();
        let internal = |changelog: bool| {
            plan.internal_topics().into_iter().filter(move |topic| topic.changelog == changelog).map(|topic| topic.topic)
        };
        let partitions = |task: &headwater_core::TaskId| {
            let topics = plan.inputs_of(task).into_iter();
            topics.map(|topic| TopicPartition { topic, partition: task.partition }).collect::<Vec<_>>()
        };
        let outside = plan.blueprint().input_topics();
        let all = plan.tasks().iter().flat_map(partitions).collect::<Vec<TopicPartition>>().into_iter();
        let spans = plan.bounded().into_iter().flat_map(|bounds| {
            let read = all.clone().filter(|partition| outside.iter().any(|topic| **topic == *partition.topic));
            read.map(|partition| (partition.clone(), bounds.span(&partition))).collect::<Vec<_>>()
        });
        Facts {
            generation,
            outputs: plan.outputs().into_iter().map(|output| output.topic).collect(),
            outside: outside.iter().map(|topic| TopicName::from(topic.clone())).collect(),
            spans: spans.collect(),
            changelogs: internal(true).collect(),
            repartitions: internal(false).collect(),
            subscription: plan.subscription().into_iter().map(TopicName::from).collect(),
            timed: timed.iter().map(|store| format!("{app}-{store}-changelog").into()).collect(),
            inputs: plan.tasks().iter().map(|task| (task.to_string(), partitions(task))).collect(),
            app,
        }
    }

    /// The store a changelog is of.
    pub fn store_of<'a>(&self, changelog: &'a str) -> &'a str {
        changelog
            .strip_prefix(&*self.app)
            .and_then(|rest| rest.strip_prefix('-')?.strip_suffix("-changelog"))
            .unwrap_or(changelog)
    }

    pub fn changelog_of(&self, store: &str) -> TopicName {
        let own: TopicName = format!("{}-{store}-changelog", self.app).into();
        // A table's topic is its changelog.
        if self.changelogs.contains(&own) { own } else { store.into() }
    }
}

/// Where a call is made: in which process and worker of which run.
#[derive(Clone)]
pub struct Site {
    pub control: Shared,
    pub log: MemoryLog,
    pub facts: Arc<Facts>,
    pub process: usize,
    /// Which life of it: nothing that an earlier one does has an effect.
    pub life: u64,
    pub worker: Option<usize>,
}

impl Site {
    pub fn of_worker(&self, worker: usize) -> Site {
        Site { worker: Some(worker), ..self.clone() }
    }

    /// Makes a call of the log's ports, and whatever happens to it.
    pub fn call<R>(&self, call: Call, effect: impl FnOnce() -> Result<R, LogError>) -> Result<R, LogError> {
        let fate = self.control.lock().fate((self.process, self.life), call);
        match fate {
            Fate::Go => effect(),
            Fate::Dead => Err(crashed()),
            Fate::DelayedBefore | Fate::StalledBefore => {
                self.others_act(call, "before its effect", fate == Fate::StalledBefore);
                self.unless_dead(effect)
            }
            Fate::DelayedAfter | Fate::StalledAfter => {
                let result = effect()?;
                self.others_act(call, "before the reply", fate == Fate::StalledAfter);
                Ok(result)
            }
            Fate::Meets(Fault::CrashBefore) => {
                self.die(call, "before its effect", Death::Crash);
                Err(crashed())
            }
            Fate::Meets(Fault::CrashAfter) => {
                let done = effect().is_ok();
                self.die(call, if done { "after its effect" } else { "after it failed" }, Death::Crash);
                Err(crashed())
            }
            Fate::Meets(Fault::LostReply) => {
                effect()?;
                self.note(call, Fault::LostReply);
                Err(match call {
                    Call::ProducerSend => LogError::AbortTransaction("the record's acknowledgement was lost".into()),
                    Call::ProducerCommit => LogError::Fenced("the reply was lost, and then another producer came".into()),
                    _ => LogError::Retriable("the reply was lost".into()),
                })
            }
            Fate::Meets(fault) => {
                self.note(call, fault);
                Err(match fault {
                    Fault::Fenced => LogError::Fenced("somebody else has this id".into()),
                    Fault::Refused => LogError::AbortTransaction("a record was refused".into()),
                    Fault::Outage => LogError::Retriable("no broker answers".into()),
                    _ => LogError::Retriable("try again".into()),
                })
            }
        }
    }

    /// Makes a call of the stores' ports. After an error the engine must end the process.
    pub fn store_call<R>(&self, call: Call, effect: impl FnOnce() -> Result<R, StoreError>) -> Result<R, StoreError> {
        let fate = self.control.lock().fate((self.process, self.life), call);
        match fate {
            Fate::Go | Fate::DelayedBefore | Fate::DelayedAfter | Fate::StalledBefore | Fate::StalledAfter => effect(),
            Fate::Dead => Err(disk_error(CRASHED)),
            Fate::Meets(Fault::CrashAfter) => {
                let _done = effect();
                self.die(call, "after its effect", Death::Crash);
                Err(disk_error(CRASHED))
            }
            Fate::Meets(Fault::CrashBefore) => {
                self.die(call, "before its effect", Death::Crash);
                Err(disk_error(CRASHED))
            }
            Fate::Meets(_) => {
                self.die(call, "disk error", Death::Disk);
                Err(disk_error("the disk gives an error"))
            }
        }
    }

    fn unless_dead<R>(&self, effect: impl FnOnce() -> Result<R, LogError>) -> Result<R, LogError> {
        let control = self.control.lock();
        let dead = control.is_gone((self.process, self.life)) || control.violation.is_some();
        drop(control);
        if dead { Err(crashed()) } else { effect() }
    }

    fn others_act(&self, call: Call, when: &str, put_out: bool) {
        self.line("others act", String::new(), None, || format!("{call:?} is delayed {when}"));
        stage::interlude(put_out.then_some(self.process));
        self.line("goes on", String::new(), None, || format!("{call:?}"));
    }

    fn note(&self, call: Call, fault: Fault) {
        self.line("fault", String::new(), None, || format!("{call:?} meets {}", fault.name()));
    }

    fn die(&self, call: Call, when: &str, death: Death) {
        self.line("dies", String::new(), None, || format!("in {call:?}, {when}"));
        let mut control = self.control.lock();
        if !control.is_gone((self.process, self.life)) {
            control.processes[self.process].dead = Some(death);
        }
    }

    pub fn line(&self, event: &'static str, place: String, offset: Option<i64>, detail: impl FnOnce() -> String) {
        self.control.lock().line(|| (Some(self.process), self.worker, event, place, offset, detail()));
    }
}

pub fn crashed() -> LogError {
    LogError::Fatal(CRASHED.into())
}

fn disk_error(message: &str) -> StoreError {
    StoreError::Io { path: "disk".into(), message: message.into() }
}
