use super::{Table, median, range};
use crate::live::beside::{ALONE, Beside};
use crate::live::latency::WARM_UP;

/// Percent. What a throttled backfill adds to the p99 of the live application should be less.
const BOUND: f64 = 20.0;

const HEAD: &str = "| | runs | p50, ms | p99, ms | above alone, % | max, ms | p99 of the feed's delay, ms | backfill, records/s |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- |\n";

impl Table<'_, Beside> {
    /// As Markdown.
    pub(crate) fn beside(&self) -> String {
        let settings = self.settings;
        let mut text = self.heading(format_args!(
            "{} records/s for {} s, the first {} s not counted, commits each {} ms, a backfill held down to {} records/s, ",
            settings.rate,
            settings.seconds,
            WARM_UP.as_secs(),
            settings.commit,
            settings.beside_rate
        ));
        for (variant, rows) in self.groups() {
            let (workload, guarantee) = (variant.workload, variant.guarantee());
            text += &format!(
                "\n### Latency of {workload} beside a backfill of it ({guarantee}); bound: less than {BOUND} % above alone\n\n{HEAD}"
            );
            let alone = rows.iter().find(|(case, _)| *case == ALONE).map(|(_, runs)| median(runs, p99));
            for (case, runs) in &rows {
                text += &row(case, runs, alone.filter(|_| *case != ALONE));
            }
        }
        text
    }
}

fn p99(run: &Beside) -> f64 {
    run.latency.p99_ms
}

/// `alone` is what the p99 is compared with.
fn row(case: &str, runs: &[&Beside], alone: Option<f64>) -> String {
    let (least, most) = range(runs, p99);
    let backfilled = runs.iter().any(|run| run.backfilled.is_some());
    let backfill = median(runs, |run| run.backfilled.map_or(0.0, |backfilled| backfilled.records_per_second));
    format!(
        "| {case} | {} | {:.1} | {:.1} ({least:.1} to {most:.1}) | {} | {:.1} | {:.1} | {} |\n",
        runs.len(),
        median(runs, |run| run.latency.p50_ms),
        median(runs, p99),
        alone.map_or_else(|| "-".to_owned(), |alone| above(median(runs, p99), alone)),
        median(runs, |run| run.latency.max_ms),
        median(runs, |run| run.latency.feed_p99_ms),
        if backfilled { format!("{backfill:.0}") } else { "-".to_owned() },
    )
}

/// By how much more, and whether that is within the bound.
fn above(beside: f64, alone: f64) -> String {
    let percent = (beside / alone - 1.0) * 100.0;
    format!("{percent:+.1}, {}", if percent < BOUND { "within the bound" } else { "NOT within the bound" })
}
