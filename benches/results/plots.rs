use std::collections::BTreeSet;

use crate::bars::Bars;
use crate::line::{Line, median};
use crate::lines_chart::LinesChart;

/// In the order in which they are drawn.
const CONTENDERS: [&str; 3] = ["headwater", "streams", "ceiling"];

/// Names of files, without their ending, and what is in them; what was not measured is not drawn.
pub(crate) fn all(lines: &[Line]) -> Vec<(&'static str, String)> {
    // Workloads as they are run by default; others are in the tables.
    let plain = |line: &&Line| line.guarantee == "exactly-once" && line.workers == 1 && line.processes <= 1 && line.skew == 0.0;
    let throughput: Vec<&Line> = lines.iter().filter(|line| line.kind == "throughput").filter(plain).collect();
    let of_kind = |kind: &str| lines.iter().filter(|line| line.kind == kind).collect::<Vec<&Line>>();
    let workload = |line: &Line| match (line.keys, line.records) {
        (100_000, 2_000_000) => line.workload.clone(),
        (keys, _) => format!("{}, {keys} keys", line.workload),
    };
    let latency = of_kind("latency");
    let kind_of = |line: &Line| format!("{} {}", line.workload, line.guarantee);
    let drawn = [
        ("records", bars("Records per second", "records/s", &throughput, workload, |line| line.records_per_second)),
        ("cpu", bars("CPU per record", "microseconds", &throughput, workload, Line::cpu_per_record)),
        ("memory", bars("Largest resident size", "MiB", &throughput, workload, |line| line.peak_mib)),
        ("latency-p50", bars("End-to-end latency, median", "ms", &latency, kind_of, |line| line.latency_p50_ms)),
        ("latency-p99", bars("End-to-end latency, 99 %", "ms", &latency, kind_of, |line| line.latency_p99_ms)),
        ("restore", restore(&of_kind("restore"))),
    ];
    drawn.into_iter().filter_map(|(name, svg)| Some((name, svg?))).collect()
}

/// Medians by group and contender.
fn bars(title: &str, unit: &str, lines: &[&Line], group: impl Fn(&Line) -> String, of: fn(&Line) -> f64) -> Option<String> {
    let groups: BTreeSet<String> = lines.iter().map(|line| group(line)).collect();
    let values = |name: &str| {
        let value = |who: &str| {
            let runs = lines.iter().filter(|line| line.contender == who && group(line) == name);
            median(runs.map(|line| of(line)))
        };
        CONTENDERS.iter().map(|who| value(who)).collect()
    };
    let groups = groups.into_iter().map(|name| (name.clone(), values(&name))).collect();
    let names = CONTENDERS.map(str::to_owned).to_vec();
    Bars { title: title.to_owned(), unit: unit.to_owned(), names, groups }.draw()
}

/// Seconds over the number of keys.
fn restore(lines: &[&Line]) -> Option<String> {
    let keys: BTreeSet<u64> = lines.iter().map(|line| line.keys).collect();
    let points = |who: &str| {
        let of =
            |keys: u64| median(lines.iter().filter(|line| line.contender == who && line.keys == keys).map(|line| line.seconds));
        keys.iter().filter_map(|keys| Some((*keys as f64, of(*keys)?))).collect::<Vec<_>>()
    };
    let lines = CONTENDERS.iter().map(|who| ((*who).to_owned(), points(who))).filter(|(_, points)| !points.is_empty());
    LinesChart { title: "Restore of a store".into(), unit: "seconds".into(), of: "keys".into(), lines: lines.collect() }.draw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse;

    #[test]
    fn what_was_measured_is_drawn() {
        let run = |kind: &str, contender: &str, figures: &str| {
            format!(
                "{{\"kind\":\"{kind}\",\"ok\":true,\"workload\":\"W2\",\"guarantee\":\"exactly-once\",\"workers\":1,\"records\":2000000,\
                 \"keys\":100000,\"contender\":\"{contender}\",{figures}}}\n"
            )
        };
        let text = run("throughput", "headwater", "\"records_per_second\":300,\"cpu_seconds\":8,\"peak_mib\":100")
            + &run("throughput", "streams", "\"records_per_second\":100,\"cpu_seconds\":30,\"peak_mib\":300")
            + &run("latency", "headwater", "\"latency_p50_ms\":50,\"latency_p99_ms\":120");
        let lines = parse(&text).unwrap();
        let plots = all(&lines);
        let names: Vec<&str> = plots.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["records", "cpu", "memory", "latency-p50", "latency-p99"]);
        assert!(plots[1].1.contains(">4.00</text>") && plots[1].1.contains(">15.0</text>"), "{}", plots[1].1);

        let text = text + &run("restore", "headwater", "\"seconds\":1.5") + &run("restore", "streams", "\"seconds\":4");
        let restore = all(&parse(&text).unwrap()).pop().unwrap();
        assert_eq!((restore.0, restore.1.matches("<circle").count()), ("restore", 2));
    }
}
