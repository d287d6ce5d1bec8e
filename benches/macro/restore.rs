//! W5, a store read back from its changelog: the proof of it measures both sides.

use std::path::PathBuf;

use headwater_tests::proofs::restore as proof;

use crate::contender::Contender;
use crate::settings::Settings;

/// How the proof calls this program.
pub(crate) const ONCE: &str = "restore-once";
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peer/Restore.java");

pub(crate) fn once(arguments: &[String]) -> Result<(), String> {
    proof::run_once(arguments)
}

/// Runs the proof of `make prove-restore` with as many keys and rounds. Whether it held.
pub(crate) fn run(settings: &Settings) -> bool {
    let Ok(program) = std::env::current_exe() else { return false };
    let peer = settings.contenders.contains(&Contender::Streams).then(|| PathBuf::from(PEER));
    let options = proof::Options { keys: settings.data.keys, rounds: settings.rounds, workers: settings.restore_workers(), peer };
    proof::run(&program, &options).are_good()
}
