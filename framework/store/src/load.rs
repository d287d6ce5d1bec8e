//! Restoring in bulk: changes are gathered into sorted runs, and a run becomes a file that RocksDB takes in as it is, past
//! memtables and their flushes.
//!
//! A file is of one column family and the checkpoint lies in another, so the two cannot go in as one. The file goes first and is
//! synced together with RocksDB's manifest; only then is the checkpoint written. A crash in between leaves a store that has
//! more than its checkpoint says, never less: the restore reads those records again, and as it reads them in the order of the
//! log to the same end, the outcome is the same. Nobody reads the store before that.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use headwater_core::port::{Checkpoint, StoreError};
use rocksdb::{DEFAULT_COLUMN_FAMILY_NAME, IngestExternalFileOptions, SstFileWriter, WriteBatch};

use crate::database::Database;
use crate::engine::{Engine, Wait};
use crate::error;
use crate::run::Run;

/// A run of less than this goes through the memtable: a file of its own costs several syncs. By `benches/micro/restore.rs`, on two cores
/// and an SSD: 1.4 MB take 17 ms this way, 7 MB 30 ms as a file and 170 ms in plain batches.
const INGEST_FROM: usize = 2 << 20;
/// Changes of a small run that make one write batch.
const BATCH: usize = 256 << 10;
const SUFFIX: &str = "load";

/// One store being loaded.
pub(crate) struct Load {
    run: Run,
    /// What the store accounts for once the run is written.
    reached: Checkpoint,
}

impl Load {
    pub(crate) fn new(run_bytes: usize, reached: Checkpoint) -> Load {
        Load { run: Run::with_room_for(run_bytes), reached }
    }

    /// Adds a change.
    pub(crate) fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.run.push(key, value);
    }

    /// All changes up to here have been added.
    pub(crate) fn reach(&mut self, reached: Checkpoint) {
        self.reached = reached;
    }

    /// Bytes held back.
    pub(crate) fn size(&self) -> usize {
        self.run.size()
    }

    /// Writes what is held back, then the checkpoint.
    pub(crate) fn write(&mut self, database: &Database, engine: &Engine, target: &Target<'_>) -> Result<(), StoreError> {
        if self.run.size() >= INGEST_FROM {
            self.ingest(database, engine, target)?;
        } else {
            self.put(database, engine, target)?;
        }
        self.run.clear();
        Ok(())
    }

    fn put(&mut self, database: &Database, engine: &Engine, target: &Target<'_>) -> Result<(), StoreError> {
        let flush_bytes = engine.options().flush_bytes;
        let family = database.family(target.family)?;
        let mut batch = WriteBatch::new();
        for (key, value) in self.run.sorted() {
            match value {
                Some(value) => batch.put_cf(family, key, value),
                None => batch.delete_cf(family, key),
            }
            if batch.size_in_bytes() >= BATCH {
                database.write(std::mem::take(&mut batch), flush_bytes)?;
            }
        }
        batch.put_cf(
            database.family(DEFAULT_COLUMN_FAMILY_NAME)?,
            target.checkpoint_key,
            crate::checkpoint::encode(&self.reached),
        );
        database.write(batch, flush_bytes)
    }

    fn ingest(&mut self, database: &Database, engine: &Engine, target: &Target<'_>) -> Result<(), StoreError> {
        let path = database.path().join(format!("{}.{SUFFIX}", target.number));
        let options = engine.database();
        let mut file = SstFileWriter::create(&options);
        let written = file.open(&path).and_then(|()| {
            for (key, value) in self.run.sorted() {
                match value {
                    Some(value) => file.put(key, value)?,
                    None => file.delete(key)?,
                }
            }
            file.finish()
        });
        written.map_err(|failure| database.fault(failure))?;
        let mut ingest = IngestExternalFileOptions::default();
        ingest.set_move_files(true);
        // The store is nobody's to read, so no snapshot needs to be spared.
        ingest.set_snapshot_consistency(false);
        let (db, family) = (database.reader()?, database.family(target.family)?);
        database.poison_on_failure(db.ingest_external_file_cf_opts(family, &ingest, vec![&path]))?;
        let mut batch = WriteBatch::new();
        batch.put_cf(
            database.family(DEFAULT_COLUMN_FAMILY_NAME)?,
            target.checkpoint_key,
            crate::checkpoint::encode(&self.reached),
        );
        database.write(batch, engine.options().flush_bytes)?;
        // So that what is in the file need not be read again after a crash.
        database.flush(Wait::Begun)
    }
}

/// Where a load goes.
pub(crate) struct Target<'a> {
    /// The store's number in its task.
    pub(crate) number: usize,
    pub(crate) family: &'a str,
    pub(crate) checkpoint_key: &'a [u8],
}

/// Removes the files that a crash left behind before RocksDB took them in.
pub(crate) fn remove_leftovers(database: &Path) -> Result<(), StoreError> {
    let entries = match fs::read_dir(database) {
        Ok(entries) => entries,
        Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(()),
        Err(failure) => return Err(error::io(database, failure)),
    };
    for entry in entries {
        let path = entry.map_err(|failure| error::io(database, failure))?.path();
        if path.extension().is_some_and(|extension| extension == SUFFIX) {
            fs::remove_file(&path).map_err(|failure| error::io(&path, failure))?;
        }
    }
    Ok(())
}
