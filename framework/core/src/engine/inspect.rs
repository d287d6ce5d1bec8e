//! Looking into the stores of running tasks: what was committed, never what is still open.

use super::worker::{Stage, Worker};
use crate::blueprint::TaskId;
use crate::inspect::{Page, QueryError, StateQuery, StoreSummary};
use crate::port::StoreError;

/// Stored entries one question may look at: it is answered between two batches, which must not wait for long.
const SCAN: usize = 100_000;

impl Worker {
    /// The entries that running tasks have of what is asked for, by task.
    pub fn inspect(&self, query: &StateQuery) -> Result<Vec<(TaskId, Page)>, QueryError> {
        let tasks = self.task_counts().1.max(1);
        let query = query.clone().scanning_at_most((SCAN / tasks).max(query.limit().saturating_add(1)));
        let mut pages = Vec::new();
        for task in self.running() {
            if let Some(page) = self.plan.blueprint().inspect(&task.id, task.state.committed(), &query)? {
                pages.push((task.id.clone(), page));
            }
        }
        Ok(pages)
    }

    /// What the stores of running tasks hold, by the storage engine's estimate.
    pub fn summarize(&self) -> Result<Vec<StoreSummary>, StoreError> {
        let of_task = self.running().map(|task| self.plan.blueprint().summarize(&task.id, task.state.committed(), false));
        Ok(of_task.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The tasks that are not processing yet.
    pub fn restoring_tasks(&self) -> Vec<TaskId> {
        let restoring = self.tasks.iter().filter(|(_, stage)| !matches!(stage, Stage::Running(_)));
        restoring.map(|(id, _)| id.clone()).collect()
    }
}
