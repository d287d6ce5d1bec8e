use std::path::PathBuf;
use std::time::Duration;

use super::Action;

/// What is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decides the actions, and the transfers.
    pub seed: u64,
    /// How long actions go on. Catching up and comparing come after it.
    pub duration: Duration,
    /// How much of everything.
    pub size: Size,
    /// The actions to choose from, each as often as it is named.
    pub actions: Vec<Action>,
    /// Least and greatest pause between two actions, in milliseconds.
    pub pauses: (u64, u64),
    /// `run.…` and other settings for every process of the application, `key=value`.
    pub settings: Vec<String>,
    /// The binary of the application.
    pub ledger: PathBuf,
}

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Brokers of the cluster.
    pub brokers: usize,
    /// Processes of the application; up to two more come and go.
    pub members: usize,
    /// How many of those are static members of the group.
    pub static_members: usize,
    /// Transfers per second.
    pub rate: u64,
    /// Accounts the transfers are spread over.
    pub accounts: u64,
    /// Partitions of the input.
    pub partitions: i32,
}

impl Options {
    /// Three brokers, four processes, every action.
    pub fn full(ledger: PathBuf, seed: u64, duration: Duration) -> Options {
        Options {
            seed,
            duration,
            size: Size { brokers: 3, members: 4, static_members: 2, rate: 1500, accounts: 20_000, partitions: 6 },
            actions: Action::ALL.to_vec(),
            pauses: (1_500, 5_000),
            settings: Vec::new(),
            ledger,
        }
    }

    /// One broker, two processes, and the actions that need no more than that.
    pub fn short(ledger: PathBuf, seed: u64, duration: Duration) -> Options {
        Options {
            size: Size { brokers: 1, members: 2, static_members: 1, rate: 1000, accounts: 2_000, partitions: 4 },
            actions: vec![Action::KillApp, Action::KillApp, Action::LoseDisk, Action::StopApp, Action::AddApp, Action::RemoveApp],
            pauses: (1_000, 3_000),
            ..Options::full(ledger, seed, duration)
        }
    }
}
