//! The `ledger` binary: the framework's commands, and `generate`, which writes the input.

use std::process::ExitCode;

use headwater::App;
use ledger::{generate, topology};

fn main() -> ExitCode {
    App::new(ledger::NAME, topology).seed(generate::seed).command(generate::command(), generate::run).main()
}
