use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use headwater_core::port::StoreError;
use rocksdb::{ColumnFamily, DB, DBPinnableSlice, DEFAULT_COLUMN_FAMILY_NAME, ErrorKind, ReadOptions, WriteBatch};

use crate::behind::Behind;
use crate::directory::damage;
use crate::engine::{self, Engine, Wait};
use crate::unflushed::Unflushed;
use crate::{error, load};

/// One task's RocksDB: what its owner and the flusher share. Written by the owner only.
pub(crate) struct Database {
    db: DB,
    /// For every look at a key: made once, for RocksDB allocates them.
    reading: ReadOptions,
    path: PathBuf,
    families: Vec<String>,
    behind: Mutex<Behind>,
    unflushed: Mutex<Unflushed>,
    /// The first failed write. Memory and disk may disagree from there on, so nothing is answered any more.
    failure: OnceLock<String>,
}

/// What a look at a key comes to.
pub(crate) type Found<'a> = Result<Option<DBPinnableSlice<'a>>, StoreError>;

impl Database {
    /// Whether nothing has gone wrong and all these column families are open.
    pub(crate) fn is_usable_for(&self, wanted: &[String]) -> bool {
        self.failure.get().is_none() && wanted.iter().all(|family| self.families.contains(family))
    }

    /// Opens or creates the database at `path` with at least the column families `wanted`. Those it already has are
    /// opened too: RocksDB insists, and a store that left the topology may come back.
    pub(crate) fn open(engine: &Engine, path: &Path, wanted: &[String]) -> Result<Self, StoreError> {
        let options = engine.database();
        let mut families: BTreeSet<String> = wanted.iter().cloned().collect();
        families.insert(DEFAULT_COLUMN_FAMILY_NAME.to_owned());
        // CURRENT is the file RocksDB writes last when it creates a database.
        if path.join("CURRENT").try_exists().map_err(|failure| error::io(path, failure))? {
            load::remove_leftovers(path)?;
            families.extend(DB::list_cf(&options, path).map_err(|failure| opening(path, failure))?);
        }
        // All but RocksDB's own.
        let stores = families.len() - 1;
        let descriptors = families.iter().map(|name| engine.family(name, stores));
        let db = DB::open_cf_descriptors(&options, path, descriptors).map_err(|failure| opening(path, failure))?;
        Ok(Self {
            db,
            reading: ReadOptions::default(),
            path: path.to_owned(),
            families: families.into_iter().collect(),
            behind: Mutex::default(),
            unflushed: Mutex::default(),
            failure: OnceLock::new(),
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database to read from, unless a write failed before.
    pub(crate) fn reader(&self) -> Result<&DB, StoreError> {
        match self.failure.get() {
            None => Ok(&self.db),
            Some(failure) => Err(self.error(format!("closed after an earlier failure: {failure}"))),
        }
    }

    /// What RocksDB has for a key.
    pub(crate) fn get(&self, family: &ColumnFamily, key: &[u8]) -> Result<Option<DBPinnableSlice<'_>>, StoreError> {
        self.reader()?.get_pinned_cf_opt(family, key, &self.reading).map_err(|failure| self.fault(failure))
    }

    /// What RocksDB has for several keys, in their order.
    pub(crate) fn get_many<'k>(&self, family: &ColumnFamily, keys: impl Iterator<Item = &'k [u8]>) -> Vec<Found<'_>> {
        let found = self.db.batched_multi_get_cf_opt(family, keys, false, &self.reading);
        found.into_iter().map(|found| found.map_err(|failure| self.fault(failure))).collect()
    }

    /// A column family by name.
    pub(crate) fn family(&self, name: &str) -> Result<&ColumnFamily, StoreError> {
        self.db.cf_handle(name).ok_or_else(|| self.error(format!("column family {name:?} is not open")))
    }

    /// Writes a batch, whole or not at all, and begins a flush once `flush_bytes` have gathered.
    pub(crate) fn write(&self, batch: WriteBatch, flush_bytes: usize) -> Result<(), StoreError> {
        self.write_at(batch, flush_bytes, Instant::now())
    }

