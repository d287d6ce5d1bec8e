use std::collections::BTreeMap;

use crate::line::{Line, median};

/// A ratio may fall by this share before it counts as lost.
pub(crate) const TOLERATED_LOSS: f64 = 0.15;

const OURS: &str = "headwater";
const THEIRS: [&str; 3] = ["streams", "ceiling", "plain"];
/// What is compared, and whether more of it is better.
const FIGURES: [(&str, fn(&Line) -> f64, bool); 3] = [
    ("records/s", |line| line.records_per_second, true),
    ("CPU per record", Line::cpu_per_record, false),
    ("peak memory", |line| line.peak_mib, false),
];

/// How many times better than somebody else, by what was run, whom it is compared with, and in what. Above 1: better.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ratios(pub(crate) BTreeMap<String, f64>);

/// What a comparison came to.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) compared: usize,
    /// In words.
    pub(crate) losses: Vec<String>,
    /// Everything, as Markdown.
    pub(crate) table: String,
}

impl Ratios {
    /// The medians of what rounds came to: whatever drifts from one to the next is the same for both within a round.
    pub(crate) fn of(lines: &[Line]) -> Ratios {
        let mut groups: BTreeMap<String, BTreeMap<u64, Vec<&Line>>> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.kind == "throughput") {
            groups.entry(line.what()).or_default().entry(line.round).or_default().push(line);
        }
        let mut ratios = BTreeMap::new();
        for (what, rounds) in groups {
            for (figure, of, is_more_better) in FIGURES {
                for theirs in THEIRS {
                    let in_rounds = rounds.values().filter_map(|lines| {
                        let of_whom = |who| median(lines.iter().filter(|line| line.contender == who).map(|line| of(line)));
                        let (our, their) = (of_whom(OURS)?, of_whom(theirs)?);
                        let (above, below) = if is_more_better { (our, their) } else { (their, our) };
                        (above > 0.0 && below > 0.0).then(|| above / below)
                    });
                    if let Some(ratio) = median(in_rounds) {
                        ratios.insert(format!("{what}: {figure} against {theirs}"), (ratio * 1e3).round() / 1e3);
                    }
                }
            }
        }
        Ratios(ratios)
    }

    pub(crate) fn from_json(text: &str) -> Result<Ratios, String> {
        serde_json::from_str(text).map(Ratios).map_err(|error| error.to_string())
    }

    pub(crate) fn to_json(&self) -> String {
        // Numbers under names: they can be written.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }

    /// Compares what was found with these. What only one of the two has is told, and no loss.
    pub(crate) fn compare(&self, found: &Ratios) -> Verdict {
        let (mut compared, mut losses) = (0, Vec::new());
        let mut table = "| ratio | committed | found | |\n| --- | --- | --- | --- |\n".to_owned();
        for (what, committed) in &self.0 {
            let Some(now) = found.0.get(what) else {
                table += &format!("| {what} | {committed:.2} | - | not measured |\n");
                continue;
            };
            compared += 1;
            let change = now / committed - 1.0;
            let is_lost = change < -TOLERATED_LOSS;
            table += &format!(
                "| {what} | {committed:.2} | {now:.2} | {:+.0} %{} |\n",
                change * 100.0,
                if is_lost { ", LOST" } else { "" }
            );
            if is_lost {
                losses.push(format!("{what}: {now:.2} instead of {committed:.2}"));
            }
        }
        for (what, now) in found.0.iter().filter(|(what, _)| !self.0.contains_key(*what)) {
            table += &format!("| {what} | - | {now:.2} | not committed |\n");
        }
        Verdict { compared, losses, table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(contender: &str, records_per_second: f64, cpu_seconds: f64, peak_mib: f64) -> Line {
        Line {
            kind: "throughput".into(),
            workload: "W2".into(),
            contender: contender.into(),
            guarantee: "exactly-once".into(),
            workers: 1,
            records: 1000,
            keys: 10,
            records_per_second,
            cpu_seconds,
            peak_mib,
            ..Line::default()
        }
    }

    const WHAT: &str = "W2 exactly-once, workers 1, 1000 records, 10 keys, skew 0";

    fn ratios(named: &[(&str, f64)]) -> Ratios {
        Ratios(named.iter().map(|(name, ratio)| (format!("{WHAT}: {name}"), *ratio)).collect())
    }

    #[test]
    fn more_is_better_of_speed_and_less_of_cost() {
        let lines = [
            line("headwater", 300.0, 1.0, 100.0),
            line("streams", 100.0, 4.0, 250.0),
            // The median of three.
            line("headwater", 200.0, 2.0, 100.0),
            line("headwater", 900.0, 0.5, 100.0),
            Line { kind: "latency".into(), ..line("streams", 1.0, 1.0, 1.0) },
        ];
        let expected = ratios(&[
            ("records/s against streams", 3.0),
            ("CPU per record against streams", 4.0),
            ("peak memory against streams", 2.5),
        ]);
        assert_eq!(Ratios::of(&lines), expected);
    }

    #[test]
    fn what_is_faster_in_a_round_is_compared_with_what_ran_beside_it() {
        let round = |round, contender, records_per_second| Line { round, ..line(contender, records_per_second, 1.0, 1.0) };
        let lines = [
            round(1, "headwater", 300.0),
            round(1, "streams", 100.0),
            // The machine is twice as fast; then nobody else ran.
            round(2, "streams", 200.0),
            round(2, "headwater", 600.0),
            round(3, "headwater", 100.0),
            round(4, "headwater", 100.0),
            round(4, "streams", 50.0),
        ];
        assert_eq!(Ratios::of(&lines).0[&format!("{WHAT}: records/s against streams")], 3.0);
    }

    #[test]
    fn runs_of_other_data_are_not_compared() {
        let lines = [line("headwater", 300.0, 1.0, 100.0), Line { keys: 11, ..line("streams", 100.0, 4.0, 250.0) }];
        assert_eq!(Ratios::of(&lines), Ratios::default());
    }

    #[test]
    fn a_loss_is_one_of_more_than_fifteen_percent() {
        let committed = ratios(&[("a", 2.0), ("b", 2.0), ("c", 2.0), ("d", 2.0)]);
        let verdict = committed.compare(&ratios(&[("a", 1.71), ("b", 1.69), ("c", 9.0), ("e", 1.0)]));
        assert_eq!((verdict.compared, verdict.losses), (3, vec![format!("{WHAT}: b: 1.69 instead of 2.00")]));
        assert!(verdict.table.contains(": d | 2.00 | - | not measured |"), "{}", verdict.table);
        assert!(verdict.table.contains(": e | - | 1.00 | not committed |"), "{}", verdict.table);
    }

    #[test]
    fn they_are_read_as_they_were_written() {
        let some = ratios(&[("a", 2.5)]);
        assert_eq!(Ratios::from_json(&some.to_json()), Ok(some));
    }
}
