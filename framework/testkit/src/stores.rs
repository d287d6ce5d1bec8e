use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, Stores};

/// State in memory, in sorted maps. A task that is closed and opened again finds what it had applied; clones share
/// the tasks. Nothing outlives the last clone.
#[derive(Clone, Default)]
pub struct MemoryStores {
    tasks: Arc<Mutex<HashMap<String, Slot>>>,
    memos: Arc<Mutex<HashMap<String, String>>>,
}

enum Slot {
    InUse,
    Closed(BTreeMap<String, Store>),
}

#[derive(Default)]
struct Store {
    entries: BTreeMap<Bytes, Bytes>,
    checkpoint: Option<Checkpoint>,
}

impl MemoryStores {
    /// No task has state yet.
    pub fn new() -> MemoryStores {
        MemoryStores::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Slot>> {
        self.tasks.lock().expect("only map operations run under this lock")
    }
}

impl Stores for MemoryStores {
    fn memo(&self, name: &str) -> Result<Option<String>, StoreError> {
        Ok(self.memos.lock().expect("only map operations run under this lock").get(name).cloned())
    }

    fn set_memo(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        let mut memos = self.memos.lock().expect("only map operations run under this lock");
        match text {
            Some(text) => memos.insert(name.to_owned(), text.to_owned()),
            None => memos.remove(name),
        };
        Ok(())
    }

    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let slot = self.lock().insert(task.to_owned(), Slot::InUse);
        let mut kept = match slot {
            None => BTreeMap::new(),
            Some(Slot::Closed(kept)) => kept,
            Some(Slot::InUse) => return Err(StoreError::Locked { path: path(task) }),
        };
        let open = stores.iter().map(|store| (store.name.clone(), kept.remove(&store.name).unwrap_or_default())).collect();
        Ok(Box::new(Task { home: self.clone(), name: task.to_owned(), open, unlisted: kept }))
    }
}

/// The state of an open task, taken out of the shared map so that reading it needs no lock; put back when dropped.
struct Task {
    home: MemoryStores,
    name: String,
    open: Vec<(String, Store)>,
    unlisted: BTreeMap<String, Store>,
}

impl Task {
    fn store(&self, index: usize) -> Result<&Store, StoreError> {
        self.open.get(index).map(|(_, store)| store).ok_or_else(|| self.no_store(index))
    }

    fn store_mut(&mut self, index: usize) -> Result<&mut Store, StoreError> {
        if index >= self.open.len() {
            return Err(self.no_store(index));
        }
        Ok(&mut self.open[index].1)
    }

    fn no_store(&self, index: usize) -> StoreError {
        StoreError::Io { path: path(&self.name), message: format!("no store {index}: {} are open", self.open.len()) }
    }
}

fn path(task: &str) -> String {
    format!("memory:{task}")
}

impl StateStores for Task {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.store(store)?.entries.get(key).cloned())
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        let entries = &self.store(store)?.entries;
        let to = match range.to {
            // A map panics on such a range.
            Some(to) if to <= range.from => return Ok(Box::new(std::iter::empty())),
            Some(to) => Excluded(to),
            None => Unbounded,
        };
        let found = entries.range::<[u8], _>((Included(range.from), to));
        Ok(Box::new(found.map(|(key, value)| Ok((key.clone(), value.clone())))))
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        // Checked before anything is changed: half a batch must never be seen.
        let touched = changes.iter().map(|change| change.store).chain(reached.iter().map(|(store, _)| *store));
        touched.into_iter().try_for_each(|index| self.store(index).map(|_| ()))?;
        for Change { store, key, value } in changes {
            let entries = &mut self.store_mut(*store)?.entries;
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        for (store, checkpoint) in reached {
            self.store_mut(*store)?.checkpoint = Some(*checkpoint);
        }
        Ok(())
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        Ok(self.store(store)?.checkpoint)
    }

    fn estimated_size(&self, store: usize) -> Result<Option<(u64, u64)>, StoreError> {
        let entries = &self.store(store)?.entries;
        let bytes: usize = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        Ok(Some((entries.len() as u64, bytes as u64)))
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        *self.store_mut(store)? = Store::default();
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        let mut stores = std::mem::take(&mut self.unlisted);
        stores.extend(std::mem::take(&mut self.open));
        self.home.lock().insert(std::mem::take(&mut self.name), Slot::Closed(stores));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(stores: &MemoryStores, names: &[&str]) -> Result<Box<dyn StateStores>, StoreError> {
        let names: Vec<OpenStore> = names.iter().map(|name| OpenStore { name: (*name).to_owned() }).collect();
        stores.open("task", &names)
    }

    fn change(store: usize, key: &'static str, value: Option<&'static str>) -> Change {
        Change { store, key: Bytes::from(key), value: value.map(Bytes::from) }
    }

    fn scan(task: &dyn StateStores, store: usize, from: &str, to: Option<&str>) -> String {
        let range = StoreRange { from: from.as_bytes(), to: to.map(str::as_bytes) };
        let items = task.scan(store, range).unwrap().map(|item| item.unwrap());
        items.map(|(key, value)| format!("{}{}", key.escape_ascii(), value.escape_ascii())).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_task_finds_its_state_again_by_store_name() {
        let stores = MemoryStores::new();
        let mut task = open(&stores, &["a", "b"]).unwrap();
        task.apply(&[change(0, "k", Some("1")), change(1, "k", Some("2"))], &[(0, Checkpoint::at(7))]).unwrap();
        drop(task);
        drop(open(&stores, &["a"]).unwrap());
        let task = open(&stores.clone(), &["b", "a"]).unwrap();
        assert_eq!(task.get(0, b"k").unwrap(), Some(Bytes::from("2")));
        assert_eq!((task.offset(0).unwrap(), task.offset(1).unwrap()), (None, Some(7)));
    }

    #[test]
    fn a_task_is_open_once() {
        let stores = MemoryStores::new();
        let task = open(&stores, &["a"]).unwrap();
        assert!(matches!(open(&stores, &["a"]), Err(StoreError::Locked { .. })));
        drop(task);
        assert!(open(&stores, &["a"]).is_ok());
    }

    #[test]
    fn scans_half_open_ranges_in_order() {
        let stores = MemoryStores::new();
        let mut task = open(&stores, &["a"]).unwrap();
        let changes = ["c", "a", "b"].map(|key| change(0, key, Some("")));
        task.apply(&changes, &[]).unwrap();
        for (from, to, found) in
            [("", None, "a b c"), ("b", None, "b c"), ("a", Some("c"), "a b"), ("b", Some("b"), ""), ("c", Some("a"), "")]
        {
            assert_eq!(scan(&*task, 0, from, to), found, "{from:?}..{to:?}");
        }
    }

    #[test]
    fn a_batch_is_applied_whole_or_not_at_all() {
        let stores = MemoryStores::new();
        let mut task = open(&stores, &["a"]).unwrap();
        task.apply(&[change(0, "k", Some("1"))], &[(0, Checkpoint::at(1))]).unwrap();
        assert!(task.apply(&[change(0, "k", None), change(1, "k", None)], &[(0, Checkpoint::at(2))]).is_err());
        assert_eq!((scan(&*task, 0, "", None), task.offset(0).unwrap()), ("k1".to_owned(), Some(1)));
        task.clear(0).unwrap();
        assert_eq!((scan(&*task, 0, "", None), task.offset(0).unwrap()), (String::new(), None));
    }
}
