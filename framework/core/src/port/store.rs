use bytes::Bytes;

use super::StoreError;

/// Opens the state of tasks. One per process; tasks are opened on the worker threads that own them.
pub trait Stores: Send + Sync {
    /// Opens (or creates) the state of `task` with one key space per entry of `stores`, in that order: index `i` of every later
    /// call means `stores[i]`. Names are stable: they come from the user. A store that exists on disk but is not listed is kept.
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError>;
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

/// The committed state of one task: exactly its changelogs up to the offsets stored beside it.
pub trait StateStores {
    /// The value of a key.
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError>;
    /// The entries of a range, by ascending key bytes.
    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError>;
    /// Applies all changes and sets the stores' changelog offsets in one atomic write.
    fn apply(&mut self, changes: &[Change], offsets: &[(usize, i64)]) -> Result<(), StoreError>;
    /// The changelog offset stored beside a store: the next one to read. None for a new store.
    fn offset(&self, store: usize) -> Result<Option<i64>, StoreError>;
    /// Deletes everything in one store, its offset too.
    fn clear(&mut self, store: usize) -> Result<(), StoreError>;
    /// Makes what was applied survive a crash. Called on a clean close; the implementation also does it by itself at
    /// least every 32 MiB or 30 s, so a crash costs no more than that to read again.
    fn flush(&mut self) -> Result<(), StoreError>;
}
