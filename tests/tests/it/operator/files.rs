//! Files in place of topics: staged, corrected, gone on with, and the same results as in one go.

use std::process::{Command, Output};

use flights::data::{airlines_csv, flights_csv};
use headwater_tests::{KafkaBroker, binary};
use tempfile::TempDir;

/// Rows of the year's first days. More than one transaction takes.
const ROWS: usize = 12_000;

fn backfill(directory: &TempDir, arguments: &str) -> Output {
    let bootstrap = KafkaBroker::shared().bootstrap();
    let line = format!("backfill --bootstrap {bootstrap} --state-dir state --log-filter error {arguments}");
    let mut command = Command::new(binary("flights"));
    command.current_dir(directory.path()).args(line.split(' ')).output().expect("the binary runs")
}

#[track_caller]
fn done(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let line =
        |what: &str| out.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in {out}")).to_owned();
    (line("digest "), line("flights-file: "))
}

#[test]
fn a_corrected_file_is_gone_on_with_and_gives_what_it_gives_in_one_go() {
    let directory = TempDir::new().expect("a temporary directory");
    let text = flights_csv().expect("the data is in the binary");
    let rows: String = text.lines().take(ROWS + 1).map(|line| format!("{line}\n")).collect();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).expect("a file is written");
    write("airlines.csv", airlines_csv());
    let last = rows.lines().last().expect("there are rows");
    write("flights.csv", &rows.replace(last, &last.replace("2013-", "soon-")));
    let inputs = "--input airlines=airlines.csv,key=carrier --input flights=flights.csv,key=tailnum,time=time_hour";
    let in_two = format!("{inputs} --output-suffix .in-two --id in-two");
    let output = backfill(&directory, &in_two);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains(&format!("flights.csv, line {}, column \"time_hour\"", ROWS + 1)),
        "{said}"
    );
    write("flights.csv", &rows);
    let (digest, read) = done(&backfill(&directory, &in_two));
    assert!(read.ends_with(&format!("flights.in-two-flights-file: {ROWS} records")), "{read}");
    let (in_one, _) = done(&backfill(&directory, &format!("{inputs} --output-suffix .in-one --id in-one")));
    assert_eq!(digest, in_one);
    for id in ["in-one", "in-two"] {
        let bootstrap = KafkaBroker::shared().bootstrap();
        let line = format!("backfill clean {id} --bootstrap {bootstrap} --state-dir state");
        let output = Command::new(binary("flights")).current_dir(directory.path()).args(line.split(' ')).output();
        let shown = String::from_utf8_lossy(&output.expect("the binary runs").stdout).into_owned();
        assert!(shown.contains(&format!("removed  topic flights.{id}-flights-file")), "{shown}");
    }
}
