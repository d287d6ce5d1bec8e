use serde::Deserialize;

/// A run as the macro bench wrote it down, as far as it matters here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    /// `throughput`, `latency`, `beside`, `restart` or `restore`.
    pub(crate) kind: String,
    pub(crate) workload: String,
    pub(crate) contender: String,
    pub(crate) guarantee: String,
    pub(crate) workers: u64,
    /// 0 in lines that were written before there could be more than one.
    pub(crate) processes: u64,
    pub(crate) records: u64,
    pub(crate) keys: u64,
    pub(crate) skew: f64,
    /// Runs of one round came one after the other, on a machine that was as fast for all of them.
    pub(crate) round: u64,
    pub(crate) ok: bool,
    pub(crate) records_per_second: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_mib: f64,
    pub(crate) seconds: f64,
    pub(crate) latency_p50_ms: f64,
    pub(crate) latency_p99_ms: f64,
}

impl Line {
    /// What was run, but not by whom: lines with the same are compared.
    pub(crate) fn what(&self) -> String {
        let Line { workload, guarantee, workers, processes, records, keys, skew, .. } = self;
        let several = if *processes > 1 { format!("processes {processes}, ") } else { String::new() };
        format!("{workload} {guarantee}, {several}workers {workers}, {records} records, {keys} keys, skew {skew}")
    }

    /// Microseconds.
    pub(crate) fn cpu_per_record(&self) -> f64 {
        self.cpu_seconds / self.records.max(1) as f64 * 1e6
    }
}

/// The runs that went well; a line that is no run is an error, with its number.
pub(crate) fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
        if line.ok {
            lines.push(line);
        }
    }
    Ok(lines)
}

/// Of an even number, the mean of the two in the middle; none if there is none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let value = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { value } else { f64::midpoint(values[middle - 1], value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_failed_are_left_out() {
        let text = "{\"ok\":true,\"workload\":\"W1\",\"peak_mib\":7,\"more\":[]}\n\n{\"ok\":false,\"error\":\"lost\"}\n";
        let lines = parse(text).unwrap();
        assert_eq!((lines.len(), lines[0].workload.as_str(), lines[0].peak_mib), (1, "W1", 7.0));
        assert!(parse("{}\nno JSON\n").unwrap_err().starts_with("line 2: "));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }
}
