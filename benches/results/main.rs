//! What the macro bench has written, a line of JSON for each run, compared with what was committed (`ratios`) or drawn (`plots`).

mod bars;
mod line;
mod lines_chart;
mod plots;
mod ratios;
mod svg;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use line::Line;
use ratios::Ratios;

const USAGE: &str = "bench-results ratios RESULTS COMMITTED.json [--update], or bench-results plots RESULTS DIRECTORY";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ratios", results, committed] => read(results).and_then(|lines| compare(&lines, &path(committed))),
        ["ratios", results, committed, "--update"] => read(results).and_then(|lines| update(&lines, &path(committed))),
        ["plots", results, directory] => read(results).and_then(|lines| draw(&lines, &path(directory))),
        _ => Err(format!("usage: {USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-results: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A relative one goes by where the command was given.
fn path(text: &str) -> PathBuf {
    std::env::var_os("PWD").map(PathBuf::from).unwrap_or_default().join(text)
}

fn read(results: &str) -> Result<Vec<Line>, String> {
    let text = fs::read_to_string(path(results)).map_err(|error| format!("{results}: {error}"))?;
    line::parse(&text).map_err(|error| format!("{results}: {error}"))
}

fn compare(lines: &[Line], path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let committed = Ratios::from_json(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let verdict = committed.compare(&Ratios::of(lines));
    println!("{}", verdict.table);
    if verdict.compared == 0 {
        return Err(format!("no ratio of these results is in {}: `make bench-guard UPDATE=1` writes them", path.display()));
    }
    if verdict.losses.is_empty() {
        println!("{} ratios, none of which has lost more than {:.0} %", verdict.compared, ratios::TOLERATED_LOSS * 100.0);
        return Ok(());
    }
    Err(format!("lost more than {:.0} %:\n  {}", ratios::TOLERATED_LOSS * 100.0, verdict.losses.join("\n  ")))
}

/// What these results have is written; what they do not have stays.
fn update(lines: &[Line], path: &Path) -> Result<(), String> {
    let before = fs::read_to_string(path).ok().map_or_else(|| Ok(Ratios::default()), |text| Ratios::from_json(&text));
    let mut ratios = before.map_err(|error| format!("{}: {error}", path.display()))?;
    let found = Ratios::of(lines);
    if found.0.is_empty() {
        return Err("there is nobody to compare with in these results".to_owned());
    }
    ratios.0.extend(found.0);
    fs::write(path, ratios.to_json()).map_err(|error| format!("{}: {error}", path.display()))?;
    println!("{} ratios in {}", ratios.0.len(), path.display());
    Ok(())
}

fn draw(lines: &[Line], directory: &Path) -> Result<(), String> {
    let plots = plots::all(lines);
    if plots.is_empty() {
        return Err("there is nothing to draw in these results".to_owned());
    }
    fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    for (name, svg) in plots {
        let path = directory.join(format!("{name}.svg"));
        fs::write(&path, svg).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}
