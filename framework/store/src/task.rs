use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, StoreTrouble};
use rocksdb::{ColumnFamily, DEFAULT_COLUMN_FAMILY_NAME, Direction, IteratorMode, ReadOptions, WriteBatch};

use crate::behind::StoreNames;
use crate::database::{Database, Found};
use crate::engine::Wait;
use crate::load::{Load, Target};
use crate::open_tasks::Claim;
use crate::stores::Shared;
use crate::{checkpoint, error, pool};

/// Places within a run are 32-bit numbers. One batch more than this may have to find room in it.
const LARGEST_RUN: usize = 1 << 30;

/// A key's new value, or that it is deleted.
type Written = Option<Bytes>;

/// Something found out about the files, for the log.
pub(crate) type Note = (StoreTrouble, String);

/// The state of one open task. Fields are dropped in this order: the database closes, then the task may be opened again,
/// then the directory may go.
pub(crate) struct RocksTask {
    database: Arc<Database>,
    stores: Vec<Store>,
    notes: Vec<Note>,
    /// Bytes that the cache of blocks has because of it.
    lent: usize,
    claim: Claim,
    shared: Arc<Shared>,
}

struct Store {
    name: String,
    family: String,
    checkpoint_key: Vec<u8>,
    /// While it is restored.
    load: Option<Load>,
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
        notes: Vec<Note>,
        claim: Claim,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let stores = stores.iter().zip(families).map(|(store, family)| {
            let checkpoint_key = checkpoint::key(&store.name);
            Store { name: store.name.clone(), family, checkpoint_key, load: None }
        });
        let stores: Vec<Store> = stores.collect();
        let names = |store: &Store| StoreNames { family: store.family.clone(), checkpoint_key: store.checkpoint_key.clone() };
        database.serve(stores.iter().map(names).collect());
        let mut task = Self { database, stores, notes, lent: 0, claim, shared };
        let old = (0..task.stores.len()).filter_map(|store| task.stored(store).transpose());
        if old.collect::<Result<Vec<_>, _>>()?.iter().any(|value| checkpoint::is_old(value)) {
            task.notes.push((StoreTrouble::OlderFormat, String::from("checkpoints of format 1 have an offset only")));
        }
        Ok(task)
    }

    /// The bytes of a store's checkpoint.
    fn stored(&self, store: usize) -> Result<Option<Vec<u8>>, StoreError> {
        let family = self.database.family(DEFAULT_COLUMN_FAMILY_NAME)?;
        let found = self.database.get(family, &self.store(store)?.checkpoint_key)?;
        Ok(found.map(|value| value.to_vec()))
    }

    /// Writes what a store being restored holds back.
    fn write_load(&mut self, store: usize) -> Result<(), StoreError> {
        let Some(Store { family, checkpoint_key, load: Some(load), .. }) = self.stores.get_mut(store) else { return Ok(()) };
        load.write(&self.database, &self.shared.engine, &Target { number: store, family, checkpoint_key })
    }

    fn flush_bytes(&self) -> usize {
        self.shared.engine.options().flush_bytes
    }

    fn store(&self, index: usize) -> Result<&Store, StoreError> {
        self.stores
            .get(index)
            .ok_or_else(|| self.database.error(format!("store {index} was asked for, but {} are open", self.stores.len())))
    }

    fn family(&self, index: usize) -> Result<&ColumnFamily, StoreError> {
        self.database.family(&self.store(index)?.family)
    }

    /// The deletion of all a store has, by one range up to and including its last key; none if it has nothing.
    fn emptying(&self, store: usize) -> Result<Option<WriteBatch>, StoreError> {
        let family = self.family(store)?;
        let mut batch = WriteBatch::new();
        let mut last = self.database.reader()?.raw_iterator_cf(family);
        last.seek_to_last();
        last.status().map_err(|failure| self.database.fault(failure))?;
        if let Some(key) = last.key() {
            let after = [key, &[0]].concat();
            batch.delete_range_cf(family, [].as_slice(), &after);
        } else if self.stored(store)?.is_none() {
            return Ok(None);
        }
        batch.delete_cf(self.database.family(DEFAULT_COLUMN_FAMILY_NAME)?, &self.store(store)?.checkpoint_key);
        Ok(Some(batch))
    }
}

