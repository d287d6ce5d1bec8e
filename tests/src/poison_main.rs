//! The application of `headwater_tests::poison`, as a binary to be killed.

use std::process::ExitCode;

fn main() -> ExitCode {
    headwater::main(headwater_tests::poison::NAME, headwater_tests::poison::topology)
}
