//! Records that fail in every way, on a real broker, with the process killed again and again meanwhile.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use headwater::port::Log;
use headwater::{Backlog, Blueprint};
use headwater_tests::poison::{self, Orders, Sent};
use headwater_tests::{AppProcess, KafkaBroker, until};
use tempfile::TempDir;

const PARTITIONS: i32 = 4;
const LONG: Duration = Duration::from_secs(120);
/// How long a broker may take to wake up among the brokers of other tests; once it took more than two minutes, and why was not found.
const WAKING: Duration = Duration::from_secs(300);
/// Records written before each kill.
const PER_ROUND: usize = 4_000;
const KILLS: usize = 4;

fn start(broker: &KafkaBroker, state: &Path) -> AppProcess {
    let (bootstrap, state) = (broker.bootstrap(), state.to_str().expect("a path in UTF-8"));
    let arguments = ["run", "--bootstrap", &bootstrap, "--state-dir", state, "--admin", "off", "--workers", "2"];
    // By the classic protocol a static member takes its predecessor's place at once, however that ended.
    let settings = ["--set", "kafka.group_protocol=classic", "--set", "run.instance=one"];
    AppProcess::start(Path::new(env!("CARGO_BIN_EXE_poison")), &[&arguments[..], &settings[..]].concat())
}

fn backlog(log: &dyn Log) -> Backlog {
    let blueprint = Blueprint::of(poison::NAME, poison::topology).expect("the topology is valid");
    let plan = blueprint.plan(&[(poison::ORDERS.to_owned(), PARTITIONS)].into()).expect("the topology fits");
    Backlog::of(&plan, log).expect("the broker is up")
}

#[test]
fn dead_letters_are_what_failed_each_once_and_the_rest_is_right() {
    let broker = KafkaBroker::start();
    let log = broker.log();
    let directory = TempDir::new().expect("a temporary directory");
    let mut backlog = backlog(&log);
    let mut orders = Orders::new();
    let mut sent: Vec<Sent> = Vec::new();
    for kill in 0..KILLS {
        let round: Vec<Sent> = orders.by_ref().take(PER_ROUND).collect();
        poison::write(&log, PARTITIONS, &round).expect("the orders are written");
        sent.extend(round);
        let mut app = start(&broker, &directory.path().join("state"));
        // Each time somewhere else: at once, in the middle, or when it is nearly done.
        let left = (PER_ROUND * (KILLS - kill) / KILLS) as u64;
        until("it gets on", LONG, || {
            assert!(app.is_running(), "{}", app.log());
            backlog.remaining().ok().filter(|remaining| *remaining <= left)
        });
        app.kill();
        let _ = app.wait(LONG);
    }
    let mut app = start(&broker, &directory.path().join("state"));
    app.wait_for("task is processing", LONG);
    until("everything is processed", LONG, || {
        assert!(app.is_running(), "{}", app.log());
        backlog.remaining().ok().filter(|remaining| *remaining == 0)
    });
    app.terminate();
    assert!(app.wait(LONG).success());

    let (expected, seen) = (poison::expected(&sent), poison::seen(&log).expect("the outputs can be read"));
    assert!(expected.letters.len() > sent.len() / 40, "enough failed");
    assert_eq!(seen.letters.len(), expected.letters.len());
    assert_eq!(seen, expected);
}

/// A broker that is away for longer than a transaction may live and than a stop would wait: the process lives through it, and goes on.
#[test]
fn a_long_outage_of_the_cluster_does_not_end_the_process() {
    let broker = KafkaBroker::start();
    let log = broker.log();
    let directory = TempDir::new().expect("a temporary directory");
    let mut orders = Orders::new();
    let first: Vec<Sent> = orders.by_ref().take(12_000).collect();
    poison::write(&log, PARTITIONS, &first).expect("the orders are written");
    let mut backlog = backlog(&log);
    let mut app = start(&broker, &directory.path().join("state"));
    until("it is in the middle of it", LONG, || backlog.remaining().ok().filter(|remaining| *remaining < 10_000));
    let signal = |name: &str| {
        let done = Command::new("kill").args([name, &broker.pid().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()));
    };
    signal("-STOP");
    app.wait_for("the transactional id is not registered yet", LONG);
    assert!(app.is_running(), "{}", app.log());
    signal("-CONT");
    // It may want longer to wake up than our own client's patience, which is not what is tested. Nothing is written by this.
    until("the broker answers again", WAKING, || {
        poison::write(&log, PARTITIONS, &[]).inspect_err(|error| eprintln!("{error}")).ok()
    });
    let second: Vec<Sent> = orders.by_ref().take(2_000).collect();
    poison::write(&log, PARTITIONS, &second).expect("the orders are written");
    until("everything is processed", LONG, || {
        assert!(app.is_running(), "{}", app.log());
        backlog.remaining().ok().filter(|remaining| *remaining == 0)
    });
    app.terminate();
    assert!(app.wait(LONG).success());
    assert_eq!(poison::seen(&log).expect("the outputs can be read"), poison::expected(&[first, second].concat()));
}
