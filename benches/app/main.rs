//! Headwater's side of the macro bench: the workloads as anybody would write them, with the commands that every application has.

mod topology;

use std::process::ExitCode;

use headwater_benches::Job;

fn main() -> ExitCode {
    let job = match Job::from_environment() {
        Ok(job) => job,
        Err(error) => {
            eprintln!("macro-app: {error}");
            return ExitCode::from(2);
        }
    };
    // Once, and for as long as the process lives.
    let name: &'static str = job.app.clone().leak();
    headwater::main(name, move |t| topology::describe(t, (job.workload, job.memo_digits), &job.input, &job.output()))
}
