use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use headwater_core::TopicPartition;
use headwater_core::port::{Change, Checkpoint, OpenStore, ScanItem, StateStores, StoreError, StoreRange, Stores};

use super::site::Site;
use crate::checks;
use crate::disk::{Contents, Disk, Files};
use crate::fault::Call;
use crate::mark::Mark;

/// The disk of one process.
pub struct SimStores {
    pub site: Site,
    pub disk: Disk,
}

impl Stores for SimStores {
    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let files = self.disk.files(task);
        let names: Vec<String> = stores.iter().map(|store| store.name.clone()).collect();
        let open = self.site.store_call(Call::StoreOpen, || {
            if std::mem::replace(&mut lock(&files).in_use, true) {
                return Err(StoreError::Locked { path: task.to_owned() });
            }
            let open = Open {
                files: Arc::clone(&files),
                names,
                task: task.to_owned(),
                site: self.site.clone(),
                disk: self.disk.clone(),
            };
            Ok(Box::new(open))
        })?;
        let contents = lock(&files).now.clone();
        self.look_at(task, &contents);
        Ok(open)
    }
}

impl SimStores {
    fn look_at(&self, task: &str, contents: &Contents) {
        let Site { control, facts, log, process, .. } = &self.site;
        let offsets: Vec<String> =
            contents.iter().filter_map(|(name, store)| Some(format!("{name}@{}", store.offset()?))).collect();
        self.site.line("opens", task.to_owned(), None, || offsets.join(" "));
        let partition = partition_of(task);
        let mut control = control.lock();
        let inputs = facts.inputs.get(task).map(Vec::as_slice).unwrap_or_default();
        let processed = inputs.iter().any(|input| control.ledgers[facts.generation].position(input).is_some());
        control.mark_if(processed && offsets.is_empty(), Mark::TakeOverNoDisk);
        let overtaken = contents.iter().any(|(name, store)| {
            let changelog = TopicPartition { topic: facts.changelog_of(name), partition };
            store.offset().is_some() && control.writers.get(&changelog).is_some_and(|writer| writer != process)
        });
        control.mark_if(overtaken, Mark::StoreReturned);
        if let Some(difference) = checks::difference(&control.history, facts, log, task, contents) {
            control.violate("store", difference);
        }
    }
}

/// The partition a task's name ends with.
fn partition_of(task: &str) -> i32 {
    task.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

struct Open {
    files: Arc<Mutex<Files>>,
    names: Vec<String>,
    task: String,
    site: Site,
    disk: Disk,
}

fn lock(files: &Arc<Mutex<Files>>) -> MutexGuard<'_, Files> {
    files.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStores for Open {
    fn get(&self, store: usize, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.site.store_call(Call::StoreGet, || {
            Ok(lock(&self.files).now.get(&self.names[store]).and_then(|store| store.entries.get(key).cloned()))
        })
    }

    fn scan<'a>(&'a self, store: usize, range: StoreRange<'_>) -> Result<Box<dyn Iterator<Item = ScanItem> + 'a>, StoreError> {
        self.site.store_call(Call::StoreScan, || {
            let files = lock(&self.files);
            let within = |key: &[u8]| key >= range.from && range.to.is_none_or(|to| key < to);
            let entries = files.now.get(&self.names[store]).into_iter().flat_map(|store| &store.entries);
            let found: Vec<ScanItem> =
                entries.filter(|(key, _)| within(key)).map(|(key, value)| Ok((key.clone(), value.clone()))).collect();
            Ok(Box::new(found.into_iter()) as Box<dyn Iterator<Item = ScanItem>>)
        })
    }

    fn apply(&mut self, changes: &[Change], reached: &[(usize, Checkpoint)]) -> Result<(), StoreError> {
        self.site.store_call(Call::StoreApply, || {
            let mut files = lock(&self.files);
            for (store, Checkpoint { offset, .. }) in reached {
                let before = files.now.get(&self.names[*store]).and_then(|store| store.offset());
                if before.is_some_and(|before| before > *offset) {
                    let text = format!("{} of {} goes back from {before:?} to {offset}", self.names[*store], self.task);
                    self.site.control.lock().violate("store", text);
                }
            }
            files.apply(&self.names, changes, reached, self.disk.flush_every);
            Ok(())
        })?;
        let reached =
            || reached.iter().map(|(store, reached)| format!("{}@{}", self.names[*store], reached.offset)).collect::<Vec<_>>();
        self.site.line("applies", self.task.clone(), None, || format!("{} changes, {}", changes.len(), reached().join(" ")));
        Ok(())
    }

    fn checkpoint(&self, store: usize) -> Result<Option<Checkpoint>, StoreError> {
        self.site.store_call(Call::StoreOffset, || {
            Ok(lock(&self.files).now.get(&self.names[store]).and_then(|store| store.checkpoint))
        })
    }

    fn clear(&mut self, store: usize) -> Result<(), StoreError> {
        let name = &self.names[store];
        let had = lock(&self.files).now.get(name).and_then(|store| store.offset());
        self.site.store_call(Call::StoreClear, || {
            lock(&self.files).now.remove(name);
            Ok(())
        })?;
        self.site.control.lock().mark_if(had.is_some(), Mark::StoreRebuilt);
        self.site.line("clears", self.task.clone(), had, || name.clone());
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.site.store_call(Call::StoreFlush, || {
            lock(&self.files).flush();
            Ok(())
        })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        lock(&self.files).in_use = false;
    }
}
