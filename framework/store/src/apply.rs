//! How changes come into a task's database: gathered first, or at once.

use std::time::Instant;

use bytes::Bytes;
use headwater_core::port::{Change, Checkpoint, StoreError};
use rocksdb::{ColumnFamily, DEFAULT_COLUMN_FAMILY_NAME, WriteBatch};

use crate::behind::{Behind, Step, StoreNames};
use crate::checkpoint;
use crate::database::Database;
use crate::engine::{Engine, Wait};

/// What an entry costs in a memtable beside its key and value, roughly, and at most in a batch.
const ENTRY: usize = 16;

impl Database {
    /// Has these stores from now on.
    pub(crate) fn serve(&self, stores: Vec<StoreNames>) {
        *self.behind() = Behind::of(stores);
    }

    /// Applies changes, and what they bring the stores to.
    pub(crate) fn apply(&self, engine: &Engine, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.reader()?;
        let mut behind = self.behind();
        let named = changes.iter().map(|change| change.store).chain(reached.iter().map(|(store, _)| *store));
        if let Some(unknown) = named.max().filter(|store| *store >= behind.stores().len()) {
            return Err(self.error(format!("store {unknown} was asked for, but {} are open", behind.stores().len())));
        }
        let bytes: usize =
            changes.iter().map(|change| change.key.len() + change.value.as_ref().map_or(0, Bytes::len) + ENTRY).sum();
        let limit = engine.behind_bytes();
        if behind.is_direct() || bytes >= limit {
            // So many that they are cheap as they are.
            self.put_rest(&mut behind)?;
            self.put(self.batch(behind.stores(), &Step::of(changes, reached))?)?;
        } else {
            behind.add(changes, reached);
            if behind.begin_step(changes.len(), limit) {
                self.put_step(&mut behind)?;
            }
        }
        drop(behind);
        let is_large = self.count(bytes + reached.len() * ENTRY, engine.options().flush_bytes, Instant::now());
        if is_large { self.flush(Wait::Begun) } else { Ok(()) }
    }

    /// Writes everything that was gathered. From then on changes are gathered, or written at once.
    pub(crate) fn write_behind(&self, directly: bool) -> Result<(), StoreError> {
        let mut behind = self.behind();
        self.put_rest(&mut behind)?;
        behind.set_direct(directly);
        Ok(())
    }

    fn put_rest(&self, behind: &mut Behind) -> Result<(), StoreError> {
        while behind.begin_rest() {
            self.put_step(behind)?;
        }
        Ok(())
    }

    fn put_step(&self, behind: &mut Behind) -> Result<(), StoreError> {
        self.put(self.batch(behind.stores(), &behind.step())?)?;
        behind.end_step();
        Ok(())
    }

    /// Changes and checkpoints as one batch, which is in RocksDB whole or not at all.
    fn batch(&self, stores: &[StoreNames], step: &Step<'_>) -> Result<WriteBatch, StoreError> {
        // Looked up once, not once per change.
        let families = stores.iter().map(|store| self.family(&store.family)).collect::<Result<Vec<&ColumnFamily>, _>>()?;
        let size = |(_, key, value): &(usize, &[u8], Option<&[u8]>)| key.len() + value.map_or(0, <[u8]>::len) + ENTRY;
        // Or it would be copied several times as it grows.
        let mut batch = WriteBatch::with_capacity_bytes(step.changes.iter().map(size).sum());
        for (store, key, value) in &step.changes {
            match value {
                Some(value) => batch.put_cf(families[*store], key, value),
                None => batch.delete_cf(families[*store], key),
            }
        }
        let checkpoints = self.family(DEFAULT_COLUMN_FAMILY_NAME)?;
        for (store, reached) in &step.reached {
            batch.put_cf(checkpoints, &stores[*store].checkpoint_key, checkpoint::encode(reached));
        }
        Ok(batch)
    }
}
