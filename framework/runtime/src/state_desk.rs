//! Questions about the state of a running process. Each goes to every worker, and the worker that has the task answers between two
//! batches: what it says is committed, and of one moment per task.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use headwater_core::engine::Worker;
use headwater_core::port::StoreError;
use headwater_core::{Blueprint, Page, Plan, QueryError, StateQuery, StoreSummary, TaskId};
use thiserror::Error;

/// Questions that may wait for one worker.
const WAITING: usize = 16;
/// Longest wait for an answer: a worker may be in the middle of a commit.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where to ask. Cheap to clone.
#[derive(Clone)]
pub struct StateDesk {
    plan: Arc<Plan>,
    workers: Vec<SyncSender<Question>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Error)]
pub enum NoAnswer {
    /// The question itself, or the state, is at fault.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The key's task is not this process's.
    #[error("the key belongs to partition {} of {:?}, whose task is not in this process: ask the one that has task {task}, or all of them", task.partition, &*task.subtopology)]
    Elsewhere {
        /// The task.
        task: TaskId,
    },
    /// The key's task is not ready.
    #[error("task {task}, which has the key, is being restored: ask again when it is processing")]
    Restoring {
        /// The task.
        task: TaskId,
    },
    /// There is no such key.
    #[error("store {store:?} has no such key (it would be in task {task})")]
    NotFound {
        /// The store.
        store: String,
        /// Where it would be.
        task: TaskId,
    },
    /// The workers have too much to do, or stop.
    #[error("the workers did not answer within {} s: they are busy or stopping, ask again", PATIENCE.as_secs())]
    Late,
}

enum What {
    Entries(StateQuery),
    Summary,
}

/// A question on its way to a worker.
pub(crate) struct Question {
    what: Arc<What>,
    reply: std::sync::mpsc::Sender<Result<Answer, QueryError>>,
}

#[derive(Default)]
struct Answer {
    pages: Vec<(TaskId, Page)>,
    summary: Vec<StoreSummary>,
    restoring: Vec<TaskId>,
}

impl StateDesk {
    /// A desk, and where each worker finds its questions.
    pub(crate) fn open(plan: &Arc<Plan>, workers: usize) -> (StateDesk, Vec<Receiver<Question>>) {
        let (workers, questions) = (0..workers).map(|_| sync_channel(WAITING)).unzip();
        (StateDesk { plan: Arc::clone(plan), workers }, questions)
    }

    /// The topology, to make queries with.
    pub fn blueprint(&self) -> &Arc<Blueprint> {
        self.plan.blueprint()
    }

    /// What the stores of all running tasks hold, by store and task.
    pub fn list(&self) -> Result<Vec<StoreSummary>, NoAnswer> {
        let mut summary = self.ask(What::Summary)?.summary;
        summary.sort_by(|a, b| (&a.store, &a.task).cmp(&(&b.store, &b.task)));
        Ok(summary)
    }

    /// The entries this process has of what is asked for. For a key that is not here the error says where it is.
    pub fn entries(&self, query: &StateQuery) -> Result<Page, NoAnswer> {
        let answer = self.ask(What::Entries(query.clone()))?;
        let here: BTreeSet<TaskId> = answer.pages.iter().map(|(task, _)| task.clone()).collect();
        let mut all = Page::default();
        for (_, page) in answer.pages {
            all.truncated |= page.truncated;
            all.entries.extend(page.entries);
        }
        if all.entries.len() > query.limit() {
            all.entries.truncate(query.limit());
            all.truncated = true;
        }
        // Whoever wrote the input may partition it in another way: what was found is here, wherever it should be.
        match self.plan.home_of(query).filter(|_| all.entries.is_empty() && !all.truncated) {
            None => Ok(all),
            Some(task) if here.contains(&task) => Err(NoAnswer::NotFound { store: query.store().to_owned(), task }),
            Some(task) if answer.restoring.contains(&task) => Err(NoAnswer::Restoring { task }),
            Some(task) => Err(NoAnswer::Elsewhere { task }),
        }
    }

    fn ask(&self, what: What) -> Result<Answer, NoAnswer> {
        let (reply, replies) = channel();
        let (what, asked) = (Arc::new(what), Instant::now());
        for worker in &self.workers {
            match worker.try_send(Question { what: Arc::clone(&what), reply: reply.clone() }) {
                Ok(()) => {}
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => return Err(NoAnswer::Late),
            }
        }
        drop(reply);
        let mut all = Answer::default();
        for _ in &self.workers {
            let left = PATIENCE.saturating_sub(asked.elapsed());
            let answer = replies.recv_timeout(left).map_err(|_| NoAnswer::Late)??;
            all.pages.extend(answer.pages);
            all.summary.extend(answer.summary);
            all.restoring.extend(answer.restoring);
        }
        Ok(all)
    }
}

/// Answers what waits for this worker.
pub(crate) fn answer_all(worker: &Worker, questions: &Receiver<Question>) {
    for question in questions.try_iter().take(WAITING) {
        // Whoever asked may have stopped waiting.
        let _ = question.reply.send(answer(worker, &question.what));
    }
}

fn answer(worker: &Worker, what: &What) -> Result<Answer, QueryError> {
    let restoring = worker.restoring_tasks();
    Ok(match what {
        What::Entries(query) => Answer { pages: worker.inspect(query)?, restoring, ..Answer::default() },
        What::Summary => {
            let summary = worker.summarize().map_err(|error: StoreError| QueryError::from(error))?;
            Answer { summary, restoring, ..Answer::default() }
        }
    })
}
