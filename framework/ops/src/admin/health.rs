use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A worker whose loop has not come round for this long is stuck. Longer than anything a working loop waits for: a commit
/// is bounded by the transaction timeout (10 s), a fetch by its poll.
pub const MAX_LOOP_AGE: Duration = Duration::from_secs(60);

/// How one worker is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerPulse {
    /// The worker's number, from 0.
    pub worker: usize,
    /// Time since its loop last came round.
    pub age: Duration,
    /// Why it ended, if it did.
    pub failed: Option<String>,
}

type Probe = Box<dyn Fn() -> Vec<WorkerPulse> + Send>;

/// Whether the workers are alive, asked of whoever runs them each time a probe comes.
#[derive(Clone, Default)]
pub struct Health {
    probe: Arc<Mutex<Option<Probe>>>,
}

impl Health {
    /// No workers yet, which is healthy.
    pub fn new() -> Health {
        Health::default()
    }

    /// From now on `probe` tells how the workers are. It must be quick.
    pub fn watch(&self, probe: impl Fn() -> Vec<WorkerPulse> + Send + 'static) {
        *self.probe.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(probe));
    }

    /// Ok, or what is wrong: one line per worker concerned.
    pub fn check(&self) -> Result<(), String> {
        let pulses = self.probe.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|probe| probe()).unwrap_or_default();
        let complaints: Vec<String> = pulses.iter().filter_map(complaint).collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
    }
}

fn complaint(pulse: &WorkerPulse) -> Option<String> {
    let worker = pulse.worker;
    match &pulse.failed {
        Some(reason) => Some(format!("worker {worker} failed: {reason}")),
        None if pulse.age > MAX_LOOP_AGE => Some(format!("worker {worker} is stuck: nothing for {} s", pulse.age.as_secs())),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complains_of_workers_that_failed_or_are_stuck() {
        let health = Health::new();
        assert_eq!(health.check(), Ok(()));
        let pulse = |worker, secs, failed: Option<&str>| WorkerPulse {
            worker,
            age: Duration::from_secs(secs),
            failed: failed.map(str::to_owned),
        };
        health.watch(move || vec![pulse(0, 1, None)]);
        assert_eq!(health.check(), Ok(()));
        health.watch(move || vec![pulse(0, 61, None), pulse(1, 1, Some("disk full"))]);
        assert_eq!(health.check().unwrap_err(), "worker 0 is stuck: nothing for 61 s\nworker 1 failed: disk full");
    }
}
