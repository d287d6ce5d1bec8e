use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use headwater_core::TopicPartition;
use headwater_core::engine::{Posture, View};

/// How the workers of a process stand towards a hand-over, as whoever attends to it says, and how far they are with that.
pub struct Stance {
    /// The membership workers commit with.
    view: Mutex<Option<View>>,
    /// The number changes with the posture.
    posture: Mutex<(u64, Posture)>,
    /// Per worker: the number of the posture under which it had nothing left to commit, and the partitions that stand.
    settled: Vec<Mutex<(u64, BTreeSet<TopicPartition>)>>,
}

impl Stance {
    /// For so many workers.
    pub fn new(workers: usize) -> Stance {
        Stance {
            view: Mutex::new(None),
            posture: Mutex::new((1, Posture::default())),
            settled: (0..workers).map(|_| Mutex::default()).collect(),
        }
    }

    /// Takes what the member says it owns.
    pub fn publish(&self, view: Option<View>) {
        *lock(&self.view) = view;
    }

    /// What was published last.
    pub fn view(&self) -> Option<View> {
        lock(&self.view).clone()
    }

    /// How workers are to work from now on.
    pub fn set_posture(&self, posture: &Posture) {
        let mut current = lock(&self.posture);
        if current.1 != *posture {
            *current = (current.0 + 1, posture.clone());
        }
    }

    /// How workers are to work, and a number that tells this posture from those before.
    pub fn posture(&self) -> (u64, Posture) {
        lock(&self.posture).clone()
    }

    /// A worker has taken the posture of this number and has nothing left to commit; these partitions stand
    /// ([`Worker::settled`](headwater_core::engine::Worker::settled)).
    pub fn settle(&self, worker: usize, number: u64, partitions: BTreeSet<TopicPartition>) {
        if let Some(settled) = self.settled.get(worker) {
            *lock(settled) = (number, partitions);
        }
    }

    /// What stands under the present posture; none until every worker has had nothing left to commit under it.
    pub fn settled(&self) -> Option<BTreeSet<TopicPartition>> {
        let (number, _) = self.posture();
        let mut all = BTreeSet::new();
        for settled in &self.settled {
            let settled = lock(settled);
            if settled.0 != number {
                return None;
            }
            all.extend(settled.1.iter().cloned());
        }
        Some(all)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
