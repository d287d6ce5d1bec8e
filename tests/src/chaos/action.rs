use std::fmt;

/// Something that goes wrong, or is done to a running system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Kills a process of the application (SIGKILL) and starts it again on the same state directory.
    KillApp,
    /// The same, and its state directory is gone.
    LoseDisk,
    /// Stops a process cleanly (SIGTERM) and starts it again.
    StopApp,
    /// Stops a process in its tracks (SIGSTOP) for longer than its session lasts, then lets it go on.
    PauseApp,
    /// Starts one more process.
    AddApp,
    /// Stops one of those that were added, for good.
    RemoveApp,
    /// Fills the disk under a state directory until its process has ended, then makes room and starts it again.
    FillDisk,
    /// Kills a broker and starts it again.
    KillBroker,
    /// Stops a broker cleanly and starts it again.
    StopBroker,
    /// Stops a broker in its tracks for some seconds.
    PauseBroker,
}

impl Action {
    /// Every action, the commoner mishaps more often.
    pub const ALL: [Action; 14] = [
        Action::KillApp,
        Action::KillApp,
        Action::KillApp,
        Action::LoseDisk,
        Action::StopApp,
        Action::StopApp,
        Action::PauseApp,
        Action::AddApp,
        Action::RemoveApp,
        Action::FillDisk,
        Action::KillBroker,
        Action::KillBroker,
        Action::StopBroker,
        Action::PauseBroker,
    ];
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Action::KillApp => "kill -9 app",
            Action::LoseDisk => "kill -9 app, lose its disk",
            Action::StopApp => "stop app",
            Action::PauseApp => "pause app",
            Action::AddApp => "add app",
            Action::RemoveApp => "remove app",
            Action::FillDisk => "fill disk",
            Action::KillBroker => "kill -9 broker",
            Action::StopBroker => "stop broker",
            Action::PauseBroker => "pause broker",
        })
    }
}
