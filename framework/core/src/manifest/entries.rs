//! What the manifest says of each part.

use serde::{Deserialize, Serialize};

use crate::inspect::StoreKind;

/// A topic read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputEntry {
    /// `stream` or `table`.
    pub role: String,
    /// The keys' type.
    pub key: String,
    /// The values' type.
    pub value: String,
    /// What decodes the values.
    pub codec: String,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<i32>,
}

/// An operator with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorEntry {
    /// The verb, as in the API.
    pub operation: String,
    /// The type of the keys that come in.
    pub key: String,
    /// The stores it uses, sorted.
    pub stores: Vec<String>,
    /// The tasks it runs in: the partitions of what it reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<i32>,
}

/// A repartition and its topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepartitionEntry {
    /// The topic.
    pub topic: String,
    /// The keys' type.
    pub key: String,
    /// The values' type.
    pub value: String,
    /// What carries the values.
    pub codec: String,
    /// Its partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<i32>,
}

/// A store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreEntry {
    /// The operator it belongs to.
    pub operator: String,
    /// What kind it is.
    pub kind: StoreKind,
    /// The keys' type.
    pub key: String,
    /// The type of a map's entry keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The values' type; timers have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What encodes the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// For windows: their length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_ms: Option<u64>,
    /// For windows: from a window's start until its entry is removed, grace included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_ms: Option<u64>,
    /// The topic it is restored from.
    pub changelog: String,
    /// That topic's partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<i32>,
}

impl StoreEntry {
    /// Whether the other one holds the same kind of thing: then a store that went and one that came are likely one, renamed.
    pub(super) fn looks_like(&self, other: &StoreEntry) -> bool {
        (self.kind, &self.key, &self.entry, &self.value, &self.codec, self.window_ms)
            == (other.kind, &other.key, &other.entry, &other.value, &other.codec, other.window_ms)
    }
}
