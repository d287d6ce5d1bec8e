//! What the runs lead to: a line of JSON each, and a table of each kind.

mod beside;
mod latency;
mod restart;
mod throughput;

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::settings::{Settings, Variant};

/// The commit that is measured, and on what.
pub(crate) struct Origin {
    commit: String,
    cores: usize,
}

impl Origin {
    pub(crate) fn find() -> Origin {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
        let is_changed = git(&["status", "--porcelain"]).is_some_and(|changes| !changes.is_empty());
        let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
        Origin { commit: if is_changed { format!("{commit}+") } else { commit }, cores }
    }
}

/// What a kind of run measures, as it is written into its line.
pub(crate) trait Figures {
    fn figures(&self) -> Value;
}

/// One run and how it ended.
pub(crate) struct Entry<M> {
    pub(crate) variant: Variant,
    /// What it is called in lines and tables.
    pub(crate) contender: String,
    pub(crate) round: usize,
    pub(crate) result: Result<M, String>,
}

impl<M: Figures> Entry<M> {
    /// As a line of JSON, at the end of the file of results or on standard output. `kind` is `throughput`, `latency`, `beside`, `restart` or `restore`.
    pub(crate) fn write(&self, kind: &str, settings: &Settings, origin: &Origin) -> Result<(), String> {
        let line = self.json(kind, settings, origin).to_string();
        let Some(path) = &settings.results else {
            println!("{line}");
            return Ok(());
        };
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{line}")).map_err(|error| format!("RESULTS={}: {error}", path.display()))
    }

    fn json(&self, kind: &str, settings: &Settings, origin: &Origin) -> Value {
        let Settings { data, partitions, memory, .. } = settings;
        let mut line = json!({
            "kind": kind,
            "workload": self.variant.workload.to_string(),
            "contender": self.contender,
            "guarantee": self.variant.guarantee(),
            "workers": self.variant.workers,
            "processes": self.variant.processes,
            "round": self.round,
            "records": data.records,
            "keys": data.keys,
            "skew": data.skew,
            "partitions": partitions,
            "memory_mib": memory,
            "compression": settings.compression,
            "linger": settings.linger,
            "commit_ms": settings.commit,
            "commit": origin.commit,
            "cores": origin.cores,
            "ok": self.result.is_ok(),
        });
        let found = match &self.result {
            Err(error) => json!({ "error": error }),
            Ok(measured) => measured.figures(),
        };
        if let (Value::Object(line), Value::Object(found)) = (&mut line, found) {
            line.extend(found);
        }
        line
    }

    /// One line of progress: what was found, if it went well.
    pub(crate) fn tell(&self, found: impl FnOnce(&M) -> String) {
        let Variant { workload, workers, processes, .. } = self.variant;
        let guarantee = self.variant.guarantee();
        let what = format!(
            "{workload} {guarantee}, processes: {processes}, workers: {workers}, round {}: {}",
            self.round, self.contender
        );
        match &self.result {
            Ok(measured) => eprintln!("{what} {}, all results right", found(measured)),
            Err(error) => eprintln!("FAILED: {what}: {error}"),
        }
    }
}

/// All runs of one kind.
pub(crate) struct Table<'a, M> {
    pub(crate) settings: &'a Settings,
    pub(crate) origin: &'a Origin,
    pub(crate) entries: &'a [Entry<M>],
}

impl<M> Table<'_, M> {
    /// What all of the runs have in common, in a line.
    fn heading(&self, what: impl Display) -> String {
        let (settings, data) = (self.settings, &self.settings.data);
        format!(
            "\nCommit {}, {} cores shared with the broker, {what}{} accounts, skew {}, {} partitions, {} MiB; medians (least to most).\n",
            self.origin.commit, self.origin.cores, data.keys, data.skew, settings.partitions, settings.memory
        )
    }

    /// The variants in the order in which they were run, and of each the runs that went well, by contender.
    fn groups(&self) -> Vec<(Variant, Vec<(&str, Vec<&M>)>)> {
        let mut groups: Vec<(Variant, Vec<(&str, Vec<&M>)>)> = Vec::new();
        for entry in self.entries {
            let Ok(measured) = &entry.result else { continue };
            let index = groups.iter().position(|(variant, _)| *variant == entry.variant).unwrap_or_else(|| {
                groups.push((entry.variant, Vec::new()));
                groups.len() - 1
            });
            let rows = &mut groups[index].1;
            match rows.iter_mut().find(|(contender, _)| *contender == entry.contender) {
                Some((_, runs)) => runs.push(measured),
                None => rows.push((&entry.contender, vec![measured])),
            }
        }
        groups
    }
}

pub(crate) fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// Of an even number, the mean of the two in the middle.
fn median<M>(runs: &[&M], of: impl Fn(&M) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(|run| of(run)).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => 0.0,
        Some(value) if values.len() % 2 == 1 => *value,
        Some(value) => (value + values[middle - 1]) / 2.0,
    }
}

/// The least and the most.
fn range<M>(runs: &[&M], of: impl Fn(&M) -> f64) -> (f64, f64) {
    runs.iter().map(|run| of(run)).fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)))
}

/// How many times the reference, in a table's cell.
fn ratio(value: f64, reference: Option<f64>) -> String {
    reference.filter(|reference| *reference > 0.0).map_or_else(|| "-".to_owned(), |reference| format!("{:.2}", value / reference))
}
