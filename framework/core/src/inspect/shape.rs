//! What a store holds, by its types.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::names::type_name;
use crate::codec::{Codec, CodecError};
use crate::key::Key;
use crate::sort_key::SortKey;
use crate::window::Tumbling;

/// What kind of store it is; decides how its keys are laid out. The names differ from those of handles and tables, so that the compiler
/// goes on calling these by their short names in its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreKind {
    /// A transform's `Value`: one value per key.
    #[serde(rename = "value")]
    OneValue,
    /// A transform's `Map`: sorted entries per key.
    #[serde(rename = "map")]
    SortedMap,
    /// A transform's `List`: a queue per key.
    #[serde(rename = "list")]
    Queue,
    /// A transform's `Timer`: times per key.
    #[serde(rename = "timer")]
    Timers,
    /// A fold's state per key.
    #[serde(rename = "fold")]
    Folded,
    /// A fold's state per window and key.
    #[serde(rename = "window")]
    PerWindow,
    /// A topic's newest value per key.
    #[serde(rename = "table")]
    TopicTable,
}

impl StoreKind {
    /// Whether it has one value per key, under the key's own bytes.
    pub(crate) fn is_by_key(self) -> bool {
        matches!(self, StoreKind::OneValue | StoreKind::Folded | StoreKind::TopicTable)
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreKind::OneValue => "value",
            StoreKind::SortedMap => "map",
            StoreKind::Queue => "list",
            StoreKind::Timers => "timer",
            StoreKind::Folded => "fold",
            StoreKind::PerWindow => "window",
            StoreKind::TopicTable => "table",
        })
    }
}

pub(super) type Show = fn(&[u8]) -> Result<String, CodecError>;

/// A store's layout and types, the types as names and as functions on bytes.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) kind: StoreKind,
    pub(crate) key: String,
    /// The type of a map's entry keys.
    pub(crate) entry: Option<String>,
    /// None for timers.
    pub(crate) value: Option<String>,
    pub(crate) codec: Option<String>,
    pub(crate) windows: Option<Tumbling>,
    pub(super) show_key: Show,
    pub(super) read_key: fn(&str) -> Result<Vec<u8>, CodecError>,
    pub(super) partitioned_by: fn(&[u8]) -> &[u8],
    pub(super) show_entry: Show,
    pub(super) show_value: Show,
}

fn nothing(_: &[u8]) -> Result<String, CodecError> {
    Ok(String::from("null"))
}

impl Shape {
    fn of<K: Key>(kind: StoreKind) -> Shape {
        Shape {
            kind,
            key: type_name::<K>(),
            entry: None,
            value: None,
            codec: None,
            windows: None,
            show_key: K::show,
            read_key: K::read,
            partitioned_by: K::partitioned_by,
            show_entry: nothing,
            show_value: nothing,
        }
    }

    /// A store with a value of this type per entry.
    pub(crate) fn valued<K: Key, V, C: Codec<V>>(kind: StoreKind) -> Shape {
        let (value, codec) = (Some(type_name::<V>()), Some(type_name::<C>()));
        Shape { value, codec, show_value: C::show, ..Shape::of::<K>(kind) }
    }

    pub(crate) fn map<K: Key, M: SortKey, V, C: Codec<V>>() -> Shape {
        Shape { entry: Some(type_name::<M>()), show_entry: M::show, ..Shape::valued::<K, V, C>(StoreKind::SortedMap) }
    }

    pub(crate) fn timer<K: Key>() -> Shape {
        Shape::of::<K>(StoreKind::Timers)
    }

    pub(crate) fn window<K: Key, S, C: Codec<S>>(windows: Tumbling) -> Shape {
        Shape { windows: Some(windows), ..Shape::valued::<K, S, C>(StoreKind::PerWindow) }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape")
            .field("kind", &self.kind)
            .field("key", &self.key)
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Shape) -> bool {
        (self.kind, &self.key, &self.entry, &self.value, &self.codec, self.windows)
            == (other.kind, &other.key, &other.entry, &other.value, &other.codec, other.windows)
    }
}

impl Eq for Shape {}

/// The types of a topic's records.
#[derive(Clone, Debug)]
pub(crate) struct Types {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) codec: String,
    pub(crate) read_key: fn(&str) -> Result<Vec<u8>, CodecError>,
    pub(crate) partitioned_by: fn(&[u8]) -> &[u8],
}

impl Types {
    pub(crate) fn of<K: Key, V, C>() -> Types {
        Types {
            key: type_name::<K>(),
            value: type_name::<V>(),
            codec: type_name::<C>(),
            read_key: K::read,
            partitioned_by: K::partitioned_by,
        }
    }
}
