use super::{Table, median, range, ratio};
use crate::live::restart::Restart;

const HEAD: &str = "| | runs | start to first result, s | x streams | start to results of all partitions, s | stop, s | without results, s |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n";

impl Table<'_, Restart> {
    /// As Markdown.
    pub(crate) fn restart(&self) -> String {
        let mut text = self.heading(format_args!("{} records/s, ", self.settings.steady));
        for (variant, rows) in self.groups() {
            let (workload, guarantee) = (variant.workload, variant.guarantee());
            text += &format!("\n### Restart of {workload} after a clean stop ({guarantee})\n\n{HEAD}");
            let peer = rows.iter().find(|(contender, _)| *contender == "streams");
            let reference = peer.map(|(_, runs)| median(runs, |run| run.first_seconds));
            rows.iter().for_each(|(contender, runs)| text += &row(contender, runs, reference));
        }
        text
    }
}

fn row(contender: &str, runs: &[&Restart], reference: Option<f64>) -> String {
    let first = median(runs, |run| run.first_seconds);
    let (least, most) = range(runs, |run| run.first_seconds);
    format!(
        "| {contender} | {} | {first:.2} ({least:.2} to {most:.2}) | {} | {:.2} | {:.2} | {:.2} |\n",
        runs.len(),
        ratio(first, reference),
        median(runs, |run| run.all_seconds),
        median(runs, |run| run.stop_seconds),
        median(runs, |run| run.outage_seconds),
    )
}
