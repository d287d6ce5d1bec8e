use std::cell::RefCell;
use std::fs;
use std::io::{Read, Write as _};
use std::net::TcpStream;
use std::rc::Rc;

use clap::{Arg, Command};
use expect_test::expect;
use headwater_core::describe::Description;
use headwater_runtime::Phase;
use tempfile::TempDir;

use super::super::spec::{AppCommand, RunContext, Surroundings};
use super::*;
use crate::config::Listen;
use crate::explain::codes;

type Seen = Rc<RefCell<Vec<String>>>;

/// An application called `flights` with a command `refill`, which notes down what it was called with.
fn app(run: impl Fn(RunContext) -> Result<(), CliError> + 'static) -> (AppSpec, Seen) {
    let seen = Seen::default();
    let notes = Rc::clone(&seen);
    let refill = AppCommand {
        command: super::super::cluster_flags(Command::new("refill").arg(Arg::new("store").required(true).value_name("STORE"))),
        run: Box::new(move |settings, matches| {
            let store = matches.get_one::<String>("store").unwrap();
            notes.borrow_mut().push(format!("refill {store} at {}", settings.kafka.bootstrap));
            Err(CliError::failed("nothing to refill"))
        }),
    };
    let describe = || Ok(Description { app: "flights".into(), subtopologies: Vec::new() });
    let nowhere = || CliError::failed("there is nothing around this application");
    let surroundings = Surroundings {
        blueprint: Box::new(|_| Err("there is no topology".into())),
        log: Box::new(move |_| Err(nowhere())),
        state: Box::new(move |_| Err(nowhere())),
        local: Box::new(move |_, _| Err(nowhere())),
    };
    let (describe, run, work) = (Box::new(describe), Box::new(run), Box::new(move |_| Err(nowhere())));
    (AppSpec { name: "flights", describe, run, work, surroundings, commands: vec![refill] }, seen)
}

