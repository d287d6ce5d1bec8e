//! A ledger that is looked into, reset and run again.

use std::process::{Command, Output};
use std::time::Duration;

use headwater::{Backlog, Blueprint, port::Log};
use headwater_tests::{AppProcess, KafkaBroker, binary, until};
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(60);

struct Ledger {
    directory: TempDir,
}

impl Ledger {
    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("ledger"));
        command.current_dir(self.directory.path()).args(arguments).output().expect("the binary runs")
    }

    /// What a successful call prints.
    #[track_caller]
    fn call(&self, line: &str) -> String {
        let output = self.output(&line.split(' ').collect::<Vec<_>>());
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("it prints text")
    }

    /// What a failed call says.
    #[track_caller]
    fn refused(&self, line: &str) -> String {
        let output = self.output(&line.split(' ').collect::<Vec<_>>());
        assert!(!output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).expect("it prints text")
    }

    /// Runs until everything is read; the address of its admin pages comes first.
    fn run(&self) -> (String, AppProcess) {
        let broker = KafkaBroker::shared();
        let (bootstrap, state) = (broker.bootstrap(), self.directory.path().join("state"));
        let state = state.to_str().expect("a path in UTF-8");
        let mut app = AppProcess::start(
            &binary("ledger"),
            &["run", "--bootstrap", &bootstrap, "--state-dir", state, "--admin", "127.0.0.1:0"],
        );
        let address = app.wait_for("admin pages at http://", SOON);
        let blueprint = Blueprint::of("ledger", ledger::topology).expect("the topology is valid");
        let plan = blueprint.plan(&[(ledger::TRANSFERS.to_owned(), 2)].into()).expect("the topology fits");
        let log = broker.log();
        let mut backlog = Backlog::of(&plan, &log).expect("the broker is up");
        until("everything is read", SOON, || {
            assert!(app.is_running(), "{}", app.log());
            backlog.remaining().ok().filter(|remaining| *remaining == 0)
        });
        (address.trim_end_matches('/').to_owned(), app)
    }
}

fn stop(mut app: AppProcess) {
    app.terminate();
    assert!(app.wait(SOON).success());
}

#[test]
fn a_ledger_is_looked_into_reset_and_comes_to_the_same() {
    let broker = KafkaBroker::shared();
    let bootstrap = broker.bootstrap();
    let app = Ledger { directory: TempDir::new().expect("a temporary directory") };
    app.call(&format!("generate --bootstrap {bootstrap} --records 3000 --accounts 40 --partitions 2"));
    let (address, running) = app.run();

    // Running: from its workers; its directory is in use.
    let listed = app.call(&format!("state list --admin {address}"));
    assert_eq!(listed.lines().filter(|line| line.contains("\"store\":\"accounts\"")).count(), 2, "{listed}");
    let account = app.call(&format!("state range accounts --limit 1 --admin {address}"));
    let key = account.split("\"key\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an account").to_owned();
    assert_eq!(app.call(&format!("state get accounts {key} --admin {address}")), account);
    let in_use = app.refused("state list --state-dir state");
    assert!(in_use.contains("HW0009") && in_use.contains("--admin HOST:PORT"), "{in_use}");
    let at_work = app.refused(&format!("reset --bootstrap {bootstrap} --state-dir elsewhere --yes"));
    assert!(at_work.contains("HW0023") && at_work.contains("group \"ledger\" has members"), "{at_work}");
    stop(running);

    // Stopped: from its directory, the same.
    assert_eq!(app.call(&format!("state get accounts {key} --state-dir state")), account);
    let everything = app.call("state range accounts --limit 1000 --state-dir state");
    assert_eq!(everything.lines().count(), 40);
    let windows = app.call("state range branch-minutes --limit 10 --state-dir state");
    assert!(windows.lines().all(|line| line.contains("\"window_start\"")), "{windows}");
    assert!(app.refused("state get accounts nobody --state-dir state").contains("no such key"));

    // A reset shows what it would do and does it when told.
    let reset = format!("reset --bootstrap {bootstrap} --state-dir state --outputs");
    let shown = app.call(&reset);
    for part in [
        "position  transfers-0: ",
        " -> earliest",
        "delete    internal topic ledger-accounts-changelog",
        "delete    internal topic ledger-by-branch-repartition",
        "delete    internal topic ledger-control",
        "delete    output topic balances",
        "remove    local state state/ledger",
        "nothing was changed",
    ] {
        assert!(shown.contains(part), "{part} not in {shown}");
    }
    assert_eq!(app.call("state range accounts --limit 1000 --state-dir state"), everything, "nothing was changed");
    assert!(app.call(&format!("{reset} --yes")).contains("done."));
    assert_eq!(app.call("state list --state-dir state"), "");
    let names = ["ledger-accounts-changelog", "ledger-control", "balances", "transfers"].map(str::to_owned);
    let left = broker.log().admin().and_then(|mut admin| admin.describe(&names)).expect("the broker is up");
    assert_eq!(left.keys().collect::<Vec<_>>(), ["transfers"]);

    let (_, running) = app.run();
    stop(running);
    let again = app.call("state range accounts --limit 1000 --state-dir state");
    assert_eq!(again, everything, "every transfer is counted once again");
}
