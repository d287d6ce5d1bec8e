//! The engine of Headwater, free of I/O, clocks and threads: time is an argument, the world is behind [`port`]s.
//!
//! An application describes a [`Topology`]; [`Blueprint::of`] checks it and divides it into sub-topologies; [`Blueprint::plan`] fits it
//! to a cluster's topics. From then on the engine's parts run tasks: each is one sub-topology at one partition.

#![warn(missing_docs)]

mod blueprint;
pub mod bounded;
mod codec;
pub mod dead_letter;
pub mod describe;
pub mod engine;
mod failure;
mod failures;
pub mod handover;
mod inspect;
mod key;
mod manifest;
mod operators;
mod partition;
mod policy;
pub mod port;
mod reach;
mod record;
mod reduce;
mod replay;
mod sort_key;
mod state;
mod task;
mod time;
mod time_text;
mod topology;
mod transform;
mod window;

pub use blueprint::{Blueprint, DeclaredInput, InputTimes, InternalTopic, Plan, PlanError, TaskId, TopicUse, TopologyError};
pub use codec::{Codec, CodecError, Json, Raw, Text};
pub use failure::Failure;
pub use failures::{BackOff, Failures, RunFailure};
pub use inspect::{Page, QueryError, StateQuery, StoreKind, StoreSummary};
pub use key::Key;
pub use manifest::{
    ControlError, ControlState, InputEntry, Manifest, ManifestError, OperatorEntry, RepartitionEntry, ResetMark, StoreEntry,
    StoredManifest, TopologyChange, Verdict, control_topic,
};
pub use partition::{murmur2, partition_for};
pub use policy::Policy;
pub use reach::Reach;
pub use record::{Header, Outgoing, Record, TopicName, TopicPartition};
pub use reduce::{At, Reduce};
pub use replay::ReplayEffect;
pub use sort_key::SortKey;
pub use task::{Skipped, Stage, TaskError};
pub use time::{Timestamp, days, hours, minutes, seconds};
pub use time_text::NoTimestamp;
pub use topology::{Input, Rekeyed, Stream, Table, Topology, Transformed, WindowedStream};
pub use transform::{Cx, Fired, List, Map, On, OnTimer, Output, Setup, StateSlice, Timer, Transform, Value};
pub use window::{Tumbling, Window, Windowed};