fn call_in(directory: &TempDir, spec: &AppSpec, line: &str) -> Result<String, CliError> {
    let invocation = Invocation {
        arguments: ["flights"].into_iter().chain(line.split_whitespace()).map(OsString::from).collect(),
        environment: BTreeMap::new(),
        directory: directory.path().to_owned(),
    };
    let mut out = Vec::new();
    dispatch(spec, &invocation, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn call(line: &str) -> Result<String, CliError> {
    call_in(&TempDir::new().unwrap(), &app(|_| Ok(())).0, line)
}

#[test]
fn a_wrong_call_is_one_line() {
    let mut messages = String::new();
    for line in [
        "run --bootstap x:1",
        "runn",
        "topology --output svg",
        "topology --output",
        "refill",
        "run --set run.workers",
        "run --workers many",
        "explain HW01",
    ] {
        let error = call(line).unwrap_err();
        assert_eq!(error.exit, 2, "{line}");
        messages += &format!("{line}: {}\n", error.render("flights"));
    }
    expect![[r#"
        run --bootstap x:1: error: unexpected argument '--bootstap' found; a similar argument exists: '--bootstrap'
        runn: error: unrecognized subcommand 'runn'; a similar subcommand exists: 'run'
        topology --output svg: error: invalid value 'svg' for '--output <FORMAT>' [possible values: text, mermaid, json, manifest]
        topology --output: error: a value is required for '--output <FORMAT>' but none was supplied [possible values: text, mermaid, json, manifest]
        refill: error: the following required arguments were not provided: <STORE>
        run --set run.workers: error: --set run.workers: expected KEY=VALUE, such as --set run.workers=4
        run --workers many: error[HW0002]: bad value run.workers = "many" (flag --workers): expected a whole number of at least 1 (flights explain HW0002)
        explain HW01: error: there is no error code HW01; did you mean HW0001?
    "#]].assert_eq(&messages);
}

#[test]
fn help_shows_commands_and_examples() {
    let help = call("--help").unwrap();
    for part in
        ["run", "topology", "config", "explain", "state", "reset", "refill", "flights run --embedded", "--set <KEY=VALUE>"]
    {
        assert!(help.contains(part), "{part} not in {help}");
    }
    assert!(call("run --help").unwrap().contains("--at-least-once"));
    let nothing = call("").unwrap_err();
    assert_eq!(nothing.exit, 2);
    assert!(nothing.message.contains("Usage: flights"));
    assert_eq!(call("--version").unwrap(), format!("flights (Headwater {})\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn explains_codes_without_reading_configuration() {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("flights.toml"), "nonsense").unwrap();
    let (spec, _) = app(|_| Ok(()));
    assert!(call_in(&directory, &spec, "explain hw0002").unwrap().starts_with("# HW0002: "));
    assert_eq!(call_in(&directory, &spec, "explain").unwrap().lines().count(), explain::all().len());
    assert_eq!(call_in(&directory, &spec, "topology").unwrap(), "Topologies:\n ");
    assert!(call_in(&directory, &spec, "config").is_err());
}

#[test]
fn config_shows_what_flags_say_anywhere_on_the_line() {
    let shown = call("--set run.workers=2 config --bootstrap b:1 --log-filter debug --output json").unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
    let row = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap();
    assert_eq!(row("run.workers")["from"], "flag --set");
    assert_eq!(row("kafka.bootstrap")["value"], "b:1");
    assert_eq!(row("log.filter")["from"], "flag --log-filter");
    let both = call("config --set run.workers=2 --workers 3").unwrap();
    assert!(both.lines().any(|line| line.starts_with("run.workers ") && line.ends_with("flag --workers")), "{both}");
}

#[test]
fn an_own_command_gets_settings_and_arguments() {
    let (spec, seen) = app(|_| Ok(()));
    let error = call_in(&TempDir::new().unwrap(), &spec, "refill delays --bootstrap b:1").unwrap_err();
    assert_eq!((error.exit, error.message.as_str()), (1, "nothing to refill"));
    assert_eq!(*seen.borrow(), ["refill delays at b:1"]);
}

#[test]
fn run_gives_the_engine_what_it_needs_and_passes_on_its_end() {
    let (spec, _) = app(|context| {
        assert!(context.embedded);
        assert_eq!(context.settings.admin.listen, Listen::Off);
        assert!(!context.shutdown.is_requested());
        context.observer.phase(&Phase::Running);
        Err(CliError::failed("the disk is full"))
    });
    let error = call_in(&TempDir::new().unwrap(), &spec, "run --embedded --admin off").unwrap_err();
    assert_eq!((error.exit, error.message.as_str()), (1, "the disk is full"));
}

#[test]
fn the_admin_pages_show_what_the_engine_tells() {
    // The port is free for a moment before the server takes it; nobody else binds this address.
    let address = std::net::TcpListener::bind("127.8.4.2:0").unwrap().local_addr().unwrap();
    let (spec, _) = app(move |context| {
        let ready = || {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer.starts_with("HTTP/1.1 200")
        };
        assert!(!ready());
        context.observer.phase(&Phase::Running);
        assert!(ready());
        Ok(())
    });
    call_in(&TempDir::new().unwrap(), &spec, &format!("run --admin {address}")).unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_topology_that_does_not_fit_together_has_a_page() {
    let (mut spec, _) = app(|_| Ok(()));
    spec.describe = Box::new(|| Err("two stores are called delays".into()));
    let error = call_in(&TempDir::new().unwrap(), &spec, "topology").unwrap_err();
    expect![[r#"
        error[HW0012]: two stores are called delays
        (flights explain HW0012)"#]]
    .assert_eq(&error.render("flights"));
}

#[test]
fn config_shows_how_memory_is_divided_and_refuses_too_little() {
    let shown = call("config --set memory.limit=512MiB --workers 2").unwrap();
    assert!(
        shown.contains("memory.limit") && shown.contains("\nMemory, as cut from memory.limit:\n  total: 512MiB\n"),
        "{shown}"
    );
    let refused = call("config --set memory.limit=64MiB").unwrap_err();
    assert_eq!(refused.code, Some(codes::MEMORY_TOO_SMALL));
    assert!(refused.message.contains("needs at least 118MiB"), "{}", refused.message);
}
