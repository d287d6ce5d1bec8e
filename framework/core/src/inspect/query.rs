//! Asking for entries of a store: by key, or by range.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::shape::{Shape, StoreKind};
use crate::blueprint::{Blueprint, Plan, Subtopology, TaskId};
use crate::codec::CodecError;
use crate::partition::partition_for;
use crate::port::{OpenStore, StateStores, StoreError, StoreRange};
use crate::state::layout;
use crate::time::Timestamp;
use crate::topology::{Changelog, StoreSpec};

/// Bytes of JSON after which a page ends.
const PAGE_BYTES: usize = 8 << 20;

/// Which entries of which store; made by [`Blueprint::state_of_key`] and [`Blueprint::state_range`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateQuery {
    store: String,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    /// The key asked for, encoded; none for a range.
    key: Option<Vec<u8>>,
    limit: usize,
    scan: usize,
}

impl StateQuery {
    /// The store asked.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The most entries one task answers.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The same query, ending after `entries` stored entries were looked at, found or not: what bounds its time.
    pub fn scanning_at_most(self, entries: usize) -> StateQuery {
        StateQuery { scan: entries, ..self }
    }
}

/// Some entries, each a JSON object on one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The entries, in the order of the store.
    pub entries: Vec<Value>,
    /// Whether there may be more: a limit ended it.
    pub truncated: bool,
}

/// One store of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreSummary {
    /// The store.
    pub store: String,
    /// What kind it is.
    pub kind: StoreKind,
    /// The task it belongs to.
    pub task: String,
    /// Entries, none where it is not known.
    pub entries: Option<u64>,
    /// Bytes of keys and values, none where it is not known.
    pub bytes: Option<u64>,
    /// Whether entries and bytes are the storage engine's estimate.
    pub estimated: bool,
    /// The topic it is restored from.
    pub changelog: String,
    /// The changelog offset it accounts for: the next one to read. None for a store that has read nothing.
    pub changelog_offset: Option<i64>,
}

