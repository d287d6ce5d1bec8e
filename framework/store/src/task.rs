use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_core::port::{Change, OpenStore, ScanItem, StateStores, StoreError, StoreRange};
use rocksdb::{ColumnFamily, DEFAULT_COLUMN_FAMILY_NAME, Direction, IteratorMode, ReadOptions, WriteBatch};

use crate::database::Database;
use crate::engine::Wait;
use crate::open_tasks::Claim;
use crate::stores::Shared;
use crate::{error, offset};

/// The state of one open task. Fields are dropped in this order: the database closes, then the task may be opened again,
/// then the directory may go.
pub(crate) struct RocksTask {
    database: Arc<Database>,
    stores: Vec<Store>,
    flush_bytes: usize,
    claim: Claim,
    _shared: Arc<Shared>,
}

struct Store {
    name: String,
    family: String,
    offset_key: Vec<u8>,
}

impl RocksTask {
    /// The column families of these stores, or what is wrong with their names. The prefix keeps a store called `default`
    /// apart from RocksDB's own.
    pub(crate) fn families(path: &Path, stores: &[OpenStore]) -> Result<Vec<String>, StoreError> {
        for (index, store) in stores.iter().enumerate() {
            if store.name.is_empty() || store.name.contains('\0') {
                return Err(error::io(path, format!("a store cannot be called {:?}", store.name)));
            }
            if stores[..index].contains(store) {
                return Err(error::io(path, format!("two stores are called {:?}", store.name)));
            }
        }
        Ok(stores.iter().map(|store| format!("store:{}", store.name)).collect())
    }

    pub(crate) fn new(
        database: Arc<Database>,
        stores: &[OpenStore],
        families: Vec<String>,
        flush_bytes: usize,
        claim: Claim,
        shared: Arc<Shared>,
    ) -> Self {
        let stores = stores
            .iter()
            .zip(families)
            .map(|(store, family)| Store { name: store.name.clone(), family, offset_key: offset::key(&store.name) })
            .collect();
        Self { database, stores, flush_bytes, claim, _shared: shared }
    }

    fn store(&self, index: usize) -> Result<&Store, StoreError> {
        self.stores
            .get(index)
            .ok_or_else(|| self.database.error(format!("store {index} was asked for, but {} are open", self.stores.len())))
    }

    fn family(&self, index: usize) -> Result<&ColumnFamily, StoreError> {
        self.database.family(&self.store(index)?.family)
    }

    /// Changes and offsets as one batch. Nothing is written if any of them names a store that is not open.
    fn batch(&self, changes: &[Change], offsets: &[(usize, i64)]) -> Result<WriteBatch, StoreError> {
        // Looked up once per commit, not once per change.
        let families = (0..self.stores.len()).map(|index| self.family(index)).collect::<Result<Vec<_>, _>>()?;
        let mut batch = WriteBatch::new();
        for Change { store, key, value } in changes {
            self.store(*store)?;
            match value {
                Some(value) => batch.put_cf(families[*store], key, value),
                None => batch.delete_cf(families[*store], key),
            }
        }
        let offset_family = self.database.family(DEFAULT_COLUMN_FAMILY_NAME)?;
        for (store, next) in offsets {
            batch.put_cf(offset_family, &self.store(*store)?.offset_key, offset::encode(*next));
        }
        Ok(batch)
    }

    /// The deletion of all a store has, by one range up to and including its last key.
    fn emptying(&self, store: usize) -> Result<WriteBatch, StoreError> {
        let family = self.family(store)?;
        let mut batch = WriteBatch::new();
        let mut last = self.database.reader()?.raw_iterator_cf(family);
        last.seek_to_last();
        last.status().map_err(|failure| self.database.error(failure))?;
        if let Some(key) = last.key() {
            let after = [key, &[0]].concat();
            batch.delete_range_cf(family, [].as_slice(), &after);
        }
        batch.delete_cf(self.database.family(DEFAULT_COLUMN_FAMILY_NAME)?, &self.store(store)?.offset_key);
        Ok(batch)
    }
}

impl StateStores for RocksTask {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let found = self.database.reader()?.get_pinned_cf(self.family(store)?, key);
        let found = found.map_err(|failure| self.database.error(failure))?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        let mut options = ReadOptions::default();
        if let Some(to) = range.to {
            // Told to RocksDB rather than checked here: it then skips files and deleted entries beyond the end.
            options.set_iterate_upper_bound(to);
        }
        let start = IteratorMode::From(range.from, Direction::Forward);
        let entries = self.database.reader()?.iterator_cf_opt(self.family(store)?, options, start);
        Ok(Box::new(entries.map(|entry| match entry {
            Ok((key, value)) => Ok((Bytes::from(key), Bytes::from(value))),
            Err(failure) => Err(self.database.error(failure)),
        })))
    }

    fn apply(&mut self, changes: &[Change], offsets: &[(usize, i64)]) -> Result<(), StoreError> {
        self.database.write(self.batch(changes, offsets)?, self.flush_bytes, Instant::now())
    }

    fn offset(&self, store: usize) -> Result<Option<i64>, StoreError> {
        let Store { name, offset_key, .. } = self.store(store)?;
        let family = self.database.family(DEFAULT_COLUMN_FAMILY_NAME)?;
        let found = self.database.reader()?.get_pinned_cf(family, offset_key);
        let found = found.map_err(|failure| self.database.error(failure))?;
        found.map(|value| offset::decode(self.database.path(), name, &value)).transpose()
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        // A range deletion, not a dropped column family: only in a batch do contents and offset go at once, and neither
        // may survive the other in a crash.
        self.database.write(self.emptying(store)?, self.flush_bytes, Instant::now())?;
        // What follows is a restore into this store; in memory the range would be looked at by every read of it.
        self.database.flush(Wait::Done)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.database.flush(Wait::Done)
    }
}

impl Drop for RocksTask {
    fn drop(&mut self) {
        self.claim.closing();
        // A failure here costs what a crash costs, a longer read of the changelog: nobody is left to tell.
        let _read_again = self.database.flush(Wait::Done);
    }
}
