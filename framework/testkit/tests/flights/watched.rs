use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use headwater_core::TaskId;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, Stores};
use headwater_testkit::MemoryStores;

type Reached = Arc<Mutex<BTreeMap<String, i64>>>;

/// Stores in memory that can be asked, also while a task has them, which offset of its changelog the first of each task has reached.
#[derive(Clone, Default)]
pub struct WatchedStores {
    stores: MemoryStores,
    reached: Reached,
}

impl WatchedStores {
    /// Zero if it has no checkpoint.
    pub fn reached(&self, task: &TaskId) -> i64 {
        self.reached.lock().unwrap().get(&task.to_string()).copied().unwrap_or_default()
    }
}

impl Stores for WatchedStores {
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let stores = self.stores.open(task, stores)?;
        Ok(Box::new(Watched { task: task.to_owned(), stores, reached: Arc::clone(&self.reached) }))
    }
}

struct Watched {
    task: String,
    stores: Box<dyn StateStores>,
    reached: Reached,
}

impl StateStores for Watched {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.stores.get(store, key)
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.stores.scan(store, range)
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        for (_, checkpoint) in reached.iter().filter(|(store, _)| *store == 0) {
            self.reached.lock().unwrap().insert(self.task.clone(), checkpoint.offset);
        }
        self.stores.apply(changes, reached)
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.stores.checkpoint(store)
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.stores.clear(store)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.stores.flush()
    }
}
