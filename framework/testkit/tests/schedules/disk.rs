//! State that a crash takes back to its last flush, as RocksDB without a write-ahead log.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, Stores};

/// Batches between two flushes.
const FLUSH_EVERY: usize = 3;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Store {
    pub entries: BTreeMap<Bytes, Bytes>,
    pub checkpoint: Option<Checkpoint>,
}

type Contents = BTreeMap<String, Store>;

#[derive(Default)]
struct Files {
    now: Contents,
    flushed: Contents,
    unflushed: usize,
    in_use: bool,
}

#[derive(Clone, Default)]
pub struct Disk {
    tasks: Arc<Mutex<HashMap<String, Arc<Mutex<Files>>>>>,
}

impl Disk {
    /// Everything since the last flush of each task is gone.
    pub fn crash(&self) {
        for files in self.tasks.lock().unwrap().values() {
            let mut files = files.lock().unwrap();
            files.now = files.flushed.clone();
            files.in_use = false;
        }
    }

    /// All stores of all tasks.
    pub fn contents(&self) -> Vec<(String, Contents)> {
        self.tasks.lock().unwrap().iter().map(|(task, files)| (task.clone(), files.lock().unwrap().now.clone())).collect()
    }
}

impl Stores for Disk {
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let files = Arc::clone(self.tasks.lock().unwrap().entry(task.to_owned()).or_default());
        if std::mem::replace(&mut files.lock().unwrap().in_use, true) {
            return Err(StoreError::Locked { path: task.to_owned() });
        }
        Ok(Box::new(Open { files, names: stores.iter().map(|store| store.name.clone()).collect() }))
    }
}

struct Open {
    files: Arc<Mutex<Files>>,
    names: Vec<String>,
}

impl StateStores for Open {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.files.lock().unwrap().now.get(&self.names[store]).and_then(|store| store.entries.get(key).cloned()))
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        let files = self.files.lock().unwrap();
        let entries = files.now.get(&self.names[store]).into_iter().flat_map(|store| &store.entries);
        let within = |key: &[u8]| key >= range.from && range.to.is_none_or(|to| key < to);
        let found: Vec<ScanItem> =
            entries.filter(|(key, _)| within(key)).map(|(key, value)| Ok((key.clone(), value.clone()))).collect();
        Ok(Box::new(found.into_iter()))
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        let mut files = self.files.lock().unwrap();
        for Change { store, key, value } in changes {
            let entries = &mut files.now.entry(self.names[*store].clone()).or_default().entries;
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        for (store, checkpoint) in reached {
            files.now.entry(self.names[*store].clone()).or_default().checkpoint = Some(*checkpoint);
        }
        files.unflushed += 1;
        if files.unflushed >= FLUSH_EVERY {
            files.unflushed = 0;
            files.flushed = files.now.clone();
        }
        Ok(())
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.files.lock().unwrap().now.get(&self.names[store]).and_then(|store| store.checkpoint))
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.files.lock().unwrap().now.remove(&self.names[store]);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let mut files = self.files.lock().unwrap();
        files.flushed = files.now.clone();
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.files.lock().unwrap().in_use = false;
    }
}
