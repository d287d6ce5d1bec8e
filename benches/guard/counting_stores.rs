use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, StoreTrouble, Stores};

/// What is asked of stores: each of these is a call of RocksDB.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) gets: AtomicU64,
    pub(crate) scans: AtomicU64,
    pub(crate) changes: AtomicU64,
    pub(crate) batches: AtomicU64,
}

/// Stores that count.
pub(crate) struct CountingStores {
    pub(crate) stores: Arc<dyn Stores>,
    pub(crate) asked: Arc<Asked>,
}

impl Stores for CountingStores {
    fn expect_tasks(&self, tasks: usize) {
        self.stores.expect_tasks(tasks);
    }

    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        Ok(Box::new(CountingTask { task: self.stores.open(task, stores)?, asked: Arc::clone(&self.asked) }))
    }

    fn memo(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.stores.memo(name)
    }

    fn set_memo(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        self.stores.set_memo(name, text)
    }
}

struct CountingTask {
    task: Box<dyn StateStores>,
    asked: Arc<Asked>,
}

impl CountingTask {
    fn count_changes(&self, changes: &[Change]) {
        self.asked.batches.fetch_add(1, Ordering::Relaxed);
        self.asked.changes.fetch_add(changes.len() as u64, Ordering::Relaxed);
    }
}

impl StateStores for CountingTask {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.asked.gets.fetch_add(1, Ordering::Relaxed);
        self.task.get(store, key)
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.asked.scans.fetch_add(1, Ordering::Relaxed);
        self.task.scan(store, range)
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.count_changes(changes);
        self.task.apply(changes, reached)
    }

    fn remove(&mut self, store: usize, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        self.asked.batches.fetch_add(1, Ordering::Relaxed);
        self.task.remove(store, from, to)
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.task.checkpoint(store)
    }

    fn load(&mut self, changes: &[Change], store: usize, reached: Checkpoint) -> Result<(), StoreError> {
        self.count_changes(changes);
        self.task.load(changes, store, reached)
    }

    fn end_load(&mut self, store: usize) -> Result<(), StoreError> {
        self.task.end_load(store)
    }

    fn lend(&mut self, bytes: usize) {
        self.task.lend(bytes);
    }

    fn take_notes(&mut self) -> Vec<(StoreTrouble, String)> {
        self.task.take_notes()
    }

    fn estimated_size(&self, store: usize) -> Result<Option<(u64, u64)>, StoreError> {
        self.task.estimated_size(store)
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.task.clear(store)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.task.flush()
    }
}
