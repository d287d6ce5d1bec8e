use std::fmt::Write;
use std::time::Duration;

use headwater_core::bounded::RunRecord;
use headwater_runtime::backfill::{Comparison, Ended, ResultDigest};
use serde_json::{Value, json};

use super::tally::Counts;
use crate::cli::times;

/// What is told at the end.
pub(super) struct Report<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) ended: Ended,
    pub(super) took: Duration,
    pub(super) counts: Counts,
    pub(super) digest: Option<ResultDigest>,
    pub(super) comparison: Option<&'a Comparison>,
}

impl Report<'_> {
    fn ended(&self) -> &'static str {
        match self.ended {
            Ended::Complete => "complete",
            Ended::Cancelled => "cancelled",
            Ended::Stopped => "stopped",
            Ended::HandedOver => "handed over",
        }
    }

    /// Each sink as it was planned with, and what became of its records here.
    fn sinks(&self) -> Value {
        let used = self.record.sinks.iter().map(|(sink, used)| {
            let (delivered, withheld) = self.counts.sinks.get(sink).copied().unwrap_or_default();
            let used = json!({"replay": used.replay, "standing": used.standing, "delivered": delivered, "withheld": withheld});
            (sink.clone(), used)
        });
        used.collect::<serde_json::Map<_, _>>().into()
    }

    pub(super) fn text(&self) -> String {
        let counts = &self.counts;
        let mut text = format!("backfill {} {} after {:.1} s\n", self.record.id, self.ended(), self.took.as_secs_f64());
        for (what, topics) in [("read", &counts.read), ("written", &counts.written)] {
            for (topic, records) in topics {
                let _ = writeln!(text, "  {what:<9} {topic}: {records} records");
            }
        }
        for (sink, (delivered, withheld)) in &counts.sinks {
            if *delivered > 0 {
                let _ = writeln!(text, "  delivered {sink}: {delivered} records");
            }
            if *withheld > 0 {
                let _ = writeln!(text, "  withheld  {sink}: {withheld} records, because it forbids replays");
            }
        }
        for (reason, records) in &counts.dropped {
            let _ = writeln!(text, "  left out  {records} records: {reason}");
        }
        if counts.dead_letters > 0 {
            let _ = writeln!(text, "  left out  {} records are dead letters", counts.dead_letters);
        }
        if let Some(digest) = self.digest {
            let _ = writeln!(text, "  digest    {:032x} over {} keys", digest.sum, digest.keys);
        }
        for (topic, compared) in self.comparison.iter().flat_map(|comparison| &comparison.compared) {
            let different = self.comparison.and_then(|comparison| comparison.different.get(topic)).unwrap_or(&0);
            let verdict = if *different == 0 { String::from("none differs") } else { format!("{different} differ") };
            let _ = writeln!(text, "  compared  {topic}: {compared} keys, {verdict}");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let counts = &self.counts;
        let partitions = self.record.spans.iter().map(
            |span| json!({"topic": span.topic, "partition": span.partition, "start": span.span.start, "end": span.span.end}),
        );
        json!({
            "backfill": self.record.id,
            "mode": self.record.mode.as_str(),
            "from": times::show(self.record.says.from),
            "to": times::show(self.record.says.to),
            "ended": self.ended(),
            "seconds": self.took.as_secs_f64(),
            "partitions": partitions.collect::<Vec<_>>(),
            "read": counts.read,
            "written": counts.written,
            "sinks": self.sinks(),
            "late": counts.dropped.get("late").unwrap_or(&0),
            "left_out": counts.dropped,
            "dead_letters": counts.dead_letters,
            "digest": self.digest.map(|digest| json!({"keys": digest.keys, "sum": format!("{:032x}", digest.sum)})),
            "compared": self.comparison.map(|comparison| &comparison.compared),
            "different": self.comparison.map(|comparison| &comparison.different),
        })
    }
}
