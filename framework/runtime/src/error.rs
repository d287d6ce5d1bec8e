use headwater_core::engine::EngineError;
use headwater_core::port::{LogError, StoreError};
use headwater_core::{ControlError, PlanError, TaskError, TopicPartition, TopologyChange, Verdict};
use thiserror::Error;

/// Why an application stopped.
#[derive(Debug, Clone, Error)]
pub enum RunError {
    /// The topology does not fit the topics.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// An internal topic exists with another partition count than the topology needs.
    #[error(
        "internal topic {topic:?} has {found} partitions but the topology needs {expected}: was an input topic's partition count changed, or the topology? \
         State would be read from the wrong partitions. Give the application another name, or delete its internal topics and state and start over"
    )]
    InternalTopic {
        /// The topic.
        topic: String,
        /// Its partitions.
        found: i32,
        /// What the plan says.
        expected: i32,
    },
    /// The topology would misread the state there is.
    #[error("{}", topology_changed(app, place, changes))]
    TopologyChanged {
        /// The application.
        app: String,
        /// Where the manifest it was compared with is kept.
        place: String,
        /// What does not fit.
        changes: Vec<TopologyChange>,
    },
    /// Another version of the topology has taken over.
    #[error(
        "another version of {app:?} has taken over, so this one stops before it takes any of its tasks ({why}). Let only one version run: \
         stop the processes of the one that is not wanted"
    )]
    Superseded {
        /// The application.
        app: String,
        /// What is different.
        why: String,
    },
    /// Another generation of the application is in force.
    #[error(
        "{}: it was handed over, or this generation has not taken over yet. Processes of the one in force run with run.generation {}",
        generations(app, own, in_force),
        generation_id(app, in_force)
    )]
    NotInForce {
        /// The application.
        app: String,
        /// The generation that was to run.
        own: String,
        /// The one in force.
        in_force: String,
    },
    /// A new generation reads what the old one does not.
    #[error(
        "the new generation reads {input}, which {from:?} does not: there is no position at which both could meet. Take it over without that input,          or stop the application and start the new one in its place"
    )]
    NewInput {
        /// The partition.
        input: String,
        /// The old generation.
        from: String,
    },
    /// A reset was begun and has not ended.
    #[error(
        "a reset of {app:?} was begun and has not ended, so its topics and positions do not fit together: finish it with `{app} reset --yes`"
    )]
    UnfinishedReset {
        /// The application.
        app: String,
    },
    /// The control topic, or its copy on disk, cannot be read.
    #[error("{topic}: {error}")]
    Control {
        /// Where.
        topic: String,
        /// What is wrong.
        error: ControlError,
    },
    /// The state directory failed outside of a worker.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log failed outside of a worker.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A worker failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A thread could not be started, or died.
    #[error("worker {worker} died: {message}")]
    Worker {
        /// Its number.
        worker: usize,
        /// What happened.
        message: String,
    },
}

impl RunError {
    /// The record that could not be processed, if that is what happened.
    pub fn record(&self) -> Option<(TopicPartition, i64)> {
        match self {
            RunError::Engine(EngineError::Task(
                TaskError::Undecodable { partition, offset, .. } | TaskError::Failed { partition, offset, .. },
            )) => Some((partition.clone(), *offset)),
            _ => None,
        }
    }

    /// Whether it passes by itself: the cluster is away, or another process writes.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            RunError::Log(
                LogError::Retriable(_) | LogError::Unreachable { .. } | LogError::Fenced(_) | LogError::AbortTransaction(_)
            )
        )
    }
}

/// What does not fit, line by line, and what can be done about it.
fn topology_changed(app: &str, place: &str, changes: &[TopologyChange]) -> String {
    let mut text = format!("the topology does not fit the state that {app:?} has (its manifest is in {place}):");
    for change in changes {
        text.push_str(&format!("\n  {change}"));
    }
    text.push_str(&format!(
        "\nNothing was changed. Go back to the version before; or give the new one a name of its own; or start over with `{app} reset`"
    ));
    let mut names: Vec<&str> =
        changes.iter().filter(|change| change.verdict == Verdict::NeedsConsent).map(|change| change.name.as_str()).collect();
    names.dedup();
    if !names.is_empty() && changes.iter().all(|change| change.verdict == Verdict::NeedsConsent) {
        let flags: Vec<String> = names.iter().map(|name| format!("--accept-topology-change {name}")).collect();
        let flags = flags.join(" ");
        text.push_str(&format!("; or, if the bytes are the same or may be left behind, say so once: `{app} run {flags}`"));
    }
    text
}

fn generations(app: &str, own: &str, in_force: &str) -> String {
    format!("this is {own:?} and the generation of {app:?} in force is {in_force:?}")
}

/// As the setting has it.
fn generation_id(app: &str, name: &str) -> String {
    match name.strip_prefix(app).and_then(|rest| rest.strip_prefix('.')) {
        Some(id) => format!("{id:?}"),
        None => String::from("not set"),
    }
}
