use std::collections::BTreeMap;

use headwater_core::TopicPartition;
use headwater_core::port::Committed;

/// The positions that were committed, and where each process goes on from: neither a position nor the event time beside it goes back, and nobody
/// commits who did not begin where the last commit ended, because then two have processed the same records.
#[derive(Default)]
pub struct Ledger {
    committed: BTreeMap<TopicPartition, (i64, Vec<Option<i64>>)>,
    basis: BTreeMap<(usize, TopicPartition), i64>,
}

impl Ledger {
    /// A process reads a partition from here on.
    pub fn begins(&mut self, process: usize, partition: &TopicPartition, offset: i64) {
        self.basis.insert((process, partition.clone()), offset);
    }

    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.committed.get(partition).map(|(offset, _)| *offset)
    }

    /// A commit took effect; answers what is wrong with it, by name.
    pub fn commits(&mut self, process: usize, positions: &[(TopicPartition, Committed)]) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        for (partition, Committed { offset, metadata }) in positions {
            let now = times(metadata);
            let basis = self.basis.insert((process, partition.clone()), *offset);
            let before = self.committed.insert(partition.clone(), (*offset, now.clone()));
            let Some((last, times)) = before else { continue };
            if basis != Some(last) {
                let text = format!("p{process} commits {offset} for {partition} from {basis:?}, but {last} was committed since");
                wrong.push(("two owners", text));
            }
            if *offset < last {
                wrong.push(("position", format!("{partition} goes back from {last} to {offset}")));
            }
            if times.iter().zip(&now).any(|(before, now)| before > now) {
                wrong.push(("time", format!("event time of {partition} goes back from {times:?} to {now:?} at {offset}")));
            }
        }
        wrong
    }
}

/// The times in a position's metadata (`core::task::clock`), in order; none for unknown. A difference stands for its sum with the one before.
pub(super) fn times(metadata: &str) -> Vec<Option<i64>> {
    let metadata = metadata.split_once('$').map_or(metadata, |(times, _)| times);
    let Some((_, text)) = metadata.split_once(':') else { return Vec::new() };
    let mut before = 0;
    let times = text.split([',', '@']).map(|time| {
        let time = time.trim_end_matches('!');
        if time == "-" {
            return None;
        }
        let (digits, sign) = time.strip_prefix('~').map_or((time, 1), |digits| (digits, -1));
        before += sign * i64::from_str_radix(digits, 36).expect("times are in base 36");
        Some(before)
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(ledger: &mut Ledger, process: usize, offset: i64, metadata: &str) -> Vec<&'static str> {
        let committed = Committed { offset, metadata: metadata.to_owned() };
        let wrong = ledger.commits(process, &[(TopicPartition::new("t", 0), committed)]);
        wrong.into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn finds_two_owners_and_what_goes_back() {
        let mut ledger = Ledger::default();
        let partition = TopicPartition::new("t", 0);
        ledger.begins(0, &partition, 0);
        ledger.begins(1, &partition, 0);
        assert!(commit(&mut ledger, 0, 5, "1s:a@8").is_empty());
        assert!(commit(&mut ledger, 0, 7, "1s:a!@8").is_empty());
        assert_eq!(commit(&mut ledger, 1, 8, "1s:b@8"), ["two owners"]);
        assert_eq!(commit(&mut ledger, 1, 7, "1s:b@7"), ["position", "time"]);
    }
}