impl StateStores for RocksTask {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.database.reader()?;
        if let Some(change) = self.database.behind().get(store, key) {
            return Ok(change.map(Bytes::copy_from_slice));
        }
        let found = self.database.get(self.family(store)?, key)?;
        Ok(found.map(|value| Bytes::copy_from_slice(&value)))
    }

    fn get_many(&self, store: usize, keys: &[&[u8]]) -> Result<Vec<Option<Bytes>>, StoreError> {
        self.database.reader()?;
        let behind = self.database.behind();
        let gathered: Vec<Option<Written>> =
            keys.iter().map(|key| Some(behind.get(store, key)?.map(Bytes::copy_from_slice))).collect();
        drop(behind);
        let others = keys.iter().zip(&gathered).filter(|(_, gathered)| gathered.is_none()).map(|(key, _)| *key);
        let mut found = self.database.get_many(self.family(store)?, others).into_iter();
        let in_files = |found: Option<Found<'_>>| Ok(found.transpose()?.flatten().map(|value| Bytes::copy_from_slice(&value)));
        gathered.into_iter().map(|gathered| gathered.map_or_else(|| in_files(found.next()), Ok)).collect()
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.database.write_behind(true)?;
        let mut options = ReadOptions::default();
        if let Some(to) = range.to {
            // Told to RocksDB rather than checked here: it then skips files and deleted entries beyond the end.
            options.set_iterate_upper_bound(to);
        }
        let start = IteratorMode::From(range.from, Direction::Forward);
        let entries = self.database.reader()?.iterator_cf_opt(self.family(store)?, options, start);
        Ok(Box::new(entries.map(|entry| match entry {
            Ok((key, value)) => Ok((Bytes::from(key), Bytes::from(value))),
            Err(failure) => Err(self.database.fault(failure)),
        })))
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.database.apply(&self.shared.engine, changes, reached)
    }

    fn remove(&mut self, store: usize, from: &[u8], to: &[u8]) -> Result<(), StoreError> {
        // What is gathered would come after it. A store of which ranges are removed is asked for ranges.
        self.database.write_behind(true)?;
        if from >= to {
            return Ok(());
        }
        let mut batch = WriteBatch::new();
        batch.delete_range_cf(self.family(store)?, from, to);
        self.database.write(batch, self.flush_bytes())
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.database.reader()?;
        if let Some(reached) = self.database.behind().reached(store) {
            return Ok(Some(reached));
        }
        let value = self.stored(store)?;
        value.map(|value| checkpoint::decode(self.database.path(), &self.store(store)?.name, &value)).transpose()
    }

    fn load(&mut self, changes: &[Change], store: usize, reached: Checkpoint) -> Result<(), StoreError> {
        self.store(store)?;
        self.database.write_behind(false)?;
        let run_bytes = self.shared.engine.options().run_bytes.min(LARGEST_RUN);
        let load = self.stores[store].load.get_or_insert_with(|| Load::new(run_bytes, reached));
        for Change { key, value, .. } in changes {
            load.push(key, value.as_deref());
        }
        load.reach(reached);
        if load.size() >= run_bytes { self.write_load(store) } else { Ok(()) }
    }

    fn end_load(&mut self, store: usize) -> Result<(), StoreError> {
        self.store(store)?;
        self.write_load(store)?;
        self.stores[store].load = None;
        Ok(())
    }

    fn lend(&mut self, bytes: usize) {
        if bytes != self.lent {
            self.shared.engine.lend(std::mem::replace(&mut self.lent, bytes), bytes);
        }
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn estimated_size(&self, store: usize) -> Result<Option<(u64, u64)>, StoreError> {
        let (db, family) = (self.database.reader()?, self.family(store)?);
        let number = |property| match db.property_int_value_cf(family, property) {
            Ok(value) => Ok(value.unwrap_or(0)),
            Err(failure) => Err(self.database.error(failure)),
        };
        let behind = self.database.behind().len(store) as u64;
        let entries = number("rocksdb.estimate-num-keys")? + behind;
        let bytes = number("rocksdb.estimate-live-data-size")? + number("rocksdb.cur-size-all-mem-tables")?;
        Ok(Some((entries, bytes)))
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        self.store(store)?;
        self.stores[store].load = None;
        self.database.write_behind(false)?;
        // A range deletion, not a dropped column family: only in a batch do contents and checkpoint go at once, and neither
        // may survive the other in a crash.
        let Some(batch) = self.emptying(store)? else { return Ok(()) };
        self.database.write(batch, self.flush_bytes())?;
        // What follows is a restore into this store; in memory the range would be looked at by every read of it.
        self.database.flush(Wait::Done)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        (0..self.stores.len()).try_for_each(|store| self.write_load(store))?;
        self.database.flush(Wait::Done)
    }
}

impl Drop for RocksTask {
    fn drop(&mut self) {
        self.claim.closing();
        self.lend(0);
        // A failure here costs what a crash costs, a longer read of the changelog: nobody is left to tell.
        let flushed = self.database.flush(Wait::Done);
        let until = pool::until(Instant::now(), self.shared.engine.options().keep_open);
        if let (Ok(()), Some(until)) = (flushed, until) {
            self.shared.pool.put(self.claim.task(), Arc::clone(&self.database), until);
        }
    }
}
