//! A disk in memory. A crash takes it back to its last flush, as RocksDB without a write-ahead log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use headwater_core::TopicPartition;
use headwater_core::port::{Change, Checkpoint};

use crate::ports::Facts;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Store {
    pub entries: BTreeMap<Bytes, Bytes>,
    pub checkpoint: Option<Checkpoint>,
}

impl Store {
    pub fn offset(&self) -> Option<i64> {
        self.checkpoint.map(|checkpoint| checkpoint.offset)
    }
}

pub type Contents = BTreeMap<String, Store>;

#[derive(Default)]
pub struct Files {
    pub now: Contents,
    pub flushed: Contents,
    unflushed: usize,
    pub in_use: bool,
}

impl Files {
    pub fn apply(&mut self, names: &[String], changes: &[Change], reached: &[(usize, Checkpoint)], flush_every: usize) {
        for Change { store, key, value } in changes {
            let entries = &mut self.now.entry(names[*store].clone()).or_default().entries;
            match value {
                Some(value) => entries.insert(key.clone(), value.clone()),
                None => entries.remove(key),
            };
        }
        for (store, checkpoint) in reached {
            self.now.entry(names[*store].clone()).or_default().checkpoint = Some(*checkpoint);
        }
        self.unflushed += 1;
        if self.unflushed >= flush_every {
            self.flush();
        }
    }

    pub fn flush(&mut self) {
        self.unflushed = 0;
        self.flushed = self.now.clone();
    }
}

/// What a mutation writes before its time.
pub enum Early<'a> {
    Changes(&'a [(TopicPartition, Bytes, Option<Bytes>)]),
    Offsets(&'a [(TopicPartition, i64)]),
}

type Tasks = BTreeMap<String, Arc<Mutex<Files>>>;

/// Clones share it.
#[derive(Clone)]
pub struct Disk {
    tasks: Arc<Mutex<Tasks>>,
    /// Writes between two flushes.
    pub flush_every: usize,
}

impl Disk {
    pub fn new(flush_every: usize) -> Disk {
        Disk { tasks: Arc::default(), flush_every }
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn files(&self, task: &str) -> Arc<Mutex<Files>> {
        Arc::clone(self.lock().entry(task.to_owned()).or_default())
    }

    /// Everything since the last flush of each task is gone. Answers whether that was anything.
    pub fn crash(&self) -> bool {
        let mut lost = false;
        for files in self.lock().values() {
            let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
            lost |= files.now != files.flushed;
            files.now = files.flushed.clone();
            files.in_use = false;
        }
        lost
    }

    pub fn lose(&self) {
        self.lock().clear();
    }

    /// All stores of all tasks, as they are and as they were flushed.
    pub fn contents(&self) -> Vec<(String, Contents, Contents)> {
        let tasks = self.lock();
        let contents = tasks.iter().map(|(task, files)| {
            let files = files.lock().unwrap_or_else(PoisonError::into_inner);
            (task.clone(), files.now.clone(), files.flushed.clone())
        });
        contents.collect()
    }

    /// For mutations.
    pub fn early(&self, facts: &Facts, what: &Early<'_>) {
        let write = |changelog: &TopicPartition, write: &dyn Fn(&mut Store)| {
            let store = facts.store_of(&changelog.topic);
            let suffix = format!("-{}", changelog.partition);
            for (_, files) in self.lock().iter().filter(|(task, _)| task.ends_with(&suffix)) {
                let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
                if files.in_use && files.now.contains_key(store) {
                    write(files.now.entry(store.to_owned()).or_default());
                    let names = Vec::new();
                    files.apply(&names, &[], &[], self.flush_every);
                }
            }
        };
        match what {
            Early::Changes(changes) => {
                for (changelog, key, value) in *changes {
                    write(changelog, &|store| {
                        match value {
                            Some(value) => store.entries.insert(key.clone(), value.clone()),
                            None => store.entries.remove(key),
                        };
                    });
                }
            }
            Early::Offsets(offsets) => {
                for (changelog, offset) in *offsets {
                    write(changelog, &|store| {
                        let before = store.checkpoint.unwrap_or(Checkpoint::at(0));
                        store.checkpoint = Some(Checkpoint { offset: *offset, ..before });
                    });
                }
            }
        }
    }
}
