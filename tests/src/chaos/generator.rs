use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};

use super::Options;
use crate::cluster::Guardian;

/// `ledger generate`, in a process of its own. Nothing is done to it: what it wrote is what the oracle folds.
#[derive(Debug)]
pub(super) struct Generator {
    child: Child,
    guardian: Guardian,
}

impl Generator {
    pub(super) fn start(options: &Options, bootstrap: &str, guardian: &Guardian) -> Generator {
        let size = options.size;
        let records = size.rate * options.duration.as_secs().max(1);
        let log = File::create(guardian.directory().join("logs").join("generator.log")).expect("creating a log");
        let mut command = Command::new(&options.ledger);
        command.args(["generate", "--bootstrap", bootstrap]);
        for (flag, value) in [
            ("--records", records.to_string()),
            ("--accounts", size.accounts.to_string()),
            ("--rate", size.rate.to_string()),
            ("--seed", options.seed.to_string()),
            ("--partitions", size.partitions.to_string()),
        ] {
            command.args([flag, &value]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", options.ledger.display()));
        guardian.watch(child.id());
        Generator { child, guardian: guardian.clone() }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("looking after a child")
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guardian.forget(self.child.id());
    }
}
