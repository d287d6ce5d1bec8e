use std::collections::BTreeMap;

use headwater_benches::Job;
use headwater_benches::model::Sum;
use rocksdb::{BlockBasedOptions, Cache, DB, DBCompressionType, Options, ReadOptions, WriteOptions};

/// A database per partition of one worker. Without a log ahead of it, as the changelog is one.
pub(crate) struct Databases {
    open: BTreeMap<i32, DB>,
    read: ReadOptions,
    write: WriteOptions,
}

impl Databases {
    pub(crate) fn open(job: &Job, partitions: &[i32], in_place: bool) -> Result<Databases, String> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_write_buffer_size(64 << 20);
        options.set_max_write_buffer_number(3);
        if in_place {
            // Values are replaced where they lie: updates of a key do not pile up in the memtable. Nobody reads older versions here.
            options.set_inplace_update_support(true);
            options.set_inplace_update_locks(100);
            options.set_allow_concurrent_memtable_write(false);
        }
        options.set_compression_type(DBCompressionType::Lz4);
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&Cache::new_lru_cache(64 << 20));
        table.set_bloom_filter(10.0, false);
        options.set_block_based_table_factory(&table);
        let mut open = BTreeMap::new();
        for partition in partitions {
            let path = job.state.join(partition.to_string());
            let database = DB::open(&options, &path).map_err(|error| format!("{}: {error}", path.display()))?;
            open.insert(*partition, database);
        }
        let mut write = WriteOptions::default();
        write.disable_wal(true);
        Ok(Databases { open, read: ReadOptions::default(), write })
    }

    fn of(&self, partition: i32) -> Result<&DB, String> {
        self.open.get(&partition).ok_or_else(|| format!("partition {partition} belongs to another worker"))
    }

    /// Adds to the sum of a key. Answers the new sum and its bytes.
    pub(crate) fn add(&self, partition: i32, key: &[u8], amount: u64) -> Result<(Sum, [u8; 16]), String> {
        let database = self.of(partition)?;
        let old = database.get_pinned_opt(key, &self.read).map_err(|error| format!("reading the state: {error}"))?;
        let sum = old.as_deref().and_then(Sum::from_bytes).unwrap_or_default().plus(amount);
        drop(old);
        let bytes = sum.to_bytes();
        database.put_opt(key, bytes, &self.write).map_err(|error| format!("writing the state: {error}"))?;
        Ok((sum, bytes))
    }

    pub(crate) fn put(&self, partition: i32, key: &[u8], value: &[u8]) -> Result<(), String> {
        self.of(partition)?.put_opt(key, value, &self.write).map_err(|error| format!("writing the table: {error}"))
    }

    /// Shows the value of a key, if there is one.
    pub(crate) fn get<T>(&self, partition: i32, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, String> {
        let found = self.of(partition)?.get_pinned_opt(key, &self.read).map_err(|error| format!("reading the table: {error}"))?;
        Ok(look(found.as_deref()))
    }
}
