//! W5, a store read back from its changelog: the proof of it measures both sides.

use std::path::PathBuf;

use headwater_benches::Workload;
use headwater_tests::proofs::restore::{self as proof, Restored};
use serde_json::{Value, json};

use crate::contender::Contender;
use crate::report::{Entry, Figures, Origin, rounded};
use crate::settings::{Settings, Variant};

/// How the proof calls this program.
pub(crate) const ONCE: &str = "restore-once";
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/Restore.java");

pub(crate) fn once(arguments: &[String]) -> Result<(), String> {
    proof::run_once(arguments)
}

impl Figures for Restored {
    fn figures(&self) -> Value {
        json!({
            "records": self.records,
            "seconds": rounded(self.seconds),
            "records_per_second": (self.records as f64 / self.seconds).round(),
            "cpu_seconds": rounded(self.cpu_seconds),
            "peak_mib": self.peak_mib,
        })
    }
}

/// Runs the proof of `make prove-restore` with as many keys and rounds. Whether it held.
pub(crate) fn run(settings: &Settings, origin: &Origin) -> Result<bool, String> {
    let program = std::env::current_exe().map_err(|error| format!("this program's path: {error}"))?;
    let peer = settings.contenders.contains(&Contender::Streams).then(|| PathBuf::from(PEER));
    let options = proof::Options { keys: settings.data.keys, rounds: settings.rounds, workers: settings.restore_workers(), peer };
    let variant = Variant { workload: Workload::W5, exactly_once: true, workers: options.workers, processes: 1 };
    let mut written = Ok(());
    let findings = proof::run(&program, &options, |restored| {
        let contender = if restored.is_peer { Contender::Streams } else { Contender::Headwater };
        let entry = Entry { variant, contender: contender.to_string(), round: restored.round, result: Ok(*restored) };
        written = written.clone().and_then(|()| entry.write("restore", settings, origin));
    });
    written.map(|()| findings.are_good())
}
