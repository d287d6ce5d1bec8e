use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use headwater_core::port::{OpenStore, StateStores, StoreError, StoreTrouble, Stores};

use crate::database::Database;
use crate::directory::{StateDirectory, damage};
use crate::engine::Engine;
use crate::error;
use crate::flusher::Flusher;
use crate::open_tasks::OpenTasks;
use crate::options::StoreOptions;
use crate::pool::Pool;
use crate::task::{Note, RocksTask};

/// The state of one application in one process: a locked directory with a RocksDB per task.
///
/// The directory stays locked until this and every task opened from it are dropped.
#[derive(Clone)]
pub struct RocksStores {
    shared: Arc<Shared>,
}

/// What tasks keep alive. Dropped in this order: no flush after the memory budget, nothing after the lock.
pub(crate) struct Shared {
    _flusher: Flusher,
    tasks: Arc<OpenTasks>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) engine: Arc<Engine>,
    directory: StateDirectory,
}

impl RocksStores {
    /// Creates or takes the state directory `<root>/<app>`.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it, [`StoreError::Foreign`] when it belongs to another application
    /// or was written in another format, [`StoreError::Io`] when the disk refuses.
    pub fn open(root: &Path, app: &str, options: StoreOptions) -> Result<Self, StoreError> {
        let directory = StateDirectory::open(root, app)?;
        let tasks = Arc::new(OpenTasks::default());
        let (pool, engine) = (Arc::new(Pool::default()), Arc::new(Engine::new(options)));
        let flusher = Flusher::start(Arc::clone(&tasks), Arc::clone(&pool), Arc::clone(&engine), directory.path())?;
        let shared = Shared { _flusher: flusher, tasks, pool, engine, directory };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The id of this directory, a UUID made when it was created: the instance part of transactional ids where
    /// `group.instance.id` is not set.
    pub fn instance_id(&self) -> &str {
        self.shared.directory.instance()
    }

    /// The directory, `<root>/<app>`.
    pub fn path(&self) -> &Path {
        self.shared.directory.path()
    }

    /// The tasks that have state here, open or not, sorted by name.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the directory cannot be read.
    pub fn tasks(&self) -> Result<Vec<String>, StoreError> {
        self.shared.directory.tasks()
    }

    /// Deletes the state of a task from the disk; it will be read again from its changelogs. A task without state is fine.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when the task is open, [`StoreError::Io`] when its files cannot be removed.
    pub fn remove(&self, task: &str) -> Result<(), StoreError> {
        let path = self.shared.directory.task(task)?;
        let _claim = self.shared.tasks.claim(task, &path)?;
        drop(self.shared.pool.take(task));
        match fs::remove_dir_all(&path) {
            Err(failure) if failure.kind() != ErrorKind::NotFound => Err(error::io(&path, failure)),
            _ => Ok(()),
        }
    }

    /// Bytes in use of [`StoreOptions::memory_bytes`], and of what is lent (`StateStores::lend`): cached blocks and writes not yet on disk.
    pub fn memory_used_bytes(&self) -> usize {
        self.shared.engine.memory_used_bytes()
    }
}

impl Shared {
    /// A task's database: the one it was closed with a moment ago, or the one on disk. A damaged one is put aside, and a new one
    /// takes its place; the note says so.
    fn database(&self, task: &str, path: &Path, families: &[String]) -> Result<(Arc<Database>, Vec<Note>), StoreError> {
        if let Some(kept) = self.pool.take(task).filter(|kept| kept.is_usable_for(families)) {
            return Ok((kept, Vec::new()));
        }
        let damage = match damage::known(path)? {
            Some(damage) => damage,
            None => match Database::open(&self.engine, path, families) {
                Ok(database) => return Ok((Arc::new(database), Vec::new())),
                Err(StoreError::Corrupt { message, .. }) => message,
                Err(failure) => return Err(failure),
            },
        };
        let aside = self.directory.put_aside(task)?;
        let note = (StoreTrouble::Corrupt, format!("{damage}; the files are now in {}", aside.display()));
        Ok((Arc::new(Database::open(&self.engine, path, families)?), vec![note]))
    }
}

impl Stores for RocksStores {
    fn expect_tasks(&self, tasks: usize) {
        self.shared.engine.expect_tasks(tasks);
    }

    fn memo(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.shared.directory.memo(name)
    }

    fn set_memo(&self, name: &str, text: Option<&str>) -> Result<(), StoreError> {
        self.shared.directory.set_memo(name, text)
    }

    fn open(&self, task: &str, stores: &[OpenStore]) -> Result<Box<dyn StateStores>, StoreError> {
        let Shared { directory, tasks, .. } = &*self.shared;
        let path = directory.task(task)?;
        let families = RocksTask::families(&path, stores)?;
        let claim = tasks.claim(task, &path)?;
        let (database, notes) = self.shared.database(task, &path, &families)?;
        claim.opened(&database);
        Ok(Box::new(RocksTask::new(database, stores, families, notes, claim, Arc::clone(&self.shared))?))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use headwater_core::port::Checkpoint;

    use super::*;

    /// What a crash would leave: a copy of the files, opened as another directory.
    fn offset_on_disk(stores: &RocksStores) -> Option<i64> {
        let root = tempfile::tempdir().unwrap();
        let copy = RocksStores::open(root.path(), "app", StoreOptions::default()).unwrap();
        let (from, to) = (stores.path().join("tasks/t"), copy.path().join("tasks/t"));
        fs::create_dir(&to).unwrap();
        for file in fs::read_dir(from).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        copy.open("t", &[OpenStore { name: "a".to_owned() }]).unwrap().offset(0).unwrap()
    }

    #[test]
    fn a_closed_task_is_kept_open_until_its_time_is_over_or_memory_is_short() {
        let root = tempfile::tempdir().unwrap();
        let options = StoreOptions { keep_open: Duration::from_secs(5), ..StoreOptions::default() };
        let stores = RocksStores::open(root.path(), "app", options).unwrap();
        let pool = &stores.shared.pool;
        let close = || drop(stores.open("t", &[OpenStore { name: "a".to_owned() }]).unwrap());
        let before = Instant::now();
        close();
        pool.expire(before + Duration::from_secs(4), false);
        assert!(pool.take("t").is_some());

        close();
        pool.expire(Instant::now() + Duration::from_secs(5), false);
        assert!(pool.take("t").is_none());

        close();
        pool.expire(before, true);
        assert!(pool.take("t").is_none());
    }

    #[test]
    fn silent_tasks_are_flushed_by_age() {
        let root = tempfile::tempdir().unwrap();
        let options = StoreOptions { flush_after: Duration::from_secs(3600), ..StoreOptions::default() };
        let stores = RocksStores::open(root.path(), "app", options).unwrap();
        let mut task = stores.open("t", &[OpenStore { name: "a".to_owned() }]).unwrap();
        let before = Instant::now();
        task.apply(&[], &[(0, Checkpoint::at(7))]).unwrap();
        let (tasks, age) = (&stores.shared.tasks, Duration::from_secs(30));

        tasks.flush_older(age, before + Duration::from_secs(29));
        assert_eq!(offset_on_disk(&stores), None);
        tasks.flush_older(age, Instant::now() + age);
        assert_eq!(offset_on_disk(&stores), Some(7));
    }
}
