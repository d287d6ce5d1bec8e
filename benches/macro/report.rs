use std::fs::OpenOptions;
use std::io::Write;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};

use crate::contender::Contender;
use crate::run::Measured;
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

/// One run and how it ended.
pub(crate) struct Entry {
    pub(crate) variant: Variant,
    pub(crate) contender: Contender,
    pub(crate) round: usize,
    pub(crate) result: Result<Measured, String>,
}

impl Entry {
    /// As a line of JSON, at the end of the file of results or on standard output.
    pub(crate) fn write(&self, settings: &Settings, origin: &Origin) -> Result<(), String> {
        let line = self.json(settings, origin).to_string();
        let Some(path) = &settings.results else {
            println!("{line}");
            return Ok(());
        };
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{line}")).map_err(|error| format!("RESULTS={}: {error}", path.display()))
    }

    fn json(&self, settings: &Settings, origin: &Origin) -> Value {
        let Settings { data, partitions, memory, .. } = settings;
        let mut line = json!({
            "workload": self.variant.workload.to_string(),
            "contender": self.contender.to_string(),
            "guarantee": self.variant.guarantee(),
            "workers": self.variant.workers,
            "round": self.round,
            "records": data.records,
            "keys": data.keys,
            "skew": data.skew,
            "partitions": partitions,
            "memory_mib": memory,
            "compression": settings.compression,
            "commit": origin.commit,
            "cores": origin.cores,
            "ok": self.result.is_ok(),
        });
        let found = match &self.result {
            Err(error) => json!({ "error": error }),
            Ok(measured) => json!({
                "total_seconds": rounded(measured.total_seconds),
                "first_output_seconds": rounded(measured.first_output_seconds),
                "output_seconds": rounded(measured.output_seconds),
                "records_per_second": measured.records_per_second.round(),
                "cpu_seconds": rounded(measured.cpu_seconds),
                "broker_cpu_seconds": rounded(measured.broker_cpu_seconds),
                "peak_mib": measured.peak_mib,
            }),
        };
        if let (Value::Object(line), Value::Object(found)) = (&mut line, found) {
            line.extend(found);
        }
        line
    }
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// Medians of all runs that went well, as Markdown.
pub(crate) fn table(settings: &Settings, origin: &Origin, entries: &[Entry]) -> String {
    let data = &settings.data;
    let mut text = format!(
        "\nCommit {}, {} cores shared with the broker, {} records, {} accounts, skew {}, {} partitions, {} MiB; medians (least to most).\n",
        origin.commit, origin.cores, data.records, data.keys, data.skew, settings.partitions, settings.memory
    );
    for workload in &settings.workloads {
        for variant in settings.variants(*workload) {
            let rows: Vec<(Contender, Vec<&Measured>)> = settings
                .contenders
                .iter()
                .map(|contender| {
                    let of = entries.iter().filter(|entry| entry.variant == variant && entry.contender == *contender);
                    (*contender, of.filter_map(|entry| entry.result.as_ref().ok()).collect())
                })
                .filter(|(_, runs): &(_, Vec<_>)| !runs.is_empty())
                .collect();
            if rows.is_empty() {
                continue;
            }
            let (title, guarantee, workers) = (workload.title(), variant.guarantee(), variant.workers);
            text += &format!("\n### {workload}: {title} ({guarantee}, workers: {workers})\n\n{HEAD}");
            let peer = rows.iter().find(|(contender, _)| *contender == Contender::Streams);
            let reference = peer.map(|(_, runs)| median(runs, |run| run.records_per_second));
            rows.iter().for_each(|(contender, runs)| text += &row(*contender, runs, reference, data.records));
        }
    }
    text
}

const HEAD: &str = "| | runs | records/s | x streams | start to first result, s | start to end, s | CPU, s | CPU/record, us | broker CPU, s | peak, MiB |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

fn row(contender: Contender, runs: &[&Measured], reference: Option<f64>, records: u64) -> String {
    let rate = median(runs, |run| run.records_per_second);
    let rates = || runs.iter().map(|run| run.records_per_second);
    let (least, most) = (rates().fold(f64::MAX, f64::min), rates().fold(0.0, f64::max));
    let ratio = reference.map_or_else(|| "-".to_owned(), |reference| format!("{:.2}", rate / reference));
    let cpu = median(runs, |run| run.cpu_seconds);
    format!(
        "| {contender} | {} | {rate:.0} ({least:.0} to {most:.0}) | {ratio} | {:.2} | {:.2} | {cpu:.2} | {:.1} | {:.2} | {:.0} |\n",
        runs.len(),
        median(runs, |run| run.first_output_seconds),
        median(runs, |run| run.total_seconds),
        cpu / records as f64 * 1e6,
        median(runs, |run| run.broker_cpu_seconds),
        median(runs, |run| run.peak_mib as f64),
    )
}

/// Of an even number, the mean of the two in the middle.
fn median(runs: &[&Measured], of: impl Fn(&Measured) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(|run| of(run)).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.get(middle) {
        None => 0.0,
        Some(value) if values.len() % 2 == 1 => *value,
        Some(value) => (value + values[middle - 1]) / 2.0,
    }
}
