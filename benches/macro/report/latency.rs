use super::{Table, median, range, ratio};
use crate::live::latency::{Latency, WARM_UP};

const HEAD: &str = "| | runs | p50, ms | p99, ms | x streams | max, ms | CPU/record, us | p99 of the feed's delay, ms | machine slow, % | p99 while it was not, ms |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

impl Table<'_, Latency> {
    /// As Markdown.
    pub(crate) fn latency(&self) -> String {
        let settings = self.settings;
        let mut text = self.heading(format_args!(
            "{} records/s for {} s, the first {} s not counted, commits each {} ms, ",
            settings.rate,
            settings.seconds,
            WARM_UP.as_secs(),
            settings.commit
        ));
        for (variant, rows) in self.groups() {
            let (workload, guarantee, workers) = (variant.workload, variant.guarantee(), variant.workers);
            text += &format!("\n### Latency of {workload}: {} ({guarantee}, workers: {workers})\n\n{HEAD}", workload.title());
            let peer = rows.iter().find(|(contender, _)| *contender == "streams");
            let reference = peer.map(|(_, runs)| median(runs, |run| run.p99_ms));
            rows.iter().for_each(|(contender, runs)| text += &row(contender, runs, reference));
        }
        text
    }
}

fn row(contender: &str, runs: &[&Latency], reference: Option<f64>) -> String {
    let p99 = median(runs, |run| run.p99_ms);
    let (least, most) = range(runs, |run| run.p99_ms);
    format!(
        "| {contender} | {} | {:.1} | {p99:.1} ({least:.1} to {most:.1}) | {} | {:.1} | {:.1} | {:.1} | {:.2} | {:.1} |\n",
        runs.len(),
        median(runs, |run| run.p50_ms),
        ratio(p99, reference),
        median(runs, |run| run.max_ms),
        median(runs, |run| run.cpu_seconds / run.records as f64 * 1e6),
        median(runs, |run| run.feed_p99_ms),
        median(runs, |run| run.machine_slow_percent),
        median(runs, |run| run.p99_unslowed_ms),
    )
}
