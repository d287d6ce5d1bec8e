use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, OpenStore, StateStores, StoreError, StoreRange, Stores};
use headwater_store::{RocksStores, StoreOptions};

/// Small, so that memory pressure is part of the tests.
pub fn options() -> StoreOptions {
    StoreOptions { memory_bytes: 8 << 20, keep_open: Duration::ZERO, ..StoreOptions::default() }
}

pub fn stores(root: &Path) -> RocksStores {
    RocksStores::open(root, "app", options()).unwrap()
}

pub fn open(stores: &RocksStores, task: &str, names: &[&str]) -> Box<dyn StateStores> {
    try_open(stores, task, names).unwrap()
}

pub fn try_open(stores: &RocksStores, task: &str, names: &[&str]) -> Result<Box<dyn StateStores>, StoreError> {
    let names: Vec<OpenStore> = names.iter().map(|name| OpenStore { name: (*name).to_owned() }).collect();
    stores.open(task, &names)
}

/// A store's checkpoint of which only the offset matters.
pub fn at(store: usize, offset: i64) -> (usize, Checkpoint) {
    (store, Checkpoint::at(offset))
}

pub fn put(store: usize, key: &str, value: &str) -> Change {
    Change { store, key: Bytes::copy_from_slice(key.as_bytes()), value: Some(Bytes::copy_from_slice(value.as_bytes())) }
}

pub fn delete(store: usize, key: &str) -> Change {
    Change { store, key: Bytes::copy_from_slice(key.as_bytes()), value: None }
}

/// The entries of a range as text, `key=value` separated by spaces.
pub fn scan(task: &dyn StateStores, store: usize, from: &str, to: Option<&str>) -> String {
    let range = StoreRange { from: from.as_bytes(), to: to.map(str::as_bytes) };
    let entries = task.scan(store, range).unwrap().map(|entry| {
        let (key, value) = entry.unwrap();
        format!("{}={}", String::from_utf8_lossy(&key), String::from_utf8_lossy(&value))
    });
    entries.collect::<Vec<_>>().join(" ")
}

pub fn all(task: &dyn StateStores, store: usize) -> String {
    scan(task, store, "", None)
}

/// The error of something that must not succeed; `Box<dyn StateStores>` has no `Debug` for `unwrap_err`.
pub fn error<T>(outcome: Result<T, StoreError>) -> StoreError {
    match outcome {
        Ok(_) => panic!("it succeeded"),
        Err(failure) => failure,
    }
}
