use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use headwater_core::engine::{Posture, View};

/// How the workers of a process stand towards a hand-over, as whoever attends to it says, and how far they are with that.
pub struct Stance {
    /// The membership workers commit with.
    view: Mutex<Option<View>>,
    /// The number changes with the posture.
    posture: Mutex<(u64, Posture)>,
    /// Per worker: the number of the posture under which it had nothing left to commit.
    settled: Vec<AtomicU64>,
}

impl Stance {
    /// For so many workers.
    pub fn new(workers: usize) -> Stance {
        Stance {
            view: Mutex::new(None),
            posture: Mutex::new((1, Posture::default())),
            settled: (0..workers).map(|_| AtomicU64::new(0)).collect(),
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

    /// A worker has taken the posture of this number and has nothing left to commit.
    pub fn settle(&self, worker: usize, number: u64) {
        if let Some(settled) = self.settled.get(worker) {
            settled.store(number, Ordering::Release);
        }
    }

    /// Whether every worker has had nothing left to commit under the present posture.
    pub fn has_settled(&self) -> bool {
        let (number, _) = self.posture();
        self.settled.iter().all(|settled| settled.load(Ordering::Acquire) == number)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
