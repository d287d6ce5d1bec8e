//! One stored entry as JSON.

use serde_json::{Map, Value, json};

use super::shape::{Shape, StoreKind};
use crate::codec::CodecError;
use crate::sort_key::SortKey;
use crate::state::{cell, layout};

fn json(text: Result<String, CodecError>) -> Result<Value, CodecError> {
    let text = text?;
    serde_json::from_str(&text).map_err(|error| CodecError(format!("{text:?} is not JSON: {error}")))
}

/// A collection entry's key and what follows it.
fn split_collection(entry: &[u8]) -> Result<(&[u8], &[u8]), CodecError> {
    let short = || CodecError(format!("collection key of {} bytes is too short", entry.len()));
    let (length, rest) = entry.split_first_chunk::<4>().ok_or_else(short)?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(short)
}

impl Shape {
    /// The key part of an entry's stored key.
    pub(super) fn key_of<'a>(&self, stored: &'a [u8]) -> Result<&'a [u8], CodecError> {
        match self.kind {
            StoreKind::OneValue | StoreKind::Folded | StoreKind::TopicTable => Ok(stored),
            StoreKind::SortedMap | StoreKind::Queue => Ok(split_collection(stored)?.0),
            StoreKind::Timers | StoreKind::PerWindow => Ok(layout::split_timed(stored)?.1),
        }
    }

    /// An entry as a JSON object; none for what a store keeps for itself.
    pub(super) fn show(&self, stored: &[u8], value: &[u8]) -> Result<Option<Map<String, Value>>, CodecError> {
        let mut object = Map::new();
        object.insert("key".into(), json((self.show_key)(self.key_of(stored)?))?);
        match self.kind {
            StoreKind::OneValue | StoreKind::Folded | StoreKind::TopicTable => {}
            StoreKind::SortedMap => {
                object.insert("map_key".into(), json((self.show_entry)(split_collection(stored)?.1))?);
            }
            StoreKind::Queue => match split_collection(stored)?.1 {
                // Where the list begins and ends.
                [] => return Ok(None),
                index => drop(object.insert("index".into(), json!(<u64 as SortKey>::decode(index)?))),
            },
            StoreKind::Timers => {
                object.insert("time".into(), json!(layout::split_timed(stored)?.0.as_millis()));
                return Ok(Some(object));
            }
            StoreKind::PerWindow => {
                let start = layout::split_timed(stored)?.0;
                object.insert("window_start".into(), json!(start.as_millis()));
                if let Some(windows) = self.windows {
                    object.insert("window_end".into(), json!(windows.window_of(start).end().as_millis()));
                }
            }
        }
        let (timestamp, payload) = cell::split(value)?;
        object.insert("value".into(), json((self.show_value)(payload))?);
        object.insert("timestamp".into(), json!(timestamp.as_millis()));
        Ok(Some(object))
    }
}