    fn write_at(&self, batch: WriteBatch, flush_bytes: usize, now: Instant) -> Result<(), StoreError> {
        let bytes = batch.size_in_bytes();
        self.put(batch)?;
        if self.count(bytes, flush_bytes, now) { self.flush(Wait::Begun) } else { Ok(()) }
    }

    /// Writes a batch into memtables and does not count it.
    pub(crate) fn put(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.poison_on_failure(self.reader()?.write_opt(batch, &engine::write_options()))
    }

    /// Counts bytes that a crash would lose. Whether there are as many as `flush_bytes` by now.
    pub(crate) fn count(&self, bytes: usize, flush_bytes: usize, now: Instant) -> bool {
        let mut unflushed = self.unflushed();
        unflushed.add(bytes, now);
        unflushed.is_large(flush_bytes)
    }

    /// Flushes when the oldest write is older than `age`. Called by the flusher.
    pub(crate) fn flush_if_older(&self, age: Duration, now: Instant) -> Result<(), StoreError> {
        let old = self.unflushed().is_old(age, now);
        if old { self.flush(Wait::Done) } else { Ok(()) }
    }

    /// Flushes everything that was applied, all column families as one.
    pub(crate) fn flush(&self, wait: Wait) -> Result<(), StoreError> {
        let db = self.reader()?;
        // Before, not after: what is written meanwhile counts for the next flush.
        self.unflushed().clear();
        self.write_behind(false)?;
        // Every one, for RocksDB flushes together only those it is given, and an offset must not overtake its store.
        let families = self.families.iter().map(|name| self.family(name)).collect::<Result<Vec<_>, _>>()?;
        self.poison_on_failure(db.flush_cfs_opt(&families, &engine::flush_options(wait)))
    }

    /// A failure of this database.
    pub(crate) fn error(&self, message: impl std::fmt::Display) -> StoreError {
        error::io(&self.path, message)
    }

    /// A failure that RocksDB reports. Damage is remembered on disk, so that whoever opens the database next puts it aside.
    pub(crate) fn fault(&self, failure: rocksdb::Error) -> StoreError {
        if failure.kind() != ErrorKind::Corruption {
            return self.error(failure);
        }
        let message = self.failure.get_or_init(|| failure.to_string());
        // If even that cannot be written, the damage will be met again.
        let _met_again = damage::mark(&self.path, message);
        error::corrupt(&self.path, message)
    }

    /// After a failed write nothing is answered any more.
    pub(crate) fn poison_on_failure(&self, outcome: Result<(), rocksdb::Error>) -> Result<(), StoreError> {
        outcome.map_err(|failure| {
            self.failure.get_or_init(|| failure.to_string());
            self.fault(failure)
        })
    }

    /// What is applied and not in RocksDB yet.
    pub(crate) fn behind(&self) -> MutexGuard<'_, Behind> {
        // Whoever panics with it leaves a change out at worst, which the changelog has, and the process with it.
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unflushed(&self) -> MutexGuard<'_, Unflushed> {
        // Two plain numbers: whole whatever happened to the thread that held it.
        self.unflushed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a failure to open means. Files that are missing were there once: the database is damaged, too.
fn opening(path: &Path, failure: rocksdb::Error) -> StoreError {
    let text = failure.to_string();
    if failure.kind() == ErrorKind::Corruption || text.contains("No such file") {
        error::corrupt(path, text)
    } else {
        error::io(path, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::StoreOptions;

    #[test]
    fn a_flush_begins_when_enough_has_gathered() {
        let root = tempfile::tempdir().unwrap();
        let database = Database::open(&Engine::new(StoreOptions::default()), root.path(), &[]).unwrap();
        let write = |flush_bytes| {
            let mut batch = WriteBatch::new();
            batch.put("key", [0; 1000]);
            database.write(batch, flush_bytes).unwrap();
            database.db.property_int_value("rocksdb.num-entries-active-mem-table").unwrap()
        };
        assert_eq!(write(2000), Some(1));
        assert_eq!(write(2000), Some(0), "a new memtable, the full one is being written out");
        assert_eq!(write(2000), Some(1), "counted from the last flush");
    }
}
