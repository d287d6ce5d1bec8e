//! The demo's last page: what the year looked like, how fast it went by, and what to try next.

mod carriers;
mod grounded;
mod hours;
mod layout;
mod next;

use std::collections::HashMap;
use std::time::Duration;

use crate::carriers::Carrier;
use crate::compare::Comparison;
use crate::data::{Plane, planes};
use crate::grounding::Grounded;
use crate::hourly::Hourly;
use crate::outputs::{Outputs, readable};
use layout::beside;
pub(crate) use layout::thousands;

pub use next::Place;

/// What the tables are made of.
#[derive(Clone, Debug)]
pub struct Results {
    hourly: Vec<Hourly>,
    carriers: Vec<Carrier>,
    grounded: Vec<Grounded>,
    planes: HashMap<String, Plane>,
}

impl Results {
    /// The results a run wrote. Records that cannot be read are left out here: [`compare`](crate::compare) names them.
    pub fn new(outputs: &Outputs) -> Results {
        Results {
            hourly: readable(outputs.hourly.values()),
            carriers: readable(outputs.carriers.values()),
            grounded: readable(outputs.grounded.iter().map(|(_, value)| value)),
            // The models are decoration: the table does without them.
            planes: planes().unwrap_or_default(),
        }
    }
}

/// How the run went.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Records read.
    pub records_in: u64,
    /// Records written to the output topics.
    pub records_out: u64,
    /// From the first record to the last commit.
    pub elapsed: Duration,
    /// Threads that worked.
    pub workers: usize,
    /// Where it ran.
    pub place: Place<'a>,
}

/// The whole page, at most 100 columns wide.
pub fn render(results: &Results, comparison: Option<&Comparison>, run: &Run<'_>) -> String {
    let left: u64 = results.hourly.iter().map(|h| h.departures).sum();
    let cancelled: u64 = results.hourly.iter().map(|h| h.cancelled).sum();
    let mut page = vec![
        format!("FROM NEW YORK, 2013: {} flights left, {} were cancelled", thousands(left), thousands(cancelled)),
        String::new(),
    ];
    page.extend(beside(&hours::table(&results.hourly), &grounded::table(&results.grounded, &results.planes)));
    page.push(String::new());
    page.extend(carriers::table(&results.carriers));
    page.push(String::new());
    page.push(throughput(run));
    page.extend(comparison.map(checked).unwrap_or_default());
    page.push(String::new());
    page.extend(next::lines(run.place));
    page.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Prints the page to standard output.
pub fn print(results: &Results, comparison: Option<&Comparison>, run: &Run<'_>) {
    print!("{}", render(results, comparison, run));
}

fn throughput(run: &Run<'_>) -> String {
    let seconds = run.elapsed.as_secs_f64().max(0.001);
    let rate = (run.records_in as f64 / seconds) as u64;
    format!(
        "{} records in, {} out, in {seconds:.1} s: {} records/s on {} worker{}, {}",
        thousands(run.records_in),
        thousands(run.records_out),
        thousands(rate),
        run.workers,
        if run.workers == 1 { "" } else { "s" },
        run.place.guarantee(),
    )
}

fn checked(comparison: &Comparison) -> Vec<String> {
    if !comparison.is_equal() {
        let mut lines = vec!["NOT EQUAL to an independent computation from the CSV:".to_owned()];
        lines.extend(comparison.to_string().lines().map(|line| format!(" {line}")));
        return lines;
    }
    let counts = comparison.verdicts().map(|verdict| format!("{} of {} {}", verdict.equal, verdict.expected, verdict.what));
    vec!["Checked against an independent computation from the CSV:".to_owned(), format!(" {} equal", counts.join(", "))]
}

#[cfg(test)]
#[path = "tables/tests.rs"]
mod tests;
