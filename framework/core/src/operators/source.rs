use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;

use super::Step;
use crate::codec::Codec;
use crate::failure::Failure;
use crate::key::Key;
use crate::record::Record;
use crate::state::cell;
use crate::time::Timestamp;

/// Reads a value's event time; the second argument is the record's own timestamp.
pub(crate) type TimestampOf<V> = Arc<dyn Fn(&V, Timestamp) -> Timestamp + Send + Sync>;

/// Why a record cannot enter the topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It has no key, so it belongs to no group; counted and left out, as Kafka Streams does.
    NullKey,
    /// It has no value; in a stream (not a table) that means nothing.
    NullValue,
    /// It has a negative timestamp.
    NoTimestamp,
    /// Its bytes cannot be decoded: the input's policy decides.
    Undecodable(String),
    /// Its event time is later than its input allows: the input's policy decides.
    TooFarAhead { timestamp: Timestamp, latest: Timestamp },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Undecodable(message) => f.write_str(message),
            Refusal::TooFarAhead { timestamp, latest } => {
                write!(
                    f,
                    "its event time is {timestamp}, but by its append time and the input's `max_future` it cannot be later than {latest}"
                )
            }
            other => f.write_str(other.reason()),
        }
    }
}

impl Refusal {
    /// The reason as counted.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Refusal::NullKey => "null_key",
            Refusal::NullValue => "null_value",
            Refusal::NoTimestamp => "no_timestamp",
            Refusal::Undecodable(_) => "undecodable",
            Refusal::TooFarAhead { .. } => "too_far_ahead",
        }
    }

    /// Whether somebody made a mistake, so that the input's policy decides.
    pub(crate) fn is_mistake(&self) -> bool {
        matches!(self, Refusal::Undecodable(_) | Refusal::TooFarAhead { .. })
    }
}

/// The node at which a topic's records enter. A record is loaded (decoded) when it becomes the first of its queue, because its
/// event time decides when its turn comes, and emitted when that turn has come.
pub(crate) trait Source {
    /// Decodes a record and keeps it; answers its event time.
    fn load(&mut self, record: &Record) -> Result<Timestamp, Refusal>;
    /// Hands the loaded record to the nodes behind.
    fn emit(&mut self, step: &mut Step<'_>) -> Result<(), Failure>;
}

fn event_time(timestamp: Timestamp) -> Result<Timestamp, Refusal> {
    if timestamp.as_millis() < 0 { Err(Refusal::NoTimestamp) } else { Ok(timestamp) }
}

fn decode_key<K: Key>(record: &Record) -> Result<K, Refusal> {
    let key = record.key.as_ref().ok_or(Refusal::NullKey)?;
    K::decode(key).map_err(|e| Refusal::Undecodable(e.to_string()))
}

/// A stream's source.
pub(crate) struct StreamSource<K, V, C> {
    pub(crate) timestamp: Option<TimestampOf<V>>,
    pub(crate) loaded: Option<(K, V)>,
    pub(crate) codec: PhantomData<fn(C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Source for StreamSource<K, V, C> {
    fn load(&mut self, record: &Record) -> Result<Timestamp, Refusal> {
        let key = decode_key(record)?;
        let value = record.value.as_ref().ok_or(Refusal::NullValue)?;
        let value = C::decode(value).map_err(|e| Refusal::Undecodable(e.to_string()))?;
        let timestamp = self.timestamp.as_ref().map_or(record.timestamp, |of| of(&value, record.timestamp));
        self.loaded = Some((key, value));
        event_time(timestamp)
    }

    fn emit(&mut self, step: &mut Step<'_>) -> Result<(), Failure> {
        match self.loaded.take() {
            Some((key, value)) => step.forward(0, &key, &value),
            None => Ok(()),
        }
    }
}

/// A table's source: keeps the newest value per key in its store, slot 0. Nothing is handed on; joins look the store up.
pub(crate) struct TableSource<K, V, C> {
    pub(crate) loaded: Option<(Bytes, Option<Bytes>)>,
    pub(crate) types: PhantomData<fn(K, V, C)>,
}

impl<K: Key, V: 'static, C: Codec<V>> Source for TableSource<K, V, C> {
    fn load(&mut self, record: &Record) -> Result<Timestamp, Refusal> {
        decode_key::<K>(record)?;
        if let Some(value) = &record.value {
            C::decode(value).map_err(|e| Refusal::Undecodable(e.to_string()))?;
        }
        let timestamp = event_time(record.timestamp)?;
        self.loaded = record.key.clone().map(|key| (key, table_cell(record)));
        Ok(timestamp)
    }

    fn emit(&mut self, step: &mut Step<'_>) -> Result<(), Failure> {
        if let Some((key, value)) = self.loaded.take() {
            let store = step.store(0);
            step.state.put(store, &key, value);
        }
        Ok(())
    }
}

/// What a table keeps of a record; also used when the table is restored from its topic.
pub(crate) fn table_cell(record: &Record) -> Option<Bytes> {
    record.value.as_ref().map(|value| {
        let mut buffer = Vec::with_capacity(cell::HEADER + value.len());
        cell::begin(record.timestamp, &mut buffer);
        buffer.extend_from_slice(value);
        Bytes::from(buffer)
    })
}