/// Why entries cannot be shown.
#[derive(Debug, Clone, Error)]
pub enum QueryError {
    /// No such store.
    #[error("there is no store {store:?}; the topology has {}", known.join(", "))]
    UnknownStore {
        /// The store asked for.
        store: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The key or a bound cannot be read as the store's type.
    #[error("store {store:?} has keys of type {key}: {message}")]
    BadKey {
        /// The store.
        store: String,
        /// Its keys' type.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// A stored entry cannot be decoded with the topology's types.
    #[error(
        "an entry of store {store:?} in task {task} cannot be decoded: {message}; is this the version of the application that wrote it?"
    )]
    Undecodable {
        /// The store.
        store: String,
        /// The task.
        task: String,
        /// What the decoder said.
        message: String,
    },
    /// The state on disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Blueprint {
    /// The names of all stores, sorted.
    pub fn store_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.graph.stores.iter().map(|store| store.name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// The entries of one key: text as it is for keys that are strings, JSON for others. At most `limit` of them per task.
    pub fn state_of_key(&self, store: &str, key: &str, limit: usize) -> Result<StateQuery, QueryError> {
        let shape = &self.store_spec(store)?.shape;
        let key = (shape.read_key)(key).map_err(|error| bad_key(store, shape, &error))?;
        let mut from = Vec::new();
        let to = match shape.kind {
            StoreKind::OneValue | StoreKind::Folded | StoreKind::TopicTable => {
                from.extend_from_slice(&key);
                Some([&key[..], &[0]].concat())
            }
            StoreKind::SortedMap | StoreKind::Queue => {
                layout::collection(&key, &mut from);
                layout::after_prefix(&from)
            }
            // Ordered by time: a key's entries are anywhere.
            StoreKind::Timers | StoreKind::PerWindow => None,
        };
        Ok(StateQuery { store: store.to_owned(), from, to, key: Some(key), limit, scan: usize::MAX })
    }

    /// The entries from `from` up to, not including, `to`, in the store's order: by key (in maps and lists: shorter keys first), in windows
    /// and timers by time, the bounds being milliseconds since 1970.
    pub fn state_range(&self, store: &str, from: Option<&str>, to: Option<&str>, limit: usize) -> Result<StateQuery, QueryError> {
        let shape = &self.store_spec(store)?.shape;
        let bound = |text: &str| -> Result<Vec<u8>, QueryError> {
            let mut bytes = Vec::new();
            match shape.kind {
                StoreKind::Timers | StoreKind::PerWindow => {
                    let time = text.trim().parse().map_err(|_| {
                        let message =
                            format!("its entries are ordered by time: expected milliseconds since 1970, found {text:?}");
                        bad_key(store, shape, &CodecError(message))
                    })?;
                    layout::timed(Timestamp::from_millis(time), &[], &mut bytes);
                }
                _ => {
                    let key = (shape.read_key)(text).map_err(|error| bad_key(store, shape, &error))?;
                    match shape.kind {
                        StoreKind::SortedMap | StoreKind::Queue => layout::collection(&key, &mut bytes),
                        _ => bytes = key,
                    }
                }
            }
            Ok(bytes)
        };
        let (from, to) = (from.map(bound).transpose()?.unwrap_or_default(), to.map(bound).transpose()?);
        Ok(StateQuery { store: store.to_owned(), from, to, key: None, limit, scan: usize::MAX })
    }

    /// What a task's stores answer. None if the task does not have the store. `stores` are those of [`open_stores`](Blueprint::open_stores).
    pub fn inspect(&self, task: &TaskId, stores: &dyn StateStores, query: &StateQuery) -> Result<Option<Page>, QueryError> {
        let Some(part) = self.part(&task.subtopology) else { return Ok(None) };
        let spec = self.store_spec(&query.store)?;
        let Some(number) = part.stores.iter().position(|number| self.graph.stores[*number].name == query.store) else {
            return Ok(None);
        };
        let undecodable = |error: CodecError| QueryError::Undecodable {
            store: query.store.clone(),
            task: task.to_string(),
            message: error.to_string(),
        };
        let (mut page, mut bytes) = (Page::default(), 0);
        let range = StoreRange { from: &query.from, to: query.to.as_deref() };
        for (seen, item) in stores.scan(number, range)?.enumerate() {
            let (stored, value) = item?;
            if page.entries.len() >= query.limit || seen >= query.scan || bytes >= PAGE_BYTES {
                page.truncated = true;
                break;
            }
            let other = |key: &Vec<u8>| spec.shape.key_of(&stored).map(|found| found != &key[..]);
            if query.key.as_ref().map(other).transpose().map_err(undecodable)?.unwrap_or(false) {
                continue;
            }
            if let Some(mut object) = spec.shape.show(&stored, &value).map_err(undecodable)? {
                object.insert("task".into(), Value::from(task.to_string()));
                bytes += stored.len() + value.len();
                page.entries.push(Value::Object(object));
            }
        }
        Ok(Some(page))
    }

    /// The stores of a sub-topology, as [`Stores::open`](crate::port::Stores::open) wants them. None if there is no such sub-topology.
    pub fn open_stores(&self, subtopology: &str) -> Option<Vec<OpenStore>> {
        let stores =
            |part: &Subtopology| part.stores.iter().map(|n| OpenStore { name: self.graph.stores[*n].name.clone() }).collect();
        self.part(subtopology).map(stores)
    }

    /// What a task's stores hold. With `exact` every entry is counted, which reads all of it.
    pub fn summarize(&self, task: &TaskId, stores: &dyn StateStores, exact: bool) -> Result<Vec<StoreSummary>, StoreError> {
        let numbers = self.part(&task.subtopology).map(|part| part.stores.as_slice()).unwrap_or_default();
        let summary = |(index, number): (usize, &usize)| {
            let spec = &self.graph.stores[*number];
            let (size, estimated) = match exact {
                true => (Some(count(stores, index)?), false),
                false => (stores.estimated_size(index)?, true),
            };
            let (Changelog::Own(topic) | Changelog::Source(topic)) = &spec.changelog;
            Ok(StoreSummary {
                store: spec.name.clone(),
                kind: spec.shape.kind,
                task: task.to_string(),
                entries: size.map(|(entries, _)| entries),
                bytes: size.map(|(_, bytes)| bytes),
                estimated,
                changelog: topic.to_string(),
                changelog_offset: stores.offset(index)?,
            })
        };
        numbers.iter().enumerate().map(summary).collect()
    }

    fn part(&self, subtopology: &str) -> Option<&Subtopology> {
        self.subtopologies.iter().find(|part| part.name == subtopology)
    }

    fn store_spec(&self, store: &str) -> Result<&StoreSpec, QueryError> {
        let found = self.graph.stores.iter().find(|spec| spec.name == store);
        found.ok_or_else(|| QueryError::UnknownStore { store: store.to_owned(), known: self.store_names() })
    }
}

impl Plan {
    /// The task that has the entries of the key asked for, if records are partitioned as Kafka's own clients do it. None for a range.
    pub fn home_of(&self, query: &StateQuery) -> Option<TaskId> {
        let key = query.key.as_ref()?;
        let stores = &self.blueprint.graph.stores;
        let has = |numbers: &[usize]| numbers.iter().any(|number| stores[*number].name == query.store);
        let (part, count) = self.blueprint.subtopologies.iter().zip(&self.task_counts).find(|(part, _)| has(&part.stores))?;
        let spec = stores.iter().find(|spec| spec.name == query.store)?;
        let partition = partition_for(Some((spec.shape.partitioned_by)(key)), *count, 0);
        Some(TaskId { subtopology: part.name.as_str().into(), partition })
    }
}

fn bad_key(store: &str, shape: &Shape, error: &CodecError) -> QueryError {
    QueryError::BadKey { store: store.to_owned(), key: shape.key.clone(), message: error.to_string() }
}

fn count(stores: &dyn StateStores, index: usize) -> Result<(u64, u64), StoreError> {
    let mut size = (0, 0);
    for item in stores.scan(index, StoreRange { from: &[], to: None })? {
        let (key, value) = item?;
        size = (size.0 + 1, size.1 + (key.len() + value.len()) as u64);
    }
    Ok(size)
}
