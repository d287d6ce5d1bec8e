use serde_json::{Value, json};

use super::{Figures, Table, median, range, ratio, rounded};
use crate::run::Measured;
use crate::settings::Variant;

impl Figures for Measured {
    fn figures(&self) -> Value {
        json!({
            "total_seconds": rounded(self.total_seconds),
            "first_output_seconds": rounded(self.first_output_seconds),
            "output_seconds": rounded(self.output_seconds),
            "records_per_second": self.records_per_second.round(),
            "cpu_seconds": rounded(self.cpu_seconds),
            "broker_cpu_seconds": rounded(self.broker_cpu_seconds),
            "peak_mib": self.peak_mib,
        })
    }
}

const HEAD: &str = "| | runs | records/s | x streams | start to first result, s | start to end, s | CPU, s | CPU/record, us | broker CPU, s | peak, MiB |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

impl Table<'_, Measured> {
    /// As Markdown.
    pub(crate) fn throughput(&self) -> String {
        let records = self.settings.data.records;
        let mut text = self.heading(format_args!("{records} records, "));
        for (variant, rows) in self.groups() {
            let Variant { workload, workers, processes, .. } = variant;
            let (title, guarantee) = (workload.title(), variant.guarantee());
            text += &format!("\n### {workload}: {title} ({guarantee}, processes: {processes}, workers: {workers})\n\n{HEAD}");
            let peer = rows.iter().find(|(contender, _)| *contender == "streams");
            let reference = peer.map(|(_, runs)| median(runs, |run| run.records_per_second));
            rows.iter().for_each(|(contender, runs)| text += &row(contender, runs, reference, records));
        }
        text
    }
}

fn row(contender: &str, runs: &[&Measured], reference: Option<f64>, records: u64) -> String {
    let rate = median(runs, |run| run.records_per_second);
    let (least, most) = range(runs, |run| run.records_per_second);
    let cpu = median(runs, |run| run.cpu_seconds);
    format!(
        "| {contender} | {} | {rate:.0} ({least:.0} to {most:.0}) | {} | {:.2} | {:.2} | {cpu:.2} | {:.1} | {:.2} | {:.0} |\n",
        runs.len(),
        ratio(rate, reference),
        median(runs, |run| run.first_output_seconds),
        median(runs, |run| run.total_seconds),
        cpu / records as f64 * 1e6,
        median(runs, |run| run.broker_cpu_seconds),
        median(runs, |run| run.peak_mib as f64),
    )
}
