use bytes::Bytes;

use super::{Checkpoint, StoreError, StoreTrouble};

/// Opens the state of tasks. One per process; tasks are opened on the worker threads that own them.
pub trait Stores: Send + Sync {
    /// Tells how many tasks the application has: what is divided over the open ones is divided by this. Called once, at start.
    fn expect_tasks(&self, _tasks: usize) {}
    /// Opens (or creates) the state of `task` with one key space per entry of `stores`, in that order: index `i` of every later
    /// call means `stores[i]`. Names are stable: they come from the user. A store that exists on disk but is not listed is kept.
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError>;
    /// A small text kept beside the tasks' state under this name (letters, digits, `-` and `.`); none if there is none.
    fn memo(&self, _name: &str) -> Result<Option<String>, StoreError> {
        Ok(None)
    }
    /// Keeps such a text, or with none removes it. A crash leaves the old one or the new one.
    fn set_memo(&self, _name: &str, _text: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// One store of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenStore {
    /// Its name, unique in the application.
    pub name: String,
}

/// One write: a store, a key, and the new value or none to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Index of the store, as given to [`Stores::open`].
    pub store: usize,
    /// Key bytes.
    pub key: Bytes,
    /// The new value; none deletes.
    pub value: Option<Bytes>,
}

/// A range of keys: from the first one `>= from` up to, excluding, `to` (none: to the end).
#[derive(Debug, Clone, Copy)]
pub struct StoreRange<'a> {
    /// Inclusive lower bound.
    pub from: &'a [u8],
    /// Exclusive upper bound.
    pub to: Option<&'a [u8]>,
}

/// A key and its value.
pub type ScanItem = Result<(Bytes, Bytes), StoreError>;

/// The committed state of one task: its changelogs up to the offsets stored beside it. After a crash, and while a commit is being applied in steps, it may have some changes
/// that come after those offsets, never less than they say; whoever reads the changelog on from there has all of it.
///
/// A failure of the kind [`StoreError::Corrupt`] means that the files are damaged: once the task is dropped and opened again it is
/// empty, the damaged files have been put aside, and [`take_notes`](StateStores::take_notes) says so.
pub trait StateStores {
    /// The value of a key.
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError>;
    /// The values of several keys, in the order of the keys.
    fn get_many(&self, store: usize, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>, StoreError> {
        keys.iter().map(|key| self.get(store, key)).collect()
    }
    /// The entries of a range, by ascending key bytes.
    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError>;
    /// Applies all changes and sets the stores' checkpoints in one atomic write.
    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError>;
    /// Removes all entries of a store with keys in `[from, to)`. Like the first of several steps in which a commit is applied: no checkpoint goes with it. For many entries at once;
    /// a store may be read more slowly for each range that was removed lately.
    fn remove(&mut self, store: usize, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        let entries = self.scan(store, StoreRange { from, to: Some(to) })?;
        let removal = |entry: ScanItem| Ok(Change { store, key: entry?.0, value: None });
        let removals: Vec<Change> = entries.map(removal).collect::<Result<_, StoreError>>()?;
        self.apply(&removals, &[])
    }
    /// How far a store is in its changelog; none for a new store.
    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError>;
    /// The offset of the checkpoint.
    fn offset(&self, store: usize) -> Result<Option<i64>, StoreError> {
        Ok(self.checkpoint(store)?.map(|checkpoint| checkpoint.offset))
    }
    /// Applies changes of a store that is being restored, in the order of its changelog. They may be held back in memory and written
    /// as one sorted run later, so the store must not be read until [`end_load`](StateStores::end_load). A crash, a close or
    /// an end in between leaves a checkpoint that never claims more than the store has; it may claim less, and what is read
    /// again changes nothing.
    fn load(&mut self, changes: &[Change], store: usize, reached: Checkpoint) -> Result<(), StoreError> {
        self.apply(changes, &[(store, reached)])
    }
    /// Writes what [`load`](StateStores::load) holds back.
    fn end_load(&mut self, _store: usize) -> Result<(), StoreError> {
        Ok(())
    }
    /// Lends so many bytes of memory, in place of what was lent before: values in front of the stores have no use for it now. It may be taken back at any time, by a smaller number. Called with each
    /// commit, mostly with the same number.
    fn lend(&mut self, _bytes: usize) {}
    /// What was found out about the files since the last call, in words, for the log.
    fn take_notes(&mut self) -> Vec<(StoreTrouble, String)> {
        Vec::new()
    }
    /// The storage engine's estimate of a store's entries and bytes; none if it has none. What was removed as a range may count for a while.
    fn estimated_size(&self, _store: usize) -> Result<Option<(u64, u64)>, StoreError> {
        Ok(None)
    }
    /// Deletes everything in one store, its checkpoint too.
    fn clear(&mut self, store: usize) -> Result<(), StoreError>;
    /// Makes what was applied survive a crash. Called on a clean close; the implementation also does it by itself at
    /// least every 32 MiB or 30 s, so a crash costs no more than that to read again.
    fn flush(&mut self) -> Result<(), StoreError>;
}
