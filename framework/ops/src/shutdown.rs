//! SIGTERM and SIGINT as the wish to stop that the engine looks at between batches.

use std::process;
use std::thread;

use headwater_runtime::Shutdown;
use tokio::runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::CliError;

/// What a shell reports for a process ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// From now on the first SIGTERM or SIGINT asks to stop, the second ends the process at once with exit code 130:
/// whoever presses Ctrl-C twice means it, and a crash costs nothing but the restore of the last seconds.
pub fn on_signals(shutdown: &Shutdown) -> Result<(), CliError> {
    let failed = |error| CliError::failed(format!("cannot listen for SIGTERM and SIGINT: {error}"));
    let runtime = runtime::Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate()).map_err(failed)?, signal(SignalKind::interrupt()).map_err(failed)?)
    };
    let shutdown = shutdown.clone();
    let serve = move || {
        runtime.block_on(async {
            let first = either(&mut terminate, &mut interrupt).await;
            tracing::info!(signal = first, "stopping; a second signal stops at once");
            shutdown.request();
            either(&mut terminate, &mut interrupt).await;
            process::exit(INTERRUPTED);
        });
    };
    thread::Builder::new().name(String::from("signals")).spawn(serve).map_err(failed)?;
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    /// Set in the process that gets the signals.
    const CHILD: &str = "HEADWATER_TEST_OF_SIGNALS";

    #[test]
    fn the_first_signal_asks_and_the_second_ends() {
        if std::env::var_os(CHILD).is_some() {
            return obey_signals();
        }
        let name = "shutdown::tests::the_first_signal_asks_and_the_second_ends";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", name, "--nocapture"]).env(CHILD, "1").stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let pid = child.id().to_string();
        let kill = |signal: &str| assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        assert!(lines.any(|line| line.ends_with("listening")));
        kill("-TERM");
        assert!(lines.any(|line| line.ends_with("asked to stop")));
        kill("-INT");
        assert_eq!(child.wait().unwrap().code(), Some(INTERRUPTED));
    }

    /// Takes note of the first request and then hangs, as an engine does whose disk does not answer.
    fn obey_signals() {
        let shutdown = Shutdown::new();
        on_signals(&shutdown).unwrap();
        println!("listening");
        while !shutdown.is_requested() {
            thread::park_timeout(Duration::from_millis(1));
        }
        println!("asked to stop");
        // Long enough for the second signal; the test does not hang if it never comes.
        thread::park_timeout(Duration::from_secs(30));
    }
}
